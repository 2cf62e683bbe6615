//! Ordinary calls: results of all kinds, failures of all kinds, progress.

use serde_json::{Value, json};
use tests::{LEGACY, fixture, names, text};

use crate::{REVISIONS, opened};

#[test]
fn a_call_gives_a_result() {
    let mut server = opened();
    assert_eq!(text(&server.call("add", json!({ "a": 40, "b": 2 }))), "42");
    assert_eq!(text(&server.call("spell.out", json!({ "text": "äbc" }))), "ä-b-c");
    assert_eq!(text(&server.call("sum", json!({ "numbers": [1.5, 2, -1] }))), "2.5");
    assert_eq!(server.call("nothing", json!({}))["content"], json!([]));
}

#[test]
fn arguments_may_be_left_out_where_there_are_none() {
    let mut server = opened();
    assert_eq!(server.ok("tools/call", json!({ "name": "nothing" }))["content"], json!([]));
    assert_eq!(
        server.ok("tools/call", json!({ "name": "nothing", "arguments": null }))["content"],
        json!([])
    );
}

#[test]
fn methods_share_their_state() {
    let mut server = opened();
    assert_eq!(text(&server.call("increase", json!({ "by": 40 }))), "40");
    assert_eq!(text(&server.call("increase", json!({ "by": 2 }))), "42");
    assert_eq!(text(&server.call("total", json!({}))), "42");
}

#[test]
fn content_of_each_kind_has_its_shape() {
    let result = opened().call("picture", json!({}));
    assert_eq!(
        result["content"],
        json!([
            { "type": "text", "text": "one of each" },
            { "type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png" },
            { "type": "audio", "data": "UklGRg==", "mimeType": "audio/wav" },
            { "type": "resource", "resource": { "uri": "fixture://text", "mimeType": "text/plain", "text": "a text" } },
            {
                "type": "resource",
                "resource": { "uri": "fixture://bytes", "mimeType": "application/octet-stream", "blob": "AAEC" }
            },
            { "type": "resource_link", "uri": "fixture://link", "name": "a link" }
        ])
    );
}

#[test]
fn a_struct_is_structured_content_and_its_text() {
    let mut server = opened();
    server.ok("tools/list", json!({}));
    let result = server.call("report", json!({}));
    let structured = &result["structuredContent"];
    assert_eq!((&structured["title"], &structured["count"]), (&json!("All"), &json!(2)));
    assert_eq!(structured["best"]["standing"], json!({ "state": "under_way", "share": 0.5 }));
    assert_eq!(structured["items"][0], json!({ "name": "first", "standing": { "state": "done" } }));
    let text: Value = serde_json::from_str(text(&result)).expect("the text is JSON");
    assert_eq!(text, *structured);
}

#[test]
fn what_is_no_object_is_wrapped_in_one() {
    let mut server = opened();
    server.ok("tools/list", json!({}));
    let list = server.call("items", json!({}));
    assert_eq!(list["structuredContent"]["result"][1]["note"], "half");
    let found = server.call("lookup", json!({ "name": "first" }))["structuredContent"].take();
    assert_eq!(found, json!({ "result": { "name": "first", "standing": { "state": "done" } } }));
    let missing = server.call("lookup", json!({ "name": "third" }))["structuredContent"].take();
    assert_eq!(missing, json!({ "result": null }));
}

#[test]
fn metadata_of_a_result_is_its_authors() {
    assert_eq!(opened().call("badge", json!({}))["_meta"], json!({ "com.example/badge": "gold" }));
}

#[test]
fn a_tool_that_fails_gives_a_result_that_says_so() {
    let result = opened().call("fail", json!({ "reason": "no such city" }));
    assert_eq!(result, json!({ "content": [{ "type": "text", "text": "no such city" }], "isError": true }));
}

#[test]
fn a_tool_that_refuses_the_request_gives_a_json_rpc_error() {
    let refusal = opened().refused("tools/call", json!({ "name": "refuse" }));
    assert_eq!(
        (refusal.code, refusal.message.as_str(), refusal.data),
        (4711, "this cannot be served", json!("not today"))
    );
}

#[test]
fn a_panic_is_an_error_that_tells_nothing_of_it_and_the_server_goes_on() {
    let mut server = opened();
    let refusal = server.refused("tools/call", json!({ "name": "explode" }));
    assert_eq!(refusal.code, -32603);
    assert!(!refusal.to_string().contains("1234"), "{refusal}");
    assert_eq!(text(&server.call("greet", json!({ "name": "Ada" }))), "Hello, Ada!");
    assert!(server.close().stderr.contains("1234"), "the log tells what the client is not told");
}

#[test]
fn a_tool_that_is_not_there_is_an_error_that_names_it() {
    let mut server = opened();
    let refusal = server.refused("tools/call", json!({ "name": "invalid_tool_name" }));
    assert_eq!(refusal.code, -32602);
    assert!(refusal.message.contains("invalid_tool_name"), "{refusal}");
    assert_eq!(server.refused("tools/call", json!({ "arguments": {} })).code, -32602);
    // A tool is called by the name that is listed, not by its function's.
    assert_eq!(
        server.refused("tools/call", json!({ "name": "spell", "arguments": { "text": "a" } })).code,
        -32602
    );
}

#[test]
fn progress_carries_the_token_and_comes_before_the_answer() {
    for (revision, token) in REVISIONS.into_iter().zip([json!("abc123"), json!(7), json!("7"), json!(0)]) {
        let mut server = fixture!();
        server.initialize(revision);
        let params = json!({
            "name": "wait", "arguments": { "gate": "a", "steps": 3 }, "_meta": { "progressToken": token }
        });
        let id = server.begin("tools/call", params);
        for step in 1..=3 {
            let notification = server.notification();
            assert_eq!(notification["method"], "notifications/progress");
            let told = json!({
                "progressToken": token, "progress": step, "total": 4, "message": format!("step {step}")
            });
            assert_eq!(notification["params"], told);
        }
        server.open_gate("a");
        assert_eq!(server.notification()["params"]["message"], "through");
        assert_eq!(text(&server.answer(&id).expect("a result")), "passed a");
    }
}

#[test]
fn without_a_token_there_is_no_progress() {
    let mut server = opened();
    server.open_gate("a");
    server.call("wait", json!({ "gate": "a", "steps": 3 }));
    assert!(server.close().messages.is_empty());
}

/// "Progress notifications MUST stop after completion."
#[test]
fn progress_stops_when_the_call_is_answered() {
    let mut server = opened();
    let params = json!({ "name": "linger", "arguments": { "gate": "a" }, "_meta": { "progressToken": "t" } });
    assert_eq!(text(&server.ok("tools/call", params)), "gone");
    server.open_gate("a");
    server.pass_gate("a-said");
    server.ok("ping", json!({}));
}

#[test]
fn a_task_tool_is_an_ordinary_call_where_the_client_asks_for_no_task() {
    let mut server = opened();
    assert_eq!(text(&server.call("slow", json!({ "ms": 1 }))), "took 1 ms");
    let failed = server.call("failing", json!({}));
    assert_eq!((text(&failed), &failed["isError"]), ("API rate limit exceeded", &json!(true)));
    assert!(failed.get("_meta").is_none_or(|meta| meta.get(names::RELATED_TASK).is_none()));
    assert_eq!(server.refused("tools/call", json!({ "name": "protocol_error" })).code, -32603);
    assert_eq!(server.ok("tasks/list", json!({})), json!({ "tasks": [] }));
}

#[test]
fn a_call_that_takes_too_long_fails_where_its_author_set_a_limit() {
    let result = opened().call("bounded", json!({}));
    assert_eq!(result["isError"], true);
    assert!(text(&result).contains("50ms"), "{result}");
    let mut server = fixture!("--timeout=20");
    server.initialize(LEGACY);
    assert_eq!(server.call("wait", json!({ "gate": "never" }))["isError"], true);
}
