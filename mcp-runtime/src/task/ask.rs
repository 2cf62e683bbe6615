//! How a running function asks its client, and how it remembers what must not run twice.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::context::Context;
use super::journal::{Journal, Step, entry_within};
use super::record::Question;
use crate::input::{Capability, InputError, InputRequest, InputResponse};
use crate::protocol::payload;
use crate::telemetry::One;

/// How long a step waits for one that is to come first. If that does not come by then, the code has changed.
const PATIENCE: Duration = Duration::from_secs(1);

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
        // The client knows the call above all, and is asked by that.
        let top = self.top();
        if self.is_done_with() || top.is_done_with() {
            return Err(self.lost());
        }
        let name = key.unwrap_or_else(|| request.default_key());
        let mut key = self.journal(|journal| journal.claim(&name));
        if let Some(above) = self.above() {
            key = format!("{}{key}", above.prefix).into();
        }
        if let Some(answer) = top.journal(|journal| journal.ask(&key, &request)) {
            return Ok(answer);
        }
        let asked = Asked { cx: self, top, key: &key };
        match (top.0.task.get(), &top.0.outlet) {
            (Some(task), _) => {
                let asked = top.journal(|journal| journal.asked());
                task.ask(Question::new(Arc::clone(&key), request), asked).await?;
            }
            (None, Some(outlet)) if outlet.ask(top, &key, &request) => {}
            // Whoever drives the call sees what is open, and ends it with that.
            (None, _) => {}
        }
        let answer = {
            let _open = One::open_question();
            self.answered(top, &key).await
        };
        drop(asked);
        answer
    }

    async fn answered(&self, top: &Self, key: &str) -> Result<Arc<InputResponse>, InputError> {
        loop {
            let (mut woken, mut stopped) =
                (std::pin::pin!(top.0.wake.notified()), std::pin::pin!(self.0.wake.notified()));
            woken.as_mut().enable();
            stopped.as_mut().enable();
            if let Some(answer) = top.journal(|journal| journal.answer(key)) {
                return Ok(answer);
            }
            if self.is_done_with() || top.is_done_with() {
                return Err(self.lost());
            }
            poll_fn(|task| match (woken.as_mut().poll(task), stopped.as_mut().poll(task)) {
                (Poll::Pending, Poll::Pending) => Poll::Pending,
                _ => Poll::Ready(()),
            })
            .await;
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
    /// A task runs again when the server that ran it has died, if its tool allows that (`idempotent`, or `task(retries =
    /// 3)`), and when it waited for its client meanwhile. A plain call of the modern wire ends when it
    /// [asks](Self::elicit), and runs again when the answer is there. A step that was done is not done again then, but gives
    /// what it gave: at once, from what is remembered. Answers to questions are remembered in the same way.
    ///
    /// - What a task remembers is stored before this returns, so that a step whose value anybody has seen never runs again.
    ///   A step that is cut off before that runs again: what it does should be safe to do twice, or be told apart by a key
    ///   that an earlier step made. The memory of a plain call travels with the client, sealed.
    /// - What stands between steps runs again. It should do nothing but look and compute, and come to the same: what is
    ///   random, or the time, belongs in a step.
    /// - Steps are known by name, and in a loop by their turn; branches that run side by side must give theirs different
    ///   names. Steps that follow one another must do so in every run. When the code has changed so that another step would
    ///   come first, this fails, rather than do anew under another name what was done.
    /// - Cancel safe: a step that is dropped is cut off. A question that is awaited beside it (`tokio::join!`) cuts it off,
    ///   too, when a plain call of the modern wire ends with it.
    ///
    /// Work that may fail, and be tried again later, is a [`try_step`](Self::try_step).
    ///
    /// ```
    /// use mcp_runtime::prelude::*;
    /// # #[derive(Deserialize, JsonSchema)] struct Confirm { sure: bool }
    /// # async fn reserve(_: &str) -> String { String::new() }
    ///
    /// /// Order a book.
    /// #[tool(task(retries = 3))]
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
    /// [`StepError`] if the value cannot be written as JSON or cannot be stored, if what is remembered under this name is no
    /// `T`, or if another step is remembered in its place: then the code is not the one that remembered it.
    pub async fn step<T, F>(&self, name: &str, work: impl FnOnce() -> F) -> Result<T, StepError>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = T>,
    {
        let done = self.try_step(name, || async { Ok::<T, Infallible>(work().await) }).await;
        done.map_err(|error| match error {
            TryStepError::Step(error) => error,
            TryStepError::Work(never) => match never {},
        })
    }

    /// As [`step`](Self::step), for work that may fail: what it gives is remembered, and an error of its is not, so that a
    /// later run tries again.
    pub async fn try_step<T, E, F>(&self, name: &str, work: impl FnOnce() -> F) -> Result<T, TryStepError<E>>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, E>>,
    {
        let wrong = |wrong| TryStepError::Step(StepError { step: name.into(), wrong });
        let mut begun = self.journal(|journal| journal.begin_step(name));
        if let Step::Unfit { key, .. } = begun {
            begun = Box::pin(self.step_in_turn(key)).await;
        }
        // Another branch may wait for this one.
        self.0.wake.notify_waiters();
        let key = match begun {
            Step::Known(value) => {
                let known = serde_json::from_str(value.get());
                return known.map_err(|error| wrong(Wrong::Unfit(error.to_string())));
            }
            Step::Unfit { expected, .. } => return Err(wrong(Wrong::OutOfTurn { expected })),
            Step::New(key) => AtWork { cx: self, key },
        };
        let value = work().await.map_err(TryStepError::Work)?;
        let unwritable = |error: serde_json::Error| wrong(Wrong::Unwritable(error.to_string()));
        let encoded = payload::encode(&value).map_err(unwritable)?;
        // What a call remembers that is a part of another one, that one remembers.
        let within = self.inline_caller().and(self.above()).map(|above| (self.top(), &above.prefix));
        let keeper = within.map_or(self, |(top, _)| top);
        if let Some(task) = keeper.0.task.get() {
            let entry = match within {
                None => self.journal(|journal| journal.end_step(&key.key, &encoded)),
                Some((_, prefix)) => {
                    let alone = self.journal(|journal| journal.is_alone(&key.key));
                    entry_within(prefix, &key.key, &encoded, alone)
                }
            };
            let size = keeper.journal(|journal| journal.size());
            let remembered = task.remember(entry.map_err(unwritable)?, size).await;
            remembered.map_err(|error| wrong(Wrong::Lost(error.to_string())))?;
        }
        if let Some((top, prefix)) = within {
            let alone = self.journal(|journal| journal.is_alone(&key.key));
            top.journal(|journal| {
                journal.keep_within(prefix, Arc::clone(&key.key), encoded.clone(), alone);
            });
        }
        self.journal(|journal| journal.keep_step(Arc::clone(&key.key), encoded));
        Ok(value)
    }

    /// Begins a step that came before one that is remembered: once that has come. Branches that run side by side come in
    /// another order each time, and one that was quick may be remembered as if it had run alone.
    async fn step_in_turn(&self, key: Arc<str>) -> Step {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut woken = std::pin::pin!(self.0.wake.notified());
            woken.as_mut().enable();
            let step = self.journal(|journal| journal.enter_step(Arc::clone(&key)));
            let is_early = matches!(step, Step::Unfit { .. });
            if !is_early || tokio::time::timeout_at(until, woken).await.is_err() {
                return step;
            }
        }
    }

    /// Whether it waits for its client.
    pub(crate) fn is_asking(&self) -> bool {
        self.journal(|journal| !journal.open().is_empty()) || self.waits_at_the_top()
    }

    /// Asks in the name of the task that the call has become what was asked before.
    pub(crate) async fn ask_again(&self) -> Result<(), InputError> {
        let Some(task) = self.0.task.get() else { return Ok(()) };
        let asked = self.journal(|journal| journal.asked());
        for (key, request) in self.open_questions() {
            task.ask(Question::new(key, request), asked).await?;
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
    /// In whose name the client is asked.
    top: &'a Context,
    key: &'a Arc<str>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        // A call that is stopped as a whole takes nothing back: whoever calls it does that, or another run wants to know.
        if self.cx.above().is_some() && self.cx.was_cancelled() {
            return;
        }
        let was_open = self.top.journal(|journal| journal.withdraw(self.key));
        if !was_open {
            return;
        }
        match (self.top.0.task.get(), &self.top.0.outlet) {
            // The same of a task.
            (Some(task), _) if !self.top.was_cancelled() => task.withdraw(Arc::clone(self.key)),
            (None, Some(outlet)) => outlet.withdraw(self.key),
            (Some(_), _) | (None, None) => {}
        }
    }
}

/// A step, until it is remembered.
struct AtWork<'a> {
    cx: &'a Context,
    key: Arc<str>,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        // Nothing is left to cut of one that is remembered.
        self.cx.journal(|journal| journal.cut_step(&self.key));
    }
}

/// Why a [step](Context::step) gives nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepError {
    step: Box<str>,
    wrong: Wrong,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wrong {
    Unwritable(String),
    Unfit(String),
    OutOfTurn { expected: Box<str> },
    Lost(String),
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, wrong } = self;
        match wrong {
            Wrong::Unwritable(why) => {
                write!(f, "the result of the step `{step}` cannot be remembered: {why}")
            }
            Wrong::Unfit(why) => write!(
                f,
                "what the step `{step}` gave in an earlier run is not what this code expects ({why}): the code has changed \
                 since; call the tool again"
            ),
            Wrong::OutOfTurn { expected } => write!(
                f,
                "the step `{step}` was about to run where an earlier run did `{expected}`: the code has changed since, and \
                 nothing is done twice by guessing; call the tool again"
            ),
            Wrong::Lost(why) => write!(f, "the result of the step `{step}` could not be stored: {why}"),
        }
    }
}

impl std::error::Error for StepError {}

/// Why a [`try_step`](Context::try_step) gives nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryStepError<E> {
    /// The work failed. This is not remembered.
    Work(E),
    /// What it gave could not be remembered, or does not fit what is.
    Step(StepError),
}

impl<E: fmt::Display> fmt::Display for TryStepError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Work(error) => error.fmt(f),
            Self::Step(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for TryStepError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Work(error) => error.source(),
            Self::Step(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::journal::Kept;
    use std::collections::HashMap;

    /// The context of the next run.
    fn again(cx: &Context) -> Context {
        let entries = cx.journal(|journal| journal.kept().entries()).expect("JSON");
        let kept = Kept::of_entries(entries, &[]).expect("as it was written");
        let next = Context::detached();
        next.resume(Journal::resume(kept, HashMap::new()));
        next
    }

    #[tokio::test(start_paused = true)]
    async fn branches_may_come_in_another_order_even_if_one_of_them_was_quick() {
        let first = Context::detached();
        for name in ["a", "b"] {
            first.step(name, || async { name.to_owned() }).await.expect("remembered");
        }
        let second = again(&first);
        let step = |name| second.step::<String, _>(name, || async { "done".to_owned() });
        let (c, b, a) = tokio::join!(step("c"), step("b"), step("a"));
        assert_eq!((a.as_deref(), b.as_deref(), c.as_deref()), (Ok("a"), Ok("b"), Ok("done")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_is_to_come_first_and_does_not_is_not_waited_for_long() {
        let first = Context::detached();
        first.step("a", || async {}).await.expect("remembered");
        let refused = again(&first).step("b", || async {}).await.expect_err("it is not its turn");
        assert!(refused.to_string().contains("where an earlier run did `a`"), "{refused}");
    }
}
