//! Tasks of the extension that need input: `inputRequests` in their state, and `tasks/update` with the answers.

use serde_json::{Map, Value, json};
use tests::answers::{declined, everything, gift, model, named, no_gifts, roots};
use tests::{Process, Wire, fixture, names, text};

use crate::{bare, id};

fn willing() -> Process {
    fixture!("--asking").speaking(Wire::Tasks).declaring(everything())
}

fn update(server: &mut Process, task: &Value, answers: Value) -> Value {
    server.ok("tasks/update", json!({ "taskId": task["taskId"], "inputResponses": answers }))
}

/// A task that somebody listens to.
struct Followed {
    task: Value,
    subscription: Value,
}

impl Followed {
    fn new(server: &mut Process, tool: &str, arguments: Value) -> Self {
        let task = server.task(tool, arguments);
        let subscription = server.listen(std::slice::from_ref(&task));
        Self { task, subscription }
    }

    /// Waits until the task is told to stand so; gives all that was told.
    fn until(&self, server: &mut Process, fits: impl Fn(&Value) -> bool) -> Value {
        let mut told = server.notification_that(|message| {
            let params = &message["params"];
            message["method"] == "notifications/tasks"
                && params["_meta"][names::SUBSCRIPTION_ID] == self.subscription
                && fits(params)
        });
        told["params"].take()
    }

    /// Waits until the task asks this many things; gives them.
    fn asks(&self, server: &mut Process, count: usize) -> Map<String, Value> {
        let mut told = self.until(server, |params| {
            params["inputRequests"].as_object().is_some_and(|requests| requests.len() == count)
        });
        assert_eq!(told["status"], "input_required");
        match told["inputRequests"].take() {
            Value::Object(requests) => requests,
            other => panic!("no questions: {other}"),
        }
    }

    fn ends(&self, server: &mut Process, status: &str) -> Value {
        let over = self.until(server, |params| {
            matches!(params["status"].as_str(), Some("completed" | "failed" | "cancelled"))
        });
        assert_eq!(over["status"], status, "{over}");
        over
    }
}

#[test]
fn a_task_asks_in_its_state_and_goes_on_with_the_answer() {
    let mut server = willing();
    let task = Followed::new(&mut server, "gift", json!({}));
    assert_eq!(task.task["status"], "working");
    let questions = task.asks(&mut server, 1);
    let state = server.state(&task.task);
    assert_eq!((&state["status"], &state["inputRequests"]), (&json!("input_required"), &json!(questions)));
    let (key, question) = questions.iter().next().expect("a question");
    assert_eq!(question["method"], "elicitation/create");
    let (answer, told) = gift();
    update(&mut server, &task.task, json!({ (key): answer }));
    let over = task.ends(&mut server, "completed");
    assert_eq!(text(&over["result"]), told);
    assert_eq!(bare(over), bare(server.state(&task.task)));
}

/// "A server MAY accept a partial set of responses."
#[test]
fn answers_may_come_one_by_one_and_what_is_open_stays_open() {
    let mut server = willing();
    let task = Followed::new(&mut server, "survey", json!({}));
    let questions = task.asks(&mut server, 3);
    assert_eq!(questions.keys().collect::<Vec<_>>(), ["name", "news", "roots"]);
    update(&mut server, &task.task, json!({ "news": model("nothing") }));
    assert_eq!(task.asks(&mut server, 2).keys().collect::<Vec<_>>(), ["name", "roots"]);
    update(&mut server, &task.task, json!({ "roots": roots(), "news": model("something") }));
    let state = server.state(&task.task);
    assert_eq!(state["inputRequests"].as_object().map(Map::len), Some(1));
    update(&mut server, &task.task, json!({ "name": declined() }));
    assert_eq!(text(&task.ends(&mut server, "completed")["result"]), "declined; nothing; 2");
}

#[test]
fn answers_to_what_is_not_open_are_acknowledged_and_ignored() {
    let mut server = willing();
    let task = Followed::new(&mut server, "journey", json!({ "to": "Rome" }));
    let first = task.asks(&mut server, 1).keys().next().expect("a key").clone();
    update(&mut server, &task.task, json!({ "other": named("Eve"), "step first": 9, "": null }));
    update(&mut server, &task.task, json!({}));
    assert_eq!(server.state(&task.task)["status"], "input_required");
    update(&mut server, &task.task, json!({ (&first): named("Ada") }));
    let second = task.until(&mut server, |params| {
        params["inputRequests"].as_object().is_some_and(|open| !open.contains_key(&first))
    });
    let second =
        second["inputRequests"].as_object().expect("questions").keys().next().expect("a key").clone();
    assert_ne!(first, second, "keys are unique over the lifetime of a task");
    update(&mut server, &task.task, json!({ (&first): named("Eve") }));
    update(&mut server, &task.task, json!({ (&second): named("Bob"), (&first): named("Eve") }));
    let over = task.ends(&mut server, "completed");
    assert_eq!(text(&over["result"]), r#"1 accepted {"name":"Ada"} 2 accepted {"name":"Bob"}"#);
    update(&mut server, &task.task, json!({ (second): named("Eve") }));
    assert_eq!(bare(server.state(&task.task)), bare(over), "the end is the end");
    assert_eq!(text(&server.call("journeys", json!({}))), "1 2");
}

/// A client that believes that it has answered would wait for ever.
#[test]
fn an_answer_that_does_not_fit_is_refused_and_the_question_stays_open() {
    let mut server = willing();
    let task = Followed::new(&mut server, "gift", json!({}));
    let questions = task.asks(&mut server, 1);
    let key = questions.keys().next().expect("a key");
    for answer in no_gifts().into_iter().chain([json!(5), json!([]), json!("accept")]) {
        let params = json!({ "taskId": task.task["taskId"], "inputResponses": { (key): answer } });
        let refusal = server.refused("tasks/update", params);
        assert_eq!(refusal.code, -32602, "{answer}");
        assert!(refusal.message.contains(key), "{refusal}");
        assert_eq!(server.state(&task.task)["inputRequests"], json!(questions), "{answer}");
    }
    let (answer, told) = gift();
    update(&mut server, &task.task, json!({ (key): answer }));
    assert_eq!(text(&task.ends(&mut server, "completed")["result"]), told);
}

#[test]
fn an_update_that_cannot_be_read_is_refused() {
    let mut server = willing();
    let task = Followed::new(&mut server, "careful", json!({}));
    let key = task.asks(&mut server, 1).keys().next().expect("a key").clone();
    for wrong in [json!(5), json!([]), json!("a")] {
        let params = json!({ "taskId": task.task["taskId"], "inputResponses": wrong });
        assert_eq!(server.refused("tasks/update", params).code, -32602, "{wrong}");
    }
    for unknown in ["786512e2-9e0d-44bd-8f29-789f320fe840", "nonsense"] {
        let params = json!({ "taskId": unknown, "inputResponses": { (&key): named("Eve") } });
        assert_eq!(server.refused("tasks/update", params).code, -32602, "{unknown}");
    }
    server.speak(Wire::Modern);
    let params = json!({ "taskId": task.task["taskId"], "inputResponses": { (&key): named("Eve") } });
    assert_eq!(server.refused("tasks/update", params).code, -32021, "this client knows no tasks");
    server.speak(Wire::Tasks);
    assert_eq!(server.state(&task.task)["status"], "input_required");
}

#[test]
fn a_task_may_ask_many_times_under_as_many_keys() {
    let mut server = willing();
    let task = Followed::new(&mut server, "insist", json!({ "times": 12 }));
    let mut keys = Vec::new();
    for turn in 0..12 {
        let message = format!("Who is number {turn}?");
        let mut told = task.until(&mut server, |params| {
            let mut open = params["inputRequests"].as_object().into_iter().flatten();
            open.any(|(_, question)| question["params"]["message"] == message)
        });
        let open = told["inputRequests"].take();
        let (key, _) = open.as_object().expect("questions").iter().next().expect("a question");
        update(&mut server, &task.task, json!({ (key): named("Ada") }));
        keys.push(key.clone());
    }
    assert_eq!(text(&task.ends(&mut server, "completed")["result"]), "asked 12 times");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 12);
}

#[test]
fn a_question_that_nobody_wants_answered_any_more_is_gone() {
    let mut server = willing();
    let task = Followed::new(&mut server, "impatient", json!({ "gate": "a" }));
    let key = task.asks(&mut server, 1).keys().next().expect("a key").clone();
    server.open_gate("a");
    task.until(&mut server, |params| params["status"] == "working" && params.get("inputRequests").is_none());
    update(&mut server, &task.task, json!({ (key): named("Ada") }));
    server.open_gate("a-end");
    assert_eq!(text(&task.ends(&mut server, "completed")["result"]), "nobody waited");
}

#[test]
fn a_task_that_is_cancelled_asks_nothing_any_more() {
    let mut server = willing();
    let task = Followed::new(&mut server, "survey", json!({}));
    task.asks(&mut server, 3);
    server.ok("tasks/cancel", id(&task.task));
    let over = task.ends(&mut server, "cancelled");
    assert!(over.get("inputRequests").is_none());
    update(&mut server, &task.task, json!({ "name": named("Eve") }));
    assert_eq!(server.state(&task.task)["status"], "cancelled");
}

#[test]
fn a_function_that_cleans_up_by_itself_learns_that_its_question_is_lost() {
    let mut server = willing();
    let task = Followed::new(&mut server, "courteous", json!({ "gate": "a" }));
    task.asks(&mut server, 1);
    server.ok("tasks/cancel", id(&task.task));
    server.pass_gate("a");
}

#[test]
fn a_task_that_asks_what_was_not_declared_fails_with_what_is_missing() {
    let mut server = fixture!("--asking").speaking(Wire::Tasks).declaring(json!({ "sampling": {} }));
    let task = Followed::new(&mut server, "roots", json!({}));
    let over = task.ends(&mut server, "failed");
    assert_eq!(over["error"]["code"], -32021);
    assert_eq!(over["error"]["data"], json!({ "requiredCapabilities": { "roots": {} } }));
    let task = Followed::new(&mut server, "careful", json!({}));
    assert_eq!(text(&task.ends(&mut server, "completed")["result"]), "cannot ask");
}

/// "Server implementations that use multi round-trip requests in conjunction with task creation SHOULD resolve all MRTR
/// exchanges synchronously before responding with a `CreateTaskResult`."
#[test]
fn a_call_asks_first_and_then_becomes_a_task_that_asks() {
    let mut server = willing();
    let call = |extra: Value| {
        let mut params = json!({ "name": "depart", "arguments": {} });
        params.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        params
    };
    let first = server.ok("tools/call", call(json!({})));
    assert_eq!((&first["resultType"], first.get("taskId")), (&json!("input_required"), None));
    assert_eq!(first["inputRequests"].as_object().expect("questions").keys().collect::<Vec<_>>(), ["before"]);
    let mut answered = json!({ "inputResponses": { "before": named("Ada") } });
    if let Some(state) = first.get("requestState") {
        answered["requestState"] = state.clone();
    }
    let task = server.ok("tools/call", call(answered));
    assert_eq!(task["resultType"], "task");
    let subscription = server.listen(std::slice::from_ref(&task));
    let task = Followed { task, subscription };
    assert_eq!(task.asks(&mut server, 1).keys().collect::<Vec<_>>(), ["after"]);
    update(&mut server, &task.task, json!({ "after": named("Bob"), "before": named("Eve") }));
    let over = task.ends(&mut server, "completed");
    assert_eq!(text(&over["result"]), r#"accepted {"name":"Ada"} then accepted {"name":"Bob"}; task: true"#);
}

#[test]
fn a_call_that_becomes_a_task_takes_along_what_it_has_asked() {
    let mut server = willing();
    server.open_gate("a");
    let answer = server.ok("tools/call", json!({ "name": "depart_asking", "arguments": { "gate": "a" } }));
    assert_eq!(answer["resultType"], "task", "{answer}");
    let subscription = server.listen(std::slice::from_ref(&answer));
    let task = Followed { task: answer, subscription };
    let key = task.asks(&mut server, 1).keys().next().expect("a key").clone();
    update(&mut server, &task.task, json!({ (key): named("Ada") }));
    let over = task.ends(&mut server, "completed");
    assert_eq!(text(&over["result"]), r#"accepted {"name":"Ada"}; task: true"#);
}

/// The extension knows tasks of tools alone.
#[test]
fn prompts_and_resources_ask_in_rounds_even_where_the_client_knows_tasks() {
    let mut server = willing();
    let params = json!({ "name": "letter", "arguments": { "topic": "tea" }, "task": {} });
    assert_eq!(server.ok("prompts/get", params)["resultType"], "input_required");
    let params = json!({ "uri": "room://7", "task": {} });
    assert_eq!(server.ok("resources/read", params)["resultType"], "input_required");
}

/// The task is one; what it wants to know is asked in the words of each wire, and the first answer counts.
#[test]
fn a_task_of_a_session_may_be_answered_without_it() {
    let mut server = fixture!("--asking").declaring(everything());
    server.initialize(tests::LEGACY);
    let task = server.task("careful", json!({}));
    let question = server.question();
    server.speak(Wire::Tasks);
    let open = server.state(&task)["inputRequests"].take();
    let key = open.as_object().expect("questions").keys().next().expect("a key").clone();
    update(&mut server, &task, json!({ (key): named("Ada") }));
    let taken_back = server.notification_that(|message| message["method"] == "notifications/cancelled");
    assert_eq!(taken_back["params"]["requestId"], question["id"]);
    server.reply(&question, named("Eve"));
    server.speak(Wire::Legacy);
    assert_eq!(text(&server.ok("tasks/result", id(&task))), r#"accepted {"name":"Ada"}"#);
}
