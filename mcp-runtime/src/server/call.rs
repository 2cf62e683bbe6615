//! Carries out what a request asks for.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::callee::{Callee, Traits};
use super::run::{Begin, PlainCall, Run, begin};
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::RequestId;
use crate::task::store::{NewTask, Place, StoreError};
use crate::task::{Context, NewRun, Outlet, Principal, Progress, TaskId, Work};
use crate::tool::TaskSupport;
use crate::transport::Outbox;
use crate::wire::{Call, Dialect, Op, Outcome, Wish, legacy, modern, unknown_task, write_progress};

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
    /// The answer comes from looking something up, or waiting for it.
    Look(Answer),
    /// The answer comes from a change, which is seen through once it was begun.
    Change(Answer),
    /// The answer comes from a function of the author's, which may be cancelled.
    Call(Answer, Context, Arc<dyn Callee>),
}

/// Who asks, and how to reach them.
pub(super) struct Caller<'a> {
    pub(super) principal: &'a Principal,
    pub(super) dialect: &'a Dialect,
    /// Where everything goes that is said on behalf of this request.
    pub(super) channel: &'a Arc<dyn Outbox>,
    /// Where messages go that belong to no request, if there is such a place.
    pub(super) home: Option<&'a Arc<dyn Outbox>>,
}

impl Shared {
    /// Begins to carry out what was asked. A subscription is the connection's.
    pub(super) fn begin(self: &Arc<Self>, op: Op<'_>, caller: &Caller<'_>) -> Result<Begun, ProtocolError> {
        let (shared, principal) = (Arc::clone(self), caller.principal.clone());
        Ok(match op {
            Op::Ping => Begun::Now(Outcome::Empty),
            Op::Discover => Begun::Now(Outcome::Prepared(Arc::clone(&self.introductions.discover))),
            Op::Initialize(version) => Begun::Now(Outcome::Prepared(self.introductions.initialize(version))),
            Op::ListTools { cursor } => {
                Begun::Now(Outcome::Prepared(self.catalogue.page(caller.dialect, cursor.as_deref())?))
            }
            Op::Call(call) => self.call(call, caller)?,
            Op::GetTask(id) => Begun::Look(Box::pin(async move { shared.task(id, &principal).await })),
            Op::TaskResult(id) => Begun::Look(Box::pin(async move {
                let record = shared.engine.ended(id, &principal).await.map_err(refused)?;
                let ending = shared.engine.ending(id).await.map_err(refused)?;
                Ok(Outcome::TaskResult(record, ending))
            })),
            Op::ListTasks { after } => Begun::Look(Box::pin(async move {
                let mut tasks =
                    shared.engine.list(&principal, after, TASKS_PER_PAGE + 1).await.map_err(refused)?;
                let more = tasks.len() > TASKS_PER_PAGE;
                tasks.truncate(TASKS_PER_PAGE);
                let next = tasks.last().filter(|_| more).map(|last| Place(last.created_at, last.id));
                Ok(Outcome::Tasks(tasks, next))
            })),
            Op::CancelTask(id) => {
                let is_modern = matches!(caller.dialect, Dialect::Modern(_));
                Begun::Change(Box::pin(async move { shared.cancel_task(id, &principal, is_modern).await }))
            }
            // No task of this server waits for input, so every response is one to a key that is not outstanding,
            // which is acknowledged and ignored; a task that is not there is still an error.
            Op::UpdateTask(id) => Begun::Look(Box::pin(async move {
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

    fn call(self: &Arc<Self>, call: Call<'_>, caller: &Caller<'_>) -> Result<Begun, ProtocolError> {
        let callee = self.catalogue.find(&call)?;
        let Traits { name, task, .. } = callee.traits();
        let ttl = match (task.support, call.wish) {
            (TaskSupport::Forbidden, Wish::Task { .. }) => {
                return Err(ProtocolError::method_not_found(format!("`{name}` cannot run as a task")));
            }
            // The extension knows tasks of tools alone.
            (TaskSupport::Required, Wish::Unaware) if matches!(caller.dialect, Dialect::Modern(_)) => {
                return Err(modern::missing_tasks_extension());
            }
            (TaskSupport::Required, Wish::Unaware | Wish::Plain) => {
                return Err(ProtocolError::method_not_found(format!(
                    "`{name}` runs only as a task: send `task` in the parameters, with MCP 2025-11-25 or later",
                )));
            }
            (TaskSupport::Forbidden | TaskSupport::Optional, Wish::Unaware | Wish::Plain)
            | (TaskSupport::Forbidden, Wish::Either) => return self.call_plainly(&callee, &call, caller),
            (_, Wish::Either) => None,
            (_, Wish::Task { ttl }) => ttl,
        };
        self.call_as_task(&callee, call, ttl.map(Duration::from_millis), caller)
    }

    fn call_plainly(
        &self,
        callee: &Arc<dyn Callee>,
        call: &Call<'_>,
        caller: &Caller<'_>,
    ) -> Result<Begun, ProtocolError> {
        let token = call.progress_token.clone();
        let outlet = token.map(|token| WireOutlet::new(caller.channel, token, None));
        let cx = Context::new(caller.principal.clone(), None, outlet);
        Ok(match begin(&**callee, call, &self.states, &cx)? {
            Begin::Refused(refusal) => Begun::Now(Outcome::Result(refusal)),
            Begin::Work(work) => {
                let run = Run::new(work, cx.clone(), self.timeout(&**callee));
                Begun::Call(Box::pin(PlainCall::new(run, Arc::clone(callee))), cx, Arc::clone(callee))
            }
        })
    }

    fn timeout(&self, callee: &dyn Callee) -> Option<Duration> {
        callee.traits().task.timeout.or(self.tasks.timeout)
    }

    fn call_as_task(
        self: &Arc<Self>,
        callee: &Arc<dyn Callee>,
        call: Call<'_>,
        ttl: Option<Duration>,
        caller: &Caller<'_>,
    ) -> Result<Begun, ProtocolError> {
        let id = TaskId::random();
        let outlet = match caller.dialect {
            // "The progressToken provided in the initial request remains valid throughout the task lifetime", which is
            // longer than that of the request.
            Dialect::Legacy(_) => call
                .progress_token
                .clone()
                .zip(caller.home)
                .map(|(token, home)| WireOutlet::new(home, token, Some(id))),
            // The extension knows no progress notifications in tasks.
            Dialect::Modern(_) => None,
        };
        let cx = Context::new(caller.principal.clone(), Some(self.engine.link(id)), outlet);
        let run = match begin(&**callee, &call, &self.states, &cx)? {
            Begin::Refused(refusal) => return Ok(Begun::Now(Outcome::Result(refusal))),
            Begin::Work(work) => Run::new(work, cx.clone(), self.timeout(&**callee)),
        };
        let Traits { name, task: policy, places, .. } = callee.traits();
        let work: Work = match places.clone() {
            None => Box::pin(run),
            Some(places) => Box::pin(async move {
                // The semaphore is never closed, so there will be a place.
                let _place = places.acquire_owned().await.ok();
                run.await
            }),
        };
        // What a client wishes has bounds; what the author says is what the author says.
        let wish = ttl.map(|ttl| ttl.clamp(SHORTEST_TTL, self.tasks.max_ttl.max(SHORTEST_TTL)));
        let ttl = wish.or(policy.ttl).unwrap_or(self.tasks.ttl.min(self.tasks.max_ttl));
        let task = NewTask {
            id,
            principal: caller.principal.clone(),
            kind: call.kind,
            target: Arc::clone(name),
            arguments: call.arguments.map_or_else(empty_object, ToOwned::to_owned),
            key: call.key,
            ttl,
            poll: policy.poll.unwrap_or(self.tasks.poll),
            quota: self.limits.quota(),
        };
        let engine = Arc::clone(&self.engine);
        Ok(Begun::Change(Box::pin(async move {
            let (record, start) = engine.create(NewRun { task, cx, work }).await.map_err(refused)?;
            engine.start_sweeper();
            Ok(Outcome::Created(record, start))
        })))
    }
}

fn empty_object() -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string("{}".to_owned()).unwrap_or_default()
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
    channel: Arc<dyn Outbox>,
    token: RequestId,
    related: Option<TaskId>,
}

impl WireOutlet {
    #[allow(clippy::new_ret_no_self)]
    fn new(channel: &Arc<dyn Outbox>, token: RequestId, related: Option<TaskId>) -> Box<dyn Outlet> {
        Box::new(Self { channel: Arc::clone(channel), token, related })
    }
}

impl Outlet for WireOutlet {
    fn progress(&self, progress: &Progress<'_>) {
        if self.channel.is_congested() {
            return;
        }
        let mut message = Vec::with_capacity(160);
        write_progress(&mut message, &self.token, progress, self.related);
        self.channel.push(&message);
        self.channel.flush();
    }
}
