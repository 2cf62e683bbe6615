//! Over pipes: plain lines, JSON lines, and what is wrong with what was said.

use serde_json::{Value, json};
use tests::example;

use crate::{Host, fixture, folder, quoted};

/// The program, and a counter for it as a child.
fn counter(test: &str) -> Option<(Host, String)> {
    Some((Host::new(test)?, quoted(&example("counter")?, "")))
}

#[test]
fn results_go_to_standard_output_and_all_else_beside() {
    let Some((host, counter)) = counter("results") else { return };
    let tools = host.ok(&["--stdio", &counter, "tools"]);
    assert!(tools.stdout.starts_with("count") && tools.stdout.contains("Count up to a number"), "{tools:?}");
    let one = host.ok(&["--stdio", &counter, "tools", "count"]);
    assert!(one.stdout.contains("How far to count."), "{one:?}");
    for revisions in ["modern", "legacy"] {
        for arguments in [&["to=2"][..], &["{\"to\": 2}"], &["to=2", "--task"], &["to=2", "--no-task"]] {
            let call = ["--stdio", &counter, "--revisions", revisions, "call", "count"];
            let called = host.ok(&[&call, arguments].concat());
            assert_eq!(called.stdout, "Counted to 2.\n");
            assert!(called.stderr.contains("✓ count"), "{called:?}");
        }
    }
}

#[test]
fn scripts_have_an_event_a_line() {
    let Some((host, counter)) = counter("events") else { return };
    let called = host.ok(&["--json", "--stdio", &counter, "call", "count", "to=2", "--task"]);
    let events = called.events();
    let mut names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    names.dedup();
    assert_eq!(names, ["calling", "task", "status", "result"], "{called:?}");
    assert_eq!(called.event("result")["result"]["content"][0]["text"], "Counted to 2.");
    assert!(events.iter().skip(1).all(|event| event["task"] == called.task().as_str()), "{called:?}");
    assert_eq!(called.stderr, "");
    let unknown = host.run(&["--json", "--stdio", &counter, "call", "conut"]);
    assert_eq!((unknown.code, unknown.event("failed")["code"].as_i64()), (Some(2), Some(2)));
    let tools = host.ok(&["--json", "--stdio", &counter, "tools"]);
    assert_eq!(tools.event("tool")["tool"]["name"], "count");
}

#[test]
fn what_is_wrong_is_said_in_a_sentence_and_by_the_exit_code() {
    let Some((host, counter)) = counter("wrong") else { return };
    let dying = "sh -c 'read line'";
    for (arguments, code, words) in [
        (&["--stdio", &counter, "call", "conut"][..], 2, "did you mean `count`?"),
        (&["--stdio", &counter, "call", "count", "{\"to\": 3 \"x\"}"], 2, "at line 1 column"),
        (&["--stdio", &counter, "call", "count", "to=three"], 2, "`to` must be of type integer"),
        (&["--stdio", &counter, "call", "count", "three"], 2, "or as key=value"),
        (&["--stdio", &counter, "call", "count", "to=3", "--answers", "["], 2, "the answers are no JSON"),
        (&["--stdio", &counter, "--header", "X: ${NOT_THERE_AT_ALL}", "tools"], 2, "NOT_THERE_AT_ALL"),
        (&["--stdio", &counter, "--http", "a", "tools"], 2, "not by both"),
        (&["--stdio", "", "tools"], 2, "names no program"),
        (&["tools"], 2, "say where the server is"),
        (&["follow", "abc"], 2, "no task `abc` is remembered"),
        (&["--stdio", "/nowhere/at/all", "tools"], 4, "/nowhere/at/all cannot be started"),
        (&["--stdio", dying, "tools"], 4, "has ended"),
        (&["--http", "127.0.0.1:9", "tools"], 4, "127.0.0.1:9"),
        (&["--stdio", &counter, "follow", "abc"], 8, "does not know task abc"),
        (&["--stdio", &counter, "result", "abc"], 8, "does not know task abc"),
        (&["--stdio", &counter, "cancel", "abc"], 8, "does not know task abc"),
        (&["--stdio", &counter, "answer", "abc"], 8, "does not know task abc"),
        (&["--stdio", &counter, "--timeout", "0s", "tools"], 5, "not done after 0s"),
        (&["--stdio", &counter, "--timeout", "0s", "call", "count", "to=1000"], 5, "not done after 0s"),
    ] {
        let ended = host.run(arguments);
        assert!(ended.code == Some(code) && ended.stderr.contains(words), "{arguments:?}: {ended:?}");
    }
    let failed = host.run(&["--stdio", &counter, "call", "count", "to=5000"]);
    assert!(failed.code == Some(1) && failed.stdout.contains("at most 1000"), "{failed:?}");
    std::fs::write(&host.state, "no JSON").expect("it can be written");
    let called = host.ok(&["--stdio", &counter, "call", "count", "to=1", "--task"]);
    assert!(called.stderr.contains("this is not remembered"), "{called:?}");
    assert_eq!(host.run(&["list"]).code, Some(12));
}

#[test]
fn questions_are_answered_as_the_command_line_says_or_declined() {
    let Some(host) = Host::new("questions") else { return };
    let fixture = fixture();
    let gift = json!({
        "name": "Ada", "address": "ada@example.com", "count": 2, "secret": true, "wrapping": "paper", "other": 1,
        "extras": ["card"], "$url": true, "$sampling": "42",
    });
    let gift = gift.to_string();
    for revisions in ["modern", "legacy"] {
        let call = |tool: &str, more: &[&str]| {
            let call = ["--http", fixture.url(), "--revisions", revisions, "call", tool];
            host.run(&[&call, more].concat())
        };
        for task in ["--task", "--no-task"] {
            let answered = call("gift", &[task, "--answers", &gift]);
            assert!(
                answered
                    .stdout
                    .starts_with("accepted {\"name\":\"Ada\",\"address\":\"ada@example.com\",\"count\":2"),
                "{answered:?}"
            );
            assert_eq!(
                call("choose", &[task, "--answers", &gift]).stdout,
                "accepted {\"extras\":[\"card\"]}\n"
            );
            assert_eq!(call("visit", &[task, "--answers", &gift]).stdout, "accepted null\n");
            let mused = call("muse", &[task, "--answers", &gift, "question=Why?"]);
            assert_eq!(mused.stdout, "a person: 42 (endTurn)\n", "{mused:?}");
            let declined = call("gift", &[task]);
            assert_eq!(declined.stdout, "declined\n");
            assert!(declined.stderr.contains("there is no terminal to ask at"), "{declined:?}");
            assert_eq!(call("visit", &[task, "--answers", "{}"]).stdout, "declined\n");
        }
        let unfit = call("gift", &["--answers", &gift.replace(":2,", ":20,")]);
        assert!(unfit.stderr.contains("`count` must be at most 9, got 20"), "{unfit:?}");
        let missing = call("gift", &["--answers", "{\"name\": \"Ada\"}"]);
        assert!(missing.stderr.contains("there is no answer for `count`"), "{missing:?}");
    }
    // On the stateless protocol there are no words for such a no: the task waits on.
    let unanswered = host.run(&["--http", fixture.url(), "call", "muse", "question=Why?", "--task"]);
    assert!(unanswered.code == Some(9) && unanswered.stderr.contains(" answer "), "{unanswered:?}");
}

#[test]
fn what_a_result_holds_is_shown_and_its_files_are_written_where_one_says() {
    let Some(host) = Host::new("content") else { return };
    let Some(everything) = example("everything") else { return };
    let everything = quoted(&everything, "");
    let folder = folder("content-saved");
    let call = |tool: &str, more: &[&str]| host.ok(&[&["--stdio", &everything, "call", tool], more].concat());
    let kinds = call("test_multiple_content_types", &[]);
    assert!(
        kinds.stdout.contains("[image: image/png") && kinds.stdout.contains("[resource test://"),
        "{kinds:?}"
    );
    let saved = call("test_audio_content", &["--save", &folder.display().to_string(), "--json"]);
    let file = saved.event("saved")["file"].take();
    let bytes = std::fs::read(file.as_str().expect("it is named")).expect("it was written");
    assert!(bytes.starts_with(b"RIFF"), "{file}");
    let nowhere = ["--stdio", &everything, "call", "test_audio_content", "--save", "/proc/no/such/place"];
    let unsaved = host.run(&nowhere);
    assert!(unsaved.code == Some(12) && unsaved.stdout.contains("[audio: "), "{unsaved:?}");
    let report = host.ok(&["--http", fixture().url(), "call", "report"]);
    let shown: Value =
        serde_json::from_str(&report.stdout).expect("structured content is shown as JSON, once");
    assert!(shown.is_object());
}
