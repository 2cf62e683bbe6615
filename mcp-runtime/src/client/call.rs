//! Calling a tool: what to say, and what to do until the server has given a result, whatever it does underneath.

use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Client;
use super::ask::{Ask, Era};
use super::backoff::Backoff;
use super::connection::Session;
use super::error::Error;
use super::peer::{OnProgress, Progress};
use super::result::{CallResult, Read};
use super::task::answers::ask as put;
use super::task::{TaskHandle, TaskStatus};
use super::tools::ToolInfo;
use crate::protocol::ProtocolError;
use crate::protocol::names::{self, meta};

/// A call of a tool, from [`Client::call_tool`].
///
/// Await it for the result, whatever the server does on the way: give it at once, ask first, or make a task of it, which is
/// then followed to its end. [`send`](Self::send) gives the task instead.
///
/// What it gives is a [`CallResult`], or of a call that is [typed](Client::call) what the tool's function returns.
#[must_use = "a call is sent when it is awaited"]
pub struct CallTool<T = CallResult> {
    client: Client,
    name: String,
    arguments: Result<Value, Error>,
    read: Read<T>,
    task: Option<bool>,
    ttl: Option<Duration>,
    key: String,
    timeout: Option<Duration>,
    meta: Map<String, Value>,
    on_progress: Option<OnProgress>,
}

/// What a server made of a call.
#[derive(Debug)]
pub enum Begun<T = CallResult> {
    /// It was answered.
    Done(T),
    /// It goes on as a task.
    Task(Box<TaskHandle<T>>),
}

impl Client {
    /// Calls a tool. `arguments` is an object.
    ///
    /// ```no_run
    /// # async fn f(client: mcp_runtime::client::Client) -> Result<(), mcp_runtime::client::Error> {
    /// use serde_json::json;
    ///
    /// let result = client.call_tool("add", json!({ "a": 1, "b": 2 })).await?;
    /// println!("{}", result.text());
    /// # Ok(())
    /// # }
    /// ```
    pub fn call_tool(&self, name: impl Into<String>, arguments: Value) -> CallTool {
        let arguments = if arguments.is_object() {
            Ok(arguments)
        } else {
            Err(Error::Invalid("the arguments of a tool are an object".to_owned()))
        };
        self.calling(name.into(), arguments, Ok)
    }

    /// A call that is read in this way.
    pub(super) fn calling<T>(
        &self,
        name: String,
        arguments: Result<Value, Error>,
        read: Read<T>,
    ) -> CallTool<T> {
        CallTool {
            client: self.clone(),
            name,
            arguments,
            read,
            task: None,
            ttl: None,
            key: Uuid::new_v4().to_string(),
            timeout: None,
            meta: Map::new(),
            on_progress: None,
        }
    }

    /// Whether the server makes tasks of calls: of those that ask for it (2025-11-25), or as it likes (2026-07-28).
    pub async fn offers_tasks(&self) -> Result<bool, Error> {
        Ok(Tasks::of(&*self.session().await?).can_be)
    }

    /// Sends a request that may be answered by what the server needs to know first, and goes on until it is answered.
    pub(super) async fn with_rounds(&self, ask: Ask) -> Result<Value, Error> {
        let mut round = ask.clone();
        let mut backoff = Backoff::new();
        for _ in 0..self.settings().cap_on_rounds {
            let mut result = self.connection().request(&round).await?;
            if result["resultType"] != "input_required" {
                return Ok(result);
            }
            let asks = result["inputRequests"].as_object().is_some_and(|questions| !questions.is_empty());
            match (asks, result["requestState"].is_string()) {
                (true, _) => {}
                // It has begun, and is to be gone on with; the server has nothing to do with how soon.
                (false, true) => tokio::time::sleep(backoff.wait()).await,
                (false, false) => {
                    return Err(Error::malformed("the server needs input, and does not say which"));
                }
            }
            round = ask.clone();
            if let Value::Object(questions) = result["inputRequests"].take() {
                let mut responses = Map::new();
                for (key, question) in questions {
                    let answer = put(self, &question).await?;
                    responses.insert(key, answer);
                }
                round.params.insert("inputResponses".to_owned(), responses.into());
            }
            // "Clients MUST NOT inspect, parse, modify, or make any assumptions about the `requestState` contents."
            if let state @ Value::String(_) = result["requestState"].take() {
                round.params.insert("requestState".to_owned(), state);
            }
        }
        let rounds = self.settings().cap_on_rounds;
        Err(Error::malformed(format_args!("the server asked {rounds} times, and still gives no answer")))
    }
}

impl<T> CallTool<T> {
    /// Whether the call is to be a task: `true` asks for one where the client can do that, `false` refuses it where the server
    /// would decide. Default: neither, so that a legacy server gives the result itself unless the tool must be a task, and a
    /// server of the tasks extension does as it likes.
    pub fn create_task(mut self, task: bool) -> Self {
        self.task = Some(task);
        self
    }

    /// For how long the server is to keep the task from its creation, where a client can wish for that (2025-11-25).
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// By what a server that knows such keys knows this call again, so that sending it twice makes one task. Default: a new
    /// random one. A program that may crash in between keeps its own, and calls again with it.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// After which time the call fails with [`Error::TimedOut`], all in all. Default: never.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Hears of the call's progress, until it is answered. A task tells its progress by its [status](TaskStatus::progress).
    pub fn on_progress(mut self, on_progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(on_progress));
        self
    }

    /// An entry of the request's `_meta`.
    pub fn with_meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.insert(key.into(), value.into());
        self
    }

    /// Sends the call and gives its task, for those who want to follow it or to leave it alone.
    ///
    /// # Errors
    ///
    /// [`Error::NoTask`] if the server gave the result itself, which is in it; [`Error::Unsupported`] if the server offers no
    /// tasks, in which case nothing was called.
    pub async fn send(self) -> Result<TaskHandle<T>, Error> {
        if self.task == Some(true) && !self.client.offers_tasks().await? {
            return Err(Error::Unsupported("the server offers no tasks".to_owned()));
        }
        match within(self.timeout, self.start()).await? {
            Begun::Task(task) => Ok(task.read_by(self.read)),
            Begun::Done(result) => Err(Error::NoTask(Box::new(result))),
        }
    }

    /// Sends the call, and gives what the server made of it.
    pub async fn begin(self) -> Result<Begun<T>, Error> {
        Ok(match within(self.timeout, self.start()).await? {
            Begun::Task(task) => Begun::Task(Box::new(task.read_by(self.read))),
            Begun::Done(result) => Begun::Done((self.read)(result)?),
        })
    }

    async fn start(&self) -> Result<Begun, Error> {
        let arguments = self.arguments.as_ref().map_err(Error::clone)?;
        let mut was_refreshed = false;
        let as_task = self.task;
        loop {
            let session = self.client.session().await?;
            // Whether it must be a task is known from the list alone; servers refuse it otherwise in words of their own.
            let may_have_to_be = as_task.is_none() && !session.era.is_modern() && Tasks::of(&session).can_be;
            if may_have_to_be && self.client.tools().known(&self.name).is_none() && !was_refreshed {
                was_refreshed = true;
                self.client.refresh_tools().await?;
            }
            let ask = self.ask(&session, as_task, arguments);
            let result = match self.client.with_rounds(ask).await {
                // "The client SHOULD call `tools/list` to check for changes to the tool's `inputSchema`, then retry."
                Err(Error::Refused(error))
                    if error.code() == ProtocolError::HEADER_MISMATCH && !was_refreshed =>
                {
                    was_refreshed = true;
                    self.client.refresh_tools().await?;
                    continue;
                }
                result => result?,
            };
            return self.given(result);
        }
    }

    /// The request, as a session's revision has it.
    fn ask(&self, session: &Session, as_task: Option<bool>, arguments: &Value) -> Ask {
        let known = self.client.tools().known(&self.name);
        let info = known.as_ref().map(|known| &known.info);
        let tasks = Tasks::of(session);
        let mut params = json!({ "name": self.name, "arguments": arguments });
        if !self.meta.is_empty() {
            params["_meta"] = self.meta.clone().into();
        }
        let must_be = info.and_then(|info| info.task_support()) == Some("required");
        let wants_task = tasks.can_be && as_task.unwrap_or(must_be);
        if wants_task && tasks.are_asked_for {
            params["task"] = match self.ttl {
                Some(ttl) => json!({ "ttl": u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX) }),
                None => json!({}),
            };
        }
        let settings = self.client.settings();
        let mut ask = Ask::call("tools/call", params, settings);
        ask.set_meta(meta::IDEMPOTENCY_KEY, self.key.as_str());
        ask.takes_tasks = as_task != Some(false);
        ask.on_progress.clone_from(&self.on_progress);
        // With the key, a server makes one task of it; without a task, only what may be done twice is.
        ask.may_repeat = wants_task || info.is_some_and(ToolInfo::may_repeat);
        if wants_task {
            ask.patience = Some(settings.request_timeout);
        }
        if let Some(known) = known {
            ask.mirrored = known.headers(arguments);
        }
        ask
    }

    /// What an answer gives.
    fn given(&self, mut result: Value) -> Result<Begun, Error> {
        let task = match result["resultType"].as_str() {
            Some("task") => result,
            None if result["task"].is_object() => result["task"].take(),
            None | Some("complete") => return CallResult::read(result).map(Begun::Done),
            Some(other) => {
                return Err(Error::malformed(format_args!("a result of the unknown type \"{other}\"")));
            }
        };
        Ok(Begun::Task(Box::new(TaskHandle::new(self.client.clone(), TaskStatus::read(task)?))))
    }

    /// The result, whatever the server does underneath.
    async fn result(self) -> Result<CallResult, Error> {
        match self.start().await? {
            Begun::Done(result) => Ok(result),
            Begun::Task(task) => {
                let mut followed = Followed { task, is_over: false };
                let result = followed.task.result().await;
                // A task that cannot be reached may go on; nobody knows its id.
                followed.is_over = followed.task.status().state.is_over();
                result
            }
        }
    }
}

impl<T: Send + 'static> IntoFuture for CallTool<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (limit, read) = (self.timeout, self.read);
            within(limit, self.result()).await.and_then(read)
        })
    }
}

impl<T> std::fmt::Debug for CallTool<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallTool").field("name", &self.name).field("task", &self.task).finish_non_exhaustive()
    }
}

/// Waits for what comes of a call, but no longer than this if there is a limit.
async fn within<T>(
    limit: Option<Duration>,
    outcome: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match limit {
        None => outcome.await,
        Some(limit) => tokio::time::timeout(limit, outcome).await.unwrap_or(Err(Error::TimedOut(limit))),
    }
}

/// A task that nobody but the call knows of: given up with it, it is cancelled.
struct Followed {
    task: Box<TaskHandle>,
    is_over: bool,
}

impl Drop for Followed {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (client, id) = (self.task.client().clone(), self.task.id().to_owned());
        runtime.spawn(async move {
            if let Err(error) = client.cancel_task(&id).await {
                tracing::debug!(%error, task = id, "a task that was given up could not be cancelled");
            }
        });
    }
}

/// What a server offers of tasks of tools.
struct Tasks {
    can_be: bool,
    /// Whether it is for the client to say so.
    are_asked_for: bool,
}

impl Tasks {
    fn of(session: &Session) -> Self {
        let capabilities = &session.server.capabilities;
        match &session.era {
            Era::Modern => {
                let can_be = capabilities["extensions"][names::TASKS_EXTENSION].is_object();
                Self { can_be, are_asked_for: false }
            }
            Era::Legacy(version) => {
                let declared = !capabilities["tasks"]["requests"]["tools"]["call"].is_null();
                Self { can_be: declared && version == names::LEGACY_WITH_TASKS, are_asked_for: true }
            }
        }
    }
}
