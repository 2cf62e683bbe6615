//! Servers whose store fails: before it did what it was asked, after it, or by being slow.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::tests::{Made, made, server};
use super::*;
use crate::task::store::{Fault, Faults, Faulty, Memory, Operation};
use crate::testing::{ErrorAnswer, TestClient};
use crate::tool::TaskSupport;
use crate::{Context, ToolResult};

fn faulty(tool: Made, is_durable: bool) -> (Service, Faults) {
    let (store, faults) = Faulty::new(Memory::new());
    let store = if is_durable { store.durable() } else { store };
    (server().tasks(Tasks::store(store)).tool(tool).build().expect("it can be built"), faults)
}

fn quick() -> Made {
    made("tool", TaskSupport::Optional, |_| async { ToolResult::text("done") })
}

fn text(state: &Value) -> &str {
    state["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {state}"))
}

fn id(task: &Value) -> String {
    task["taskId"].as_str().unwrap_or_else(|| panic!("no task: {task}")).to_owned()
}

fn keyed(key: &str) -> Value {
    json!({ "name": "tool", "idempotencyKey": key })
}

async fn begin(client: &mut TestClient) -> String {
    id(&client.call_tool("tool", json!({})).await.expect("a task"))
}

#[tokio::test(start_paused = true)]
async fn what_the_store_cannot_do_is_an_error_that_says_what_it_was_and_the_server_lives() {
    let waiting = made("tool", TaskSupport::Optional, |_| std::future::pending());
    let (service, faults) = faulty(waiting, false);
    let mut client = service.test_client();
    let task = begin(&mut client).await;
    for (operation, method, params, doing) in [
        (Operation::Create, "tools/call", json!({ "name": "tool" }), "recording a task failed"),
        (Operation::Get, "tasks/get", json!({ "taskId": task }), "looking a task up failed"),
        (Operation::Apply, "tasks/cancel", json!({ "taskId": task }), "changing a task failed"),
    ] {
        faults.next(operation, Fault::Before);
        let error = client.request(method, params).await.expect_err("the store failed");
        assert_eq!((error.code, &*error.message), (-32603, doing), "{method}");
    }
    let state = client.request("tasks/get", json!({ "taskId": task })).await.expect("it is there");
    assert_eq!(state["status"], "working", "nothing was half done");
    assert_eq!(faults.injected(), 3);
    let mut client = service.test_client().legacy("2025-11-25").await.expect("initialized");
    faults.next(Operation::List, Fault::Before);
    assert_eq!(client.request("tasks/list", json!({})).await.expect_err("the store failed").code, -32603);
    let listed = client.request("tasks/list", json!({})).await.expect("a list");
    assert_eq!(listed["tasks"].as_array().map(Vec::len), Some(1), "what was not recorded is not there");
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_makes_callers_wait_and_nobody_else() {
    let (service, faults) = faulty(quick(), false);
    let mut slow = service.test_client();
    faults.next(Operation::Create, Fault::Slow(Duration::from_secs(3600)));
    let creating = slow.begin("tools/call", json!({ "name": "tool" }));
    let mut client = service.test_client();
    let task = begin(&mut client).await;
    assert_eq!(text(&client.follow(&task).await.expect("it ends")), "done");
    let task = id(&slow.answer(creating).await.expect("a task in the end"));
    assert_eq!(text(&slow.follow(&task).await.expect("it ends")), "done");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_task_is_kept_until_the_store_takes_it_and_whoever_waits_hears_of_it() {
    for fault in [Fault::Before, Fault::After] {
        let may_end = Arc::new(Notify::new());
        let gate = Arc::clone(&may_end);
        let tool = made("tool", TaskSupport::Optional, move |_| {
            let gate = Arc::clone(&gate);
            async move {
                gate.notified().await;
                ToolResult::text("done")
            }
        });
        let (service, faults) = faulty(tool, false);
        let mut client = service.test_client();
        let task = begin(&mut client).await;
        for _ in 0..5 {
            faults.next(Operation::Apply, fault);
        }
        let mut waiting = service.test_client();
        let followed = async { waiting.follow(&task).await.expect("it ends") };
        let (followed, ()) = tokio::join!(followed, async { may_end.notify_one() });
        assert_eq!(text(&followed), "done", "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_was_lost_makes_one_task_under_its_key_and_that_runs() {
    for is_durable in [false, true] {
        let runs = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&runs);
        let tool = made("tool", TaskSupport::Optional, move |_| {
            let run = count.fetch_add(1, Ordering::SeqCst) + 1;
            async move { ToolResult::text(format!("run {run}")) }
        });
        let (service, faults) = faulty(tool, is_durable);
        let mut client = service.test_client();
        faults.next(Operation::Create, Fault::After);
        client.request("tools/call", keyed("key")).await.expect_err("its answer is lost");
        let task = id(&client.request("tools/call", keyed("key")).await.expect("a task"));
        let ended = client.follow(&task).await.expect("it ends");
        assert_eq!(ended["status"], "completed", "{ended}");
        let again = id(&client.request("tools/call", keyed("key")).await.expect("a task"));
        assert_eq!(again, task);
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_cannot_be_recorded_says_so_and_one_whose_recording_was_not_answered_is_recorded() {
    let tool = made("tool", TaskSupport::Optional, |cx: Context| async move {
        match cx.step("count", || async { 1 }).await {
            Ok(count) => ToolResult::text(format!("counted {count}")),
            Err(error) => ToolResult::error(error.to_string()),
        }
    });
    let (service, faults) = faulty(tool, false);
    let mut client = service.test_client();
    faults.next(Operation::Remember, Fault::After);
    faults.next(Operation::Remember, Fault::Before);
    let task = begin(&mut client).await;
    assert_eq!(text(&client.follow(&task).await.expect("it ends")), "counted 1");
    faults.always(Operation::Remember, Fault::Before);
    let task = begin(&mut client).await;
    let ended = client.follow(&task).await.expect("it ends");
    assert!(text(&ended).contains("the step `count` could not be stored"), "{ended}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_recorded_while_the_server_stops_is_left_to_the_next_one() {
    let (store, faults) = Faulty::new(Memory::new());
    let store = Arc::new(store.durable());
    let service = || {
        let tasks = Tasks::store(Arc::clone(&store)).drain(Duration::ZERO);
        server().tasks(tasks).tool(quick()).build().expect("it can be built")
    };
    let first = service();
    let mut client = first.test_client();
    // It is not there yet when everything that runs is stopped.
    faults.next(Operation::Create, Fault::Slow(Duration::from_secs(3)));
    client.begin("tools/call", keyed("key"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.shut_down().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let next = service();
    let mut client = next.test_client();
    let task = id(&client.request("tools/call", keyed("key")).await.expect("a task"));
    let ended = client.follow(&task).await.expect("it ends");
    assert_eq!(ended["status"], "completed", "nobody cancelled it: {ended}");
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

/// Does a step, asks, and does a step; what it did goes into the marks.
fn asker(marks: &Arc<Mutex<HashMap<String, usize>>>) -> Made {
    let marks = Arc::clone(marks);
    let mut tool = made("tool", TaskSupport::Optional, move |cx: Context| {
        let marks = Arc::clone(&marks);
        async move {
            let task = cx.task_id().map(|id| id.to_string()).unwrap_or_default();
            let mark = async |step: &str| {
                *marks.lock().expect("not poisoned").entry(format!("{step} {task}")).or_default() += 1;
            };
            if let Err(error) = cx.step("before", async || mark("before").await).await {
                return ToolResult::error(error.to_string());
            }
            let name = match cx.elicit::<Name>("Name?").key("name").await {
                Ok(answer) => answer.accepted().map_or_else(|| "nobody".to_owned(), |it| it.name),
                Err(error) => return ToolResult::error(error.to_string()),
            };
            match cx.step("after", async || mark("after").await).await {
                Ok(()) => ToolResult::text(name),
                Err(error) => ToolResult::error(error.to_string()),
            }
        }
    });
    tool.task.retries = Some(1000);
    tool
}

async fn answer(client: &mut TestClient, task: &str) -> Result<Value, ErrorAnswer> {
    let answer = json!({ "action": "accept", "content": { "name": "Ada" } });
    client.request("tasks/update", json!({ "taskId": task, "inputResponses": { "name": answer } })).await
}

async fn until_it_asks(client: &mut TestClient, task: &str) {
    loop {
        let state = client.request("tasks/get", json!({ "taskId": task })).await;
        if state.is_ok_and(|state| state["status"] == "input_required") {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_taken_and_not_acknowledged_is_heard_of() {
    for is_repeated in [false, true] {
        for is_durable in [false, true] {
            let (service, faults) = faulty(asker(&Arc::default()), is_durable);
            let mut client = service.test_client().answering(|_, _| Value::Null);
            let task = begin(&mut client).await;
            until_it_asks(&mut client, &task).await;
            faults.next(Operation::Apply, Fault::After);
            answer(&mut client, &task).await.expect_err("its acknowledgement is lost");
            if is_repeated {
                answer(&mut client, &task).await.expect("it is acknowledged");
            }
            assert_eq!(text(&client.follow(&task).await.expect("it ends")), "Ada");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_cancel_that_was_granted_and_not_acknowledged_stops_the_function() {
    let dropped = Arc::new(Notify::new());
    let signal = Arc::clone(&dropped);
    let tool = made("tool", TaskSupport::Optional, move |_| {
        struct OnDrop(Arc<Notify>);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }
        let on_drop = OnDrop(Arc::clone(&signal));
        async move {
            let _on_drop = on_drop;
            std::future::pending().await
        }
    });
    let (service, faults) = faulty(tool, false);
    let mut client = service.test_client();
    let task = begin(&mut client).await;
    faults.next(Operation::Apply, Fault::After);
    let params = json!({ "taskId": task });
    client.request("tasks/cancel", params.clone()).await.expect_err("its acknowledgement is lost");
    dropped.notified().await;
    assert_eq!(client.follow(&task).await.expect("it ends")["status"], "cancelled");
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_every_task_ends_as_it_should_once_the_store_works_again() {
    for seed in 0..30 {
        let marks = Arc::default();
        let (service, faults) = faulty(asker(&marks), true);
        let mut client = service.test_client().answering(|_, _| Value::Null);
        faults.sometimes(seed, 25);
        let mut tasks = Vec::new();
        for number in 0..20 {
            // A client that was not answered asks again, as long as it takes.
            let task = loop {
                match client.request("tools/call", keyed(&format!("key {number}"))).await {
                    Ok(task) => break id(&task),
                    Err(error) => assert_eq!(error.code, -32603, "{error}"),
                }
            };
            tasks.push(task);
        }
        for task in &tasks {
            // Whether or not it asks yet, and whatever is said to that.
            for _ in 0..20 {
                let _ = answer(&mut client, task).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        assert!(faults.injected() > 0, "nothing went wrong");
        faults.stop();
        for task in &tasks {
            loop {
                let state = client.request("tasks/get", json!({ "taskId": task })).await.expect("a state");
                match state["status"].as_str() {
                    Some("working") => tokio::time::sleep(Duration::from_secs(1)).await,
                    Some("input_required") => drop(answer(&mut client, task).await.expect("acknowledged")),
                    Some("completed") => {
                        // What could not be stored or asked is told to the function, and nothing else goes wrong.
                        let is_told = ["could not be stored", "changing a task failed"];
                        let is_told = is_told.iter().any(|told| text(&state).contains(told));
                        assert!(text(&state) == "Ada" || is_told, "seed {seed}: {state}");
                        break;
                    }
                    _ => panic!("seed {seed}: {state}"),
                }
            }
        }
        let unique: HashSet<&String> = tasks.iter().collect();
        assert_eq!(unique.len(), tasks.len(), "each key has a task of its own");
        let marks = marks.lock().expect("not poisoned");
        assert!(marks.values().all(|count| *count == 1), "seed {seed}: a step was done twice: {marks:?}");
    }
}
