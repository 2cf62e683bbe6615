//! Partial results: of tasks, from where their reader left off, and of calls, with progress.

use serde_json::{Value, json};
use tests::{Process, Wire, fixture, names, partials};

use crate::{id, plain, with_tasks};

/// The state of a task, for a reader that left off there.
fn state_from(server: &mut Process, task: &Value, cursor: u64) -> Value {
    let params = json!({ "taskId": task["taskId"], "_meta": { (names::PARTIAL): { "cursor": cursor } } });
    server.ok("tasks/get", params)
}

#[test]
fn a_reader_goes_on_where_it_left_off() {
    let mut server = with_tasks();
    let task = server.task("find", json!({ "count": 6, "gate": "a" }));
    server.pass_gate("a-reached");
    let state = server.state(&task);
    assert_eq!(partials(&state), Some((vec![0, 1, 2], 0, 3)), "who says nothing gets all that there is");
    assert_eq!(partials(&state_from(&mut server, &task, 2)), Some((vec![2], 2, 3)));
    assert_eq!(partials(&state_from(&mut server, &task, 3)), Some((vec![], 3, 3)));
    server.open_gate("a");
    server.ended(&task);
    assert_eq!(partials(&state_from(&mut server, &task, 3)), Some((vec![3, 4, 5], 3, 6)));
    assert_eq!(partials(&server.state(&task)), Some(((0..6).collect(), 0, 6)), "all is there at the end");
}

#[test]
fn a_task_that_fails_or_is_cancelled_keeps_what_it_found() {
    let mut server = with_tasks();
    let failing = server.task("find", json!({ "count": 2, "gate": "a", "text": "" }));
    server.open_gate("a");
    assert_eq!(partials(&server.ended(&failing)), Some((vec![0, 1], 0, 2)));
    let cancelled = server.task("find", json!({ "count": 4, "gate": "never" }));
    server.pass_gate("never-reached");
    server.ok("tasks/cancel", id(&cancelled));
    let state = server.state(&cancelled);
    assert_eq!((&state["status"], partials(&state)), (&json!("cancelled"), Some((vec![0, 1], 0, 2))));
}

#[test]
fn the_newest_are_kept_and_a_reader_sees_that_some_are_missing() {
    let mut server = fixture!("--max-partials=3").speaking(Wire::Tasks);
    let task = server.task("find", json!({ "count": 10, "gate": "a" }));
    server.pass_gate("a-reached");
    assert_eq!(partials(&server.state(&task)), Some((vec![2, 3, 4], 2, 5)));
    server.open_gate("a");
    server.ended(&task);
    assert_eq!(partials(&state_from(&mut server, &task, 5)), Some((vec![7, 8, 9], 7, 10)));

    let mut server = fixture!("--max-partials-size=26").speaking(Wire::Tasks);
    let task = server.task("find", json!({ "count": 10, "gate": "a" }));
    server.open_gate("a");
    server.ended(&task);
    assert_eq!(partials(&server.state(&task)), Some((vec![8, 9], 8, 10)), "two of 12 bytes each");
}

#[test]
fn a_cursor_that_is_none_is_refused_and_says_why() {
    let mut server = with_tasks();
    let task = server.task("find", json!({ "count": 0, "gate": "a" }));
    for wrong in [
        json!(3),
        json!({}),
        json!({ "cursor": -1 }),
        json!({ "cursor": 1.5 }),
        json!({ "cursor": "1" }),
        json!([1]),
    ] {
        let params = json!({ "taskId": task["taskId"], "_meta": { (names::PARTIAL): wrong } });
        let refusal = server.refused("tasks/get", params);
        assert_eq!(refusal.code, -32602, "{wrong}");
        assert!(refusal.message.contains("`cursor`"), "{refusal}");
    }
    assert_eq!(partials(&server.state(&task)), None, "a task that gives none pays nothing");
}

#[test]
fn a_subscriber_is_sent_each_once_and_in_order() {
    let mut server = with_tasks();
    let task = server.task("find", json!({ "count": 200, "gate": "a" }));
    let first = server.listen(std::slice::from_ref(&task));
    server.pass_gate("a-reached");
    let second = server.listen(std::slice::from_ref(&task));
    server.open_gate("a");
    for subscription in [first, second] {
        let mut seen = Vec::new();
        loop {
            let told = server.notification_that(|message| {
                message["method"] == "notifications/tasks"
                    && message["params"]["_meta"][names::SUBSCRIPTION_ID] == subscription
            });
            let told = &told["params"];
            if let Some((numbers, first, cursor)) = partials(told) {
                assert_eq!((first, cursor), (seen.len() as u64, (seen.len() + numbers.len()) as u64));
                seen.extend(numbers);
            }
            if told["status"] == "completed" {
                break;
            }
        }
        assert_eq!(seen, (0..200).collect::<Vec<u64>>());
    }
}

#[test]
fn a_call_sends_them_with_its_progress() {
    let mut server = plain();
    server.open_gate("a");
    let params = json!({
        "name": "find", "arguments": { "count": 4, "gate": "a" }, "_meta": { "progressToken": "token" }
    });
    let call = server.begin("tools/call", params);
    for number in 0..4 {
        let told = server.notification_that(|message| message["method"] == "notifications/progress");
        assert_eq!(partials(&told["params"]), Some((vec![number], number, number + 1)));
        assert_eq!(told["params"]["progress"], number + 1);
    }
    let result = server.answer(&call).expect("the result");
    assert_eq!(partials(&result), None);
    // Who did not ask for progress hears nothing.
    server.call("find", json!({ "count": 4, "gate": "a" }));
    assert!(server.notifications().iter().all(|message| message["method"] != "notifications/progress"));
}
