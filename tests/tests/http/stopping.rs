//! A process that is asked to stop while tasks are at work.

#![cfg(unix)]

use std::path::PathBuf;

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

/// Removes a folder when the test is over.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // The system removes what this cannot.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_may_run_again_goes_on_in_the_next_process_and_the_rest_says_that_it_does_not() {
    let folder = Folder(std::env::temp_dir().join(format!("mcp-stopping-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).expect("a folder");
    let file = format!("--kept-in={}", folder.0.join("tasks.db").display());
    let fixture = Fixture::start(&[&file, "--drain=0"]);
    let [again, once] = ["wait_again", "wait"].map(|tool| {
        let call = json!({ "name": tool, "arguments": { "gate": "open" } });
        ask(&fixture, "tools/call", call)["taskId"].take()
    });
    fixture.terminate();
    assert!(fixture.wait().success());
    let next = Fixture::start(&[&file]);
    next.open_gate("open");
    let state = get(&next, &once);
    let message = state["error"]["message"].as_str().unwrap_or_else(|| panic!("{state}"));
    assert!(message.contains("the server stopped before the task was done"), "{message}");
    loop {
        let state = get(&next, &again);
        if state["status"] != "working" {
            assert_eq!(state["result"]["content"][0]["text"], "passed open", "{state}");
            break;
        }
    }
}
