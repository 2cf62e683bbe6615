//! Answers of clients: too many, too large, too deep, too late, or none at all.

use serde_json::{Value, json};
use tests::answers::{everything, model, named};
use tests::{LEGACY, Process, Wire, text};

fn asking(arguments: &[&str]) -> Process {
    let arguments: Vec<&str> = ["--asking"].iter().chain(arguments).copied().collect();
    let mut server = Process::start(env!("CARGO_BIN_EXE_fixture"), &arguments).declaring(everything());
    server.initialize(LEGACY);
    server
}

#[test]
fn a_flood_of_answers_that_nobody_asked_for_is_borne() {
    let mut server = asking(&[]);
    let call = server.begin_call("careful", json!({}));
    let question = server.question();
    for n in 0..20_000_i64 {
        server.reply(&json!({ "id": n + 1_000 }), named("Eve"));
        if n % 100 == 0 {
            server.reply_error(&json!({ "id": format!("{n}") }), -1, "no");
        }
    }
    server.reply(&question, named("Ada"));
    assert_eq!(text(&server.answer(&call).expect("a result")), r#"accepted {"name":"Ada"}"#);
    assert!(server.close().messages.is_empty(), "an answer is never answered");
}

#[test]
fn one_answer_sent_a_thousand_times_counts_once() {
    let mut server = asking(&[]);
    let call = server.begin_call("journey", json!({ "to": "Rome" }));
    for name in ["Ada", "Bob"] {
        let question = server.question();
        for _ in 0..1000 {
            server.reply(&question, named(name));
        }
    }
    let result = server.answer(&call).expect("a result");
    assert_eq!(text(&result), r#"1 accepted {"name":"Ada"} 2 accepted {"name":"Bob"}"#);
}

#[test]
fn large_answers_come_through() {
    let mut server = asking(&[]);
    let call = server.begin_call("muse", json!({ "question": "Why?" }));
    let question = server.question();
    let long = "x".repeat(3_000_000);
    server.reply(&question, model(&long));
    let result = server.answer(&call).expect("a result");
    assert!(text(&result).len() > long.len());
}

/// An answer over the limit is not read, and nothing may be said under an id that is the server's own.
#[test]
fn an_answer_over_the_limit_ends_the_wait_for_it() {
    let mut server = asking(&["--max-message-size=20000"]);
    for tool in ["call", "task"] {
        let (call, task) = match tool {
            "call" => (server.begin_call("careful", json!({})), Value::Null),
            _ => (Value::Null, server.task("careful", json!({}))),
        };
        let question = server.question();
        server.reply(&question, named(&"x".repeat(50_000)));
        let result = if task.is_null() {
            server.answer(&call).expect("a result")
        } else {
            server.ok("tasks/result", json!({ "taskId": task["taskId"] }))
        };
        assert_eq!(text(&result), "unfit", "{tool}");
    }
    assert!(server.other_responses().is_empty());
}

#[test]
fn deep_answers_are_refused_or_read_but_never_fatal() {
    let mut server = asking(&[]);
    for depth in [100, 200, 10_000, 1_000_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let call = server.begin_call("careful", json!({}));
            let id = server.question()["id"].clone();
            let inner = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let content = format!(r#"{{"name":"Ada","deep":{inner}}}"#);
            server.send_text(&format!(
                r#"{{"jsonrpc":"2.0","id":{id},"result":{{"action":"accept","content":{content}}}}}"#
            ));
            let result = server.answer(&call).expect("a result");
            assert!(["unfit", r#"accepted {"name":"Ada"}"#].contains(&text(&result)), "{depth}: {result}");
        }
    }
    server.speak(Wire::Modern);
    for depth in [100, 10_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let params = json!({ "name": "careful", "arguments": {}, "requestState": null });
        server.ok("tools/call", params);
        let id = server.next_id();
        let meta = json!({
            (tests::names::PROTOCOL_VERSION): tests::MODERN, (tests::names::CLIENT_CAPABILITIES): everything()
        });
        server.send_text(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"careful","arguments":{{}},"_meta":{meta},"inputResponses":{{"elicitation":{deep}}}}}}}"#
        ));
        let response = server.response(&id);
        let is_either = response["result"]["resultType"] == "input_required" || response["error"].is_object();
        assert!(is_either, "{response}");
    }
}

#[test]
fn broken_answers_end_the_wait_for_them_or_are_asked_for_no_more() {
    let mut server = asking(&[]);
    for broken in [
        r#""result":{"action":"accept","content":{"name":"Ada"}"#,
        r#""result":{"action":"accept","action":"decline"}}"#,
        r#""result":{"action":"\ud800"}}"#,
        r#""result":nonsense}"#,
        r#""error":{"code":1e999,"message":"no"}}"#,
        r#""error":{"message":"no"}}"#,
    ] {
        let call = server.begin_call("careful", json!({}));
        let id = server.question()["id"].clone();
        server.send_text(&format!(r#"{{"jsonrpc":"2.0","id":{id},{broken}"#));
        let result = server.answer(&call).expect("a result");
        assert!(["unfit", "declined"].contains(&text(&result)), "{broken}: {result}");
    }
}

/// "Servers SHOULD exit promptly when their standard input is closed."
#[test]
fn a_client_that_never_answers_holds_up_nobody_when_it_goes() {
    for wire in [Wire::Legacy, Wire::Modern, Wire::Tasks] {
        let mut server = asking(&["--grace=50"]);
        server.speak(wire);
        for tool in ["gift", "survey", "courteous"] {
            let arguments = if tool == "courteous" { json!({ "gate": "a" }) } else { json!({}) };
            server.begin_call(tool, arguments.clone());
            if wire == Wire::Legacy {
                server.begin("tools/call", json!({ "name": tool, "arguments": arguments, "task": {} }));
            }
        }
        if wire == Wire::Legacy {
            for _ in 0..10 {
                server.question();
            }
        }
        server.close();
    }
}

#[test]
fn who_waits_for_a_task_that_waits_for_an_answer_is_told_at_the_end_of_the_input() {
    let mut server = asking(&["--grace=50"]);
    let task = server.task("gift", json!({}));
    let waiting = server.begin("tasks/result", json!({ "taskId": task["taskId"] }));
    server.question();
    server.end_input();
    assert_eq!(server.answer(&waiting).expect_err("the task ends with the server").code, -32603);
}

#[test]
fn answers_that_come_with_the_end_of_the_input_still_count() {
    for _ in 0..20 {
        let mut server = asking(&[]);
        let call = server.begin_call("careful", json!({}));
        let question = server.question();
        server.reply(&question, named("Ada"));
        server.end_input();
        assert_eq!(text(&server.answer(&call).expect("a result")), r#"accepted {"name":"Ada"}"#);
    }
}

/// Nobody can answer any more, so what is asked then is lost, and the call need not wait for its grace to be over.
#[test]
fn what_is_asked_after_the_end_of_the_input_holds_up_nobody() {
    let mut server = asking(&["--grace=200"]);
    let call = server.begin_call("journey", json!({ "to": "Rome" }));
    let question = server.question();
    server.reply(&question, named("Ada"));
    server.end_input();
    let messages = server.close().messages;
    assert!(
        messages.iter().all(|message| message["id"] != call || message.get("result").is_some()),
        "{messages:?}"
    );
}

#[test]
fn a_thousand_questions_side_by_side_are_all_answered() {
    let mut server = asking(&[]);
    let calls: Vec<Value> = (0..1000).map(|_| server.begin_call("careful", json!({}))).collect();
    for _ in &calls {
        let question = server.question();
        server.reply(&question, named("Ada"));
    }
    for call in &calls {
        server.answer(call).expect("a result");
    }
}

#[test]
fn calls_that_ask_may_be_cancelled_at_any_moment() {
    let mut server = asking(&[]);
    for _ in 0..300 {
        let call = server.begin_call("journey", json!({ "to": "Rome" }));
        server.cancel(&call);
    }
    server.ok("ping", json!({}));
    // Those that were asked before they were cancelled.
    server.other_questions();
    for _ in 0..300 {
        let call = server.begin_call("careful", json!({}));
        let question = server.question();
        server.cancel(&call);
        server.reply(&question, named("Ada"));
    }
    server.ok("ping", json!({}));
}
