//! The memory server as somebody has it for long.

mod asked;
mod cancelled;
mod killed;
mod wrong;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, example};

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
