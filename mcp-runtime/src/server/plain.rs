//! A call that is answered by its result, by what it needs to know first, or by the task that it has become.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::Shared;
use super::call::Answer;
use super::callee::Callee;
use super::request_state::Binding;
use super::run::{Run, Turn, in_turn};
use super::tasks::refused;
use crate::background;
use crate::limit;
use crate::protocol::ProtocolError;
use crate::protocol::payload::Ending;
use crate::protocol::time::Timestamp;
use crate::task::journal::{Journal, Kept};
use crate::task::store::NewTask;
use crate::task::{Context, Engine, NewRun, Principal};
use crate::telemetry::{CallWatch, Span};
use crate::wire::{Call, Outcome, responses};

/// An ordinary call at work, which takes note of how long it keeps its thread.
pub(super) struct PlainCall {
    stage: Stage,
    span: Span,
    watch: CallWatch,
    callee: Arc<dyn Callee>,
    cx: Context,
    rounds: Option<Box<Rounds>>,
    detaching: Option<Box<Detaching>>,
    has_begun: bool,
}

enum Stage {
    Running(Run),
    /// It becomes a task.
    Detaching(Answer),
    Over,
}

/// The rounds of a call of the modern wire: it ends with what it needs to know, and its client calls again with that.
pub(super) struct Rounds {
    shared: Arc<Shared>,
    binding: Binding,
}

/// What is needed for a call to become a task.
pub(super) struct Detaching {
    engine: Arc<Engine>,
    task: NewTask,
    turn: Turn,
    may_rerun: bool,
    /// When it becomes one by itself.
    due: Option<Pin<Box<Sleep>>>,
}

/// How a call may become a task: where the function says so, and by itself after a time, if there is one.
pub(super) struct Becoming {
    /// When the task's run may go on.
    pub(super) turn: Turn,
    pub(super) after: Option<Duration>,
}

impl Rounds {
    /// Goes on where an earlier round ended, if there was one. `None` if the client cannot be asked anything.
    pub(super) fn new(
        shared: &Arc<Shared>,
        call: &Call<'_>,
        principal: &Principal,
        cx: &Context,
    ) -> Result<Option<Box<Self>>, ProtocolError> {
        if !call.client.can_be_asked() && call.responses.is_none() && call.state.is_none() {
            return Ok(None);
        }
        let binding = Binding {
            principal: principal.clone(),
            kind: call.kind,
            name: Box::from(&*call.name),
            arguments: call.arguments.map(ToOwned::to_owned),
        };
        let kept = match &call.state {
            Some(state) => shared.seal.open(&binding, state, Timestamp::now())?,
            None => Kept::default(),
        };
        let offered = responses(call.responses)?;
        if !kept.is_empty() || !offered.is_empty() {
            cx.resume(Journal::resume(kept, offered));
        }
        Ok(Some(Box::new(Self { shared: Arc::clone(shared), binding })))
    }

    /// Ends the round with what was asked, and with what the call remembers, if that is anything. `None` if everything was
    /// taken back at this very moment.
    fn end(&self, cx: &Context) -> Result<Option<Outcome>, ProtocolError> {
        let (asked, state) = cx.journal(|journal| {
            let kept = journal.kept();
            let seal = || self.shared.seal.seal(&self.binding, kept, Timestamp::now());
            Ok((journal.open().to_vec(), (!kept.is_empty()).then(seal).transpose()?))
        })?;
        if asked.is_empty() {
            return Ok(None);
        }
        let size = state.as_ref().map_or(0, String::len);
        let most = self.shared.limits.max_request_state;
        if size > most {
            return Err(limit::too_large(
                "what the call remembers while it asks",
                size,
                "max_request_state",
                most,
            ));
        }
        Ok(Some(Outcome::InputRequired(asked, state)))
    }
}

impl Detaching {
    pub(super) fn new(
        engine: Arc<Engine>,
        task: NewTask,
        may_rerun: bool,
        becoming: Becoming,
        cx: &Context,
    ) -> Self {
        cx.allow_detaching(engine.settings().partials);
        let due = becoming.after.map(|after| Box::pin(tokio::time::sleep(after)));
        Self { engine, task, turn: becoming.turn, may_rerun, due }
    }

    /// Whether it is time to become a task; if not, whoever polls is woken when it is.
    fn is_due(&mut self, cx: &mut task::Context<'_>) -> bool {
        self.due.as_mut().is_some_and(|due| due.as_mut().poll(cx).is_ready())
    }

    /// Records the task, whose work is the rest of the run. It is seen through, whatever becomes of the request.
    fn start(self, run: Run, cx: Context) -> Answer {
        let Self { engine, mut task, turn, may_rerun, due: _ } = self;
        let link = engine.link(task.id);
        let created = background::see_through(async move {
            let work = in_turn(run, turn);
            task.journal = cx.journal(|journal| journal.kept().entries()).map_err(|error| {
                ProtocolError::internal(format!("what the call remembers cannot be written: {error}"))
            })?;
            let run = NewRun { task, cx: cx.clone(), work, may_rerun };
            let (record, start) = engine.create(run).await.map_err(refused)?;
            engine.start_sweeper();
            if start.is_new() {
                cx.attach(link);
                if let Err(error) = cx.ask_again().await {
                    tracing::warn!(task = %record.id, %error, "what the call asked could not be asked by its task");
                }
            }
            Ok(Outcome::Created(record, start))
        });
        Box::pin(async move {
            created.await.unwrap_or_else(|error| {
                tracing::error!(%error, "a call could not become a task");
                Err(ProtocolError::internal("the call could not become a task"))
            })
        })
    }
}

impl PlainCall {
    pub(super) fn new(
        run: Run,
        span: Span,
        callee: Arc<dyn Callee>,
        cx: Context,
        rounds: Option<Box<Rounds>>,
        detaching: Option<Box<Detaching>>,
    ) -> Self {
        let watch = CallWatch::new(&callee.traits().name);
        Self { stage: Stage::Running(run), span, watch, callee, cx, rounds, detaching, has_begun: false }
    }

    /// What a run that waits is to be ended with, if it is.
    fn interrupted(&mut self, cx: &mut task::Context<'_>) -> Option<Result<Outcome, ProtocolError>> {
        if self.rounds.is_none() && self.detaching.is_none() {
            return None;
        }
        // Before looking: what is asked from now on, by whatever thread, wakes this.
        let has_asked = self.cx.journal(|journal| {
            journal.drive(cx.waker());
            !journal.open().is_empty()
        });
        // Asked even if it does not matter, so that it wakes this.
        let is_due = self.detaching.as_mut().is_some_and(|detaching| detaching.is_due(cx));
        let wants_task = self.cx.wants_task();
        if has_asked
            && !wants_task
            && let Some(outcome) = self.rounds.as_ref().and_then(|rounds| rounds.end(&self.cx).transpose())
        {
            return Some(outcome);
        }
        if (wants_task || is_due)
            && let Some(detaching) = self.detaching.take()
            && let Stage::Running(run) = mem::replace(&mut self.stage, Stage::Over)
        {
            self.watch.became_task();
            self.stage = Stage::Detaching(detaching.start(run, self.cx.clone()));
            cx.waker().wake_by_ref();
        }
        None
    }
}

impl Future for PlainCall {
    type Output = Result<Outcome, ProtocolError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let began = (!mem::replace(&mut self.has_begun, true)).then(Instant::now);
        let Self { stage, span, .. } = &mut *self;
        let polled = match stage {
            Stage::Running(run) => {
                let _within = span.enter();
                Pin::new(run).poll(cx)
            }
            Stage::Detaching(answer) => return answer.as_mut().poll(cx),
            Stage::Over => return Poll::Pending,
        };
        if let Some(began) = began {
            self.callee.traits().pace.note(began.elapsed());
        }
        if let Poll::Ready(ending) = &polled {
            self.watch.ended(ending);
        }
        match polled {
            Poll::Ready(Ending::Result(payload)) => Poll::Ready(Ok(Outcome::Result(payload))),
            Poll::Ready(Ending::Error(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match self.interrupted(cx) {
                Some(outcome) => {
                    self.watch.interrupted(outcome.is_ok());
                    self.stage = Stage::Over;
                    Poll::Ready(outcome)
                }
                None => Poll::Pending,
            },
        }
    }
}

impl Drop for PlainCall {
    fn drop(&mut self) {
        // Dropping the run may run code of the author's.
        let _within = self.span.enter();
        self.stage = Stage::Over;
    }
}
