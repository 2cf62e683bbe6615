//! What a client declares that it can be asked, and what it answers.

use serde_json::{Value, json};

/// Everything that a client may declare that it can be asked.
pub fn everything() -> Value {
    json!({
        "elicitation": { "form": {}, "url": {} },
        "sampling": { "tools": {}, "context": {} },
        "roots": { "listChanged": true }
    })
}

/// A form that was filled in.
pub fn accepted(content: Value) -> Value {
    json!({ "action": "accept", "content": content })
}

/// A form with one name that was filled in.
pub fn named(name: &str) -> Value {
    accepted(json!({ "name": name }))
}

/// A question to which somebody said no.
pub fn declined() -> Value {
    json!({ "action": "decline" })
}

/// What a model says.
pub fn model(text: &str) -> Value {
    json!({
        "role": "assistant", "model": "model-1", "stopReason": "endTurn",
        "content": { "type": "text", "text": text }
    })
}

/// A model's wish to use the tool `add`.
pub fn model_adds(id: &str) -> Value {
    let content = json!({ "type": "tool_use", "id": id, "name": "add", "input": { "a": 1 } });
    json!({ "role": "assistant", "model": "model-1", "stopReason": "toolUse", "content": [content] })
}

/// The roots of a client.
pub fn roots() -> Value {
    json!({ "roots": [{ "uri": "file:///home/ada", "name": "home" }, { "uri": "file:///tmp" }] })
}

/// Answers to the fixture's form about a gift, and what it makes of it.
pub fn gift() -> (Value, &'static str) {
    let form = json!({
        "name": "Ada", "address": "ada@example.com", "count": 2, "weight": 1.5, "secret": true, "wrapping": "cloth",
        "extra": "card"
    });
    let told = concat!(
        r#"accepted {"name":"Ada","address":"ada@example.com","count":2,"weight":1.5,"secret":true,"#,
        r#""wrapping":"cloth","extra":"card"}"#
    );
    (accepted(form), told)
}

/// What is no answer to the fixture's form about a gift.
pub fn no_gifts() -> Vec<Value> {
    let with = |member: &str, value: Value| {
        let (mut answer, _) = gift();
        answer["content"][member] = value;
        answer
    };
    vec![
        json!({}),
        json!({ "action": "accept" }),
        json!({ "action": "accept", "content": null }),
        json!({ "action": "accept", "content": {} }),
        json!({ "action": "accept", "content": [] }),
        json!({ "action": "perhaps" }),
        json!({ "action": 1 }),
        with("name", json!("")),
        with("name", json!("much longer than this may be")),
        with("count", json!(10)),
        with("count", json!("2")),
        with("count", json!(1.5)),
        with("secret", json!("yes")),
        with("wrapping", json!("tin")),
        with("extra", json!("Ribbon")),
        model("hello"),
        roots(),
    ]
}
