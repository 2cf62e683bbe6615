//! One task at work, from its record to its end.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use tokio::runtime::Handle;

use super::{Engine, Work};
use crate::background;
use crate::protocol::payload::Ending;
use crate::task::identity::{Epoch, TaskId};
use crate::task::panic::{Guarded, guarded, panic_message, panicked};
use crate::telemetry::{One, Span};

/// A task that was recorded and is about to run.
///
/// It runs from when this is dropped: so whoever made it can tell its client of the task first, and it cannot be
/// forgotten.
#[derive(Debug)]
pub(crate) struct Start(pub(super) Option<Starting>);

pub(super) struct Starting {
    pub(super) registered: Registered,
    pub(super) span: Span,
    pub(super) work: Work,
    pub(super) runtime: Handle,
}

impl Start {
    /// Of a task whose run has begun already.
    pub(crate) fn begun() -> Self {
        Self(None)
    }

    /// Whether there is something to start: the task was not there before.
    pub(crate) fn is_new(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        let Some(Starting { registered, span, work, runtime }) = self.0.take() else { return };
        let (engine, id, epoch) = (Arc::clone(&registered.engine), registered.id, registered.epoch);
        let is_cancelled = engine.live(id).get(&id).is_none_or(|live| live.cx.was_cancelled());
        if is_cancelled {
            // Whoever cancelled the task recorded that; whoever cancelled the call that it comes of did not.
            drop((registered, work));
            background::spawn_on(&runtime, async move { engine.leave_unbegun(id, epoch).await });
            return;
        }
        // Not under the lock: a runtime that is going down drops the future here, and its entry with it.
        let drive = Drive { registered, span, stage: Stage::Working(guarded(work)) };
        let abort = runtime.spawn(drive).abort_handle();
        let is_cancelled = engine.live(id).get_mut(&id).is_some_and(|live| {
            live.abort = Some(abort);
            live.cx.was_cancelled()
        });
        if is_cancelled {
            // Whoever cancelled it meanwhile found nothing to stop.
            background::spawn_on(&runtime, async move {
                engine.give_up(id).await;
                engine.stop(id);
            });
        }
    }
}

impl Engine {
    /// Says what becomes of a task whose run was stopped before it began. Where everything stops, and others go on with
    /// what is left, it is theirs, whatever its tool allows: nothing of it was done.
    async fn leave_unbegun(self: &Arc<Self>, id: TaskId, epoch: Epoch) {
        if !(self.is_stopped() && self.store.is_durable()) {
            return self.give_up(id).await;
        }
        if let Err(error) = self.hand_back(id, epoch, true).await {
            tracing::warn!(task = %id, %error, "a task could not be handed back");
        }
    }
}

impl fmt::Debug for Starting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.registered.id.fmt(f)
    }
}

/// The entry of a running task, which goes when its future does, however that is.
pub(super) struct Registered {
    pub(super) engine: Arc<Engine>,
    pub(super) id: TaskId,
    pub(super) epoch: Epoch,
    pub(super) _counted: One,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let live = {
            let mut live = self.engine.live(self.id);
            // A run that was replaced must not take the entry of the one that replaced it.
            if live.get(&self.id).is_some_and(|live| live.epoch == self.epoch) {
                live.remove(&self.id)
            } else {
                None
            }
        };
        // The context may be the last one, and dropping it may run code of the author's: not under the lock.
        drop(live);
        self.engine.idle.notify_waiters();
    }
}

/// Drives the work of one task to its end, and records that. Small, since there is one for every task that lives.
struct Drive {
    registered: Registered,
    span: Span,
    stage: Stage,
}

enum Stage {
    Working(Guarded<Work>),
    Ending(Pin<Box<dyn Future<Output = ()> + Send>>),
    Over,
}

impl Future for Drive {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let Self { registered, span, stage } = &mut *self;
        let _within = span.enter();
        loop {
            match stage {
                Stage::Over => return Poll::Ready(()),
                Stage::Ending(recorded) => return recorded.as_mut().poll(cx),
                Stage::Working(work) => {
                    let ending = match task::ready!(Pin::new(work).poll(cx)) {
                        Ok(ending) => ending,
                        Err(panic) => {
                            tracing::error!(task = %registered.id, panic = panic_message(&*panic), "a tool panicked");
                            Ending::Error(panicked())
                        }
                    };
                    let Registered { engine, id, epoch, .. } = registered;
                    let (engine, id, epoch) = (Arc::clone(engine), *id, *epoch);
                    *stage = Stage::Ending(Box::pin(async move { engine.end(id, epoch, ending).await }));
                }
            }
        }
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        // Dropping the work may run code of the author's.
        let _within = self.span.enter();
        self.stage = Stage::Over;
    }
}
