//! The tasks extension: the server decides, and everything about a task is in its state.

use serde_json::{Value, json};
use tests::{Wire, fixture, names, text};

use crate::{bare, id, plain, with_tasks};

/// The examples of the extension's page that need no input, one after the other.
#[test]
fn the_examples_of_the_specification_hold_message_by_message() {
    let mut server = with_tasks();

    // Task creation.
    let created = server.ok("tools/call", json!({ "name": "wait", "arguments": { "gate": "New York" } }));
    assert_eq!((&created["resultType"], &created["status"]), (&json!("task"), &json!("working")));
    assert_eq!((&created["ttlMs"], &created["pollIntervalMs"]), (&json!(3_600_000), &json!(200)));

    // Task polling.
    let state = server.ok("tasks/get", id(&created));
    assert_eq!((&state["resultType"], &state["status"]), (&json!("complete"), &json!("working")));
    assert_eq!(bare(state), bare(created.clone()));

    // Completion.
    server.open_gate("New York");
    let ended = server.ended(&created);
    assert_eq!((&ended["resultType"], &ended["status"]), (&json!("complete"), &json!("completed")));
    assert_eq!(ended["createdAt"], created["createdAt"]);
    let result =
        json!({ "resultType": "complete", "content": [{ "type": "text", "text": "passed New York" }] });
    assert_eq!(ended["result"], result);

    // Update and cancellation, acknowledged.
    let other = server.task("wait", json!({ "gate": "never" }));
    let responses = json!({ "name": { "action": "accept", "content": { "input": "Luca" } } });
    server.ok("tasks/update", json!({ "taskId": other["taskId"], "inputResponses": responses }));
    server.ok("tasks/cancel", id(&other));
    assert_eq!(server.state(&other)["status"], "cancelled");

    // A task that is not there.
    let unknown = server.refused("tasks/get", json!({ "taskId": "786512e2-9e0d-44bd-8f29-789f320fe840" }));
    assert_eq!((unknown.code, unknown.message.as_str()), (-32602, "Failed to retrieve task: Task not found"));

    // A task with a JSON-RPC error.
    let task = server.task("protocol_error", json!({}));
    let failed = server.ended(&task);
    assert_eq!(
        (&failed["status"], &failed["statusMessage"]),
        (&json!("failed"), &json!("the database is gone"))
    );
    assert_eq!(failed["error"], json!({ "code": -32603, "message": "the database is gone", "data": "gone" }));

    // A task whose tool failed.
    let task = server.task("failing", json!({}));
    let failed = server.ended(&task);
    assert_eq!((&failed["status"], &failed["result"]["isError"]), (&json!("completed"), &json!(true)));
    assert_eq!(text(&failed["result"]), "API rate limit exceeded");

    // The missing capability.
    server.speak(Wire::Modern);
    let refusal = server.refused("tools/call", json!({ "name": "required" }));
    assert_eq!(refusal.code, -32021);
    assert_eq!(refusal.data, json!({ "requiredCapabilities": { "extensions": { (names::TASKS): {} } } }));
}

#[test]
fn a_task_is_found_as_soon_as_it_was_told_of() {
    let mut server = with_tasks();
    for _ in 0..50 {
        let task = server.task("slow", json!({ "ms": 0 }));
        assert_eq!(server.state(&task)["taskId"], task["taskId"]);
    }
}

#[test]
fn a_task_can_be_polled_to_its_end() {
    let mut server = with_tasks();
    let task = server.task("wait", json!({ "gate": "a", "steps": 2 }));
    for _ in 0..20 {
        assert_eq!(server.state(&task)["status"], "working", "who asks often is served");
    }
    server.open_gate("a");
    let ended = loop {
        let state = server.state(&task);
        if state["status"] != "working" {
            break state;
        }
    };
    assert_eq!(text(&ended["result"]), "passed a");
}

#[test]
fn progress_is_the_status_message_of_a_task_and_nothing_else() {
    let mut server = with_tasks();
    let task = server.task_with(json!({
        "name": "wait", "arguments": { "gate": "a", "steps": 3 }, "_meta": { "progressToken": "t" }
    }));
    server.pass_gate("a-reached");
    assert_eq!(server.state(&task)["statusMessage"], "step 3");
    server.open_gate("a");
    server.ended(&task);
    let is_progress = |message: &Value| message["method"] == "notifications/progress";
    assert!(!server.close().messages.iter().any(is_progress), "\"not supported on tasks in general\"");
}

#[test]
fn nobody_is_told_of_a_task_without_asking() {
    let mut server = with_tasks();
    let task = server.task("slow", json!({ "ms": 1 }));
    while server.state(&task)["status"] == "working" {}
    assert!(server.close().messages.is_empty());
}

#[test]
fn the_result_of_a_task_is_the_result_of_the_call() {
    let mut server = with_tasks();
    server.ok("tools/list", json!({}));
    for (tool, arguments) in [
        ("report", json!({})),
        ("items", json!({})),
        ("lookup", json!({ "name": "third" })),
        ("badge", json!({})),
        ("failing", json!({})),
        ("bounded", json!({})),
    ] {
        server.speak(Wire::Modern);
        let plain = server.call(tool, arguments.clone());
        server.speak(Wire::Tasks);
        let task = server.task(tool, arguments);
        let ended = server.ended(&task);
        assert_eq!(ended["status"], "completed", "{tool}");
        assert_eq!(bare(ended["result"].clone()), bare(plain), "{tool}");
    }
    let task = server.task("badge", json!({}));
    assert_eq!(server.ended(&task)["result"]["_meta"]["com.example/badge"], "gold");
}

#[test]
fn a_panic_is_a_failed_task_that_tells_nothing_of_it() {
    let mut server = with_tasks();
    let task = server.task("collapse", json!({}));
    let state = server.ended(&task);
    assert_eq!((&state["status"], &state["error"]["code"]), (&json!("failed"), &json!(-32603)));
    assert!(!state.to_string().contains("1234"), "{state}");
}

#[test]
fn an_ended_task_is_there_as_long_as_it_says() {
    let mut server = with_tasks();
    let task = server.task("brief", json!({}));
    assert_eq!((&task["ttlMs"], &task["pollIntervalMs"]), (&json!(1000), &json!(20)));
    server.ended(&task);
    assert_eq!(text(&server.state(&task)["result"]), "soon forgotten");
    let refusal = loop {
        match server.request("tasks/get", id(&task)) {
            Ok(_) => {
                let pause = server.task("slow", json!({ "ms": 50 }));
                server.ended(&pause);
            }
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal.code, -32602);
}

#[test]
fn updates_are_acknowledged_and_what_nobody_waits_for_is_ignored() {
    let mut server = with_tasks();
    let task = server.task("wait", json!({ "gate": "a" }));
    for responses in [json!({}), json!({ "unknown-key": { "ignored": true } }), json!({ "a": 1, "b": null })]
    {
        server.ok("tasks/update", json!({ "taskId": task["taskId"], "inputResponses": responses }));
    }
    assert_eq!(server.state(&task)["status"], "working");
    server.open_gate("a");
    server.ended(&task);
    server.ok("tasks/update", json!({ "taskId": task["taskId"], "inputResponses": { "late": {} } }));
}

#[test]
fn cancelling_is_acknowledged_however_often_and_whatever_became_of_the_task() {
    let mut server = with_tasks();
    let task = server.task("wait", json!({ "gate": "a" }));
    server.pass_gate("a-reached");
    let acknowledged = server.ok("tasks/cancel", id(&task));
    assert_eq!(bare(acknowledged.clone()), json!({}));
    assert_eq!(server.ok("tasks/cancel", id(&task)), acknowledged);
    server.pass_gate("a-left");
    assert_eq!(server.state(&task)["status"], "cancelled");
    for (tool, status) in [("slow", "completed"), ("failing", "completed"), ("protocol_error", "failed")] {
        let task = server.task(tool, if tool == "slow" { json!({ "ms": 0 }) } else { json!({}) });
        server.ended(&task);
        assert_eq!(server.ok("tasks/cancel", id(&task)), acknowledged, "{tool}");
        assert_eq!(server.state(&task)["status"], status, "an end is an end");
    }
}

#[test]
fn a_task_that_is_not_there_is_refused_by_every_method() {
    let mut server = with_tasks();
    for id in ["tasks-conformance-nonexistent-12345", "786512e2-9e0d-44bd-8f29-789f320fe840", ""] {
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let refusal = server.refused(method, json!({ "taskId": id, "inputResponses": {} }));
            assert_eq!(refusal.code, -32602, "{method} {id:?}");
        }
    }
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        assert_eq!(
            server.refused(method, json!({ "inputResponses": {} })).code,
            -32602,
            "{method} without an id"
        );
    }
}

#[test]
fn who_did_not_say_that_they_know_tasks_is_told_so_before_anything_else() {
    let mut server = plain();
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for params in [json!({ "taskId": "gate-test", "inputResponses": {} }), json!({})] {
            let refusal = server.refused(method, params);
            assert_eq!(refusal.code, -32021, "{method}");
            assert_eq!(
                refusal.data,
                json!({ "requiredCapabilities": { "extensions": { (names::TASKS): {} } } })
            );
        }
    }
}

#[test]
fn tasks_wait_for_each_other_where_their_tool_says_so() {
    let mut server = with_tasks();
    let tasks: Vec<Value> = (0..20).map(|_| server.task("single", json!({}))).collect();
    for task in tasks {
        assert_eq!(text(&server.ended(&task)["result"]), "1");
    }
}

#[test]
fn limits_are_errors_that_name_them() {
    let mut server = fixture!("--max-running-tasks=1", "--max-result-size=1000").speaking(Wire::Tasks);
    let task = server.task("heavy", json!({ "bytes": 2000 }));
    let ended = server.ended(&task);
    assert_eq!(ended["status"], "failed");
    assert!(
        ended["error"]["message"].as_str().is_some_and(|text| text.contains("max_result_size")),
        "{ended}"
    );
    let task = server.task("wait", json!({ "gate": "never" }));
    let refusal = server.refused("tools/call", json!({ "name": "wait", "arguments": { "gate": "never" } }));
    assert_eq!(refusal.data["limit"], "max_running_tasks");
    server.ok("tasks/cancel", id(&task));
    server.task("wait", json!({ "gate": "never" }));
}
