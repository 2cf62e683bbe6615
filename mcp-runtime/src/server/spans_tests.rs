//! What a subscriber of `tracing` sees of calls and tasks, and the trace that they are part of.

use std::fmt::{Debug, Write};

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::tests::{made, server};
use super::*;
use crate::task::store::{Lease, Memory, TaskStore, WorkerId};
use crate::tool::TaskSupport;
use crate::{Principal, ToolResult, TraceContext};

/// Writes down what it hears, each event with the spans that it happens in.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    spans: Vec<String>,
    entered: Vec<u64>,
    events: Vec<String>,
}

impl Listener {
    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.0.lock().expect("not poisoned")
    }

    /// What was told that begins like this, with the spans around it.
    fn told(&self, beginning: &str) -> Vec<String> {
        self.heard().events.iter().filter(|event| event.starts_with(beginning)).cloned().collect()
    }
}

struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let written = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
        written.expect("a text can be written to");
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mcp_runtime")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut said = span.metadata().name().to_owned();
        span.record(&mut Words(&mut said));
        let mut heard = self.heard();
        heard.spans.push(said);
        Id::from_u64(heard.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let index = span.into_u64() as usize - 1;
        values.record(&mut Words(&mut self.heard().spans[index]));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said = String::new();
        event.record(&mut Words(&mut said));
        let mut heard = self.heard();
        let spans: Vec<_> = heard.entered.iter().map(|id| heard.spans[*id as usize - 1].clone()).collect();
        heard.events.push(format!("{said} | {}", spans.join(" | ")));
    }

    fn enter(&self, span: &Id) {
        self.heard().entered.push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        assert_eq!(self.heard().entered.pop(), Some(span.into_u64()), "spans are left in order");
    }
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

fn traced() -> Value {
    json!({ "name": "tool", "_meta": { "traceparent": PARENT, "tracestate": 7, "baggage": "user=x" } })
}

/// A tool that says something before and after it waits, and when it is dropped.
fn telling(may_go_on: &Arc<Semaphore>, support: TaskSupport) -> Server {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            tracing::info!("dropped");
        }
    }
    let may_go_on = Arc::clone(may_go_on);
    server().tool(made("tool", support, move |cx| {
        let may_go_on = Arc::clone(&may_go_on);
        async move {
            let _last = Last;
            tracing::info!("before");
            cx.message("waiting");
            drop(may_go_on.acquire().await);
            tracing::info!("after");
            let trace: Vec<_> = cx.trace().into_iter().flat_map(TraceContext::entries).collect();
            ToolResult::text(format!("{trace:?}"))
        }
    }))
}

#[tokio::test]
async fn what_a_function_says_is_said_within_the_span_of_its_task() {
    let listener = Listener::default();
    let _listening = tracing::subscriber::set_default(listener.clone());
    let may_go_on = Arc::new(Semaphore::new(1));
    let mut client = telling(&may_go_on, TaskSupport::Optional).test_client().expect("it builds");
    let created = client.call("tools/call", traced()).await.expect("a task");
    let id = created["taskId"].as_str().expect("an id");
    let result = client.follow(id).await.expect("it ends")["result"].take();
    let trace = format!(r#"[("traceparent", "{PARENT}"), ("baggage", "user=x")]"#);
    assert_eq!(result["content"][0]["text"], trace.as_str());
    let span = format!(
        "task id={id} method=\"tools/call\" tool=tool principal=\"local\" attempt=1 traceparent=\"{PARENT}\""
    );
    for told in ["run begun", "before", "after", "dropped"] {
        assert_eq!(listener.told(told), [format!("{told} | {span}")]);
    }
    let ended = listener.told("task ended").concat();
    assert!(ended.contains("status=completed") && ended.ends_with(&span), "{ended}");
    assert_eq!(listener.told("task created").len(), 1);
}

#[tokio::test]
async fn a_task_that_is_cancelled_is_dropped_within_its_span() {
    let listener = Listener::default();
    let _listening = tracing::subscriber::set_default(listener.clone());
    let service = telling(&Arc::new(Semaphore::new(0)), TaskSupport::Optional).build().expect("it builds");
    let mut client = service.test_client();
    let created = client.call("tools/call", traced()).await.expect("a task");
    while listener.told("before").is_empty() {
        tokio::task::yield_now().await;
    }
    client.call("tasks/cancel", json!({ "taskId": created["taskId"] })).await.expect("it is cancelled");
    service.stop().await;
    while listener.told("dropped").is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(listener.told("dropped").concat().contains("| task id="));
    assert!(listener.told("task ended").concat().contains("status=cancelled"));
}

#[tokio::test]
async fn an_ordinary_call_has_a_span_too() {
    let listener = Listener::default();
    let _listening = tracing::subscriber::set_default(listener.clone());
    let may_go_on = Arc::new(Semaphore::new(1));
    let mut client = telling(&may_go_on, TaskSupport::Forbidden).test_client().expect("it builds");
    client.call("tools/call", traced()).await.expect("a result");
    let span =
        format!("call method=\"tools/call\" tool=\"tool\" principal=\"local\" traceparent=\"{PARENT}\"");
    assert_eq!(listener.told("after"), [format!("after | {span}")]);
    client.call("tools/call", json!({ "name": "tool" })).await.expect("a result");
    assert!(!listener.told("after")[1].contains("traceparent"), "what has no trace says none");
}

#[tokio::test]
async fn the_trace_of_a_task_is_kept_for_later_runs() {
    let store = Arc::new(Memory::new());
    let server = telling(&Arc::new(Semaphore::new(0)), TaskSupport::Optional);
    let mut client = server.tasks(Tasks::store(Arc::clone(&store))).test_client().expect("it builds");
    let created = client.call("tools/call", traced()).await.expect("a task");
    let id = created["taskId"].as_str().expect("an id").parse().expect("a task id");
    let lease = Lease { worker: WorkerId::random(), span: Duration::from_secs(1) };
    let claimed = store.claim(lease, Some(id), 1).await.expect("no failure").pop().expect("nobody holds it");
    let trace = claimed.origin.trace.expect("it was stored");
    assert_eq!(trace.traceparent.as_deref(), Some(PARENT));
    assert_eq!(claimed.record.principal, Principal::local());
}
