//! The server: what its author says of it, and what is made of that.

mod call;
mod catalogue;
mod connection;
mod info;
mod settings;
mod subscription;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use self::catalogue::Catalogue;
use self::connection::Connection;
use self::info::{Info, Introductions};
pub use self::settings::{Limits, Tasks};
use crate::task::{Engine, EngineSettings, Principal};
use crate::testing::TestClient;
use crate::tool::{States, Tool};
use crate::transport::{Acceptor, Endpoint, Outbox, Transport};

/// A server of tools, as its author describes it.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// Add two numbers.
/// #[tool]
/// async fn add(
///     /// The first term.
///     a: i64,
///     /// The second term.
///     b: i64,
/// ) -> i64 {
///     a + b
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = Server::new("calculator", env!("CARGO_PKG_VERSION")).tools(tools![add]);
/// let mut client = server.test_client()?;
/// let result = client.call_tool("add", serde_json::json!({ "a": 1, "b": 2 })).await?;
/// assert_eq!(result["content"][0]["text"], "3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "a server does nothing until it is served"]
pub struct Server {
    info: Info,
    tools: Vec<Arc<dyn Tool>>,
    states: States,
    tasks: Tasks,
    limits: Limits,
    errors: Vec<String>,
}

impl Server {
    /// A server of this name and version: the author's program, as clients are told.
    pub fn new(name: impl Into<Cow<'static, str>>, version: impl Into<Cow<'static, str>>) -> Self {
        Self {
            info: Info { name: name.into(), title: None, version: version.into(), instructions: None },
            tools: Vec::new(),
            states: States::default(),
            tasks: Tasks::default(),
            limits: Limits::default(),
            errors: Vec::new(),
        }
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.info.title = Some(title.into());
        self
    }

    /// What a model should know to use this server well.
    pub fn instructions(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.info.instructions = Some(text.into());
        self
    }

    /// Holds a value for tools that ask for it as [`State<T>`](crate::State). One of each type.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        if self.states.insert(value) {
            let name = std::any::type_name::<T>();
            self.errors.push(format!("two values of the type `{name}` were given to `.state(..)`"));
        }
        self
    }

    /// Offers these tools: a list by [`tools!`](crate::tools!), or the `tools()` of a type. May be called repeatedly.
    pub fn tools(mut self, tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Offers one tool that was written by hand.
    pub fn tool(mut self, tool: impl Tool) -> Self {
        self.tools.push(Arc::new(tool));
        self
    }

    /// How tasks are run and kept. Default: [`Tasks::memory`].
    pub fn tasks(mut self, tasks: Tasks) -> Self {
        self.tasks = tasks;
        self
    }

    /// What is accepted at most.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Checks everything that only the whole server can show, and makes it ready to serve.
    ///
    /// The error lists all that is wrong: two tools of one name, an invalid name, a `State` that was not given, a
    /// schema that cannot be enforced.
    pub fn build(mut self) -> Result<Service, BuildError> {
        let page_size = self.limits.page_size.max(1);
        let (catalogue, errors) = Catalogue::new(self.tools, &self.states, &self.info, page_size);
        self.errors.extend(errors);
        if !self.errors.is_empty() {
            return Err(BuildError(self.errors));
        }
        let settings = EngineSettings {
            cancel_grace: self.tasks.cancel_grace,
            max_result_size: self.limits.max_result_size,
        };
        let engine = Engine::new(Arc::clone(&self.tasks.store), settings);
        let introductions = self.info.introductions(catalogue.has_tasks());
        let (states, tasks, limits) = (self.states, self.tasks, self.limits);
        Ok(Service(Arc::new(Shared { catalogue, introductions, states, engine, tasks, limits })))
    }

    /// Serves clients until the transport ends, then stops what still runs.
    ///
    /// Must be called within a Tokio runtime. Dropping the future leaves tasks running; end the transport instead.
    pub async fn serve(self, transport: impl Transport + 'static) -> Result<(), ServerError> {
        self.build()?.serve(transport).await
    }

    /// A client in the same process, for tests of your tools through the protocol.
    ///
    /// Must be called within a Tokio runtime.
    pub fn test_client(self) -> Result<TestClient, BuildError> {
        Ok(self.build()?.test_client())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("info", &self.info).finish_non_exhaustive()
    }
}

/// A server that is ready to serve any number of clients. A clone is the same server.
#[derive(Clone, Debug)]
pub struct Service(Arc<Shared>);

/// What all clients of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    catalogue: Catalogue,
    introductions: Introductions,
    states: States,
    engine: Arc<Engine>,
    tasks: Tasks,
    limits: Limits,
}

impl Service {
    /// Serves clients until the transport ends, then stops what still runs.
    pub async fn serve(&self, transport: impl Transport + 'static) -> Result<(), ServerError> {
        let outcome = Box::new(transport).serve(Arc::new(self.clone())).await;
        self.0.engine.shut_down().await;
        outcome.map_err(ServerError::Transport)
    }

    /// A client in the same process. Must be called within a Tokio runtime.
    pub fn test_client(&self) -> TestClient {
        TestClient::new(self)
    }
}

impl Acceptor for Service {
    fn connect(&self, outbox: Arc<dyn Outbox>) -> Arc<dyn Endpoint> {
        Connection::open(Arc::clone(&self.0), outbox, Principal::local())
    }

    fn max_message_size(&self) -> usize {
        self.0.limits.max_message_size
    }
}

/// What is wrong with a server as it was described: everything, not just the first thing.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError(Vec<String>);

impl BuildError {
    /// Each thing that is wrong, in a sentence.
    pub fn errors(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "the server cannot be built: {one}"),
            several => {
                f.write_str("the server cannot be built:")?;
                several.iter().try_for_each(|error| write!(f, "\n- {error}"))
            }
        }
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}

/// Why a server could not be served, or stopped.
///
/// Its `Debug` form is its sentence, since that is what a `main` that returns it prints.
#[non_exhaustive]
pub enum ServerError {
    /// It could not be built.
    Build(BuildError),
    /// The transport failed.
    Transport(io::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(f),
            Self::Transport(error) => write!(f, "the transport failed: {error}"),
        }
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Build(error) => Some(error),
            Self::Transport(error) => Some(error),
        }
    }
}

impl From<BuildError> for ServerError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

#[cfg(test)]
mod tests {
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
    struct Made {
        name: &'static str,
        task: TaskPolicy,
        body: Body,
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

    fn made<F>(
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

    fn server() -> Server {
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
        for _ in 0..100 {
            client.call_tool("quick", json!({})).await.expect("a result");
        }
        client.begin("tools/call", json!({ "name": "quick" }));
        // Nothing else can have run since: this is a runtime of one thread, and it was not awaited.
        let mut answer = std::pin::pin!(client.next_message());
        let polled = answer.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        let std::task::Poll::Ready(Some(answer)) = polled else { panic!("it is there: {polled:?}") };
        assert_eq!(answer["result"]["content"][0]["text"], "now");
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
        let call =
            json!({ "jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": { "name": "waits" } });
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
        let mut client = server()
            .tool(tool)
            .test_client()
            .expect("built")
            .legacy("2025-11-25")
            .await
            .expect("initialized");
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
}
