//! Arguments: what breaks a rule is a result that a model can read and mend, and never becomes a task.

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, fixture, text};

fn opened() -> Process {
    let mut server = fixture!();
    server.initialize(LEGACY);
    server
}

/// What is told of arguments that break a rule.
fn told(server: &mut Process, tool: &str, arguments: &Value) -> String {
    let result = server.call(tool, arguments.clone());
    assert_eq!(result["isError"], true, "{arguments} was taken: {result}");
    assert!(result.get("structuredContent").is_none());
    text(&result).to_owned()
}

/// The arguments of `limited` with one of them replaced.
fn limited(name: &str, value: Value) -> Value {
    let mut arguments = json!({ "maxDepth": 1, "name": "Ada" });
    arguments[name] = value;
    arguments
}

/// What arrived of arguments that break no rule.
fn arrived(server: &mut Process, arguments: &Value) -> Value {
    let mut result = server.call("limited", arguments.clone());
    assert!(
        result.get("isError").is_none_or(|is_error| *is_error == false),
        "{arguments} was refused: {result}"
    );
    result["structuredContent"].take()
}

#[test]
fn what_breaks_a_rule_names_the_argument_the_rule_and_the_value() {
    let mut server = opened();
    for (name, value, words) in [
        ("maxDepth", json!(6), ["`maxDepth`", "at most 5", "6"]),
        ("maxDepth", json!(-1), ["`maxDepth`", "at least 0", "-1"]),
        ("maxDepth", json!("2"), ["`maxDepth`", "integer", "\"2\""]),
        ("maxDepth", json!(1.5), ["`maxDepth`", "integer", "1.5"]),
        ("maxDepth", json!(1e300), ["`maxDepth`", "", ""]),
        ("maxDepth", json!(null), ["`maxDepth`", "", ""]),
        ("name", json!(""), ["`name`", "at least 1 character", "0"]),
        ("name", json!("Alexandra"), ["`name`", "at most 8 characters", "9"]),
        ("name", json!(7), ["`name`", "string", "7"]),
        ("limit", json!(0), ["`limit`", "at least 1", "0"]),
        ("limit", json!(100), ["`limit`", "less than 100", "100"]),
        ("limit", json!(1000), ["`limit`", "less than 100", "1000"]),
        ("mode", json!("precise"), ["`mode`", "\"exact\", \"fuzzy\"", "\"precise\""]),
        ("mode", json!(1), ["`mode`", "", "1"]),
        ("tags", json!(["a", "b", "c"]), ["`tags`", "at most 2 items", "3"]),
        ("tags", json!(["a", 1]), ["`tags[1]`", "string", "1"]),
        ("tags", json!("a"), ["`tags`", "array", "\"a\""]),
        ("filter", json!({ "kind": "age" }), ["`filter.days`", "required", ""]),
        ("filter", json!({ "kind": "age", "days": 70000 }), ["`filter.days`", "at most 65535", "70000"]),
        ("filter", json!({ "kind": "labels", "any": [1] }), ["`filter.any[0]`", "string", "1"]),
        ("filter", json!({ "kind": "size" }), ["`filter", "", ""]),
        ("filter", json!(7), ["`filter`", "", "7"]),
        ("ratio", json!("half"), ["`ratio`", "number", "\"half\""]),
    ] {
        let told = told(&mut server, "limited", &limited(name, value.clone()));
        for word in words {
            assert!(told.contains(word), "{name} = {value}: {word:?} is not in {told:?}");
        }
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let told =
        told(&mut opened(), "limited", &json!({ "maxDepth": 9, "limit": 0, "mode": "x", "nmae": "Ada" }));
    for word in ["`maxDepth`", "`limit`", "`mode`", "`nmae`", "`name`"] {
        assert!(told.contains(word), "{word} is not in {told:?}");
    }
}

#[test]
fn an_argument_that_is_missing_is_named() {
    let mut server = opened();
    for arguments in [json!({}), json!(null)] {
        let told = told(&mut server, "greet", &arguments);
        assert!(told.contains("`name`") && told.contains("required"), "{told}");
    }
    let result = server.ok("tools/call", json!({ "name": "greet" }));
    assert!(text(&result).contains("`name`") && result["isError"] == true, "{result}");
}

#[test]
fn an_argument_that_is_unknown_is_named_with_the_one_that_may_be_meant() {
    let mut server = opened();
    let near = told(&mut server, "limited", &limited("max_depth", json!(2)));
    assert!(near.contains("`max_depth`") && near.contains("`maxDepth`"), "{near}");
    let far = told(&mut server, "greet", &json!({ "name": "Ada", "colour": "red" }));
    assert!(far.contains("`colour`") && far.contains("`name`"), "what there is instead: {far}");
    let none = told(&mut server, "nothing", &json!({ "colour": "red" }));
    assert!(none.contains("`colour`"), "{none}");
}

#[test]
fn arguments_that_are_no_object_are_told_so() {
    let mut server = opened();
    for arguments in [json!([1, 2]), json!("text"), json!(7), json!(true)] {
        for tool in ["add", "nothing", "ordered"] {
            match server.request("tools/call", json!({ "name": tool, "arguments": arguments })) {
                Ok(result) => {
                    assert!(result["isError"] == true && text(&result).contains("object"), "{result}");
                }
                Err(refusal) => assert_eq!(refusal.code, -32602),
            }
        }
    }
}

#[test]
fn an_argument_that_is_given_twice_is_refused() {
    let mut server = opened();
    server.send_text(
        r#"{"jsonrpc":"2.0","id":"twice","method":"tools/call","params":{"name":"greet","arguments":{"name":"a","name":"b"}}}"#,
    );
    let result = server.answer(&json!("twice")).expect("a result");
    assert!(text(&result).contains("`name`") && result["isError"] == true, "{result}");
}

#[test]
fn one_struct_as_all_arguments_is_held_to_its_rules() {
    let mut server = opened();
    assert_eq!(text(&server.call("ordered", json!({ "item": "tea", "count": 2 }))), "2 of tea");
    for (arguments, words) in [
        (json!({ "item": "tea", "count": 10 }), ["`count`", "at most 9"]),
        (json!({ "item": "tea" }), ["`count`", "required"]),
        (json!({ "item": 1, "count": 1 }), ["`item`", "string"]),
    ] {
        let told = told(&mut server, "ordered", &arguments);
        assert!(words.iter().all(|word| told.contains(word)), "{words:?} in {told:?}");
    }
}

#[test]
fn what_breaks_no_rule_arrives() {
    let mut server = opened();
    server.ok("tools/list", json!({}));
    let everything = json!({
        "maxDepth": 5, "name": "Grüße 🦀!", "limit": 99, "mode": "fuzzy", "tags": ["a", "b"],
        "filter": { "kind": "labels", "any": ["x"] }, "ratio": 1
    });
    let wanted = json!({
        "depth": 5, "name": "Grüße 🦀!", "limit": 99, "mode": "fuzzy", "tags": ["a", "b"],
        "filter": { "kind": "labels", "any": ["x"] }, "ratio": 1.0
    });
    assert_eq!(arrived(&mut server, &everything), wanted);
}

#[test]
fn what_is_not_given_is_its_default_or_nothing() {
    let mut server = opened();
    let wanted = json!({
        "depth": 1, "name": "Ada", "limit": 3, "mode": "exact", "tags": null, "filter": null, "ratio": null
    });
    assert_eq!(arrived(&mut server, &json!({ "maxDepth": 1, "name": "Ada" })), wanted);
    // To many clients `null` and nothing are the same.
    let nulls = json!({
        "maxDepth": 1, "name": "Ada", "limit": null, "mode": null, "tags": null, "filter": null, "ratio": null
    });
    assert_eq!(arrived(&mut server, &nulls), wanted);
}

#[test]
fn an_integer_may_be_written_as_a_float_without_a_fraction() {
    let mut server = opened();
    assert_eq!(arrived(&mut server, &limited("maxDepth", json!(2.0)))["depth"], 2);
    assert_eq!(arrived(&mut server, &limited("limit", json!(7.0)))["limit"], 7);
    assert_eq!(text(&server.call("add", json!({ "a": 1.0, "b": -2.0 }))), "-1");
    let days = json!({ "kind": "age", "days": 30.0 });
    assert_eq!(
        arrived(&mut server, &limited("filter", days))["filter"],
        json!({ "kind": "age", "days": 30 })
    );
    assert_eq!(text(&server.call("ordered", json!({ "item": "tea", "count": 2.0 }))), "2 of tea");
    assert_eq!(text(&server.call("increase", json!({ "by": 1e3 }))), "1000");
}

#[test]
fn large_integers_keep_every_digit() {
    let mut server = opened();
    let a = 9_007_199_254_740_993_i64;
    assert_eq!(text(&server.call("add", json!({ "a": a, "b": 0 }))), a.to_string());
    assert_eq!(text(&server.call("add", json!({ "a": i64::MIN, "b": 0 }))), i64::MIN.to_string());
    let beyond = told(&mut server, "add", &json!({ "a": u64::MAX, "b": 0 }));
    assert!(beyond.contains("`a`"), "{beyond}");
}

#[test]
fn no_task_is_made_of_arguments_that_break_a_rule() {
    let mut server = opened();
    for arguments in [limited("maxDepth", json!(9)), limited("colour", json!(1)), json!({}), json!([])] {
        let params = json!({ "name": "limited", "arguments": arguments, "task": { "ttl": 60000 } });
        match server.request("tools/call", params) {
            Ok(result) => assert_eq!(result["isError"], true, "{arguments}"),
            Err(refusal) => assert_eq!(refusal.code, -32602),
        }
    }
    assert_eq!(server.ok("tasks/list", json!({})), json!({ "tasks": [] }));
    server.speak(Wire::Tasks);
    assert_eq!(server.call("limited", limited("maxDepth", json!(9)))["isError"], true);
    server.speak(Wire::Legacy);
    assert_eq!(server.ok("tasks/list", json!({})), json!({ "tasks": [] }));
}

#[test]
fn what_is_told_is_the_same_on_every_wire_and_with_or_without_a_task() {
    let mut server = opened();
    let arguments = limited("maxDepth", json!(9));
    let plain = told(&mut server, "limited", &arguments);
    let params = json!({ "name": "limited", "arguments": arguments, "task": {} });
    assert_eq!(text(&server.ok("tools/call", params)), plain);
    for wire in [Wire::Modern, Wire::Tasks] {
        server.speak(wire);
        assert_eq!(told(&mut server, "limited", &arguments), plain);
    }
}

#[test]
fn however_much_is_wrong_the_answer_stays_short() {
    let mut server = opened();
    let many: Vec<u32> = vec![1; 200_000];
    let told_of_items = told(&mut server, "limited", &limited("tags", json!(many)));
    assert!(told_of_items.len() < 10_000, "{} bytes are no help to anybody", told_of_items.len());
    let unknown: serde_json::Map<String, Value> = (0..50_000).map(|n| (format!("x{n}"), json!(0))).collect();
    let told_of_names = told(&mut server, "greet", &Value::Object(unknown));
    assert!(told_of_names.len() < 10_000, "{} bytes are no help to anybody", told_of_names.len());
    let long = "x".repeat(200_000);
    for arguments in [limited("name", json!(long)), limited("mode", json!(long)), limited(&long, json!(1))] {
        let told = told(&mut server, "limited", &arguments);
        assert!(told.len() < 10_000, "{} bytes are no help to anybody", told.len());
    }
    let refusal = server.refused("tools/call", json!({ "name": long }));
    assert!(refusal.message.len() < 1_000);
}

#[test]
fn a_large_set_is_taken_without_comparing_everything_with_everything() {
    let mut server = opened();
    let numbers: Vec<u32> = (0..300_000).collect();
    assert_eq!(text(&server.call("different", json!({ "numbers": numbers }))), "300000");
    let told = told(&mut server, "different", &json!({ "numbers": [1, 2, 1] }));
    assert!(told.contains("`numbers`") && told.contains('1'), "{told}");
}
