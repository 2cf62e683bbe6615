//! `Last-Event-ID`: who comes back for what was missed gets that, and nothing of anybody else's.

use bytes::Bytes;
use http::{HeaderValue, Request};
use mcp_runtime::Http;

use super::server::{Answer, ask, initialize, post, with_server};

/// Comes back to a session with an event id made of the bytes after the first two. With an odd first byte they are laid
/// over an id that the server gave to the other session, from the place that the second one says; else they are the id.
///
/// Whatever the id, nothing of the other session is told.
pub fn resumption(bytes: &[u8]) {
    let [first, second, rest @ ..] = bytes else { return };
    with_server(async |http| {
        let (ours, theirs) = (initialize(&http, "2025-11-25").await, initialize(&http, "2025-11-25").await);
        let told = ids(&tell(&http, &ours, "ours").await);
        let foreign = ids(&tell(&http, &theirs, "theirs").await);
        let id = if first % 2 == 1 {
            let mut id =
                foreign.get(usize::from(first / 2) % foreign.len().max(1)).cloned().unwrap_or_default();
            let start = usize::from(*second) % (id.len() + 1);
            for (place, byte) in id[start..].iter_mut().zip(rest) {
                *place = *byte;
            }
            id
        } else {
            rest.to_vec()
        };
        let Ok(value) = HeaderValue::from_bytes(&id) else { return };
        let answer = resume(&http, &ours, value).await;
        for message in answer.messages() {
            assert!(!message.to_string().contains("theirs"), "{message} is of another session");
        }
        // What was sent may well be an id of ours: then it is served.
        assert!(!told.contains(&id) || answer.status.is_success(), "{id:?} was given, and is refused");
    });
}

/// Calls a tool that says something on the way, so that the answer is a stream of events.
async fn tell(http: &Http, session: &[u8], text: &str) -> Answer {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"tell","arguments":{{"text":"{text}"}},"_meta":{{"progressToken":1}}}}}}"#
    );
    ask(http, post(&[("mcp-session-id", session), ("mcp-protocol-version", b"2025-11-25")], body)).await
}

/// The ids of its events.
fn ids(answer: &Answer) -> Vec<Vec<u8>> {
    let lines = answer.body.split(|byte| *byte == b'\n');
    lines.filter_map(|line| line.strip_prefix(b"id:")).map(|id| id.trim_ascii().to_vec()).collect()
}

async fn resume(http: &Http, session: &[u8], last: HeaderValue) -> Answer {
    let request = Request::get("/mcp")
        .header("host", "127.0.0.1:8080")
        .header("accept", "text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .header("mcp-session-id", session)
        .header("last-event-id", last);
    ask(http, request.body(Bytes::new()).expect("the headers are headers")).await
}
