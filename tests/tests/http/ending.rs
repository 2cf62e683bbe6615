//! How a server goes away.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use serde_json::json;
use tests::MODERN;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower_service::Service;

use crate::inside::{Asking, Session, text};
use crate::raw::modern;
use crate::tools::server;

#[tokio::test]
async fn streams_end_and_calls_are_finished() {
    let (service, gates) = server();
    let http = service.http();
    let session = Session::open(&http).await;
    let mut heard = session.get().to(&http).await;
    let listen = Asking::modern(7, "subscriptions/listen", json!({ "notifications": {} }));
    let mut listening = listen.to(&http).await;
    listening.message().await.expect("the acknowledgement");
    let calls = [
        session.call(1, "brood", json!({ "gate": "a" })),
        Asking::modern(2, "tools/call", json!({ "name": "brood", "arguments": { "gate": "b" } })),
    ];
    let calls = calls.map(|call| {
        let http = http.clone();
        tokio::spawn(async move { call.to(&http).await.json().await })
    });
    gates.passed("a-reached").await;
    gates.passed("b-reached").await;
    let stopping = tokio::spawn({
        let http = http.clone();
        async move { http.shut_down().await }
    });
    assert_eq!(heard.event().await, None);
    let last = listening.message().await.expect("a last notification");
    assert_eq!(
        (&last["method"], &last["params"]["requestId"]),
        (&json!("notifications/cancelled"), &json!(7))
    );
    let answer = listening.message().await.expect("the answer that ends it");
    assert_eq!((&answer["id"], &answer["result"]["resultType"]), (&json!(7), &json!("complete")));
    assert_eq!(listening.event().await, None);
    let late = Asking::modern(3, "server/discover", json!({})).to(&http).await;
    assert_eq!(late.status, 503);
    gates.open("a");
    gates.open("b");
    for call in calls {
        assert!(text(&call.await.expect("no panic")).starts_with("passed"));
    }
    stopping.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_is_given_up() {
    let (service, gates) = server();
    let http = service.http().drain(Duration::from_secs(5));
    let call = Asking::modern(1, "tools/call", json!({ "name": "brood", "arguments": { "gate": "a" } }));
    let call = tokio::spawn({
        let http = http.clone();
        async move { call.to(&http).await.status }
    });
    gates.passed("a-reached").await;
    http.shut_down().await;
    gates.passed("a-left").await;
    assert_ne!(call.await.expect("no panic"), 200);
}

/// A body that is sent when somebody says so.
struct Late(oneshot::Receiver<Bytes>);

impl Body for Late {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.0.is_terminated() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.0).poll(cx).map(|body| body.ok().map(|body| Ok(Frame::data(body))))
    }
}

#[tokio::test]
async fn a_request_that_arrives_when_the_server_has_stopped_is_not_begun() {
    let mut http = server().0.http();
    let (send, body) = oneshot::channel();
    let request = Request::post("/mcp")
        .header("Host", "localhost")
        .header("Content-Type", "application/json")
        .header("MCP-Protocol-Version", MODERN)
        .header("Mcp-Method", "subscriptions/listen")
        .body(Late(body))
        .expect("a request");
    let reply = tokio::spawn(http.call(request));
    tokio::task::yield_now().await;
    http.shut_down().await;
    send.send(modern(7, "subscriptions/listen", json!({ "notifications": {} })).into()).expect("it is read");
    let Ok(reply) = reply.await.expect("no panic");
    assert_eq!(reply.status(), 503);
}

/// A connection on which a subscription was opened.
async fn subscribed(listener: &std::net::SocketAddr) -> TcpStream {
    let connection = TcpStream::connect(listener).await.expect("it listens");
    let body = modern(7, "subscriptions/listen", json!({ "notifications": {} }));
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         MCP-Protocol-Version: {MODERN}\r\nMcp-Method: subscriptions/listen\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.writable().await.expect("it is open");
    let message = head + &body;
    assert_eq!(connection.try_write(message.as_bytes()).expect("it is written"), message.len());
    let mut said = String::new();
    while !said.contains("acknowledged") {
        said.push_str(&read(&connection).await.expect("it goes on"));
    }
    connection
}

/// What comes next; nothing at the end.
async fn read(connection: &TcpStream) -> Option<String> {
    let mut bytes = [0; 4096];
    loop {
        connection.readable().await.expect("a socket");
        match connection.try_read(&mut bytes) {
            Ok(0) => return None,
            Ok(count) => return Some(String::from_utf8_lossy(&bytes[..count]).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}

#[tokio::test]
async fn who_drops_a_server_drops_every_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(server().0.http().serve(listener, std::future::pending()));
    let connection = subscribed(&address).await;
    serving.abort();
    while read(&connection).await.is_some() {}
}
