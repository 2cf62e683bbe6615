//! Log messages: for the request that asks for them, from the level on that it asks for.

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, fixture, names};

const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

fn said(server: &mut Process) -> Vec<Value> {
    let said =
        server.notifications().into_iter().filter(|message| message["method"] == "notifications/message");
    said.map(|mut message| message["params"].take()).collect()
}

fn chat(level: &Value) -> Value {
    json!({ "name": "chat", "arguments": {}, "_meta": { (names::LOG_LEVEL): level } })
}

#[test]
fn a_request_hears_what_matters_as_much_as_it_asks_for() {
    let mut server = fixture!("--asking").speaking(Wire::Modern);
    for (at, level) in LEVELS.iter().enumerate() {
        server.ok("tools/call", chat(&json!(level)));
        let said = said(&mut server);
        assert_eq!(said.len(), 2 * (LEVELS.len() - at), "from {level} on");
        assert_eq!(said[0], json!({ "level": level, "data": format!("said at {level}") }));
        assert_eq!(said[1], json!({ "level": level, "logger": "parrot", "data": { "level": level } }));
    }
}

/// "The server MUST NOT send `notifications/message` for a request that does not include this field."
#[test]
fn who_asks_for_nothing_hears_nothing() {
    let mut server = fixture!("--asking").speaking(Wire::Modern);
    server.call("chat", json!({}));
    assert!(said(&mut server).is_empty());
    // Not even while another request asks for everything.
    let loud =
        json!({ "name": "wait", "arguments": { "gate": "a" }, "_meta": { (names::LOG_LEVEL): "debug" } });
    let loud = server.begin("tools/call", loud);
    server.pass_gate("a-reached");
    server.call("chat", json!({}));
    assert!(said(&mut server).is_empty());
    server.open_gate("a");
    server.answer(&loud).expect("a result");
}

#[test]
fn a_level_that_there_is_not_is_refused() {
    let mut server = fixture!("--asking").speaking(Wire::Modern);
    for level in [json!("loud"), json!("DEBUG"), json!(7), json!("")] {
        assert_eq!(server.refused("tools/call", chat(&level)).code, -32602, "{level}");
    }
    assert!(said(&mut server).is_empty());
}

/// "`notifications/message` notifications are not supported on tasks in general in this specification."
#[test]
fn a_task_says_nothing() {
    let mut server = fixture!("--asking").speaking(Wire::Tasks);
    let task = server.ok("tools/call", chat(&json!("debug")));
    server.ended(&task);
    assert!(said(&mut server).is_empty());
}

#[test]
fn prompts_say_something_too() {
    let mut server = fixture!("--asking").speaking(Wire::Modern).declaring(json!({ "elicitation": {} }));
    let meta = json!({ (names::LOG_LEVEL): "error" });
    let params = json!({ "name": "letter", "arguments": { "topic": "tea" }, "_meta": meta });
    assert_eq!(server.ok("prompts/get", params)["resultType"], "input_required");
    assert_eq!(said(&mut server), [json!({ "level": "error", "data": "a letter" })]);
}

#[test]
fn what_a_session_wants_to_hear_is_nothing_to_requests_that_stand_alone() {
    let mut server = fixture!("--asking");
    server.initialize(LEGACY);
    server.ok("logging/setLevel", json!({ "level": "debug" }));
    server.speak(Wire::Modern);
    server.call("chat", json!({}));
    assert!(said(&mut server).is_empty());
    server.ok("tools/call", chat(&json!("alert")));
    assert_eq!(said(&mut server).len(), 4);
}

#[test]
fn logging_is_announced_since_any_function_may_log() {
    let mut server = fixture!("--asking").speaking(Wire::Modern);
    let capabilities = server.ok("server/discover", json!({}))["capabilities"].take();
    assert_eq!(capabilities["logging"], json!({}));
}
