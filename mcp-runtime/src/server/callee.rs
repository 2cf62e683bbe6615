//! What a request may call: a tool, a prompt, a resource. The same machinery runs all of them, as calls and as tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::run::Begin;
use crate::protocol::ProtocolError;
use crate::task::{Context, Scope};
use crate::tool::{AnyJobs, Mirrored, States, TaskPolicy};
use crate::wire::Call;

/// Something that can be called.
pub(crate) trait Callee: Send + Sync {
    /// What does not depend on its kind.
    fn traits(&self) -> &Traits;

    /// The arguments that a client repeats in headers.
    fn mirrored(&self) -> &[Mirrored] {
        &[]
    }

    /// The jobs elsewhere that it may begin and leave its task to.
    fn jobs(&self) -> Option<Jobs<'_>> {
        None
    }

    /// Checks and takes what came with the call. Nothing of the author's runs yet but what reads that.
    fn begin(&self, call: &Call<'_>, states: &States, cx: &Context) -> Result<Begin, ProtocolError>;
}

/// The jobs elsewhere that a tool may begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jobs<'a> {
    pub(crate) kind: &'a Arc<dyn AnyJobs>,
    /// Whether what they give is wrapped on the legacy wires.
    pub(crate) wraps: bool,
}

/// What every callee has.
#[derive(Debug)]
pub(crate) struct Traits {
    /// The name by which it is called; of a resource, its URI or template.
    pub(crate) name: Arc<str>,
    pub(crate) task: TaskPolicy,
    /// How often a task of it is run again whose run was cut off.
    pub(crate) retries: u32,
    /// The places for its tasks to run in, if they are limited.
    pub(crate) places: Option<Arc<Semaphore>>,
    pub(crate) pace: Pace,
}

impl Traits {
    /// What may run again without harm is run again this often, if its author says nothing else.
    const RETRIES: u32 = 5;

    /// `is_harmless`: running it again does no more than running it once.
    pub(crate) fn new(name: Arc<str>, task: TaskPolicy, is_harmless: bool) -> Self {
        let places =
            task.concurrency.map(|places| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))));
        let retries = task.retries.unwrap_or(if is_harmless { Self::RETRIES } else { 0 });
        Self { name, task, retries, places, pace: Pace::default() }
    }

    /// Where a call of it is among others, if that matters: what it calls finds the place that it has.
    pub(super) fn scope(&self) -> Option<Scope> {
        self.places.as_ref().map(|_| Scope::in_place(&self.name))
    }
}

/// Whether calls of a tool may run on the thread that reads requests until they first wait.
///
/// That saves handing the call to another thread and the answer back, but nothing is read meanwhile. So a tool earns it
/// by being quick several times in a row, and loses it the first time that it is not. It may earn it again, for a call
/// can be slow through no fault of its own; but it takes twice as many each time.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Quick calls since the last one that was not.
    quick: AtomicU32,
    /// How often it was lost.
    lost: AtomicU32,
}

impl Pace {
    /// So many quick calls in a row are trusted at first.
    const TRUSTED: u32 = 16;
    /// What a call may take before it first waits.
    const QUICK: Duration = Duration::from_millis(1);

    pub(crate) fn is_quick(&self) -> bool {
        let wanted = Self::TRUSTED << self.lost.load(Ordering::Relaxed).min(16);
        self.quick.load(Ordering::Relaxed) >= wanted
    }

    /// Takes note of how long a call took until it first waited. Calls side by side may overwrite each other's note,
    /// which costs a little time and nothing else.
    pub(crate) fn note(&self, taken: Duration) {
        if taken > Self::QUICK {
            self.quick.store(0, Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        } else if !self.is_quick() {
            self.quick.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_earns_the_reading_thread_and_after_losing_it_takes_longer_to_earn_it_again() {
        let pace = Pace::default();
        let earn = || {
            let mut calls = 0;
            while !pace.is_quick() {
                pace.note(Duration::ZERO);
                calls += 1;
            }
            calls
        };
        assert_eq!(earn(), Pace::TRUSTED);
        pace.note(Pace::QUICK * 2);
        assert!(!pace.is_quick());
        assert_eq!(earn(), 2 * Pace::TRUSTED);
    }
}
