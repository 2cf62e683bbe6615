//! The end: of the input, of the client, and of what still runs then.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tests::{LEGACY, Wire, fixture, text, wait_for_exit};

use crate::{both_ways, opened};

#[test]
fn a_server_without_a_client_ends_at_once() {
    let remains = fixture!().close();
    assert!(remains.messages.is_empty() && remains.stderr.is_empty(), "{remains:?}");
}

#[test]
fn the_last_message_needs_no_line_end() {
    let mut server = fixture!();
    server.send_bytes(br#"{"jsonrpc":"2.0","id":"last","method":"ping"}"#);
    let messages = server.close().messages;
    assert_eq!((messages.len(), &messages[0]["id"]), (1, &json!("last")));
}

#[test]
fn calls_that_run_at_the_end_of_the_input_are_still_answered() {
    for mut server in both_ways() {
        let ids: Vec<Value> = (0..20).map(|_| server.begin_call("slow", json!({ "ms": 100 }))).collect();
        server.end_input();
        for id in ids {
            assert_eq!(text(&server.answer(&id).expect("a result")), "took 100 ms");
        }
        assert!(server.close().messages.is_empty());
    }
}

/// The answer is written after its call has ended, which is when the server may think that nothing is left to do.
#[test]
fn the_last_answer_is_not_lost_however_close_the_end_is() {
    for _ in 0..40 {
        let mut server = fixture!().speaking(Wire::Modern);
        let call = server.begin_call("late", json!({ "bytes": 3_000_000 }));
        server.end_input();
        assert_eq!(text(&server.answer(&call).expect("a result")).len(), 3_000_000);
    }
}

#[test]
fn a_batch_that_runs_at_the_end_of_the_input_is_still_answered() {
    for _ in 0..20 {
        let mut server = fixture!();
        server.initialize("2025-03-26");
        let call = |id: &str| {
            let params = json!({ "name": "late", "arguments": { "bytes": 300_000 } });
            json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
        };
        server.send(&json!([call("a"), call("b")]));
        server.end_input();
        for id in ["a", "b"] {
            assert_eq!(text(&server.answer(&json!(id)).expect("a result")).len(), 300_000);
        }
    }
}

#[test]
fn calls_that_do_not_end_are_given_up_after_the_grace_period() {
    let mut server = fixture!("--grace=50").speaking(Wire::Modern);
    server.begin_call("wait", json!({ "gate": "never" }));
    server.begin_call("stubborn", json!({ "gate": "never" }));
    let _ = server.begin_call("tidy", json!({ "gate": "never" }));
    server.pass_gate("never-reached");
    assert!(server.close().messages.is_empty());
}

/// "Servers SHOULD exit promptly when their standard input is closed", and nothing can stop a thread that blocks.
#[test]
fn a_thread_that_blocks_does_not_keep_the_server_alive() {
    for wire in [Wire::Modern, Wire::Tasks] {
        let mut server = fixture!("--grace=50").speaking(wire);
        server.begin_call("block", json!({ "ms": 300_000 }));
        server.call("nothing", json!({}));
        server.close();
    }
}

#[test]
fn tasks_that_run_at_the_end_of_the_input_hold_up_nobody() {
    let mut server = opened();
    for _ in 0..10 {
        server.task("wait", json!({ "gate": "never" }));
    }
    server.pass_gate("never-reached");
    server.close();
}

/// A task in memory ends with its server; who waits for it is not left without an answer, and holds up nobody either.
#[test]
fn who_waits_for_the_result_of_a_task_that_is_stopped_at_the_end_of_the_input_is_told() {
    let mut server = fixture!("--grace=50");
    server.initialize(LEGACY);
    let task = server.task("wait", json!({ "gate": "never" }));
    let waiting = server.begin("tasks/result", json!({ "taskId": task["taskId"] }));
    server.pass_gate("never-reached");
    server.end_input();
    assert_eq!(server.answer(&waiting).expect_err("the task ends with the server").code, -32603);
}

#[test]
fn a_task_that_cleans_up_may_do_so_at_the_end_of_the_input() {
    let mut server = opened();
    server.open_gate("a-clean");
    server.task("tidy", json!({ "gate": "a" }));
    server.pass_gate("a-reached");
    assert!(server.close().stderr.contains("cleaned up"));
}

#[test]
fn what_a_tool_writes_to_standard_error_stays_there() {
    for mut server in both_ways() {
        for line in ["a plain line", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#] {
            server.call("whisper", json!({ "text": line }));
        }
        let remains = server.close();
        assert!(remains.messages.is_empty());
        assert!(
            remains.stderr.contains("a plain line") && remains.stderr.contains("\"result\":{}"),
            "{remains:?}"
        );
    }
}

/// A server whose output nobody will read.
fn deaf(calls: &[Value]) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fixture"))
        .arg("--grace=300")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the fixture starts");
    let stdin = child.stdin.as_mut().expect("a pipe");
    let client = json!({ "name": "tests", "version": "0" });
    let params = json!({ "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client });
    let opening = json!({ "jsonrpc": "2.0", "id": "open", "method": "initialize", "params": params });
    for message in std::iter::once(&opening).chain(calls) {
        writeln!(stdin, "{message}").expect("the server reads");
    }
    child
}

fn call(id: u32, tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

#[test]
fn a_client_that_vanishes_in_the_middle_of_a_call_is_no_failure() {
    for calls in [
        vec![],
        vec![call(1, "slow", &json!({ "ms": 50 }))],
        vec![call(1, "wait", &json!({ "gate": "never" })), call(2, "slow", &json!({ "ms": 50 }))],
        vec![
            call(1, "late", &json!({ "bytes": 1_000_000 })),
            call(2, "heavy", &json!({ "bytes": 1_000_000 })),
        ],
    ] {
        let mut child = deaf(&calls);
        drop(child.stdout.take());
        drop(child.stdin.take());
        assert!(wait_for_exit(&mut child).success(), "{calls:?}");
    }
}

#[test]
fn a_client_that_reads_nothing_any_more_is_no_failure() {
    let mut child = deaf(&[call(1, "slow", &json!({ "ms": 20 }))]);
    drop(child.stdout.take());
    let stdin = child.stdin.as_mut().expect("a pipe");
    // Its next answers reach nobody, which the server finds out sooner or later.
    while writeln!(stdin, "{}", call(2, "greet", &json!({ "name": "Ada" }))).is_ok() {}
    assert!(wait_for_exit(&mut child).success());
}
