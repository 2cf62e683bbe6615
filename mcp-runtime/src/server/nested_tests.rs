//! Tools that call tools: as tasks within tasks, and as calls within calls.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, Semaphore};

use super::tests::{Made, made, server};
use super::*;
use crate::task::store::contract::ManualClock;
use crate::task::store::{Faulty, Memory};
use crate::tool::{InvalidArguments, TaskSupport, ToolCall, ToolDefinition, ToolFuture};
use crate::{CallError, CallFailure, Context, TaskId, ToolError, ToolResult};

/// What `_meta` says of the tasks that a task is made of.
fn children(state: &Value) -> &Value {
    &state["_meta"]["dev.mcp-runtime/children"]
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {result}"))
}

fn task<F>(name: &'static str, body: impl Fn(Context) -> F + Send + Sync + 'static) -> Made
where
    F: Future<Output = ToolResult> + Send + 'static,
{
    made(name, TaskSupport::Optional, body)
}

/// A tool that calls another one and says what came of it.
fn calling(name: &'static str, other: &'static str) -> Made {
    task(name, move |cx| async move {
        match cx.call(other, json!({})).await {
            Ok(called) => ToolResult::text(format!("{name} got: {}", called.text())),
            Err(error) => ToolResult::error(error.to_string()),
        }
    })
}

fn ended(result: &'static str) -> impl Fn(Context) -> std::future::Ready<ToolResult> {
    move |_| std::future::ready(ToolResult::text(result))
}

async fn begin(service: &Service, tool: &str) -> String {
    let mut client = service.test_client().answering(|_, _| Value::Null);
    let task = client.call_tool(tool, json!({})).await.expect("a task");
    task["taskId"].as_str().unwrap_or_else(|| panic!("no task: {task}")).to_owned()
}

async fn get(service: &Service, id: &str) -> Value {
    service.test_client().request("tasks/get", json!({ "taskId": id })).await.expect("it is there")
}

async fn follow(service: &Service, id: &str) -> Value {
    service.test_client().follow(id).await.expect("it is there")
}

#[tokio::test]
async fn a_task_that_calls_a_tool_is_made_of_a_task_and_a_call_is_not() {
    let service = server()
        .tool(calling("outer", "inner"))
        .tool(task("inner", ended("found")))
        .build()
        .expect("it can be built");
    let id = begin(&service, "outer").await;
    let state = follow(&service, &id).await;
    assert_eq!(text(&state["result"]), "outer got: found");
    let family = children(&state);
    assert_eq!((&family["count"], &family["ended"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&family["tasks"][0]["tool"], &family["tasks"][0]["status"]),
        (&json!("inner"), &json!("completed"))
    );
    let child = get(&service, family["tasks"][0]["taskId"].as_str().expect("an id")).await;
    assert_eq!(text(&child["result"]), "found", "a child is read as any task is");
    let mut legacy = service.test_client().legacy("2025-11-25").await.expect("a session");
    let list = legacy.request("tasks/list", json!({})).await.expect("a list");
    assert_eq!(list["tasks"].as_array().map(Vec::len), Some(1), "a child is not listed");

    let mut plain = service.test_client().without_tasks();
    assert_eq!(text(&plain.call_tool("outer", json!({})).await.expect("a result")), "outer got: found");
    let list = legacy.request("tasks/list", json!({})).await.expect("a list");
    assert_eq!(list["tasks"].as_array().map(Vec::len), Some(1), "a call within a call is no task");
}

struct Refusing;
impl Tool for Refusing {
    fn definition(&self) -> ToolDefinition {
        ToolDefinition::new("refusing", "For tests.")
    }
    fn call(&self, _: ToolCall<'_>, _: Context) -> Result<ToolFuture, InvalidArguments> {
        let error = crate::ProtocolError::internal("not today");
        Ok(Box::pin(async move { Err(ToolError::Protocol(error)) }))
    }
}

#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<CallError>>>);

#[tokio::test]
async fn what_can_go_wrong_has_a_type_and_a_sentence() {
    let errors = Errors::default();
    let outer = task("outer", {
        let errors = errors.clone();
        move |cx| {
            let errors = errors.clone();
            async move {
                for (tool, arguments) in [
                    ("nowhere", json!({})),
                    ("failing", json!({ "depth": "deep" })),
                    ("failing", json!({})),
                    ("refusing", json!({})),
                    ("panicking", json!({})),
                ] {
                    let error = cx.call(tool, arguments).await.expect_err("it fails");
                    errors.0.lock().expect("not poisoned").push(error);
                }
                ToolResult::empty()
            }
        }
    });
    let service = server()
        .tool(outer)
        .tool(task("failing", |_| async { ToolResult::error("no luck") }))
        .tool(Refusing)
        .tool(task("panicking", |_| async { panic!("the password is 1234") }))
        .build()
        .expect("it can be built");
    let id = begin(&service, "outer").await;
    follow(&service, &id).await;
    service.test_client().without_tasks().call_tool("outer", json!({})).await.expect("a result");
    let errors = errors.0.lock().expect("not poisoned").clone();
    assert_eq!(errors.len(), 10, "as a task and as a call");
    for errors in errors.chunks(5) {
        let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(said[0], "there is no tool `nowhere` to call");
        assert!(
            said[1].starts_with("`failing` does not take these arguments: ") && said[1].contains("depth"),
            "{}",
            said[1]
        );
        assert_eq!(said[2], "`failing` failed: no luck");
        assert_eq!(said[3], "`refusing` failed: not today");
        assert!(said[4].starts_with("`panicking` failed: ") && !said[4].contains("1234"), "{}", said[4]);
        assert!(matches!(errors[0].why(), CallFailure::NoSuchTool));
        assert!(matches!(errors[1].why(), CallFailure::Arguments(_)));
        assert!(matches!(errors[2].why(), CallFailure::Failed(result) if result.text() == "no luck"));
        assert!(matches!(errors[3].why(), CallFailure::Protocol(error) if error.message() == "not today"));
        assert!(matches!(errors[4].why(), CallFailure::Protocol(_)));
    }
    let nowhere = Context::detached().call("any", ()).await.expect_err("there is no server");
    assert!(matches!(nowhere.why(), CallFailure::NoServer));
}

#[tokio::test]
async fn a_tool_may_call_itself_but_not_for_ever() {
    let deep = Arc::new(AtomicUsize::new(0));
    let tool = || {
        let deep = Arc::clone(&deep);
        let mut tool = calling("deep", "deep");
        tool.body(move |cx| {
            let deep = Arc::clone(&deep);
            async move {
                deep.fetch_add(1, Ordering::SeqCst);
                match cx.call("deep", ()).await {
                    Ok(called) => ToolResult::text(called.text()),
                    // One that was called says why.
                    Err(error) if matches!(error.why(), CallFailure::TooDeep(_)) => {
                        ToolResult::text(error.to_string())
                    }
                    Err(error) => ToolResult::error(error.to_string()),
                }
            }
        });
        tool
    };
    // With one place for all of them: what it calls is in the place that it has.
    let mut in_one_place = tool();
    in_one_place.task.concurrency = Some(1);
    for tool in [tool(), in_one_place] {
        let service = server().tool(tool).build().expect("it can be built");
        deep.store(0, Ordering::SeqCst);
        let state = follow(&service, &begin(&service, "deep").await).await;
        assert_eq!(text(&state["result"]), "`deep` was not called: 16 calls within each other are the most");
        assert_eq!(deep.swap(0, Ordering::SeqCst), 17);
        let result =
            service.test_client().without_tasks().call_tool("deep", json!({})).await.expect("a result");
        assert!(text(&result).contains("16 calls"));
        assert_eq!(deep.load(Ordering::SeqCst), 17);
    }
}

/// Sets itself when it is dropped.
struct Gone(Arc<Notify>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// A tool that never ends, and says when it runs and when it is gone.
fn endless(runs: &Arc<Notify>, gone: &Arc<Notify>) -> Made {
    let (runs, gone) = (Arc::clone(runs), Arc::clone(gone));
    task("endless", move |_| {
        let (runs, gone) = (Arc::clone(&runs), Gone(Arc::clone(&gone)));
        async move {
            let _gone = gone;
            runs.notify_one();
            std::future::pending().await
        }
    })
}

#[tokio::test]
async fn what_a_task_is_made_of_is_cancelled_with_it() {
    let (runs, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let service = server()
        .tool(calling("top", "middle"))
        .tool(calling("middle", "endless"))
        .tool(endless(&runs, &gone))
        .build()
        .expect("it can be built");
    let id = begin(&service, "top").await;
    runs.notified().await;
    service.test_client().request("tasks/cancel", json!({ "taskId": id })).await.expect("acknowledged");
    gone.notified().await;
    let mut state = get(&service, &id).await;
    for tool in ["middle", "endless"] {
        assert_eq!(state["status"], "cancelled");
        assert_eq!(children(&state)["tasks"][0]["tool"], tool);
        state = get(&service, children(&state)["tasks"][0]["taskId"].as_str().expect("an id")).await;
    }
    assert_eq!(state["status"], "cancelled");

    // The same of a call.
    let mut client = service.test_client().without_tasks();
    let call = client.begin("tools/call", json!({ "name": "top" }));
    runs.notified().await;
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": call } });
    client.send(&cancel.to_string());
    gone.notified().await;
}

#[tokio::test]
async fn a_call_whose_future_is_dropped_is_cancelled() {
    let (runs, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let hasty = task("hasty", {
        let runs = Arc::clone(&runs);
        move |cx| {
            let runs = Arc::clone(&runs);
            async move {
                tokio::select! {
                    called = cx.call("endless", ()) => ToolResult::text(format!("{called:?}")),
                    () = runs.notified() => ToolResult::text("enough"),
                }
            }
        }
    });
    let service = server().tool(hasty).tool(endless(&runs, &gone)).build().expect("it can be built");
    let state = follow(&service, &begin(&service, "hasty").await).await;
    assert_eq!(text(&state["result"]), "enough");
    gone.notified().await;
    let id = children(&state)["tasks"][0]["taskId"].as_str().expect("an id").to_owned();
    assert_eq!(follow(&service, &id).await["status"], "cancelled");
    let result = service.test_client().without_tasks().call_tool("hasty", json!({})).await.expect("a result");
    assert_eq!(text(&result), "enough");
    gone.notified().await;
}

#[tokio::test]
async fn a_call_within_that_cleans_up_hears_of_the_end_of_the_call_above() {
    let (asks, cleaned) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let tidy = task("tidy", {
        let (asks, cleaned) = (Arc::clone(&asks), Arc::clone(&cleaned));
        move |cx| {
            let (asks, cleaned) = (Arc::clone(&asks), Arc::clone(&cleaned));
            async move {
                assert!(!cx.is_cancelled());
                asks.notify_one();
                cx.cancelled().await;
                tokio::task::yield_now().await;
                cleaned.notify_one();
                ToolResult::empty()
            }
        }
    });
    let service = server().tool(calling("outer", "tidy")).tool(tidy).build().expect("it can be built");
    let mut client = service.test_client().without_tasks();
    let call = client.begin("tools/call", json!({ "name": "outer" }));
    asks.notified().await;
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": call } });
    client.send(&cancel.to_string());
    cleaned.notified().await;

    let id = begin(&service, "outer").await;
    asks.notified().await;
    service.test_client().request("tasks/cancel", json!({ "taskId": id })).await.expect("acknowledged");
    cleaned.notified().await;
}

#[tokio::test]
async fn the_progress_of_what_a_task_calls_is_its_own() {
    let (half, may_end) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let part = task("part", {
        let (half, may_end) = (Arc::clone(&half), Arc::clone(&may_end));
        move |cx| {
            let (half, may_end) = (Arc::clone(&half), Arc::clone(&may_end));
            async move {
                cx.progress(5, 10, "half of a part");
                half.notify_one();
                may_end.acquire().await.expect("open").forget();
                ToolResult::empty()
            }
        }
    });
    let whole = task("whole", |cx| async move {
        let calls = [cx.call("part", ()), cx.call("part", ())];
        for call in calls {
            call.await.expect("it ends");
        }
        ToolResult::empty()
    });
    let service = server().tool(whole).tool(part).build().expect("it can be built");
    let id = begin(&service, "whole").await;
    half.notified().await;
    let state = get(&service, &id).await;
    assert_eq!(state["_meta"]["dev.mcp-runtime/progress"], json!({ "progress": 0.5, "total": 1 }));
    assert_eq!(state["statusMessage"], "half of a part");
    assert_eq!(children(&state)["tasks"][0]["progress"], json!({ "progress": 5, "total": 10 }));
    may_end.add_permits(1);
    half.notified().await;
    let state = get(&service, &id).await;
    assert_eq!(state["_meta"]["dev.mcp-runtime/progress"], json!({ "progress": 1.5, "total": 2 }));
    assert_eq!(children(&state)["tasks"][0]["status"], "working", "those at work come first");
    may_end.add_permits(1);
    let state = follow(&service, &id).await;
    assert_eq!(state["_meta"]["dev.mcp-runtime/progress"], json!({ "progress": 2, "total": 2 }));

    // Within a call it goes out with that call's token.
    may_end.add_permits(2);
    let mut client = service.test_client().without_tasks();
    let params = json!({ "name": "whole", "_meta": { "progressToken": 1 } });
    client.request("tools/call", params).await.expect("a result");
    let numbers: Vec<f64> = client
        .notifications()
        .iter()
        .map(|told| told["params"]["progress"].as_f64().expect("a number"))
        .collect();
    assert_eq!(numbers, [0.5, 1.0, 1.5, 2.0]);
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

/// A tool that asks for a name, after a step.
fn asking(steps: &Arc<AtomicUsize>) -> Made {
    let steps = Arc::clone(steps);
    task("asking", move |cx| {
        let steps = Arc::clone(&steps);
        async move {
            let step = cx.step("count", || async { steps.fetch_add(1, Ordering::SeqCst) }).await;
            match (step, cx.elicit::<Name>("Name?").await) {
                (Ok(step), Ok(answer)) => ToolResult::text(format!(
                    "{step} {}",
                    answer.accepted().map_or_else(String::new, |it| it.name)
                )),
                other => ToolResult::error(format!("{:?}", other.0)),
            }
        }
    })
}

/// A tool that calls `asking` twice, side by side.
fn twice() -> Made {
    let mut tool = task("twice", |cx| async move {
        let (one, two) = tokio::join!(cx.call("asking", ()), cx.call("asking", ()));
        match (one, two) {
            (Ok(one), Ok(two)) => ToolResult::text(format!("{}, {}", one.text(), two.text())),
            (one, two) => ToolResult::error(format!("{one:?} {two:?}")),
        }
    });
    tool.task.retries = Some(0);
    tool
}

#[tokio::test]
async fn what_is_asked_within_is_asked_by_the_one_that_the_client_knows() {
    let steps = Arc::new(AtomicUsize::new(0));
    let service = server().tool(twice()).tool(asking(&steps)).build().expect("it can be built");
    let id = begin(&service, "twice").await;
    let mut client = service.test_client();
    let subscription = client.begin("subscriptions/listen", json!({ "notifications": { "taskIds": [id] } }));
    let state = loop {
        let told = client.next_message().await.expect("a message");
        let is_ours = told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == subscription;
        let asked = told["params"]["inputRequests"].as_object();
        if is_ours && asked.is_some_and(|asked| asked.len() == 2) {
            break told["params"].clone();
        }
    };
    assert_eq!(state["status"], "input_required");
    let keys: Vec<&String> = state["inputRequests"].as_object().expect("an object").keys().collect();
    assert!(keys[0].starts_with("asking/") && keys[1].starts_with("asking-2/"), "{keys:?}");
    assert!(
        children(&state)["tasks"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|child| child["status"] == "working")
    );
    for (key, name) in keys.into_iter().zip(["Ada", "Eve"]) {
        let answer = json!({ (key): { "action": "accept", "content": { "name": name } } });
        client
            .request("tasks/update", json!({ "taskId": id, "inputResponses": answer }))
            .await
            .expect("taken");
    }
    let state = follow(&service, &id).await;
    let said = text(&state["result"]);
    assert!(said == "0 Ada, 1 Eve" || said == "1 Ada, 0 Eve", "{said}");
}

#[tokio::test]
async fn what_is_asked_and_done_within_a_call_survives_its_rounds() {
    for revision in [None, Some("2025-11-25")] {
        let steps = Arc::new(AtomicUsize::new(0));
        let service = server().tool(twice()).tool(asking(&steps)).build().expect("it can be built");
        let mut names = ["Ada", "Eve"].into_iter();
        let person = move |_: &str, _: &Value| json!({ "action": "accept", "content": { "name": names.next().expect("asked twice") } });
        let mut client = service.test_client().answering(person);
        client = match revision {
            None => client.without_tasks(),
            Some(revision) => client.legacy(revision).await.expect("a session"),
        };
        let result = client.call_tool("twice", json!({})).await.expect("a result");
        assert_eq!(text(&result), "0 Ada, 1 Eve", "{revision:?}");
        assert_eq!(steps.load(Ordering::SeqCst), 2, "each step was done once");
    }
}

/// A store that outlives its servers, which come and go.
struct World {
    clock: ManualClock,
    store: Arc<Memory>,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::default();
        let store = Arc::new(Memory::with_clock(clock.clone()));
        Self { clock, store }
    }

    fn server(&self, tools: Vec<Made>) -> Service {
        let (store, _) = Faulty::new(Arc::clone(&self.store));
        let tools = tools.into_iter().map(|tool| Arc::new(tool) as Arc<dyn Tool>);
        server().tasks(Tasks::store(store.durable())).tools(tools).build().expect("it can be built")
    }

    fn until_it_dies<T>(&self, tools: Vec<Made>, test: impl AsyncFnOnce(Service) -> T) -> T {
        let runtime = Runtime::new().expect("a runtime");
        let result = runtime.block_on(test(self.server(tools)));
        runtime.shutdown_background();
        self.clock.advance(Duration::from_secs(60));
        result
    }

    fn next_server<T>(&self, tools: Vec<Made>, test: impl AsyncFnOnce(Service) -> T) -> T {
        Runtime::new().expect("a runtime").block_on(test(self.server(tools)))
    }
}

/// A tool that calls `quick` and then `slow`, and may run again.
fn both(retries: u32) -> Made {
    let mut tool = task("both", |cx| async move {
        let (quick, slow) = (cx.call("quick", ()).await, cx.call("slow", ()).await);
        match (quick, slow) {
            (Ok(quick), Ok(slow)) => ToolResult::text(format!("{}, {}", quick.text(), slow.text())),
            (quick, slow) => ToolResult::error(format!("{:?} {:?}", quick.err(), slow.err())),
        }
    });
    tool.task.retries = Some(retries);
    tool
}

fn quick(runs: &Arc<AtomicUsize>) -> Made {
    let runs = Arc::clone(runs);
    task("quick", move |_| {
        let runs = Arc::clone(&runs);
        async move { ToolResult::text(format!("run {}", runs.fetch_add(1, Ordering::SeqCst) + 1)) }
    })
}

/// A tool that hangs in its first run.
fn slow(hangs: Option<&Arc<Notify>>, retries: u32) -> Made {
    let hangs = hangs.map(Arc::clone);
    let mut tool = task("slow", move |_| {
        let hangs = hangs.clone();
        async move {
            if let Some(hangs) = hangs {
                hangs.notify_one();
                std::future::pending::<()>().await;
            }
            ToolResult::text("at last")
        }
    });
    tool.task.retries = Some(retries);
    tool
}

#[test]
fn the_next_run_finds_what_the_last_one_called() {
    let (world, runs, hangs) = (World::new(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let tools = vec![both(1), quick(&runs), slow(Some(&hangs), 1)];
    let (id, before) = world.until_it_dies(tools, async |service| {
        let id = begin(&service, "both").await;
        hangs.notified().await;
        let state = get(&service, &id).await;
        (id, children(&state).clone())
    });
    world.next_server(vec![both(1), quick(&runs), slow(None, 1)], async |service| {
        let state = follow(&service, &id).await;
        assert_eq!(text(&state["result"]), "run 1, at last");
        let ids = |family: &Value| {
            let tasks = family["tasks"].as_array().expect("a list").iter();
            let mut ids: Vec<String> = tasks.map(|child| child["taskId"].to_string()).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids(children(&state)), ids(&before), "nothing was called twice");
    });
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn what_may_not_run_again_fails_where_it_is_called() {
    let (world, runs, hangs) = (World::new(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let id = world.until_it_dies(vec![both(1), quick(&runs), slow(Some(&hangs), 0)], async |service| {
        let id = begin(&service, "both").await;
        hangs.notified().await;
        id
    });
    world.next_server(vec![both(1), quick(&runs), slow(None, 0)], async |service| {
        let state = follow(&service, &id).await;
        assert!(text(&state["result"]).contains("the server stopped while the task was at work"), "{state}");
    });
}

#[test]
fn what_a_task_called_that_may_not_run_again_ends_with_it() {
    let (world, runs, hangs) = (World::new(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let id = world.until_it_dies(vec![both(0), quick(&runs), slow(Some(&hangs), 1)], async |service| {
        let id = begin(&service, "both").await;
        hangs.notified().await;
        id
    });
    world.next_server(vec![both(0), quick(&runs), slow(None, 1)], async |service| {
        let state = follow(&service, &id).await;
        assert_eq!(state["status"], "failed");
        let family = children(&state);
        let slow = family["tasks"].as_array().expect("a list").iter().find(|child| child["tool"] == "slow");
        let slow = slow.and_then(|child| child["taskId"].as_str()).expect("it was called");
        assert_eq!(follow(&service, slow).await["status"], "cancelled");
    });
}

#[test]
fn a_call_that_waited_for_the_client_goes_on_when_the_answer_comes() {
    let (world, steps) = (World::new(), Arc::new(AtomicUsize::new(0)));
    let asked = async |service: &Service, id: &str| loop {
        let state = get(service, id).await;
        if state["inputRequests"].as_object().is_some_and(|asked| asked.len() == 2) {
            return state["inputRequests"].clone();
        }
        tokio::task::yield_now().await;
    };
    let (id, before) = world.until_it_dies(vec![twice(), asking(&steps)], async |service| {
        let id = begin(&service, "twice").await;
        let asked = asked(&service, &id).await;
        (id, asked)
    });
    world.next_server(vec![twice(), asking(&steps)], async |service| {
        assert_eq!(asked(&service, &id).await, before, "it waits with the same keys");
        let answers: Value = before
            .as_object()
            .expect("an object")
            .keys()
            .map(|key| (key.clone(), json!({ "action": "accept", "content": { "name": key[..8] } })))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let mut client = service.test_client();
        let params = json!({ "taskId": id, "inputResponses": answers });
        client.request("tasks/update", params).await.expect("taken");
        let state = follow(&service, &id).await;
        let said = text(&state["result"]);
        assert!(said.contains("asking/") && said.contains("asking-2"), "{state}");
    });
    assert_eq!(steps.load(Ordering::SeqCst), 2, "each step was done once");
}

#[test]
fn other_arguments_in_a_later_run_are_an_error() {
    let (world, hangs) = (World::new(), Arc::new(Notify::new()));
    let caller = |depth: u8| {
        let mut tool = task("caller", move |cx| async move {
            match cx.call("slow", json!({ "depth": depth })).await {
                Ok(called) => ToolResult::text(called.text()),
                Err(error) => ToolResult::error(error.to_string()),
            }
        });
        tool.task.retries = Some(1);
        tool
    };
    let id = world.until_it_dies(vec![caller(1), slow(Some(&hangs), 1)], async |service| {
        let id = begin(&service, "caller").await;
        hangs.notified().await;
        id
    });
    world.next_server(vec![caller(2), slow(None, 1)], async |service| {
        let state = follow(&service, &id).await;
        assert!(text(&state["result"]).contains("other arguments in an earlier run"), "{state}");
    });
}

#[test]
fn a_server_that_stops_in_order_leaves_what_it_called_to_the_next() {
    let (world, runs, hangs) = (World::new(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let id = world.next_server(vec![both(1), quick(&runs), slow(Some(&hangs), 1)], async |service| {
        let id = begin(&service, "both").await;
        hangs.notified().await;
        service.stop().await;
        id
    });
    world.next_server(vec![both(1), quick(&runs), slow(None, 1)], async |service| {
        assert_eq!(text(&follow(&service, &id).await["result"]), "run 1, at last");
    });
}

#[tokio::test]
async fn the_id_of_a_child_is_no_secret_to_the_function() {
    let ids = Arc::new(Mutex::new(Vec::<Option<TaskId>>::new()));
    let inner = task("inner", {
        let ids = Arc::clone(&ids);
        move |cx| {
            ids.lock().expect("not poisoned").push(cx.task_id());
            async { ToolResult::empty() }
        }
    });
    let service = server().tool(calling("outer", "inner")).tool(inner).build().expect("it can be built");
    let state = follow(&service, &begin(&service, "outer").await).await;
    let told = children(&state)["tasks"][0]["taskId"].as_str().map(ToOwned::to_owned);
    assert_eq!(ids.lock().expect("not poisoned")[0].map(|id| id.to_string()), told);
}

#[test]
fn what_was_done_within_a_call_that_became_a_task_is_not_done_again() {
    let (world, steps, hangs) = (World::new(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let counted = || {
        let steps = Arc::clone(&steps);
        task("counted", move |cx| {
            let steps = Arc::clone(&steps);
            async move {
                let count = cx.step("count", || async { steps.fetch_add(1, Ordering::SeqCst) }).await;
                ToolResult::text(format!("{count:?}"))
            }
        })
    };
    let outer = || {
        let mut tool = task("outer", |cx| async move {
            cx.partial("before");
            let counted = cx.call("counted", ()).await.map(|called| called.text());
            cx.detach().await;
            cx.partial("after");
            match cx.call("slow", ()).await {
                Ok(_) => ToolResult::text(counted.unwrap_or_default()),
                Err(error) => ToolResult::error(error.to_string()),
            }
        });
        tool.task.begins_as_call = true;
        tool.task.retries = Some(1);
        tool
    };
    let found = |state: &Value| state["_meta"]["dev.mcp-runtime/partial"]["values"].clone();
    let id = world.until_it_dies(vec![outer(), counted(), slow(Some(&hangs), 1)], async |service| {
        let id = begin(&service, "outer").await;
        hangs.notified().await;
        let state = get(&service, &id).await;
        assert_eq!(
            found(&state),
            json!(["before", "after"]),
            "what was given before it was a task is its own"
        );
        assert_eq!(children(&state)["count"], 1, "what it called before was a part of the call");
        id
    });
    world.next_server(vec![outer(), counted(), slow(None, 1)], async |service| {
        let state = follow(&service, &id).await;
        assert_eq!(text(&state["result"]), "Ok(0)");
        assert_eq!(found(&state), json!(["before", "after"]), "and each counts once");
        assert_eq!(children(&state)["ended"], 2);
    });
    assert_eq!(steps.load(Ordering::SeqCst), 1);
}

#[cfg(feature = "sqlite")]
#[test]
fn in_a_file_the_next_server_finds_what_the_last_one_called_and_asked() {
    let folder = std::env::temp_dir().join(format!("mcp-runtime-nested-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (runs, hangs, steps) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let service = |hangs: Option<&Arc<Notify>>| {
        let tasks = Tasks::sqlite(folder.join("tasks.db")).lease(Duration::from_secs(1));
        let server = server().tasks(tasks).tool(both(1)).tool(quick(&runs)).tool(slow(hangs, 1));
        server.tool(twice()).tool(asking(&steps)).build().expect("it can be built")
    };
    let is_asking = async |service: &Service, id: &str| loop {
        let state = get(service, id).await;
        if state["inputRequests"].as_object().is_some_and(|asked| asked.len() == 2) {
            return state["inputRequests"].clone();
        }
        tokio::task::yield_now().await;
    };
    let runtime = Runtime::new().expect("a runtime");
    let (id, other, asked) = runtime.block_on(async {
        let service = service(Some(&hangs));
        let (id, other) = (begin(&service, "both").await, begin(&service, "twice").await);
        hangs.notified().await;
        let asked = is_asking(&service, &other).await;
        (id, other, asked)
    });
    runtime.shutdown_background();
    Runtime::new().expect("a runtime").block_on(async {
        let service = service(None);
        assert_eq!(text(&follow(&service, &id).await["result"]), "run 1, at last");
        assert_eq!(is_asking(&service, &other).await, asked);
        let answer = json!({ "action": "accept", "content": { "name": "Ada" } });
        let keys = asked.as_object().expect("an object").keys();
        let answers: serde_json::Map<_, _> = keys.map(|key| (key.clone(), answer.clone())).collect();
        let params = json!({ "taskId": other, "inputResponses": answers });
        service.test_client().request("tasks/update", params).await.expect("taken");
        let state = follow(&service, &other).await;
        assert!(matches!(text(&state["result"]), "0 Ada, 1 Ada" | "1 Ada, 0 Ada"), "{state}");
        assert_eq!(children(&state)["ended"], 2);
    });
    assert_eq!((runs.load(Ordering::SeqCst), steps.load(Ordering::SeqCst)), (1, 2), "nothing was done twice");
    let _ = std::fs::remove_dir_all(&folder);
}
