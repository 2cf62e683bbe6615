//! How a running function asks its client, and how it remembers what must not run twice.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::journal::Journal;
use super::record::Question;
use crate::input::{Capability, InputError, InputRequest, InputResponse};
use crate::protocol::payload;

impl Context {
    /// Asks the client and waits for its answer. Cancel safe: a question whose future is dropped is withdrawn.
    pub(crate) async fn ask(
        &self,
        needs: impl IntoIterator<Item = Capability>,
        key: Option<String>,
        request: Arc<InputRequest>,
    ) -> Result<Arc<InputResponse>, InputError> {
        if let Some(missing) = needs.into_iter().find(|capability| !self.client().has(*capability)) {
            return Err(InputError::Unsupported(missing));
        }
        if self.is_done_with() {
            return Err(self.lost());
        }
        let name = key.unwrap_or_else(|| request.default_key());
        let key = self.journal(|journal| journal.claim(&name));
        if let Some(answer) = self.journal(|journal| journal.ask(&key, &request)) {
            return Ok(answer);
        }
        let asked = Asked { cx: self, key: &key };
        match (self.0.task.get(), &self.0.outlet) {
            (Some(task), _) => task.ask(Question::new(Arc::clone(&key), request)).await?,
            (None, Some(outlet)) if outlet.ask(self, &key, &request) => {}
            // Whoever drives the call sees what is open, and ends it with that.
            (None, _) => {}
        }
        let answer = self.answered(&key).await;
        drop(asked);
        answer
    }

    async fn answered(&self, key: &str) -> Result<Arc<InputResponse>, InputError> {
        loop {
            let mut woken = std::pin::pin!(self.0.wake.notified());
            woken.as_mut().enable();
            if let Some(answer) = self.journal(|journal| journal.answer(key)) {
                return Ok(answer);
            }
            if self.is_done_with() {
                return Err(self.lost());
            }
            woken.await;
        }
    }

    fn lost(&self) -> InputError {
        let what = if self.was_cancelled() { "the call was cancelled" } else { "the call is over" };
        InputError::Lost(what.to_owned())
    }

    /// Gives an answer to whoever waits for it; whether somebody does.
    pub(crate) fn put_answer(&self, key: &str, answer: Arc<InputResponse>) -> bool {
        let is_wanted = self.journal(|journal| journal.put(key, answer));
        if is_wanted {
            self.0.wake.notify_waiters();
        }
        is_wanted
    }

    /// Runs something once, and remembers what it gave, for a function that may run again from its beginning.
    ///
    /// A plain call of the modern wire ends when it [asks](Self::elicit), and runs again when the answer is there: a step
    /// that was done is not done again then, but gives what it gave. The memory travels with the client, sealed, so steps
    /// should give little. A step that is cut off before its end runs again; a question that is awaited beside it
    /// (`tokio::join!`) cuts it off.
    ///
    /// What stands between steps may run again, so it should do nothing but look. Steps are known by name, and in a loop
    /// by their turn; branches that run side by side must give theirs different names.
    ///
    /// ```
    /// use mcp_runtime::prelude::*;
    /// # #[derive(Deserialize, JsonSchema)] struct Confirm { sure: bool }
    /// # async fn reserve(_: &str) -> String { String::new() }
    ///
    /// /// Order a book.
    /// #[tool]
    /// async fn order(
    ///     /// Its title.
    ///     title: String,
    ///     cx: Context,
    /// ) -> Result<String, ToolError> {
    ///     let reservation = cx.step("reserve", || reserve(&title)).await?;
    ///     cx.elicit::<Confirm>(format!("Order {title}?")).await?;
    ///     Ok(reservation)
    /// }
    /// # let _ = tools![order];
    /// ```
    ///
    /// # Errors
    ///
    /// [`StepError`] if the value cannot be written as JSON, or if what is remembered under this name is no `T`: then the
    /// code is not the one that remembered it.
    pub async fn step<T, F>(&self, name: &str, work: impl FnOnce() -> F) -> Result<T, StepError>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = T>,
    {
        let key = self.journal(|journal| journal.claim(&format!("step {name}")));
        let failed = |error: serde_json::Error| StepError { step: name.to_owned(), what: error.to_string() };
        let known = self.journal(|journal| {
            journal.step(&key).map(|value| serde_json::from_str::<T>(value.get()).map_err(failed))
        });
        if let Some(known) = known {
            return known;
        }
        let value = work().await;
        let encoded = payload::encode(&value).map_err(failed)?;
        self.journal(|journal| journal.keep_step(key, encoded));
        Ok(value)
    }

    /// Asks in the name of the task that the call has become what was asked before.
    pub(crate) async fn ask_again(&self) -> Result<(), InputError> {
        let Some(task) = self.0.task.get() else { return Ok(()) };
        for (key, request) in self.open_questions() {
            task.ask(Question::new(key, request)).await?;
        }
        Ok(())
    }

    /// What the call asked and nobody has answered.
    pub(crate) fn open_questions(&self) -> Vec<(Arc<str>, Arc<InputRequest>)> {
        self.journal(|journal: &mut Journal| journal.open().to_vec())
    }
}

/// A question, until its future is done with it.
struct Asked<'a> {
    cx: &'a Context,
    key: &'a Arc<str>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let was_open = self.cx.journal(|journal| journal.withdraw(self.key));
        if !was_open {
            return;
        }
        match (self.cx.0.task.get(), &self.cx.0.outlet) {
            // A task that is stopped as a whole takes nothing back: another run of it may want to know.
            (Some(task), _) if !self.cx.was_cancelled() => task.withdraw(Arc::clone(self.key)),
            (None, Some(outlet)) => outlet.withdraw(self.key),
            (Some(_), _) | (None, None) => {}
        }
    }
}

/// Why a [step](Context::step) gives nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepError {
    step: String,
    what: String,
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the result of the step `{}` cannot be remembered, or is not what this code expects: {}",
            self.step, self.what
        )
    }
}

impl std::error::Error for StepError {}
