//! The client's end: starts a server, shakes hands on either wire, and speaks in raw bytes, so that the load costs little
//! beside what it loads.

mod http;
mod pipes;

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Result;
use http::Http;
use pipes::Pipes;

pub(crate) use http::Stream;

/// Which revision family of the protocol a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wire {
    /// `initialize`, then requests.
    Legacy,
    /// Everything in each request's `_meta`; the client declares the tasks extension.
    Modern,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Door {
    /// Its standard streams, a message a line.
    Pipes,
    /// Streamable HTTP at this address, a message a request.
    Http(String),
}

/// `_meta` of the stateless revision, but for its closing brace.
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"benches","version":"0.0.0"},"io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;

/// One request, but for its id: the method, and the members of `params` without their braces.
pub(crate) struct Request {
    method: &'static str,
    params: String,
    /// What HTTP repeats of `params` in `Mcp-Name`, for the methods that have such a thing.
    name: Option<String>,
    wants_progress: bool,
}

impl Request {
    pub(crate) fn new(method: &'static str, params: impl Into<String>) -> Self {
        Self { method, params: params.into(), name: None, wants_progress: false }
    }

    pub(crate) fn call(tool: &str, arguments: &str) -> Self {
        Self::new("tools/call", format!(r#""name":"{tool}","arguments":{arguments}"#)).named(tool)
    }

    pub(crate) fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// The same, with a token for progress.
    pub(crate) fn with_progress(self) -> Self {
        Self { wants_progress: true, ..self }
    }

    fn write(&self, wire: Wire, id: u64, out: &mut Vec<u8>) {
        let Self { method, params, .. } = self;
        let meta = match (wire, self.wants_progress) {
            (Wire::Legacy, false) => &[][..],
            (Wire::Legacy, true) => &[r#""_meta":{"progressToken":7}"#],
            (Wire::Modern, false) => &[META, "}"],
            (Wire::Modern, true) => &[META, r#","progressToken":7}"#],
        };
        let head = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"#);
        let comma = if meta.is_empty() || params.is_empty() { "" } else { "," };
        for part in std::iter::once(head.as_str()).chain(meta.iter().copied()).chain([comma, params, "}}"]) {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

/// A running server and the way to it.
pub(crate) struct Connection {
    child: Child,
    way: Way,
    wire: Wire,
    next_id: u64,
    answer: String,
}

enum Way {
    Pipes(Pipes),
    Http(Http),
}

impl Connection {
    /// Starts `command` and shakes hands.
    pub(crate) fn open(mut command: Command, door: &Door, wire: Wire) -> Result<Self> {
        if *door == Door::Pipes {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        } else {
            command.stdin(Stdio::null()).stdout(Stdio::null());
        }
        let mut child = command
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("starting {command:?}: {error}"))?;
        OPEN.fetch_add(1, Ordering::Relaxed);
        let way = match door {
            Door::Pipes => Pipes::of(&mut child).map(Way::Pipes),
            Door::Http(address) => Http::connect(address, &mut child).map(Way::Http),
        };
        let way = way.inspect_err(|_| {
            let _ = child.kill();
            let _ = child.wait();
            OPEN.fetch_sub(1, Ordering::Relaxed);
        })?;
        let mut connection = Self { child, way, wire, next_id: 0, answer: String::new() };
        match wire {
            Wire::Legacy => {
                let client = r#""protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"benches","version":"0.0.0"}"#;
                connection.ask(&Request::new("initialize", client))?;
                match &mut connection.way {
                    Way::Pipes(pipes) => pipes.send(&[INITIALIZED, b"\n"].concat())?,
                    Way::Http(http) => http.notify(INITIALIZED)?,
                }
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
        let id = self.next_id;
        self.next_id += 1;
        match &mut self.way {
            Way::Pipes(pipes) => {
                let mut line = Vec::new();
                request.write(self.wire, id, &mut line);
                line.push(b'\n');
                pipes.send(&line)?;
                pipes.receive(&mut self.answer)?;
            }
            Way::Http(http) => {
                http.post(self.wire, request, id)?;
                http.receive(&mut self.answer)?;
            }
        }
        Ok(&self.answer)
    }

    /// Sends the same request `count` times, one in flight.
    pub(crate) fn repeat(&mut self, request: &Request, count: u32) -> Result<()> {
        (0..count).try_for_each(|_| self.ask(request).map(drop))
    }

    /// Sends the same request `count` times with `window` in flight, and gives the answers. Over HTTP there are as many
    /// sockets, which take turns.
    pub(crate) fn stream(&mut self, count: u32, window: u32, request: &Request) -> Result<Vec<String>> {
        let answers = match &mut self.way {
            Way::Pipes(pipes) => pipes.stream(self.wire, self.next_id, count, window, request),
            Way::Http(http) => http.stream(self.wire, self.next_id, count, window, request),
        };
        self.next_id += u64::from(count);
        answers
    }

    /// Opens a stream of its own that stays: `subscriptions/listen`, or a new session and its GET stream.
    pub(crate) fn idle_stream(&mut self, wire: Wire) -> Result<Stream> {
        let id = self.next_id;
        self.next_id += 1;
        match &self.way {
            Way::Pipes(_) => Err("pipes have no streams".into()),
            Way::Http(http) => http.idle_stream(wire, id),
        }
    }

    /// Ends the server, by closing its input or by asking it to, and waits until it has ended, so that what watches it
    /// can write its report.
    pub(crate) fn close(mut self) -> Result<()> {
        match &mut self.way {
            Way::Pipes(pipes) => pipes.end(),
            Way::Http(_) => {
                Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
            }
        }
        let status = self.child.wait()?;
        // A server on a socket may well have nothing to say to SIGTERM but to end by it.
        if status.success() || matches!(self.way, Way::Http(_)) {
            Ok(())
        } else {
            Err(format!("the server ended with {status}").into())
        }
    }
}

const INITIALIZED: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Checks and counts an answer.
fn received(answer: &str) -> Result<()> {
    ANSWERS.fetch_add(1, Ordering::Relaxed);
    if answer.contains(r#""error":{"#) || answer.contains(r#""isError":true"#) {
        return Err(format!("the server answered {}", answer.trim_end()).into());
    }
    Ok(())
}

/// Whether a message is an answer, not a notification.
fn is_answer(message: &str) -> bool {
    message.contains(r#""id":"#) && !message.contains(r#""method":"#)
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
