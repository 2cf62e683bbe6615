//! Core tasks that ask their client: `input_required`, and requests that name the task.

use serde_json::{Value, json};
use tests::answers::{declined, everything, model, named, no_gifts, roots};
use tests::{LEGACY, Process, fixture, names, text};

use crate::id;

fn willing() -> Process {
    let mut server = fixture!("--asking").declaring(everything());
    server.initialize(LEGACY);
    server
}

/// Waits until the client is told that a task stands so.
fn told(server: &mut Process, task: &Value, status: &str) {
    server.notification_that(|message| {
        message["method"] == "notifications/tasks/status"
            && message["params"]["taskId"] == task["taskId"]
            && message["params"]["status"] == status
    });
}

fn taken_back(server: &mut Process) -> Value {
    let mut notification = server.notification_that(|message| message["method"] == "notifications/cancelled");
    notification["params"]["requestId"].take()
}

/// The example of the specification's page on tasks, "Task Lifecycle with Elicitation".
#[test]
fn a_task_asks_waits_and_goes_on() {
    let mut server = willing();
    let task = server.task("careful", json!({}));
    told(&mut server, &task, "input_required");
    assert_eq!(server.state(&task)["status"], "input_required");
    assert_eq!(server.ok("tasks/list", json!({}))["tasks"][0]["status"], "input_required");
    let question = server.question();
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["_meta"][names::RELATED_TASK], json!({ "taskId": task["taskId"] }));
    let result = server.begin("tasks/result", id(&task));
    server.ok("ping", json!({}));
    assert!(server.other_responses().is_empty(), "`tasks/result` blocks until the end");
    let related = json!({ "_meta": { (names::RELATED_TASK): { "taskId": task["taskId"] } } });
    let mut answer = named("Ada");
    answer["_meta"] = related["_meta"].clone();
    server.reply(&question, answer);
    let result = server.answer(&result).expect("the result");
    assert_eq!(text(&result), r#"accepted {"name":"Ada"}"#);
    assert_eq!(server.state(&task)["status"], "completed");
    assert!(server.close().messages.iter().all(|message| message.get("id").is_none()), "asked once");
}

/// Clients that never call `tasks/result` while a task works must not hang.
#[test]
fn a_task_asks_a_client_that_only_waits_to_be_told() {
    let mut server = willing();
    let task = server.task("survey", json!({}));
    for _ in 0..3 {
        let question = server.question();
        assert_eq!(question["params"]["_meta"][names::RELATED_TASK]["taskId"], task["taskId"]);
        let answer = match question["method"].as_str() {
            Some("roots/list") => roots(),
            Some("sampling/createMessage") => model("nothing"),
            _ => named("Ada"),
        };
        server.reply(&question, answer);
    }
    told(&mut server, &task, "completed");
    assert_eq!(text(&server.ok("tasks/result", id(&task))), r#"accepted {"name":"Ada"}; nothing; 2"#);
}

#[test]
fn a_task_waits_for_every_answer_and_works_again_when_it_has_them() {
    let mut server = willing();
    let task = server.task("survey", json!({}));
    let questions = [server.question(), server.question(), server.question()];
    for question in &questions {
        assert_eq!(server.state(&task)["status"], "input_required");
        let answer = match question["method"].as_str() {
            Some("roots/list") => roots(),
            Some("sampling/createMessage") => model("nothing"),
            _ => declined(),
        };
        server.reply(question, answer);
    }
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "declined; nothing; 2");
}

#[test]
fn each_question_is_asked_once_however_many_wait_for_the_result() {
    let mut server = willing();
    let task = server.task("journey", json!({ "to": "Rome" }));
    let waiting: Vec<Value> = (0..5).map(|_| server.begin("tasks/result", id(&task))).collect();
    for name in ["Ada", "Bob"] {
        let question = server.question();
        // Whoever wanted to ask again has had the time for it.
        let pause = server.begin_call("slow", json!({ "ms": 120 }));
        server.answer(&pause).expect("a result");
        assert!(server.other_questions().is_empty());
        server.reply(&question, named(name));
    }
    for request in &waiting {
        let result = server.answer(request).expect("the result");
        assert_eq!(text(&result), r#"1 accepted {"name":"Ada"} 2 accepted {"name":"Bob"}"#);
    }
    assert_eq!(text(&server.call("journeys", json!({}))), "1 2");
}

/// The question may have gone out for the sake of that very request; the person who reads it does not know.
#[test]
fn a_question_is_good_whatever_becomes_of_the_wait_for_the_result() {
    let mut server = willing();
    for _ in 0..10 {
        let task = server.task("careful", json!({}));
        let waiting = server.begin("tasks/result", id(&task));
        let question = server.question();
        server.cancel(&waiting);
        server.ok("ping", json!({}));
        server.reply(&question, named("Ada"));
        assert_eq!(text(&server.ok("tasks/result", id(&task))), r#"accepted {"name":"Ada"}"#);
    }
}

#[test]
fn a_question_that_nobody_wants_answered_any_more_is_taken_back() {
    let mut server = willing();
    let task = server.task("impatient", json!({ "gate": "a" }));
    let question = server.question();
    server.open_gate("a");
    assert_eq!(taken_back(&mut server), question["id"]);
    told(&mut server, &task, "working");
    server.reply(&question, named("Ada"));
    server.open_gate("a-end");
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "nobody waited");
}

#[test]
fn a_task_that_is_cancelled_takes_its_questions_back() {
    let mut server = willing();
    let task = server.task("survey", json!({}));
    let mut questions = [(); 3].map(|()| server.question()["id"].take());
    assert_eq!(server.ok("tasks/cancel", id(&task))["status"], "cancelled");
    let mut back = [(); 3].map(|()| taken_back(&mut server));
    questions.sort_by_key(Value::to_string);
    back.sort_by_key(Value::to_string);
    assert_eq!(back, questions);
    for question in questions {
        server.reply(&json!({ "id": question }), named("Eve"));
    }
    assert_eq!(server.state(&task)["status"], "cancelled");
}

#[test]
fn what_a_client_refuses_and_what_does_not_fit_is_told_to_the_task() {
    let mut server = willing();
    let task = server.task("careful", json!({}));
    let question = server.question();
    server.reply_error(&question, -1, "nobody is there");
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "refused: -1 nobody is there");
    for answer in no_gifts() {
        let task = server.task("gift", json!({}));
        let question = server.question();
        server.reply(&question, answer.clone());
        let result = server.ok("tasks/result", id(&task));
        assert!(text(&result).contains("does not fit the question"), "{answer}: {result}");
    }
    let task = server.task("careful", json!({}));
    let question = server.question();
    server.reply(&question, json!({ "action": "perhaps" }));
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "unfit");
}

#[test]
fn a_task_that_asks_what_was_not_declared_fails_and_says_so() {
    let mut server = fixture!("--asking");
    server.initialize(LEGACY);
    let task = server.task("roots", json!({}));
    let state = server.ended(&task);
    assert_eq!(state["status"], "failed");
    assert!(state["statusMessage"].as_str().is_some_and(|message| message.contains("roots")), "{state}");
    let answer = server.request("tasks/result", id(&task));
    let told = answer.map_or_else(|refusal| refusal.message, |result| text(&result).to_owned());
    assert!(told.contains("roots"), "{told}");
}

#[test]
fn a_task_may_ask_many_times() {
    let mut server = willing();
    let task = server.task("insist", json!({ "times": 25 }));
    for turn in 0..25 {
        let question = server.question();
        assert_eq!(question["params"]["message"], format!("Who is number {turn}?"));
        server.reply(&question, named("Ada"));
    }
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "asked 25 times");
}

#[test]
fn many_tasks_ask_side_by_side() {
    let mut server = willing();
    let tasks: Vec<Value> =
        (0..50).map(|n| server.task("muse", json!({ "question": format!("{n}?") }))).collect();
    for _ in &tasks {
        let question = server.question();
        let asked = question["params"]["messages"][0]["content"]["text"].as_str().expect("a text");
        let answer = model(&asked.replace('?', "!"));
        server.reply(&question, answer);
    }
    for (n, task) in tasks.iter().enumerate() {
        let result = server.ok("tasks/result", id(task));
        assert_eq!(text(&result), format!("model-1: {n}! (endTurn)"));
    }
}

#[test]
fn prompts_and_resources_ask_as_tasks() {
    let mut server = willing();
    let tasks = server.initialize(LEGACY)["capabilities"]["tasks"]["requests"].take();
    assert_eq!(
        tasks,
        json!({ "tools": { "call": {} }, "prompts": { "get": {} }, "resources": { "read": {} } })
    );
    for (method, params, names, member, says) in [
        (
            "prompts/get",
            json!({ "name": "letter", "arguments": { "topic": "tea" }, "task": {} }),
            vec!["Ada"],
            "/messages/0/content/text",
            r#"Write about tea: accepted {"name":"Ada"}"#,
        ),
        (
            "resources/read",
            json!({ "uri": "room://6", "task": { "ttl": 60_000 } }),
            vec!["Ada", "Bob"],
            "/contents/0/text",
            r#"accepted {"name":"Ada"}, accepted {"name":"Bob"}, 42"#,
        ),
    ] {
        let task = server.ok(method, params)["task"].take();
        for name in names {
            let question = server.question();
            assert_eq!(question["params"]["_meta"][tests::names::RELATED_TASK]["taskId"], task["taskId"]);
            server.reply(&question, named(name));
        }
        let result = server.ok("tasks/result", id(&task));
        assert_eq!(result.pointer(member), Some(&json!(says)), "{result}");
    }
}

#[test]
fn a_call_that_becomes_a_task_by_itself_is_one_from_the_start_where_the_client_asks_for_it() {
    let mut server = willing();
    let task = server.task("depart", json!({}));
    for name in ["Ada", "Bob"] {
        let question = server.question();
        assert_eq!(question["params"]["_meta"][names::RELATED_TASK]["taskId"], task["taskId"]);
        server.reply(&question, named(name));
    }
    let result = server.ok("tasks/result", id(&task));
    assert_eq!(text(&result), r#"accepted {"name":"Ada"} then accepted {"name":"Bob"}; task: true"#);
}

/// A session that began anew is another client's, as far as anybody can tell.
#[test]
fn a_task_asks_only_what_the_client_declared_that_made_it() {
    let mut server = willing();
    let task = server.task("impatient", json!({ "gate": "a" }));
    let question = server.question();
    server.declare(json!({}));
    server.initialize(LEGACY);
    server.reply(&question, named("Ada"));
    server.open_gate("a-end");
    assert_eq!(text(&server.ok("tasks/result", id(&task))), r#"accepted {"name":"Ada"}"#);
}
