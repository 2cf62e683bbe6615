//! Partial results of core tasks, and of calls.

use serde_json::json;
use tests::{names, partials};

use crate::{id, opened};

#[test]
fn a_task_says_in_its_state_what_it_found_and_with_its_result_if_asked() {
    let mut server = opened();
    let task = server.task("find", json!({ "count": 4, "gate": "a" }));
    server.pass_gate("a-reached");
    assert_eq!(partials(&server.state(&task)), Some((vec![0, 1], 0, 2)));
    server.open_gate("a");
    let from = |cursor: u64| json!({ "taskId": task["taskId"], "_meta": { (names::PARTIAL): { "cursor": cursor } } });
    let result = server.ok("tasks/result", from(2));
    assert_eq!(partials(&result), Some((vec![2, 3], 2, 4)));
    assert_eq!(result["_meta"][names::RELATED_TASK]["taskId"], task["taskId"]);
    assert_eq!(partials(&server.ok("tasks/result", id(&task))), None);
    assert_eq!(partials(&server.ok("tasks/get", from(3))), Some((vec![3], 3, 4)));
    let refusal =
        server.refused("tasks/get", json!({ "taskId": task["taskId"], "_meta": { (names::PARTIAL): 1 } }));
    assert_eq!(refusal.code, -32602);
}

#[test]
fn notifications_of_a_task_send_each_once_and_in_order() {
    let mut server = opened();
    let task = server.task("find", json!({ "count": 100, "gate": "a" }));
    server.open_gate("a");
    let mut seen = Vec::new();
    loop {
        let told = server.notification_that(|message| {
            message["method"] == "notifications/tasks/status" && message["params"]["taskId"] == task["taskId"]
        });
        seen.extend(partials(&told["params"]).map(|(numbers, ..)| numbers).unwrap_or_default());
        if told["params"]["status"] == "completed" {
            break;
        }
    }
    assert_eq!(seen, (0..100).collect::<Vec<u64>>());
}

#[test]
fn a_call_sends_them_with_its_progress() {
    let mut server = opened();
    server.open_gate("a");
    let params = json!({
        "name": "find", "arguments": { "count": 2, "gate": "a" }, "_meta": { "progressToken": 7 }
    });
    let call = server.begin("tools/call", params);
    for number in 0..2 {
        let told = server.notification_that(|message| message["method"] == "notifications/progress");
        assert_eq!(partials(&told["params"]), Some((vec![number], number, number + 1)));
    }
    server.answer(&call).expect("the result");
}
