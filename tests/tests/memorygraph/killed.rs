//! Killed at any moment, it loses nothing and doubles nothing.
//!
//! The moments come of a seed, 1 unless `MEMORYGRAPH_SEED` says another. How many there were, and how many of them hit a
//! task at work, is printed: `cargo test -p tests --test memorygraph killed -- --nocapture`.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Process, text};

use crate::{Bench, MEMORIES, document, rows};

/// How often each task is killed. A third time would only wait longer, since a task that takes its server down with it is
/// begun again later each time.
const KILLS: u64 = 2;
/// How often each kind of task is begun.
const ROUNDS: usize = 6;
/// Within what time after it was heard of a task is killed, in microseconds: a part of the work takes about as long.
const MOMENTS: u64 = 60_000;

/// Chance that repeats itself.
struct Dice(u64);

impl Dice {
    fn of_round(round: usize) -> Self {
        let seed = std::env::var("MEMORYGRAPH_SEED").ok();
        let seed = seed.map_or(1, |seed| seed.parse().expect("MEMORYGRAPH_SEED is a number"));
        let mut dice = Self(seed ^ (round as u64) << 32);
        dice.below(1);
        dice
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Rounds of one kind of task, and how often it was hit at work.
struct Kills {
    of: &'static str,
    hits: u64,
}

impl Kills {
    /// Runs a task that is killed again and again, and gives its answer.
    fn survived(&mut self, bench: &Bench, tool: &str, arguments: &Value, dice: &mut Dice) -> Value {
        let mut server = bench.server();
        let task = server.task(tool, arguments.clone());
        for _ in 0..KILLS {
            hear_of(&mut server, &task, dice.below(8));
            // What is hit lies anywhere between two states that can be heard of.
            std::thread::sleep(Duration::from_micros(dice.below(MOMENTS)));
            server.kill();
            server = bench.server();
            let state = server.state(&task);
            assert!(state["status"] == "working" || state["status"] == "completed", "{state}");
            self.hits += u64::from(state["status"] == "working");
        }
        let ended = server.ended(&task);
        assert_eq!(ended["status"], "completed", "{ended}");
        ended["result"]["structuredContent"].clone()
    }
}

impl Drop for Kills {
    fn drop(&mut self) {
        let kills = KILLS * ROUNDS as u64;
        println!("{}: {ROUNDS} rounds, {kills} kills, {} of them at work", self.of, self.hits);
    }
}

/// Waits for so many states of a task, or for its end.
fn hear_of(server: &mut Process, task: &Value, states: u64) {
    server.listen(std::slice::from_ref(task));
    for _ in 0..states {
        let told = server.notification_that(|message| message["method"] == "notifications/tasks");
        if told["params"]["status"] != "working" {
            return;
        }
    }
}

#[test]
fn an_import_that_is_killed_goes_on_and_nothing_is_lost_or_doubled() {
    let total = 3 * MEMORIES - 3;
    let mut kills = Kills { of: "import", hits: 0 };
    for (round, on_duplicate) in ["skip", "error", "replace"].into_iter().cycle().take(ROUNDS).enumerate() {
        let Some(bench) = Bench::new(&format!("import-{round}")) else { return };
        let file = bench.file("in.json");
        std::fs::write(&file, document().to_string()).expect("can be written");
        let arguments = json!({ "file": file, "onDuplicate": on_duplicate });
        let report = kills.survived(&bench, "import_memories", &arguments, &mut Dice::of_round(round));
        let expected = json!({
            "memories": { "imported": MEMORIES, "replaced": 0, "skipped": 0, "failed": 0 },
            "relationships": { "imported": total - MEMORIES - 1, "replaced": 0, "skipped": 0, "failed": 1 },
            "errors": [{ "table": "relationships", "row": total - MEMORIES, "message": "One or both memories not found: m1, nobody" }]
        });
        assert_eq!(report, expected, "round {round}");
        let export = bench.export(&mut bench.server());
        let kept = (rows(&export, "memories").len() as u64, rows(&export, "relationships").len() as u64);
        assert_eq!(kept, (MEMORIES, total - MEMORIES - 1), "round {round}");
    }
    assert!(kills.hits > 0, "no import was hit at work");
}

/// Starts a server with this document in it, and stops it again.
fn import(bench: &Bench, document: &Value) {
    let file = bench.file("in.json");
    std::fs::write(&file, document.to_string()).expect("can be written");
    let mut server = bench.server();
    let task = server.task("import_memories", json!({ "file": file }));
    assert_eq!(server.ended(&task)["status"], "completed");
}

#[test]
fn a_consolidation_that_is_killed_goes_on_and_nothing_is_lost_or_doubled() {
    const PAIRS: u64 = 400;
    let mut kills = Kills { of: "consolidation", hits: 0 };
    for (round, strategy) in ["delete", "archive", "link"].into_iter().cycle().take(ROUNDS).enumerate() {
        let Some(bench) = Bench::new(&format!("consolidation-{round}")) else { return };
        // Of each pair the first is better; the other one solves what both of the pair before it are.
        let memory = |n: u64| {
            let words: Vec<String> = (0..8).map(|word| format!("word{n}of{word}")).collect();
            let words = words.join(" ");
            [(0, 0.9), (1, 0.5)].map(|(twin, importance)| {
                json!({ "id": format!("m{n}.{twin}"), "type": "fix", "title": words, "content": words, "importance": importance })
            })
        };
        let relationship = |n: u64| {
            [0, 1].map(|twin| json!({ "from_memory_id": format!("m{n}.1"), "to_memory_id": format!("m{}.{twin}", n - 1), "type": "SOLVES" }))
        };
        let document = json!({
            "format_version": "2.0",
            "memories": (0..PAIRS).flat_map(memory).collect::<Vec<_>>(),
            "relationships": (1..PAIRS).flat_map(relationship).collect::<Vec<_>>(),
        });
        import(&bench, &document);
        let arguments = json!({ "strategy": strategy, "confirmed": PAIRS });
        let done = kills.survived(&bench, "consolidate_memories", &arguments, &mut Dice::of_round(round));
        assert_eq!((&done["duplicate_count"], &done["skipped"]), (&json!(PAIRS), &json!(0)), "{done}");
        let export = bench.export(&mut bench.server());
        let kept = (rows(&export, "memories").len() as u64, rows(&export, "relationships").len() as u64);
        // Two relationships became one, of better evidence; what is archived or linked says to what.
        let expected = match strategy {
            "delete" => (PAIRS, PAIRS - 1),
            "archive" => (2 * PAIRS, PAIRS - 1 + PAIRS),
            _ => (2 * PAIRS, 2 * (PAIRS - 1) + PAIRS),
        };
        assert_eq!(kept, expected, "round {round}, {strategy}");
        if strategy != "link" {
            let solved = rows(&export, "relationships").iter().filter(|row| row["type"] == "SOLVES");
            assert!(solved.clone().all(|row| row["properties"]["evidence_count"] == 2), "round {round}");
            assert!(
                solved.clone().all(|row| row["from_memory_id"].as_str().is_some_and(|id| id.ends_with(".0")))
            );
        }
    }
    assert!(kills.hits > 0, "no consolidation was hit at work");
}

#[test]
fn a_curation_that_is_killed_goes_on_and_nothing_fades_twice() {
    const COUNT: u64 = 2_000;
    const GONE: u64 = 500;
    let mut kills = Kills { of: "curation", hits: 0 };
    for round in 0..ROUNDS {
        let Some(bench) = Bench::new(&format!("curation-{round}")) else { return };
        let memory = |n: u64| {
            json!({ "id": format!("m{n}"), "type": "fix", "title": format!("Fix {n}"), "content": "Reuse them.",
                    "importance": 1.0, "created_at": "2026-01-01T00:00:00Z" })
        };
        // The last ones are out of the way for long, and are deleted.
        let memory = |n: u64| {
            let mut memory = memory(n);
            if n >= COUNT - GONE {
                memory["archived_at"] = json!("2026-02-01T00:00:00Z");
            }
            memory
        };
        let document = json!({
            "format_version": "2.0",
            "memories": (0..COUNT).map(memory).collect::<Vec<_>>(),
            "relationships": [],
        });
        import(&bench, &document);
        let arguments = json!({ "steps": ["cleanup", "decay", "optimise"], "confirmed": GONE });
        let done = kills.survived(&bench, "curate_memories", &arguments, &mut Dice::of_round(round));
        let counts = &done["counts"];
        let touched = ["faded", "archived"].map(|count| counts[count].as_u64().unwrap_or_default());
        assert_eq!(touched.iter().sum::<u64>(), COUNT - GONE, "{done}");
        assert_eq!((&counts["deleted"], &counts["skipped"]), (&json!(GONE), &json!(0)), "{done}");
        let export = bench.export(&mut bench.server());
        let importance = |row: &Value| row["importance"].as_f64().unwrap_or_default();
        let first = importance(&rows(&export, "memories")[0]);
        assert!(first < 1.0);
        let all = rows(&export, "memories");
        assert_eq!(all.len() as u64, COUNT - GONE);
        assert!(all.iter().all(|row| (importance(row) - first).abs() < 1e-9), "round {round}");
    }
    assert!(kills.hits > 0, "no curation was hit at work");
}

#[test]
fn what_was_answered_is_there_after_the_server_was_killed() {
    let Some(bench) = Bench::new("answered") else { return };
    let mut ids: Vec<Value> = Vec::new();
    for round in 0..5 {
        let mut server = bench.server();
        for n in 0..3 {
            let memory = json!({ "type": "problem", "title": format!("Problem {round}.{n}"), "content": "Seen under load." });
            ids.push(server.call("store_memory", memory)["structuredContent"]["memory_id"].take());
            if let [.., first, second] = ids.as_slice() {
                let ends = json!({ "from_memory_id": second, "to_memory_id": first, "relationship_type": "FOLLOWS" });
                server.call("create_relationship", ends);
            }
        }
        server.kill();
    }
    let mut server = bench.server();
    let export = bench.export(&mut server);
    assert_eq!(
        (rows(&export, "memories").len(), rows(&export, "relationships").len()),
        (ids.len(), ids.len() - 1)
    );
}

#[test]
fn a_document_that_changed_meanwhile_is_not_gone_on_with() {
    let Some(bench) = Bench::new("changed") else { return };
    let file = bench.file("in.json");
    std::fs::write(&file, document().to_string()).expect("can be written");
    let mut server = bench.server();
    let task = server.task("import_memories", json!({ "file": file }));
    hear_of(&mut server, &task, 2);
    server.kill();
    std::fs::write(
        &file,
        json!({ "format_version": "2.0", "memories": [], "relationships": [] }).to_string(),
    )
    .expect("can be written");
    let mut server = bench.server();
    let ended = server.ended(&task);
    // It may have been over before.
    if ended["result"]["isError"] == true {
        let told = text(&ended["result"]);
        assert!(told.starts_with("The document has changed since its import began"), "{ended}");
    }
    bench.export(&mut server);
}
