//! Core tasks: making them, asking for them, being told of them, and their results.

use serde_json::{Value, json};
use tests::{LEGACY, fixture, names, text};

use crate::{id, opened, session};

/// The examples of the specification's page on tasks, one after the other.
#[test]
fn the_examples_of_the_specification_hold_message_by_message() {
    let mut server = opened();

    // Creating a task.
    let params = json!({
        "name": "wait", "arguments": { "gate": "New York", "steps": 1 }, "task": { "ttl": 60000 }
    });
    let created = server.ok("tools/call", params);
    let task = &created["task"];
    assert_eq!(
        (&task["status"], &task["ttl"], &task["pollInterval"]),
        (&json!("working"), &json!(60000), &json!(200))
    );
    assert!(created.get("content").is_none(), "the result comes later");

    // Getting it.
    server.pass_gate("New York-reached");
    let state = server.ok("tasks/get", id(task));
    assert_eq!((&state["taskId"], &state["status"]), (&task["taskId"], &json!("working")));
    assert_eq!((&state["statusMessage"], &state["createdAt"]), (&json!("step 1"), &task["createdAt"]));
    assert_eq!((&state["ttl"], &state["pollInterval"]), (&json!(60000), &json!(200)));
    assert!(state.get("_meta").is_none_or(|meta| meta.get(names::RELATED_TASK).is_none()));

    // Retrieving its result, which is there once it has ended.
    let result = server.begin("tasks/result", id(task));
    server.ok("ping", json!({}));
    assert!(server.other_responses().is_empty(), "`tasks/result` blocks until the end");
    server.open_gate("New York");
    let result = server.answer(&result).expect("the result");
    assert_eq!(text(&result), "passed New York");
    assert_eq!(result["_meta"][names::RELATED_TASK], json!({ "taskId": task["taskId"] }));

    // Being told of its end.
    let told = server.notification_that(|message| message["params"]["status"] == "completed");
    assert_eq!(told["method"], "notifications/tasks/status");
    assert_eq!(told["params"]["taskId"], task["taskId"]);

    // Listing it.
    let list = server.ok("tasks/list", json!({}));
    assert_eq!(list["tasks"], json!([server.ok("tasks/get", id(task))]));

    // Cancelling another.
    let other = server.task("wait", json!({ "gate": "never" }));
    let cancelled = server.ok("tasks/cancel", id(&other));
    assert_eq!(
        (&cancelled["taskId"], &cancelled["status"], &cancelled["statusMessage"]),
        (&other["taskId"], &json!("cancelled"), &json!("The task was cancelled by request."))
    );

    // The errors.
    let unknown = server.refused("tasks/get", json!({ "taskId": "786512e2-9e0d-44bd-8f29-789f320fe840" }));
    assert_eq!((unknown.code, unknown.message.as_str()), (-32602, "Failed to retrieve task: Task not found"));
    let over = server.refused("tasks/cancel", id(task));
    assert_eq!(over.code, -32602);
    assert!(
        over.message.starts_with("Cannot cancel task:") && over.message.contains("'completed'"),
        "{over}"
    );
    let failing = server.task("failing", json!({}));
    let failed = server.ended(&failing);
    assert_eq!(
        (&failed["status"], &failed["statusMessage"]),
        (&json!("failed"), &json!("API rate limit exceeded"))
    );
}

#[test]
fn a_task_is_found_as_soon_as_it_was_told_of() {
    let mut server = opened();
    for _ in 0..50 {
        let task = server.task("slow", json!({ "ms": 0 }));
        assert_eq!(server.state(&task)["taskId"], task["taskId"]);
    }
}

#[test]
fn ids_of_tasks_are_unlike_each_other() {
    let mut server = opened();
    let mut ids: Vec<String> =
        (0..50).map(|_| server.task("slow", json!({ "ms": 0 }))["taskId"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
    assert!(ids.iter().all(|id| id.len() == 38), "a UUID in quotes");
}

#[test]
fn no_message_is_about_a_task_before_the_one_that_tells_of_it() {
    let mut server = opened();
    let params = json!({
        "name": "slow", "arguments": { "ms": 0 }, "task": {}, "_meta": { "progressToken": "t" }
    });
    let id = server.begin("tools/call", params);
    assert_eq!(server.next_message().expect("a message")["id"], id);
}

/// "Servers SHOULD return a -32601 error if a client attempts to do so."
#[test]
fn a_tool_that_is_no_task_cannot_be_made_one() {
    let mut server = opened();
    let refusal =
        server.refused("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 }, "task": {} }));
    assert_eq!(refusal.code, -32601);
    assert!(refusal.message.contains("add"), "{refusal}");
}

/// "Servers MUST return a -32601 error if a client does not attempt to do so."
#[test]
fn a_tool_that_is_only_a_task_cannot_be_called_otherwise() {
    let mut server = opened();
    let refusal = server.refused("tools/call", json!({ "name": "required", "arguments": {} }));
    assert_eq!(refusal.code, -32601);
    let task = server.task("required", json!({ "name": "Ada" }));
    server.ended(&task);
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "ran for Ada");
    assert_eq!(server.ok("tasks/list", json!({}))["tasks"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_client_of_an_older_revision_is_told_why_it_cannot_call_such_a_tool() {
    let mut server = fixture!();
    server.initialize("2025-06-18");
    let refusal = server.refused("tools/call", json!({ "name": "required", "arguments": {} }));
    assert_eq!(refusal.code, -32601);
    assert!(refusal.message.contains("task"), "{refusal}");
}

#[test]
fn a_failed_tool_is_a_failed_task_with_its_words() {
    let mut server = opened();
    let task = server.task("failing", json!({}));
    let state = server.ended(&task);
    assert_eq!(
        (&state["status"], &state["statusMessage"]),
        (&json!("failed"), &json!("API rate limit exceeded"))
    );
    let result = server.ok("tasks/result", id(&task));
    assert_eq!((text(&result), &result["isError"]), ("API rate limit exceeded", &json!(true)));
    let list = server.ok("tasks/list", json!({}));
    assert_eq!(list["tasks"][0]["status"], "failed");
    let told = server.notification_that(|message| message["params"]["status"] != "working");
    assert_eq!(told["params"]["status"], "failed");
}

/// "If the underlying request resulted in a JSON-RPC error, `tasks/result` MUST return that same JSON-RPC error."
#[test]
fn a_json_rpc_error_of_a_task_is_the_same_error_as_its_result() {
    let mut server = opened();
    let plain = server.refused("tools/call", json!({ "name": "protocol_error" }));
    let task = server.task("protocol_error", json!({}));
    let state = server.ended(&task);
    assert_eq!(
        (&state["status"], &state["statusMessage"]),
        (&json!("failed"), &json!("the database is gone"))
    );
    for _ in 0..2 {
        assert_eq!(server.refused("tasks/result", id(&task)), plain);
    }
    assert_eq!((plain.code, plain.data), (-32603, json!("gone")));
}

#[test]
fn a_panic_is_a_failed_task_that_tells_nothing_of_it() {
    let mut server = opened();
    let task = server.task("collapse", json!({}));
    let state = server.ended(&task);
    assert_eq!(state["status"], "failed");
    let refusal = server.refused("tasks/result", id(&task));
    assert_eq!(refusal.code, -32603);
    assert!(!format!("{state} {refusal}").contains("1234"), "{state} {refusal}");
}

#[test]
fn a_run_that_takes_too_long_is_a_failed_task() {
    let mut server = opened();
    let task = server.task("bounded", json!({}));
    assert_eq!(server.ended(&task)["status"], "failed");
    assert_eq!(server.ok("tasks/result", id(&task))["isError"], true);
}

#[test]
fn the_result_of_a_task_is_the_result_of_the_call() {
    let mut server = opened();
    server.ok("tools/list", json!({}));
    for (tool, arguments) in
        [("report", json!({})), ("items", json!({})), ("lookup", json!({ "name": "third" }))]
    {
        let plain = server.call(tool, arguments.clone());
        let task = server.task(tool, arguments);
        let mut result = server.ok("tasks/result", id(&task));
        result.as_object_mut().expect("an object").remove("_meta");
        assert_eq!(result, plain);
    }
    let task = server.task("badge", json!({}));
    let result = server.ok("tasks/result", id(&task));
    assert_eq!(result["_meta"]["com.example/badge"], "gold");
    assert_eq!(result["_meta"][names::RELATED_TASK]["taskId"], task["taskId"]);
}

#[test]
fn everyone_who_waits_for_a_result_gets_it() {
    let mut server = opened();
    let task = server.task("wait", json!({ "gate": "a" }));
    let waiting: Vec<Value> = (0..5).map(|_| server.begin("tasks/result", id(&task))).collect();
    server.ok("ping", json!({}));
    server.open_gate("a");
    for request in waiting {
        assert_eq!(text(&server.answer(&request).expect("the result")), "passed a");
    }
}

#[test]
fn waiting_for_a_result_can_be_cancelled_and_the_task_goes_on() {
    let mut server = opened();
    let task = server.task("wait", json!({ "gate": "a" }));
    let waiting = server.begin("tasks/result", id(&task));
    server.ok("ping", json!({}));
    server.cancel(&waiting);
    server.ok("ping", json!({}));
    assert_eq!(server.state(&task)["status"], "working");
    server.open_gate("a");
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "passed a");
}

#[test]
fn a_result_can_be_had_again_and_again() {
    let mut server = opened();
    let task = server.task("slow", json!({ "ms": 1 }));
    let first = server.ok("tasks/result", id(&task));
    assert_eq!(server.ok("tasks/result", id(&task)), first);
}

#[test]
fn a_task_that_is_not_there_is_refused_by_every_method() {
    let mut server = opened();
    let ids = ["786512e2-9e0d-44bd-8f29-789f320fe840", "nonsense", "", "../../etc/passwd"];
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        for id in ids {
            assert_eq!(server.refused(method, json!({ "taskId": id })).code, -32602, "{method} {id:?}");
        }
        assert_eq!(server.refused(method, json!({})).code, -32602, "{method} without an id");
        assert_eq!(server.refused(method, json!({ "taskId": 7 })).code, -32602, "{method} with a number");
    }
}

/// "The `taskId` parameter in the request MUST be used as the source of truth."
#[test]
fn the_parameter_names_the_task_whatever_the_metadata_says() {
    let mut server = opened();
    let (task, other) = (server.task("slow", json!({ "ms": 0 })), server.task("slow", json!({ "ms": 0 })));
    let params = json!({
        "taskId": task["taskId"], "_meta": { (names::RELATED_TASK): { "taskId": other["taskId"] } }
    });
    assert_eq!(server.ok("tasks/get", params.clone())["taskId"], task["taskId"]);
    assert_eq!(server.ok("tasks/result", params)["_meta"][names::RELATED_TASK]["taskId"], task["taskId"]);
}

#[test]
fn progress_of_a_task_carries_the_token_of_the_call_until_its_end() {
    let mut server = opened();
    let task = server.task_with(json!({
        "name": "wait", "arguments": { "gate": "a", "steps": 2 }, "_meta": { "progressToken": "abc123" }
    }));
    let is_progress = |message: &Value| message["method"] == "notifications/progress";
    for step in [1, 2] {
        let params = server.notification_that(is_progress)["params"].take();
        assert_eq!((&params["progressToken"], &params["progress"]), (&json!("abc123"), &json!(step)));
        assert_eq!(params["_meta"][names::RELATED_TASK]["taskId"], task["taskId"]);
    }
    server.open_gate("a");
    assert_eq!(server.notification_that(is_progress)["params"]["message"], "through");
    assert_eq!(server.ended(&task)["status"], "completed");
    assert!(!server.close().messages.iter().any(is_progress));
}

/// "Progress notifications for tasks MUST stop after the task reaches a terminal status."
#[test]
fn progress_of_a_task_stops_at_its_end() {
    let mut server = opened();
    let task = server.task_with(json!({
        "name": "linger", "arguments": { "gate": "a" }, "_meta": { "progressToken": "t" }
    }));
    server.ended(&task);
    server.open_gate("a");
    server.pass_gate("a-said");
    server.ok("ping", json!({}));
}

#[test]
fn progress_is_the_status_message_of_a_task() {
    let mut server = opened();
    let task = server.task("wait", json!({ "gate": "a", "steps": 3 }));
    server.pass_gate("a-reached");
    assert_eq!(server.state(&task)["statusMessage"], "step 3");
    let told = server.notification_that(|message| message["params"]["statusMessage"] == "step 3");
    assert_eq!(
        (&told["method"], &told["params"]["status"]),
        (&json!("notifications/tasks/status"), &json!("working"))
    );
}

#[test]
fn the_last_that_a_client_is_told_of_a_task_is_its_end() {
    let mut server = opened();
    for tool in ["slow", "failing", "protocol_error", "collapse", "wait"] {
        let arguments = match tool {
            "slow" => json!({ "ms": 1 }),
            "wait" => json!({ "gate": "never" }),
            _ => json!({}),
        };
        let task = server.task(tool, arguments);
        let end = if tool == "wait" { server.ok("tasks/cancel", id(&task)) } else { server.ended(&task) };
        let is_over = |message: &Value| {
            message["params"]["taskId"] == task["taskId"] && message["params"]["status"] != "working"
        };
        assert_eq!(server.notification_that(is_over)["params"], end, "{tool}: what `tasks/get` says");
    }
    server.ok("ping", json!({}));
    let is_end = |message: &Value| message["params"]["status"] != "working";
    assert!(!server.close().messages.iter().any(is_end), "an end is told once");
}

#[test]
fn the_lifetime_that_a_client_asks_for_is_kept_within_bounds() {
    let mut server = session(fixture!("--max-ttl=5000"));
    let mut ttl = |task: Value| {
        let params = json!({ "name": "wait", "arguments": { "gate": "never" }, "task": task });
        server.task_with(params)["ttl"].clone()
    };
    assert_eq!(ttl(json!({ "ttl": 2000 })), 2000);
    assert_eq!(ttl(json!({ "ttl": 2000.0 })), 2000);
    assert_eq!(ttl(json!({ "ttl": 3_600_000 })), 5000);
    assert_eq!(ttl(json!({ "ttl": 1e300 })), 5000);
    // Who does not ask gets the server's default, which is within its own bounds.
    assert_eq!(ttl(json!({ "ttl": null })), 5000);
    assert_eq!(ttl(json!({ "unknown": true })), 5000);
}

#[test]
fn a_lifetime_that_is_no_duration_is_refused() {
    let mut server = opened();
    for ttl in [json!(-1), json!("60000"), json!({})] {
        let params = json!({ "name": "slow", "arguments": { "ms": 0 }, "task": { "ttl": ttl } });
        assert_eq!(server.refused("tools/call", params).code, -32602, "{ttl}");
    }
    assert_eq!(server.ok("tasks/list", json!({})), json!({ "tasks": [] }));
}

#[test]
fn a_task_is_gone_when_its_time_is_up() {
    let mut server = opened();
    let task = server.task("brief", json!({}));
    assert_eq!((&task["ttl"], &task["pollInterval"]), (&json!(1000), &json!(20)));
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "soon forgotten");
    let refusal = loop {
        match server.request("tasks/get", id(&task)) {
            Ok(_) => server.call("slow", json!({ "ms": 50 })),
            Err(refusal) => break refusal,
        };
    };
    assert_eq!(refusal.code, -32602);
    assert_eq!(server.refused("tasks/result", id(&task)).code, -32602);
    assert_eq!(server.ok("tasks/list", json!({})), json!({ "tasks": [] }));
}

#[test]
fn a_lifetime_does_not_end_work_that_is_going_on() {
    let mut server = opened();
    let task =
        server.task_with(json!({ "name": "slow", "arguments": { "ms": 1500 }, "task": { "ttl": 1000 } }));
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "took 1500 ms");
    let state = server.state(&task);
    assert_eq!(state["status"], "completed");
    assert!(
        state["ttl"].as_u64() >= Some(2500),
        "it counts from creation, and says when it really ends: {state}"
    );
}

#[test]
fn tasks_wait_for_each_other_where_their_tool_says_so() {
    let mut server = opened();
    let tasks: Vec<Value> = (0..20).map(|_| server.task("single", json!({}))).collect();
    for task in tasks {
        assert_eq!(text(&server.ok("tasks/result", id(&task))), "1");
    }
}

#[test]
fn a_result_over_the_limit_fails_its_task_with_the_name_of_the_limit() {
    let mut server = session(fixture!("--max-result-size=1000"));
    let task = server.task("heavy", json!({ "bytes": 2000 }));
    assert_eq!(server.ended(&task)["status"], "failed");
    let refusal = server.refused("tasks/result", id(&task));
    assert!(refusal.message.contains("max_result_size"), "{refusal}");
}

#[test]
fn tasks_over_the_limit_are_refused_until_others_have_ended() {
    let mut server = session(fixture!("--max-running-tasks=2"));
    let first = server.task("wait", json!({ "gate": "a" }));
    server.task("wait", json!({ "gate": "never" }));
    let params = json!({ "name": "wait", "arguments": { "gate": "never" }, "task": {} });
    let refusal = server.refused("tools/call", params.clone());
    assert_eq!(refusal.data["limit"], "max_running_tasks");
    server.open_gate("a");
    server.ok("tasks/result", id(&first));
    server.task_with(params);
}

#[test]
fn tasks_over_the_limit_of_kept_ones_are_refused() {
    let mut server = session(fixture!("--max-tasks-per-principal=1"));
    let task = server.task("slow", json!({ "ms": 0 }));
    server.ok("tasks/result", id(&task));
    let refusal =
        server.refused("tools/call", json!({ "name": "slow", "arguments": { "ms": 0 }, "task": {} }));
    assert_eq!(refusal.data["limit"], "max_tasks_per_principal");
}

#[test]
fn a_session_that_is_opened_again_finds_the_tasks_of_the_one_before() {
    let mut server = opened();
    let task = server.task("slow", json!({ "ms": 0 }));
    server.initialize(LEGACY);
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "took 0 ms");
}
