//! JSON-RPC batches, which 2025-03-26 has and no other revision.

use serde_json::{Value, json};
use tests::{LEGACY, Process, fixture, text};

use crate::REVISIONS;

fn batching() -> Process {
    let mut server = fixture!();
    server.initialize("2025-03-26");
    server
}

fn call(id: &Value, tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// The answers of a batch by their ids.
fn answers(batch: &Value) -> Vec<(&Value, &Value)> {
    let messages = batch.as_array().unwrap_or_else(|| panic!("this is no batch: {batch}"));
    let mut answers: Vec<_> = messages.iter().map(|message| (&message["id"], message)).collect();
    answers.sort_by_key(|(id, _)| id.to_string());
    answers
}

#[test]
fn a_batch_is_answered_with_a_batch() {
    let mut server = batching();
    server.send(&json!([
        call(&json!("a"), "add", &json!({ "a": 1, "b": 2 })),
        { "jsonrpc": "2.0", "method": "notifications/roots/list_changed" },
        { "jsonrpc": "2.0", "id": "b", "method": "ping" },
        { "jsonrpc": "2.0", "id": "c", "method": "nonsense" }
    ]));
    let batch = server.next_message().expect("an answer");
    let answers = answers(&batch);
    assert_eq!(
        answers.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [&json!("a"), &json!("b"), &json!("c")]
    );
    assert_eq!(text(&answers[0].1["result"]), "3");
    assert_eq!(answers[1].1["result"], json!({}));
    assert_eq!(answers[2].1["error"]["code"], -32601);
}

#[test]
fn a_batch_of_one_is_a_batch_too() {
    let mut server = batching();
    server.send(&json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }]));
    assert_eq!(answers(&server.next_message().expect("an answer")).len(), 1);
}

#[test]
fn a_batch_that_asks_for_nothing_is_not_answered() {
    let mut server = batching();
    server.send(&json!([
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        { "jsonrpc": "2.0", "method": "notifications/nonsense" }
    ]));
    server.ok("ping", json!({}));
    assert!(server.close().messages.is_empty());
}

#[test]
fn a_batch_is_answered_when_its_last_call_is() {
    let mut server = batching();
    server.send(&json!([
        call(&json!("waits"), "pass", &json!({ "gate": "a" })),
        call(&json!("does not"), "echo", &json!({ "text": "here" })),
        call(&json!("opens"), "open", &json!({ "gate": "b" }))
    ]));
    // The gate says that the batch was begun; nothing of it may have been answered.
    server.pass_gate("b");
    assert!(server.other_responses().is_empty());
    server.open_gate("a");
    assert_eq!(text(&server.answer(&json!("does not")).expect("a result")), "here");
    server.answer(&json!("waits")).expect("a result");
}

#[test]
fn what_is_cancelled_in_a_batch_is_left_out_of_the_answer() {
    let mut server = batching();
    server.send(&json!([
        call(&json!("cancelled"), "wait", &json!({ "gate": "never" })),
        call(&json!("waits"), "pass", &json!({ "gate": "a" }))
    ]));
    server.pass_gate("never-reached");
    server.cancel(&json!("cancelled"));
    server.pass_gate("never-left");
    server.open_gate("a");
    server.answer(&json!("waits")).expect("a result");
    assert!(server.close().messages.is_empty());
}

#[test]
fn what_is_no_message_is_refused_within_the_batch() {
    let mut server = batching();
    server.send_text(
        r#"[1, {"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":7}}, {"foo":"bar"}]"#,
    );
    let batch = server.next_message().expect("an answer");
    let mut codes: Vec<_> =
        answers(&batch).iter().map(|(_, answer)| answer["error"]["code"].clone()).collect();
    codes.sort_by_key(Value::to_string);
    assert_eq!(codes, [-32600, -32600, -32602]);
}

#[test]
fn an_empty_batch_is_refused_with_one_error() {
    let mut server = batching();
    server.send_text("[]");
    let answer = server.next_message().expect("an answer");
    assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(-32600), None));
}

#[test]
fn a_batch_of_hundreds_is_answered_in_full() {
    let mut server = batching();
    let batch: Vec<Value> = (0..200).map(|n| call(&json!(n), "add", &json!({ "a": n, "b": 1 }))).collect();
    server.send(&Value::Array(batch));
    for n in 0..200 {
        assert_eq!(text(&server.answer(&json!(n)).expect("a result")), (n + 1).to_string());
    }
}

#[test]
fn other_revisions_refuse_a_batch_and_go_on() {
    for revision in REVISIONS.into_iter().filter(|revision| *revision != "2025-03-26") {
        let mut server = fixture!();
        server.initialize(revision);
        server.send_text(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#);
        let answer = server.next_message().expect("an answer");
        assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(-32600), None), "{revision}");
        server.ok("ping", json!({}));
    }
}

#[test]
fn a_batch_before_the_handshake_is_refused() {
    let mut server = fixture!();
    server.send_text(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#);
    assert_eq!(server.next_message().expect("an answer")["error"]["code"], -32600);
    assert_eq!(server.initialize(LEGACY)["protocolVersion"], LEGACY);
}
