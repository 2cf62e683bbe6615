//! Servers that stop: nothing new, what runs goes on for a while, and what is left is handed back or ended.

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::tests::{Made, made, server};
use super::*;
use crate::store::{Fault, Faulty, Memory, Operation};
use crate::tool::TaskSupport;
use crate::{Context, ToolResult};

/// A tool that ends when it may, and says what it was.
fn waiting(may_end: &Arc<Semaphore>) -> Made {
    let may_end = Arc::clone(may_end);
    made("tool", TaskSupport::Optional, move |_| {
        let may_end = Arc::clone(&may_end);
        async move {
            drop(may_end.acquire().await);
            ToolResult::text("done")
        }
    })
}

fn shut() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(0))
}

/// A store that outlives the servers of a test.
fn lasting(memory: &Arc<Memory>) -> Faulty<Arc<Memory>> {
    Faulty::new(Arc::clone(memory)).0.durable()
}

async fn begin(service: &Service) -> Value {
    let task = service.test_client().call_tool("tool", json!({})).await.expect("a task");
    json!({ "taskId": task["taskId"] })
}

async fn get(service: &Service, task: &Value) -> Value {
    service.test_client().request("tasks/get", task.clone()).await.expect("it is there")
}

/// Begins to shut down, and gives who waits for that.
async fn shutting_down(service: &Service) -> tokio::task::JoinHandle<()> {
    let stopping = tokio::spawn({
        let service = service.clone();
        async move { service.shut_down().await }
    });
    while !service.0.engine.is_stopping() {
        tokio::task::yield_now().await;
    }
    stopping
}

#[tokio::test(start_paused = true)]
async fn what_runs_comes_to_its_end_and_is_seen_while_nothing_new_is_begun() {
    let may_end = shut();
    let service = server().tool(waiting(&may_end)).build().expect("it can be built");
    let task = begin(&service).await;
    let mut legacy = service.test_client().legacy("2025-11-25").await.expect("initialized");
    let stopping = shutting_down(&service).await;
    for client in [&mut service.test_client(), &mut legacy] {
        let refused = client.call_tool("tool", json!({})).await.expect_err("nothing new");
        assert_eq!(refused.code, -31030, "{refused}");
        assert!(refused.message.contains("the server is stopping"), "{refused}");
    }
    let initialize = service.test_client().legacy("2025-11-25").await;
    assert_eq!(initialize.err().map(|refused| refused.code), Some(-31030), "and no new session");
    assert_eq!(get(&service, &task).await["status"], "working", "what is there can be looked at");
    may_end.add_permits(1);
    let mut polls = 0;
    while get(&service, &task).await["status"] == "working" {
        assert!(!stopping.is_finished(), "it waits for the task, and then for somebody to see its end");
        polls += 1;
        tokio::task::yield_now().await;
        assert!(polls < 1000, "it never ends");
    }
    stopping.await.expect("it stops");
}

#[tokio::test(start_paused = true)]
async fn an_end_is_waited_for_until_it_is_seen_where_it_is_gone_with_the_process() {
    let may_end = shut();
    let memory = server().tool(waiting(&may_end)).build().expect("it can be built");
    let lasting = server()
        .tasks(Tasks::store(lasting(&Arc::default())))
        .tool(waiting(&may_end))
        .build()
        .expect("it can be built");
    begin(&memory).await;
    begin(&lasting).await;
    for (service, waits) in [(memory, Tasks::DRAIN), (lasting, Duration::ZERO)] {
        let begun = tokio::time::Instant::now();
        let stopping = shutting_down(&service).await;
        may_end.add_permits(1);
        stopping.await.expect("it stops");
        assert_eq!(begun.elapsed(), waits);
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_in_time_is_stopped() {
    let tasks = Tasks::memory().drain(Duration::from_secs(3));
    let service = server().tasks(tasks).tool(waiting(&shut())).build().expect("it can be built");
    let task = begin(&service).await;
    let begun = tokio::time::Instant::now();
    service.shut_down().await;
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
    let state = get(&service, &task).await;
    let message = state["error"]["message"].as_str().unwrap_or_else(|| panic!("{state}"));
    assert!(message.contains("the server stopped before the task was done"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn who_is_in_a_hurry_stops_what_is_drained() {
    let service = server().tool(waiting(&shut())).build().expect("it can be built");
    begin(&service).await;
    let begun = tokio::time::Instant::now();
    let stopping = shutting_down(&service).await;
    service.stop().await;
    stopping.await.expect("it stops");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_client_is_not_waited_for_and_goes_on_elsewhere() {
    let asking = |cx: Context| async move {
        let answer = cx.roots().await;
        ToolResult::text(format!("{}", answer.is_ok()))
    };
    let store = Arc::default();
    let build = || {
        let tool = made("tool", TaskSupport::Optional, asking);
        server().tasks(Tasks::store(lasting(&store))).tool(tool).build().expect("it can be built")
    };
    let first = build();
    let mut client = first.test_client().answering(|_, _| json!({ "roots": [] }));
    let created = client.call_tool("tool", json!({})).await.expect("a task");
    let task = json!({ "taskId": created["taskId"] });
    while get(&first, &task).await["status"] != "input_required" {
        tokio::task::yield_now().await;
    }
    let begun = tokio::time::Instant::now();
    first.shut_down().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let next = build();
    assert_eq!(get(&next, &task).await["status"], "input_required");
    let mut client = next.test_client().answering(|_, _| json!({ "roots": [] }));
    let end = client.follow(created["taskId"].as_str().expect("an id")).await.expect("it goes on");
    assert_eq!(end["result"]["content"][0]["text"], "true");
    next.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_task_that_goes_on_elsewhere_is_told() {
    let mut tool = waiting(&shut());
    tool.task.retries = Some(3);
    let tasks = Tasks::store(lasting(&Arc::default())).drain(Duration::ZERO);
    let service = server().tasks(tasks).tool(tool).build().expect("it can be built");
    let task = begin(&service).await;
    let mut client = service.test_client().legacy("2025-11-25").await.expect("initialized");
    let waiting = client.begin("tasks/result", task.clone());
    assert_eq!(get(&service, &task).await["status"], "working");
    service.shut_down().await;
    let refused = client.answer(waiting).await.expect_err("its end is not known here");
    assert_eq!(refused.code, -31030, "{refused}");
    assert_eq!(get(&service, &task).await["status"], "working", "it was handed back");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_does_not_keep_a_server_from_stopping() {
    for is_durable in [false, true] {
        let (store, faults) = Faulty::new(Memory::new());
        let store = if is_durable { store.durable() } else { store };
        let tasks = Tasks::store(store).drain(Duration::ZERO);
        let service = server().tasks(tasks).tool(waiting(&shut())).build().expect("it can be built");
        begin(&service).await;
        for operation in [Operation::Get, Operation::Apply, Operation::Retire] {
            faults.always(operation, Fault::Slow(Duration::from_secs(3600)));
        }
        let begun = tokio::time::Instant::now();
        service.shut_down().await;
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not waited for for ever");
        service.0.engine.all_ended(&[].into()).await;
    }
}
