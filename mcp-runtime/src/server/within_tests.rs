//! Calls that are answered directly if they are done by a time, and become tasks if not.

use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};

use super::tests::{Made, made, server};
use super::*;
use crate::tool::TaskSupport;
use crate::{Context, Principal, ToolResult};

/// After it, a call becomes a task.
const AFTER: Duration = Duration::from_millis(500);

/// A tool that says how often it ran, once it may.
fn counting(may_end: &Arc<Semaphore>, runs: &Arc<AtomicUsize>) -> Made {
    let (may_end, runs) = (Arc::clone(may_end), Arc::clone(runs));
    after(move |cx| {
        let (may_end, runs) = (Arc::clone(&may_end), Arc::clone(&runs));
        async move {
            let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
            cx.progress(run as u64, None, "running");
            drop(may_end.acquire().await);
            ToolResult::text(format!("run {run}"))
        }
    })
}

fn after<F>(body: impl Fn(Context) -> F + Send + Sync + 'static) -> Made
where
    F: Future<Output = ToolResult> + Send + 'static,
{
    let mut tool = made("tool", TaskSupport::Optional, body);
    tool.task.after = Some(AFTER);
    tool
}

fn call() -> Value {
    json!({ "name": "tool" })
}

fn under_a_key() -> Value {
    json!({ "name": "tool", "idempotencyKey": "key" })
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {result}"))
}

fn task_id(answer: &Value) -> String {
    assert_eq!(answer["resultType"], "task", "{answer}");
    answer["taskId"].as_str().expect("an id").to_owned()
}

async fn tasks(service: &Service) -> usize {
    service.0.engine.list(&Principal::local(), None, 100).await.expect("a list").len()
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

fn person(_: &str, _: &Value) -> Value {
    json!({ "action": "accept", "content": { "name": "Ada" } })
}

fn asking() -> Made {
    after(|cx| async move {
        let name = cx.elicit::<Name>("Name?").await.expect("asked").accepted().expect("accepted").name;
        ToolResult::text(format!("{name} {}", cx.task_id().is_some()))
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_done_in_time_is_answered_directly_and_leaves_no_task() {
    let (may_end, runs) = (Arc::new(Semaphore::new(1)), Arc::default());
    let service = server().tool(counting(&may_end, &runs)).build().expect("it can be built");
    let mut client = service.test_client();
    assert_eq!(text(&client.request("tools/call", call()).await.expect("a result")), "run 1");
    assert_eq!(tasks(&service).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_in_time_becomes_a_task_and_goes_on() {
    let (may_end, runs) = (Arc::new(Semaphore::new(0)), Arc::default());
    let service = server().tool(counting(&may_end, &runs)).build().expect("it can be built");
    let mut client = service.test_client();
    let begun = tokio::time::Instant::now();
    let mut params = call();
    params["_meta"] = json!({ "progressToken": 7 });
    let task = task_id(&client.request("tools/call", params).await.expect("a task"));
    assert_eq!(begun.elapsed(), AFTER);
    assert_eq!(client.notifications()[0]["method"], "notifications/progress", "as long as it was a call");
    may_end.add_permits(1);
    let over = client.follow(&task).await.expect("it ends");
    assert_eq!(text(&over["result"]), "run 1");
}

#[tokio::test(start_paused = true)]
async fn what_it_asks_before_is_asked_as_of_any_call() {
    let service = server().tool(asking()).build().expect("it can be built");
    let mut client = service.test_client().answering(person);
    let round = client.request("tools/call", call()).await.expect("a round");
    assert_eq!(round["resultType"], "input_required");
    assert_eq!(text(&client.call("tools/call", call()).await.expect("a result")), "Ada false");
    assert_eq!(tasks(&service).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_it_asks_later_is_asked_by_its_task() {
    let tool = after(|cx| async move {
        tokio::time::sleep(2 * AFTER).await;
        let name = cx.elicit::<Name>("Name?").await.expect("asked").accepted().expect("accepted").name;
        ToolResult::text(name)
    });
    let mut client = server().tool(tool).test_client().expect("it can be built").answering(person);
    let task = task_id(&client.request("tools/call", call()).await.expect("a task"));
    let over = client.follow(&task).await.expect("it ends");
    assert_eq!(text(&over["result"]), "Ada");
}

#[tokio::test(start_paused = true)]
async fn a_function_may_say_sooner_that_it_takes_long() {
    let tool = after(|cx| async move {
        cx.detach().await;
        std::future::pending().await
    });
    let mut client = server().tool(tool).test_client().expect("it can be built");
    let begun = tokio::time::Instant::now();
    task_id(&client.request("tools/call", call()).await.expect("a task"));
    assert!(begun.elapsed() < AFTER);
}

#[tokio::test(start_paused = true)]
async fn the_same_key_runs_once_and_gives_the_result_if_it_is_there_in_time() {
    let (may_end, runs) = (Arc::new(Semaphore::new(1)), Arc::default());
    let service = server().tool(counting(&may_end, &runs)).build().expect("it can be built");
    let mut client = service.test_client();
    for _ in 0..2 {
        let result = client.request("tools/call", under_a_key()).await.expect("a result");
        assert_eq!((&result["resultType"], text(&result)), (&json!("complete"), "run 1"));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_key_gives_the_same_task_as_long_as_it_works_whatever_became_of_the_first_request() {
    let (may_end, runs) = (Arc::new(Semaphore::new(0)), Arc::default());
    let service = server().tool(counting(&may_end, &runs)).build().expect("it can be built");
    let mut client = service.test_client();
    let lost = client.begin("tools/call", under_a_key());
    while runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": lost } });
    client.send(&cancel.to_string());
    let first = task_id(&client.request("tools/call", under_a_key()).await.expect("a task"));
    let second = task_id(&client.request("tools/call", under_a_key()).await.expect("a task"));
    assert_eq!(first, second);
    may_end.add_permits(1);
    let over = client.follow(&first).await.expect("it ends");
    assert_eq!(text(&over["result"]), "run 1");
}

#[tokio::test(start_paused = true)]
async fn a_call_under_a_key_that_wants_to_know_something_is_a_task_at_once() {
    let mut client = server().tool(asking()).test_client().expect("it can be built").answering(person);
    let begun = tokio::time::Instant::now();
    let answer = client.request("tools/call", under_a_key()).await.expect("a task");
    assert_eq!(answer["status"], "input_required");
    assert!(begun.elapsed() < AFTER);
    let over = client.follow(&task_id(&answer)).await.expect("it ends");
    assert_eq!(text(&over["result"]), "Ada true");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_call_under_a_key_is_its_answer() {
    let tool = after(|_| async { panic!("the tool breaks") });
    let mut client = server().tool(tool).test_client().expect("it can be built");
    let error = client.request("tools/call", under_a_key()).await.expect_err("an error");
    assert_eq!(error.code, -32603);
}

#[tokio::test(start_paused = true)]
async fn a_client_of_the_core_dialect_decides_itself() {
    let (may_end, runs) = (Arc::new(Semaphore::new(1)), Arc::default());
    let service = server().tool(counting(&may_end, &runs)).build().expect("it can be built");
    let mut client = service.test_client().legacy("2025-11-25").await.expect("a session");
    let mut as_task = call();
    as_task["task"] = json!({});
    let answer = client.request("tools/call", as_task).await.expect("a task");
    assert!(answer["task"]["taskId"].is_string(), "{answer}");
    may_end.forget_permits(1);
    let plain = client.begin("tools/call", call());
    tokio::time::sleep(10 * AFTER).await;
    may_end.add_permits(1);
    assert_eq!(text(&client.answer(plain).await.expect("a result")), "run 2");
}

#[tokio::test(start_paused = true)]
async fn calls_take_their_places_from_their_begin_and_one_too_many_waits_as_a_task() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (may_end, seen) = (Arc::new(Notify::new()), Arc::clone(&most));
    let mut tool = after({
        let may_end = Arc::clone(&may_end);
        move |_| {
            let (running, most, may_end) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&may_end));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                may_end.notified().await;
                running.fetch_sub(1, Ordering::SeqCst);
                ToolResult::empty()
            }
        }
    });
    tool.task.concurrency = Some(2);
    let mut client = server().tool(tool).test_client().expect("it can be built");
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(task_id(&client.request("tools/call", call()).await.expect("a task")));
    }
    for task in &tasks {
        may_end.notify_one();
        client.follow(task).await.expect("it ends");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    may_end.notify_one();
    let direct = client.request("tools/call", call()).await.expect("a result");
    assert_eq!(direct["resultType"], "complete", "the places are free again");
}
