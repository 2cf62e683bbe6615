//! Tools that call tools: what a client sees of it.

use serde_json::{Value, json};
use tests::answers::{everything, gift};
use tests::{Process, Wire, fixture, names, partials, text};

use crate::{id, plain, with_tasks};

fn children(state: &Value) -> &Value {
    &state["_meta"][names::CHILDREN]
}

fn child(server: &mut Process, state: &Value) -> Value {
    server.ok("tasks/get", json!({ "taskId": children(state)["tasks"][0]["taskId"] }))
}

#[test]
fn a_task_shows_the_tasks_that_it_is_made_of() {
    let mut server = with_tasks();
    let task = server.task("pass_all", json!({ "gates": ["a", "b"] }));
    server.pass_gate("a-reached");
    server.pass_gate("b-reached");
    let state = server.state(&task);
    let family = children(&state);
    assert_eq!((&family["count"], &family["ended"]), (&json!(2), &json!(0)));
    for child in family["tasks"].as_array().expect("a list") {
        assert_eq!((&child["tool"], &child["status"]), (&json!("pass_one"), &json!("working")));
        assert_eq!(child["progress"], json!({ "progress": 1, "total": 2 }));
    }
    let one = child(&mut server, &state);
    assert_eq!(partials(&one), Some((vec![0], 0, 1)), "what a child gives is its own");
    assert_eq!(partials(&state), None);
    server.open_gate("a");
    server.open_gate("b");
    let ended = server.ended(&task);
    assert_eq!(text(&ended["result"]), "a, b");
    assert_eq!((&children(&ended)["count"], &children(&ended)["ended"]), (&json!(2), &json!(2)));
}

#[test]
fn a_subscriber_hears_of_the_tasks_that_a_task_is_made_of() {
    let mut server = with_tasks();
    let task = server.task("pass_all", json!({ "gates": ["a", "b"] }));
    let subscription = server.listen(std::slice::from_ref(&task));
    let told = |server: &mut Process, fits: &dyn Fn(&Value) -> bool| {
        server.notification_that(|message| {
            let params = &message["params"];
            message["method"] == "notifications/tasks"
                && params["_meta"][names::SUBSCRIPTION_ID] == subscription
                && fits(params)
        })
    };
    told(&mut server, &|params| children(params)["count"] == 2);
    server.open_gate("a");
    let state = told(&mut server, &|params| children(params)["ended"] == 1);
    assert_eq!(state["params"]["status"], "working");
    server.open_gate("b");
    told(&mut server, &|params| params["status"] == "completed" && children(params)["ended"] == 2);
}

#[test]
fn cancelling_a_task_cancels_what_it_is_made_of() {
    let mut server = with_tasks();
    let task = server.task("call", json!({ "tool": "wait", "arguments": { "gate": "never" } }));
    server.pass_gate("never-reached");
    server.ok("tasks/cancel", id(&task));
    server.pass_gate("never-left");
    let state = server.state(&task);
    assert_eq!(state["status"], "cancelled");
    assert_eq!(child(&mut server, &state)["status"], "cancelled");
}

#[test]
fn a_child_that_is_cancelled_fails_its_call_and_nothing_else() {
    let mut server = with_tasks();
    let task = server.task("call", json!({ "tool": "wait", "arguments": { "gate": "never" } }));
    server.pass_gate("never-reached");
    let state = server.state(&task);
    server.ok("tasks/cancel", json!({ "taskId": children(&state)["tasks"][0]["taskId"] }));
    let ended = server.ended(&task);
    assert_eq!(text(&ended["result"]), "the call of `wait` was cancelled");
}

#[test]
fn what_a_child_asks_is_asked_by_the_task_that_the_client_knows() {
    let mut server = fixture!("--asking").speaking(Wire::Tasks).declaring(everything());
    let task = server.task("call", json!({ "tool": "call", "arguments": { "tool": "gift" } }));
    let subscription = server.listen(std::slice::from_ref(&task));
    let mut asked = server.notification_that(|message| {
        message["params"]["_meta"][names::SUBSCRIPTION_ID] == subscription
            && message["params"]["status"] == "input_required"
    });
    let Value::Object(requests) = asked["params"]["inputRequests"].take() else { panic!("no questions") };
    let key = requests.keys().next().expect("a question").clone();
    assert!(key.starts_with("call/gift/"), "{key}");
    let answers = json!({ (key): gift().0 });
    server.ok("tasks/update", json!({ "taskId": task["taskId"], "inputResponses": answers }));
    let ended = server.ended(&task);
    assert_eq!(ended["status"], "completed");
    assert_eq!(text(&ended["result"]), gift().1);
}

#[test]
fn within_a_call_the_rounds_of_what_it_calls_are_its_own() {
    let mut server = fixture!("--asking").speaking(Wire::Modern).declaring(everything());
    let mut params = json!({ "name": "call", "arguments": { "tool": "gift" } });
    let asked = server.ok("tools/call", params.clone());
    assert_eq!(asked["resultType"], "input_required");
    let key = asked["inputRequests"].as_object().and_then(|asked| asked.keys().next()).expect("a question");
    assert!(key.starts_with("gift/"), "{key}");
    params["inputResponses"] = json!({ (key): gift().0 });
    if asked["requestState"].is_string() {
        params["requestState"] = asked["requestState"].clone();
    }
    let result = server.ok("tools/call", params);
    assert_eq!(result["resultType"], "complete");
    assert_eq!(text(&result), gift().1);
}

#[test]
fn a_call_that_fails_says_why() {
    let mut server = plain();
    for (tool, arguments, why) in [
        ("nowhere", json!({}), "there is no tool `nowhere` to call"),
        ("failing", json!({}), "`failing` failed: API rate limit exceeded"),
        ("protocol_error", json!({}), "`protocol_error` failed: the database is gone"),
        ("call", json!({ "tool": 1 }), "`call` does not take these arguments: "),
    ] {
        let result = server.call("call", json!({ "tool": tool, "arguments": arguments }));
        assert_eq!(result["isError"], true);
        assert!(text(&result).starts_with(why), "{result}");
    }
}
