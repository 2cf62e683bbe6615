//! The server as its clients see it, through the protocol but without a transport.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;

use super::*;
use crate::tool::{
    InvalidArguments, ParameterSpec, TaskPolicy, TaskSupport, ToolCall, ToolDefinition, ToolFuture,
};
use crate::{Context, ToolResult};

type Body = Box<dyn Fn(Context) -> ToolFuture + Send + Sync>;

/// A tool made of a closure, with one optional argument.
pub(super) struct Made {
    name: &'static str,
    pub(super) task: TaskPolicy,
    body: Body,
}

impl Made {
    /// Does something else.
    pub(super) fn body<F>(&mut self, body: impl Fn(Context) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ToolResult> + Send + 'static,
    {
        self.body = Box::new(move |cx| {
            let result = body(cx);
            Box::pin(async move { Ok(result.await) })
        });
    }
}

impl Tool for Made {
    fn definition(&self) -> ToolDefinition {
        let depth = ParameterSpec::new::<Option<u8>>("depth", "How deep.").maximum(5i64);
        ToolDefinition::new(self.name, "For tests.").parameter(depth).task(self.task)
    }

    fn call(&self, call: ToolCall<'_>, cx: Context) -> Result<ToolFuture, InvalidArguments> {
        let mut fields = call.arguments.fields(&["depth"]);
        let Some(_) = fields.take::<Option<u8>>(0) else { return Err(fields.refuse()) };
        fields.finish()?;
        Ok((self.body)(cx))
    }
}

pub(super) fn made<F>(
    name: &'static str,
    support: TaskSupport,
    body: impl Fn(Context) -> F + Send + Sync + 'static,
) -> Made
where
    F: Future<Output = ToolResult> + Send + 'static,
{
    let body: Body = Box::new(move |cx| {
        let result = body(cx);
        Box::pin(async move { Ok(result.await) })
    });
    Made { name, task: TaskPolicy { support, ..TaskPolicy::default() }, body }
}

pub(super) fn server() -> Server {
    Server::new("test", "1.0.0")
}

#[test]
fn building_tells_everything_that_is_wrong_at_once() {
    struct Asking;
    impl Tool for Asking {
        fn definition(&self) -> ToolDefinition {
            ToolDefinition::new("no spaces", "").state::<u64>()
        }
        fn call(&self, _: ToolCall<'_>, _: Context) -> Result<ToolFuture, InvalidArguments> {
            Err(InvalidArguments::new("", "never called"))
        }
    }
    let twice = || made("twice", TaskSupport::Forbidden, |_| async { ToolResult::empty() });
    let error = server().tool(twice()).tool(Asking).tool(twice()).build().expect_err("much is wrong");
    assert_eq!(
        error.errors(),
        [
            "tool `no spaces`: its name has ' '; allowed are letters, digits, `_`, `-` and `.`",
            "tool `no spaces`: it has no description",
            "tool `no spaces` asks for `State<u64>`, which the server was not given: add `.state(..)` with one",
            "two tools are named `twice`: give one of them another `name`",
        ]
    );
}

#[tokio::test]
async fn a_tool_that_was_quick_so_far_is_answered_where_it_is_called() {
    let quick = made("quick", TaskSupport::Forbidden, |_| async { ToolResult::text("now") });
    let mut client = server().tool(quick).test_client().expect("it can be built");
    for _ in 0..100_000 {
        let id = client.begin("tools/call", json!({ "name": "quick" }));
        // If the answer is there now, nothing else can have run: this is a runtime of one thread, and nobody awaited.
        let mut answer = std::pin::pin!(client.answer(id));
        let polled = answer.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        if let std::task::Poll::Ready(answer) = polled {
            assert_eq!(answer.expect("a result")["content"][0]["text"], "now");
            return;
        }
        answer.await.expect("a result");
    }
    panic!("it was handed to another thread every time");
}

#[tokio::test]
async fn a_cancelled_call_is_dropped_and_not_answered() {
    struct Dropped(Arc<AtomicUsize>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let drops = Arc::new(AtomicUsize::new(0));
    let tool = made("stuck", TaskSupport::Forbidden, {
        let drops = Arc::clone(&drops);
        move |_| {
            let dropped = Dropped(Arc::clone(&drops));
            async move {
                let _dropped = dropped;
                std::future::pending().await
            }
        }
    });
    let mut client = server().tool(tool).test_client().expect("it can be built");
    let id = client.begin("tools/call", json!({ "name": "stuck" }));
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
    client.send(&cancel.to_string());
    client.request("server/discover", json!({})).await.expect("the server lives on");
    while drops.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(client.notifications().is_empty(), "and nothing was said of it");
}

#[tokio::test]
async fn a_batch_is_answered_as_one_where_batches_exist() {
    let go = Arc::new(Notify::new());
    let tool = made("waits", TaskSupport::Forbidden, {
        let go = Arc::clone(&go);
        move |_| {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                ToolResult::text("waited")
            }
        }
    });
    let service = server().tool(tool).build().expect("it can be built");
    let mut client = service.test_client().legacy("2025-03-26").await.expect("initialized");
    let call = json!({ "jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": { "name": "waits" } });
    let ping = json!({ "jsonrpc": "2.0", "id": "b", "method": "ping" });
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    client.send(&json!([call, note, ping]).to_string());
    go.notify_one();
    let answers = client.next_message().await.expect("an answer");
    let ids: Vec<_> =
        answers.as_array().expect("a batch").iter().map(|answer| answer["id"].clone()).collect();
    assert_eq!(ids, ["b", "a"]);

    let mut client = service.test_client().legacy("2025-11-25").await.expect("initialized");
    client.send(&json!([ping]).to_string());
    assert_eq!(client.next_message().await.expect("an answer")["error"]["code"], -32600);
}

#[tokio::test]
async fn arguments_are_checked_before_a_task_is_made() {
    let tool = made("task", TaskSupport::Optional, |_| async { ToolResult::empty() });
    let mut client =
        server().tool(tool).test_client().expect("built").legacy("2025-11-25").await.expect("initialized");
    let call = json!({ "name": "task", "arguments": { "depth": 9 }, "task": {} });
    let answer = client.request("tools/call", call).await.expect("a tool error is a result");
    assert_eq!(answer["isError"], true);
    assert_eq!(answer["content"][0]["text"], "Invalid arguments: `depth` must be at most 5, got 9");
    let tasks = client.request("tasks/list", json!({})).await.expect("a list");
    assert_eq!(tasks["tasks"], json!([]));
}

#[tokio::test]
async fn a_task_that_takes_too_long_ends_with_a_result_that_says_so() {
    let mut tool = made("slow", TaskSupport::Optional, |_| std::future::pending());
    tool.task.timeout = Some(Duration::from_millis(1));
    let mut client = server().tool(tool).test_client().expect("built");
    let task = client.call_tool("slow", json!({})).await.expect("a task");
    let state = client.follow(task["taskId"].as_str().expect("an id")).await.expect("its end");
    assert_eq!((&state["status"], &state["result"]["isError"]), (&json!("completed"), &json!(true)));
    assert_eq!(state["result"]["content"][0]["text"], "The tool did not finish within 1ms.");
}

#[tokio::test]
async fn more_tasks_than_the_tool_has_places_wait_their_turn() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tool = made("placed", TaskSupport::Optional, {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        move |_| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                ToolResult::empty()
            }
        }
    });
    tool.task.concurrency = Some(2);
    let mut client = server().tool(tool).test_client().expect("built");
    let mut tasks = Vec::new();
    for _ in 0..10 {
        tasks.push(client.call_tool("placed", json!({})).await.expect("a task")["taskId"].clone());
    }
    for task in tasks {
        client.follow(task.as_str().expect("an id")).await.expect("it ends");
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_limit_that_is_reached_is_named_and_the_server_goes_on() {
    let limits = Limits { max_running_tasks: 1, max_requests_in_flight: 1, ..Limits::default() };
    let tool = made("stuck", TaskSupport::Optional, |_| std::future::pending());
    let service = server().limits(limits).tool(tool).build().expect("built");
    let mut client = service.test_client();
    client.call_tool("stuck", json!({})).await.expect("a task");
    let refused = client.call_tool("stuck", json!({})).await.expect_err("no second one");
    assert!(refused.message.contains("`max_running_tasks`"), "{refused}");
    assert_eq!(refused.data["limit"], "max_running_tasks");
    let mut client = service.test_client().without_tasks();
    client.begin("tools/call", json!({ "name": "stuck" }));
    let refused = client.request("server/discover", json!({})).await.expect_err("one at a time");
    assert!(refused.message.contains("`max_requests_in_flight`"), "{refused}");
}

#[tokio::test]
async fn a_subscriber_gets_the_state_as_it_is_and_then_every_last_state() {
    let go = Arc::new(Notify::new());
    let tool = made("waits", TaskSupport::Optional, {
        let go = Arc::clone(&go);
        move |cx| {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                for step in 0..100 {
                    cx.progress(step, 100, format!("step {step}"));
                }
                ToolResult::text("done")
            }
        }
    });
    let mut client = server().tool(tool).test_client().expect("built");
    let task = client.call_tool("waits", json!({})).await.expect("a task")["taskId"].clone();
    let filter = json!({ "notifications": { "taskIds": [task, "nobody's"] } });
    let subscription = client.begin("subscriptions/listen", filter);
    let id = "io.modelcontextprotocol/subscriptionId";
    let acknowledged = client.notification().await.expect("an acknowledgement");
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], json!({ "taskIds": [task] }));
    let first = client.notification().await.expect("the state as it is");
    assert_eq!(
        (&first["params"]["status"], &first["params"]["_meta"][id]),
        (&json!("working"), &json!(subscription))
    );
    go.notify_one();
    loop {
        let told = client.notification().await.expect("a change");
        assert_eq!(
            (&told["method"], &told["params"]["_meta"][id]),
            (&json!("notifications/tasks"), &json!(subscription))
        );
        if told["params"]["status"] == "completed" {
            assert_eq!(told["params"]["result"]["content"][0]["text"], "done");
            break;
        }
    }
}

#[tokio::test]
async fn a_panic_while_arguments_are_read_fails_that_call_alone() {
    struct Panics;
    impl Tool for Panics {
        fn definition(&self) -> ToolDefinition {
            ToolDefinition::new("panics", "For tests.")
        }
        fn call(&self, _: ToolCall<'_>, _: Context) -> Result<ToolFuture, InvalidArguments> {
            panic!("while reading")
        }
    }
    let mut client = server().tool(Panics).test_client().expect("built");
    let error = client.call_tool("panics", json!({})).await.expect_err("an error");
    assert_eq!(error.code, -32603);
    client.request("server/discover", json!({})).await.expect("the server lives on");
}

#[tokio::test]
async fn a_thread_that_a_tool_left_behind_learns_that_nobody_waits() {
    let (seen, was_seen) = tokio::sync::oneshot::channel();
    let seen = std::sync::Mutex::new(Some(seen));
    let mut tool = made("blocks", TaskSupport::Forbidden, move |cx| {
        let seen = seen.lock().expect("not poisoned").take();
        async move {
            let work = tokio::task::spawn_blocking(move || {
                while cx.check().is_ok() {
                    std::thread::yield_now();
                }
                seen.map(|seen| seen.send(()))
            });
            work.await.expect("no panic");
            ToolResult::empty()
        }
    });
    tool.task.timeout = Some(Duration::from_millis(1));
    let mut client = server().tool(tool).test_client().expect("built");
    let result = client.call_tool("blocks", json!({})).await.expect("a result");
    assert_eq!(result["isError"], true);
    was_seen.await.expect("the thread ended");
}

#[tokio::test]
async fn stopping_a_server_ends_its_tasks_for_those_who_wait() {
    let tool = made("stuck", TaskSupport::Optional, |_| std::future::pending());
    let service = server().tool(tool).build().expect("built");
    let mut client = service.test_client().legacy("2025-11-25").await.expect("initialized");
    let call = json!({ "name": "stuck", "arguments": {}, "task": {} });
    let task = client.request("tools/call", call).await.expect("a task")["task"]["taskId"].clone();
    let waiting = client.begin("tasks/result", json!({ "taskId": task }));
    service.stop().await;
    let error = client.answer(waiting).await.expect_err("it did not end well");
    assert_eq!(error.message, "the server stopped before the task was done; call the tool again");
}

#[tokio::test]
async fn structured_content_fits_its_schema_on_every_wire() {
    struct Shapes;
    impl Tool for Shapes {
        fn definition(&self) -> ToolDefinition {
            ToolDefinition::new("shapes", "For tests.")
                .output_schema(json!({ "oneOf": [{ "type": "object" }] }))
        }
        fn call(&self, _: ToolCall<'_>, _: Context) -> Result<ToolFuture, InvalidArguments> {
            Ok(Box::pin(async { ToolResult::structured(&json!({ "kind": "circle" })) }))
        }
    }
    let service = server().tool(Shapes).build().expect("built");
    let modern = service.test_client().call_tool("shapes", json!({})).await.expect("a result");
    assert_eq!(modern["structuredContent"], json!({ "kind": "circle" }));
    let mut client = service.test_client().legacy("2025-06-18").await.expect("initialized");
    let listed = client.request("tools/list", json!({})).await.expect("a list");
    assert_eq!(listed["tools"][0]["outputSchema"]["required"], json!(["result"]));
    let legacy = client.call_tool("shapes", json!({})).await.expect("a result");
    assert_eq!(legacy["structuredContent"], json!({ "result": { "kind": "circle" } }));
}
