//! Carries out what a request asks for.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::Shared;
use super::callee::{Callee, Traits};
use super::catalogue::Audience;
use super::outlet::{self, Hears, Threshold, WireOutlet};
use super::plain::{Becoming, Detaching, PlainCall, Rounds};
use super::questions::{Asking, Questions};
use super::run::{Begin, Turn, begin, in_turn};
use super::tasks::refused;
use crate::limit;
use crate::protocol::ProtocolError;
use crate::protocol::payload::Payload;
use crate::task::store::{NewTask, Origin};
use crate::task::{Context, NewRun, Outlet, Principal, RequestKind, TaskId};
use crate::telemetry::Span;
use crate::tool::TaskSupport;
use crate::transport::Outbox;
use crate::wire::headers::{Headers, check_arguments};
use crate::wire::{Call, Dialect, Offered, Op, Outcome, Wish, modern};

/// Below this, a kept task could be gone before anybody fetched its result.
const SHORTEST_TTL: Duration = Duration::from_secs(1);

/// The answer to a request that is not there yet.
pub(super) type Answer = Pin<Box<dyn Future<Output = Result<Outcome, ProtocolError>> + Send>>;

/// What came of a request so far.
#[allow(clippy::large_enum_variant, reason = "it is looked at where it is made, and most are answers")]
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
    /// What a client of the legacy wire is asked by requests.
    pub(super) questions: &'a Arc<Questions>,
    /// Which log messages a client of the legacy wire wants to hear.
    pub(super) threshold: &'a Arc<Threshold>,
    /// The headers that the request came with, where there are such things.
    pub(super) headers: Option<&'a dyn Headers>,
    /// What a client of the legacy wire is offered.
    pub(super) offered: Offered,
    /// How large a partial result may be, in bytes.
    pub(super) max_partials_size: usize,
}

impl Caller<'_> {
    /// A call's way to the client, over a channel.
    fn outlet(
        &self,
        channel: &Arc<dyn Outbox>,
        call: &Call<'_>,
        related: Option<TaskId>,
        asking: Option<outlet::Asking>,
    ) -> Box<dyn Outlet> {
        let hears = match self.dialect {
            Dialect::Legacy(_) => Hears::Session(Arc::clone(self.threshold)),
            Dialect::Modern(_) => Hears::Request(call.log_level),
        };
        let (channel, token) = (Arc::clone(channel), call.progress_token.clone());
        let max_partials_size = self.max_partials_size;
        Box::new(WireOutlet { channel, token, related, hears, max_partials_size, asking })
    }
}

impl Shared {
    /// Begins to carry out what was asked. A subscription is the connection's.
    pub(super) fn begin(self: &Arc<Self>, op: Op<'_>, caller: &Caller<'_>) -> Result<Begun, ProtocolError> {
        if matches!(op, Op::Call(_) | Op::Initialize(_)) && self.engine.is_stopping() {
            return Err(ProtocolError::stopping());
        }
        let (shared, principal) = (Arc::clone(self), caller.principal.clone());
        Ok(match op {
            Op::Ping => Begun::Now(Outcome::Empty),
            Op::Discover => Begun::Now(Outcome::Prepared(Arc::clone(&self.introductions.discover))),
            Op::Initialize(session) => {
                Begun::Now(Outcome::Prepared(self.introductions.initialize(session.version, caller.offered)))
            }
            Op::List { list, cursor } => {
                let audience = Audience::of(caller.dialect);
                Begun::Now(Outcome::Prepared(self.catalogue().page(list, audience, cursor.as_deref())?))
            }
            Op::Complete(request) => self.complete(request)?,
            #[cfg(feature = "skills")]
            Op::GetSkill { uri } => Begun::Now(Outcome::Prepared(self.catalogue().skill(&uri)?)),
            #[cfg(feature = "skills")]
            Op::ReadDirectory { uri, cursor } => {
                let audience = Audience::of(caller.dialect);
                Begun::Now(Outcome::Prepared(self.catalogue().directory(
                    &uri,
                    audience,
                    cursor.as_deref(),
                )?))
            }
            Op::Call(call) => self.call(call, caller)?,
            Op::GetTask(id, cursor) => {
                Begun::Look(Box::pin(async move { shared.task(id, cursor, &principal).await }))
            }
            Op::TaskResult(id, cursor) => {
                let (questions, channel) = (Arc::clone(caller.questions), Arc::clone(caller.channel));
                let asking = Asking { questions, channel, asked: Vec::new() };
                Begun::Look(Box::pin(async move { shared.task_result(id, cursor, &principal, asking).await }))
            }
            Op::ListTasks { after } => {
                Begun::Look(Box::pin(async move { shared.list_tasks(&principal, after).await }))
            }
            Op::CancelTask(id) => {
                let is_modern = matches!(caller.dialect, Dialect::Modern(_));
                Begun::Change(Box::pin(async move { shared.cancel_task(id, &principal, is_modern).await }))
            }
            Op::UpdateTask(id, responses) => {
                Begun::Change(Box::pin(async move { shared.update_task(id, &principal, responses).await }))
            }
            Op::Listen { .. } | Op::Subscribe { .. } | Op::Unsubscribe { .. } | Op::SetLogLevel(_) => {
                return Err(ProtocolError::internal("what belongs to a connection was asked of the server"));
            }
        })
    }

    fn call(self: &Arc<Self>, mut call: Call<'_>, caller: &Caller<'_>) -> Result<Begun, ProtocolError> {
        if self.tasks.tool_use_ids {
            call.take_tool_use_for_key();
        }
        let callee = self.catalogue().find(&call)?;
        if let Some(headers) = caller.headers {
            check_arguments(headers, callee.mirrored(), call.arguments)?;
        }
        let Traits { name, task, .. } = callee.traits();
        if let (TaskSupport::Optional, Wish::Either, Some(after)) = (task.support, call.wish, task.after) {
            return self.call_within(after, &callee, call, caller);
        }
        let ttl = match (task.support, call.wish) {
            (TaskSupport::Forbidden, Wish::Task { .. }) => {
                return Err(ProtocolError::method_not_found(format!("`{name}` cannot run as a task")));
            }
            // The extension knows tasks of tools alone; the rest is answered directly.
            (_, _) if is_modern(caller) && call.kind != RequestKind::CallTool => {
                return self.call_plainly(&callee, call, caller, None);
            }
            (TaskSupport::Required, Wish::Unaware) if is_modern(caller) => {
                return Err(modern::missing_tasks_extension());
            }
            (TaskSupport::Required, Wish::Unaware | Wish::Plain) => {
                return Err(ProtocolError::method_not_found(format!(
                    "`{name}` runs only as a task: send `task` in the parameters, with MCP 2025-11-25 or later",
                )));
            }
            (TaskSupport::Forbidden | TaskSupport::Optional, Wish::Unaware | Wish::Plain)
            | (TaskSupport::Forbidden, Wish::Either) => {
                return self.call_plainly(&callee, call, caller, None);
            }
            (_, Wish::Either) if task.begins_as_call => {
                let turn = Turn::in_line(callee.traits().places.as_ref());
                return self.call_plainly(&callee, call, caller, Some(Becoming { turn, after: None }));
            }
            (_, Wish::Either) => None,
            (_, Wish::Task { ttl }) => ttl,
        };
        let task = match self.new_run(&callee, &call, ttl.map(Duration::from_millis), caller)? {
            Ok(task) => task,
            Err(refusal) => return Ok(Begun::Now(Outcome::Result(refusal))),
        };
        let engine = Arc::clone(&self.engine);
        Ok(Begun::Change(Box::pin(async move {
            let (record, start) = engine.create(task).await.map_err(refused)?;
            engine.start_sweeper();
            Ok(Outcome::Created(record, start))
        })))
    }

    pub(super) fn call_plainly(
        self: &Arc<Self>,
        callee: &Arc<dyn Callee>,
        call: Call<'_>,
        caller: &Caller<'_>,
        becoming: Option<Becoming>,
    ) -> Result<Begun, ProtocolError> {
        if becoming.is_some() {
            self.admit(&call)?;
        }
        let outlet = match caller.dialect {
            Dialect::Legacy(_) => {
                let asking = outlet::Asking::new(Arc::clone(caller.questions));
                Some(caller.outlet(caller.channel, &call, None, Some(asking)))
            }
            Dialect::Modern(_) if call.progress_token.is_some() || call.log_level.is_some() => {
                Some(caller.outlet(caller.channel, &call, None, None))
            }
            Dialect::Modern(_) => None,
        };
        let span = Span::of_call(call.kind, &call.name, caller.principal, call.trace.as_deref());
        let cx = Context::new(caller.principal.clone(), origin(&call), None, outlet)
            .of(&self.engine)
            .at(callee.traits().scope());
        let rounds =
            is_modern(caller).then(|| Rounds::new(self, &call, caller.principal, &cx)).transpose()?;
        Ok(match begin(&**callee, &call, &self.states, &cx)? {
            Begin::Refused(refusal) => Begun::Now(Outcome::Result(refusal)),
            Begin::Work(work) => {
                let run = self.run(&**callee, work, &cx);
                let detaching = becoming.map(|becoming| {
                    let task = self.new_task(TaskId::random(), &**callee, &call, None, caller.principal);
                    let may_rerun = callee.traits().retries > 0;
                    Box::new(Detaching::new(Arc::clone(&self.engine), task, may_rerun, becoming, &cx))
                });
                let plain =
                    PlainCall::new(run, span, Arc::clone(callee), cx.clone(), rounds.flatten(), detaching);
                Begun::Call(Box::pin(plain), cx, Arc::clone(callee))
            }
        })
    }

    pub(super) fn timeout(&self, callee: &dyn Callee) -> Option<Duration> {
        callee.traits().task.timeout.or(self.tasks.timeout)
    }

    /// Makes ready what is to run as a task; or gives the result that says what is wrong with its arguments.
    pub(super) fn new_run(
        self: &Arc<Self>,
        callee: &Arc<dyn Callee>,
        call: &Call<'_>,
        ttl: Option<Duration>,
        caller: &Caller<'_>,
    ) -> Result<Result<NewRun, Payload>, ProtocolError> {
        self.admit(call)?;
        let id = TaskId::random();
        let outlet = match (caller.dialect, caller.home) {
            // "The progressToken provided in the initial request remains valid throughout the task lifetime", which is
            // longer than that of the request.
            (Dialect::Legacy(_), Some(home)) => Some(caller.outlet(home, call, Some(id), None)),
            // The extension knows neither progress notifications nor log messages in tasks.
            (Dialect::Legacy(_), None) | (Dialect::Modern(_), _) => None,
        };
        let cx = Context::new(caller.principal.clone(), origin(call), Some(self.engine.link(id)), outlet)
            .at(callee.traits().scope());
        let run = match begin(&**callee, call, &self.states, &cx)? {
            Begin::Refused(refusal) => return Ok(Err(refusal)),
            Begin::Work(work) => self.run(&**callee, work, &cx),
        };
        let work = in_turn(run, Turn::in_line(callee.traits().places.as_ref()));
        let task = self.new_task(id, &**callee, call, ttl, caller.principal);
        Ok(Ok(NewRun { task, cx, work, may_rerun: callee.traits().retries > 0 }))
    }

    /// Whether a call that is or may become a task is small enough to be stored.
    fn admit(&self, call: &Call<'_>) -> Result<(), ProtocolError> {
        let size = call.arguments.map_or(0, |arguments| arguments.get().len());
        let most = self.limits.max_arguments_size;
        if size <= most {
            return Ok(());
        }
        Err(limit::too_large("the arguments object", size, "max_arguments_size", most))
    }

    pub(super) fn new_task(
        &self,
        id: TaskId,
        callee: &dyn Callee,
        call: &Call<'_>,
        ttl: Option<Duration>,
        principal: &Principal,
    ) -> NewTask {
        let Traits { name, task: policy, .. } = callee.traits();
        // What a client wishes has bounds; what the author says is what the author says.
        let wish = ttl.map(|ttl| ttl.clamp(SHORTEST_TTL, self.tasks.max_ttl.max(SHORTEST_TTL)));
        let ttl = wish.or(policy.ttl).unwrap_or(self.tasks.ttl.min(self.tasks.max_ttl));
        NewTask {
            id,
            principal: principal.clone(),
            kind: call.kind,
            target: match call.kind {
                // A template has many URIs.
                RequestKind::ReadResource => Arc::from(&*call.name),
                _ => Arc::clone(name),
            },
            arguments: call.arguments.map_or_else(empty_object, ToOwned::to_owned),
            key: call.key.clone(),
            ttl,
            poll: policy.poll.unwrap_or(self.tasks.poll),
            quota: self.limits.quota(),
            worker: Some(self.engine.worker()),
            parent: None,
            origin: origin(call),
            journal: Vec::new(),
        }
    }
}

/// What a later run must know of a call.
fn origin(call: &Call<'_>) -> Origin {
    Origin { client: call.client, trace: call.trace.clone() }
}

fn is_modern(caller: &Caller<'_>) -> bool {
    matches!(caller.dialect, Dialect::Modern(_))
}

fn empty_object() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}
