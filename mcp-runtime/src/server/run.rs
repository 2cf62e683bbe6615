//! One run of a tool, a prompt or a resource, from checked arguments to an encoded ending.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::callee::Callee;
use crate::protocol::ProtocolError;
use crate::protocol::payload::{Ending, Payload};
use crate::task::{self as tasks, Context, panic_message, panicked};
use crate::telemetry::{self, RunWatch};
use crate::tool::{States, ToolError, ToolFuture, ending};
use crate::wire::Call;

/// A function of the author's at work.
///
/// However it ends, its context learns of it: by being over, or, if this is dropped before that, by being cancelled. So
/// a thread that the function left behind can find out that nobody waits for it any more.
pub(super) struct Run {
    work: Work,
    cx: Context,
    watch: RunWatch,
    has_begun: bool,
    is_over: bool,
}

/// What became of the wish to call something.
pub(crate) enum Begin {
    /// It can run.
    Work(Work),
    /// Its arguments are wrong: the result that says so.
    Refused(Payload),
}

/// What a function of the author's comes to.
pub(crate) enum Work {
    /// A tool, and whether its result is wrapped on the legacy wires.
    Tool(ToolFuture, bool),
    /// Anything else.
    Other(Pin<Box<dyn Future<Output = Ending> + Send>>),
}

impl Run {
    pub(super) fn new(work: Work, cx: Context, watch: RunWatch, timeout: Option<Duration>) -> Self {
        let work = match timeout {
            Some(limit) => work.within(limit, cx.clone()),
            None => work,
        };
        Self { work, cx, watch, has_begun: false, is_over: false }
    }
}

/// When the run of a task may go on, where only some may run at once.
pub(super) enum Turn {
    /// At once: nothing limits it, or it has its place already.
    Now(Option<OwnedSemaphorePermit>),
    /// When there is a place.
    InPlace(Arc<Semaphore>),
}

impl Turn {
    /// The turn of whoever comes now, and waits if it must.
    pub(super) fn in_line(places: Option<&Arc<Semaphore>>) -> Self {
        places.map_or(Self::Now(None), |places| Self::InPlace(Arc::clone(places)))
    }

    /// A place, if one is free; `None` if there is none.
    pub(super) fn free(places: Option<&Arc<Semaphore>>) -> Option<Self> {
        let place = places.map(|places| Arc::clone(places).try_acquire_owned()).transpose();
        place.ok().map(Self::Now)
    }
}

/// The run of a task, once it is its turn.
pub(super) fn in_turn(run: Run, turn: Turn) -> tasks::Work {
    match turn {
        Turn::Now(None) => Box::pin(run),
        Turn::Now(place) => Box::pin(async move {
            let _place = place;
            run.await
        }),
        Turn::InPlace(places) => Box::pin(async move {
            // The semaphore is never closed, so there will be a place.
            let _place = places.acquire_owned().await.ok();
            run.await
        }),
    }
}

/// Begins a call, whatever its author's code does on the way.
pub(super) fn begin(
    callee: &dyn Callee,
    call: &Call<'_>,
    states: &States,
    cx: &Context,
) -> Result<Begin, ProtocolError> {
    catch_unwind(AssertUnwindSafe(|| callee.begin(call, states, cx))).unwrap_or_else(|panic| {
        tracing::error!(callee = %callee.traits().name, panic = panic_message(&*panic), "a function panicked");
        Err(panicked())
    })
}

impl Work {
    /// The same work, but no longer than this.
    fn within(self, limit: Duration, cx: Context) -> Self {
        match self {
            Self::Tool(work, wraps) => {
                let work = async move {
                    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                        cx.cancel();
                        Err(ToolError::message(format_args!("The tool did not finish within {limit:?}.")))
                    })
                };
                Self::Tool(Box::pin(work), wraps)
            }
            Self::Other(work) => Self::Other(Box::pin(async move {
                tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                    cx.cancel();
                    Ending::Error(ProtocolError::internal(format!("it did not finish within {limit:?}")))
                })
            })),
        }
    }
}

impl Future for Work {
    type Output = Ending;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Ending> {
        match &mut *self {
            Self::Tool(work, wraps) => work.as_mut().poll(cx).map(|outcome| ending(outcome, *wraps)),
            Self::Other(work) => work.as_mut().poll(cx),
        }
    }
}

impl Future for Run {
    type Output = Ending;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Ending> {
        if !std::mem::replace(&mut self.has_begun, true) {
            telemetry::begun();
            let is_task = self.cx.task_id().is_some();
            self.watch.begin(is_task);
        }
        let ending = task::ready!(Pin::new(&mut self.work).poll(cx));
        self.is_over = true;
        self.watch.end(self.cx.task_id().is_some());
        self.cx.close();
        Poll::Ready(ending)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.is_over {
            self.cx.cancel();
        }
    }
}
