//! Calls that ask their client, by requests of the server's while the call waits.

use serde_json::{Value, json};
use tests::answers::{accepted, declined, everything, gift, model, model_adds, named, no_gifts, roots};
use tests::{LEGACY, Process, fixture, text};

use crate::REVISIONS;

/// A session of a client that declares this.
fn declaring(revision: &str, capabilities: Value) -> Process {
    let mut server = fixture!("--asking").declaring(capabilities);
    server.initialize(revision);
    server
}

/// A session of a client that can be asked everything.
fn willing() -> Process {
    declaring(LEGACY, everything())
}

/// Calls a tool that asks one thing, and answers it.
fn asked_once(server: &mut Process, tool: &str, arguments: Value, answer: Value) -> (Value, Value) {
    let call = server.begin_call(tool, arguments);
    let question = server.question();
    server.reply(&question, answer);
    (question, server.answer(&call).expect("a result"))
}

#[test]
fn a_form_shows_what_its_type_says_and_what_was_filled_in_arrives() {
    for revision in ["2025-06-18", LEGACY] {
        let mut server = declaring(revision, json!({ "elicitation": {} }));
        let (answer, told) = gift();
        let (question, result) = asked_once(&mut server, "gift", json!({}), answer);
        assert_eq!(text(&result), told, "{revision}");
        assert_eq!(
            (&question["method"], &question["params"]["message"]),
            (&json!("elicitation/create"), &json!("What is it to be?"))
        );
        assert!(
            question["params"].get("_meta").is_none() && question["params"].get("elicitationId").is_none()
        );
        let schema = &question["params"]["requestedSchema"];
        assert_eq!(schema["type"], "object");
        assert_eq!(schema["required"], json!(["name", "count", "secret", "wrapping"]));
        let fields = schema["properties"].as_object().expect("fields");
        let order = ["name", "address", "count", "weight", "secret", "wrapping", "extra"];
        assert_eq!(fields.keys().collect::<Vec<_>>(), order);
        assert_eq!(
            fields["name"],
            json!({ "type": "string", "description": "For whom it is.", "minLength": 1, "maxLength": 20 })
        );
        assert_eq!(
            (&fields["address"]["type"], &fields["address"]["format"]),
            (&json!("string"), &json!("email"))
        );
        assert_eq!(
            fields["count"],
            json!({ "type": "integer", "description": "How many.", "minimum": 1, "maximum": 9 })
        );
        assert_eq!(
            (&fields["weight"]["type"], &fields["weight"]["default"]),
            (&json!("number"), &json!(0.0))
        );
        assert_eq!(fields["secret"]["type"], "boolean");
        assert_eq!(fields["wrapping"]["enum"], json!(["paper", "cloth"]));
        assert_eq!(
            fields["extra"]["oneOf"],
            json!([{ "const": "ribbon", "title": "A ribbon" }, { "const": "card", "title": "A card with a few words" }])
        );
    }
}

#[test]
fn what_may_be_left_out_is_left_out() {
    let content = json!({ "name": "Ada", "count": 1, "secret": false, "wrapping": "paper", "unknown": [1] });
    let (_, result) = asked_once(&mut willing(), "gift", json!({}), accepted(content));
    let told = concat!(
        r#"accepted {"name":"Ada","address":null,"count":1,"weight":0.0,"secret":false,"#,
        r#""wrapping":"paper","extra":null}"#
    );
    assert_eq!(text(&result), told);
}

#[test]
fn several_things_may_be_chosen_from_a_list() {
    let (question, result) =
        asked_once(&mut willing(), "choose", json!({}), accepted(json!({ "extras": ["card", "ribbon"] })));
    assert_eq!(text(&result), r#"accepted {"extras":["card","ribbon"]}"#);
    let field = &question["params"]["requestedSchema"]["properties"]["extras"];
    assert_eq!((&field["type"], &field["items"]["anyOf"][1]["const"]), (&json!("array"), &json!("card")));
}

#[test]
fn who_says_no_or_says_nothing_is_heard() {
    let mut server = willing();
    for tool in ["gift", "visit"] {
        for (answer, told) in [(declined(), "declined"), (json!({ "action": "cancel" }), "cancelled")] {
            assert_eq!(text(&asked_once(&mut server, tool, json!({}), answer).1), told);
        }
        let more = json!({ "action": "decline", "content": null, "_meta": { "a": 1 } });
        assert_eq!(text(&asked_once(&mut server, tool, json!({}), more).1), "declined");
    }
}

#[test]
fn a_person_is_sent_to_a_page_with_an_id_of_its_own() {
    let mut server = willing();
    let mut ids: Vec<String> = (0..3)
        .map(|_| {
            let (question, result) =
                asked_once(&mut server, "visit", json!({}), json!({ "action": "accept" }));
            assert_eq!(text(&result), "accepted null");
            let params = &question["params"];
            assert_eq!(
                (&params["mode"], &params["url"]),
                (&json!("url"), &json!("https://example.com/pay?order=7"))
            );
            params["elicitationId"].as_str().expect("an id").to_owned()
        })
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_model_is_asked_with_everything_that_was_said_of_it() {
    for revision in REVISIONS {
        let mut server = declaring(revision, json!({ "sampling": {} }));
        let (question, result) =
            asked_once(&mut server, "muse", json!({ "question": "Why?" }), model("Because."));
        assert_eq!(text(&result), "model-1: Because. (endTurn)");
        assert_eq!(
            (&question["method"], &question["params"]),
            (
                &json!("sampling/createMessage"),
                &json!({
                    "messages": [{ "role": "user", "content": { "type": "text", "text": "Why?" } }],
                    "maxTokens": 50, "systemPrompt": "Be brief.", "temperature": 0.5, "stopSequences": ["\n\n"],
                    "modelPreferences": {
                        "hints": [{ "name": "claude" }], "costPriority": 0.1, "speedPriority": 0.2,
                        "intelligencePriority": 0.9
                    },
                    "metadata": { "trace": "t-1" }
                })
            ),
            "{revision}"
        );
    }
}

/// "Every assistant message containing `ToolUseContent` blocks MUST be followed by a user message that consists entirely
/// of `ToolResultContent` blocks."
#[test]
fn a_model_may_use_tools_until_it_has_an_answer() {
    let mut server = willing();
    let call = server.begin_call("reason", json!({}));
    let question = server.question();
    assert_eq!(question["params"]["tools"][0]["name"], "add");
    server.reply(&question, model_adds("use-1"));
    let question = server.question();
    let messages = question["params"]["messages"].as_array().expect("messages");
    assert_eq!(messages.len(), 3);
    assert_eq!(
        (&messages[1]["role"], &messages[1]["content"]["type"]),
        (&json!("assistant"), &json!("tool_use"))
    );
    assert_eq!(
        (&messages[2]["role"], &messages[2]["content"]["toolUseId"]),
        (&json!("user"), &json!("use-1"))
    );
    server.reply(&question, model("3"));
    assert_eq!(text(&server.answer(&call).expect("a result")), "3");
}

#[test]
fn roots_are_asked_for() {
    for revision in REVISIONS {
        let mut server = declaring(revision, json!({ "roots": {} }));
        let (question, result) = asked_once(&mut server, "roots", json!({}), roots());
        assert_eq!(text(&result), "home=file:///home/ada ?=file:///tmp");
        assert_eq!(question["method"], "roots/list");
    }
}

#[test]
fn several_things_are_asked_at_once_and_answered_in_any_order() {
    let mut server = willing();
    let call = server.begin_call("survey", json!({}));
    let mut questions = [server.question(), server.question(), server.question()];
    questions.sort_by_key(|question| question["method"].to_string());
    let [elicitation, listing, sampling] = questions;
    server.reply(&sampling, model("nothing"));
    server.reply(&listing, roots());
    server.ok("ping", json!({}));
    assert!(server.other_responses().is_empty(), "one answer is missing");
    server.reply(&elicitation, named("Ada"));
    let result = server.answer(&call).expect("a result");
    assert_eq!(text(&result), r#"accepted {"name":"Ada"}; nothing; 2"#);
}

#[test]
fn many_calls_ask_side_by_side_and_each_gets_its_own_answer() {
    let mut server = willing();
    let calls: Vec<(Value, String)> = (0..50)
        .map(|n| (server.begin_call("muse", json!({ "question": format!("{n}?") })), format!("{n}!")))
        .collect();
    let questions: Vec<Value> = calls.iter().map(|_| server.question()).collect();
    for question in questions.iter().rev() {
        let asked = question["params"]["messages"][0]["content"]["text"].as_str().expect("a text");
        server.reply(question, model(&asked.replace('?', "!")));
    }
    for (call, answer) in calls {
        let result = server.answer(&call).expect("a result");
        assert_eq!(text(&result), format!("model-1: {answer} (endTurn)"));
    }
}

#[test]
fn a_call_that_waits_for_an_answer_is_neither_run_again_nor_its_steps() {
    let mut server = willing();
    let call = server.begin_call("journey", json!({ "to": "Rome" }));
    for (says, name) in [("Who goes to Rome?", "Ada"), ("And who else?", "Bob")] {
        let question = server.question();
        assert_eq!(question["params"]["message"], says);
        server.reply(&question, named(name));
    }
    let result = server.answer(&call).expect("a result");
    assert_eq!(text(&result), r#"1 accepted {"name":"Ada"} 2 accepted {"name":"Bob"}"#);
    assert_eq!(text(&server.call("journeys", json!({}))), "1 2");
}

#[test]
fn a_client_that_refuses_is_heard_in_its_own_words() {
    let mut server = willing();
    for (tool, arguments) in
        [("muse", json!({ "question": "Why?" })), ("gift", json!({})), ("roots", json!({}))]
    {
        let call = server.begin_call(tool, arguments);
        let question = server.question();
        server.reply_error(&question, -1, "User rejected the request");
        let result = server.answer(&call).expect("a result");
        assert_eq!(result["isError"], true);
        assert!(text(&result).contains("User rejected the request"), "{result}");
    }
    let call = server.begin_call("careful", json!({}));
    let question = server.question();
    server.reply_error(&question, -1, "no");
    assert_eq!(text(&server.answer(&call).expect("a result")), "refused: -1 no");
}

#[test]
fn an_answer_that_does_not_fit_is_a_failure_that_says_so_and_nobody_waits_for_ever() {
    let mut server = willing();
    for answer in no_gifts() {
        let (_, result) = asked_once(&mut server, "gift", json!({}), answer.clone());
        assert_eq!(result["isError"], true, "{answer}");
        assert!(text(&result).contains("does not fit the question"), "{answer}: {result}");
    }
    for (tool, arguments, answers) in [
        (
            "muse",
            json!({ "question": "Why?" }),
            [json!({}), json!({ "role": "assistant", "model": "m" }), roots()],
        ),
        ("roots", json!({}), [json!({}), json!({ "roots": {} }), json!({ "roots": [{ "name": "home" }] })]),
        ("visit", json!({}), [json!({}), json!({ "action": "go" }), roots()]),
    ] {
        for answer in answers {
            let (_, result) = asked_once(&mut server, tool, arguments.clone(), answer.clone());
            assert_eq!(result["isError"], true, "{tool} {answer}");
        }
    }
    assert_eq!(text(&asked_once(&mut server, "careful", json!({}), json!({ "action": "go" })).1), "unfit");
}

#[test]
fn responses_that_are_no_responses_end_the_wait_too() {
    let mut server = willing();
    for response in [
        r#""result":null"#,
        r#""result":[]"#,
        r#""result":5"#,
        r#""error":null"#,
        r#""error":5"#,
        r#""error":{"code":"no"}"#,
        r#""error":{"code":-1,"message":"no"},"result":{"action":"perhaps"}"#,
    ] {
        let call = server.begin_call("gift", json!({}));
        let id = server.question()["id"].clone();
        server.send_spelled(&format!(r#"{{"jsonrpc":"2.0","id":{id},{response}}}"#));
        assert_eq!(server.answer(&call).expect("a result")["isError"], true, "{response}");
    }
}

/// What is missing is said in the terms of the specification, and nothing is asked: the witness sees to that.
#[test]
fn what_was_not_declared_is_not_asked() {
    for (capabilities, tool) in [
        (json!({}), "gift"),
        (json!({ "elicitation": null }), "gift"),
        (json!({ "elicitation": { "url": {} } }), "gift"),
        (json!({ "elicitation": {} }), "visit"),
        (json!({ "elicitation": { "form": {} } }), "visit"),
        (json!({ "elicitation": {}, "roots": {} }), "muse"),
        (json!({ "sampling": {} }), "reason"),
        (json!({ "sampling": { "tools": {} } }), "recollect"),
        (json!({ "sampling": {} }), "roots"),
    ] {
        let mut server = declaring(LEGACY, capabilities.clone());
        let arguments = if tool == "muse" { json!({ "question": "a" }) } else { json!({}) };
        let call = server.begin_call(tool, arguments);
        let told = match server.answer(&call) {
            Ok(result) => {
                assert_eq!(result["isError"], true, "{capabilities}");
                text(&result).to_owned()
            }
            Err(refusal) => refusal.message,
        };
        assert!(told.contains("capability"), "{tool} with {capabilities}: {told}");
        assert!(server.other_questions().is_empty(), "{tool} with {capabilities}");
    }
    let mut server = declaring(LEGACY, json!({}));
    assert_eq!(text(&server.call("careful", json!({}))), "cannot ask");
}

#[test]
fn answers_that_nobody_asked_for_change_nothing() {
    let mut server = willing();
    let call = server.begin_call("careful", json!({}));
    let question = server.question();
    for id in [json!(7), json!(-1), json!(question["id"].to_string()), json!(0.5), json!(1e300), json!(null)]
    {
        server.reply(&json!({ "id": id }), named("Eve"));
        server.reply_error(&json!({ "id": id }), -1, "no");
    }
    server.ok("ping", json!({}));
    assert!(server.other_responses().is_empty(), "the call still waits");
    server.reply(&question, named("Ada"));
    server.reply(&question, named("Eve"));
    server.reply_error(&question, -1, "no");
    assert_eq!(text(&server.answer(&call).expect("a result")), r#"accepted {"name":"Ada"}"#);
    server.ok("ping", json!({}));
}

/// An answer may cross the notification that takes its question back.
#[test]
fn a_question_is_taken_back_once_and_what_comes_later_is_ignored() {
    let mut server = willing();
    let call = server.begin_call("impatient", json!({ "gate": "a" }));
    let question = server.question();
    server.open_gate("a");
    let taken_back = server.notification_that(|message| message["method"] == "notifications/cancelled");
    assert_eq!(taken_back["params"]["requestId"], question["id"]);
    server.reply(&question, named("Ada"));
    server.open_gate("a-end");
    assert_eq!(text(&server.answer(&call).expect("a result")), "nobody waited");
    assert!(server.close().messages.is_empty());
}

#[test]
fn a_call_that_is_cancelled_takes_its_questions_back() {
    let mut server = willing();
    let call = server.begin_call("survey", json!({}));
    let mut questions =
        [server.question(), server.question(), server.question()].map(|question| question["id"].clone());
    server.cancel(&call);
    let mut taken_back = [(); 3].map(|()| {
        let mut notification =
            server.notification_that(|message| message["method"] == "notifications/cancelled");
        notification["params"]["requestId"].take()
    });
    questions.sort_by_key(Value::to_string);
    taken_back.sort_by_key(Value::to_string);
    assert_eq!(questions, taken_back);
    server.ok("ping", json!({}));
    assert!(server.other_responses().is_empty(), "what was cancelled is not answered");
}

#[test]
fn a_function_that_cleans_up_by_itself_learns_that_its_question_is_lost() {
    let mut server = willing();
    let call = server.begin_call("courteous", json!({ "gate": "a" }));
    server.question();
    server.cancel(&call);
    server.pass_gate("a");
}

#[test]
fn answers_and_calls_that_ask_may_come_in_batches() {
    let mut server = declaring("2025-03-26", json!({ "sampling": {}, "roots": {} }));
    let call = |id: &str, tool: &str, arguments: Value| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } });
    server.send(&json!([call("a", "muse", json!({ "question": "Why?" })), call("b", "roots", json!({}))]));
    let answers: Vec<Value> = (0..2)
        .map(|_| {
            let question = server.question();
            let result = if question["method"] == "roots/list" { roots() } else { model("So.") };
            json!({ "jsonrpc": "2.0", "id": question["id"], "result": result })
        })
        .collect();
    server.send(&Value::Array(answers));
    assert_eq!(text(&server.answer(&json!("a")).expect("a result")), "model-1: So. (endTurn)");
    server.answer(&json!("b")).expect("a result");
}

#[test]
fn a_prompt_and_a_resource_may_ask() {
    let mut server = willing();
    let call = server.begin("prompts/get", json!({ "name": "letter", "arguments": { "topic": "tea" } }));
    let question = server.question();
    assert_eq!(question["params"]["message"], "Whom shall I write to about tea?");
    server.reply(&question, named("Ada"));
    let prompt = server.answer(&call).expect("a prompt");
    assert_eq!(prompt["messages"][0]["content"]["text"], r#"Write about tea: accepted {"name":"Ada"}"#);

    let call = server.begin("resources/read", json!({ "uri": "room://6" }));
    for name in ["Ada", "Bob"] {
        let question = server.question();
        server.reply(&question, named(name));
    }
    let resource = server.answer(&call).expect("a resource");
    assert_eq!(resource["contents"][0]["text"], r#"accepted {"name":"Ada"}, accepted {"name":"Bob"}, 42"#);

    let call = server.begin("prompts/get", json!({ "name": "letter", "arguments": { "topic": "tea" } }));
    let question = server.question();
    server.reply_error(&question, -1, "nobody is there");
    let refusal = server.answer(&call).expect_err("a prompt has no word for failure");
    assert!(refusal.message.contains("nobody is there"), "{refusal}");
}

#[test]
fn where_there_are_no_tasks_a_call_that_would_become_one_ends_as_a_call() {
    for revision in ["2025-06-18", LEGACY] {
        let mut server = declaring(revision, json!({ "elicitation": {} }));
        let call = server.begin_call("depart", json!({}));
        for name in ["Ada", "Bob"] {
            let question = server.question();
            server.reply(&question, named(name));
        }
        let result = server.answer(&call).expect("a result");
        assert_eq!(text(&result), r#"accepted {"name":"Ada"} then accepted {"name":"Bob"}; task: false"#);
    }
}
