//! What a recorder of the `metrics` facade is told of calls and tasks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::json;

use mcp_runtime::Service;
use mcp_runtime::prelude::*;
use mcp_runtime::store::{Faulty, Memory};

/// Keeps every number by its name and labels.
#[derive(Default)]
struct Kept {
    numbers: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    /// How often something was measured.
    measured: Mutex<BTreeMap<String, Arc<Count>>>,
    described: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Count(AtomicU64);

impl HistogramFn for Count {
    fn record(&self, seconds: f64) {
        assert!((0.0..60.0).contains(&seconds), "{seconds}");
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("not poisoned")
}

fn name(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

impl Kept {
    fn counted(&self, name: &str) -> u64 {
        lock(&self.numbers).get(name).map_or(0, |number| number.load(Ordering::SeqCst))
    }

    fn measured(&self, name: &str) -> u64 {
        lock(&self.measured).get(name).map_or(0, |count| count.0.load(Ordering::SeqCst))
    }

    #[allow(clippy::float_cmp, reason = "it is counted up and down")]
    fn is_at(&self, name: &str, value: f64) -> bool {
        f64::from_bits(self.counted(name)) == value
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        lock(&self.described).push(key.as_str().to_owned());
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        lock(&self.described).push(key.as_str().to_owned());
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        lock(&self.described).push(key.as_str().to_owned());
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(lock(&self.numbers).entry(name(key)).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(lock(&self.numbers).entry(name(key)).or_default()))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(lock(&self.measured).entry(name(key)).or_default()))
    }
}

mod offered {
    use super::*;

    #[derive(Deserialize, JsonSchema)]
    pub(super) struct Name {
        #[allow(dead_code, reason = "only whether somebody answered matters")]
        name: String,
    }

    /// Ends in every way.
    #[tool(task)]
    pub(super) async fn work(how: String, cx: Context) -> Result<String, ToolError> {
        match &*how {
            "well" => Ok(how),
            "badly" => Err(ToolError::message("it went wrong")),
            "asking" => Ok(format!("{}", cx.elicit::<Name>("Name?").await?.accepted().is_some())),
            "never" => std::future::pending().await,
            _ => Err(ProtocolError::internal("it broke").into()),
        }
    }

    /// Is never a task.
    #[tool]
    pub(super) async fn call(well: bool) -> Result<String, ToolError> {
        if well { Ok("done".to_owned()) } else { Err(ToolError::message("it went wrong")) }
    }

    /// One of many.
    #[resource("numbers://{number}")]
    pub(super) async fn number(number: u32) -> String {
        number.to_string()
    }
}

fn service(limits: Limits) -> Service {
    let server = Server::new("test", "1.0.0").tools(tools![offered::work, offered::call]).limits(limits);
    server.resources(resources![offered::number]).build().expect("it can be built")
}

async fn begin(service: &Service, how: &str) -> String {
    let mut client = service.test_client().answering(|_, _| json!({ "action": "decline" }));
    let created = client.call_tool("work", json!({ "how": how })).await.expect("a task");
    created["taskId"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn every_task_is_counted_from_its_creation_to_its_end() {
    let kept = Kept::default();
    let _recording = metrics::set_default_local_recorder(&kept);
    let service = service(Limits { max_running_tasks: 1, ..Limits::default() });
    for (how, status) in [("well", "completed"), ("badly", "tool_failed"), ("else", "failed")] {
        let id = begin(&service, how).await;
        service.test_client().follow(&id).await.expect("it ends");
        assert_eq!(kept.counted(&format!("mcp_tasks_ended_total{{tool=work,status={status}}}")), 1);
        assert_eq!(kept.measured(&format!("mcp_task_duration_seconds{{tool=work,status={status}}}")), 1);
    }
    let id = begin(&service, "never").await;
    while kept.measured("mcp_task_wait_seconds{tool=work}") < 4 {
        tokio::task::yield_now().await;
    }
    assert!(kept.is_at("mcp_tasks_running{}", 1.0));
    let refused = service.test_client().call_tool("work", json!({ "how": "well" })).await;
    assert_eq!(refused.map_err(|error| error.code), Err(-31029));
    assert_eq!(kept.counted("mcp_refused_total{limit=max_running_tasks}"), 1);
    service.test_client().call("tasks/cancel", json!({ "taskId": id })).await.expect("it is cancelled");
    while !kept.is_at("mcp_tasks_running{}", 0.0) {
        tokio::task::yield_now().await;
    }
    assert_eq!(kept.counted("mcp_tasks_ended_total{tool=work,status=cancelled}"), 1);
    assert_eq!(kept.counted("mcp_tasks_created_total{tool=work}"), 4);
    assert_eq!(kept.measured("mcp_task_run_seconds{tool=work}"), 3, "what was cancelled came to nothing");
    assert!(kept.measured("mcp_store_duration_seconds{operation=create}") >= 4);
}

#[tokio::test]
async fn every_call_is_counted_by_how_it_ended() {
    let kept = Kept::default();
    let _recording = metrics::set_default_local_recorder(&kept);
    let service = service(Limits::default());
    let mut client = service.test_client().without_tasks();
    for well in [true, false, true] {
        client.call_tool("call", json!({ "well": well })).await.expect("a result");
    }
    let asking = json!({ "name": "work", "arguments": { "how": "asking" } });
    let mut client = service.test_client().without_tasks().answering(|_, _| json!({ "action": "decline" }));
    client.call("tools/call", asking).await.expect("a result");
    for uri in ["numbers://1", "numbers://2"] {
        client.call("resources/read", json!({ "uri": uri })).await.expect("it is there");
    }
    for (name, count) in [
        ("tool=call,status=completed", 2),
        ("tool=call,status=tool_failed", 1),
        ("tool=work,status=input_required", 1),
        ("tool=work,status=completed", 1),
        ("tool=numbers://{number},status=completed", 2),
    ] {
        assert_eq!(kept.counted(&format!("mcp_calls_total{{{name}}}")), count, "{name}");
        assert_eq!(kept.measured(&format!("mcp_call_duration_seconds{{{name}}}")), count, "{name}");
    }
    assert!(kept.is_at("mcp_questions_open{}", 0.0));
    assert_eq!(kept.counted("mcp_tasks_created_total{tool=work}"), 0);
}

#[tokio::test]
async fn questions_are_open_until_they_are_answered() {
    let kept = Kept::default();
    let _recording = metrics::set_default_local_recorder(&kept);
    let service = service(Limits::default());
    let id = begin(&service, "asking").await;
    while !kept.is_at("mcp_questions_open{}", 1.0) {
        tokio::task::yield_now().await;
    }
    let mut client = service.test_client().answering(|_, _| json!({ "action": "decline" }));
    client.follow(&id).await.expect("it ends");
    assert!(kept.is_at("mcp_questions_open{}", 0.0));
}

#[tokio::test(start_paused = true)]
async fn what_a_stopped_server_hands_back_and_another_takes_up_is_counted() {
    /// May run again.
    #[tool(task, idempotent)]
    async fn again() -> String {
        std::future::pending().await
    }

    let kept = Kept::default();
    let _recording = metrics::set_default_local_recorder(&kept);
    let memory = Arc::new(Memory::new());
    let build = || {
        let store = Faulty::new(Arc::clone(&memory)).0.durable();
        let tasks = Tasks::store(store).drain(Duration::ZERO);
        Server::new("test", "1.0.0").tools(tools![again]).tasks(tasks).build().expect("it can be built")
    };
    let first = build();
    first.test_client().call_tool("again", json!({})).await.expect("a task");
    first.shut_down().await;
    assert_eq!(kept.counted("mcp_tasks_handed_back_total{tool=again}"), 1);
    let next = build();
    let _client = next.test_client();
    while kept.counted("mcp_tasks_recovered_total{tool=again,outcome=run_again}") == 0 {
        tokio::task::yield_now().await;
    }
    next.stop().await;
}

#[test]
fn every_number_is_described() {
    let kept = Kept::default();
    metrics::with_local_recorder(&kept, || service(Limits::default()));
    let page = include_str!("../docs/operations.md");
    let named: Vec<_> =
        page.lines().filter_map(|line| line.strip_prefix("| `mcp_")?.split('`').next()).collect();
    let described = lock(&kept.described);
    let described: Vec<_> = described.iter().filter_map(|name| name.strip_prefix("mcp_")).collect();
    assert_eq!(described, named, "what is described is what the documentation lists");
}
