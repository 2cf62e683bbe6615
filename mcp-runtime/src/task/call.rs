//! Calls of tools by functions: as parts of the task or call that makes them.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{self, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::runtime::Handle;

use super::context::Context;
use super::engine::{Engine, KnowTools, NewRun, Prepared, TaskLink, Unprepared};
use super::identity::TaskId;
use super::journal::{CALL, Journal};
use super::panic::{guarded, panic_message, panicked};
use super::record::Record;
use super::scope::Scope;
use super::store::{NewTask, Parent, StoreError};
use crate::protocol::ProtocolError;
use crate::protocol::payload::{self, Body, Ending, Payload, ToolBody};

/// How many calls a call may be within.
const DEEPEST: u8 = 16;

impl Context {
    /// Calls another tool of this server, as a part of this call.
    ///
    /// Arguments are an object of the tool's arguments, and are checked as those of a client are; `()` is none. What comes
    /// back is the tool's result, read by [`json`](Called::json) or [`text`](Called::text). The same principal calls, for the
    /// same client.
    ///
    /// - **In a task** the call is a task, too: a child of this one, with a record of its own that
    ///   [`tasks/get`](crate#what-a-task-is) gives under its id, and in a place of its tool's, if these are limited. What this
    ///   task is made of stands in its state under the `_meta` key `dev.mcp-runtime/children`. A child is cancelled with its
    ///   parent, and when the future is dropped that waits for it. When this task runs again because the server that ran it
    ///   has died, the call finds its child: its result, if it has one, or else the child goes on, as its own tool allows.
    /// - **In an ordinary call** it is a call within: the same function, no record.
    /// - As long as this function says nothing of its [progress](Self::progress) itself, the progress of what it calls is its
    ///   own: as many as there are in all, as much as there is of each. The same holds for what it says to people.
    /// - What the tool asks the client is asked by the task or call above all, under keys that begin with the name of the tool
    ///   and `/`, and is remembered there. So are the [steps](Self::step) of a call within a call.
    /// - The call is known by its tool and its turn among the calls of that: by when this is called, and not by when the
    ///   future is first polled. So calls of one tool must be made in the same order in every run, with the same arguments.
    /// - A tool may call itself; 16 calls within each other are the most. Where a tool has but so many places
    ///   (`task(concurrency = 1)`), what it calls is in the place that it has itself.
    ///
    /// Several calls go on side by side, by `tokio::join!` or in a `JoinSet`:
    ///
    /// ```
    /// use mcp_runtime::prelude::*;
    /// use serde_json::json;
    /// use tokio::task::JoinSet;
    ///
    /// /// Count the letters of a word.
    /// #[tool(task, read_only)]
    /// async fn count(
    ///     /// The word.
    ///     word: String,
    /// ) -> usize {
    ///     word.chars().count()
    /// }
    ///
    /// /// Count the letters of a text, all of its words at once.
    /// #[tool(task, read_only)]
    /// async fn count_all(
    ///     /// The text.
    ///     text: String,
    ///     cx: Context,
    /// ) -> Result<usize, ToolError> {
    ///     let words = text.split_whitespace();
    ///     let mut counts: JoinSet<_> = words.map(|word| cx.call("count", json!({ "word": word }))).collect();
    ///     let mut letters = 0;
    ///     while let Some(count) = counts.join_next().await {
    ///         letters += count??.json::<usize>()?;
    ///     }
    ///     Ok(letters)
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut client = Server::new("letters", "1.0.0").tools(tools![count, count_all]).test_client()?;
    /// let task = client.call_tool("count_all", json!({ "text": "two words" })).await?;
    /// let done = client.follow(task["taskId"].as_str().unwrap()).await?;
    /// assert_eq!(done["result"]["content"][0]["text"], "8");
    /// assert_eq!(done["_meta"]["dev.mcp-runtime/children"]["count"], 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError`], whose [`why`](CallError::why) tells the tool that there is not, arguments that it does not take, a tool
    /// that failed, and what else there is. A function that gives it on with `?` fails with what it says.
    pub fn call(&self, tool: &str, arguments: impl Serialize) -> Calling {
        let arguments = payload::encode(&arguments);
        // Now, and not when it is polled: that may be in any order.
        let key = self.journal(|journal| journal.begin_call(tool));
        let call =
            Call { cx: self.clone(), key, share: None, child: None, is_settled: false, is_over: false };
        let tool: Box<str> = tool.into();
        Calling(Box::pin(async move {
            let arguments = arguments.map_err(|error| CallFailure::Arguments(error.to_string()));
            let called = match arguments {
                Ok(arguments) => call.run(&tool, or_empty(arguments)).await,
                Err(failure) => Err(failure),
            };
            called.map_err(|why| CallError { tool, why })
        }))
    }
}

/// A call of a tool that was not polled to its end yet. Dropping it cancels the call.
#[must_use = "a call does nothing until it is awaited"]
pub struct Calling(Pin<Box<dyn Future<Output = Result<Called, CallError>> + Send>>);

impl Future for Calling {
    type Output = Result<Called, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Calling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calling")
    }
}

/// A call within another, until it is over.
struct Call {
    /// What calls.
    cx: Context,
    key: Arc<str>,
    share: Option<usize>,
    /// The task that it is.
    child: Option<(TaskId, Context)>,
    /// Whether what was called has ended.
    is_settled: bool,
    /// Whether whoever calls has what it came to.
    is_over: bool,
}

impl Call {
    /// Its key without what is before all of them.
    fn name(&self) -> &str {
        self.key.strip_prefix(CALL).unwrap_or(&self.key)
    }

    fn scope(&self, tool: &str) -> Scope {
        Scope::within(&self.cx, tool, self.name(), self.share.unwrap_or_default())
    }

    async fn run(mut self, tool: &str, arguments: Box<RawValue>) -> Result<Called, CallFailure> {
        let cx = self.cx.clone();
        if cx.depth() >= DEEPEST {
            return Err(CallFailure::TooDeep(usize::from(DEEPEST)));
        }
        if cx.is_done_with() {
            return Err(CallFailure::Cancelled);
        }
        let engine = cx.engine().ok_or(CallFailure::NoServer)?;
        let tools = engine.tools().ok_or(CallFailure::NoServer)?;
        self.share = Some(cx.journal(|journal| journal.shares().add()));
        let called = match cx.link() {
            Some(link) => self.run_as_task(link, &engine, &*tools, tool, arguments).await,
            None => self.run_inline(&*tools, tool, &arguments).await,
        };
        if !cx.was_cancelled() {
            self.is_over = true;
        }
        called
    }

    /// Runs as a task that is a part of the caller's.
    async fn run_as_task(
        &mut self,
        link: &TaskLink,
        engine: &Arc<Engine>,
        tools: &dyn KnowTools,
        tool: &str,
        arguments: Box<RawValue>,
    ) -> Result<Called, CallFailure> {
        let id = TaskId::random();
        let caller = self.cx.clone();
        let prefix = format!("{}/", self.name());
        let cx =
            Context::new(caller.principal().clone(), caller.origin().clone(), Some(engine.link(id)), None)
                .at(Some(self.scope(tool)));
        // What it did as a part of a call, before that became a task.
        let kept = caller.journal(|journal| journal.kept().of_call(&prefix));
        let journal = kept.entries().map_err(|error| CallFailure::Lost(error.to_string()))?;
        cx.resume(Journal::resume(kept, HashMap::new()));
        let Prepared { work, task, places, may_rerun } = prepare(tools, tool, &arguments, &cx)?;
        let root = caller.root().unwrap_or_else(|| link.id());
        let task = NewTask {
            id,
            arguments,
            key: Some(self.name().into()),
            parent: Some(Parent { id: link.id(), epoch: link.epoch(), root }),
            journal,
            ..task
        };
        let work = match places.filter(|_| !cx.has_place_of(tool)) {
            None => work,
            Some(places) => Box::pin(async move {
                // The semaphore is never closed, so there will be a place.
                let _place = places.acquire_owned().await.ok();
                work.await
            }),
        };
        self.child = Some((id, cx.clone()));
        let record = engine.begin_child(NewRun { task, cx: cx.clone(), work, may_rerun }).await?;
        if record.id != id {
            // An earlier run made it.
            self.child = Some((record.id, cx));
        }
        let above = format!("{}{prefix}", caller.above().map_or("", |above| &above.prefix));
        let was_waiting = caller.top().journal(|journal| journal.has_waited_under(&above));
        let ended = {
            let ended = engine.child_ended(&record, was_waiting, || self.scope(tool));
            unless_cancelled(&caller, ended).await
        };
        let (record, ending) = ended.ok_or(CallFailure::Cancelled)??;
        self.settle();
        of_child(&record, ending)
    }

    /// Runs as a part of the caller.
    async fn run_inline(
        &mut self,
        tools: &dyn KnowTools,
        tool: &str,
        arguments: &RawValue,
    ) -> Result<Called, CallFailure> {
        let caller = self.cx.clone();
        let cx = Context::new(caller.principal().clone(), caller.origin().clone(), None, None)
            .at(Some(self.scope(tool)));
        if let Some(above) = cx.above() {
            let kept = caller.top().journal(|journal| journal.kept().of_call(&above.prefix));
            cx.resume(Journal::resume(kept, HashMap::new()));
        }
        let Prepared { work, .. } = prepare(tools, tool, arguments, &cx)?;
        let mut work = guarded(work);
        let mut cancelled = pin!(caller.was_cancelled_some_time());
        let ending = poll_fn(|task| {
            // The caller goes on, since somebody asked to be told: so this one is told, too.
            if !cx.was_cancelled() && cancelled.as_mut().poll(task).is_ready() {
                cx.cancel();
            }
            Pin::new(&mut work).poll(task)
        })
        .await;
        drop(work);
        self.settle();
        match ending {
            Ok(ending) => of_ending(Arc::new(ending)),
            Err(panic) => {
                tracing::error!(tool, panic = panic_message(&*panic), "a tool panicked");
                Err(CallFailure::Protocol(panicked()))
            }
        }
    }

    /// The call has ended, in whatever way.
    fn settle(&mut self) {
        self.is_settled = true;
        if let Some(share) = self.share {
            self.cx.count_share(share, Some(1.0), "");
        }
        self.withdraw();
    }

    /// Takes back what it asked.
    fn withdraw(&self) {
        let prefix = format!("{}{}/", self.cx.above().map_or("", |above| &above.prefix), self.name());
        self.cx.top().withdraw_under(&prefix);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let is_over = self.is_over;
        self.cx.journal(
            |journal| if is_over { journal.end_call(&self.key) } else { journal.cut_step(&self.key) },
        );
        // A caller that is stopped as a whole may run again, and goes on with what it called. If it does not, it has ended,
        // and what it called ends with it.
        if self.is_settled || self.cx.was_cancelled() {
            return;
        }
        if let (Some((id, cx)), Some(engine), Ok(runtime)) =
            (&self.child, self.cx.engine(), Handle::try_current())
        {
            // One that is about to begin sees that it was cancelled, and ends.
            cx.cancel();
            engine.link(*id).give_up(&runtime);
        }
        if self.share.is_some() {
            self.withdraw();
        }
    }
}

fn prepare(
    tools: &dyn KnowTools,
    tool: &str,
    arguments: &RawValue,
    cx: &Context,
) -> Result<Prepared, CallFailure> {
    tools.prepare(tool, arguments, cx).map_err(|unprepared| match unprepared {
        Unprepared::NoSuchTool => CallFailure::NoSuchTool,
        Unprepared::Refused(refusal) => {
            CallFailure::Arguments(refusal.error_text().unwrap_or_default().to_owned())
        }
        Unprepared::Error(error) => CallFailure::Protocol(error),
    })
}

/// `null` is what `()` is as JSON.
fn or_empty(arguments: Box<RawValue>) -> Box<RawValue> {
    if arguments.get() == "null" {
        return RawValue::from_string("{}".to_owned()).unwrap_or(arguments);
    }
    arguments
}

/// What a future gives, unless the call is cancelled before.
async fn unless_cancelled<F: Future>(cx: &Context, future: F) -> Option<F::Output> {
    let (mut future, mut cancelled) = (pin!(future), pin!(cx.was_cancelled_some_time()));
    poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => cancelled.as_mut().poll(task).map(|()| None),
    })
    .await
}

fn of_child(record: &Record, ending: Option<Arc<Ending>>) -> Result<Called, CallFailure> {
    match ending {
        Some(ending) => of_ending(ending),
        None if record.status == super::Status::Cancelled => Err(CallFailure::Cancelled),
        None => Err(CallFailure::Lost("its result is not there any more".to_owned())),
    }
}

fn of_ending(ending: Arc<Ending>) -> Result<Called, CallFailure> {
    match &*ending {
        Ending::Error(error) => Err(CallFailure::Protocol(error.clone())),
        Ending::Result(payload) if payload.is_error() => Err(CallFailure::Failed(Called(ending))),
        Ending::Result(_) => Ok(Called(ending)),
    }
}

/// The result of a tool that a function [called](Context::call).
#[derive(Clone)]
pub struct Called(Arc<Ending>);

impl Called {
    fn body(&self) -> Option<&ToolBody> {
        match &*self.0 {
            Ending::Result(Payload { body: Body::Tool(body), .. }) => Some(body),
            Ending::Result(_) | Ending::Error(_) => None,
        }
    }

    /// The texts of its content, one below the other.
    pub fn text(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Item {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            text: String,
        }
        let items: Vec<Item> =
            self.body().and_then(|body| serde_json::from_str(body.content.as_str()).ok()).unwrap_or_default();
        let texts: Vec<String> =
            items.into_iter().filter(|item| item.kind == "text").map(|item| item.text).collect();
        texts.join("\n")
    }

    /// Its structured content as a value; of a tool that has none, its text read as JSON, which a number is, for one.
    ///
    /// # Errors
    ///
    /// If that is no `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        match self.body().and_then(|body| body.structured.as_ref()) {
            Some(structured) => serde_json::from_str(structured.as_str()),
            None => serde_json::from_str(&self.text()),
        }
    }

    /// Its content as it is: an array in JSON, for what is not text.
    pub fn content(&self) -> &str {
        self.body().map_or("[]", |body| body.content.as_str())
    }
}

impl fmt::Debug for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Called").field(&self.content()).finish()
    }
}

/// Why a [call](Context::call) gave no result.
#[derive(Clone, Debug)]
pub struct CallError {
    tool: Box<str>,
    why: CallFailure,
}

impl CallError {
    /// The tool that was called.
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// What went wrong.
    pub fn why(&self) -> &CallFailure {
        &self.why
    }
}

/// What can go wrong with a [call](Context::call).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallFailure {
    /// The server offers no tool of this name.
    NoSuchTool,
    /// The tool does not take these arguments: what is wrong with them.
    Arguments(String),
    /// The tool says that it failed (`isError`): its result, whose text says why.
    Failed(Called),
    /// The tool ended with a JSON-RPC error.
    Protocol(ProtocolError),
    /// The call was cancelled, or what makes it.
    Cancelled,
    /// A limit of the server is reached: its name and its value.
    Limit(&'static str, usize),
    /// It would be within more calls than may be within each other: how many that is.
    TooDeep(usize),
    /// An earlier run of this task made the same call with other arguments: the code has changed since, or does not do the
    /// same in every run.
    Changed,
    /// The context belongs to no call of a server's, as [`Context::detached`].
    NoServer,
    /// The task that the call is could not be recorded or read.
    Lost(String),
}

impl From<StoreError> for CallFailure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Limit(name, value) => Self::Limit(name, value),
            StoreError::KeyConflict => Self::Changed,
            // What makes the call has ended, or goes on elsewhere.
            StoreError::Refused(_) | StoreError::NotFound => Self::Cancelled,
            error @ StoreError::Failed(..) => Self::Lost(error.to_string()),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tool, why } = self;
        match why {
            CallFailure::NoSuchTool => write!(f, "there is no tool `{tool}` to call"),
            CallFailure::Arguments(wrong) => write!(f, "`{tool}` does not take these arguments: {wrong}"),
            CallFailure::Failed(result) => match &*result.text() {
                "" => write!(f, "`{tool}` failed"),
                text => write!(f, "`{tool}` failed: {text}"),
            },
            CallFailure::Protocol(error) => write!(f, "`{tool}` failed: {error}"),
            CallFailure::Cancelled => write!(f, "the call of `{tool}` was cancelled"),
            CallFailure::Limit(name, value) => {
                write!(f, "`{tool}` could not be called: the server's limit `{name}` is reached ({value})")
            }
            CallFailure::TooDeep(most) => {
                write!(f, "`{tool}` was not called: {most} calls within each other are the most")
            }
            CallFailure::Changed => write!(
                f,
                "`{tool}` was called with other arguments in an earlier run: the code has changed since, or its calls come \
                 in another order each time; call the tool again"
            ),
            CallFailure::NoServer => {
                write!(f, "`{tool}` cannot be called: this context belongs to no server")
            }
            CallFailure::Lost(why) => write!(f, "the call of `{tool}` was lost: {why}"),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.why {
            CallFailure::Protocol(error) => Some(error),
            _ => None,
        }
    }
}
