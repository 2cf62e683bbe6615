//! `initialize`, `ping`, and what is and is not there in a session.

use serde_json::json;
use tests::{LEGACY, fixture, text};

use crate::{REVISIONS, opened};

#[test]
fn each_revision_is_answered_with_itself() {
    for revision in REVISIONS {
        let mut server = fixture!();
        let answer = server.initialize(revision);
        assert_eq!(answer["protocolVersion"], revision);
        assert_eq!(answer["serverInfo"]["name"], "fixture", "the author's program, not the library");
        assert_eq!(answer["serverInfo"]["title"], "The fixture");
        assert_eq!(answer["serverInfo"]["version"], "1.2.3");
        assert_eq!(answer["instructions"], "Every tool here shows one thing.");
        assert!(answer["capabilities"]["tools"].is_object());
        assert_eq!(text(&server.call("greet", json!({ "name": "Ada" }))), "Hello, Ada!");
    }
}

#[test]
fn tasks_are_announced_in_the_revision_that_has_them_and_in_no_other() {
    for revision in REVISIONS {
        let tasks = fixture!().initialize(revision)["capabilities"]["tasks"].take();
        if revision == LEGACY {
            assert_eq!(tasks, json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } }));
        } else {
            assert!(tasks.is_null(), "{revision} knows no tasks: {tasks}");
        }
    }
}

#[test]
fn an_unknown_revision_is_answered_with_the_newest_that_has_a_handshake() {
    for revision in ["2026-07-28", "2099-01-01", "1.0.0", "", "draft"] {
        let answer = fixture!().initialize(revision);
        assert_eq!(answer["protocolVersion"], LEGACY, "asked for {revision:?}");
    }
}

#[test]
fn a_handshake_without_a_revision_is_refused_and_can_be_repeated() {
    let mut server = fixture!().speaking(tests::Wire::Legacy);
    let refusal = server.refused("initialize", json!({ "capabilities": {} }));
    assert_eq!(refusal.code, -32602);
    assert_eq!(server.initialize(LEGACY)["protocolVersion"], LEGACY);
}

#[test]
fn a_ping_is_answered_before_and_after_the_handshake() {
    let mut server = fixture!().speaking(tests::Wire::Legacy);
    assert_eq!(server.ok("ping", json!({})), json!({}));
    server.initialize(LEGACY);
    assert_eq!(server.ok("ping", json!({})), json!({}));
    // A ping has no parameters, and need not say so.
    server.send(&json!({ "jsonrpc": "2.0", "id": "123", "method": "ping" }));
    assert_eq!(server.answer(&json!("123")), Ok(json!({})));
}

#[test]
fn nothing_but_a_ping_is_served_before_the_handshake() {
    let mut server = fixture!().speaking(tests::Wire::Legacy);
    server.refused("tools/list", json!({}));
    server.refused("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }));
    server.initialize(LEGACY);
    assert_eq!(text(&server.call("add", json!({ "a": 1, "b": 2 }))), "3");
}

#[test]
fn what_was_not_announced_does_not_exist() {
    let mut server = opened();
    for method in [
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/read",
        "completion/complete",
        "server/nonsense",
        "tasks/update",
        "subscriptions/listen",
    ] {
        assert_eq!(server.refused(method, json!({})).code, -32601, "{method}");
    }
}

#[test]
fn tasks_do_not_exist_in_revisions_without_them() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18"] {
        let mut server = fixture!();
        server.initialize(revision);
        for method in ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"] {
            let refusal = server.refused(method, json!({ "taskId": "786512e2-9e0d-44bd-8f29-789f320fe840" }));
            assert_eq!(refusal.code, -32601, "{method} in {revision}");
        }
        // The parameter means nothing there, and is ignored like any other that is not known.
        let params = json!({ "name": "slow", "arguments": { "ms": 1 }, "task": { "ttl": 60000 } });
        assert_eq!(text(&server.ok("tools/call", params)), "took 1 ms");
    }
}

/// "Receivers that do not declare the task capability for a request type MUST process requests of that type normally,
/// ignoring any task-augmentation metadata if present."
#[test]
fn a_server_without_task_tools_announces_no_tasks_and_ignores_the_wish_for_one() {
    let mut server = fixture!("--without-tasks");
    let answer = server.initialize(LEGACY);
    assert!(answer["capabilities"].get("tasks").is_none(), "{answer}");
    let params = json!({ "name": "greet", "arguments": { "name": "Ada" }, "task": { "ttl": 60000 } });
    assert_eq!(text(&server.ok("tools/call", params)), "Hello, Ada!");
    assert_eq!(server.refused("tasks/list", json!({})).code, -32601);
}

#[test]
fn ids_of_requests_come_back_as_they_were() {
    let mut server = opened();
    for id in [
        json!("a"),
        json!(""),
        json!("1"),
        json!(0),
        json!(-7),
        json!(9_007_199_254_740_993_i64),
        json!("ü\n"),
    ] {
        server.begin_as(id.clone(), "ping", json!({}));
        assert_eq!(server.response(&id)["id"], id);
    }
}

#[test]
fn parameters_that_are_not_known_are_ignored() {
    let mut server = opened();
    server.ok(
        "tools/list",
        json!({ "cursor": null, "verbose": true, "_meta": { "com.example/trace": [1, 2] } }),
    );
    let params = json!({
        "name": "greet", "arguments": { "name": "Ada" }, "toolUseId": "x", "_meta": { "claudecode/toolUseId": "y" }
    });
    assert_eq!(text(&server.ok("tools/call", params)), "Hello, Ada!");
    let task = server.task("slow", json!({ "ms": 0 }));
    server.ok(
        "tasks/get",
        json!({ "taskId": task["taskId"], "task": { "ttl": 1 }, "cursor": null, "more": {} }),
    );
    server.ok("ping", json!({ "more": 1 }));
}

#[test]
fn a_client_may_open_a_session_again() {
    let mut server = fixture!();
    server.initialize("2024-11-05");
    assert_eq!(server.refused("tasks/list", json!({})).code, -32601);
    server.initialize(LEGACY);
    assert_eq!(server.ok("tasks/list", json!({})), json!({ "tasks": [] }));
}
