//! `tasks/cancel`: at once, once, and for good.

use serde_json::{Value, json};
use tests::fixture;

use crate::{id, opened, session};

#[test]
fn a_cancelled_task_is_cancelled_at_once_and_its_function_is_dropped() {
    let mut server = opened();
    let task = server.task("wait", json!({ "gate": "a" }));
    server.pass_gate("a-reached");
    let cancelled = server.ok("tasks/cancel", id(&task));
    assert_eq!((&cancelled["taskId"], &cancelled["status"]), (&task["taskId"], &json!("cancelled")));
    assert_eq!(server.state(&task), cancelled);
    server.pass_gate("a-left");
}

#[test]
fn a_task_can_be_cancelled_as_soon_as_it_was_told_of() {
    let mut server = opened();
    for round in 0..50 {
        let task = server.task("wait", json!({ "gate": format!("never {round}") }));
        assert_eq!(server.ok("tasks/cancel", id(&task))["status"], "cancelled");
    }
}

/// "Receivers MUST reject cancellation requests for tasks already in a terminal status with error code -32602."
#[test]
fn what_has_ended_cannot_be_cancelled() {
    let mut server = opened();
    for (tool, status) in [("slow", "completed"), ("failing", "failed"), ("protocol_error", "failed")] {
        let task = server.task(tool, if tool == "slow" { json!({ "ms": 0 }) } else { json!({}) });
        assert_eq!(server.ended(&task)["status"], status);
        let refusal = server.refused("tasks/cancel", id(&task));
        assert_eq!(refusal.code, -32602);
        assert!(refusal.message.contains(status), "{tool} is {status} for the client: {refusal}");
        assert_eq!(server.state(&task)["status"], status);
    }
    let task = server.task("wait", json!({ "gate": "never" }));
    server.ok("tasks/cancel", id(&task));
    let refusal = server.refused("tasks/cancel", id(&task));
    assert_eq!(refusal.code, -32602);
    assert!(refusal.message.contains("cancelled"), "{refusal}");
}

/// "Once a task is cancelled, it MUST remain in `cancelled` status even if execution continues to completion."
#[test]
fn a_cancelled_task_stays_cancelled_whatever_its_function_still_does() {
    let mut server = opened();
    let task = server.task("stubborn", json!({ "gate": "a" }));
    server.pass_gate("a-reached");
    let cancelled = server.ok("tasks/cancel", id(&task));
    server.open_gate("a");
    server.pass_gate("a-left");
    assert_eq!(server.state(&task), cancelled);
    assert_eq!(server.refused("tasks/result", id(&task)).code, -32603);
}

#[test]
fn a_function_that_asks_for_cancellation_cleans_up() {
    let mut server = opened();
    let task = server.task("tidy", json!({ "gate": "a" }));
    server.pass_gate("a-reached");
    server.ok("tasks/cancel", id(&task));
    server.open_gate("a-clean");
    server.pass_gate("a");
    let state = server.state(&task);
    assert_eq!(
        (&state["status"], &state["statusMessage"]),
        (&json!("cancelled"), &json!("The task was cancelled by request."))
    );
}

/// "Progress notifications for tasks MUST stop after the task reaches a terminal status."
#[test]
fn a_function_that_cleans_up_reports_no_more_progress() {
    let mut server = opened();
    let task = server.task_with(json!({
        "name": "tidy", "arguments": { "gate": "a" }, "_meta": { "progressToken": "t" }
    }));
    server.pass_gate("a-reached");
    server.ok("tasks/cancel", id(&task));
    server.open_gate("a-clean");
    server.pass_gate("a");
    server.ok("ping", json!({}));
}

#[test]
fn a_function_that_does_not_end_is_dropped_after_the_grace_period() {
    let mut server = session(fixture!("--grace=20"));
    let task = server.task("stubborn", json!({ "gate": "never" }));
    server.pass_gate("never-reached");
    server.ok("tasks/cancel", id(&task));
    server.pass_gate("never-left");
}

#[test]
fn who_waits_for_the_result_of_a_task_that_is_cancelled_gets_an_error() {
    let mut server = opened();
    let task = server.task("wait", json!({ "gate": "never" }));
    let waiting = server.begin("tasks/result", id(&task));
    server.ok("tasks/cancel", id(&task));
    let refusal = server.answer(&waiting).expect_err("there is no result");
    assert!(refusal.message.contains("cancelled"), "{refusal}");
    assert_eq!(server.refused("tasks/result", id(&task)), refusal);
}

/// "The `tasks/cancel` request MUST be used instead of the `notifications/cancelled` notification."
#[test]
fn cancelling_the_call_that_made_a_task_does_not_cancel_the_task() {
    let mut server = opened();
    let call =
        server.begin("tools/call", json!({ "name": "wait", "arguments": { "gate": "a" }, "task": {} }));
    let task = server.answer(&call).expect("a task")["task"].take();
    server.cancel(&call);
    server.ok("ping", json!({}));
    assert_eq!(server.state(&task)["status"], "working");
    server.open_gate("a");
    assert_eq!(server.ended(&task)["status"], "completed");
}

#[test]
fn a_place_in_the_queue_of_a_tool_is_given_up_by_cancelling() {
    let mut server = opened();
    let tasks: Vec<Value> = (0..20).map(|_| server.task("single", json!({}))).collect();
    for task in &tasks[..19] {
        // Some of them may have ended by now.
        let _ = server.request("tasks/cancel", id(task));
    }
    assert_eq!(server.ended(&tasks[19])["status"], "completed");
}

#[test]
fn a_task_that_ends_while_it_is_cancelled_has_one_end() {
    let mut server = opened();
    for _ in 0..200 {
        let task = server.task("slow", json!({ "ms": 0 }));
        let status = match server.request("tasks/cancel", id(&task)) {
            Ok(cancelled) => cancelled["status"].clone(),
            Err(refusal) => {
                assert_eq!(refusal.code, -32602);
                json!("completed")
            }
        };
        assert_eq!(server.state(&task)["status"], status);
        let answer = server.request("tasks/result", id(&task));
        assert_eq!(answer.is_ok(), status == "completed");
        assert_eq!(server.state(&task)["status"], status);
    }
}
