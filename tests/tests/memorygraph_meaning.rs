//! The memory server with a model that knows what words mean: from the start to an answer, and what is wrong with a model.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};
use tests::{LEGACY, Process, Wire, example};

/// A folder of its own, with a model by which words of the same letters mean the same.
struct Bench {
    program: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Option<Self> {
        let program = example("memorygraph")?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("memorygraph-meaning-{name}"));
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("what an earlier run left can be removed");
        }
        for part in ["model/weights", "model/tokenizers"] {
            fs::create_dir_all(folder.join(part)).expect("a folder can be made");
        }
        fs::write(folder.join("model/weights/tiny.safetensors"), matrix()).expect("can be written");
        let tokenizer = tokenizer().to_string();
        fs::write(folder.join("model/tokenizers/tiny_tokenizer_config.json"), tokenizer)
            .expect("can be written");
        Some(Self { program, folder })
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn server(&self, with_model: bool) -> Process {
        let (db, model) = (self.path("memory.db"), self.path("model"));
        let arguments = ["--db", &db, "--stdio", "--model", &model];
        let arguments = if with_model { &arguments[..] } else { &arguments[..3] };
        Process::start(&self.program, arguments).speaking(Wire::Tasks)
    }
}

/// The first letter, after 256 bytes and the blank.
const A: usize = 257;
const LETTERS: usize = 26;

fn tokenizer() -> Value {
    let bytes = (0..=255).map(|byte| format!("<0x{byte:02X}>"));
    let letters = std::iter::once('\u{2581}').chain('a'..='z').map(String::from);
    let vocab: Map<String, Value> = bytes.chain(letters).zip((0..).map(|id: u32| id.into())).collect();
    json!({
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "Prepend", "prepend": "\u{2581}" },
            { "type": "Replace", "pattern": { "String": " " }, "content": "\u{2581}" },
        ] },
        "pre_tokenizer": null,
        "model": { "type": "BPE", "byte_fallback": true, "vocab": vocab, "merges": [] },
    })
}

fn matrix() -> Vec<u8> {
    let mut data = vec![0; (A + LETTERS) * LETTERS * 2];
    for letter in 0..LETTERS {
        // 1 in half precision.
        data[((A + letter) * LETTERS + letter) * 2 + 1] = 0x3c;
    }
    let tensor = json!({ "dtype": "F16", "shape": [A + LETTERS, LETTERS], "data_offsets": [0, data.len()] });
    let header = json!({ "embedding.weight": tensor }).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

fn memories(count: usize) -> Value {
    let row = |n: usize| json!({ "id": format!("m{n}"), "type": "fix", "title": "listen", "content": "zzz" });
    json!({ "format_version": "2.0", "memories": (0..count).map(row).collect::<Vec<_>>(), "relationships": [] })
}

fn done(server: &mut Process, tool: &str, arguments: Value) -> Value {
    let task = server.task(tool, arguments);
    let ended = server.ended(&task);
    assert_eq!(ended["status"], "completed", "{ended}");
    ended["result"]["structuredContent"].clone()
}

/// A server that embeds so many memories of before, and the task by which it does.
fn embedding(bench: &Bench, count: usize) -> (Process, Value) {
    let file = bench.path("in.json");
    fs::write(&file, memories(count).to_string()).expect("can be written");
    let mut server = bench.server(false);
    done(&mut server, "import_memories", json!({ "file": file }));
    drop(server);
    let mut server = bench.server(true);
    let task = server.task("embed_memories", json!({}));
    (server, task)
}

#[test]
fn memories_of_before_are_embedded_by_a_task_and_found_by_what_they_mean() {
    let Some(bench) = Bench::new("task") else { return };
    let mut server = bench.server(false);
    done(&mut server, "import_memories", json!({ "data": memories(3) }));
    let search = json!({ "terms": ["silent"] });
    let found = done(&mut server, "semantic_search", search.clone());
    assert_eq!((&found["mode"], &found["total"]), (&json!("associative"), &json!(0)));
    drop(server);

    let mut server = bench.server(true);
    let found = done(&mut server, "semantic_search", search.clone());
    assert_eq!(
        (&found["mode"], &found["total"], &found["without_vector"]),
        (&json!("semantic"), &json!(0), &json!(3))
    );
    server.call("store_memory", json!({ "type": "fix", "title": "tinsel", "content": "zzz" }));
    let found = done(&mut server, "semantic_search", search.clone());
    assert_eq!(
        (&found["total"], &found["without_vector"]),
        (&json!(1), &json!(3)),
        "what is stored is embedded"
    );
    let embedded = done(&mut server, "embed_memories", json!({}));
    assert_eq!(embedded, json!({ "got_vector": 3, "memories": 4, "without_vector": 0 }));
    let task = server.task("semantic_search", json!({ "terms": ["silent", "bowl"], "limit": 3 }));
    let ended = server.ended(&task);
    let found = &ended["result"]["structuredContent"];
    assert_eq!((&found["total"], found.get("without_vector")), (&json!(4), None), "{ended}");
    let told = found["memories"].as_array().expect("a list");
    assert!(told.len() == 3 && told.iter().all(|memory| memory["vector"].as_f64() > Some(0.3)), "{found}");
    assert!(found["next_cursor"].is_string());
    server.kill();

    let mut server = bench.server(true);
    let embedded = done(&mut server, "embed_memories", json!({}));
    assert_eq!(embedded["got_vector"], 0, "a restart costs nothing");
    assert_eq!(done(&mut server, "semantic_search", search)["total"], 4);
}

#[test]
fn an_embedding_that_is_killed_goes_on_and_counts_each_memory_once() {
    const COUNT: usize = 3_000;
    let Some(bench) = Bench::new("killed") else { return };
    let (mut server, task) = embedding(&bench, COUNT);
    for parts in 1..5 {
        // Until so many parts are done, or all are.
        let told = |state: &Value| {
            let message = state["statusMessage"].as_str().unwrap_or_default();
            let done = message.split_once('(').and_then(|(_, rest)| rest.split_once(' '));
            done.and_then(|(done, _)| done.parse().ok()).unwrap_or(0_usize)
        };
        loop {
            let state = server.state(&task);
            if state["status"] != "working" || told(&state) >= parts * 400 {
                break;
            }
        }
        server.kill();
        server = bench.server(true);
    }
    let ended = server.ended(&task);
    let expected = json!({ "got_vector": COUNT, "memories": COUNT, "without_vector": 0 });
    assert_eq!(ended["result"]["structuredContent"], expected, "{ended}");
}

#[test]
fn an_embedding_that_is_cancelled_leaves_what_it_did() {
    const COUNT: usize = 3_000;
    let Some(bench) = Bench::new("cancelled") else { return };
    let (mut server, task) = embedding(&bench, COUNT);
    let id = task["taskId"].clone();
    server.ok("tasks/cancel", json!({ "taskId": id }));
    let ended = server.ended(&task);
    assert!(ended["status"] == "cancelled" || ended["status"] == "completed", "{ended}");
    // What was begun is whole or not there, and another task does the rest.
    let embedded = done(&mut server, "embed_memories", json!({}));
    assert_eq!(embedded["without_vector"], 0);
    assert!(embedded["got_vector"].as_u64() <= Some(COUNT as u64), "{embedded}");
}

#[test]
fn hits_are_told_as_they_are_found() {
    let Some(bench) = Bench::new("partial") else { return };
    let mut server = bench.server(true).speaking(Wire::Legacy);
    server.initialize(LEGACY);
    for title in ["listen", "bowl"] {
        server.call("store_memory", json!({ "type": "fix", "title": title, "content": "zzz" }));
    }
    let params = json!({
        "name": "semantic_search", "arguments": { "terms": ["silent", "blow"] }, "_meta": { "progressToken": 7 }
    });
    let asked = server.begin("tools/call", params);
    let answer = server.answer(&asked).expect("is answered");
    assert_eq!(answer["structuredContent"]["total"], 2);
    let progress: Vec<Value> = server
        .notifications()
        .into_iter()
        .filter(|told| told["method"] == "notifications/progress")
        .collect();
    let messages: Vec<&str> = progress.iter().filter_map(|told| told["params"]["message"].as_str()).collect();
    assert!(messages.contains(&"Searching memories... (2 of 2 terms)"), "{progress:?}");
    let told = serde_json::to_string(&progress).expect("serializes");
    assert!(told.contains("listen") && told.contains("bowl"), "{told}");
}

#[test]
fn a_task_for_vectors_is_offered_only_where_there_is_a_model() {
    let Some(bench) = Bench::new("offered") else { return };
    for (with_model, expected) in [(false, false), (true, true)] {
        let mut server = bench.server(with_model);
        let tools = server.ok("tools/list", json!({}));
        let names: Vec<&Value> =
            tools["tools"].as_array().expect("a list").iter().map(|tool| &tool["name"]).collect();
        assert_eq!(names.contains(&&json!("embed_memories")), expected);
        assert!(names.contains(&&json!("semantic_search")));
    }
}

#[test]
fn a_model_that_cannot_be_used_is_named_and_nothing_is_served() {
    let Some(bench) = Bench::new("wrong") else { return };
    fs::write(bench.folder.join("text.whl"), "no zip at all").expect("can be written");
    let weights = bench.folder.join("model/weights/tiny.safetensors");
    let short = fs::read(&weights).expect("was written");
    fs::write(&weights, &short[..short.len() - 1]).expect("can be written");
    for (model, expected) in [
        ("none.whl", "No such file or directory"),
        ("text.whl", "it is neither a folder nor a wheel (a zip file)"),
        ("model", "weights/tiny.safetensors is damaged: "),
        ("model/weights", "it holds no tokenizer (tokenizers/*tokenizer_config.json or tokenizer.json)"),
    ] {
        let path = bench.path(model);
        let mut program = Command::new(&bench.program);
        let told = program
            .args(["--stdio", "--model", &path])
            .stdin(Stdio::null())
            .output()
            .expect("can be started");
        assert_eq!((told.status.code(), told.stdout.len()), (Some(1), 0));
        let words = String::from_utf8(told.stderr).expect("text");
        let start = format!("memorygraph: the model {path} cannot be used: {expected}");
        assert!(words.starts_with(&start) && words.lines().count() == 1, "{words}");
    }
}
