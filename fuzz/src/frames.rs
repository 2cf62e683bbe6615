//! JSON-RPC frames: the body of a request, on each wire.

use bytes::Bytes;
use http::HeaderValue;
use serde_json::Value;

use super::server::{Answer, ask, initialize, post, with_server};

/// Sends the bytes after the first as a message; the first says as whose.
///
/// Whatever is sent, the answer is JSON-RPC, has the id of the request if that could be read, and is an error or a result.
pub fn frames(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let body = Bytes::copy_from_slice(body);
    with_server(async |http| {
        let answer = match first.wrapping_sub(b'0') % 4 {
            0 => {
                let session = initialize(&http, "2025-11-25").await;
                let headers = [("mcp-session-id", &session[..]), ("mcp-protocol-version", b"2025-11-25")];
                ask(&http, post(&headers, body.clone())).await
            }
            // The only revision with batches.
            1 => {
                let session = initialize(&http, "2025-03-26").await;
                let headers = [("mcp-session-id", &session[..]), ("mcp-protocol-version", b"2025-03-26")];
                ask(&http, post(&headers, body.clone())).await
            }
            2 => ask(&http, post(&[], body.clone())).await,
            _ => ask(&http, stateless(&body)).await,
        };
        check(&body, &answer);
    });
}

/// A request whose headers repeat what the body says, as a client of the stateless revision sends it.
fn stateless(body: &Bytes) -> http::Request<Bytes> {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let params = &message["params"];
    let name = ["name", "uri", "taskId"].into_iter().find_map(|name| params[name].as_str());
    let mut request = post(&[("mcp-protocol-version", b"2026-07-28")], body.clone());
    for (header, value) in [
        ("mcp-method", message["method"].as_str().map(str::to_owned)),
        ("mcp-name", name.map(str::to_owned)),
        ("mcp-param-first", params["arguments"]["a"].as_i64().map(|a| a.to_string())),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            request.headers_mut().insert(header, value);
        }
    }
    request
}

fn check(body: &[u8], answer: &Answer) {
    let sent: Option<Value> = serde_json::from_slice(body).ok();
    for message in answer.messages() {
        let messages = match &message {
            Value::Array(batch) => &batch[..],
            one => std::slice::from_ref(one),
        };
        for message in messages {
            assert_eq!(message["jsonrpc"], "2.0", "{message}");
            if message.get("method").is_some() {
                continue;
            }
            let (result, error) = (message.get("result"), message.get("error"));
            assert!(result.is_some() != error.is_some(), "neither a result nor an error: {message}");
            assert!(
                error.is_none_or(|error| error["code"].is_i64() && error["message"].is_string()),
                "{message}"
            );
            assert!(message.get("id").is_none_or(|id| id.is_string() || id.is_i64()), "{message}");
            if let Some(Value::Object(sent)) = &sent {
                let id = sent.get("id").filter(|id| id.is_string() || id.is_i64());
                // What was sent may have an id twice, of which serde_json keeps the last.
                let is_sure = body.windows(4).filter(|window| window == b"\"id\"").count() == 1;
                if let (Some(id), Some(answered), true) = (id, message.get("id"), is_sure) {
                    assert_eq!(answered, id, "another request is answered: {message}");
                }
            }
        }
    }
}
