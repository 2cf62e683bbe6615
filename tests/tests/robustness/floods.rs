//! Much at once: requests without end, answers without a reader.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::{Wire, text, wait_for_exit};

use crate::{both_ways, opened};

#[test]
fn a_thousand_pipelined_requests_are_all_answered() {
    for mut server in both_ways() {
        let ids: Vec<Value> =
            (0..1000).map(|n| server.begin_call("add", json!({ "a": n, "b": 1 }))).collect();
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(text(&server.answer(id).expect("a result")), (n + 1).to_string());
        }
    }
}

#[test]
fn a_thousand_requests_that_wait_are_all_answered() {
    for mut server in both_ways() {
        let ids: Vec<Value> = (0..1000).map(|_| server.begin_call("pass", json!({ "gate": "a" }))).collect();
        server.open_gate("a");
        for id in &ids {
            server.answer(id).expect("a result");
        }
    }
}

#[test]
fn a_thousand_tasks_side_by_side_all_end() {
    let mut server = opened();
    let tasks: Vec<Value> = (0..1000).map(|_| server.task("wait", json!({ "gate": "a" }))).collect();
    server.open_gate("a");
    let waiting: Vec<Value> =
        tasks.iter().map(|task| server.begin("tasks/result", json!({ "taskId": task["taskId"] }))).collect();
    for request in &waiting {
        assert_eq!(text(&server.answer(request).expect("a result")), "passed a");
    }
    server.speak(Wire::Tasks);
    assert_eq!(server.state(&tasks[999])["status"], "completed");
}

#[test]
fn a_client_that_reads_late_gets_every_answer() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fixture"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the fixture starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Far more than the pipes between hold, so that both sides come to wait.
    let filler = "x".repeat(10_000);
    let writer = std::thread::spawn(move || {
        let client = json!({ "name": "tests", "version": "0" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        let opening = json!({ "jsonrpc": "2.0", "id": "open", "method": "initialize", "params": params });
        writeln!(stdin, "{opening}").expect("the server reads");
        for id in 0..1000 {
            let params = json!({ "name": "echo", "arguments": { "text": filler } });
            let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
            writeln!(stdin, "{call}").expect("the server reads");
        }
    });
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("an answer").expect("text");
        serde_json::from_str(&line).expect("a message")
    };
    assert_eq!(next()["id"], "open");
    let mut answered: Vec<i64> = (0..1000)
        .map(|_| {
            let answer = next();
            assert_eq!(text(&answer["result"]).len(), 10_000);
            answer["id"].as_i64().expect("a number")
        })
        .collect();
    answered.sort_unstable();
    assert_eq!(answered, (0..1000).collect::<Vec<_>>());
    writer.join().expect("everything was sent");
    assert!(wait_for_exit(&mut child).success());
}
