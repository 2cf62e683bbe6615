//! Carries out what a request asks for.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use super::Shared;
use super::catalogue::Entry;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::RequestId;
use crate::protocol::payload::{Ending, Payload};
use crate::task::store::{NewTask, Place, StoreError};
use crate::task::{Context, NewRun, Outlet, Principal, Progress, TaskId, Work};
use crate::tool::{Arguments, TaskSupport, ToolCall, ToolError, ToolFuture, ToolResult};
use crate::transport::Outbox;
use crate::wire::{CallTool, Dialect, Op, Outcome, Wish, legacy, modern, unknown_task, write_progress};

/// How many tasks a page of `tasks/list` has.
const TASKS_PER_PAGE: usize = 100;

/// Below this, a kept task could be gone before anybody fetched its result.
const SHORTEST_TTL: Duration = Duration::from_secs(1);

/// The answer to a request that is not there yet.
pub(super) type Answer = Pin<Box<dyn Future<Output = Result<Outcome, ProtocolError>> + Send>>;

/// What came of a request so far.
pub(super) enum Begun {
    /// The answer.
    Now(Outcome),
    /// The answer comes from this.
    Later(Answer),
    /// The answer comes from a tool, which may be cancelled.
    Tool(Answer, Context, Arc<Entry>),
}

/// Who asks, and how to reach them.
pub(super) struct Caller<'a> {
    pub(super) principal: &'a Principal,
    pub(super) dialect: &'a Dialect,
    pub(super) outbox: &'a Arc<dyn Outbox>,
}

impl Shared {
    /// Begins to carry out what was asked. `initialize` and `subscriptions/listen` are the connection's.
    pub(super) fn begin(self: &Arc<Self>, op: Op<'_>, caller: &Caller<'_>) -> Result<Begun, ProtocolError> {
        let (shared, principal) = (Arc::clone(self), caller.principal.clone());
        Ok(match op {
            Op::Ping => Begun::Now(Outcome::Empty),
            Op::Discover => Begun::Now(Outcome::Prepared(Arc::clone(&self.introductions.discover))),
            Op::Initialize(version) => Begun::Now(Outcome::Prepared(self.introductions.initialize(version))),
            Op::ListTools { cursor } => {
                Begun::Now(Outcome::Prepared(self.catalogue.page(caller.dialect, cursor.as_deref())?))
            }
            Op::CallTool(call) => self.call_tool(call, caller)?,
            Op::GetTask(id) => Begun::Later(Box::pin(async move { shared.task(id, &principal).await })),
            Op::TaskResult(id) => Begun::Later(Box::pin(async move {
                let record = shared.engine.ended(id, &principal).await.map_err(refused)?;
                let ending = shared.engine.ending(id).await.map_err(refused)?;
                Ok(Outcome::TaskResult(record, ending))
            })),
            Op::ListTasks { after } => Begun::Later(Box::pin(async move {
                let mut tasks =
                    shared.engine.list(&principal, after, TASKS_PER_PAGE + 1).await.map_err(refused)?;
                let more = tasks.len() > TASKS_PER_PAGE;
                tasks.truncate(TASKS_PER_PAGE);
                let next = tasks.last().filter(|_| more).map(|last| Place(last.created_at, last.id));
                Ok(Outcome::Tasks(tasks, next))
            })),
            Op::CancelTask(id) => {
                let is_modern = matches!(caller.dialect, Dialect::Modern(_));
                Begun::Later(Box::pin(async move { shared.cancel_task(id, &principal, is_modern).await }))
            }
            // No task of this server waits for input, so every response is one to a key that is not outstanding,
            // which is acknowledged and ignored; a task that is not there is still an error.
            Op::UpdateTask(id) => Begun::Later(Box::pin(async move {
                shared.engine.get(id, &principal).await.map_err(refused)?;
                Ok(Outcome::Empty)
            })),
            Op::Listen { .. } => return Err(ProtocolError::internal("subscriptions belong to a connection")),
        })
    }

    async fn task(&self, id: TaskId, principal: &Principal) -> Result<Outcome, ProtocolError> {
        let record = self.engine.get(id, principal).await.map_err(refused)?;
        let ending =
            if record.status.is_terminal() { self.engine.ending(id).await.map_err(refused)? } else { None };
        Ok(Outcome::Task(record, ending))
    }

    async fn cancel_task(
        &self,
        id: TaskId,
        principal: &Principal,
        is_modern: bool,
    ) -> Result<Outcome, ProtocolError> {
        match self.engine.cancel(id, principal).await {
            Ok(record) => Ok(Outcome::Cancelled(record)),
            // The extension acknowledges a wish; the core dialect answers with the state that it brought about.
            Err(StoreError::Refused(_)) if is_modern => Ok(Outcome::Empty),
            Err(StoreError::Refused(_)) => {
                let record = self.engine.get(id, principal).await.map_err(refused)?;
                let status = legacy::status(&record);
                Err(ProtocolError::invalid_params(format!(
                    "Cannot cancel task: already in terminal status '{status}'"
                )))
            }
            Err(error) => Err(refused(error)),
        }
    }

    fn call_tool(self: &Arc<Self>, call: CallTool<'_>, caller: &Caller<'_>) -> Result<Begun, ProtocolError> {
        let entry = self.catalogue.find(&call.name)?;
        let ttl = match (entry.described.task.support, call.wish) {
            (TaskSupport::Forbidden, Wish::Task { .. }) => {
                return Err(ProtocolError::method_not_found(format!(
                    "tool `{}` cannot run as a task",
                    entry.name
                )));
            }
            (TaskSupport::Required, Wish::Unaware) if matches!(caller.dialect, Dialect::Modern(_)) => {
                return Err(modern::missing_tasks_extension());
            }
            (TaskSupport::Required, Wish::Unaware | Wish::Plain) => {
                return Err(ProtocolError::method_not_found(format!(
                    "tool `{}` runs only as a task: send `task` in the parameters, with MCP 2025-11-25 or later",
                    entry.name
                )));
            }
            (TaskSupport::Forbidden | TaskSupport::Optional, Wish::Unaware | Wish::Plain)
            | (TaskSupport::Forbidden, Wish::Either) => return Ok(self.call_plainly(entry, &call, caller)),
            (_, Wish::Either) => None,
            (_, Wish::Task { ttl }) => ttl,
        };
        Ok(self.call_as_task(entry, call, ttl.map(Duration::from_millis), caller))
    }

    fn call_plainly(&self, entry: &Arc<Entry>, call: &CallTool<'_>, caller: &Caller<'_>) -> Begun {
        let outlet = call.progress_token.clone().map(|token| WireOutlet::new(caller, token, None));
        let cx = Context::new(caller.principal.clone(), None, outlet);
        match self.start(entry, call, cx.clone()) {
            Err(refusal) => Begun::Now(Outcome::Result(refusal)),
            Ok(work) => {
                let answer = Box::pin(PlainCall { work, entry: Arc::clone(entry), has_begun: false });
                Begun::Tool(answer, cx, Arc::clone(entry))
            }
        }
    }

    fn call_as_task(
        self: &Arc<Self>,
        entry: &Entry,
        call: CallTool<'_>,
        ttl: Option<Duration>,
        caller: &Caller<'_>,
    ) -> Begun {
        let id = TaskId::random();
        let outlet = match caller.dialect {
            // "The progressToken provided in the initial request remains valid throughout the task lifetime."
            Dialect::Legacy(_) => {
                call.progress_token.clone().map(|token| WireOutlet::new(caller, token, Some(id)))
            }
            // The extension knows no progress notifications in tasks.
            Dialect::Modern(_) => None,
        };
        let cx = Context::new(caller.principal.clone(), Some(self.engine.link(id)), outlet);
        let work = match self.start(entry, &call, cx.clone()) {
            Err(refusal) => return Begun::Now(Outcome::Result(refusal)),
            Ok(work) => work,
        };
        let work: Work = match entry.places.clone() {
            None => Box::pin(EndingOf(work)),
            Some(places) => Box::pin(async move {
                // The semaphore is never closed, so there will be a place.
                let _place = places.acquire_owned().await.ok();
                ending(work.await)
            }),
        };
        let policy = &entry.described.task;
        let ttl = ttl
            .or(policy.ttl)
            .unwrap_or(self.tasks.ttl)
            .clamp(SHORTEST_TTL, self.tasks.max_ttl.max(SHORTEST_TTL));
        let task = NewTask {
            id,
            principal: caller.principal.clone(),
            target: Arc::clone(&entry.name),
            arguments: call.arguments.map_or_else(empty_object, ToOwned::to_owned),
            key: call.key,
            ttl,
            poll: policy.poll.unwrap_or(self.tasks.poll),
            quota: self.limits.quota(),
        };
        let engine = Arc::clone(&self.engine);
        Begun::Later(Box::pin(async move {
            let (record, start) = engine.create(NewRun { task, cx, work }).await.map_err(refused)?;
            engine.start_sweeper();
            Ok(Outcome::Created(record, start))
        }))
    }

    /// Takes the arguments and makes the future, or the result that says what is wrong with them.
    fn start(&self, entry: &Entry, call: &CallTool<'_>, cx: Context) -> Result<ToolFuture, Payload> {
        let arguments = Arguments::new(call.arguments, &entry.described.input);
        match entry.tool.call(ToolCall { arguments, states: &self.states }, cx) {
            Err(invalid) => {
                // A model can mend its call, so this is a result for it to read and no protocol error (SEP-1303).
                Err(ToolResult::error(invalid.to_string()).into_payload().unwrap_or_default())
            }
            Ok(work) => Ok(match entry.described.task.timeout.or(self.tasks.timeout) {
                Some(limit) => Box::pin(async move {
                    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                        Err(ToolError::message(format_args!("The tool did not finish within {limit:?}.")))
                    })
                }),
                None => work,
            }),
        }
    }
}

fn empty_object() -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

/// How a tool's run ended, encoded for whoever asks.
fn ending(outcome: Result<ToolResult, ToolError>) -> Ending {
    let result = match outcome {
        Ok(result) => result,
        Err(ToolError::Result(result)) => *result,
        Err(ToolError::Protocol(error)) => return Ending::Error(error),
    };
    match result.into_payload() {
        Ok(payload) => Ending::Result(payload),
        Err(error) => {
            Ending::Error(ProtocolError::internal(format!("the result could not be encoded: {error}")))
        }
    }
}

/// A tool's run, as [`ending`] has its outcome.
struct EndingOf(ToolFuture);

impl Future for EndingOf {
    type Output = Ending;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Ending> {
        self.0.as_mut().poll(cx).map(ending)
    }
}

/// An ordinary call, which takes note of how long it keeps its thread.
struct PlainCall {
    work: ToolFuture,
    entry: Arc<Entry>,
    has_begun: bool,
}

impl Future for PlainCall {
    type Output = Result<Outcome, ProtocolError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let began = (!mem::replace(&mut self.has_begun, true)).then(Instant::now);
        let polled = self.work.as_mut().poll(cx);
        if let Some(began) = began {
            self.entry.pace.note(began.elapsed());
        }
        polled.map(|outcome| match ending(outcome) {
            Ending::Result(payload) => Ok(Outcome::Result(payload)),
            Ending::Error(error) => Err(error),
        })
    }
}

/// A store's answer in the protocol's words.
fn refused(error: StoreError) -> ProtocolError {
    match error {
        StoreError::NotFound => unknown_task(),
        StoreError::Refused(_) | StoreError::KeyConflict => ProtocolError::invalid_params(error.to_string()),
        StoreError::Limit(name, value) => ProtocolError::new(
            ProtocolError::LIMIT_REACHED,
            format!("the server's limit `{name}` is reached ({value}); try again when tasks have ended"),
        )
        .with_data(serde_json::json!({ "limit": name, "value": value })),
        StoreError::Failed(doing, ref source) => {
            tracing::error!(doing, error = %source, "the task store failed");
            ProtocolError::internal(format!("{doing} failed"))
        }
    }
}

/// Progress in a wire's words, over a client's channel.
struct WireOutlet {
    outbox: Arc<dyn Outbox>,
    token: RequestId,
    related: Option<TaskId>,
}

impl WireOutlet {
    #[allow(clippy::new_ret_no_self)]
    fn new(caller: &Caller<'_>, token: RequestId, related: Option<TaskId>) -> Box<dyn Outlet> {
        Box::new(Self { outbox: Arc::clone(caller.outbox), token, related })
    }
}

impl Outlet for WireOutlet {
    fn progress(&self, progress: &Progress<'_>) {
        if self.outbox.is_congested() {
            return;
        }
        let mut message = Vec::with_capacity(160);
        write_progress(&mut message, &self.token, progress, self.related);
        self.outbox.push(&message);
        self.outbox.flush();
    }
}
