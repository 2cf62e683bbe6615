//! Calls that end, are cancelled, or become tasks, while something of theirs still asks.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

use super::tests::{made, server};
use super::*;
use crate::task::Status;
use crate::tool::TaskSupport;
use crate::{Elicited, InputError, Principal, ToolResult};

#[derive(Deserialize, JsonSchema)]
struct Name {
    #[allow(dead_code, reason = "nobody answers")]
    name: String,
}

/// Lets everything run that can.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_that_is_cancelled_while_it_becomes_a_task_leaves_no_task_that_works_for_ever() {
    let detaching = Arc::new(Notify::new());
    let signal = Arc::clone(&detaching);
    let mut tool = made("later", TaskSupport::Optional, move |cx| {
        let signal = Arc::clone(&signal);
        async move {
            signal.notify_one();
            cx.detach().await;
            std::future::pending().await
        }
    });
    tool.task.begins_as_call = true;
    let service = server().tool(tool).build().expect("it can be built");
    // However far the task has come when the call is cancelled. In a task of its own, which takes turns with the others.
    let test = async move {
        let mut answered = 0;
        for turns in 0..10 {
            let mut client = service.test_client();
            let id = client.begin("tools/call", json!({ "name": "later" }));
            detaching.notified().await;
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            let cancel = json!({ "requestId": id });
            client.send(
                &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancel })
                    .to_string(),
            );
            settle().await;
            let probe = client.begin("server/discover", json!({}));
            let mut was_answered = false;
            loop {
                let message = client.next_message().await.expect("the server is there");
                was_answered |= message["id"] == id;
                if message["id"] == probe {
                    break;
                }
            }
            answered += usize::from(was_answered);
            let tasks = service.0.engine.list(&Principal::local(), None, 100).await.expect("a list");
            let count = |status| tasks.iter().filter(|task| task.status == status).count();
            let expected = (answered, turns + 1 - answered);
            let found = (count(Status::Working), count(Status::Cancelled));
            assert_eq!(found, expected, "cancelled {turns} turns later");
        }
    };
    tokio::spawn(test).await.expect("it ends");
}

#[tokio::test]
async fn calls_that_become_tasks_keep_to_the_places_that_there_are() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&running), Arc::clone(&most));
    let mut tool = made("crowded", TaskSupport::Optional, move |cx| {
        let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
        async move {
            cx.detach().await;
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            settle().await;
            now.fetch_sub(1, Ordering::SeqCst);
            ToolResult::empty()
        }
    });
    tool.task.begins_as_call = true;
    tool.task.concurrency = Some(1);
    let mut client = server().tool(tool).test_client().expect("it can be built");
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(client.call_tool("crowded", json!({})).await.expect("a task")["taskId"].clone());
    }
    for task in tasks {
        client.follow(task.as_str().expect("an id")).await.expect("it ends");
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_a_call_leaves_behind_cannot_ask_any_more() {
    // What is left behind asks before the call is over, or after it.
    for is_late in [false, true] {
        let told: Arc<Mutex<Vec<oneshot::Receiver<_>>>> = Arc::default();
        let tells = Arc::clone(&told);
        let tool = made("leaving", TaskSupport::Optional, move |cx| {
            let (tell, hear) = oneshot::channel();
            tells.lock().expect("not poisoned").push(hear);
            async move {
                tokio::spawn(async move {
                    if is_late {
                        settle().await;
                    }
                    let asked = cx.elicit::<Name>("Name?").await;
                    cx.detach().await;
                    let _ = tell.send(asked.map(Elicited::accepted).map(|_| ()));
                });
                if !is_late {
                    tokio::task::yield_now().await;
                }
                ToolResult::empty()
            }
        });
        let service = server().tool(tool).build().expect("it can be built");
        let silent = |_: &str, _: &Value| Value::Null;
        let mut legacy = service.test_client().answering(silent).legacy("2025-11-25").await.expect("opened");
        let mut modern = service.test_client().answering(silent).without_tasks();
        let mut task = service.test_client().answering(silent);
        let legacy_result = legacy.call_tool("leaving", json!({})).await;
        assert!(legacy_result.expect("a result")["content"].is_array());
        modern.call_tool("leaving", json!({})).await.expect("a result or a round");
        let id = task.call_tool("leaving", json!({})).await.expect("a task")["taskId"].clone();
        task.follow(id.as_str().expect("an id")).await.expect("it ends");
        let told: Vec<_> = told.lock().expect("not poisoned").drain(..).collect();
        for hear in told {
            let asked = hear.await.expect("it comes to an end");
            assert!(matches!(asked, Err(InputError::Lost(_))), "{asked:?}");
        }
        settle().await;
        if is_late {
            legacy.request("ping", json!({})).await.expect("an answer");
            assert_eq!(legacy.notifications(), Vec::<Value>::new(), "nothing is asked after the answer");
        }
    }
}

#[tokio::test]
async fn a_client_is_not_asked_for_a_task_what_it_cannot_be_asked_though_another_could() {
    let tool = made("asker", TaskSupport::Optional, |cx| async move {
        let asked = cx.elicit::<Name>("Name?").await;
        ToolResult::text(format!("{}", asked.is_ok()))
    });
    let service = server().tool(tool).build().expect("it can be built");
    let silent = |_: &str, _: &Value| Value::Null;
    let mut able = service.test_client().answering(silent).legacy("2025-11-25").await.expect("initialized");
    let mut unable = service.test_client().legacy("2025-11-25").await.expect("initialized");
    let params = json!({ "name": "asker", "task": {} });
    let task = able.request("tools/call", params).await.expect("a task")["task"]["taskId"].clone();
    while able.request("tasks/get", json!({ "taskId": task })).await.expect("a state")["status"] == "working"
    {
    }
    let waiting = unable.begin("tasks/result", json!({ "taskId": task }));
    settle().await;
    unable.request("ping", json!({})).await.expect("an answer");
    assert_eq!(unable.notifications(), Vec::<Value>::new());
    unable.request("tasks/cancel", json!({ "taskId": task })).await.expect("cancelled");
    unable.answer(waiting).await.expect_err("it has no result");
}

#[tokio::test]
async fn the_id_of_a_page_is_another_one_for_each_client() {
    let tool = made("asker", TaskSupport::Forbidden, |cx| async move {
        let _ = cx.elicit_url("Pay.", "https://example.com/pay").await;
        ToolResult::empty()
    });
    let service = server().tool(tool).build().expect("it can be built");
    let ids: Arc<Mutex<Vec<Value>>> = Arc::default();
    for _ in 0..2 {
        let seen = Arc::clone(&ids);
        let person = move |_: &str, params: &Value| {
            seen.lock().expect("not poisoned").push(params["elicitationId"].clone());
            json!({ "action": "accept" })
        };
        let mut client =
            service.test_client().answering(person).legacy("2025-11-25").await.expect("initialized");
        client.call_tool("asker", json!({})).await.expect("a result");
    }
    let ids = ids.lock().expect("not poisoned");
    assert!(ids.len() == 2 && ids[0].is_string() && ids[0] != ids[1], "{ids:?}");
}
