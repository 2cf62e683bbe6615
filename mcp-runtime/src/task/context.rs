//! What a function sees of its surroundings: progress, cancellation, and which task it is, if any.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;
use serde_json::value::RawValue;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::engine::TaskLink;
use super::identity::{Principal, TaskId};
use super::journal::Journal;
use super::origin::{Origin, TraceContext};
use super::record::Report;
use crate::input::{ClientCapabilities, InputRequest};
use crate::protocol::log::LogLevel;
use crate::protocol::payload;

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
    sent: Mutex<Option<f64>>,
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

/// Progress of a call, as a wire sends it.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    pub(crate) done: f64,
    pub(crate) total: Option<f64>,
    pub(crate) message: &'a str,
}

/// Where a call's notifications go: a wire's words over a transport's channel.
pub(crate) trait Outlet: Send + Sync {
    /// Sends progress; drops it if the channel is full.
    fn progress(&self, progress: &Progress<'_>);

    /// Whether somebody wants to hear of what matters that much.
    fn hears(&self, level: LogLevel) -> bool;

    /// Sends a log message; drops it if the channel is full.
    fn log(&self, level: LogLevel, logger: Option<&str>, data: &RawValue);

    /// Asks the client, and gives the answer to the context; whether this is a way to ask it.
    fn ask(&self, cx: &Context, key: &Arc<str>, request: &Arc<InputRequest>) -> bool;

    /// Takes a question back.
    fn withdraw(&self, key: &str);

    /// Sends the client away, to come back for the rest.
    fn close_stream(&self);
}

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
            sent: Mutex::new(None),
        }))
    }

    /// Says how much is done, of how much, and what a person may read of it.
    ///
    /// `total` may be a number, `None`, or an `Option<f64>`. An empty `message` says nothing. This never waits and never
    /// fails: it is sent as `notifications/progress` where the client asked for that, and becomes the status message
    /// of a task. When a client reads too slowly, it sees fewer steps, not later ones.
    pub fn progress(&self, done: impl Amount, total: impl Total, message: impl AsRef<str>) {
        let (done, total, message) = (done.amount(), total.total(), message.as_ref());
        if let Some(outlet) = self.outlet() {
            let mut sent = self.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
            // "The progress value MUST increase with each notification", and "MUST stop after completion".
            if sent.is_none_or(|last| done > last) && self.state() & (CANCELLED | OVER) == 0 {
                *sent = Some(done);
                outlet.progress(&Progress { done, total, message });
            }
        }
        if let Some(task) = self.0.task.get() {
            let message = if message.is_empty() { None } else { Some(message.into()) };
            task.report(Report { progress: Some((done, total)), message });
        }
    }

    /// Says what a person may read of how far a task is, without numbers. A call that is no task has nowhere to show it.
    pub fn message(&self, message: impl AsRef<str>) {
        if let Some(task) = self.0.task.get() {
            task.report(Report { progress: None, message: Some(message.as_ref().into()) });
        }
    }

    /// Sends the client a log message: `data` is text, or anything that is JSON.
    ///
    /// It is sent as `notifications/message` to clients that want to hear of what matters that much: on the legacy wire
    /// what `logging/setLevel` asked for (before that, [`LogLevel::Info`]), on the modern wire what the request itself
    /// asks for. This never waits and never fails. It is for the client's side; a server's own log is `tracing`.
    pub fn log(&self, level: LogLevel, data: impl Serialize) {
        self.log_as(level, None, &data);
    }

    /// The same, under the name of the part of the server that says it.
    pub fn log_from(&self, logger: &str, level: LogLevel, data: impl Serialize) {
        self.log_as(level, Some(logger), &data);
    }

    fn log_as(&self, level: LogLevel, logger: Option<&str>, data: &impl Serialize) {
        let Some(outlet) = self.outlet().filter(|outlet| outlet.hears(level)) else { return };
        match payload::encode(data) {
            Ok(data) => {
                let _sending = self.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
                if self.state() & (CANCELLED | OVER) == 0 {
                    outlet.log(level, logger, &data);
                }
            }
            Err(error) => tracing::warn!(%error, "a log message could not be written as JSON"),
        }
    }

    /// Closes the stream on which the client waits for this call, without ending the call: the client comes back for what
    /// follows, after the time that `Http::retry` says.
    ///
    /// This is for calls that take so long that no connection should be held open for them. It does nothing where a client
    /// cannot come back: on other transports, without a session, and before revision 2025-11-25 (SEP-1699); and nothing in
    /// a task.
    pub fn close_stream(&self) {
        if let Some(outlet) = self.outlet() {
            outlet.close_stream();
        }
    }

    /// Where notifications of this call go, if there is such a place. One that was detached has left its own behind.
    fn outlet(&self) -> Option<&dyn Outlet> {
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
            if self.0.state.fetch_or(COOPERATIVE, Ordering::AcqRel) & CANCELLED != 0 {
                return;
            }
            notified.await;
        }
    }

    /// Whether the call was cancelled.
    pub fn is_cancelled(&self) -> bool {
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

    /// Allows the call to become a task.
    pub(crate) fn allow_detaching(&self) {
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
        if self.0.task.set(task).is_ok() {
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

/// A number of steps, bytes, items: whatever is counted.
pub trait Amount {
    /// The number as the protocol has it.
    fn amount(self) -> f64;
}

/// How much there is in all, if that is known.
pub trait Total {
    /// The number as the protocol has it.
    fn total(self) -> Option<f64>;
}

macro_rules! amounts {
    ($($type:ty)*) => {$(
        impl Amount for $type {
            #[allow(clippy::cast_lossless)]
            fn amount(self) -> f64 {
                self as f64
            }
        }

        impl Total for $type {
            fn total(self) -> Option<f64> {
                Some(self.amount())
            }
        }
    )*};
}

amounts!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64);

// Of `Option` there is one implementation only, so that a plain `None` says what it means.
impl Total for Option<f64> {
    fn total(self) -> Option<f64> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sent(Arc<Mutex<Vec<f64>>>);

    impl Outlet for Sent {
        fn progress(&self, progress: &Progress<'_>) {
            self.0.lock().expect("not poisoned").push(progress.done);
        }

        fn hears(&self, _: LogLevel) -> bool {
            false
        }

        fn log(&self, _: LogLevel, _: Option<&str>, _: &RawValue) {}

        fn ask(&self, _: &Context, _: &Arc<str>, _: &Arc<InputRequest>) -> bool {
            false
        }

        fn withdraw(&self, _: &str) {}

        fn close_stream(&self) {}
    }

    #[test]
    fn progress_only_ever_increases_on_the_wire() {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let cx = Context::new(
            Principal::local(),
            ClientCapabilities::default(),
            None,
            Some(Box::new(Sent(Arc::clone(&sent)))),
        );
        for done in [0, 5, 5, 3, 6] {
            cx.progress(done, None, "");
        }
        assert_eq!(*sent.lock().expect("not poisoned"), [0.0, 5.0, 6.0]);
        cx.close();
        cx.progress(7, None, "");
        assert_eq!(sent.lock().expect("not poisoned").len(), 3, "and stops when the call is over");
    }

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
