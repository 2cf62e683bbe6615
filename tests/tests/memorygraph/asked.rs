//! What deletes asks a person first, with the numbers; where nobody can be asked, it says what to do.

use serde_json::{Value, json};
use tests::answers::{accepted, declined};
use tests::{LEGACY, Process, Wire, example, text};

use crate::rows;

/// Two memories that say the same, and one that has been out of the way for long.
fn document() -> Value {
    let memory = |id: &str| json!({ "id": id, "type": "fix", "title": "Redis timeout", "content": "Reuse the connections of the pool." });
    let mut archived = memory("c");
    archived["archived_at"] = json!("2026-01-01T00:00:00Z");
    json!({ "format_version": "2.0", "memories": [memory("a"), memory("b"), archived], "relationships": [] })
}

/// What deletes one of the memories, with what it asks.
fn deleting() -> [(&'static str, Value, &'static str); 2] {
    [
        (
            "consolidate_memories",
            json!({ "strategy": "delete" }),
            "Delete 1 memory for ever? What they say, 1 other memory says nearly the same; their relationships move there.",
        ),
        (
            "curate_memories",
            json!({ "steps": ["cleanup"] }),
            "Delete 1 memory for ever, with all relationships? Archived for 90 days or longer.",
        ),
    ]
}

/// A server that holds the [document] and speaks to a client of each wire, which declares this.
fn both(capabilities: &Value) -> Vec<Process> {
    let Some(program) = example("memorygraph") else { return Vec::new() };
    let start = || Process::start(&program, &["--stdio"]).declaring(capabilities.clone());
    let mut opened = start();
    opened.initialize(LEGACY);
    let mut servers = vec![opened, start().speaking(Wire::Tasks)];
    for server in &mut servers {
        let task = server.task("import_memories", json!({ "data": document() }));
        assert_eq!(server.ended(&task)["status"], "completed");
    }
    servers
}

/// How many memories there are.
fn count(server: &mut Process) -> usize {
    let task = server.task("export_memories", json!({}));
    rows(&result(server, &task)["structuredContent"]["data"], "memories").len()
}

/// The result of a task.
fn result(server: &mut Process, task: &Value) -> Value {
    let mut ended = server.ended(task);
    match server.wire() {
        Wire::Legacy => server.ok("tasks/result", json!({ "taskId": task["taskId"] })),
        Wire::Modern | Wire::Tasks => ended["result"].take(),
    }
}

/// Waits until a task asks something, answers that, and gives the question.
fn answered(server: &mut Process, task: &Value, answer: &Value) -> Value {
    if server.wire() == Wire::Legacy {
        let question = server.question();
        server.reply(&question, answer.clone());
        return question["params"].clone();
    }
    let subscription = server.listen(std::slice::from_ref(task));
    let told = server.notification_that(|message| message["params"]["status"] == "input_required");
    server.cancel(&subscription);
    let (key, question) = told["params"]["inputRequests"]
        .as_object()
        .and_then(|asked| asked.iter().next())
        .expect("something is asked");
    let answers = json!({ "taskId": task["taskId"], "inputResponses": { (key): answer } });
    server.ok("tasks/update", answers);
    question["params"].clone()
}

#[test]
fn memories_are_deleted_once_a_person_has_agreed_and_not_otherwise() {
    let answers = [
        (declined(), false),
        (json!({ "action": "cancel" }), false),
        (accepted(json!({ "delete": false })), false),
        (accepted(json!({ "delete": true })), true),
    ];
    for mut server in both(&json!({ "elicitation": { "form": {} } })) {
        let mut left = 3;
        for (tool, mut arguments, message) in deleting() {
            // A number does not take the place of a person who can be asked.
            arguments["confirmed"] = json!(1);
            for (answer, agreed) in &answers {
                let task = server.task(tool, arguments.clone());
                let question = answered(&mut server, &task, answer);
                assert_eq!(question["message"], message);
                let result = result(&mut server, &task);
                assert_eq!(result["structuredContent"]["done"], *agreed, "{tool} {answer}: {result}");
                assert_eq!(text(&result).starts_with("Nothing was changed."), !agreed, "{tool}: {result}");
                left -= usize::from(*agreed);
                assert_eq!(count(&mut server), left, "{tool} {answer}");
            }
        }
    }
}

#[test]
fn a_call_that_is_no_task_asks_too() {
    let Some(program) = example("memorygraph") else { return };
    let mut server = Process::start(&program, &["--stdio"]).declaring(json!({ "elicitation": {} }));
    server.initialize("2025-06-18");
    server.call("import_memories", json!({ "data": document() }));
    let (tool, arguments, message) = deleting()[0].clone();
    for (answer, agreed) in [(declined(), false), (accepted(json!({ "delete": true })), true)] {
        let call = server.begin_call(tool, arguments.clone());
        let question = server.question();
        assert_eq!(question["params"]["message"], message);
        server.reply(&question, answer);
        let result = server.answer(&call).expect("a result");
        assert_eq!(result["structuredContent"]["done"], agreed, "{result}");
    }
}

#[test]
fn where_nobody_can_be_asked_it_is_said_what_to_do_and_a_dry_run_comes_first() {
    for mut server in both(&json!({})) {
        for (tool, arguments, _) in deleting() {
            let mut call = |more: Value| {
                let mut arguments = arguments.clone();
                let more = more.as_object().expect("arguments").clone();
                arguments.as_object_mut().expect("arguments").extend(more);
                let task = server.task(tool, arguments);
                result(&mut server, &task)
            };
            for wrong in [json!({}), json!({ "confirmed": 7 })] {
                let refused = call(wrong);
                assert_eq!(refused["isError"], true, "{refused}");
                assert_eq!(
                    text(&refused),
                    "Nothing was deleted: 1 memory would go, and this client cannot be asked. Look at them with 'dryRun', \
                     then say 'confirmed': 1"
                );
            }
            assert_eq!(call(json!({ "dryRun": true }))["structuredContent"]["done"], false);
            assert_eq!(call(json!({ "confirmed": 1 }))["structuredContent"]["done"], true);
        }
        assert_eq!(count(&mut server), 1);
    }
}
