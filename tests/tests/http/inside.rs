//! A client in the same process: it hands requests to the service, and reads what comes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body::{Body, Frame};
use mcp_runtime::{Http, HttpBody, Principal};
use serde_json::{Value, json};
use tests::{LEGACY, MODERN, Witness, names};
use tower_service::Service;

/// A request's body, in pieces.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pieces: VecDeque<Bytes>,
    end: End,
}

/// What comes after the last piece of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing.
    #[default]
    Whole,
    /// Nothing, for ever.
    Never,
    /// An error.
    Broken,
}

impl Pieces {
    pub(crate) fn new<P: Into<Bytes>>(pieces: impl IntoIterator<Item = P>, end: End) -> Self {
        Self { pieces: pieces.into_iter().map(Into::into).collect(), end }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match (self.pieces.pop_front(), self.end) {
            (Some(piece), _) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            (None, End::Whole) => Poll::Ready(None),
            (None, End::Never) => Poll::Pending,
            (None, End::Broken) => Poll::Ready(Some(Err(std::io::Error::other("cut off")))),
        }
    }
}

/// A request in the making.
#[derive(Debug)]
pub(crate) struct Asking {
    request: Request<Pieces>,
    witness: Arc<Mutex<Witness>>,
    is_judged: bool,
}

impl Asking {
    /// A request without a header but `Host`.
    pub(crate) fn bare(method: Method) -> Self {
        let request = Request::builder().method(method).uri("/mcp").header("Host", "localhost:3000");
        let request = request.body(Pieces::default()).expect("a request");
        Self { request, witness: Arc::default(), is_judged: true }
    }

    /// A POST with what every client sends, and this text, which need not be a message.
    pub(crate) fn post(text: impl Into<String>) -> Self {
        let asking = Self::bare(Method::POST)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream")
            .body(Pieces::new([text.into()], End::Whole));
        asking.witness.lock().expect("not poisoned").sent_unseen();
        asking
    }

    /// Lets it pass that the server says something again, as it does when it is asked to.
    pub(crate) fn repeatedly(mut self) -> Self {
        self.is_judged = false;
        self
    }

    /// A request of the stateless revision, as it should be.
    pub(crate) fn modern(id: impl Into<Value>, method: &str, params: Value) -> Self {
        Self::modern_with(id, method, params, json!({}))
    }

    /// The same of a client that knows tasks.
    pub(crate) fn with_tasks(id: impl Into<Value>, method: &str, params: Value) -> Self {
        Self::modern_with(id, method, params, json!({ "extensions": { (names::TASKS): {} } }))
    }

    fn modern_with(id: impl Into<Value>, method: &str, mut params: Value, capabilities: Value) -> Self {
        params["_meta"][names::PROTOCOL_VERSION] = MODERN.into();
        params["_meta"][names::CLIENT_CAPABILITIES] = capabilities;
        let name = ["name", "uri", "taskId"].into_iter().find_map(|member| params[member].as_str());
        let name = name.map(ToOwned::to_owned);
        let message = json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params });
        let mut asking = Self::post(message.to_string())
            .header("MCP-Protocol-Version", MODERN)
            .header("Mcp-Method", method);
        asking.witness = Arc::default();
        asking.witness.lock().expect("not poisoned").sent(&message);
        match name {
            Some(name) => asking.header("Mcp-Name", &name),
            None => asking,
        }
    }

    /// Sets a header.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().expect("a header"));
        self
    }

    /// Adds a header to those of its name.
    pub(crate) fn and_header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().append(name, value.parse().expect("a header"));
        self
    }

    /// Leaves a header out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    pub(crate) fn body(mut self, body: Pieces) -> Self {
        *self.request.body_mut() = body;
        self
    }

    /// As this principal, as a layer before the service would say.
    pub(crate) fn by(mut self, principal: &str) -> Self {
        self.request.extensions_mut().insert(Principal::new(principal));
        self
    }

    /// Hands the request over.
    pub(crate) async fn to(self, http: &Http) -> Reply {
        let response = http.clone().call(self.request).await;
        let Ok(response) = response;
        let (parts, body) = response.into_parts();
        let (status, headers) = (parts.status, parts.headers);
        let witness = self.is_judged.then_some(self.witness);
        Reply { status, headers, body, text: String::new(), witness }
    }
}

/// A response, of which as much was read as was asked for.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: HttpBody,
    text: String,
    witness: Option<Arc<Mutex<Witness>>>,
}

/// One event of a stream.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) retry: Option<u64>,
    /// The message, if it has any.
    pub(crate) message: Option<Value>,
}

impl Reply {
    /// What a header says; nothing if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.header("content-type") == "text/event-stream"
    }

    /// The next piece of the body as text; whether there was one.
    async fn read(&mut self) -> bool {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await;
        match frame {
            Some(Ok(frame)) => {
                let data = frame.into_data().expect("data");
                self.text.push_str(std::str::from_utf8(&data).expect("UTF-8"));
                true
            }
            None => false,
        }
    }

    /// The body to its end.
    pub(crate) async fn text(mut self) -> String {
        while self.read().await {}
        self.text
    }

    /// The one message of a body that is JSON.
    pub(crate) async fn json(self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        let witness = self.witness.clone();
        let text = self.text().await;
        let message = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        check(witness.as_deref(), &message);
        message
    }

    /// The code of the error that it is.
    pub(crate) async fn code(self) -> i64 {
        let message = self.json().await;
        message["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {message}"))
    }

    /// The next event; comments are left out. `None` at the end of the stream.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        assert!(self.is_stream(), "{self:?}");
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if block.starts_with(':') {
                    continue;
                }
                return Some(self.read_event(&block));
            }
            if !self.read().await {
                assert_eq!(self.text, "", "the stream ends within an event");
                return None;
            }
        }
    }

    fn read_event(&self, block: &str) -> Event {
        let mut event = Event::default();
        for line in block.lines() {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("id", id) => event.id = Some(id.to_owned()),
                ("retry", retry) => event.retry = Some(retry.parse().expect("milliseconds")),
                ("data", "") => {}
                ("data", data) => {
                    let message =
                        serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
                    check(self.witness.as_deref(), &message);
                    event.message = Some(message);
                }
                other => panic!("this is no line of an event: {other:?}"),
            }
        }
        event
    }

    /// The next message of a stream.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            let event = self.event().await?;
            if event.message.is_some() {
                return event.message;
            }
        }
    }

    /// Waits for a comment.
    pub(crate) async fn comment(&mut self) {
        while !self.text.contains(":\n\n") {
            assert!(self.read().await, "the stream ended without a comment");
        }
    }

    /// All messages, whether they come as a stream or as one body.
    pub(crate) async fn messages_or_json(self) -> Vec<Value> {
        if self.is_stream() { self.messages().await } else { vec![self.json().await] }
    }

    /// All messages of a stream, to its end.
    pub(crate) async fn messages(mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Some(message) = self.message().await {
            messages.push(message);
        }
        messages
    }
}

fn check(witness: Option<&Mutex<Witness>>, message: &Value) {
    let judged = witness.map(|witness| witness.lock().expect("not poisoned").received(message));
    if let Some(Err(wrong)) = judged {
        panic!("the server said what it must not say: {wrong}\nin {message}");
    }
}

/// A client with a session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) version: String,
    principal: Option<String>,
    witness: Arc<Mutex<Witness>>,
}

/// The text of an `initialize` of this revision.
pub(crate) fn initialize(version: &str) -> Value {
    initialize_with(version, json!({}))
}

fn initialize_with(version: &str, capabilities: Value) -> Value {
    let client = json!({ "name": "tests", "version": "0" });
    let params = json!({ "protocolVersion": version, "capabilities": capabilities, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": "open", "method": "initialize", "params": params })
}

impl Session {
    pub(crate) async fn open(http: &Http) -> Self {
        Self::open_as(http, LEGACY, None).await
    }

    /// Of a client with these capabilities.
    pub(crate) async fn open_with(http: &Http, capabilities: Value) -> Self {
        Self::opened(http, initialize_with(LEGACY, capabilities), None).await
    }

    pub(crate) async fn open_as(http: &Http, version: &str, principal: Option<&str>) -> Self {
        Self::opened(http, initialize(version), principal).await
    }

    async fn opened(http: &Http, message: Value, principal: Option<&str>) -> Self {
        let asking = Asking::post(message.to_string());
        let asking = match principal {
            Some(principal) => asking.by(principal),
            None => asking,
        };
        let witness = Arc::new(Mutex::new(Witness::default()));
        witness.lock().expect("not poisoned").sent(&message);
        let asking = Asking { witness: Arc::clone(&witness), ..asking };
        let reply = asking.to(http).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let id = reply.header("mcp-session-id").to_owned();
        assert!(!id.is_empty() && id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{id:?}");
        let version = reply.json().await["result"]["protocolVersion"].as_str().expect("text").to_owned();
        let session = Self { id, version, principal: principal.map(ToOwned::to_owned), witness };
        let reply = session.notify("notifications/initialized", json!({})).to(http).await;
        assert_eq!((reply.status, reply.text().await.as_str()), (StatusCode::ACCEPTED, ""));
        session
    }

    /// What every request of the session has.
    pub(crate) fn of(&self, asking: Asking) -> Asking {
        let mut asking =
            asking.header("Mcp-Session-Id", &self.id).header("MCP-Protocol-Version", &self.version);
        asking.witness = Arc::clone(&self.witness);
        match &self.principal {
            Some(principal) => asking.by(principal),
            None => asking,
        }
    }

    pub(crate) fn ask(&self, id: impl Into<Value>, method: &str, params: Value) -> Asking {
        let message = json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params });
        self.witness.lock().expect("not poisoned").sent(&message);
        self.of(Asking::post(message.to_string()))
    }

    /// Answers a request of the server's.
    pub(crate) fn respond(&self, id: &Value, result: Value) -> Asking {
        let message = json!({ "jsonrpc": "2.0", "id": id, "result": result });
        self.witness.lock().expect("not poisoned").sent(&message);
        self.of(Asking::post(message.to_string()))
    }

    pub(crate) fn notify(&self, method: &str, params: Value) -> Asking {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        self.witness.lock().expect("not poisoned").sent(&message);
        self.of(Asking::post(message.to_string()))
    }

    pub(crate) fn call(&self, id: impl Into<Value>, tool: &str, arguments: Value) -> Asking {
        self.ask(id, "tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// The same, with progress asked for.
    pub(crate) fn call_with_progress(&self, id: impl Into<Value>, tool: &str, arguments: Value) -> Asking {
        let id = id.into();
        let meta = json!({ "progressToken": id });
        self.ask(id, "tools/call", json!({ "name": tool, "arguments": arguments, "_meta": meta }))
    }

    /// Listens.
    pub(crate) fn get(&self) -> Asking {
        self.of(Asking::bare(Method::GET).header("Accept", "text/event-stream"))
    }

    /// Comes back for what followed an event.
    pub(crate) fn resume(&self, last_event: &str) -> Asking {
        self.get().header("Last-Event-ID", last_event)
    }

    pub(crate) fn delete(&self) -> Asking {
        self.of(Asking::bare(Method::DELETE))
    }
}

/// The text of a response's first item.
pub(crate) fn text(response: &Value) -> &str {
    tests::text(&response["result"])
}
