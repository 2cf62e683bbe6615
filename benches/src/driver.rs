//! The client's end: starts a server, shakes hands on either wire, and speaks lines of JSON in raw bytes, so that the
//! load costs little beside what it loads.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Result;

/// Which revision family of the protocol a connection speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wire {
    /// `initialize`, then requests.
    Legacy,
    /// Everything in each request's `_meta`; the client declares the tasks extension.
    Modern,
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"benches","version":"0.0.0"},"io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}"#;

/// One request, but for its id: the method, and the members of `params` without their braces.
pub(crate) struct Request {
    method: &'static str,
    params: String,
}

impl Request {
    pub(crate) fn new(method: &'static str, params: impl Into<String>) -> Self {
        Self { method, params: params.into() }
    }

    pub(crate) fn call(tool: &str, arguments: &str) -> Self {
        Self::new("tools/call", format!(r#""name":"{tool}","arguments":{arguments}"#))
    }

    fn write(&self, wire: Wire, id: u64, out: &mut Vec<u8>) {
        let Self { method, params } = self;
        let (meta, comma) = match wire {
            Wire::Legacy => ("", ""),
            Wire::Modern if params.is_empty() => (META, ""),
            Wire::Modern => (META, ","),
        };
        let line = format_args!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{meta}{comma}{params}}}}}"#
        );
        writeln!(out, "{line}").expect("a vector takes whatever is written to it");
    }
}

/// A running server and the two pipes to it.
pub(crate) struct Connection {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    wire: Wire,
    next_id: u64,
    answer: String,
}

impl Connection {
    /// Starts `command` and shakes hands.
    pub(crate) fn open(mut command: Command, wire: Wire) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("starting {command:?}: {error}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a child without pipes".into());
        };
        OPEN.fetch_add(1, Ordering::Relaxed);
        let output = BufReader::with_capacity(1 << 18, output);
        let mut connection =
            Self { child, input: Some(input), output, wire, next_id: 0, answer: String::new() };
        match wire {
            Wire::Legacy => {
                let client = r#""protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"benches","version":"0.0.0"}"#;
                connection.ask(&Request::new("initialize", client))?;
                connection.send(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n")?;
            }
            Wire::Modern => {
                connection.ask(&Request::new("server/discover", ""))?;
            }
        }
        Ok(connection)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends one request and waits for its answer.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<&str> {
        let mut line = Vec::new();
        request.write(self.wire, self.next_id, &mut line);
        self.next_id += 1;
        self.send(&line)?;
        self.receive()?;
        Ok(&self.answer)
    }

    /// Sends the same request `count` times, one in flight.
    pub(crate) fn repeat(&mut self, request: &Request, count: u32) -> Result<()> {
        (0..count).try_for_each(|_| self.ask(request).map(drop))
    }

    /// Sends the same request `count` times with `window` in flight, and gives the answers.
    pub(crate) fn stream(&mut self, count: u32, window: u32, request: &Request) -> Result<Vec<String>> {
        let (mut sent, mut lines) = (0, Vec::new());
        let mut answers: Vec<String> = Vec::with_capacity(count as usize);
        while answers.len() < count as usize {
            lines.clear();
            while sent < count && sent < answers.len() as u32 + window {
                request.write(self.wire, self.next_id, &mut lines);
                self.next_id += 1;
                sent += 1;
            }
            if !lines.is_empty() {
                self.send(&lines)?;
            }
            // All answers that have come are taken before the window is filled up again: a client does not hold back.
            loop {
                self.receive()?;
                answers.push(self.answer.clone());
                if answers.len() == sent as usize || !self.output.buffer().contains(&b'\n') {
                    break;
                }
            }
        }
        Ok(answers)
    }

    /// Closes the server's input and waits until it has ended, so that what watches it can write its report.
    pub(crate) fn close(mut self) -> Result<()> {
        drop(self.input.take());
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}").into()) }
    }

    fn send(&mut self, lines: &[u8]) -> Result<()> {
        let input = self.input.as_mut().ok_or("the connection is closed")?;
        input.write_all(lines).map_err(|error| format!("sending a request: {error}").into())
    }

    /// Reads up to the next answer; what else a server says on the way is not awaited and not counted.
    fn receive(&mut self) -> Result<()> {
        loop {
            self.answer.clear();
            if self.output.read_line(&mut self.answer)? == 0 {
                return Err("the server closed its output".into());
            }
            ANSWERS.fetch_add(1, Ordering::Relaxed);
            if self.answer.contains(r#""error":{"#) || self.answer.contains(r#""isError":true"#) {
                return Err(format!("the server answered {}", self.answer.trim_end()).into());
            }
            if self.answer.contains(r#""id":"#) && !self.answer.contains(r#""method":"#) {
                return Ok(());
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Only for a connection that was not closed in order; a server that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

static OPEN: AtomicU64 = AtomicU64::new(0);
static ANSWERS: AtomicU64 = AtomicU64::new(0);

/// Ends the program, with a word, when a connection is open and no answer has come for ten minutes: a server that
/// loses a request would otherwise hold it for ever.
pub(crate) fn watch() {
    const PATIENCE: Duration = Duration::from_secs(600);
    std::thread::spawn(|| {
        loop {
            let before = ANSWERS.load(Ordering::Relaxed);
            std::thread::sleep(PATIENCE);
            if OPEN.load(Ordering::Relaxed) > 0 && ANSWERS.load(Ordering::Relaxed) == before {
                eprintln!("no answer for {} s: giving up", PATIENCE.as_secs());
                std::process::exit(2);
            }
        }
    });
}
