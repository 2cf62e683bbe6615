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
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Asks what other processes changed.
    pub(super) fn look(&self, look: Look) {
        let mut state = self.state();
        if !state.is_closed {
            state.looks.push(look);
            drop(state);
            self.wake.notify_one();
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
        drop(state);
        self.wake.notify_one();
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
        self.state().is_closed = true;
        self.wake.notify_one();
    }

    /// Waits for something to do. After the queue was closed: once more, and then never.
    pub(super) fn next(&self) -> Option<Turn> {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let writes_said = state.due.is_some_and(|due| due <= now || state.is_closed);
            if writes_said {
                state.due = None;
                // From here on, who says something tells of it again.
                self.has_said.store(false, Ordering::SeqCst);
            }
            if writes_said || !state.operations.is_empty() || !state.looks.is_empty() {
                let operations = std::mem::take(&mut state.operations);
                let looks = std::mem::take(&mut state.looks);
                return Some(Turn { operations, looks, writes_said });
            }
            if state.is_closed {
                return None;
            }
            state = match state.due {
                Some(due) => {
                    let wait = due.saturating_duration_since(now);
                    self.wake.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}
