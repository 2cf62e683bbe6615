//! Clients of every revision at one endpoint.

use http::Method;
use mcp_runtime::Http;
use serde_json::{Value, json};

use crate::inside::{Asking, Session, initialize, text};
use crate::tools::server;

fn http() -> Http {
    server().0.http()
}

fn ping() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })
}

#[tokio::test]
async fn a_request_of_the_stateless_revision_needs_nothing_before_it() {
    let reply = Asking::modern(1, "tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }))
        .header("Mcp-Session-Id", "of-somebody-else")
        .header("Last-Event-ID", "1-1")
        .to(&http())
        .await;
    assert_eq!((reply.status.as_u16(), reply.header("mcp-session-id")), (200, ""));
    assert_eq!(text(&reply.json().await), "3");
}

#[tokio::test]
async fn a_client_that_opens_with_initialize_has_a_session() {
    let http = http();
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let session = Session::open_as(&http, version, None).await;
        assert_eq!(session.version, version);
        let reply = session.call(1, "add", json!({ "a": 1, "b": 2 })).to(&http).await;
        assert_eq!(text(&reply.json().await), "3");
    }
}

/// The version header came with 2025-06-18, and some clients send it with `initialize` already.
#[tokio::test]
async fn initialize_is_understood_with_and_without_the_version_header() {
    let http = http();
    let message = initialize("2025-11-25").to_string();
    let plain = Asking::post(message.clone()).to(&http).await;
    let named = Asking::post(message.clone())
        .header("MCP-Protocol-Version", "2025-11-25")
        .header("Mcp-Method", "initialize")
        .to(&http)
        .await;
    for reply in [plain, named] {
        assert_eq!(reply.status, 200);
        assert_ne!(reply.header("mcp-session-id"), "");
    }
    let modern = Asking::modern(1, "initialize", json!({ "protocolVersion": "2025-11-25" })).to(&http).await;
    assert_eq!((modern.status.as_u16(), modern.code().await), (404, -32601));
}

#[tokio::test]
async fn a_session_needs_no_version_header() {
    let http = http();
    let session = Session::open_as(&http, "2025-03-26", None).await;
    let reply = session.ask(1, "ping", json!({})).without("MCP-Protocol-Version").to(&http).await;
    assert_eq!(reply.json().await["result"], json!({}));
}

#[tokio::test]
async fn what_is_of_no_era_is_told_what_is_missing() {
    let reply = Asking::post(ping().to_string()).to(&http()).await;
    assert_eq!((reply.status.as_u16(), reply.code().await), (400, -32602));
    let reply =
        Asking::post(ping().to_string()).header("MCP-Protocol-Version", "2025-11-25").to(&http()).await;
    assert_eq!((reply.status.as_u16(), reply.code().await), (400, -32600), "a session is missing");
}

#[tokio::test]
async fn without_sessions_every_request_of_any_revision_stands_alone() {
    let http = http().sessionless();
    let reply = Asking::post(initialize("2025-11-25").to_string()).to(&http).await;
    assert_eq!((reply.status.as_u16(), reply.header("mcp-session-id")), (200, ""));
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "add", "arguments": { "a": 1, "b": 2 } } });
    for version in [None, Some("2025-06-18"), Some("2025-11-25")] {
        let asking = Asking::post(call.to_string());
        let asking = match version {
            Some(version) => asking.header("MCP-Protocol-Version", version),
            None => asking,
        };
        let reply = asking.to(&http).await;
        assert_eq!(reply.status, 200);
        assert!(reply.text().await.contains("\"text\":\"3\""));
    }
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(Asking::post(initialized.to_string()).to(&http).await.status, 202);
    for method in [Method::GET, Method::DELETE] {
        let reply = Asking::bare(method).header("Accept", "text/event-stream").to(&http).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "POST"));
    }
}

#[tokio::test]
async fn the_stateless_revision_knows_nothing_but_post() {
    let http = http();
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::OPTIONS] {
        let reply = Asking::bare(method).header("MCP-Protocol-Version", "2026-07-28").to(&http).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "POST"));
    }
    let reply = Asking::bare(Method::PATCH).to(&http).await;
    assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "POST, GET, DELETE"));
}

/// "If the server receives a request with an invalid or unsupported `MCP-Protocol-Version`, it MUST respond with 400."
#[tokio::test]
async fn a_revision_that_nobody_knows_is_refused_whatever_is_asked() {
    let http = http();
    let session = Session::open(&http).await;
    for asking in [
        session.ask(1, "ping", json!({})),
        session.notify("notifications/initialized", json!({})),
        session.get(),
        session.delete(),
    ] {
        let reply = asking.header("MCP-Protocol-Version", "1999-01-01").to(&http).await;
        assert_eq!(reply.status, 400);
    }
    assert_eq!(session.ask(2, "ping", json!({})).to(&http).await.status, 200);
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(Asking::post(notification.to_string()).to(&http).await.status, 400, "of no revision at all");
}

#[tokio::test]
async fn batches_are_for_2025_03_26_alone() {
    let http = http();
    let old = Session::open_as(&http, "2025-03-26", None).await;
    let batch = json!([ping(), { "jsonrpc": "2.0", "method": "notifications/x" },
        { "jsonrpc": "2.0", "id": 2, "method": "ping" }]);
    let reply = old.of(Asking::post(batch.to_string())).to(&http).await;
    assert_eq!(reply.status, 200);
    let answers: Value = serde_json::from_str(&reply.text().await).expect("JSON");
    assert_eq!(answers.as_array().map(Vec::len), Some(2));
    let silent = json!([{ "jsonrpc": "2.0", "method": "notifications/x" }]);
    assert_eq!(old.of(Asking::post(silent.to_string())).to(&http).await.status, 202);

    let new = Session::open(&http).await;
    let reply = new.of(Asking::post(batch.to_string())).to(&http).await;
    assert_eq!(reply.status, 400);
    let modern = Asking::post(batch.to_string()).header("MCP-Protocol-Version", "2026-07-28").to(&http).await;
    assert_eq!(modern.status, 400);
}

/// "If the values do not match, the server MUST reject the request with `400 Bad Request`": what routes by the header would
/// be led astray.
#[tokio::test]
async fn a_body_of_one_era_under_the_header_of_another_is_refused() {
    for http in [http(), http().sessionless()] {
        let call =
            || Asking::modern(1, "tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }));
        let reply = call().header("MCP-Protocol-Version", "2025-11-25").to(&http).await;
        assert_eq!((reply.status.as_u16(), reply.code().await), (400, -32020));
    }
    let http = http();
    let session = Session::open(&http).await;
    let list = || Asking::modern(1, "tools/list", json!({})).header("Mcp-Session-Id", &session.id);
    for asking in
        [list().header("MCP-Protocol-Version", "2025-11-25"), list().without("MCP-Protocol-Version")]
    {
        let reply = asking.to(&http).await;
        assert_eq!((reply.status.as_u16(), reply.code().await), (400, -32020));
    }
}

#[tokio::test]
async fn a_header_that_is_there_twice_is_not_taken_for_one_of_its_values() {
    let http = http();
    let session = Session::open(&http).await;
    for asking in [session.ask(1, "ping", json!({})), session.get(), session.delete()] {
        let reply = asking.and_header("Mcp-Session-Id", "another").to(&http).await;
        assert_eq!(reply.status, 400);
    }
    for asking in [session.ask(1, "ping", json!({})), session.get(), session.delete()] {
        let reply = asking.and_header("MCP-Protocol-Version", "2025-06-18").to(&http).await;
        assert_eq!(reply.status, 400);
    }
    assert_eq!(
        session
            .get()
            .and_header("Last-Event-ID", "0-0")
            .and_header("Last-Event-ID", "0-1")
            .to(&http)
            .await
            .status,
        400
    );
}

/// "The client MUST NOT send JSON-RPC responses."
#[tokio::test]
async fn a_response_is_nothing_for_the_stateless_revision() {
    let http = http();
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} }).to_string();
    let modern = Asking::post(response.clone()).header("MCP-Protocol-Version", "2026-07-28");
    assert_eq!(modern.to(&http).await.status, 400);
    let session = Session::open(&http).await;
    assert_eq!(session.of(Asking::post(response)).to(&http).await.status, 202);
}
