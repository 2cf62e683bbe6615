//! A client and a server in one process, joined by two pipes: for the server no other than stdin and stdout.

use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::thread;

use mcp_runtime::Stdio;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::session::Session;

/// A client, and what the server is to be served on. Each ends when the other goes.
pub(super) fn connect() -> io::Result<(Session, Stdio)> {
    let (input, to_server) = io::pipe()?;
    let (from_server, output) = io::pipe()?;
    let (asking, asked) = mpsc::unbounded_channel();
    let (telling, told) = mpsc::unbounded_channel();
    thread::Builder::new().name("demo-writer".into()).spawn(move || write_lines(to_server, asked))?;
    thread::Builder::new().name("demo-reader".into()).spawn(move || read_lines(from_server, &telling))?;
    Ok((Session::over(asking, told), Stdio::with(reading_end(input), writing_end(output))))
}

/// Writes each message on a line, until there will be no more or nobody reads them.
fn write_lines(mut to_server: PipeWriter, mut messages: UnboundedReceiver<String>) {
    while let Some(message) = messages.blocking_recv() {
        if to_server.write_all(format!("{message}\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// Hands on each line, until there will be no more or nobody wants them.
fn read_lines(from_server: PipeReader, messages: &UnboundedSender<String>) {
    for line in BufReader::new(from_server).lines() {
        let Ok(line) = line else { return };
        if messages.send(line).is_err() {
            return;
        }
    }
}

#[cfg(unix)]
fn reading_end(pipe: PipeReader) -> File {
    std::os::fd::OwnedFd::from(pipe).into()
}

#[cfg(unix)]
fn writing_end(pipe: PipeWriter) -> File {
    std::os::fd::OwnedFd::from(pipe).into()
}

#[cfg(windows)]
fn reading_end(pipe: PipeReader) -> File {
    std::os::windows::io::OwnedHandle::from(pipe).into()
}

#[cfg(windows)]
fn writing_end(pipe: PipeWriter) -> File {
    std::os::windows::io::OwnedHandle::from(pipe).into()
}
