//! A process that is asked to stop while tasks are at work.

#![cfg(unix)]

use serde_json::{Value, json};

use crate::raw::{Fixture, Response};

fn message(response: &Response) -> Value {
    serde_json::from_str(&response.body).unwrap_or_else(|_| panic!("{response:?}"))
}

fn ask(fixture: &Fixture, method: &str, params: Value) -> Value {
    let mut connection = fixture.connect();
    connection.begin_as_task(1, method, params);
    message(&connection.response())["result"].take()
}

fn get(fixture: &Fixture, task: &Value) -> Value {
    ask(fixture, "tasks/get", json!({ "taskId": task }))
}

/// Asks the process to stop, and waits until it is about to.
fn terminate(fixture: &Fixture) {
    fixture.terminate();
    loop {
        let refused = fixture.connect().call(1, "add", &json!({ "a": 1, "b": 2 }));
        if refused.status == 503 {
            assert_eq!(message(&refused)["error"]["code"], -31030);
            return;
        }
        assert_eq!(refused.status, 200);
    }
}

#[test]
fn a_task_comes_to_its_end_and_is_seen_before_the_process_ends() {
    let fixture = Fixture::start(&["--asking", "--drain=600000"]);
    let task = ask(&fixture, "tools/call", json!({ "name": "gift", "arguments": {} }))["taskId"].take();
    let key = loop {
        let state = get(&fixture, &task);
        if let Some((key, _)) = state["inputRequests"].as_object().and_then(|asked| asked.iter().next()) {
            break key.clone();
        }
    };
    terminate(&fixture);
    let answer = json!({ "action": "decline" });
    ask(&fixture, "tasks/update", json!({ "taskId": task, "inputResponses": { (key): answer } }));
    loop {
        let state = get(&fixture, &task);
        if state["status"] == "completed" {
            assert!(state["result"]["content"].is_array(), "{state}");
            break;
        }
    }
    assert!(fixture.wait().success());
}

#[test]
fn who_asks_a_second_time_waits_for_no_task() {
    let fixture = Fixture::start(&["--drain=600000"]);
    ask(&fixture, "tools/call", json!({ "name": "wait", "arguments": { "gate": "never" } }));
    terminate(&fixture);
    fixture.terminate();
    assert!(fixture.wait().success());
}
