//! What waits for the thread that writes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::super::{StoreError, TaskId};
use super::error::{Failure, Problem, SqliteError};
use super::writing::Writing;

/// How long what was said may wait to be written, unless its task is written anyway.
const DELAY: Duration = Duration::from_millis(100);

/// What the disk takes longer for is not waited for longer.
const LONGEST_GATHERING: Duration = Duration::from_millis(10);

/// How long it waits when it could not be written.
const PAUSE: Duration = Duration::from_secs(1);

/// A change of the file, which somebody waits for.
pub(super) trait Operation: Send {
    /// Makes the change, as a part of a transaction. It is called again if that was rolled back. An error rolls it back.
    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), Problem>;

    /// Tells what came of it, once that is on the disk.
    fn answer(self: Box<Self>, outcome: Result<(), SqliteError>);
}

/// An operation, made of a function.
pub(super) struct Asked<T, F> {
    pub(super) doing: &'static str,
    pub(super) run: F,
    pub(super) outcome: Option<Result<T, StoreError>>,
    pub(super) answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Operation for Asked<T, F>
where
    T: Send,
    F: FnMut(&mut Writing<'_>) -> Result<T, Failure> + Send,
{
    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), Problem> {
        if self.answer.is_closed() {
            return Ok(());
        }
        self.outcome = Some(match (self.run)(writing) {
            Ok(value) => Ok(value),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(Failure::File(problem)) => return Err(problem),
        });
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), SqliteError>) {
        let answer = match (outcome, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Err(error), _) => Err(StoreError::Failed(self.doing, Box::new(error))),
            // Nobody waited.
            (Ok(()), None) => return,
        };
        let _ = self.answer.send(answer);
    }
}

/// What waits.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    /// Whether something was said that is not written: then the thread knows, and need not be told again.
    has_said: AtomicBool,
}

#[derive(Default)]
struct State {
    operations: Vec<Box<dyn Operation>>,
    looks: Vec<Look>,
    /// When what was said is to be written.
    due: Option<Instant>,
    is_closed: bool,
    /// For how many operations the thread sleeps, if it does: it is not woken for fewer.
    sleeps_for: Option<usize>,
    /// How many operations there were the last time, and how long they took.
    last: (usize, Duration),
}

/// Somebody who wants to know what other processes changed.
pub(super) type Look = oneshot::Sender<Result<Vec<TaskId>, SqliteError>>;

/// What the thread is to do next.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) operations: Vec<Box<dyn Operation>>,
    pub(super) looks: Vec<Look>,
    /// Whether what was said is to be written.
    pub(super) writes_said: bool,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an operation at the end. It is dropped if the thread has stopped.
    pub(super) fn push(&self, operation: Box<dyn Operation>) {
        let mut state = self.state();
        if !state.is_closed {
            state.operations.push(operation);
            let is_enough = state.sleeps_for.is_some_and(|enough| state.operations.len() >= enough);
            self.wake(state, is_enough);
        }
    }

    fn wake(&self, mut state: MutexGuard<'_, State>, is_enough: bool) {
        if is_enough && state.sleeps_for.take().is_some() {
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Asks what other processes changed.
    pub(super) fn look(&self, look: Look) {
        let mut state = self.state();
        if !state.is_closed {
            state.looks.push(look);
            self.wake(state, true);
        }
    }

    /// Something was said, and is to be written soon or at once.
    pub(super) fn said(&self, at_once: bool) {
        // Whoever sees `true` here put it down before the thread took what there is, or it would see what the thread did
        // first: one lock guards both.
        let is_known = self.has_said.load(Ordering::Acquire) || self.has_said.swap(true, Ordering::SeqCst);
        if is_known && !at_once {
            return;
        }
        let mut state = self.state();
        let due = Instant::now() + if at_once { Duration::ZERO } else { DELAY };
        state.due = Some(state.due.map_or(due, |known| known.min(due)));
        self.wake(state, true);
    }

    /// What was said could not be written.
    pub(super) fn pause(&self) {
        let mut state = self.state();
        if !state.is_closed {
            self.has_said.store(true, Ordering::SeqCst);
            state.due = Some(Instant::now() + PAUSE);
        }
    }

    /// Nothing comes any more; what is here is still done.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.wake(state, true);
    }

    /// So many operations were done together, and it took so long.
    pub(super) fn done(&self, operations: usize, took: Duration) {
        self.state().last = (operations, took);
    }

    /// Nothing is done any more: who waits is told so, by what it waits for being dropped.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.is_closed = true;
        let waiting = (std::mem::take(&mut state.operations), std::mem::take(&mut state.looks));
        drop(state);
        drop(waiting);
    }

    /// Waits for something to do. After the queue was closed: once more, and then never.
    ///
    /// Those who were answered together come back at about the same time. Waiting for them costs each less than it costs
    /// all to wait for the disk once more.
    pub(super) fn next(&self) -> Option<Turn> {
        let mut state = self.state();
        let (together, took) = state.last;
        let patience = took.min(LONGEST_GATHERING) / 2;
        let mut gathers_until: Option<Instant> = None;
        loop {
            let now = Instant::now();
            let is_due = state.due.is_some_and(|due| due <= now || state.is_closed);
            if !state.operations.is_empty() {
                gathers_until.get_or_insert(now + patience);
            }
            let is_patient = gathers_until.is_some_and(|until| now < until) && !state.is_closed;
            let enough = if is_patient { together.max(1) } else { 1 };
            if is_due || state.operations.len() >= enough || !state.looks.is_empty() {
                if is_due {
                    state.due = None;
                    // From here on, who says something tells of it again.
                    self.has_said.store(false, Ordering::SeqCst);
                }
                let operations = std::mem::take(&mut state.operations);
                let looks = std::mem::take(&mut state.looks);
                return Some(Turn { operations, looks, writes_said: is_due });
            }
            if state.is_closed {
                return None;
            }
            let wakes_at = state.due.into_iter().chain(gathers_until).min();
            state.sleeps_for = Some(enough);
            state = match wakes_at.map(|at| at.saturating_duration_since(now)) {
                Some(wait) => self.wake.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.sleeps_for = None;
        }
    }
}
