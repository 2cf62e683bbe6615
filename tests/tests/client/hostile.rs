//! Servers that do not keep to the protocol: nothing hangs, nothing is done twice, and nothing panics.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mcp_runtime::client::{Client, Error, Revisions};
use serde_json::{Value, json};

use crate::scripted::{Said, Scripted};
use crate::{Asked, answering, asked};

/// What a server of the stateless protocol says of itself.
fn discovered(message: &Value) -> Option<Said> {
    (message["method"] == "server/discover").then(|| {
        let result = json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"],
            "capabilities": { "extensions": { "io.modelcontextprotocol/tasks": {} } },
            "ttlMs": 0, "cacheScope": "private",
        });
        Said::result(message, &result)
    })
}

async fn client_of(server: &Scripted) -> Client {
    Client::http(&server.url).revisions(Revisions::Modern).connect().await.expect("a server")
}

#[tokio::test]
async fn a_server_that_needs_input_and_does_not_say_which_is_not_called_again() {
    let server = Scripted::start(|message| {
        discovered(message)
            .or_else(|| Some(Said::result(message, &json!({ "resultType": "input_required" }))))
    })
    .await;
    let called = client_of(&server).await.call_tool("pay", json!({})).await;
    assert!(matches!(called, Err(Error::Malformed(_))), "{called:?}");
    assert_eq!(server.heard(Some("tools/call")).len(), 1);
}

#[tokio::test]
async fn a_result_of_an_unknown_type_is_none() {
    let server = Scripted::start(|message| {
        let task = json!({ "resultType": "task", "taskId": "1", "status": "working" });
        discovered(message).or_else(|| Some(Said::result(message, &task)))
    })
    .await;
    let client = client_of(&server).await;
    for answered in [client.get_prompt("p", json!({})).await, client.read_resource("file:///a").await] {
        assert!(
            matches!(&answered, Err(Error::Malformed(what)) if what.contains("\"task\"")),
            "{answered:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_interval_without_reason_neither_floods_nor_stops_the_client() {
    for interval in [json!(0), json!(1e300), json!(u64::MAX), json!(-1)] {
        let polled = std::sync::atomic::AtomicU64::new(0);
        let asks = interval.clone();
        let server = Scripted::start(move |message| {
            let status = match message["method"].as_str() {
                Some("subscriptions/listen") => {
                    return Some(Said::error(message, 404, &json!({ "code": -32601, "message": "no" })));
                }
                Some("tasks/get") if polled.fetch_add(1, Ordering::SeqCst) > 0 => "completed",
                _ => "working",
            };
            let result_type = if message["method"] == "tools/call" { "task" } else { "complete" };
            let task = json!({
                "resultType": result_type, "taskId": "1", "status": status, "pollIntervalMs": asks,
                "createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:00Z", "ttlMs": null,
                "result": { "resultType": "complete", "content": [] },
            });
            discovered(message).or_else(|| Some(Said::result(message, &task)))
        })
        .await;
        let result = client_of(&server).await.call_tool("slow", json!({})).await;
        assert!(result.is_ok(), "{interval}: {result:?}");
        assert_eq!(server.heard(Some("tasks/get")).len(), 2, "{interval}");
    }
}

#[tokio::test]
async fn a_server_of_the_stateless_protocol_gets_no_answers_to_requests() {
    let server = Scripted::start(|message| {
        discovered(message).or_else(|| {
            let asks = json!({ "jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage",
                "params": { "messages": [], "maxTokens": 1 } });
            let result = json!({ "resultType": "complete", "content": [] });
            let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
            let body = format!("data: {asks}\n\ndata: {answer}\n\n");
            Some(Said { status: 200, headers: "content-type: text/event-stream\r\n", body })
        })
    })
    .await;
    let questions = Asked::default();
    let client = answering(Client::http(&server.url), &questions).connect().await.expect("a server");
    for _ in 0..2 {
        client.call_tool("ask", json!({})).await.expect("a result");
    }
    assert!(asked(&questions).is_empty() && server.heard(None).is_empty(), "{questions:?}");
}

#[tokio::test]
async fn a_session_of_a_server_that_has_none_is_not_believed() {
    let server = Scripted::start(|message| match discovered(message) {
        Some(said) => {
            Some(Said { headers: "content-type: application/json\r\nmcp-session-id: 1\r\n", ..said })
        }
        // With a session, this would be that it is over.
        None => Some(Said::error(message, 404, &json!({ "code": -32601, "message": "no such method" }))),
    })
    .await;
    let client = client_of(&server).await;
    let refused = client.request("other/method", json!({})).await;
    assert_eq!(refused.err().and_then(|error| error.code()), Some(-32601));
    assert_eq!(server.heard(Some("other/method")).len(), 1);
}

#[tokio::test]
async fn a_server_that_does_not_answer_the_end_of_the_handshake_is_no_server() {
    let server = Scripted::start(|message| match message["method"].as_str() {
        Some("initialize") => {
            let result = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {} });
            Some(Said::result(message, &result))
        }
        _ => None,
    })
    .await;
    let connect = Client::http(&server.url).revisions(Revisions::Legacy);
    let silent = connect.request_timeout(Duration::from_millis(50)).connect().await;
    assert!(matches!(silent, Err(Error::TimedOut(_))), "{silent:?}");
}

#[tokio::test]
async fn a_server_that_was_old_and_is_new_now_is_spoken_to_as_it_is() {
    static IS_NEW: AtomicBool = AtomicBool::new(false);
    let server = Scripted::start(|message| {
        let is_new = IS_NEW.load(Ordering::SeqCst);
        let no = |status| Some(Said::error(message, status, &json!({ "code": -32600, "message": "no" })));
        match message["method"].as_str() {
            Some("server/discover") if is_new => discovered(message),
            Some("initialize") if !is_new => {
                let result = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {} });
                Some(Said::result(message, &result))
            }
            Some("notifications/initialized") => Some(Said::nothing()),
            Some("tools/call") if is_new => Some(Said::result(message, &json!({ "content": [] }))),
            _ => no(400),
        }
    })
    .await;
    let client = Client::http(&server.url).connect().await.expect("a server");
    assert_eq!(client.protocol_version().await.expect("it is settled"), "2025-11-25");
    IS_NEW.store(true, Ordering::SeqCst);
    client.clone().close().await;
    client.call_tool("any", json!({})).await.expect("a result");
    assert_eq!(client.protocol_version().await.expect("it is settled"), "2026-07-28");
}
