//! What a function sees of its surroundings: who calls, cancellation, and which task it is, if any.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::engine::{Engine, TaskLink};
use super::identity::{Principal, TaskId};
use super::journal::Journal;
use super::origin::{Origin, TraceContext};
use super::partial::Bounds;
use super::scope::Scope;
use super::tell::{Outlet, Sent};
use crate::input::ClientCapabilities;

/// The one thing that a function asks of its surroundings. The same code is right for every client, with or without
/// a task.
///
/// A parameter of this type is given by the server. Cloning is cheap; a clone is the same call.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// Count up to a number, one step at a time.
/// #[tool(task)]
/// async fn count(
///     /// How far.
///     to: u64,
///     cx: Context,
/// ) -> u64 {
///     for step in 1..=to {
///         cx.progress(step, to, format!("counted to {step}"));
///         tokio::task::yield_now().await;
///     }
///     to
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // The function is still a function, and tests may call it.
/// assert_eq!(count(3, Context::detached()).await, 3);
/// # });
/// ```
#[derive(Clone)]
pub struct Context(pub(super) Arc<Inner>);

pub(super) struct Inner {
    principal: Principal,
    origin: Origin,
    /// The task that the call is. One that is detached is set later.
    pub(super) task: OnceLock<TaskLink>,
    pub(super) outlet: Option<Box<dyn Outlet>>,
    /// What the call remembers, once there is something.
    journal: Mutex<Option<Box<Journal>>>,
    state: AtomicU8,
    pub(super) wake: Notify,
    /// The progress that was last sent. Held while sending, so that it increases for the client, too.
    pub(super) sent: Mutex<Sent>,
    /// What runs the tasks of the server, for a call that is none.
    pub(super) engine: Weak<Engine>,
    /// Where the call is among others, if that matters.
    pub(super) scope: Option<Box<Scope>>,
}

/// The call was cancelled.
const CANCELLED: u8 = 1;
/// The function deals with cancellation by itself, so its future is not dropped at once.
const COOPERATIVE: u8 = 2;
/// The call is over, and nothing is said of it any more.
const OVER: u8 = 4;
/// The call may become a task.
const DETACHABLE: u8 = 8;
/// It wants to.
const DETACHING: u8 = 16;

/// The error of [`Context::check`]: the call was cancelled, and its result is not wanted any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call was cancelled")
    }
}

impl std::error::Error for Cancelled {}

impl Context {
    /// A context that belongs to no call, for tests that call a tool's function themselves. It reports to nobody and
    /// is never cancelled.
    pub fn detached() -> Self {
        Self::new(Principal::local(), ClientCapabilities::default(), None, None)
    }

    pub(crate) fn new(
        principal: Principal,
        origin: impl Into<Origin>,
        task: Option<TaskLink>,
        outlet: Option<Box<dyn Outlet>>,
    ) -> Self {
        Self(Arc::new(Inner {
            principal,
            origin: origin.into(),
            task: task.map(OnceLock::from).unwrap_or_default(),
            outlet,
            journal: Mutex::default(),
            state: AtomicU8::new(0),
            wake: Notify::const_new(),
            sent: Mutex::default(),
            engine: Weak::new(),
            scope: None,
        }))
    }

    /// The same context, which nobody shares yet, of a call of this engine's server.
    #[must_use]
    pub(crate) fn of(mut self, engine: &Arc<Engine>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.engine = Arc::downgrade(engine);
        }
        self
    }

    /// The same context, which nobody shares yet, of a call at this place.
    #[must_use]
    pub(crate) fn at(mut self, scope: Option<Scope>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.scope = scope.map(Box::new);
        }
        self
    }

    /// Where notifications of this call go, if there is such a place. One that was detached has left its own behind.
    pub(super) fn outlet(&self) -> Option<&dyn Outlet> {
        let is_detached = self.state() & DETACHABLE != 0 && self.0.task.get().is_some();
        self.0.outlet.as_deref().filter(|_| !is_detached)
    }

    /// Waits until the call is cancelled. Cancel safe.
    ///
    /// Without it, cancelling drops the function at its next `.await`. A function that has asked for this (or called
    /// [`check`](Self::check)) is not dropped at once: it has the server's grace period to clean up.
    pub async fn cancelled(&self) {
        loop {
            let mut notified = std::pin::pin!(self.0.wake.notified());
            notified.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            notified.await;
        }
    }

    /// Waits until the call is cancelled, without taking that for the function's own asking.
    pub(super) async fn was_cancelled_some_time(&self) {
        loop {
            let mut notified = std::pin::pin!(self.0.wake.notified());
            notified.as_mut().enable();
            if self.was_cancelled() {
                return;
            }
            notified.await;
        }
    }

    /// Whether the call was cancelled.
    pub fn is_cancelled(&self) -> bool {
        // Who is dropped takes with it what it calls.
        if let Some(caller) = self.inline_caller() {
            caller.is_cancelled();
        }
        self.0.state.fetch_or(COOPERATIVE, Ordering::AcqRel) & CANCELLED != 0
    }

    /// Fails if the call was cancelled, for loops that never await.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// The task that this call is, if it is one.
    pub fn task_id(&self) -> Option<TaskId> {
        self.0.task.get().map(TaskLink::id)
    }

    /// Who called.
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// What the client can do.
    pub fn client(&self) -> &ClientCapabilities {
        &self.0.origin.client
    }

    /// The trace that the call belongs to, if its client said so: to be sent on with what the function asks of others. A
    /// task keeps it over its runs.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.0.origin.trace.as_deref()
    }

    /// Where the call comes from, for those that it makes.
    pub(crate) fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// Makes a task of a call: the client is told of the task, and what follows runs in the background.
    ///
    /// This is for tools that are `#[tool(task(detach))]`, which begin as calls: they can ask first, or find out that there
    /// is little to do and answer at once. Where the client cannot take a task, or the call is one already, or was
    /// cancelled, this does nothing; [`task_id`](Self::task_id) tells. If the task cannot be recorded, the call ends with the error that says
    /// so, and this does not return.
    pub async fn detach(&self) {
        if self.0.state.fetch_or(DETACHING, Ordering::AcqRel) & DETACHABLE == 0 {
            return;
        }
        if let Some(driver) = self.journal(Journal::take_driver) {
            driver.wake();
        }
        loop {
            let mut notified = std::pin::pin!(self.0.wake.notified());
            notified.as_mut().enable();
            if self.0.task.get().is_some() || self.is_done_with() {
                return;
            }
            notified.await;
        }
    }

    /// Allows the call to become a task, which keeps so much of the partial results that the call gives before.
    pub(crate) fn allow_detaching(&self, keep: Bounds) {
        self.journal(|journal| journal.keep_partials(keep));
        self.0.state.fetch_or(DETACHABLE, Ordering::AcqRel);
    }

    /// Whether the call wants to become a task, and may.
    pub(crate) fn wants_task(&self) -> bool {
        let both = DETACHABLE | DETACHING;
        self.state() & both == both && self.0.task.get().is_none()
    }

    /// What leads to the task that the call is, if it is one.
    pub(crate) fn link(&self) -> Option<&TaskLink> {
        self.0.task.get()
    }

    /// Says which task the call has become. What is open is the task's from now on.
    pub(crate) fn attach(&self, task: TaskLink) {
        // Nothing is given to the client meanwhile: what was given before comes first in the task, too.
        let sent = self.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let given = self.journal(Journal::take_partials);
        for (index, value) in (given.first..).zip(given.values) {
            task.partial(index, value);
        }
        let is_attached = self.0.task.set(task).is_ok();
        drop(sent);
        if is_attached {
            self.0.wake.notify_waiters();
        }
    }

    /// Looks into what the call remembers.
    pub(crate) fn journal<T>(&self, look: impl FnOnce(&mut Journal) -> T) -> T {
        look(self.0.journal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
    }

    /// Goes on with what an earlier run remembered.
    pub(crate) fn resume(&self, journal: Journal) {
        *self.0.journal.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(journal));
    }

    /// Whether the call was cancelled, without taking that for the function's own asking.
    pub(crate) fn was_cancelled(&self) -> bool {
        self.state() & CANCELLED != 0
    }

    /// Says that the call is over.
    pub(crate) fn close(&self) {
        self.0.state.fetch_or(OVER, Ordering::AcqRel);
        drop(self.0.sent.lock().unwrap_or_else(PoisonError::into_inner));
        // What the function left behind may still wait for an answer.
        self.0.wake.notify_waiters();
    }

    /// Whether the call was cancelled or is over: then nobody waits for anything of it.
    pub(super) fn is_done_with(&self) -> bool {
        self.state() & (CANCELLED | OVER) != 0
    }

    fn state(&self) -> u8 {
        self.0.state.load(Ordering::Acquire)
    }

    /// Cancels the call for a client that does not want its answer any more, and with it the task that it has just
    /// become, of which the client was not told. Whether the function deals with it by itself.
    pub(crate) fn cancel_call(&self, runtime: &Handle) -> bool {
        let is_cooperative = self.cancel();
        if let Some(task) = self.0.task.get() {
            task.give_up(runtime);
        }
        is_cooperative
    }

    /// Whether the function deals with cancellation by itself.
    pub(super) fn is_cooperative(&self) -> bool {
        self.state() & COOPERATIVE != 0
    }

    /// Says that the call is cancelled, and wakes nobody who waits to hear of it.
    pub(super) fn mark_cancelled(&self) {
        self.0.state.fetch_or(CANCELLED, Ordering::AcqRel);
    }

    /// Cancels the call. Whether the function deals with it by itself.
    pub(crate) fn cancel(&self) -> bool {
        let before = self.0.state.fetch_or(CANCELLED, Ordering::AcqRel);
        // Whatever is being said at this moment is said before this returns, and nothing after.
        drop(self.0.sent.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.wake.notify_waiters();
        before & COOPERATIVE != 0
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("task", &self.task_id())
            .field("principal", &self.0.principal)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_function_that_asks_for_cancellation_hears_of_it_whenever_it_asks() {
        let cx = Context::detached();
        assert!(!cx.cancel(), "nobody asked so far");
        cx.cancelled().await;
        assert_eq!(cx.check(), Err(Cancelled));

        let cx = Context::detached();
        let waiting = tokio::spawn({
            let cx = cx.clone();
            async move { cx.cancelled().await }
        });
        while !cx.cancel() {
            tokio::task::yield_now().await;
        }
        waiting.await.expect("it hears of it");
    }
}
