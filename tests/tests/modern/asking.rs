//! Calls that need input: they end with what they ask, and the client calls again with the answers.

use serde_json::{Map, Value, json};
use tests::answers::{
    accepted, declined, everything, gift, model, model_adds, named, no_gifts, roots as known_roots,
};
use tests::{Process, Refusal, Wire, fixture, text};

fn willing() -> Process {
    fixture!("--asking").speaking(Wire::Modern).declaring(everything())
}

/// A request and where it stands: its method, its parameters, and what the server wants to have back.
struct Rounds {
    method: &'static str,
    params: Value,
    state: Value,
}

impl Rounds {
    fn new(method: &'static str, params: Value) -> Self {
        Self { method, params, state: Value::Null }
    }

    fn of_tool(tool: &str, arguments: Value) -> Self {
        Self::new("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Sends the request with these answers, and keeps what the server wants to have back.
    fn send(&mut self, server: &mut Process, answers: Value) -> Result<Value, Refusal> {
        let mut params = self.params.clone();
        if !answers.is_null() {
            params["inputResponses"] = answers;
        }
        if !self.state.is_null() {
            params["requestState"] = self.state.clone();
        }
        let result = server.request(self.method, params);
        if let Ok(result) = &result {
            self.state = result["requestState"].clone();
        }
        result
    }

    /// The same for a round that must end with questions, which it gives.
    fn asks(&mut self, server: &mut Process, answers: Value) -> Map<String, Value> {
        let shown = answers.to_string();
        let mut result = self.send(server, answers).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(result["resultType"], "input_required", "{shown}: {result}");
        match result["inputRequests"].take() {
            Value::Object(requests) => requests,
            other => panic!("no questions: {other}"),
        }
    }

    /// The same for the last round, whose result it gives.
    fn ends(&mut self, server: &mut Process, answers: Value) -> Value {
        let shown = answers.to_string();
        let result = self.send(server, answers).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(result["resultType"], "complete", "{shown}: {result}");
        result
    }
}

/// Begins a call of a tool that asks one thing; gives the key of that and the question.
fn asked(server: &mut Process, tool: &str, arguments: Value) -> (Rounds, String, Value) {
    let mut rounds = Rounds::of_tool(tool, arguments);
    let mut questions = rounds.asks(server, Value::Null).into_iter();
    let (key, question) = questions.next().expect("a question");
    assert_eq!(questions.next(), None, "one question");
    (rounds, key, question)
}

#[test]
fn a_form_is_asked_and_what_was_filled_in_arrives() {
    let mut server = willing();
    let (mut rounds, key, question) = asked(&mut server, "gift", json!({}));
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "What is it to be?");
    let fields = question["params"]["requestedSchema"]["properties"].as_object().expect("fields");
    let order = ["name", "address", "count", "weight", "secret", "wrapping", "extra"];
    assert_eq!(fields.keys().collect::<Vec<_>>(), order);
    assert!(question["params"].get("_meta").is_none() && question.get("id").is_none());
    let (answer, told) = gift();
    assert_eq!(text(&rounds.ends(&mut server, json!({ (key): answer }))), told);
}

#[test]
fn a_page_has_a_key_and_no_id() {
    let mut server = willing();
    let (mut rounds, key, question) = asked(&mut server, "visit", json!({}));
    assert_eq!(key, "payment");
    assert_eq!(question["params"]["url"], "https://example.com/pay?order=7");
    assert!(question["params"].get("elicitationId").is_none());
    assert_eq!(
        text(&rounds.ends(&mut server, json!({ "payment": { "action": "accept" } }))),
        "accepted null"
    );
}

#[test]
fn who_says_no_or_says_nothing_is_heard() {
    let mut server = willing();
    for tool in ["gift", "visit"] {
        for (answer, told) in [(declined(), "declined"), (json!({ "action": "cancel" }), "cancelled")] {
            let (mut rounds, key, _) = asked(&mut server, tool, json!({}));
            assert_eq!(text(&rounds.ends(&mut server, json!({ (key): answer }))), told);
        }
    }
}

#[test]
fn a_model_and_roots_are_asked() {
    let mut server = willing();
    let (mut rounds, key, question) = asked(&mut server, "muse", json!({ "question": "Why?" }));
    assert_eq!(question["params"]["systemPrompt"], "Be brief.");
    let result = rounds.ends(&mut server, json!({ (key): model("Because.") }));
    assert_eq!(text(&result), "model-1: Because. (endTurn)");
    let (mut rounds, key, _) = asked(&mut server, "roots", json!({}));
    let result = rounds.ends(&mut server, json!({ (key): known_roots() }));
    assert_eq!(text(&result), "home=file:///home/ada ?=file:///tmp");
}

#[test]
fn a_model_may_use_tools_until_it_has_an_answer() {
    let mut server = willing();
    let (mut rounds, first, _) = asked(&mut server, "reason", json!({}));
    let questions = rounds.asks(&mut server, json!({ (&first): model_adds("use-1") }));
    let (second, question) = questions.iter().next().expect("a question");
    assert_ne!(*second, first, "keys are unique");
    assert_eq!(question["params"]["messages"][2]["content"]["toolUseId"], "use-1");
    assert_eq!(text(&rounds.ends(&mut server, json!({ (second): model("3") }))), "3");
}

#[test]
fn several_things_are_asked_at_once_and_what_is_missing_is_asked_again() {
    let mut server = willing();
    let mut rounds = Rounds::of_tool("survey", json!({}));
    let questions = rounds.asks(&mut server, Value::Null);
    assert_eq!(questions.keys().collect::<Vec<_>>(), ["name", "news", "roots"]);
    let questions = rounds.asks(&mut server, json!({ "news": model("nothing") }));
    assert_eq!(questions.keys().collect::<Vec<_>>(), ["name", "roots"]);
    let questions = rounds.asks(&mut server, json!({ "roots": known_roots() }));
    assert_eq!(questions.keys().collect::<Vec<_>>(), ["name"]);
    let result = rounds.ends(&mut server, json!({ "name": named("Ada") }));
    assert_eq!(text(&result), r#"accepted {"name":"Ada"}; nothing; 2"#);
    // All at once is as good.
    let mut rounds = Rounds::of_tool("survey", json!({}));
    rounds.asks(&mut server, Value::Null);
    let all = json!({ "name": declined(), "news": model("a"), "roots": known_roots() });
    assert_eq!(text(&rounds.ends(&mut server, all)), "declined; a; 2");
}

#[test]
fn a_call_runs_again_for_each_round_and_its_steps_do_not() {
    let mut server = willing();
    let (mut rounds, first, question) = asked(&mut server, "journey", json!({ "to": "Rome" }));
    assert_eq!(question["params"]["message"], "Who goes to Rome?");
    assert!(rounds.state.is_string(), "the first step is remembered");
    let questions = rounds.asks(&mut server, json!({ (&first): named("Ada") }));
    let (second, question) = questions.iter().next().expect("a question");
    assert_ne!(*second, first);
    assert_eq!(question["params"]["message"], "And who else?");
    let result = rounds.ends(&mut server, json!({ (second): named("Bob") }));
    assert_eq!(text(&result), r#"1 accepted {"name":"Ada"} 2 accepted {"name":"Bob"}"#);
    assert_eq!(text(&server.call("journeys", json!({}))), "3 2");
}

/// "The server processing the retry does not need any information beyond what is directly present in the retry request."
#[test]
fn what_a_call_remembers_can_be_used_again_from_where_it_was() {
    let mut server = willing();
    let (mut rounds, key, _) = asked(&mut server, "journey", json!({ "to": "Rome" }));
    let first = rounds.state.clone();
    for name in ["Ada", "Eve"] {
        rounds.state = first.clone();
        let questions = rounds.asks(&mut server, json!({ (&key): named(name) }));
        let second = questions.keys().next().expect("a key");
        let result = rounds.ends(&mut server, json!({ (second): declined() }));
        assert!(text(&result).contains(name) && text(&result).ends_with("declined"), "{result}");
    }
}

#[test]
fn an_answer_that_does_not_fit_is_none_and_the_question_is_asked_again() {
    let mut server = willing();
    let (mut rounds, key, question) = asked(&mut server, "gift", json!({}));
    let question = Map::from_iter([(key.clone(), question)]);
    for answer in no_gifts().into_iter().chain([json!(5), json!(null), json!([]), json!("accept")]) {
        assert_eq!(rounds.asks(&mut server, json!({ (&key): answer })), question, "{answer}");
    }
    let (answer, told) = gift();
    assert_eq!(text(&rounds.ends(&mut server, json!({ (key): answer }))), told);
}

#[test]
fn answers_that_nobody_asked_for_are_ignored() {
    let mut server = willing();
    let strangers = json!({ "other": named("Eve"), "elicitation-2": named("Eve"), "": 1, "step first": 7 });
    let (mut rounds, key, _) = asked(&mut server, "careful", json!({}));
    assert_eq!(rounds.asks(&mut server, strangers.clone()).keys().collect::<Vec<_>>(), [&key]);
    let mut answers = strangers;
    answers[&key] = named("Ada");
    let result = rounds.ends(&mut server, answers.clone());
    assert_eq!(text(&result), r#"accepted {"name":"Ada"}"#);
    // A tool that asks nothing does not mind either.
    let params = json!({ "name": "greet", "arguments": { "name": "Ada" }, "inputResponses": answers });
    assert_eq!(text(&server.ok("tools/call", params)), "Hello, Ada!");
    assert_eq!(text(&server.call("journeys", json!({}))), "0 0");
}

#[test]
fn responses_that_are_no_object_are_refused() {
    let mut server = willing();
    for wrong in [json!(5), json!("a"), json!([named("Ada")])] {
        let params = json!({ "name": "careful", "arguments": {}, "inputResponses": wrong });
        assert_eq!(server.refused("tools/call", params).code, -32602, "{wrong}");
    }
    for wrong in [json!(5), json!({}), json!([])] {
        let params = json!({ "name": "careful", "arguments": {}, "requestState": wrong });
        assert_eq!(server.refused("tools/call", params).code, -32602, "{wrong}");
    }
}

/// "Servers MUST reject state that fails verification."
#[test]
fn a_state_that_was_touched_is_refused() {
    let mut server = willing();
    let (rounds, key, _) = asked(&mut server, "journey", json!({ "to": "Rome" }));
    let state = rounds.state.as_str().expect("a state").to_owned();
    let mut touched: Vec<String> = vec![
        String::new(),
        "nonsense".to_owned(),
        format!("{state}AA"),
        format!(" {state}"),
        state[..state.len() - 4].to_owned(),
        state.chars().rev().collect(),
        format!("{state}{state}"),
        "A".repeat(100_000),
    ];
    for at in [0, 1, 40, state.len() / 2, state.len() - 2] {
        let mut bytes = state.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        touched.push(String::from_utf8(bytes).expect("ASCII"));
    }
    for touched in touched {
        let params = json!({
            "name": "journey", "arguments": { "to": "Rome" }, "inputResponses": { (&key): named("Eve") },
            "requestState": touched
        });
        let refusal = server.refused("tools/call", params);
        assert_eq!(refusal.code, -32602, "{touched}");
        assert!(refusal.message.contains("requestState"), "{refusal}");
    }
    assert_eq!(text(&server.call("journeys", json!({}))), "1 1", "nothing of it ran");
}

#[test]
fn a_state_belongs_to_its_request_and_to_its_server() {
    let mut server = willing();
    let (rounds, _, _) = asked(&mut server, "journey", json!({ "to": "Rome" }));
    let state = rounds.state;
    let with_state = |mut params: Value| {
        params["requestState"] = state.clone();
        params
    };
    for (method, params) in [
        ("tools/call", json!({ "name": "journey", "arguments": { "to": "Oslo" } })),
        ("tools/call", json!({ "name": "journey", "arguments": { "to": "Rome", "more": 1 } })),
        ("tools/call", json!({ "name": "muse", "arguments": { "question": "Why?" } })),
        ("prompts/get", json!({ "name": "letter", "arguments": { "topic": "Rome" } })),
        ("resources/read", json!({ "uri": "room://7" })),
    ] {
        let refusal = server.refused(method, with_state(params.clone()));
        assert_eq!(refusal.code, -32602, "{method} {params}");
    }
    let mut other = willing();
    let params = with_state(json!({ "name": "journey", "arguments": { "to": "Rome" } }));
    assert_eq!(other.refused("tools/call", params.clone()).code, -32602, "of another process");
    assert_eq!(server.ok("tools/call", params)["resultType"], "input_required", "it is still good here");
}

#[test]
fn a_state_that_is_too_old_is_refused_and_says_so() {
    let mut server =
        fixture!("--asking", "--request-state-ttl=0").speaking(Wire::Modern).declaring(everything());
    let (mut rounds, key, _) = asked(&mut server, "journey", json!({ "to": "Rome" }));
    let refusal = rounds.send(&mut server, json!({ (key): named("Ada") })).expect_err("it is too old");
    assert_eq!(refusal.code, -32602);
    assert!(refusal.message.contains("expired"), "{refusal}");
}

/// "Servers MUST NOT send an `inputRequests` that the client has not declared support for": -32021, with what is missing.
#[test]
fn what_was_not_declared_is_not_asked() {
    let mut server = willing();
    for (capabilities, tool, missing) in [
        (json!({}), "gift", json!({ "elicitation": {} })),
        (json!({ "elicitation": { "url": {} } }), "gift", json!({ "elicitation": {} })),
        (json!({ "elicitation": {} }), "visit", json!({ "elicitation": { "url": {} } })),
        (json!({ "elicitation": { "form": {} } }), "visit", json!({ "elicitation": { "url": {} } })),
        (json!({ "roots": {} }), "muse", json!({ "sampling": {} })),
        (json!({ "sampling": {} }), "reason", json!({ "sampling": { "tools": {} } })),
        (json!({ "sampling": { "tools": {} } }), "recollect", json!({ "sampling": { "context": {} } })),
        (json!({ "sampling": {} }), "roots", json!({ "roots": {} })),
    ] {
        server.declare(capabilities.clone());
        let arguments = if tool == "muse" { json!({ "question": "Why?" }) } else { json!({}) };
        let refusal = server.refused("tools/call", json!({ "name": tool, "arguments": arguments }));
        assert_eq!(refusal.code, -32021, "{tool} with {capabilities}");
        assert_eq!(refusal.data["requiredCapabilities"], missing, "{tool} with {capabilities}");
    }
    server.declare(json!({}));
    assert_eq!(text(&server.call("careful", json!({}))), "cannot ask");
    let letter = json!({ "name": "letter", "arguments": { "topic": "tea" } });
    assert_eq!(server.refused("prompts/get", letter).code, -32021);
    assert_eq!(server.refused("resources/read", json!({ "uri": "room://7" })).code, -32021);
}

/// Each request says anew what its client can do.
#[test]
fn a_client_that_can_do_less_in_the_next_round_is_asked_less() {
    let mut server = willing();
    let (mut rounds, key, _) = asked(&mut server, "journey", json!({ "to": "Rome" }));
    server.declare(json!({}));
    let refusal = rounds.send(&mut server, json!({ (key): named("Ada") })).expect_err("it cannot be asked");
    assert_eq!(refusal.code, -32021);
}

#[test]
fn a_prompt_and_a_resource_may_ask() {
    let mut server = willing();
    let params = json!({ "name": "letter", "arguments": { "topic": "tea" } });
    let mut rounds = Rounds::new("prompts/get", params);
    let questions = rounds.asks(&mut server, Value::Null);
    let (key, question) = questions.iter().next().expect("a question");
    assert_eq!(question["params"]["message"], "Whom shall I write to about tea?");
    let prompt = rounds.ends(&mut server, json!({ (key): named("Ada") }));
    assert_eq!(prompt["messages"][0]["content"]["text"], r#"Write about tea: accepted {"name":"Ada"}"#);

    let mut rounds = Rounds::new("resources/read", json!({ "uri": "room://6" }));
    let first = rounds.asks(&mut server, Value::Null);
    let answers = json!({ (first.keys().next().expect("a key")): named("Ada") });
    let second = rounds.asks(&mut server, answers);
    assert!(rounds.state.is_string());
    let other = json!({ "uri": "room://7", "requestState": rounds.state });
    assert_eq!(server.refused("resources/read", other).code, -32602, "a state is of one resource");
    let answers = json!({ (second.keys().next().expect("a key")): named("Bob") });
    let resource = rounds.ends(&mut server, answers);
    let told = r#"accepted {"name":"Ada"}, accepted {"name":"Bob"}, 42"#;
    assert_eq!(resource["contents"][0]["text"], told);
}

/// "Servers MUST NOT send `InputRequiredResult` responses on any other client requests", and nothing is asked by requests:
/// the witness sees to both. Here, a call is ended by its question whatever else it waits for.
#[test]
fn a_call_ends_with_its_question_whatever_else_it_waits_for() {
    let mut server = willing();
    let (mut rounds, key, _) = asked(&mut server, "impatient", json!({ "gate": "a" }));
    server.open_gate("a-end");
    let result = rounds.ends(&mut server, json!({ (key): named("Ada") }));
    assert_eq!(text(&result), r#"accepted {"name":"Ada"}"#);
}

#[test]
fn many_rounds_remember_every_answer() {
    let mut server = willing();
    let mut rounds = Rounds::of_tool("insist", json!({ "times": 30 }));
    let mut questions = rounds.asks(&mut server, Value::Null);
    for turn in 0..30 {
        let (key, question) = questions.iter().next().expect("a question");
        assert_eq!(question["params"]["message"], format!("Who is number {turn}?"));
        let answers = json!({ (key): named("Ada") });
        if turn == 29 {
            assert_eq!(text(&rounds.ends(&mut server, answers)), "asked 30 times");
            break;
        }
        questions = rounds.asks(&mut server, answers);
    }
}

#[test]
fn where_there_are_no_tasks_a_call_that_would_become_one_ends_as_a_call() {
    let mut server = willing();
    let mut rounds = Rounds::of_tool("depart", json!({}));
    rounds.asks(&mut server, Value::Null);
    let questions = rounds.asks(&mut server, json!({ "before": named("Ada") }));
    assert_eq!(questions.keys().collect::<Vec<_>>(), ["after"]);
    let result = rounds.ends(&mut server, json!({ "after": named("Bob") }));
    assert_eq!(text(&result), r#"accepted {"name":"Ada"} then accepted {"name":"Bob"}; task: false"#);
}

#[test]
fn large_answers_come_through() {
    let mut server = willing();
    let (mut rounds, key, _) = asked(&mut server, "muse", json!({ "question": "Why?" }));
    let long = "x".repeat(1_000_000);
    let result = rounds.ends(&mut server, json!({ (key): model(&long) }));
    assert_eq!(text(&result).len(), long.len() + "model-1:  (endTurn)".len());
}

#[test]
fn what_may_be_left_out_is_left_out_and_what_nobody_asked_for_is_ignored() {
    let mut server = willing();
    let (mut rounds, key, _) = asked(&mut server, "gift", json!({}));
    let content = json!({ "name": "Ada", "count": 1, "secret": false, "wrapping": "paper", "unknown": [1] });
    let result = rounds.ends(&mut server, json!({ (key): accepted(content) }));
    assert!(text(&result).contains(r#""extra":null"#), "{result}");
}
