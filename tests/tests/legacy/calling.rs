//! Tools that call tools, with core tasks and without.

use serde_json::json;
use tests::answers::{everything, gift};
use tests::{LEGACY, fixture, names, text};

use crate::{id, opened};

#[test]
fn a_task_shows_the_tasks_that_it_is_made_of_which_are_not_listed() {
    let mut server = opened();
    let task = server.task("pass_all", json!({ "gates": ["a"] }));
    server.pass_gate("a-reached");
    let state = server.state(&task);
    assert_eq!(state["statusMessage"], "at a", "what a child says is said of the task that says nothing");
    let family = &state["_meta"][names::CHILDREN];
    assert_eq!((&family["count"], &family["tasks"][0]["tool"]), (&json!(1), &json!("pass_one")));
    let child = server.ok("tasks/get", json!({ "taskId": family["tasks"][0]["taskId"] }));
    assert_eq!(child["status"], "working");
    let list = server.ok("tasks/list", json!({}));
    assert_eq!(list["tasks"].as_array().map(Vec::len), Some(1));
    server.open_gate("a");
    assert_eq!(text(&server.ok("tasks/result", id(&task))), "a");
    let told = server.notification_that(|message| {
        message["params"]["taskId"] == task["taskId"] && message["params"]["status"] == "completed"
    });
    assert_eq!(told["params"]["_meta"][names::CHILDREN]["ended"], 1);
}

#[test]
fn within_a_call_progress_and_questions_are_its_own() {
    let mut server = fixture!("--asking").declaring(everything());
    server.initialize(LEGACY);
    server.open_gate("a");
    let params = json!({
        "name": "call", "arguments": { "tool": "pass_one", "arguments": { "gate": "a" } },
        "_meta": { "progressToken": 1 }
    });
    let call = server.begin("tools/call", params);
    let told = server.notification_that(|message| message["method"] == "notifications/progress");
    assert_eq!((&told["params"]["progress"], &told["params"]["total"]), (&json!(0.5), &json!(1)));
    assert_eq!(text(&server.answer(&call).expect("a result")), "a");

    let call = server.begin_call("call", json!({ "tool": "gift" }));
    let question = server.question();
    server.reply(&question, gift().0);
    assert_eq!(text(&server.answer(&call).expect("a result")), gift().1);
}

#[test]
fn cancelling_a_call_cancels_what_it_calls() {
    let mut server = opened();
    let call = server.begin_call("call", json!({ "tool": "wait", "arguments": { "gate": "never" } }));
    server.pass_gate("never-reached");
    server.cancel(&call);
    server.pass_gate("never-left");
}
