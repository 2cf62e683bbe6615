//! `subscriptions/listen`: being told of tasks.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Process, Wire, fixture, names, text};

use crate::{bare, id, plain, with_tasks};

/// The acknowledgement of a subscription: what it says is honoured.
fn acknowledged(server: &mut Process, subscription: &Value) -> Value {
    let mut notification = server.notification_that(|message| {
        message["method"] == "notifications/subscriptions/acknowledged"
            && message["params"]["_meta"][names::SUBSCRIPTION_ID] == *subscription
    });
    notification["params"]["notifications"].take()
}

/// The next state of a task that a subscription tells.
fn told(server: &mut Process, subscription: &Value) -> Value {
    let mut notification = server.notification_that(|message| {
        message["method"] == "notifications/tasks"
            && message["params"]["_meta"][names::SUBSCRIPTION_ID] == *subscription
    });
    notification["params"].take()
}

/// The next state that is an end.
fn told_end(server: &mut Process, subscription: &Value) -> Value {
    loop {
        let state = told(server, subscription);
        if state["status"] != "working" {
            return state;
        }
    }
}

#[test]
fn a_subscription_tells_the_state_and_the_end_with_its_result() {
    let mut server = with_tasks();
    let task = server.task("wait", json!({ "gate": "a", "steps": 1 }));
    server.pass_gate("a-reached");
    let subscription = server.listen(std::slice::from_ref(&task));
    assert_eq!(
        server.next_message().expect("a message")["method"],
        "notifications/subscriptions/acknowledged"
    );
    let state = told(&mut server, &subscription);
    assert_eq!((&state["status"], &state["statusMessage"]), (&json!("working"), &json!("step 1")));
    server.open_gate("a");
    let end = told_end(&mut server, &subscription);
    assert_eq!((&end["status"], text(&end["result"])), (&json!("completed"), "passed a"));
}

/// "Each notification carries a complete `DetailedTask`, identical to what `tasks/get` would have returned."
#[test]
fn what_is_told_is_what_asking_would_give() {
    let mut server = with_tasks();
    for (tool, status) in [
        ("slow", "completed"),
        ("failing", "completed"),
        ("protocol_error", "failed"),
        ("collapse", "failed"),
        ("report", "completed"),
    ] {
        let task = server.task(tool, if tool == "slow" { json!({ "ms": 1 }) } else { json!({}) });
        let subscription = server.listen(std::slice::from_ref(&task));
        let end = told_end(&mut server, &subscription);
        assert_eq!(end["status"], status, "{tool}");
        assert_eq!(bare(end), bare(server.state(&task)), "{tool}");
    }
}

#[test]
fn cancelling_a_task_is_told() {
    let mut server = with_tasks();
    let task = server.task("wait", json!({ "gate": "never" }));
    let subscription = server.listen(std::slice::from_ref(&task));
    acknowledged(&mut server, &subscription);
    server.ok("tasks/cancel", id(&task));
    assert_eq!(told_end(&mut server, &subscription)["status"], "cancelled");
}

#[test]
fn only_tasks_that_are_there_are_agreed_on() {
    let mut server = with_tasks();
    let (one, two) =
        (server.task("slow", json!({ "ms": 0 })), server.task("wait", json!({ "gate": "never" })));
    let unknown = json!({ "taskId": "786512e2-9e0d-44bd-8f29-789f320fe840" });
    let nonsense = json!({ "taskId": "nonsense" });
    let subscription = server.listen(&[one.clone(), unknown.clone(), two.clone(), nonsense]);
    let agreed = acknowledged(&mut server, &subscription);
    assert_eq!(agreed, json!({ "taskIds": [one["taskId"], two["taskId"]] }));
    let subscription = server.listen(&[unknown]);
    assert_eq!(acknowledged(&mut server, &subscription), json!({ "taskIds": [] }));
}

#[test]
fn notifications_that_this_server_does_not_have_are_not_agreed_on() {
    let mut server = plain();
    for filter in [
        json!({}),
        json!({ "toolsListChanged": true, "resourceSubscriptions": ["file:///project/config.json"] }),
        json!({ "promptsListChanged": false, "com.example/unknown": 1 }),
    ] {
        let subscription = server.begin("subscriptions/listen", json!({ "notifications": filter }));
        assert_eq!(acknowledged(&mut server, &subscription), json!({}), "{filter}");
    }
}

#[test]
fn tasks_are_told_to_nobody_who_did_not_say_that_they_know_them() {
    let mut server = plain();
    let params = json!({ "notifications": { "taskIds": ["786512e2-9e0d-44bd-8f29-789f320fe840"] } });
    let refusal = server.refused("subscriptions/listen", params);
    assert_eq!(refusal.code, -32021);
    assert_eq!(refusal.data, json!({ "requiredCapabilities": { "extensions": { (names::TASKS): {} } } }));
}

#[test]
fn a_subscription_to_nothing_in_particular_is_malformed() {
    let mut server = with_tasks();
    for params in
        [json!({}), json!({ "notifications": null }), json!({ "notifications": { "taskIds": "all" } })]
    {
        assert_eq!(server.refused("subscriptions/listen", params.clone()).code, -32602, "{params}");
    }
}

#[test]
fn a_task_that_has_ended_already_is_told_once() {
    let mut server = with_tasks();
    let task = server.task("slow", json!({ "ms": 0 }));
    server.ended(&task);
    let subscription = server.listen(std::slice::from_ref(&task));
    assert_eq!(text(&told(&mut server, &subscription)["result"]), "took 0 ms");
    server.ok("server/discover", json!({}));
    let again = |message: &Value| {
        message["method"] == "notifications/tasks"
            && message["params"]["_meta"][names::SUBSCRIPTION_ID] == subscription
    };
    assert!(!server.close().messages.iter().any(again));
}

#[test]
fn every_subscription_tells_its_own_tasks_under_its_own_id() {
    let mut server = with_tasks();
    let tasks = ["a", "b"].map(|gate| server.task("wait", json!({ "gate": gate })));
    let first = server.listen(&tasks[..1]);
    let second = json!("the second");
    let wanted = json!({ "taskIds": [tasks[1]["taskId"]] });
    server.begin_as(second.clone(), "subscriptions/listen", json!({ "notifications": wanted }));
    let both = server.listen(&tasks);
    for subscription in [&first, &second, &both] {
        acknowledged(&mut server, subscription);
    }
    server.open_gate("b");
    for subscription in [&second, &both] {
        let end = told_end(&mut server, subscription);
        assert_eq!((&end["taskId"], text(&end["result"])), (&tasks[1]["taskId"], "passed b"));
    }
    server.open_gate("a");
    for subscription in [&first, &both] {
        assert_eq!(text(&told_end(&mut server, subscription)["result"]), "passed a");
    }
}

#[test]
fn a_subscription_that_is_cancelled_is_silent() {
    let mut server = with_tasks();
    let task = server.task("wait", json!({ "gate": "a" }));
    let subscription = server.listen(std::slice::from_ref(&task));
    acknowledged(&mut server, &subscription);
    told(&mut server, &subscription);
    server.cancel(&subscription);
    server.ok("server/discover", json!({}));
    server.open_gate("a");
    server.ended(&task);
    assert_eq!(server.state(&task)["status"], "completed", "the task went on");
    let of_it = |message: &Value| message["params"]["_meta"][names::SUBSCRIPTION_ID] == subscription;
    assert!(!server.close().messages.iter().any(of_it));
}

#[test]
fn changes_that_come_fast_are_told_in_order_and_the_last_one_is_never_lost() {
    let mut server = with_tasks();
    let tasks: Vec<Value> =
        (0..50).map(|n| server.task("wait", json!({ "gate": "a", "steps": n }))).collect();
    let subscription = server.listen(&tasks);
    acknowledged(&mut server, &subscription);
    server.open_gate("a");
    let made: BTreeSet<String> = tasks.iter().map(|task| task["taskId"].to_string()).collect();
    let mut ended = BTreeSet::new();
    while ended != made {
        ended.insert(told_end(&mut server, &subscription)["taskId"].to_string());
    }
}

#[test]
fn an_end_is_told_once_even_if_it_comes_while_something_else_is_told() {
    let mut server = with_tasks();
    let mut told: Vec<String> = Vec::new();
    for round in 0..10 {
        let arguments = json!({ "gate": format!("{round}"), "steps": 3 });
        let tasks: Vec<Value> = (0..100).map(|_| server.task("wait", arguments.clone())).collect();
        let subscription = server.listen(&tasks);
        acknowledged(&mut server, &subscription);
        server.open_gate(&format!("{round}"));
        told.extend(tasks.iter().map(|_| told_end(&mut server, &subscription)["taskId"].to_string()));
    }
    // What is told in rounds has had its next one by the time that this has ended.
    let pause = server.task("slow", json!({ "ms": 150 }));
    server.ended(&pause);
    let again =
        server.notifications().into_iter().filter(|message| message["params"]["status"] == "completed");
    told.extend(again.map(|message| message["params"]["taskId"].to_string()));
    let all = told.len();
    told.sort();
    told.dedup();
    assert_eq!((told.len(), all), (1000, 1000), "different tasks, and ends that were told");
}

/// The server "SHOULD respond to the original `subscriptions/listen` request with a completion result", and "MUST send
/// `notifications/cancelled` referencing a `subscriptions/listen` request ID when it tears down that subscription".
#[test]
fn a_server_that_ends_says_so_to_every_subscription() {
    let mut server = with_tasks();
    let task = server.task("wait", json!({ "gate": "never" }));
    let subscriptions = [server.listen(std::slice::from_ref(&task)), server.listen(&[])];
    for subscription in &subscriptions {
        acknowledged(&mut server, subscription);
    }
    told(&mut server, &subscriptions[0]);
    let messages = server.close().messages;
    for subscription in &subscriptions {
        let answer = messages.iter().find(|message| message["id"] == *subscription).expect("an answer");
        assert_eq!(answer["result"]["_meta"][names::SUBSCRIPTION_ID], *subscription);
        let is_cancelled = |message: &&Value| {
            message["method"] == "notifications/cancelled" && message["params"]["requestId"] == *subscription
        };
        let cancelled = messages.iter().find(is_cancelled).expect("a notification");
        let named = &cancelled["params"]["_meta"][names::SUBSCRIPTION_ID];
        assert_eq!(
            named, subscription,
            "\"All notifications delivered on the stream carry\" the subscription's id"
        );
    }
}

#[test]
fn a_subscription_over_the_limit_is_refused_with_its_name() {
    let mut server = fixture!("--max-tasks-per-subscription=1").speaking(Wire::Tasks);
    let tasks = [server.task("slow", json!({ "ms": 0 })), server.task("slow", json!({ "ms": 0 }))];
    let subscription = server.listen(&tasks);
    let refusal = server.answer(&subscription).expect_err("it is too large");
    assert!(refusal.message.contains("max_tasks_per_subscription"), "{refusal}");
    let subscription = server.listen(&tasks[..1]);
    acknowledged(&mut server, &subscription);
}

/// "MUST NOT send any further messages for it", which the witness holds every message against.
#[test]
fn a_subscription_may_be_cancelled_before_it_is_acknowledged() {
    let mut server = with_tasks();
    let task = server.task("wait", json!({ "gate": "never" }));
    for _ in 0..500 {
        let subscription = server.listen(std::slice::from_ref(&task));
        server.cancel(&subscription);
        server.ok("server/discover", json!({}));
    }
}
