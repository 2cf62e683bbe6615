//! Tasks that are parts of other tasks: made for a call within a run, found again by the next run, and ended with what they
//! are a part of.

use std::pin::Pin;
use std::sync::{Arc, Weak};

use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use super::link::PAUSES;
use super::{Engine, NewRun, Work};
use crate::background;
use crate::protocol::ProtocolError;
use crate::protocol::payload::{Ending, Payload};
use crate::task::context::Context;
use crate::task::identity::TaskId;
use crate::task::record::{Record, Status};
use crate::task::scope::Scope;
use crate::task::store::{NewTask, StoreError};

/// Knows the tools that a function may call.
pub(crate) trait KnowTools: Send + Sync {
    /// Makes a call ready. The context is the one of the call.
    fn prepare(&self, tool: &str, arguments: &RawValue, cx: &Context) -> Result<Prepared, Unprepared>;
}

/// A call that can begin.
pub(crate) struct Prepared {
    pub(crate) work: Work,
    /// The task that it may be. Its name, its key and its family are still to be said.
    pub(crate) task: NewTask,
    /// The places for tasks of the tool, if they are limited.
    pub(crate) places: Option<Arc<Semaphore>>,
    pub(crate) may_rerun: bool,
}

/// Why a call cannot begin.
pub(crate) enum Unprepared {
    NoSuchTool,
    /// The tool does not take these arguments: the result that says why.
    Refused(Payload),
    Error(ProtocolError),
}

impl Engine {
    /// Says who knows the tools; once.
    pub(crate) fn know_tools(&self, tools: Weak<dyn KnowTools>) {
        // Whoever says so again is the same.
        let _ = self.tools.set(tools);
    }

    /// Who knows the tools, if the server is still there.
    pub(crate) fn tools(&self) -> Option<Arc<dyn KnowTools>> {
        self.tools.get().and_then(Weak::upgrade)
    }

    /// Makes a task that is a part of another, and begins to run it; or finds the one that an earlier run made. Seen
    /// through, whatever becomes of who wants it.
    pub(crate) async fn begin_child(self: &Arc<Self>, run: NewRun) -> Result<Record, StoreError> {
        let engine = Arc::clone(self);
        let begun = background::see_through(async move {
            let parent = run.task.parent.map(|parent| parent.id);
            let (record, start) = engine.create(run).await?;
            if let Some(parent) = parent {
                engine.watchers.changed(&parent);
            }
            // It runs.
            drop(start);
            Ok(record)
        });
        begun.await.unwrap_or_else(|error| Err(StoreError::Failed("beginning a task", error.into())))
    }

    /// Waits until a task has ended that is a part of another one that runs here, and gives its end. One that nobody runs,
    /// because the worker that did is gone, is gone on with here, at the place in `scope`. Cancel safe.
    pub(crate) async fn child_ended(
        self: &Arc<Self>,
        record: &Record,
        was_waiting: bool,
        scope: impl Fn() -> Scope + Send + Sync,
    ) -> Result<(Record, Option<Arc<Ending>>), StoreError> {
        let Record { id, principal, .. } = record;
        let mut pauses = PAUSES.into_iter();
        loop {
            match self.look_after(record, was_waiting, &scope).await {
                Ok(Some(ended)) => return Ok(ended),
                Ok(None) => pauses = PAUSES.into_iter(),
                Err(StoreError::Failed(doing, error)) => {
                    let Some(pause) = pauses.next() else { return Err(StoreError::Failed(doing, error)) };
                    tracing::warn!(task = %id, doing, %error, "a task could not be looked up; it is tried again");
                    tokio::time::sleep(pause).await;
                    continue;
                }
                Err(error) => return Err(error),
            }
            // Whoever holds it may be gone by then.
            let mut has_ended = |record: &Record| record.status.is_terminal();
            let ended = self.until(*id, principal, &mut has_ended);
            let _ = tokio::time::timeout(self.settings.lease, ended).await;
            if self.is_over() {
                return Err(StoreError::Failed("waiting for a task", "the server has stopped".into()));
            }
        }
    }

    /// How a child has ended, if it has. If nobody runs it, it is gone on with here.
    async fn look_after(
        self: &Arc<Self>,
        record: &Record,
        was_waiting: bool,
        scope: &(impl Fn() -> Scope + Sync),
    ) -> Result<Option<(Record, Option<Arc<Ending>>)>, StoreError> {
        let record = self.get(record.id, &record.principal).await?;
        if record.status.is_terminal() {
            let ending = self.ending(record.id).await?;
            return Ok(Some((record, ending)));
        }
        // A job elsewhere needs nobody.
        if record.job.is_none()
            && let Some((claimed, _taking)) = self.claim_waiting(record.id).await?
        {
            self.take_up(claimed, was_waiting.then(Vec::new), Some(scope())).await;
        }
        Ok(None)
    }

    /// The tasks that are parts of this one, if there ever were any.
    pub(crate) async fn children(
        self: &Arc<Self>,
        record: &Record,
    ) -> Result<Option<Vec<Record>>, StoreError> {
        if record.family.as_ref().is_none_or(|family| family.children == 0) {
            return Ok(None);
        }
        let children = self.store.children(record.id).await?;
        if record.status.is_terminal() && children.iter().any(|child| !child.status.is_terminal()) {
            // Whoever ended it could not do this any more.
            let (engine, record) = (Arc::clone(self), record.clone());
            background::spawn(async move { engine.end_children(&record).await });
        }
        Ok(Some(children))
    }

    /// Ends what is still at work of a task that has ended.
    pub(super) fn end_children<'a>(
        self: &'a Arc<Self>,
        record: &'a Record,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            if record.family.as_ref().is_none_or(|family| family.children == 0) {
                return;
            }
            match self.store.children(record.id).await {
                Ok(children) => {
                    for child in children.iter().filter(|child| !child.status.is_terminal()) {
                        self.give_up(child.id).await;
                    }
                }
                Err(error) => {
                    tracing::error!(task = %record.id, %error, "what a task is made of could not be ended with it");
                }
            }
        })
    }

    /// Whether a task waits for its client, by itself or by the one above that asks for it.
    pub(super) async fn waits_for_client(&self, id: TaskId) -> Result<bool, StoreError> {
        let asks_above = self.live(id).get(&id).is_some_and(|live| live.cx.waits_at_the_top());
        Ok(asks_above || self.store.get(id).await?.is_some_and(|it| it.status == Status::InputRequired))
    }
}
