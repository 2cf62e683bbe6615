//! Idempotency keys: a call that is repeated because its answer was lost makes no second task.

mod restarts;

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, fixture};

/// Each place where a key may stand.
const PLACES: [fn(&mut Value, &str); 4] = [
    |params, key| params["idempotencyKey"] = json!(key),
    |params, key| params["_meta"]["io.modelcontextprotocol/idempotencyKey"] = json!(key),
    |params, key| params["_meta"]["dev.mcp-runtime/idempotencyKey"] = json!(key),
    |params, key| {
        params["_meta"]["modelcontextprotocol.io/task"] = json!({ "taskId": key, "keepAlive": 60000 });
    },
];

/// A client of each wire that takes tasks.
fn both() -> [Process; 2] {
    let mut opened = fixture!();
    opened.initialize(LEGACY);
    [opened, fixture!().speaking(Wire::Tasks)]
}

fn call(tool: &str, arguments: &Value) -> Value {
    json!({ "name": tool, "arguments": arguments, "_meta": {} })
}

fn keyed(tool: &str, arguments: &Value, key: &str) -> Value {
    let mut params = call(tool, arguments);
    PLACES[0](&mut params, key);
    params
}

#[test]
fn the_same_key_twice_gives_one_task_wherever_it_stands() {
    for mut server in both() {
        for (number, place) in PLACES.iter().enumerate() {
            // A key is of one tool; so each place gets a tool of its own.
            let tool = ["failing", "protocol_error", "report", "bounded"][number];
            let mut params = call(tool, &json!({}));
            place(&mut params, "the key");
            let first = server.task_with(params.clone());
            let second = server.task_with(params);
            assert_eq!(second["taskId"], first["taskId"]);
            assert_eq!(second["createdAt"], first["createdAt"]);
        }
    }
}

#[test]
fn the_same_key_in_another_place_is_the_same_key() {
    for mut server in both() {
        let tasks: Vec<Value> = PLACES
            .iter()
            .map(|place| {
                let mut params = call("wait", &json!({ "gate": "never" }));
                place(&mut params, "the key");
                server.task_with(params)["taskId"].take()
            })
            .collect();
        assert!(tasks.iter().all(|task| *task == tasks[0]), "{tasks:?}");
    }
}

#[test]
fn a_key_in_the_parameters_counts_before_one_in_the_metadata() {
    let [_, mut server] = both();
    let mut params = call("wait", &json!({ "gate": "never" }));
    PLACES[0](&mut params, "first");
    PLACES[1](&mut params, "second");
    let task = server.task_with(params);
    assert_eq!(
        server.task_with(keyed("wait", &json!({ "gate": "never" }), "first"))["taskId"],
        task["taskId"]
    );
    assert_ne!(
        server.task_with(keyed("wait", &json!({ "gate": "never" }), "second"))["taskId"],
        task["taskId"]
    );
}

#[test]
fn the_tool_runs_once() {
    for mut server in both() {
        let params = keyed("increase_in_background", &json!({ "by": 5 }), "the key");
        let first = server.task_with(params.clone());
        server.task_with(params.clone());
        server.ended(&first);
        server.task_with(params);
        assert_eq!(tests::text(&server.call("increase", json!({ "by": 0 }))), "5");
    }
}

#[test]
fn other_arguments_under_the_same_key_are_refused() {
    for mut server in both() {
        let task = server.task_with(keyed("wait", &json!({ "gate": "a", "steps": 1 }), "the key"));
        let mut params = keyed("wait", &json!({ "gate": "b", "steps": 1 }), "the key");
        params["task"] = json!({});
        let refusal = server.refused("tools/call", params);
        assert_eq!(refusal.code, -32602);
        assert!(refusal.message.contains("key") && refusal.message.contains("arguments"), "{refusal}");
        assert_eq!(server.state(&task)["status"], "working");
    }
}

#[test]
fn the_same_arguments_in_another_spelling_are_the_same() {
    let mut server = fixture!();
    server.initialize(LEGACY);
    let spellings =
        [r#"{"gate":"a","steps":1}"#, r#"{ "steps": 1, "gate": "a" }"#, "{\"gate\":\"\\u0061\",\"steps\":1}"];
    let tasks: Vec<Value> = spellings
        .iter()
        .map(|arguments| {
            let id = server.next_id();
            server.send_spelled(&format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"wait","arguments":{arguments},"task":{{}},"idempotencyKey":"k"}}}}"#
            ));
            server.answer(&id).expect("a task")["task"]["taskId"].take()
        })
        .collect();
    assert!(tasks.iter().all(|task| *task == tasks[0]), "{tasks:?}");
}

#[test]
fn a_key_finds_the_task_in_whatever_state_it_is() {
    for mut server in both() {
        let params = keyed("slow", &json!({ "ms": 0 }), "the key");
        let task = server.task_with(params.clone());
        let ended = server.ended(&task);
        let again = server.task_with(params);
        assert_eq!((&again["taskId"], &again["status"]), (&task["taskId"], &ended["status"]));
        assert!(again.get("result").is_none(), "what it came to is asked for as ever");

        let params = keyed("wait", &json!({ "gate": "never" }), "another key");
        let task = server.task_with(params.clone());
        server.ok("tasks/cancel", json!({ "taskId": task["taskId"] }));
        assert_eq!(server.task_with(params)["status"], "cancelled");
    }
}

#[test]
fn a_key_is_of_one_tool() {
    for mut server in both() {
        let one = server.task_with(keyed("wait", &json!({ "gate": "never" }), "the key"));
        let other = server.task_with(keyed("report", &json!({}), "the key"));
        assert_ne!(one["taskId"], other["taskId"]);
    }
}

#[test]
fn a_key_is_the_same_on_both_wires() {
    let [mut server, _] = both();
    let params = keyed("wait", &json!({ "gate": "never" }), "the key");
    let task = server.task_with(params.clone());
    server.speak(Wire::Tasks);
    assert_eq!(server.task_with(params)["taskId"], task["taskId"]);
}

#[test]
fn calls_without_a_key_are_different_calls() {
    for mut server in both() {
        let params = call("wait", &json!({ "gate": "never" }));
        assert_ne!(server.task_with(params.clone())["taskId"], server.task_with(params)["taskId"]);
    }
}

#[test]
fn a_key_that_is_none_is_refused() {
    for mut server in both() {
        for key in [json!(""), json!("x".repeat(257)), json!(7), json!({})] {
            let params = json!({ "name": "wait", "arguments": { "gate": "never" }, "idempotencyKey": key });
            assert_eq!(server.refused("tools/call", params).code, -32602, "{key}");
        }
    }
}

#[test]
fn arguments_that_break_a_rule_use_up_no_key() {
    for mut server in both() {
        let mut params = keyed("limited", &json!({ "maxDepth": 9, "name": "Ada" }), "the key");
        params["task"] = json!({});
        assert_eq!(server.ok("tools/call", params)["isError"], true);
        server.task_with(keyed("limited", &json!({ "maxDepth": 1, "name": "Ada" }), "the key"));
    }
}

#[test]
fn a_key_means_nothing_to_a_call_that_makes_no_task() {
    let mut server = fixture!().speaking(Wire::Modern);
    for total in ["5", "10"] {
        let result = server.ok("tools/call", keyed("increase", &json!({ "by": 5 }), "the key"));
        assert_eq!(tests::text(&result), total);
    }
}

/// Params of a call that a host calls so.
fn used(tool: &str, arguments: &Value, id: &Value) -> Value {
    let mut params = call(tool, arguments);
    params["_meta"]["claudecode/toolUseId"] = id.clone();
    params
}

#[test]
fn what_a_host_calls_its_use_of_a_tool_is_a_key_where_the_server_says_so() {
    let never = json!({ "gate": "never" });
    for wire in [Wire::Legacy, Wire::Tasks] {
        let mut server = fixture!("--tool-use-ids");
        server.initialize(LEGACY);
        server.speak(wire);
        let task = server.task_with(used("wait", &never, &json!("toolu_1")));
        assert_eq!(server.task_with(used("wait", &never, &json!("toolu_1")))["taskId"], task["taskId"]);
        assert_ne!(server.task_with(used("wait", &never, &json!("toolu_2")))["taskId"], task["taskId"]);
        let mut other = used("wait", &json!({ "gate": "another" }), &json!("toolu_1"));
        other["task"] = json!({});
        assert_eq!(server.refused("tools/call", other).code, -32602);
        let mut named = used("wait", &never, &json!("toolu_1"));
        PLACES[0](&mut named, "the key");
        let named = server.task_with(named);
        assert_ne!(named["taskId"], task["taskId"], "a key that is called one comes first");
        assert_eq!(server.task_with(keyed("wait", &never, "the key"))["taskId"], named["taskId"]);
        for none in [json!(""), json!("x".repeat(257)), json!(7), Value::Null] {
            let ids = [(); 2].map(|()| server.task_with(used("wait", &never, &none))["taskId"].take());
            assert_ne!(ids[0], ids[1], "{none} is no key, and nobody said that it was");
        }
    }
}

#[test]
fn what_a_host_calls_its_use_of_a_tool_is_no_key_where_nobody_says_so() {
    for mut server in both() {
        let params = used("wait", &json!({ "gate": "never" }), &json!("toolu_1"));
        assert_ne!(server.task_with(params.clone())["taskId"], server.task_with(params)["taskId"]);
    }
}

#[test]
fn a_hundred_repetitions_at_once_make_one_task() {
    for mut server in both() {
        let mut params = keyed("wait", &json!({ "gate": "never" }), "the key");
        params["task"] = json!({});
        let ids: Vec<Value> = (0..100).map(|_| server.begin("tools/call", params.clone())).collect();
        let mut tasks: Vec<String> = ids
            .iter()
            .map(|id| {
                let result = server.answer(id).expect("a task");
                result.get("task").unwrap_or(&result)["taskId"].to_string()
            })
            .collect();
        tasks.dedup();
        assert_eq!(tasks.len(), 1);
    }
}
