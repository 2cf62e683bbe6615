//! A message a request, on sockets that are kept open. Just enough of HTTP/1.1 to load a server with.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::Duration;

use super::{Request, Wire, is_answer, received};
use crate::Result;

pub(super) struct Http {
    address: String,
    /// The header line of a legacy session, if the server opened one.
    session: String,
    sockets: Vec<Socket>,
}

struct Socket {
    reader: BufReader<TcpStream>,
    out: Vec<u8>,
    body: Vec<u8>,
}

/// A stream that the server has opened and on which it has nothing more to say.
pub(crate) struct Stream(#[expect(dead_code, reason = "it is there to be open")] Socket);

impl Http {
    /// Connects once the child listens.
    pub(super) fn connect(address: &str, child: &mut Child) -> Result<Self> {
        loop {
            if let Ok(socket) = Socket::connect(address) {
                return Ok(Self {
                    address: address.to_owned(),
                    session: String::new(),
                    sockets: vec![socket],
                });
            }
            if let Some(status) = child.try_wait()? {
                return Err(format!("the server ended with {status}").into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn post(&mut self, wire: Wire, request: &Request, id: u64) -> Result<()> {
        let Self { address, session, sockets } = self;
        sockets[0].post(address, session, wire, request, id)
    }

    pub(super) fn receive(&mut self, answer: &mut String) -> Result<()> {
        let session = self.sockets[0].receive(answer)?;
        if let Some(session) = session {
            self.session = session;
        }
        Ok(())
    }

    pub(super) fn notify(&mut self, message: &[u8]) -> Result<()> {
        let Self { address, session, sockets } = self;
        sockets[0].notify(address, session, message)
    }

    pub(super) fn stream(
        &mut self,
        wire: Wire,
        first_id: u64,
        count: u32,
        window: u32,
        request: &Request,
    ) -> Result<Vec<String>> {
        while self.sockets.len() < window as usize {
            self.sockets.push(Socket::connect(&self.address)?);
        }
        let (mut ids, mut answers) =
            (first_id..first_id + u64::from(count), Vec::with_capacity(count as usize));
        let mut answer = String::new();
        while answers.len() < count as usize {
            let Self { address, session, sockets } = &mut *self;
            let mut asked = 0;
            for (socket, id) in sockets.iter_mut().zip(&mut ids) {
                socket.post(address, session, wire, request, id)?;
                asked += 1;
            }
            for socket in &mut sockets[..asked] {
                socket.receive(&mut answer)?;
                answers.push(answer.clone());
            }
        }
        Ok(answers)
    }

    pub(super) fn idle_stream(&self, wire: Wire, id: u64) -> Result<Stream> {
        let Self { address, .. } = self;
        let mut socket = Socket::connect(address)?;
        match wire {
            Wire::Legacy => {
                let client = r#""protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"benches","version":"0.0.0"}"#;
                socket.post(address, "", wire, &Request::new("initialize", client), id)?;
                let session = socket.receive(&mut String::new())?.ok_or("the server opened no session")?;
                socket.notify(address, &session, super::INITIALIZED)?;
                socket.out.clear();
                write!(
                    socket.out,
                    "GET /mcp HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\
                     MCP-Protocol-Version: 2025-11-25\r\n{session}\r\n"
                )?;
                socket.reader.get_mut().write_all(&socket.out)?;
                socket.head()?;
            }
            Wire::Modern => {
                let filter = r#""notifications":{"toolsListChanged":true}"#;
                socket.post(address, "", wire, &Request::new("subscriptions/listen", filter), id)?;
                socket.head()?;
                // The first event is the acknowledgement, after which there is only silence.
                let mut line = String::new();
                while !line.contains("notifications/subscriptions/acknowledged") {
                    line.clear();
                    if socket.reader.read_line(&mut line)? == 0 {
                        return Err("the stream ended before it was acknowledged".into());
                    }
                }
            }
        }
        // The rooms of a client that waits need not be as large as those of one that works.
        Ok(Stream(Socket { out: Vec::new(), body: Vec::new(), ..socket }))
    }
}

/// What the head of a response says.
struct Head {
    status: u16,
    is_stream: bool,
    length: Option<usize>,
    session: Option<String>,
}

impl Socket {
    fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { reader: BufReader::with_capacity(1 << 12, stream), out: Vec::new(), body: Vec::new() })
    }

    /// Sends a request, head and body in one write.
    fn post(&mut self, address: &str, session: &str, wire: Wire, request: &Request, id: u64) -> Result<()> {
        self.body.clear();
        request.write(wire, id, &mut self.body);
        let length = self.body.len();
        self.out.clear();
        write!(
            self.out,
            "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {length}\r\n"
        )?;
        match wire {
            // The first request of a session is the one that settles the version.
            Wire::Legacy if request.method == "initialize" => (),
            Wire::Legacy => write!(self.out, "MCP-Protocol-Version: 2025-11-25\r\n{session}")?,
            Wire::Modern => {
                write!(self.out, "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {}\r\n", request.method)?;
                if let Some(name) = &request.name {
                    write!(self.out, "Mcp-Name: {name}\r\n")?;
                }
            }
        }
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(&self.body);
        self.reader
            .get_mut()
            .write_all(&self.out)
            .map_err(|error| format!("sending a request: {error}").into())
    }

    fn notify(&mut self, address: &str, session: &str, message: &[u8]) -> Result<()> {
        let length = message.len();
        self.out.clear();
        write!(
            self.out,
            "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {length}\r\n\
             MCP-Protocol-Version: 2025-11-25\r\n{session}\r\n"
        )?;
        self.out.extend_from_slice(message);
        self.reader.get_mut().write_all(&self.out)?;
        let head = self.head()?;
        self.read_body(&head)
    }

    /// Reads a whole response, and takes the answer out of it. Gives the header line of the session that it opened.
    fn receive(&mut self, answer: &mut String) -> Result<Option<String>> {
        let head = self.head()?;
        self.read_body(&head)?;
        let body = std::str::from_utf8(&self.body)?;
        answer.clear();
        if head.is_stream {
            let events = body.lines().filter_map(|line| line.strip_prefix("data:"));
            answer.push_str(events.map(str::trim_start).rfind(|data| is_answer(data)).unwrap_or_default());
        } else {
            answer.push_str(body);
        }
        received(answer)?;
        if !is_answer(answer) {
            return Err(format!("no answer, but {} and {body:?}", head.status).into());
        }
        Ok(head.session)
    }

    fn head(&mut self) -> Result<Head> {
        let mut head = Head { status: 0, is_stream: false, length: Some(0), session: None };
        let mut line = String::new();
        loop {
            line.clear();
            if self.reader.read_line(&mut line)? == 0 {
                return Err("the server closed the connection".into());
            }
            let text = line.trim_end();
            if head.status == 0 {
                head.status = text.split(' ').nth(1).ok_or("no status line")?.parse()?;
                continue;
            }
            let Some((name, value)) = text.split_once(':') else { break };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Some(value.parse()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.length = None;
            } else if name.eq_ignore_ascii_case("content-type") {
                head.is_stream = value.starts_with("text/event-stream");
            } else if name.eq_ignore_ascii_case("mcp-session-id") {
                head.session = Some(format!("Mcp-Session-Id: {value}\r\n"));
            }
        }
        if (200..300).contains(&head.status) {
            return Ok(head);
        }
        self.read_body(&head)?;
        Err(format!("status {}: {}", head.status, String::from_utf8_lossy(&self.body)).into())
    }

    /// Reads the body to its end, so that the socket can be used again.
    fn read_body(&mut self, head: &Head) -> Result<()> {
        self.body.clear();
        if let Some(length) = head.length {
            self.body.resize(length, 0);
            self.reader.read_exact(&mut self.body)?;
            return Ok(());
        }
        let mut line = String::new();
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim_end().split(';').next().unwrap_or_default(), 16)
                .map_err(|_| format!("no size of a chunk, but {line:?}"))?;
            let start = self.body.len();
            self.body.resize(start + size + 2, 0);
            self.reader.read_exact(&mut self.body[start..])?;
            self.body.truncate(start + size);
            if size == 0 {
                return Ok(());
            }
        }
    }
}
