//! Keys over the death of a server: what was made under a key is found by the next server that keeps its tasks in the
//! same file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, fixture, text};

use crate::{PLACES, call, keyed};

/// A file of tasks that is gone when the test is over.
struct Kept(PathBuf);

impl Kept {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("mcp-idempotency-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        Self(folder)
    }

    fn server(&self, wire: Wire) -> Process {
        let file = format!("--kept-in={}", self.0.join("tasks.db").display());
        let mut server = fixture!(&file);
        match wire {
            Wire::Legacy => drop(server.initialize(LEGACY)),
            other => server.speak(other),
        }
        server
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const WIRES: [Wire; 2] = [Wire::Legacy, Wire::Tasks];

#[test]
fn a_key_finds_its_task_after_the_server_died_wherever_it_stands() {
    for wire in WIRES {
        let kept = Kept::new();
        let mut server = kept.server(wire);
        let params = |place: fn(&mut Value, &str), key: &str| {
            let mut params = call("slow", &json!({ "ms": 0 }));
            place(&mut params, key);
            params
        };
        let made: Vec<(Value, Value)> = PLACES
            .iter()
            .enumerate()
            .map(|(number, place)| {
                let task = server.task_with(params(*place, &format!("key {number}")));
                (server.ended(&task), task)
            })
            .collect();
        server.kill();
        let mut server = kept.server(wire);
        for (number, (ended, task)) in made.iter().enumerate() {
            // In another place than before, too: a key is a key.
            for place in PLACES {
                let again = server.task_with(params(place, &format!("key {number}")));
                assert_eq!(again["taskId"], task["taskId"]);
                assert_eq!((&again["status"], &again["createdAt"]), (&ended["status"], &task["createdAt"]));
            }
            assert_eq!(server.state(task)["lastUpdatedAt"], ended["lastUpdatedAt"], "nothing ran again");
        }
        let mut other = keyed("slow", &json!({ "ms": 1 }), "key 0");
        other["task"] = json!({});
        let refusal = server.refused("tools/call", other);
        assert!(refusal.code == -32602 && refusal.message.contains("key"), "{refusal}");
    }
}

#[test]
fn a_key_finds_its_task_on_the_other_wire_after_the_server_died() {
    let kept = Kept::new();
    let params = keyed("slow", &json!({ "ms": 0 }), "the key");
    let mut server = kept.server(Wire::Legacy);
    let task = server.task_with(params.clone());
    server.ended(&task);
    server.kill();
    let mut server = kept.server(Wire::Tasks);
    assert_eq!(server.task_with(params)["taskId"], task["taskId"]);
    assert_eq!(text(&server.state(&task)["result"]), "took 0 ms");
}

#[test]
fn a_key_finds_a_task_that_was_cut_off_and_runs_nothing_anew() {
    for wire in WIRES {
        let kept = Kept::new();
        let params = keyed("wait", &json!({ "gate": "never" }), "the key");
        let mut server = kept.server(wire);
        let task = server.task_with(params.clone());
        server.kill();
        let mut server = kept.server(wire);
        assert_eq!(server.task_with(params.clone())["taskId"], task["taskId"]);
        let ended = server.ended(&task);
        assert_eq!(ended["status"], "failed", "{ended}");
        assert_eq!(server.task_with(params)["status"], "failed", "who wants it anew takes another key");
    }
}

#[test]
fn a_call_whose_answer_was_lost_with_the_server_is_repeated_under_its_key() {
    for wire in WIRES {
        let kept = Kept::new();
        let mut params = keyed("slow", &json!({ "ms": 0 }), "the key");
        params["task"] = json!({});
        let mut server = kept.server(wire);
        // Not read: the answer may be anywhere on its way, and the task is made or not.
        server.begin("tools/call", params.clone());
        server.kill();
        let mut server = kept.server(wire);
        let task = server.task_with(params.clone());
        assert_eq!(server.task_with(params)["taskId"], task["taskId"]);
        server.speak(Wire::Legacy);
        server.initialize(LEGACY);
        let listed = server.ok("tasks/list", json!({}));
        assert_eq!(listed["tasks"].as_array().map(Vec::len), Some(1), "{listed}");
    }
}
