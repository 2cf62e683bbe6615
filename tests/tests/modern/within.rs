//! Calls that are answered directly if they are done by a time, and become tasks if not.

use serde_json::json;
use tests::{LEGACY, fixture, text};

use crate::{plain, with_tasks};

#[test]
fn a_call_that_is_done_in_time_is_answered_directly() {
    let mut server = with_tasks();
    server.open_gate("a");
    assert_eq!(text(&server.call("wait_long", json!({ "gate": "a" }))), "passed a");
    let keyed = json!({ "name": "wait_long", "arguments": { "gate": "a" }, "idempotencyKey": "key" });
    for _ in 0..2 {
        assert_eq!(text(&server.ok("tools/call", keyed.clone())), "passed a", "under a key as well");
    }
}

#[test]
fn a_call_that_is_not_done_in_time_becomes_a_task() {
    let mut server = with_tasks();
    let keyed = json!({ "name": "wait_a_moment", "arguments": { "gate": "a" }, "idempotencyKey": "key" });
    let tasks = [
        server.task("wait_a_moment", json!({ "gate": "a" })),
        server.task_with(keyed.clone()),
        server.task_with(keyed),
    ];
    assert_ne!(tasks[0]["taskId"], tasks[1]["taskId"]);
    assert_eq!(tasks[1]["taskId"], tasks[2]["taskId"]);
    server.open_gate("a");
    for task in &tasks[..2] {
        assert_eq!(text(&server.ended(task)["result"]), "passed a");
    }
}

#[test]
fn a_client_that_knows_no_tasks_waits_for_the_result() {
    let mut server = plain();
    let params = json!({ "name": "wait_a_moment", "arguments": { "gate": "a" } });
    let waiting = server.begin("tools/call", params);
    server.open_gate("a");
    assert_eq!(text(&server.answer(&waiting).expect("a result")), "passed a");
}

#[test]
fn a_client_of_the_core_dialect_decides_itself() {
    let mut server = fixture!();
    server.initialize(LEGACY);
    server.open_gate("a");
    let task = server.task("wait_long", json!({ "gate": "a" }));
    assert_eq!(server.ended(&task)["status"], "completed");
    assert_eq!(text(&server.call("wait_a_moment", json!({ "gate": "a" }))), "passed a");
}
