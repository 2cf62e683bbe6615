//! A server as a process that listens on a socket, and says where.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

/// A program that serves Streamable HTTP, or something else over HTTP. Dropping it kills it.
#[derive(Debug)]
pub struct Listening {
    child: Child,
    url: String,
    errors: Option<JoinHandle<()>>,
}

impl Listening {
    /// Starts a program with `--http` and an address whose port the system chooses, and waits until it says where it
    /// listens: one line on standard error.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn start(program: impl AsRef<OsStr>) -> Self {
        Self::start_with(program, &["--http", "127.0.0.1:0"])
    }

    /// Starts a program with arguments of one's own that make it listen, and say where.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn start_with(program: impl AsRef<OsStr>, arguments: &[&str]) -> Self {
        let mut child = Command::new(program.as_ref())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.as_ref().display()));
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is a pipe")).lines();
        let mut said = Vec::new();
        let url = loop {
            let Some(Ok(line)) = lines.next() else {
                let _ = child.kill();
                let _ = child.wait();
                panic!("{} does not say where it listens, but: {said:?}", program.as_ref().display());
            };
            match line.split_once("listening on ") {
                Some((_, url)) => break url.trim().to_owned(),
                None => said.push(line),
            }
        };
        // What it says from now on is told, so that a test that fails shows it, and so that its pipe never fills up.
        let errors =
            std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        Self { child, url, errors: Some(errors) }
    }

    /// Its endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(errors) = self.errors.take() {
            let _ = errors.join();
        }
    }
}
