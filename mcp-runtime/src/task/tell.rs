//! What a running function says while it is at work: how far it is, what it has found so far, what its log says.

use std::sync::{Arc, PoisonError};

use serde::Serialize;
use serde_json::value::RawValue;

use super::context::Context;
use super::engine::TaskLink;
use super::record::Report;
use crate::input::InputRequest;
use crate::protocol::log::LogLevel;
use crate::protocol::payload;

/// Progress of a call, as a wire sends it.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    pub(crate) done: f64,
    pub(crate) total: Option<f64>,
    pub(crate) message: &'a str,
    /// A partial result, and how many there were before it.
    pub(crate) partial: Option<(u32, &'a RawValue)>,
}

/// Where a call's notifications go: a wire's words over a transport's channel.
pub(crate) trait Outlet: Send + Sync {
    /// Sends progress; drops it if the channel is full.
    fn progress(&self, progress: &Progress<'_>);

    /// How large a partial result may be, in bytes, if the client wants to hear of progress.
    fn max_partials_size(&self) -> Option<usize>;

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

/// The progress that was sent so far.
#[derive(Debug)]
pub(super) struct Sent {
    /// The last number. Before the first there is nothing that would be less.
    last: f64,
    /// The function gives numbers of its own.
    reports: bool,
    /// The function has said something that a person may read.
    speaks: bool,
    /// The last number was none of the function's own.
    is_counted: bool,
}

impl Default for Sent {
    fn default() -> Self {
        Self { last: f64::NEG_INFINITY, reports: false, speaks: false, is_counted: false }
    }
}

impl Sent {
    /// What to send for a report of the function's, if anything: "The progress value MUST increase with each
    /// notification".
    fn report(&mut self, done: f64, total: Option<f64>) -> Option<(f64, Option<f64>)> {
        self.reports = true;
        if done > self.last {
            (self.last, self.is_counted) = (done, false);
            return Some((done, total));
        }
        // Something else counted further than the function does. Its words are heard, with a number that says nothing.
        self.is_counted.then(|| {
            self.last = self.last.next_up();
            (self.last, None)
        })
    }

    /// Whether the function gives numbers of its own.
    pub(super) fn reports(&self) -> bool {
        self.reports
    }

    /// Whether the function has said something that a person may read.
    pub(super) fn speaks(&self) -> bool {
        self.speaks
    }

    /// The number to send when what the function calls is so far, if any.
    pub(super) fn count(&mut self, done: f64) -> Option<f64> {
        (done > self.last).then(|| {
            (self.last, self.is_counted) = (done, true);
            done
        })
    }

    /// The number to send with this partial result: how many there are, as long as nothing else is counted.
    fn partial(&mut self, index: u32) -> f64 {
        let count = f64::from(index) + 1.0;
        if !self.reports && count > self.last {
            (self.last, self.is_counted) = (count, true);
        } else {
            self.last = if self.last.is_finite() { self.last.next_up() } else { 0.0 };
        }
        self.last
    }
}

impl Context {
    /// Says how much is done, of how much, and what a person may read of it.
    ///
    /// `total` may be a number, `None`, or an `Option<f64>`. An empty `message` says nothing. This never waits and never
    /// fails: it is sent as `notifications/progress` where the client asked for that, and becomes the status message
    /// of a task. When a client reads too slowly, it sees fewer steps, not later ones.
    pub fn progress(&self, done: impl Amount, total: impl Total, message: impl AsRef<str>) {
        let (done, total, message) = (done.amount(), total.total(), message.as_ref());
        {
            let mut sent = self.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.speaks |= !message.is_empty();
            // It "MUST stop after completion".
            if let Some((done, total)) = sent.report(done, total).filter(|_| !self.is_done_with())
                && let Some(outlet) = self.outlet()
            {
                outlet.progress(&Progress { done, total, message, partial: None });
            }
        }
        self.count_for_caller(Some((done, total)), message);
        if let Some(task) = self.0.task.get() {
            let message = if message.is_empty() { None } else { Some(message.into()) };
            task.report(Report { progress: Some((done, total)), message });
        }
    }

    /// Says what a person may read of how far a task is, without numbers. A call that is no task has nowhere to show it.
    pub fn message(&self, message: impl AsRef<str>) {
        let message = message.as_ref();
        self.0.sent.lock().unwrap_or_else(PoisonError::into_inner).speaks = true;
        self.count_for_caller(None, message);
        if let Some(task) = self.0.task.get() {
            task.report(Report { progress: None, message: Some(message.into()) });
        }
    }

    /// Gives a part of the result before the whole is there, for whoever follows the call: anything that is JSON.
    ///
    /// A task keeps the newest of them, up to [`Limits::max_partials`](crate::Limits::max_partials) and
    /// [`Limits::max_partials_size`](crate::Limits::max_partials_size), for as long as it is kept itself, however it ends.
    /// A client reads them in `tasks/get`, all or from where it left off, and in notifications of the task, each once; a
    /// plain call sends them with `notifications/progress` where the client asked for that. All of this is under the `_meta`
    /// key `dev.mcp-runtime/partial`: `{ "values": [..], "first": 3, "cursor": 5 }`, where `first` is the number of the first
    /// value, counted from zero, and `cursor` is what to send under the same key, `{ "cursor": 5 }`, to go on after the last.
    ///
    /// What a call [within another](Self::call) gives is its own: its task's, if it has one, and nobody's if it has none.
    ///
    /// This never waits and never fails. What cannot be written as JSON or is larger than all of them may be together is
    /// left out, and the server's log says so. A run that goes on where another was cut off may give again what that one
    /// gave: what is the same in the same place counts once.
    ///
    /// ```
    /// use mcp_runtime::prelude::*;
    ///
    /// /// Find words that begin like this.
    /// #[tool(task, read_only)]
    /// async fn find(
    ///     /// How they begin.
    ///     prefix: String,
    ///     cx: Context,
    /// ) -> Vec<&'static str> {
    ///     let mut found = Vec::new();
    ///     for word in ["task", "tool", "trace"] {
    ///         if word.starts_with(&prefix) {
    ///             cx.partial(word);
    ///             found.push(word);
    ///         }
    ///     }
    ///     found
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut client = Server::new("words", "1.0.0").tools(tools![find]).test_client()?;
    /// let task = client.call_tool("find", serde_json::json!({ "prefix": "t" })).await?;
    /// let done = client.follow(task["taskId"].as_str().unwrap()).await?;
    /// assert_eq!(done["_meta"]["dev.mcp-runtime/partial"]["values"][2], "trace");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn partial(&self, value: impl Serialize) {
        let value: Arc<RawValue> = match payload::encode(&value) {
            Ok(value) => value.into(),
            Err(error) => {
                tracing::warn!(%error, "a partial result could not be written as JSON");
                return;
            }
        };
        // Held while it is handed on, so that they are seen in the order of their numbers.
        let mut sent = self.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
        // Where nobody hears of it, there is no limit, and nothing to do.
        let Some(most) = self.most_of_partials().filter(|_| !self.is_done_with()) else { return };
        let size = value.get().len();
        if size > most {
            tracing::warn!(size, most, "a partial result is over the limit `max_partials_size`");
            return;
        }
        let index = self.journal(|journal| journal.give_partial(&value));
        if let Some(task) = self.0.task.get() {
            task.partial(index, value);
        } else if let Some(outlet) = self.outlet() {
            let done = sent.partial(index);
            outlet.progress(&Progress { done, total: None, message: "", partial: Some((index, &value)) });
        }
    }

    /// How large a partial result may be, in bytes, if anybody hears of it.
    fn most_of_partials(&self) -> Option<usize> {
        let of_task = self.0.task.get().map(TaskLink::max_partials_size);
        let of_outlet = || self.outlet().and_then(Outlet::max_partials_size);
        of_task.or_else(of_outlet).or_else(|| self.journal(|journal| journal.max_partials_size()))
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
        let top = self.top();
        let Some(outlet) = top.outlet().filter(|outlet| outlet.hears(level)) else { return };
        match payload::encode(data) {
            Ok(data) => {
                let _sending = top.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
                if !self.is_done_with() && !top.is_done_with() {
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
    use std::sync::Mutex;

    use super::*;
    use crate::input::ClientCapabilities;
    use crate::task::Principal;

    /// Progress, and the number of the partial result that came with it.
    type Said = (f64, Option<u32>);

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<Said>>>);

    impl Outlet for Heard {
        fn progress(&self, progress: &Progress<'_>) {
            let partial = progress.partial.map(|(index, _)| index);
            self.0.lock().expect("not poisoned").push((progress.done, partial));
        }

        fn max_partials_size(&self) -> Option<usize> {
            Some(100)
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

    fn heard() -> (Heard, Context) {
        let heard = Heard::default();
        let outlet = Box::new(heard.clone());
        (heard, Context::new(Principal::local(), ClientCapabilities::default(), None, Some(outlet)))
    }

    impl Heard {
        fn numbers(&self) -> Vec<f64> {
            self.0.lock().expect("not poisoned").iter().map(|(done, _)| *done).collect()
        }

        fn partials(&self) -> Vec<u32> {
            self.0.lock().expect("not poisoned").iter().filter_map(|(_, partial)| *partial).collect()
        }
    }

    #[test]
    fn progress_only_ever_increases_on_the_wire() {
        let (heard, cx) = heard();
        for done in [0, 5, 5, 3, 6] {
            cx.progress(done, None, "");
        }
        assert_eq!(heard.numbers(), [0.0, 5.0, 6.0]);
        cx.close();
        cx.progress(7, None, "");
        cx.partial("late");
        assert_eq!(heard.numbers().len(), 3, "and stops when the call is over");
    }

    #[test]
    fn partial_results_are_counted_where_the_function_counts_nothing() {
        let (heard, cx) = heard();
        for word in ["a", "b", "c"] {
            cx.partial(word);
        }
        assert_eq!((heard.numbers(), heard.partials()), (vec![1.0, 2.0, 3.0], vec![0, 1, 2]));
    }

    #[test]
    fn a_partial_result_that_is_too_large_is_left_out() {
        let (heard, cx) = heard();
        cx.partial("x".repeat(100));
        cx.partial("small");
        assert_eq!(heard.partials(), [0]);
    }

    #[test]
    fn partial_results_do_not_get_in_the_way_of_the_functions_own_numbers() {
        let (heard, cx) = heard();
        for done in 1..=3 {
            cx.progress(done, 3, "");
            cx.partial(done);
            cx.partial(done);
        }
        let numbers = heard.numbers();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        let own: Vec<f64> = numbers.into_iter().filter(|done| done.fract() == 0.0).collect();
        assert_eq!((own, heard.partials().len()), (vec![1.0, 2.0, 3.0], 6));
    }

    #[test]
    fn a_function_that_counts_later_than_it_gives_is_heard_all_the_same() {
        let (heard, cx) = heard();
        cx.partial("a");
        cx.partial("b");
        for done in 0..=4 {
            cx.progress(done, 4, "");
        }
        let numbers = heard.numbers();
        assert_eq!(numbers.len(), 7);
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert!(numbers.ends_with(&[3.0, 4.0]));
    }
}
