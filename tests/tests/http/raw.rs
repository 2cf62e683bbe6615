//! The fixture as a process that listens, and a client that writes and reads bytes on a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tests::{MODERN, names, wait_for_exit};

/// How long anything may take before it counts as hanging. No test measures time by it.
const DEADLINE: Duration = Duration::from_secs(60);

/// The fixture over HTTP. Dropping it ends it.
pub(crate) struct Fixture {
    child: Child,
    pub(crate) address: String,
}

impl Fixture {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fixture"))
            .args(["--http", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the fixture starts");
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        errors.read_line(&mut line).expect("text");
        let url = line.trim().strip_prefix("listening on http://").expect("it says where it listens");
        let address = url.strip_suffix("/mcp").expect("the endpoint").to_owned();
        std::thread::spawn(move || errors.lines().map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        Self { child, address }
    }

    pub(crate) fn connect(&self) -> Raw {
        let stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket has timeouts");
        stream.set_nodelay(true).expect("a socket has TCP_NODELAY");
        Raw { stream, buffer: Vec::new(), host: self.address.clone() }
    }

    /// Waits until a gate is open.
    pub(crate) fn pass_gate(&self, gate: &str) {
        let reply = self.connect().call(1, "pass", &json!({ "gate": gate }));
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    pub(crate) fn open_gate(&self, gate: &str) {
        let reply = self.connect().call(1, "open", &json!({ "gate": gate }));
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// Whether it still answers.
    pub(crate) fn is_well(&self) -> bool {
        self.connect().call(1, "add", &json!({ "a": 1, "b": 2 })).body.contains("\"3\"")
    }

    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status().expect("there is `kill`");
        assert!(status.success());
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        wait_for_exit(&mut self.child)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    #[allow(dead_code, reason = "told when something is wrong")]
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A connection.
pub(crate) struct Raw {
    stream: TcpStream,
    buffer: Vec<u8>,
    host: String,
}

/// The text of a request of the stateless revision.
pub(crate) fn modern(id: i64, method: &str, params: Value) -> String {
    modern_with(id, method, params, json!({}))
}

fn modern_with(id: i64, method: &str, mut params: Value, capabilities: Value) -> String {
    params["_meta"][names::PROTOCOL_VERSION] = MODERN.into();
    params["_meta"][names::CLIENT_CAPABILITIES] = capabilities;
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

impl Raw {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// Sends as much as the server takes.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The head of a POST, with these headers beside those that every request has.
    pub(crate) fn head(&self, headers: &str) -> String {
        format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n{headers}\r\n",
            self.host
        )
    }

    /// Sends a request of the stateless revision.
    pub(crate) fn begin(&mut self, id: i64, method: &str, params: Value) {
        self.begin_with(id, method, params, json!({}));
    }

    /// The same of a client that knows tasks, and can be asked.
    #[cfg(unix)]
    pub(crate) fn begin_as_task(&mut self, id: i64, method: &str, params: Value) {
        let capabilities = json!({ "elicitation": {}, "extensions": { (names::TASKS): {} } });
        self.begin_with(id, method, params, capabilities);
    }

    fn begin_with(&mut self, id: i64, method: &str, params: Value, capabilities: Value) {
        let name = ["name", "taskId"].into_iter().find_map(|member| params[member].as_str());
        let name = name.map(|name| format!("Mcp-Name: {name}\r\n")).unwrap_or_default();
        let body = modern_with(id, method, params, capabilities);
        let headers = format!(
            "MCP-Protocol-Version: {MODERN}\r\nMcp-Method: {method}\r\n{name}Content-Length: {}\r\n",
            body.len()
        );
        let head = self.head(&headers);
        self.send(format!("{head}{body}").as_bytes());
    }

    pub(crate) fn begin_call(&mut self, id: i64, tool: &str, arguments: &Value) {
        let meta = json!({ "progressToken": id });
        self.begin(id, "tools/call", json!({ "name": tool, "arguments": arguments, "_meta": meta }));
    }

    pub(crate) fn call(&mut self, id: i64, tool: &str, arguments: &Value) -> Response {
        self.begin_call(id, tool, arguments);
        self.response()
    }

    /// Reads the head of a response.
    pub(crate) fn response_head(&mut self) -> (u16, String) {
        let head = self.until("\r\n\r\n").expect("a response");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, head.to_ascii_lowercase())
    }

    /// Reads a whole response.
    pub(crate) fn response(&mut self) -> Response {
        let (status, head) = self.response_head();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = if let Some(length) = length {
            let length = length.trim().parse().expect("a number");
            String::from_utf8(self.exactly(length)).expect("UTF-8")
        } else if head.contains("transfer-encoding: chunked") {
            let mut body = String::new();
            while let Some(chunk) = self.chunk() {
                body.push_str(&chunk);
            }
            body
        } else {
            String::new()
        };
        Response { status, head, body }
    }

    /// The next chunk of a stream; `None` at its end.
    pub(crate) fn chunk(&mut self) -> Option<String> {
        let length = self.until("\r\n").expect("a chunk");
        let length = usize::from_str_radix(length.trim(), 16).expect("a length");
        let chunk = self.exactly(length);
        self.exactly(2);
        (length > 0).then(|| String::from_utf8(chunk).expect("UTF-8"))
    }

    /// Reads up to this text, and leaves it out; `None` if the server closed the connection before.
    fn until(&mut self, end: &str) -> Option<String> {
        loop {
            let found = self.buffer.windows(end.len()).position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let text = self.buffer.drain(..at + end.len()).take(at).collect();
                return Some(String::from_utf8(text).expect("UTF-8"));
            }
            if !self.read() {
                return None;
            }
        }
    }

    fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.read(), "the server closed the connection in the middle of a response");
        }
        self.buffer.drain(..count).collect()
    }

    fn read(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        let count = self.stream.read(&mut chunk).expect("something comes, or the end");
        self.buffer.extend_from_slice(&chunk[..count]);
        count > 0
    }

    /// Whether the server has closed the connection, waiting until it says something or does.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && !self.read()
    }

    /// Closes the client's side for good.
    pub(crate) fn close(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
