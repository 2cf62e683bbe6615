//! Both wires on one process at once: a task is the same task, each in its own words.

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, fixture, text};

use crate::id;

fn opened() -> Process {
    let mut server = fixture!();
    server.initialize(LEGACY);
    server
}

#[test]
fn a_session_and_requests_that_stand_alone_share_a_connection() {
    let mut server = opened();
    for _ in 0..3 {
        for wire in [Wire::Legacy, Wire::Modern, Wire::Tasks] {
            server.speak(wire);
            assert_eq!(text(&server.call("greet", json!({ "name": "Ada" }))), "Hello, Ada!");
            server.ok("tools/list", json!({}));
        }
        server.ok("server/discover", json!({}));
        server.speak(Wire::Legacy);
        server.ok("ping", json!({}));
    }
}

#[test]
fn a_session_may_be_opened_after_requests_that_stood_alone() {
    let mut server = fixture!().speaking(Wire::Tasks);
    let task = server.task("slow", json!({ "ms": 0 }));
    server.ended(&task);
    server.initialize("2025-03-26");
    assert_eq!(server.refused("tasks/get", id(&task)).code, -32601, "no tasks in that revision");
    server.speak(Wire::Tasks);
    assert_eq!(server.state(&task)["status"], "completed");
}

#[test]
fn a_task_is_found_on_either_wire_whichever_made_it() {
    let mut server = opened();
    let old = server.task("wait", json!({ "gate": "a" }));
    server.speak(Wire::Tasks);
    let new = server.task("wait", json!({ "gate": "a" }));
    assert_eq!(server.state(&old)["status"], "working");
    server.speak(Wire::Legacy);
    assert_eq!(server.state(&new)["status"], "working");
    let list = server.ok("tasks/list", json!({}));
    assert_eq!(list["tasks"].as_array().map(Vec::len), Some(2));

    server.open_gate("a");
    assert_eq!(text(&server.ok("tasks/result", id(&new))), "passed a");
    server.speak(Wire::Tasks);
    assert_eq!(text(&server.ended(&old)["result"]), "passed a");
}

#[test]
fn a_failed_tool_is_failed_in_one_dialect_and_completed_in_the_other() {
    let mut server = opened();
    let task = server.task("failing", json!({}));
    assert_eq!(server.ended(&task)["status"], "failed");
    server.speak(Wire::Tasks);
    let state = server.state(&task);
    assert_eq!((&state["status"], &state["result"]["isError"]), (&json!("completed"), &json!(true)));
}

#[test]
fn a_task_can_be_cancelled_on_the_other_wire() {
    let mut server = opened();
    let task = server.task("wait", json!({ "gate": "never" }));
    let waiting = server.begin("tasks/result", id(&task));
    server.speak(Wire::Tasks);
    server.ok("tasks/cancel", id(&task));
    assert!(server.answer(&waiting).is_err());
    server.speak(Wire::Legacy);
    assert_eq!(server.refused("tasks/cancel", id(&task)).code, -32602);
    let told = server.notification_that(|message| message["params"]["status"] != "working");
    assert_eq!(
        (&told["method"], &told["params"]["status"]),
        (&json!("notifications/tasks/status"), &json!("cancelled"))
    );
}

#[test]
fn a_task_of_one_wire_can_be_listened_to_on_the_other() {
    let mut server = opened();
    let task = server.task("wait", json!({ "gate": "a" }));
    server.speak(Wire::Tasks);
    let subscription = server.listen(std::slice::from_ref(&task));
    server.open_gate("a");
    let mut methods: Vec<Value> = (0..2)
        .map(|_| {
            server.notification_that(|message| message["params"]["status"] == "completed")["method"].take()
        })
        .collect();
    methods.sort_by_key(Value::to_string);
    assert_eq!(methods, ["notifications/tasks", "notifications/tasks/status"]);
    server.cancel(&subscription);
}
