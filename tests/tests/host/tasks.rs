//! Tasks: left, come back to, cancelled, lost, sent again, and listed.

use std::io::{BufRead as _, BufReader};
use std::process::Child;

use serde_json::{Value, json};
use tests::example;

use crate::{Host, ended, fixture, folder, quoted};

/// Waits until a program with `--json` has said that it has a task, and gives its id.
fn task_of(child: &mut Child) -> String {
    let lines = BufReader::new(child.stdout.as_mut().expect("it is a pipe")).lines();
    let events = lines.map_while(Result::ok).map(|line| serde_json::from_str::<Value>(&line).expect("JSON"));
    let mut tasks = events.filter(|event| event["event"] == "task");
    let event = tasks.next().expect("there is a task");
    event["task"].as_str().expect("it has an id").to_owned()
}

#[test]
fn a_task_is_left_come_back_to_and_had_again() {
    for revisions in ["modern", "legacy"] {
        let Some(host) = Host::new(&format!("left-{revisions}")) else { return };
        let fixture = fixture();
        let server = ["--http", fixture.url(), "--revisions", revisions];
        let call = |words: &[&str]| host.run(&[&server, words].concat());
        let left = call(&["--json", "call", "wait", "gate=g", "steps=1", "--detach", "--ttl", "1h"]);
        let id = left.task();
        let command = left.event("left")["command"].take();
        assert!(
            command.as_str().is_some_and(|command| command.ends_with(&format!("follow {id}"))),
            "{command}"
        );
        assert_eq!(host.remembered()["tasks"][0]["task"], id.as_str());
        let early = call(&["result", &id]);
        assert!(early.code == Some(10) && early.stderr.contains("has no result yet"), "{early:?}");
        let listed = call(&["list"]);
        assert!(listed.stdout.contains("working"), "{listed:?}");
        assert_eq!(call(&["call", "open", "gate=g"]).code, Some(0));
        // Where its server is, is remembered; and so much of the id will do.
        let followed = host.ok(&["--revisions", revisions, "follow", &id[..8]]);
        assert_eq!(followed.stdout, "passed g\n");
        for _ in 0..2 {
            assert_eq!(host.ok(&["--revisions", revisions, "-q", "result", &id]).stdout, "passed g\n");
        }
        let offline = host.ok(&["list"]);
        assert!(
            offline.stdout.contains("completed") && offline.stdout.contains(fixture.url()),
            "{offline:?}"
        );
        drop(fixture);
        // The address is somebody else's now.
        host.ok(&["forget", &id]);
        assert_eq!(host.remembered()["tasks"], json!([]));
    }
}

#[test]
fn several_tasks_are_followed_at_once_and_the_highest_code_counts() {
    let Some(host) = Host::new("several") else { return };
    let fixture = fixture();
    let arguments = json!([{ "gate": "a" }, { "gate": "b" }]).to_string();
    let child = host.start(&["--http", fixture.url(), "call", "wait", &arguments, "--task"]);
    let run = |words: &[&str]| host.run(&[&["--http", fixture.url(), "--json"], words].concat());
    run(&["call", "pass", "gate=a-reached"]);
    run(&["call", "pass", "gate=b-reached"]);
    let listed = run(&["list"]).events();
    let id = |gate: &str| {
        let listed = listed.iter().find(|task| task["remembered"]["arguments"]["gate"] == gate);
        listed.and_then(|task| task["id"].as_str()).expect("it is listed")
    };
    let cancelled = run(&["cancel", id("a"), id("a")]);
    assert_eq!(cancelled.event("cancelled")["state"], "cancelled");
    run(&["call", "open", "gate=b"]);
    let ended = ended(child);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(7), "passed b\n"), "{ended:?}");
    let late = run(&["cancel", id("b")]);
    assert_eq!(late.code, Some(3), "what is over cannot be cancelled: {late:?}");
    let both = run(&["follow", id("b"), id("a")]);
    let kinds: Vec<_> = both.events().into_iter().filter(|event| event["event"] == "failed").collect();
    assert_eq!((both.code, &kinds[0]["kind"]), (Some(7), &json!("cancelled")), "{both:?}");
}

#[test]
fn parts_and_partial_results_are_told_as_they_come() {
    let Some(host) = Host::new("parts") else { return };
    let fixture = fixture();
    let run = |words: &[&str]| host.run(&[&["--http", fixture.url()], words].concat());
    let finding =
        host.start(&["--http", fixture.url(), "--json", "call", "find", "gate=f", "count=4", "--task"]);
    run(&["call", "pass", "gate=f-reached"]);
    run(&["call", "open", "gate=f"]);
    let found = ended(finding).events();
    let partials =
        found.iter().filter(|event| event["event"] == "partial").map(|event| event["value"].clone());
    let expected: Vec<_> = (0..4).map(|number| json!({ "number": number })).collect();
    assert_eq!(partials.collect::<Vec<_>>(), expected, "{found:?}");
    let mut passing =
        host.start(&["--http", fixture.url(), "--json", "call", "pass_all", "gates=[\"a\"]", "--task"]);
    run(&["call", "pass", "gate=a-reached"]);
    let lines = BufReader::new(passing.stdout.as_mut().expect("it is a pipe")).lines();
    let mut events =
        lines.map_while(Result::ok).map(|line| serde_json::from_str::<Value>(&line).expect("JSON"));
    let child = events.find_map(|event| event["children"][0].as_object().cloned()).expect("it has a part");
    assert_eq!(child["tool"], "pass_one");
    run(&["call", "open", "gate=a"]);
    assert!(events.any(|event| event["event"] == "result"));
    assert_eq!(ended(passing).code, Some(0));
}

#[test]
fn a_server_that_is_lost_is_said_and_so_is_how_to_come_back() {
    let Some(host) = Host::new("lost") else { return };
    let fixture = fixture();
    let words = ["--http", fixture.url(), "--persist", "0s", "--json", "call", "wait", "gate=g", "--task"];
    let mut child = host.start(&words);
    let id = task_of(&mut child);
    drop(fixture);
    let ended = ended(child);
    assert_eq!((ended.code, &ended.event("failed")["kind"]), (Some(4), &json!("lost")), "{ended:?}");
    let command = ended.event("left")["command"].take();
    assert!(command.as_str().is_some_and(|command| command.ends_with(&format!("follow {id}"))), "{command}");
}

#[test]
fn a_call_whose_answer_nobody_heard_is_sent_again_and_gives_the_task_that_there_is() {
    let Some(host) = Host::new("again") else { return };
    let fixture = fixture();
    let run = |words: &[&str]| host.run(&[&["--http", fixture.url(), "--json"], words].concat());
    let id = run(&["call", "wait", "gate=g", "--detach", "--key", "k-1"]).task();
    // As a crash leaves it that came between the server's answer and the note of it.
    let mut remembered = host.remembered();
    remembered["tasks"][0].as_object_mut().expect("an entry").remove("task");
    std::fs::write(&host.state, remembered.to_string()).expect("it can be written");
    let listed = host.ok(&["list"]);
    assert!(listed.stdout.contains("not answered"), "{listed:?}");
    let early = run(&["result", "k-1"]);
    assert!(early.code == Some(2) && early.stdout.contains("`follow` sends it again"), "{early:?}");
    run(&["call", "open", "gate=g"]);
    let followed = host.ok(&["--json", "follow", "k-1"]);
    assert_eq!(followed.task(), id);
    assert_eq!(followed.event("result")["result"]["content"][0]["text"], "passed g");
    assert_eq!(host.remembered()["tasks"].as_array().map(Vec::len), Some(1), "it is one task");
}

#[test]
fn tasks_that_their_server_forgot_are_told_and_can_be_forgotten() {
    let Some(host) = Host::new("gone") else { return };
    let Some(counter) = example("counter") else { return };
    let counter = quoted(&counter, "");
    // The server ends with the program, and its tasks with it.
    let id = host.ok(&["--json", "--stdio", &counter, "call", "count", "to=1", "--task"]).task();
    let listed = host.ok(&["--stdio", &counter, "list"]);
    assert!(listed.stdout.contains("gone") && listed.stderr.contains("forget --gone"), "{listed:?}");
    assert_eq!(host.run(&["follow", &id]).code, Some(8));
    host.ok(&["forget", "--gone"]);
    assert_eq!(host.remembered()["tasks"], json!([]));
}

#[test]
fn what_a_child_keeps_in_a_file_is_taken_up_when_it_is_started_again() {
    let Some(host) = Host::new("child") else { return };
    let Some(memorygraph) = example("memorygraph") else { return };
    let folder = folder("child-memory");
    let memories: Vec<Value> = (0..3_000)
        .map(|n| json!({ "id": format!("m{n}"), "type": "fix", "title": format!("Fix {n}"), "content": "Reuse." }))
        .collect();
    let document = json!({ "format_version": "2.0", "memories": memories, "relationships": [] });
    let file = folder.join("in.json");
    std::fs::write(&file, document.to_string()).expect("it can be written");
    let database = folder.join("memory.db");
    let server = quoted(&memorygraph, &format!("--db '{}' --stdio", database.display()));
    let file = format!("file={}", file.display());
    let left = host.ok(&["--json", "--stdio", &server, "call", "import_memories", &file, "--detach"]);
    let followed = host.ok(&["--json", "follow", &left.task()]);
    let report = &followed.event("result")["result"]["structuredContent"];
    assert_eq!(report["memories"]["imported"], 3_000, "{report}");
}

#[test]
fn tasks_that_a_legacy_server_lists_are_listed_as_well() {
    let Some(host) = Host::new("others") else { return };
    let server = quoted(std::path::Path::new(env!("CARGO_BIN_EXE_fixture")), "");
    let folder = folder("others-kept");
    let server = format!("{server} --kept-in={}", folder.join("tasks.db").display());
    let legacy = ["--revisions", "legacy", "--json", "--stdio", &server];
    let id = host.run(&[&legacy[..], &["call", "required", "name=Ada"]].concat()).task();
    std::fs::remove_file(&host.state).expect("it is there");
    let listed = host.ok(&[&legacy[..], &["list"]].concat());
    assert_eq!(listed.event("listed")["id"], id.as_str());
}
