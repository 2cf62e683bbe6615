//! Long-running [MCP](https://modelcontextprotocol.io) tools: an annotated async function is a task for every client.
//!
//! ```
//! use mcp_runtime::prelude::*;
//!
//! /// Count the words of a text.
//! #[tool(task)]
//! async fn count_words(
//!     /// The text.
//!     text: String,
//!     cx: Context,
//! ) -> usize {
//!     let mut words = 0;
//!     for line in text.lines() {
//!         words += line.split_whitespace().count();
//!         cx.message(format!("{words} words so far"));
//!         tokio::task::yield_now().await;
//!     }
//!     words
//! }
//!
//! # #[allow(dead_code)]
//! #[tokio::main]
//! async fn main() -> Result<(), ServerError> {
//!     Server::new("words", "1.0.0").tools(tools![count_words]).serve(stdio()).await
//! }
//! ```
//!
//! # What a tool is
//!
//! [`#[tool]`](macro@tool) makes a tool of a function. The doc comment is its description; documented parameters are its
//! arguments object, with a schema and checks; what it returns is its result: text, numbers, [`Content`],
//! [`ToolResult`], or any type that is `Serialize` and `JsonSchema`, which becomes structured content with an output
//! schema. An `Err` is a result that says that the tool failed, which a model may read and mend; a [`ProtocolError`] is a
//! JSON-RPC error. [`State<T>`](State) and [`Context`] are given by the server. [`tools!`] lists tools by name, and
//! [`Server`] offers them.
//!
//! # What a task is
//!
//! With `#[tool(task)]`, a call becomes a task where the client can take one: it is answered at once, the function runs
//! in the background, and its state and result can be asked for until they expire. MCP has two dialects of tasks, and a
//! client that knows neither gets the result as the answer to an ordinary call. The function is the same for all:
//!
//! | the function | without a task | core tasks (2025-11-25) | tasks extension (2026-07-28) |
//! | --- | --- | --- | --- |
//! | [`cx.progress(..)`](Context::progress) | `notifications/progress` | the same, and the status message | status message, `notifications/tasks` |
//! | [`cx.partial(..)`](Context::partial) | with `notifications/progress`, in `_meta` | with the task's status, in `_meta` | the same |
//! | [`cx.call(..)`](Context::call) | a call inside | a child task, cancelled with its parent | the same |
//! | [`cx.elicit(..)`](Context::elicit), [`cx.sample(..)`](Context::sample), [`cx.roots()`](Context::roots) | a request to the client; on the newest wire the call ends with `input_required` and is called again with the answers | `input_required`, and a request that names the task | `input_required` with `inputRequests`, answered by `tasks/update` |
//! | [`cx.log(..)`](Context::log) | `notifications/message` | the same | nothing: the extension has no words for it |
//! | [`cx.cancelled()`](Context::cancelled) | `notifications/cancelled` | `tasks/cancel` | `tasks/cancel` |
//! | returns | the result | `tasks/result` | `tasks/get` |
//! | returns an error | a result with `isError` | `failed`, and the same result | `completed`, with that result |
//! | panics | error -32603 | `failed` | `failed` |
//!
//! How long tasks are kept, how often clients should ask and how many there may be is set by [`Tasks`] and [`Limits`].
//!
//! # Tasks that survive
//!
//! [`Tasks::memory`] keeps tasks in this process, and they are gone with it. `Tasks::sqlite("tasks.db")`, with the feature
//! `sqlite`, keeps them in a file: a task whose id a client was told is never lost silently after that. [`store`] says what
//! another store has to do, and proves it. When the server is there again after it was killed, or another process with the
//! same file finds that it is gone:
//!
//! | a task that | then |
//! | --- | --- |
//! | is over | has its result, until its TTL |
//! | waits for its client | goes on waiting, with the same keys; an answer wakes it, and its function runs again |
//! | was at work, of a tool that is `idempotent`, `read_only`, or says `task(retries = 3)` | runs again, at most so often (5 times if it does not say) and after a growing pause |
//! | was at work, of any other tool | has failed, with an error that says so: nothing is done twice by guessing |
//! | is a [`Job`] elsewhere | is asked after as before |
//!
//! A function that runs again begins at its beginning, with its journal: what it did in a [step](Context::step) and what it
//! was answered is remembered and not repeated; what stands between must do nothing but look. Work is done at least once, and
//! each recorded step exactly once. A server that is asked to stop hands such tasks back, which does not count as a run that
//! was cut off. What the server must know to go on is found at its start: so register the tools of such tasks before it is
//! served, not later by its [`ServerHandle`].
//!
//! ```
//! use mcp_runtime::prelude::*;
//! # async fn reserve(_: &str) -> Result<String, std::io::Error> { Ok(String::new()) }
//! # async fn send(_: &str) {}
//!
//! /// Order a book.
//! #[tool(task(retries = 3))]
//! async fn order(
//!     /// Its title.
//!     title: String,
//!     cx: Context,
//! ) -> Result<String, ToolError> {
//!     // If this fails, the next run tries again; once it is done, none does.
//!     let reservation = cx.try_step("reserve", || reserve(&title)).await?;
//!     cx.step("send", || send(&reservation)).await?;
//!     Ok(format!("{title} is on its way."))
//! }
//! # let _ = tools![order];
//! ```
//!
//! A client whose connection broke before it was told of its task creates it again with the same idempotency key, and gets the
//! task that is there, whatever happened to the server meanwhile.
//!
//! # Asking
//!
//! A function may ask a person by a form ([`Context::elicit`]) or a page ([`Context::elicit_url`]), the client's model
//! ([`Context::sample`]), and the client for its roots ([`Context::roots`]), with the same code for every client; how it
//! waits for the answer is explained [there](Context::elicit). What must not be done twice on the way is a
//! [step](Context::step). What a client did not declare is never asked of it: the function hears of that at once, and may
//! look before by [`Context::client`].
//!
//! A tool that is `#[tool(task(detach))]` begins as a call and becomes a task when it says so, with [`Context::detach`]:
//! so it can ask first, and go to work in the background when it knows enough.
//!
//! # Answering soon, or later
//!
//! A tool that is `#[tool(task(after = "500ms"))]` is answered directly if it is done by then, and becomes a task if not: no
//! client polls for what was quick.
//!
//! # Jobs elsewhere
//!
//! Work that goes on elsewhere (a build, a job of a cluster, a workflow) needs nothing to run here. A tool that returns a
//! [`Job`] leaves its task to it: the service is asked how far the job is when somebody wants to know ([`Jobs`]), and
//! restarts of this server cost the task nothing.
//!
//! # What a task finds, and what it is made of
//!
//! What is found before the whole result is there can be given at once, by [`Context::partial`]: a task keeps the newest of
//! it, clients read it from where they left off, and subscribers are sent each piece once. A function may call the server's
//! other tools, by [`Context::call`]. In a task, each such call is a task of its own, which clients see beside their task,
//! which ends with it, and which the next run finds again.
//!
//! # Prompts and resources
//!
//! What people pick and fill in is a [`#[prompt]`](macro@prompt); what can be read at an address is a
//! [`#[resource("..")]`](macro@resource), with variables in the address as parameters. Both are functions as tools are,
//! with the same [`Context`] and [`State<T>`](State), and [`Server::prompts`] and [`Server::resources`] offer them:
//!
//! ```
//! use mcp_runtime::prelude::*;
//!
//! /// Explain a word.
//! #[prompt]
//! async fn explain(
//!     /// The word.
//!     word: String,
//! ) -> String {
//!     format!("What does \"{word}\" mean?")
//! }
//!
//! /// An entry of the dictionary.
//! #[resource("dictionary://{word}")]
//! async fn entry(word: String) -> Option<&'static str> {
//!     (word == "tool").then_some("What is used to do something.")
//! }
//!
//! let server = Server::new("words", "1.0.0").prompts(prompts![explain]).resources(resources![entry]);
//! # let _ = server;
//! ```
//!
//! What is offered may change while the server runs, by its [`ServerHandle`], and clients are told of it if the server
//! [announces changes](Server::announces_changes). With the feature `skills`, a server also offers Agent Skills: folders
//! with instructions for agents, as resources that hosts can find, check and browse.
//!
//! # Over HTTP
//!
//! With the feature `http` the same server is served over Streamable HTTP, to clients of every revision at one endpoint:
//! `Server::serve_http("127.0.0.1:8080")` for a program that does nothing else, and `Service::http()` for an app that has
//! its own layers, as a `tower` service or, with the feature `axum`, as a router. A layer says who asks by putting a
//! [`Principal`] among a request's extensions. A server on a loopback address answers to this machine's names alone.
//!
//! # Operating
//!
//! [`operations`] is the page for whoever runs a server: its limits, how it stops, and what can be seen of it by `tracing`
//! and, with the feature `metrics`, by the `metrics` facade.
//!
//! # The other side
//!
//! With the feature `client`, `client::Client` speaks to any server, over pipes, over HTTP and in the same process, of
//! whichever revision: it calls tools, answers what servers ask, and follows tasks to their end. A program that depends on
//! the crate with the tools calls them [by their functions](macro@tool), with their types. With `client-tls` it also speaks
//! `https`.
//!
//! # Testing
//!
//! The function stays a function that tests may call, with [`Context::detached`] and [`State::new`]. To go through the
//! protocol, [`Server::test_client`] gives a client in the same process, which [answers](testing::TestClient::answering)
//! what the server asks.

// Every part is used by one transport or another; what is used by none shows where all of them are built.
#![cfg_attr(not(feature = "http"), allow(dead_code))]

mod background;
#[cfg(feature = "client")]
pub mod client;
mod completion;
mod failure;
pub mod input;
mod limit;
mod prompt;
mod protocol;
mod resource;
mod server;
#[cfg(feature = "skills")]
mod skill;
mod task;
mod telemetry;
pub mod testing;
mod tool;
mod transport;
mod wire;

pub use completion::{Completion, Completions};
pub use input::{Elicited, InputError, Sampling};
pub use mcp_macros::{prompt, resource, tool};
pub use prompt::{Prompt, PromptMessage, PromptResult};
pub use protocol::cache::{CacheHint, CacheScope};
pub use protocol::content::{self, Content};
pub use protocol::log::LogLevel;
pub use protocol::trace::TraceContext;
pub use protocol::{ProtocolError, RequestId};
pub use resource::{Resource, ResourceResult};
pub use server::{BuildError, Limits, Server, ServerError, ServerHandle, Service, Tasks};
#[cfg(feature = "skills")]
pub use skill::Skill;
pub use task::{
    Amount, CallError, CallFailure, Called, Calling, Cancelled, Context, Principal, StepError, TaskId, Total,
    TryStepError, store,
};
pub use tool::{Args, Job, JobOutput, JobStatus, Jobs, State, Tool, ToolError, ToolResult, Worded};

pub use transport::Transport;
#[cfg(feature = "http")]
pub use transport::http::{Http, HttpBody, HttpFuture, Sessions};
pub use transport::stdio::{Stdio, stdio};

/// What the attributes write, for those who write it by hand: tools, prompts and resources that are only known when the
/// program runs, such as those of a document that is loaded at start. [`Tool`] shows one.
pub mod dynamic {
    pub use crate::prompt::{Prompt, PromptCall, PromptDefinition, PromptFuture};
    pub use crate::resource::{Resource, ResourceCall, ResourceDefinition, ResourceFuture};
    pub use crate::tool::{
        Arguments, Icon, InvalidArguments, ParameterSpec, States, TaskPolicy, TaskSupport, Tool,
        ToolAnnotations, ToolCall, ToolDefinition, ToolFuture,
    };
}

#[doc = include_str!("../docs/operations.md")]
pub mod operations {}

/// Lists tools by name, for [`Server::tools`].
///
/// Each is named as its function is, by a path if it is somewhere else.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// mod greetings {
///     use mcp_runtime::prelude::*;
///
///     /// Say hello.
///     #[tool]
///     pub async fn hello() -> String {
///         "Hello!".into()
///     }
/// }
///
/// let server = Server::new("greeter", "1.0.0").tools(tools![greetings::hello]);
/// # let _ = server;
/// ```
///
/// [`Server::tools`]: crate::Server::tools
#[macro_export]
macro_rules! tools {
    ($($($tool:ident)::+),* $(,)?) => {
        ::std::vec![$(<$($tool)::+ as $crate::__private::ToolFunction>::tool()),*]
    };
}

/// Lists prompts by name, for [`Server::prompts`], as [`tools!`] does tools.
///
/// [`Server::prompts`]: crate::Server::prompts
#[macro_export]
macro_rules! prompts {
    ($($($prompt:ident)::+),* $(,)?) => {
        ::std::vec![$(::std::sync::Arc::new($($prompt)::+ {}) as ::std::sync::Arc<dyn $crate::Prompt>),*]
    };
}

/// Lists resources and templates by name, for [`Server::resources`], as [`tools!`] does tools.
///
/// [`Server::resources`]: crate::Server::resources
#[macro_export]
macro_rules! resources {
    ($($($resource:ident)::+),* $(,)?) => {
        ::std::vec![$(::std::sync::Arc::new($($resource)::+ {}) as ::std::sync::Arc<dyn $crate::Resource>),*]
    };
}

/// What only a program with the client needs of what the macros write.
#[cfg(feature = "client")]
#[doc(hidden)]
#[macro_export]
macro_rules! __for_clients {
    ($($token:tt)*) => { $($token)* };
}

/// What only a program with the client needs of what the macros write.
#[cfg(not(feature = "client"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __for_clients {
    ($($token:tt)*) => {};
}

/// Everything that a program with tools names.
pub mod prelude {
    pub use crate::{
        Args, Completion, Content, Context, Elicited, Job, JobStatus, Jobs, Limits, LogLevel, Prompt,
        PromptMessage, PromptResult, ProtocolError, Resource, ResourceResult, Sampling, Server, ServerError,
        State, Tasks, Tool, ToolError, ToolResult, Worded, prompt, prompts, resource, resources, stdio, tool,
        tools,
    };
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}

/// What the macros write names; nothing of it is for people.
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "client")]
    pub use crate::client::{Callable, Name, Names};
    pub use crate::completion::{Complete, CompletionFuture, CompletionOutput};
    pub use crate::failure::Failure;
    pub use crate::prompt::{Prompt, PromptCall, PromptDefinition, PromptFuture, PromptOutput, PromptResult};
    pub use crate::protocol::ProtocolError;
    pub use crate::protocol::cache::CacheHint;
    pub use crate::protocol::content::{Annotations, Role};
    pub use crate::resource::{
        AsJson, Present, Readable, Resource, ResourceCall, ResourceDefinition, ResourceFuture,
        ResourceOutput, ResourceResult, Unreadable, Whole,
    };
    pub use crate::tool::{
        Argument, Asks, Countable, Fields, FromText, Icon, InvalidArguments, Jsonable, Kind, NotAResult,
        Nowhere, Numeric, OutputSchema, Parameter, ParameterSpec, Shared, Shown, StateKey, TaskPolicy,
        TaskSupport, Tool, ToolAnnotations, ToolCall, ToolDefinition, ToolFailure, ToolFunction, ToolFuture,
        ToolOutput, Unfailing,
    };
    pub use crate::{Args, Context, State};
    pub use std::default::Default;
    pub use std::option::Option::{self, None, Some};
    pub use std::result::Result::{self, Err, Ok};
    pub use std::string::String;
    pub use std::sync::Arc;
    pub use std::time::Duration;
    pub use std::vec::Vec;

    pub use crate::__for_clients as for_clients;

    use std::pin::Pin;

    /// The future of a tool, a prompt or a resource: what the function gives, as a result.
    ///
    /// It takes a function that makes the future, and not the future, which would be in it twice: as what is captured
    /// and as what is awaited.
    pub fn run<M, F, T>(make: M, convert: fn(F::Output) -> T) -> Pin<Box<dyn Future<Output = T> + Send>>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + Send + 'static,
        T: 'static,
    {
        Box::pin(async move { convert(make().await) })
    }

    pub use crate::tool::blocking;
}

/// The programs of the front page compile.
#[cfg(all(doctest, feature = "client", feature = "sqlite"))]
#[doc = include_str!("../../README.md")]
struct Readme;
