//! Tasks that are left to jobs elsewhere, and calls that wait for them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::tests::server;
use super::*;
use crate::task::store;
use crate::tool::{
    InvalidArguments, Job, JobStatus, Jobs, TaskPolicy, TaskSupport, Tool, ToolCall, ToolDefinition,
    ToolFuture,
};
use crate::{Context, ToolResult};

/// A mill, which says what it was told to say, and then that it is at work.
#[derive(Clone, Debug, Default)]
struct Mill(Arc<Yard>);

#[derive(Debug, Default)]
struct Yard {
    says: Mutex<VecDeque<Says>>,
    polls: AtomicUsize,
    polled: Notify,
    /// How often it refuses to stop a job before it does.
    refusals: AtomicUsize,
    stopped: Mutex<Vec<u64>>,
    stop: Notify,
}

type Says = Result<JobStatus<Flour>, &'static str>;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order(u64);

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct Flour {
    sacks: u32,
}

impl Mill {
    fn says(&self, says: impl IntoIterator<Item = Says>) {
        self.0.says.lock().expect("not poisoned").extend(says);
    }

    fn polls(&self) -> usize {
        self.0.polls.load(Ordering::SeqCst)
    }

    fn stopped(&self) -> Vec<u64> {
        self.0.stopped.lock().expect("not poisoned").clone()
    }
}

impl Jobs for Mill {
    type Handle = Order;
    type Output = Flour;
    type Error = &'static str;

    async fn poll(&self, _: &Order) -> Says {
        self.0.polls.fetch_add(1, Ordering::SeqCst);
        self.0.polled.notify_one();
        let says = self.0.says.lock().expect("not poisoned").pop_front();
        match says {
            Some(Ok(JobStatus::Failed(what))) if what == "for ever" => std::future::pending().await,
            Some(Ok(JobStatus::Failed(what))) if what == "panic" => panic!("the mill burns"),
            Some(says) => says,
            None => Ok(JobStatus::message("at work")),
        }
    }

    async fn cancel(&self, order: &Order) -> Result<(), &'static str> {
        let is_refused = |refusals: usize| refusals.checked_sub(1);
        if self.0.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, is_refused).is_ok() {
            return Err("nobody there");
        }
        self.0.stopped.lock().expect("not poisoned").push(order.0);
        self.0.stop.notify_one();
        Ok(())
    }
}

/// A tool that has the mill grind.
struct Grind(TaskPolicy);

impl Tool for Grind {
    fn definition(&self) -> ToolDefinition {
        ToolDefinition::new("grind", "For tests.").task(self.0).job::<Mill>()
    }

    fn call(&self, call: ToolCall<'_>, _: Context) -> Result<ToolFuture, InvalidArguments> {
        call.arguments.fields(&[]).finish()?;
        Ok(Box::pin(async { ToolResult::job(Job::<Mill>::new(Order(7))) }))
    }
}

fn grind(poll: Duration) -> Grind {
    Grind(TaskPolicy { support: TaskSupport::Optional, poll: Some(poll), ..TaskPolicy::default() })
}

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(3600);

fn mill(poll: Duration) -> (Mill, Service) {
    let mill = Mill::default();
    let server = server().state(mill.clone()).tool(grind(poll));
    (mill, server.build().expect("it can be built"))
}

const DONE: Says = Ok(JobStatus::Done(Flour { sacks: 3 }));

/// Makes a task, and waits until it is left to the job.
async fn begun(client: &mut TestClient, service: &Service) -> String {
    let task = client.call_tool("grind", json!({})).await.expect("a task");
    let id = task["taskId"].as_str().expect("an id").to_owned();
    let name = id.parse().expect("an id");
    let principal = crate::Principal::local();
    let watch = service.0.engine.watch();
    watch.add(name);
    while service.0.engine.get(name, &principal).await.expect("it is there").job.is_none() {
        watch.changed().await;
    }
    id
}

async fn get(client: &mut TestClient, id: &str) -> Value {
    client.request("tasks/get", json!({ "taskId": id })).await.expect("its state")
}

#[tokio::test]
async fn a_task_is_what_its_job_says_whenever_a_client_asks() {
    let (mill, service) = mill(SOON);
    mill.says([Ok(JobStatus::progress(1, 3, "one sack")), Ok(JobStatus::progress(2, 3, "")), DONE]);
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    assert_eq!(mill.polls(), 0, "nobody has asked");
    let state = get(&mut client, &id).await;
    assert_eq!((&state["status"], &state["statusMessage"]), (&json!("working"), &json!("one sack")));
    let mut state = Value::Null;
    while state["status"] != "completed" {
        state = get(&mut client, &id).await;
    }
    assert_eq!(state["result"]["structuredContent"], json!({ "sacks": 3 }));
    assert_eq!(mill.polls(), 3);
}

#[tokio::test]
async fn the_tool_promises_what_the_job_gives() {
    let (_, service) = mill(SOON);
    let listed = service.test_client().request("tools/list", json!({})).await.expect("a list");
    assert!(listed["tools"][0]["outputSchema"]["properties"]["sacks"].is_object(), "{listed}");
}

#[tokio::test]
async fn however_many_ask_the_job_is_asked_once_in_a_poll_interval() {
    let (mill, service) = mill(LONG);
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    let asked: Vec<i64> = (0..10).map(|_| client.begin("tasks/get", json!({ "taskId": id }))).collect();
    for asked in asked {
        assert_eq!(client.answer(asked).await.expect("its state")["statusMessage"], "at work");
    }
    get(&mut client, &id).await;
    assert_eq!(mill.polls(), 1);
}

#[tokio::test]
async fn who_follows_the_task_sees_its_job_end() {
    let (mill, service) = mill(SOON);
    mill.says([Ok(JobStatus::message("milling")), Ok(JobStatus::message("milling")), DONE]);
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    let over = client.follow(&id).await.expect("it ends");
    assert_eq!(over["result"]["structuredContent"], json!({ "sacks": 3 }));
}

#[tokio::test]
async fn who_waits_for_the_result_gets_it() {
    let (mill, service) = mill(SOON);
    mill.says([Ok(JobStatus::message("milling")), Ok(JobStatus::Failed("the river is dry".to_owned()))]);
    let mut client = service.test_client().legacy("2025-11-25").await.expect("a session");
    let made = client.request("tools/call", json!({ "name": "grind", "task": {} })).await.expect("a task");
    let id = json!({ "taskId": made["task"]["taskId"] });
    let result = client.request("tasks/result", id).await.expect("a result");
    assert_eq!(
        (&result["isError"], &result["content"][0]["text"]),
        (&json!(true), &json!("the river is dry"))
    );
}

#[tokio::test]
async fn nobody_is_asked_when_nobody_wants_to_know_any_more() {
    let (mill, service) = mill(SOON);
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    let listening = client.begin("subscriptions/listen", json!({ "notifications": { "taskIds": [id] } }));
    mill.0.polled.notified().await;
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": listening } });
    client.send(&cancel.to_string());
    let name = id.parse().expect("an id");
    while service.0.engine.follows_job(name) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_everybody_forgot_ends_its_task_all_the_same() {
    /// The runtime's clock, which is quick where it is paused.
    struct Quick(tokio::time::Instant);
    impl store::Clock for Quick {
        fn now(&self) -> store::Timestamp {
            store::Timestamp::from_millis(self.0.elapsed().as_millis() as u64)
        }
    }
    let mill = Mill::default();
    let tasks = Tasks::store(store::Memory::with_clock(Quick(tokio::time::Instant::now())));
    let service = server().state(mill.clone()).tool(grind(SOON)).tasks(tasks).build().expect("built");
    let id = begun(&mut service.test_client(), &service).await;
    mill.says([Ok(JobStatus::message("at work")), DONE]);
    let (name, principal) = (id.parse().expect("an id"), crate::Principal::local());
    let watch = service.0.engine.watch();
    watch.add(name);
    while !service.0.engine.get(name, &principal).await.expect("it is kept").status.is_terminal() {
        watch.changed().await;
    }
    assert_eq!(mill.polls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_forgets_to_answer_loses_no_job() {
    use store::{Fault, Faulty, Memory, Operation};
    for fault in [Fault::Before, Fault::After] {
        let (mill, (store, faults)) = (Mill::default(), Faulty::new(Memory::new()));
        let server = server().state(mill.clone()).tool(grind(Duration::ZERO)).tasks(Tasks::store(store));
        let service = server.build().expect("it can be built");
        let mut client = service.test_client();
        faults.next(Operation::Apply, fault);
        let id = begun(&mut client, &service).await;
        mill.says([DONE, DONE]);
        // The poll goes well, the end does not.
        faults.next(Operation::Apply, Fault::Slow(SOON));
        faults.next(Operation::Apply, fault);
        let over = client.follow(&id).await.expect("it ends");
        assert_eq!(over["result"]["structuredContent"], json!({ "sacks": 3 }), "{fault:?}");
        assert!(mill.stopped().is_empty());
        let other = begun(&mut client, &service).await;
        faults.next(Operation::Apply, fault);
        let cancel = json!({ "taskId": other });
        client.request("tasks/cancel", cancel.clone()).await.expect_err("the store fails");
        client.request("tasks/cancel", cancel).await.expect("it does not fail again");
        mill.0.stop.notified().await;
        assert_eq!(mill.stopped(), [7]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_stopped_with_its_task_however_often_that_has_to_be_tried() {
    let (mill, service) = mill(LONG);
    mill.0.refusals.store(2, Ordering::SeqCst);
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    client.request("tasks/cancel", json!({ "taskId": id })).await.expect("acknowledged");
    assert_eq!(get(&mut client, &id).await["status"], "cancelled", "whatever becomes of the job");
    mill.0.stop.notified().await;
    assert_eq!((mill.stopped(), mill.polls()), (vec![7], 0));
}

#[tokio::test]
async fn a_service_that_cannot_be_asked_ends_nothing() {
    let (mill, service) = mill(SOON);
    mill.says([Err("no route to the mill"), Ok(JobStatus::progress(1, 3, "")), DONE]);
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    let state = get(&mut client, &id).await;
    assert_eq!(state["statusMessage"], "How far the job is could not be asked: no route to the mill");
    let mut messages = Vec::new();
    let over = loop {
        let state = get(&mut client, &id).await;
        if state["status"] == "completed" {
            break state;
        }
        messages.push(state["statusMessage"].as_str().expect("a message").to_owned());
    };
    messages.dedup();
    assert_eq!(messages.last().map(String::as_str), Some("The job is at work."));
    assert_eq!(over["result"]["structuredContent"], json!({ "sacks": 3 }));
}

#[tokio::test]
async fn a_service_that_panics_fails_the_task() {
    let (mill, service) = mill(SOON);
    mill.says([Ok(JobStatus::Failed("panic".to_owned()))]);
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    let over = client.follow(&id).await.expect("it ends");
    assert_eq!(over["status"], "failed");
    assert!(!over["statusMessage"].as_str().expect("a message").contains("burns"));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_its_time_does_not_keep_who_asks_for_the_task() {
    let (mill, service) = mill(LONG);
    mill.says([Ok(JobStatus::Failed("for ever".to_owned()))]);
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(get(&mut client, &id).await["status"], "working");
    assert!(begun.elapsed() <= Duration::from_secs(1));
    tokio::time::sleep(Duration::from_secs(60)).await;
    let state = get(&mut client, &id).await;
    assert_eq!(state["statusMessage"], "How far the job is could not be asked: no answer came within 30s");
}

#[tokio::test]
async fn another_server_goes_on_with_the_job() {
    let mill = Mill::default();
    let tasks = Tasks::store(store::Faulty::new(store::Memory::new()).0.durable());
    let serve = || {
        let server = server().state(mill.clone()).tool(grind(SOON)).tasks(tasks.clone());
        server.build().expect("it can be built")
    };
    let first = serve();
    let id = begun(&mut first.test_client(), &first).await;
    first.stop().await;
    drop(first);
    mill.says([DONE]);
    let over = serve().test_client().follow(&id).await.expect("it ends");
    assert_eq!(over["result"]["structuredContent"], json!({ "sacks": 3 }));
}

#[tokio::test]
async fn a_server_whose_tasks_go_with_it_stops_their_jobs() {
    let (mill, service) = mill(LONG);
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    service.shut_down().await;
    assert_eq!(mill.stopped(), [7]);
    let state = get(&mut client, &id).await;
    let message = "the server stopped before the job was done; call the tool again";
    assert_eq!((&state["status"], &state["statusMessage"]), (&json!("failed"), &json!(message)));
}

#[tokio::test]
async fn what_one_server_hears_counts_even_if_another_has_asked_meanwhile() {
    let (mill, tasks) = (Mill::default(), Tasks::memory());
    let serve = || {
        let server = server().state(mill.clone()).tool(grind(Duration::ZERO)).tasks(tasks.clone());
        server.build().expect("it can be built")
    };
    let (one, other) = (serve(), serve());
    let mut client = one.test_client();
    let id = begun(&mut client, &one).await;
    // The other asks over and over, and each time takes the word from whoever asked before.
    let mut asking = other.test_client();
    mill.says([Ok(JobStatus::message("a")), Ok(JobStatus::message("b")), DONE]);
    loop {
        let (mine, theirs) = tokio::join!(get(&mut client, &id), get(&mut asking, &id));
        if mine["status"] == "completed" || theirs["status"] == "completed" {
            break;
        }
    }
    assert_eq!(get(&mut client, &id).await["status"], "completed");
}

#[tokio::test]
async fn a_job_of_a_tool_that_is_not_there_any_more_is_lost_and_its_task_says_so() {
    let (mill, tasks) = (Mill::default(), Tasks::memory());
    let first = server().state(mill.clone()).tool(grind(SOON)).tasks(tasks.clone()).build().expect("built");
    let id = begun(&mut first.test_client(), &first).await;
    let other = super::tests::made("other", TaskSupport::Optional, |_| async { ToolResult::empty() });
    let second = server().tool(other).tasks(tasks).build().expect("built");
    let over = second.test_client().follow(&id).await.expect("it ends");
    let message = "the job of `grind` is lost: the server does not offer this tool any more";
    assert_eq!((&over["status"], &over["statusMessage"]), (&json!("failed"), &json!(message)));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_job() {
    let (mill, service) = mill(Duration::from_secs(5));
    mill.says([Ok(JobStatus::progress(1, 3, "one sack")), Err("no route to the mill"), DONE]);
    let mut client = service.test_client().without_tasks();
    let call = json!({ "name": "grind", "_meta": { "progressToken": 1 } });
    let result = client.request("tools/call", call).await.expect("a result");
    assert_eq!(result["structuredContent"], json!({ "sacks": 3 }));
    assert_eq!(client.notifications()[0]["params"]["message"], "one sack");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_cancelled_stops_its_job() {
    let (mill, service) = mill(Duration::from_secs(5));
    let mut client = service.test_client().without_tasks();
    let id = client.begin("tools/call", json!({ "name": "grind" }));
    mill.0.polled.notified().await;
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
    client.send(&cancel.to_string());
    mill.0.stop.notified().await;
    assert_eq!(mill.stopped(), [7]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_becomes_a_task_is_left_to_its_job() {
    let mill = Mill::default();
    let mut tool = grind(SOON);
    tool.0.after = Some(Duration::from_millis(100));
    let service = server().state(mill.clone()).tool(tool).build().expect("it can be built");
    let mut client = service.test_client();
    let id = begun(&mut client, &service).await;
    mill.says([DONE]);
    let over = client.follow(&id).await.expect("it ends");
    assert_eq!(over["result"]["structuredContent"], json!({ "sacks": 3 }));
    assert!(mill.stopped().is_empty());
}

/// A mill, and a tool that has it grind by calling another.
fn miller() -> (Mill, Service) {
    let mill = Mill::default();
    let caller = super::tests::made("miller", TaskSupport::Optional, |cx| async move {
        match cx.call("grind", json!({})).await {
            Ok(called) => ToolResult::text(format!("told: {}", called.text())),
            Err(error) => ToolResult::error(error.to_string()),
        }
    });
    let server = server().state(mill.clone()).tool(grind(SOON)).tool(caller);
    (mill, server.build().expect("it can be built"))
}

#[tokio::test]
async fn who_calls_a_tool_that_begins_a_job_gets_what_the_job_gives() {
    let (mill, service) = miller();
    mill.says([Ok(JobStatus::message("milling")), DONE]);
    let mut client = service.test_client();
    let task = client.call_tool("miller", json!({})).await.expect("a task");
    let over = client.follow(task["taskId"].as_str().expect("an id")).await.expect("it ends");
    assert_eq!(over["result"]["content"][0]["text"], r#"told: {"sacks":3}"#, "{over}");
    mill.says([Ok(JobStatus::message("milling")), DONE]);
    let mut client = service.test_client().without_tasks();
    let result = client.call_tool("miller", json!({})).await.expect("a result");
    assert_eq!(result["content"][0]["text"], r#"told: {"sacks":3}"#, "in a call, too");
}

#[tokio::test]
async fn a_job_is_stopped_with_the_task_that_it_is_a_part_of() {
    let (mill, service) = miller();
    let mut client = service.test_client();
    let task = client.call_tool("miller", json!({})).await.expect("a task");
    mill.0.polled.notified().await;
    client.request("tasks/cancel", json!({ "taskId": task["taskId"] })).await.expect("acknowledged");
    mill.0.stop.notified().await;
    assert_eq!(mill.stopped(), [7]);
}

#[test]
fn a_server_that_does_not_hold_the_service_cannot_be_built() {
    let error = server().tool(grind(SOON)).build().expect_err("there is no mill");
    assert!(error.errors()[0].contains("asks for `State<") && error.errors()[0].contains("Mill"), "{error}");
}

#[tokio::test]
async fn a_tool_that_does_not_say_that_it_begins_jobs_may_not() {
    struct Silent;
    impl Tool for Silent {
        fn definition(&self) -> ToolDefinition {
            ToolDefinition::new("silent", "For tests.")
        }
        fn call(&self, _: ToolCall<'_>, _: Context) -> Result<ToolFuture, InvalidArguments> {
            Ok(Box::pin(async { ToolResult::job(Job::<Mill>::new(Order(7))) }))
        }
    }
    let mut client = server().tool(Silent).test_client().expect("it can be built");
    let error = client.call_tool("silent", json!({})).await.expect_err("nobody would ask the job");
    assert!(error.message.contains(".job::<"), "{error}");
}
