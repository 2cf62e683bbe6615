//! Log messages: to sessions, from the level on that they ask for.

use serde_json::{Value, json};
use tests::{LEGACY, Process, fixture, names};

use crate::{REVISIONS, id};

const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

fn session(revision: &str) -> Process {
    let mut server = fixture!("--asking");
    server.initialize(revision);
    server
}

/// The messages that came, in order.
fn said(server: &mut Process) -> Vec<Value> {
    let said =
        server.notifications().into_iter().filter(|message| message["method"] == "notifications/message");
    said.map(|mut message| message["params"].take()).collect()
}

#[test]
fn a_session_hears_what_matters_as_much_as_it_asked_for() {
    for revision in REVISIONS {
        let mut server = session(revision);
        for (at, level) in LEVELS.iter().enumerate() {
            assert_eq!(server.ok("logging/setLevel", json!({ "level": level })), json!({}));
            server.call("chat", json!({}));
            let expected: Vec<Value> = LEVELS[at..]
                .iter()
                .flat_map(|level| {
                    [
                        json!({ "level": level, "data": format!("said at {level}") }),
                        json!({ "level": level, "logger": "parrot", "data": { "level": level } }),
                    ]
                })
                .collect();
            assert_eq!(said(&mut server), expected, "{revision} from {level} on");
        }
    }
}

/// "If no `logging/setLevel` request has been sent, the server MAY decide which messages to send automatically."
#[test]
fn who_asked_for_nothing_hears_what_is_worth_knowing() {
    let mut server = session(LEGACY);
    server.call("chat", json!({}));
    let first = said(&mut server).remove(0);
    assert_eq!(first["level"], "info");
    assert_eq!(server.refused("logging/setLevel", json!({ "level": "loud" })).code, -32602);
    server.call("chat", json!({}));
    assert_eq!(said(&mut server).remove(0)["level"], "info", "what was refused changed nothing");
}

#[test]
fn messages_of_a_task_name_it() {
    let mut server = session(LEGACY);
    server.ok("logging/setLevel", json!({ "level": "alert" }));
    let task = server.task("chat", json!({}));
    server.ended(&task);
    let said = said(&mut server);
    assert_eq!(said.len(), 4);
    for message in said {
        assert_eq!(message["_meta"][names::RELATED_TASK], json!({ "taskId": task["taskId"] }));
    }
}

#[test]
fn a_level_holds_from_when_it_is_set_for_what_runs_already() {
    let mut server = session(LEGACY);
    server.ok("logging/setLevel", json!({ "level": "emergency" }));
    let task = server.task("chat_later", json!({ "gate": "a" }));
    server.ok("logging/setLevel", json!({ "level": "error" }));
    server.open_gate("a");
    server.ok("tasks/result", id(&task));
    assert_eq!(said(&mut server).len(), 1);
}

#[test]
fn prompts_say_something_too() {
    let mut server = session(LEGACY);
    let _ = server.request("prompts/get", json!({ "name": "letter", "arguments": { "topic": "tea" } }));
    assert_eq!(said(&mut server)[0]["data"], "a letter");
}

#[test]
fn what_is_cancelled_says_nothing_more() {
    let mut server = session(LEGACY);
    let task = server.task("chat_later", json!({ "gate": "a" }));
    server.ok("tasks/cancel", id(&task));
    server.open_gate("a");
    server.ok("ping", json!({}));
    assert!(said(&mut server).is_empty());
}
