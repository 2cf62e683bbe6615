//! Calls side by side: in whatever order they end, cancelled while they run, with ids that are in use.

use serde_json::{Value, json};
use tests::{Wire, fixture, text};

use crate::{both_ways, opened};

#[test]
fn answers_come_in_the_order_in_which_calls_end() {
    for mut server in both_ways() {
        let first = server.begin_call("pass", json!({ "gate": "a" }));
        let second = server.begin_call("pass", json!({ "gate": "b" }));
        let third = server.begin_call("echo", json!({ "text": "at once" }));
        assert_eq!(server.next_message().expect("an answer")["id"], third);
        let opens = server.begin_call("open", json!({ "gate": "b" }));
        let mut next = [server.next_message(), server.next_message()]
            .map(|message| message.expect("an answer")["id"].take());
        next.sort_by_key(Value::to_string);
        assert_eq!(next, [second, opens]);
        server.open_gate("a");
        server.answer(&first).expect("a result");
    }
}

#[test]
fn a_cancelled_call_is_dropped_and_not_answered() {
    for mut server in both_ways() {
        let call = server.begin_call("wait", json!({ "gate": "a" }));
        server.pass_gate("a-reached");
        server.cancel(&call);
        server.pass_gate("a-left");
        server.open_gate("a");
        assert!(server.close().messages.is_empty());
    }
}

#[test]
fn a_cancelled_call_may_clean_up_and_is_not_answered_either() {
    for mut server in both_ways() {
        let params =
            json!({ "name": "tidy", "arguments": { "gate": "a" }, "_meta": { "progressToken": "t" } });
        let call = server.begin("tools/call", params);
        server.pass_gate("a-reached");
        server.cancel(&call);
        // What comes after this answer comes from a server that knows of the cancellation.
        server.open_gate("a-clean");
        server.pass_gate("a");
        server.call("nothing", json!({}));
        let progress = server.notifications();
        assert_eq!(progress.len(), 1, "\"MUST NOT send any further messages for it\": {progress:?}");
        assert!(server.close().messages.is_empty());
    }
}

#[test]
fn a_cancelled_call_that_does_not_end_is_dropped_after_the_grace_period() {
    let mut server = fixture!("--grace=20").speaking(Wire::Modern);
    let call = server.begin_call("stubborn", json!({ "gate": "never" }));
    server.pass_gate("never-reached");
    server.cancel(&call);
    server.pass_gate("never-left");
    assert!(server.close().messages.is_empty());
}

#[test]
fn cancelling_what_is_unknown_or_over_changes_nothing() {
    for mut server in both_ways() {
        let call = server.begin_call("pass", json!({ "gate": "a" }));
        let over = server.begin_call("nothing", json!({}));
        server.answer(&over).expect("a result");
        for id in [json!(987_654), json!(call.to_string()), json!("nonsense"), over] {
            server.cancel(&id);
        }
        server.open_gate("a");
        server.answer(&call).expect("a result");
    }
}

#[test]
fn an_id_can_be_used_again_once_its_request_is_over_or_cancelled() {
    for mut server in both_ways() {
        for round in 0..3 {
            let gate = format!("never {round}");
            server.begin_as(
                json!("again"),
                "tools/call",
                json!({ "name": "wait", "arguments": { "gate": gate } }),
            );
            server.pass_gate(&format!("{gate}-reached"));
            server.cancel(&json!("again"));
            server.pass_gate(&format!("{gate}-left"));
            server.begin_as(
                json!("again"),
                "tools/call",
                json!({ "name": "echo", "arguments": { "text": "here" } }),
            );
            assert_eq!(text(&server.answer(&json!("again")).expect("a result")), "here");
        }
    }
}

#[test]
fn ids_of_different_types_are_different_requests() {
    let mut server = opened();
    server.begin_as(json!("7000"), "tools/call", json!({ "name": "pass", "arguments": { "gate": "a" } }));
    server.begin_as(json!(7000), "tools/call", json!({ "name": "pass", "arguments": { "gate": "a" } }));
    server.cancel(&json!("7000"));
    server.open_gate("a");
    server.answer(&json!(7000)).expect("a result");
    assert!(server.close().messages.is_empty());
}

#[test]
fn a_panic_ends_its_own_call_and_no_other() {
    let mut server = fixture!().speaking(Wire::Modern);
    let waiting = server.begin_call("pass", json!({ "gate": "a" }));
    for tool in ["explode", "explode_blocking", "collapse"] {
        assert_eq!(server.refused("tools/call", json!({ "name": tool })).code, -32603);
    }
    server.open_gate("a");
    server.answer(&waiting).expect("a result");
}

#[test]
fn calls_that_block_their_thread_hold_up_nobody() {
    let mut server = fixture!().speaking(Wire::Modern);
    let rush = server.begin_call("rush", json!({ "to": 100_000 }));
    assert_eq!(text(&server.call("echo", json!({ "text": "here" }))), "here");
    server.answer(&rush).expect("a result");
}

#[test]
fn requests_over_the_limit_are_refused_until_others_are_answered() {
    let mut server = fixture!("--max-requests-in-flight=2").speaking(Wire::Modern);
    let first = server.begin_call("pass", json!({ "gate": "a" }));
    let second = server.begin_call("pass", json!({ "gate": "b" }));
    let refusal = server.refused("tools/call", json!({ "name": "nothing" }));
    assert!(refusal.message.contains("max_requests_in_flight"), "{refusal}");
    server.cancel(&first);
    server.open_gate("b");
    server.answer(&second).expect("a result");
    server.call("nothing", json!({}));
}

/// "MUST NOT send any further messages for it", which the witness holds every message against.
#[test]
fn a_call_may_be_cancelled_at_any_moment() {
    for mut server in both_ways() {
        for round in 0..300 {
            let arguments = json!({ "gate": format!("never {round}"), "steps": round % 10 });
            let params =
                json!({ "name": "wait", "arguments": arguments, "_meta": { "progressToken": round } });
            let call = server.begin("tools/call", params);
            server.cancel(&call);
            server.call("nothing", json!({}));
        }
        server.notifications();
    }
}
