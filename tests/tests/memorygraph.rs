//! The memory server as somebody has it for long: killed at any moment, it loses nothing and doubles nothing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, example, text};

/// A file of memories, and a document to be imported into it.
struct Bench {
    program: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Option<Self> {
        let program = example("memorygraph")?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("memorygraph-{name}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).expect("what an earlier run left can be removed");
        }
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        Some(Self { program, folder })
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn server(&self) -> Process {
        let arguments = ["--db", &self.file("memory.db"), "--stdio"];
        Process::start(&self.program, &arguments).speaking(Wire::Tasks)
    }

    /// Everything that is kept, with what is wrong with it: dangling relationships, and what is there twice.
    fn export(&self, server: &mut Process) -> Value {
        let file = self.file("out.json");
        let task = server.task("export_memories", json!({ "file": file }));
        let ended = server.ended(&task);
        assert_eq!(ended["status"], "completed", "{ended}");
        let export = std::fs::read_to_string(&file).expect("it was written");
        let export: Value = serde_json::from_str(&export).expect("it is JSON");
        let mut ids = HashSet::new();
        for memory in rows(&export, "memories") {
            assert!(ids.insert(&memory["id"]), "{} is there twice", memory["id"]);
        }
        let mut claims = HashSet::new();
        for relationship in rows(&export, "relationships") {
            let claim = ["from_memory_id", "to_memory_id", "type"].map(|key| &relationship[key]);
            assert!(ids.contains(claim[0]) && ids.contains(claim[1]), "{relationship} dangles");
            assert!(claims.insert(claim), "{relationship} is there twice");
        }
        export
    }
}

fn rows<'e>(export: &'e Value, table: &str) -> &'e [Value] {
    export[table].as_array().expect("a list")
}

/// Chance that repeats itself.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

const MEMORIES: u64 = 1_500;

/// A document of so many memories, each of which but the first two relates to two others, and of a row that is wrong.
fn document() -> Value {
    let memories: Vec<Value> = (0..MEMORIES)
        .map(|n| json!({ "id": format!("m{n}"), "type": "fix", "title": format!("Fix {n}"), "content": "Reuse them." }))
        .collect();
    let relationship = |n: u64, before: u64, kind: &str| json!({ "from_memory_id": format!("m{n}"), "to_memory_id": format!("m{}", n - before), "type": kind });
    let mut relationships: Vec<Value> = (2..MEMORIES)
        .flat_map(|n| [relationship(n, 1, "FOLLOWS"), relationship(n, 2, "BUILDS_ON")])
        .collect();
    relationships.push(json!({ "from_memory_id": "m1", "to_memory_id": "nobody", "type": "SOLVES" }));
    json!({ "format_version": "2.0", "memories": memories, "relationships": relationships })
}

/// How many rows an import says that it has done.
fn rows_done(state: &Value) -> u64 {
    let message = state["statusMessage"].as_str().unwrap_or_default();
    let done = message.split_once('(').and_then(|(_, rest)| rest.split_once(' '));
    done.and_then(|(done, _)| done.parse().ok()).unwrap_or_default()
}

/// Asks for a task until so many rows are done, or it is over.
fn until(server: &mut Process, task: &Value, rows: u64) -> Value {
    loop {
        let state = server.state(task);
        if state["status"] != "working" || rows_done(&state) >= rows {
            return state;
        }
    }
}

#[test]
fn an_import_that_is_killed_goes_on_and_nothing_is_lost_or_doubled() {
    let total = 3 * MEMORIES - 3;
    for (round, on_duplicate) in ["skip", "error", "replace"].into_iter().cycle().take(6).enumerate() {
        let Some(bench) = Bench::new(&format!("import-{round}")) else { return };
        let mut dice = Dice(round as u64 + 1);
        let file = bench.file("in.json");
        std::fs::write(&file, document().to_string()).expect("can be written");
        let mut server = bench.server();
        let task = server.task("import_memories", json!({ "file": file, "onDuplicate": on_duplicate }));
        for _ in 0..5 {
            let state = until(&mut server, &task, dice.below(total));
            assert!(state["status"] == "working" || state["status"] == "completed", "{state}");
            server.kill();
            server = bench.server();
        }
        let ended = server.ended(&task);
        let report = &ended["result"]["structuredContent"];
        let expected = json!({
            "memories": { "imported": MEMORIES, "replaced": 0, "skipped": 0, "failed": 0 },
            "relationships": { "imported": total - MEMORIES - 1, "replaced": 0, "skipped": 0, "failed": 1 },
            "errors": [{ "table": "relationships", "row": total - MEMORIES, "message": "One or both memories not found: m1, nobody" }]
        });
        assert_eq!(report, &expected, "round {round}: {ended}");
        let export = bench.export(&mut server);
        let kept = (rows(&export, "memories").len() as u64, rows(&export, "relationships").len() as u64);
        assert_eq!(kept, (MEMORIES, total - MEMORIES - 1), "round {round}");
    }
}

/// Runs a task that is killed at any moment, five times, and gives its answer.
fn killed_again_and_again(
    bench: &Bench,
    tool: &str,
    arguments: &Value,
    total: u64,
    dice: &mut Dice,
) -> Value {
    let mut server = bench.server();
    let task = server.task(tool, arguments.clone());
    for _ in 0..5 {
        let state = until(&mut server, &task, dice.below(total));
        assert!(state["status"] == "working" || state["status"] == "completed", "{state}");
        server.kill();
        server = bench.server();
    }
    let ended = server.ended(&task);
    assert_eq!(ended["status"], "completed", "{ended}");
    ended["result"]["structuredContent"].clone()
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
    for (round, strategy) in ["delete", "archive", "link"].into_iter().enumerate() {
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
        let done = killed_again_and_again(
            &bench,
            "consolidate_memories",
            &arguments,
            PAIRS,
            &mut Dice(round as u64 + 1),
        );
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
}

#[test]
fn a_curation_that_is_killed_goes_on_and_nothing_fades_twice() {
    const COUNT: u64 = 2_000;
    for round in 0..3 {
        let Some(bench) = Bench::new(&format!("curation-{round}")) else { return };
        let memory = |n: u64| {
            json!({ "id": format!("m{n}"), "type": "fix", "title": format!("Fix {n}"), "content": "Reuse them.",
                    "importance": 1.0, "created_at": "2026-01-01T00:00:00Z" })
        };
        let document = json!({
            "format_version": "2.0",
            "memories": (0..COUNT).map(memory).collect::<Vec<_>>(),
            "relationships": [],
        });
        import(&bench, &document);
        let done = killed_again_and_again(&bench, "curate_memories", &json!({}), COUNT, &mut Dice(round + 1));
        let counts = &done["counts"];
        let touched = ["faded", "archived"].map(|count| counts[count].as_u64().unwrap_or_default());
        assert_eq!(touched.iter().sum::<u64>(), COUNT, "{done}");
        let export = bench.export(&mut bench.server());
        let importance = |row: &Value| row["importance"].as_f64().unwrap_or_default();
        let first = importance(&rows(&export, "memories")[0]);
        assert!(first < 1.0);
        let all = rows(&export, "memories");
        assert_eq!(all.len() as u64, COUNT);
        assert!(all.iter().all(|row| (importance(row) - first).abs() < 1e-9), "round {round}");
    }
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
    let state = until(&mut server, &task, 1);
    server.kill();
    std::fs::write(
        &file,
        json!({ "format_version": "2.0", "memories": [], "relationships": [] }).to_string(),
    )
    .expect("can be written");
    let mut server = bench.server();
    let ended = server.ended(&task);
    if state["status"] == "working" {
        assert!(
            text(&ended["result"]).starts_with("The document has changed since its import began"),
            "{ended}"
        );
    }
    bench.export(&mut server);
}

#[test]
fn a_file_that_is_in_use_or_not_ours_is_named() {
    let Some(bench) = Bench::new("wrong") else { return };
    let mut first = bench.server();
    first.call("get_memory_statistics", json!({}));
    let told = |file: &str| {
        let told = Command::new(&bench.program).args(["--db", file, "--stdio"]).stdin(Stdio::null()).output();
        let told = told.expect("can be started");
        assert_eq!(told.status.code(), Some(1));
        String::from_utf8(told.stderr).expect("text")
    };
    let in_use = told(&bench.file("memory.db"));
    assert!(in_use.contains("memory.db cannot be opened: another process has it open"), "{in_use}");
    std::fs::write(bench.file("text.db"), "no database at all, ".repeat(100)).expect("can be written");
    let not_ours = told(&bench.file("text.db"));
    assert!(not_ours.contains("text.db cannot be opened: it is a file of another program"), "{not_ours}");
}

#[test]
fn who_subscribed_to_a_memory_hears_of_its_changes() {
    let Some(program) = example("memorygraph") else { return };
    let mut server = Process::start(program, &["--stdio"]);
    server.initialize(LEGACY);
    let memory = json!({ "type": "problem", "title": "Redis timeout", "content": "Seen under load." });
    let id = server.call("store_memory", memory)["structuredContent"]["memory_id"].take();
    let uri = format!("memory://{}", id.as_str().expect("an id"));
    server.ok("resources/subscribe", json!({ "uri": uri }));
    let read = |server: &mut Process, uri: &str| {
        let read = server.ok("resources/read", json!({ "uri": uri }));
        read["contents"][0]["text"].as_str().expect("a text").to_owned()
    };
    assert!(read(&mut server, &uri).starts_with("**Redis timeout**"));
    server.call("update_memory", json!({ "memory_id": id, "title": "Redis timeout at night" }));
    let told = server.notification_that(|message| message["method"] == "notifications/resources/updated");
    assert_eq!(told["params"]["uri"], *uri);
    assert!(read(&mut server, &uri).starts_with("**Redis timeout at night**"));
    assert!(read(&mut server, "memory://stats").starts_with("1 memories (0 archived), 0 relationships."));
    assert!(read(&mut server, "memory://recent").contains("**Unresolved:**\n\n**Redis timeout at night**"));
}

#[test]
fn a_conversation_may_begin_with_what_is_known() {
    let Some(program) = example("memorygraph") else { return };
    let mut server = Process::start(program, &["--stdio"]);
    server.initialize(LEGACY);
    let memory = |id: &str, kind: &str, title: &str| json!({ "id": id, "type": kind, "title": title, "content": "Seen under load.", "context": { "project_path": "/srv/shop" } });
    let now = json!({ "format_version": "2.0",
        "memories": [memory("a", "problem", "Redis timeout"), memory("b", "error", "Pool exhausted"), memory("c", "fix", "Larger pool")],
        "relationships": [
            { "from_memory_id": "b", "to_memory_id": "a", "type": "CAUSES" },
            { "from_memory_id": "c", "to_memory_id": "a", "type": "SOLVES" }
        ] });
    server.call("import_memories", json!({ "data": now }));
    let mut got = |name: &str, arguments: Value| {
        let got = server.ok("prompts/get", json!({ "name": name, "arguments": arguments }));
        got["messages"][0]["content"]["text"].as_str().expect("a text").to_owned()
    };
    let briefing = got("session_briefing", json!({ "projectPath": "/srv/shop" }));
    assert!(briefing.contains("3 memories in the last 30 days in /srv/shop."), "{briefing}");
    let cause = got("root_cause", json!({ "memoryId": "a" }));
    assert!(cause.contains("\"Redis timeout\" <-CAUSES- this"), "{cause}");
    assert!(cause.contains("\"Redis timeout\" <-SOLVES- this"), "{cause}");
}
