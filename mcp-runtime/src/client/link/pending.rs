//! The requests that wait for an answer on a way that all of them share.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{Broken, Outcome};

/// Who waits for which answer, until the way breaks.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<i64, oneshot::Sender<Outcome>>,
    /// Why it leads nowhere any more, if it does not.
    broken: Option<String>,
}

/// A place in the queue, left when it is dropped.
pub(super) struct Waiting<'a> {
    pending: &'a Pending,
    id: i64,
    answer: oneshot::Receiver<Outcome>,
}

impl Pending {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the answer to a request that is about to be sent.
    pub(super) fn wait(&self, id: i64) -> Result<Waiting<'_>, Broken> {
        let mut state = self.state();
        if let Some(why) = &state.broken {
            return Err(Broken::Unsent(why.clone()));
        }
        let (sender, answer) = oneshot::channel();
        state.waiting.insert(id, sender);
        Ok(Waiting { pending: self, id, answer })
    }

    /// Gives an answer to who waits for it.
    pub(super) fn settle(&self, id: i64, outcome: Outcome) {
        if let Some(waiting) = self.state().waiting.remove(&id) {
            // Whoever gave up is not told.
            let _ = waiting.send(outcome);
        }
    }

    /// Nothing comes any more.
    pub(super) fn break_off(&self, why: impl Into<String>) {
        let mut state = self.state();
        state.broken.get_or_insert_with(|| why.into());
        state.waiting.clear();
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().broken.is_none()
    }

    /// Why nothing comes any more.
    pub(super) fn why(&self) -> String {
        self.state().broken.clone().unwrap_or_else(|| "the connection was closed".to_owned())
    }
}

impl Waiting<'_> {
    /// The answer.
    pub(super) async fn answer(mut self) -> Result<Outcome, Broken> {
        match (&mut self.answer).await {
            Ok(outcome) => Ok(outcome),
            Err(_) => Err(Broken::Lost(self.pending.why())),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pending.state().waiting.remove(&self.id);
    }
}
