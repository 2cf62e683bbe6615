//! A recall that is cancelled leaves what it had found where its client can read it, marked as partial.

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, example, names};

use crate::document;

/// How often a recall is begun, at most, until one is cancelled before it is over.
const TRIES: usize = 50;

/// Recalls nearly everything.
fn everything() -> Value {
    json!({ "query": "fix", "limit": 1000, "maxDepth": 6 })
}

fn server(wire: Wire) -> Option<Process> {
    let mut server = Process::start(example("memorygraph")?, &["--stdio"]).speaking(wire);
    if wire == Wire::Legacy {
        server.initialize(LEGACY);
    }
    let arguments = json!({ "data": document() });
    if wire == Wire::Modern {
        server.call("import_memories", arguments);
    } else {
        let task = server.task("import_memories", arguments);
        assert_eq!(server.ended(&task)["status"], "completed");
    }
    Some(server)
}

/// The hits that a message tells of as partial; none if it tells of none.
fn partial(said: &Value) -> &[Value] {
    said["_meta"][names::PARTIAL]["values"].as_array().map_or(&[], Vec::as_slice)
}

fn assert_hits(values: &[Value]) {
    for value in values {
        let told = ["id", "title", "score", "why"].iter().all(|key| value.get(key).is_some());
        assert!(told, "no hit: {value}");
    }
    assert!(values.is_sorted_by(|a, b| a["score"].as_f64() >= b["score"].as_f64()), "the best come first");
}

#[test]
fn a_cancelled_task_says_in_its_state_what_it_found() {
    for wire in [Wire::Legacy, Wire::Tasks] {
        let Some(mut server) = server(wire) else { return };
        let found = (0..TRIES).find_map(|_| {
            let task = server.task("recall_memories", everything());
            while partial(&server.state(&task)).is_empty() {}
            // It may be over by now, which is no error to whoever cancels on the tasks extension.
            let cancelled = server.request("tasks/cancel", json!({ "taskId": task["taskId"] }));
            let state = server.ended(&task);
            if state["status"] == "completed" {
                return None;
            }
            cancelled.expect("it was not over");
            assert_eq!(state["status"], "cancelled");
            assert!(state.get("result").is_none(), "what is cancelled has no result: {state}");
            let later = server.state(&task);
            assert_eq!(partial(&later), partial(&state), "it can be read for as long as the task is kept");
            Some(partial(&state).to_vec())
        });
        let found = found.expect("one is cancelled in time");
        assert!(!found.is_empty());
        assert_hits(&found);
    }
}

#[test]
fn a_call_that_is_cancelled_has_told_what_it_found() {
    for wire in [Wire::Legacy, Wire::Modern] {
        let Some(mut server) = server(wire) else { return };
        let found = (0..TRIES).find_map(|turn| {
            let token = format!("turn {turn}");
            let params = json!({ "name": "recall_memories", "arguments": everything(), "_meta": { "progressToken": token } });
            let call = server.begin("tools/call", params);
            let told = server.notification_that(|message| {
                let params = &message["params"];
                params["progressToken"] == token && !partial(params).is_empty()
            });
            server.cancel(&call);
            // What is answered after this request is answered after the cancellation was heard.
            server.call("get_memory_statistics", json!({}));
            let answered = server.other_responses().iter().any(|response| response["id"] == call);
            server.notifications();
            (!answered).then(|| partial(&told["params"]).to_vec())
        });
        assert_hits(&found.expect("one is cancelled in time"));
    }
}
