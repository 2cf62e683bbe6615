//! The server that is driven, and how it is asked.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::{Buf, Bytes};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use mcp_runtime::Http;
use mcp_runtime::prelude::*;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

/// Add two integers.
#[tool]
async fn add(
    /// The first term.
    #[arg(header = "First")]
    a: i64,
    /// The second term.
    b: i64,
) -> i64 {
    a + b
}

/// Tell something on the way.
#[tool]
async fn tell(
    /// What to tell.
    text: String,
    cx: Context,
) -> String {
    cx.progress(1, 2, &text);
    text
}

/// Take its time.
#[tool(task)]
async fn work_on(
    /// How much.
    #[arg(range(0..=3))]
    steps: u8,
) -> u8 {
    for _ in 0..steps {
        tokio::task::yield_now().await;
    }
    steps
}

/// What an answer was, as far as it had come when nothing more came.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The messages in it. Whatever a server says is JSON-RPC.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let text = std::str::from_utf8(&self.body).expect("an answer is text");
        let is_stream = self
            .headers
            .get("content-type")
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let read =
            |text: &str| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text:?}"));
        if is_stream {
            let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start);
            return data.filter(|data| !data.is_empty()).map(read).collect();
        }
        if text.is_empty() { Vec::new() } else { vec![read(text)] }
    }
}

/// How many inputs share a server. Each has sessions of its own, but tasks are kept.
const INPUTS: u32 = 256;

/// Runs something on a server, over an HTTP service that is there for it alone.
pub(crate) fn with_server(work: impl AsyncFnOnce(Http)) {
    thread_local! {
        static SERVER: RefCell<Option<(Runtime, mcp_runtime::Service, u32)>> = const { RefCell::new(None) };
    }
    SERVER.with_borrow_mut(|kept| {
        let (runtime, service, inputs) =
            kept.take().filter(|(_, _, inputs)| *inputs < INPUTS).unwrap_or_else(|| {
                let server = Server::new("fuzzed", "0.0.0").tools(tools![add, tell, work_on]);
                let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
                (runtime, server.build().expect("the server is right"), 0)
            });
        runtime.block_on(work(service.http()));
        // Not kept if it panicked.
        *kept = Some((runtime, service, inputs + 1));
    });
}

/// Sends a request and reads what comes of it: all of it, or as much as comes without being waited for.
pub(crate) async fn ask(http: &Http, request: Request<Bytes>) -> Answer {
    /// A stream that has said nothing for so many turns has nothing to say.
    const PATIENCE: u32 = 64;
    let mut http = http.clone();
    let response = http.call(request.map(Full::new)).await.expect("the service does not fail");
    let (parts, body) = response.into_parts();
    assert!(parts.status.as_u16() < 500, "the server is at fault: {}", parts.status);
    let (mut body, mut read, mut turns) = (pin!(body), Vec::new(), 0);
    while turns < PATIENCE {
        let mut frame = pin!(body.frame());
        match poll_fn(|cx| Poll::Ready(frame.as_mut().poll(cx))).await {
            Poll::Ready(None) => break,
            Poll::Ready(Some(frame)) => {
                let frame = frame.unwrap_or_else(|error| match error {});
                if let Ok(mut data) = frame.into_data() {
                    read.extend_from_slice(&data.copy_to_bytes(data.remaining()));
                }
            }
            Poll::Pending => {
                turns += 1;
                tokio::task::yield_now().await;
            }
        }
    }
    Answer { status: parts.status, headers: parts.headers, body: read.into() }
}

/// A POST with the headers that every client sends, and these.
pub(crate) fn post(headers: &[(&str, &[u8])], body: impl Into<Bytes>) -> Request<Bytes> {
    let mut request = Request::post("/mcp")
        .header("host", "127.0.0.1:8080")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).expect("the headers are headers")
}

/// Opens a session of this revision; gives its id.
pub(crate) async fn initialize(http: &Http, version: &str) -> Vec<u8> {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{version}","capabilities":{{}},"clientInfo":{{"name":"fuzz","version":"0"}}}}}}"#
    );
    let answer = ask(http, post(&[], body)).await;
    answer.headers.get("mcp-session-id").expect("a session").as_bytes().to_vec()
}
