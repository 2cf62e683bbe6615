//! Whatever is wrong from outside is told in a sentence that names it, and nothing is lost or half written.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::{LEGACY, Process, example, text};

use crate::{Bench, rows};

/// A server that keeps nothing, and a client that knows no tasks.
fn server() -> Option<Process> {
    let mut server = Process::start(example("memorygraph")?, &["--stdio"]);
    server.initialize(LEGACY);
    Some(server)
}

fn document(memories: Value, relationships: Value) -> String {
    json!({ "format_version": "2.0", "memories": memories, "relationships": relationships }).to_string()
}

/// A memory with one field more, or another one.
fn memory(field: &str, value: Value) -> Value {
    let mut memory = json!({ "id": "a", "type": "fix", "title": "A", "content": "B" });
    memory[field] = value;
    memory
}

/// What the tool says of what it refused.
fn refused(server: &mut Process, tool: &str, arguments: Value) -> String {
    let answer = server.call(tool, arguments.clone());
    assert_eq!(answer["isError"], true, "{tool} {arguments}: {answer}");
    text(&answer).to_owned()
}

fn count(server: &mut Process) -> Value {
    server.call("search_memories", json!({}))["structuredContent"]["total"].take()
}

#[test]
fn a_document_that_is_none_is_refused_as_a_whole() {
    let Some(bench) = Bench::new("documents") else { return };
    let Some(mut server) = server() else { return };
    let sound = document(json!([memory("tags", json!([]))]), json!([]));
    let twice = document(json!([memory("tags", json!([])), memory("tags", json!(["x"]))]), json!([]));
    let form = "the document is not a format 2.0 export: ";
    for (content, told) in [
        (sound.as_bytes()[..60].to_vec(), format!("{form}EOF while parsing")),
        (Vec::new(), format!("{form}EOF while parsing")),
        (b"null".to_vec(), format!("{form}invalid type: null, expected an object with 'format_version'")),
        (vec![b'['; 100_000], format!("{form}recursion limit exceeded")),
        (sound.replace("\"2.0\"", "2.0").into(), "format_version is 2.0, where \"2.0\" is needed".into()),
        (document(json!(["x"]), json!([])).into(), "memory 1 of the document is none".into()),
        (
            document(json!([memory("id", Value::Null)]), json!([])).into(),
            "memory 1 of the document lacks 'id'".into(),
        ),
        (twice.into(), "memories 1 and 2 of the document have the same id: a".into()),
    ] {
        let file = bench.file("wrong.json");
        std::fs::write(&file, content).expect("can be written");
        let said = refused(&mut server, "import_memories", json!({ "file": file }));
        assert!(said.starts_with(&format!("Nothing was imported: {told}")), "{said}");
    }
    for (file, told) in [
        (bench.file("none.json"), "No such file or directory"),
        (bench.folder.to_string_lossy().into_owned(), "Is a directory"),
    ] {
        let said = refused(&mut server, "import_memories", json!({ "file": file }));
        assert!(said.starts_with(&format!("Cannot read {file}: {told}")), "{said}");
    }
    let said = refused(&mut server, "import_memories", json!({ "file": "" }));
    assert_eq!(said, "'file' must be the path of a file");
    assert_eq!(count(&mut server), 0);
    // Some programs begin a file with a mark that is no part of it.
    std::fs::write(bench.file("marked.json"), format!("\u{feff}{sound}")).expect("can be written");
    server.call("import_memories", json!({ "file": bench.file("marked.json") }));
    assert_eq!(count(&mut server), 1);
}

#[test]
fn a_row_that_is_wrong_is_left_out_and_says_what_of_it() {
    let Some(mut server) = server() else { return };
    let no_time =
        |text| format!("'{text}' is no time of ISO 8601 from 1970 to 9999, such as 2026-01-31T12:00:00Z");
    let cases = [
        ("title", json!("x".repeat(201)), "Title exceeds 200 characters (got 201)".to_owned()),
        ("title", json!(" "), "Title must not be empty".into()),
        ("title", json!(5), "'title' is wrong: invalid type: integer `5`, expected a string".into()),
        ("content", json!("x".repeat(50_001)), "Content exceeds 50000 characters (got 50001)".into()),
        ("type", json!("idea"), "'idea' is not a valid memory type".into()),
        ("importance", json!(2), "Importance must be between 0 and 1 (got 2)".into()),
        (
            "importance",
            json!("high"),
            "'importance' is wrong: invalid type: string \"high\", expected f64".into(),
        ),
        (
            "usage_count",
            json!(-1),
            "'usage_count' is wrong: invalid value: integer `-1`, expected u32".into(),
        ),
        (
            "version",
            json!(1e30),
            "'version' is wrong: invalid type: floating point `1e+30`, expected u32".into(),
        ),
        ("tags", json!({}), "'tags' is wrong: invalid type: map, expected a sequence".into()),
        ("context", json!("x"), "'context' is wrong: invalid type: string \"x\", expected a map".into()),
        ("created_at", json!("1969-12-31T23:59:59Z"), no_time("1969-12-31T23:59:59Z")),
        ("created_at", json!("10000-01-01T00:00:00Z"), no_time("10000-01-01T00:00:00Z")),
        ("archived_at", json!("2025-02-30T00:00:00Z"), no_time("2025-02-30T00:00:00Z")),
    ];
    for (field, value, told) in cases {
        let data = document(json!([memory(field, value)]), json!([]));
        let report = server.call("import_memories", json!({ "data": data }))["structuredContent"].take();
        assert_eq!(
            report["memories"],
            json!({ "imported": 0, "replaced": 0, "skipped": 0, "failed": 1 }),
            "{told}"
        );
        assert_eq!(report["errors"][0]["message"], told);
    }
    let three = ["a", "b", "c"].map(|id| memory("id", json!(id)));
    let related = |from: &str, to: &str, more: Value| json!({ "from_memory_id": from, "to_memory_id": to, "type": "SOLVES", "properties": more });
    let edges = json!([
        related("a", "b", json!({})),
        related("b", "c", json!({})),
        related("c", "a", json!({})),
        related("a", "a", json!({})),
        related("a", "nobody", json!({})),
        related("a", "c", json!({ "strength": 7 })),
        related("a", "c", json!([])),
    ]);
    let report = server.call("import_memories", json!({ "data": document(json!(three), edges) }));
    let report = &report["structuredContent"];
    assert_eq!(report["relationships"], json!({ "imported": 2, "replaced": 0, "skipped": 0, "failed": 5 }));
    let told: Vec<&str> = rows(report, "errors").iter().filter_map(|row| row["message"].as_str()).collect();
    let cannot = "Cannot create relationship";
    assert_eq!(
        told,
        [
            &format!("{cannot} c -> a: Would create a cycle in the SOLVES relationship graph"),
            &format!("{cannot} a -> a: Would relate the memory to itself"),
            "One or both memories not found: a, nobody",
            "strength must be between 0 and 1 (got 7)",
            "'properties' is wrong: invalid type: sequence, expected a map",
        ]
    );
}

#[test]
fn text_with_a_nul_in_it_is_kept_whole() {
    let Some(bench) = Bench::new("nul") else { return };
    let data = document(json!([memory("content", json!("before\0after"))]), json!([]));
    let mut server = bench.server();
    let task = server.task("import_memories", json!({ "data": data }));
    server.ended(&task);
    drop(server);
    let export = bench.export(&mut bench.server());
    assert_eq!(rows(&export, "memories")[0]["content"], "before\0after");
}

#[test]
fn arguments_that_mean_nothing_are_named() {
    let Some(mut server) = server() else { return };
    for (tool, arguments, told) in [
        ("get_memory", json!({ "memory_id": "nope" }), "Memory not found: nope"),
        ("update_memory", json!({ "memory_id": "nope", "title": "x" }), "Memory not found: nope"),
        ("delete_memory", json!({ "memory_id": "nope" }), "Memory not found: nope"),
        ("get_related_memories", json!({ "memory_id": "nope" }), "Memory not found: nope"),
        ("recall_memories", json!({ "query": "x", "cursor": "7" }), "'7' is no cursor of an earlier answer"),
        ("recall_memories", json!({ "query": "x", "asOf": "soon" }), "`asOf` 'soon' is no time of ISO 8601"),
        ("recall_memories", json!({ "query": "" }), "Query '' holds no word to search for"),
        ("consolidate_memories", json!({ "threshold": 0.1 }), "threshold must be at least 0.5 (got 0.1)"),
        (
            "export_memories",
            json!({ "file": "/nowhere/x.json" }),
            "Cannot write /nowhere/x.json: No such file",
        ),
        ("export_memories", json!({ "file": "" }), "'file' must be the path of a file"),
    ] {
        let said = refused(&mut server, tool, arguments);
        assert!(said.contains(told), "{tool}: {said}");
    }
}

/// What a program that does not start says, and how it ends.
fn told(program: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let ended = Command::new(program).args(arguments).stdin(Stdio::null()).output().expect("can be started");
    let said = String::from_utf8(ended.stderr).expect("text");
    (ended.status.code(), said.lines().next().unwrap_or_default().to_owned())
}

#[test]
fn what_the_command_line_lacks_is_named() {
    let Some(bench) = Bench::new("flags") else { return };
    let nowhere = bench.file("none/memory.db");
    for (arguments, code, said) in [
        (&["--bogus"][..], 2, "'--bogus' is not understood".to_owned()),
        (&["--db", ""], 2, "'--db' needs a value".into()),
        (&["--db", "a", "--db", "b"], 2, "'--db' is said twice".into()),
        (
            &["--db", &nowhere, "--stdio"],
            1,
            format!("{nowhere} cannot be opened: No such file or directory (os error 2)"),
        ),
        (&["--db", "/", "--stdio"], 1, "/ cannot be opened: it is a folder".into()),
        (
            &["--import-dir", &nowhere, "--stdio"],
            1,
            format!("--import-dir {nowhere} cannot be used: No such file or directory (os error 2)"),
        ),
    ] {
        assert_eq!(told(&bench.program, arguments), (Some(code), format!("memorygraph: {said}")));
    }
}

#[test]
fn who_keeps_nothing_says_so() {
    let Some(program) = example("memorygraph") else { return };
    let Some(bench) = Bench::new("kept") else { return };
    for (arguments, kept) in
        [(vec!["--stdio".to_owned()], false), (vec!["--db".into(), bench.file("memory.db")], true)]
    {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut server = Process::start(&program, &arguments);
        let answer = server.initialize(LEGACY);
        let instructions = answer["instructions"].as_str().expect("instructions");
        assert_eq!(instructions.contains("what is stored is gone when it ends"), !kept, "{instructions}");
        assert_eq!(server.close().stderr.contains("name a file with --db to keep them"), !kept);
    }
}

#[test]
fn a_file_that_is_in_use_damaged_or_not_ours_is_named() {
    let Some(bench) = Bench::new("files") else { return };
    let mut first = bench.server();
    first.call("store_memory", json!({ "type": "fix", "title": "A", "content": "B" }));
    let file = bench.file("memory.db");
    let said = |file: &str, why: &str| {
        let said = told(&bench.program, &["--db", file, "--stdio"]);
        assert_eq!(said.0, Some(1));
        assert!(said.1.starts_with(&format!("memorygraph: {file} cannot be opened: {why}")), "{}", said.1);
    };
    said(&file, "another process has it open");
    first.close();
    let whole = std::fs::read(&file).expect("can be read");
    let damaged = bench.file("damaged.db");
    let mut hurt = whole.clone();
    hurt[4096..].fill(b'x');
    for content in [&hurt[..], &whole[..100]] {
        std::fs::write(&damaged, content).expect("can be written");
        said(&damaged, "it is damaged; put a copy of it in its place");
        assert_eq!(std::fs::read(&damaged).expect("can be read"), content, "it is left as it is");
    }
    std::fs::write(bench.file("text.db"), "no database at all, ".repeat(100)).expect("can be written");
    said(&bench.file("text.db"), "it is a file of another program");
}

/// The largest file that may be written stands in for a disk that is full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing_that_was_answered() {
    let Some(bench) = Bench::new("full") else { return };
    let program = bench.program.to_string_lossy().into_owned();
    let limited = "trap '' XFSZ; ulimit -f 400; exec \"$@\"";
    let file = bench.file("memory.db");
    let mut server = Process::start("bash", &["-c", limited, "-", &program, "--db", &file, "--stdio"]);
    server.initialize(LEGACY);
    let memory = |n: u64| json!({ "type": "fix", "title": format!("Fix {n}"), "content": format!("word{n} ").repeat(2_000) });
    let answers = (0..100).map(|n| server.call("store_memory", memory(n)));
    let mut kept = Vec::new();
    let mut failed = None;
    for answer in answers {
        if answer["isError"] == true {
            failed = Some(text(&answer).to_owned());
            break;
        }
        kept.push(answer["structuredContent"]["memory_id"].clone());
    }
    let failed = failed.expect("100 times 14 kB are more than 400 kB");
    assert!(failed.starts_with("The memory file failed: "), "{failed}");
    assert_eq!(count(&mut server), kept.len(), "what could not be kept is not found either");
    drop(server);
    let mut server = bench.server();
    for id in &kept {
        server.call("get_memory", json!({ "memory_id": id }));
    }
    assert_eq!(count(&mut server), kept.len());
    assert_ne!(server.call("store_memory", memory(0))["isError"], true, "with room again, it goes on");
}
