//! Where a call is among others: what calls it, and what it says and asks in the name of that.

use std::sync::{Arc, PoisonError};

use super::context::Context;
use super::engine::Engine;
use super::identity::TaskId;
use super::record::Report;
use super::tell::Progress;

/// Where a call is among others. A call that no other one makes has this only if its tool has places for some at a time.
pub(crate) struct Scope {
    /// The tool that runs.
    tool: Arc<str>,
    above: Option<Above>,
}

/// What is above a call that another one makes.
pub(super) struct Above {
    /// What calls it.
    pub(super) caller: Context,
    /// What stands before the keys of what it asks and remembers at the top.
    pub(super) prefix: Arc<str>,
    /// Which part of the caller's progress it is.
    share: usize,
    /// How many calls it is within.
    depth: u8,
}

/// How far the calls are that a call makes, each from nothing to one.
#[derive(Debug, Default)]
pub(crate) struct Shares(Vec<f64>);

impl Shares {
    /// Takes note of one more call; gives its number.
    pub(crate) fn add(&mut self) -> usize {
        self.0.push(0.0);
        self.0.len() - 1
    }

    /// Takes note of how far one is.
    fn set(&mut self, share: usize, fraction: f64) {
        if let Some(known) = self.0.get_mut(share) {
            *known = fraction;
        }
    }

    /// How many of them are done, and of how many.
    fn progress(&self) -> (f64, f64) {
        (self.0.iter().sum(), self.0.len() as f64)
    }
}

impl Scope {
    /// At the top, in a place of its tool's.
    pub(crate) fn in_place(tool: &Arc<str>) -> Self {
        Self { tool: Arc::clone(tool), above: None }
    }

    /// Within a call, under its key there. `share` is the part of its caller's progress that it is.
    pub(super) fn within(caller: &Context, tool: &str, key: &str, share: usize) -> Self {
        let above = caller.above();
        let before = above.map_or("", |above| &above.prefix);
        Self {
            tool: tool.into(),
            above: Some(Above {
                caller: caller.clone(),
                prefix: format!("{before}{key}/").into(),
                share,
                depth: caller.depth().saturating_add(1),
            }),
        }
    }
}

impl Context {
    /// What is above the call, if another one makes it.
    pub(super) fn above(&self) -> Option<&Above> {
        self.0.scope.as_ref().and_then(|scope| scope.above.as_ref())
    }

    /// The call that makes this one as a part of itself: without a task of its own.
    pub(super) fn inline_caller(&self) -> Option<&Self> {
        self.above().filter(|_| self.0.task.get().is_none()).map(|above| &above.caller)
    }

    /// The call above all: the one that the client knows.
    pub(super) fn top(&self) -> &Self {
        let mut top = self;
        while let Some(above) = top.above() {
            top = &above.caller;
        }
        top
    }

    /// The task above all.
    pub(super) fn root(&self) -> Option<TaskId> {
        self.top().task_id()
    }

    /// How many calls this one is within.
    pub(super) fn depth(&self) -> u8 {
        self.above().map_or(0, |above| above.depth)
    }

    /// What runs the tasks of the server, if the call is one of a server's.
    pub(super) fn engine(&self) -> Option<Arc<Engine>> {
        let top = self.top();
        top.link().and_then(super::engine::TaskLink::engine).or_else(|| top.0.engine.upgrade())
    }

    /// Whether one of the calls above runs the same tool, and has a place for it: then this one is in that place.
    pub(crate) fn has_place_of(&self, tool: &str) -> bool {
        let mut call = self;
        while let Some(above) = call.above() {
            call = &above.caller;
            if call.0.scope.as_ref().is_some_and(|scope| *scope.tool == *tool) {
                return true;
            }
        }
        false
    }

    /// Whether the client has still to answer what this call asked at the top.
    pub(super) fn waits_at_the_top(&self) -> bool {
        let Some(above) = self.above() else { return false };
        self.top().journal(|journal| journal.open().iter().any(|(key, _)| key.starts_with(&*above.prefix)))
    }

    /// Says to the caller how far this call is: with a fraction, if it is known.
    pub(super) fn count_for_caller(&self, progress: Option<(f64, Option<f64>)>, message: &str) {
        let Some(Above { caller, share, .. }) = self.above() else { return };
        let fraction = progress.and_then(|(done, total)| {
            let fraction = done / total.filter(|total| *total > 0.0)?;
            fraction.is_finite().then(|| fraction.clamp(0.0, 1.0))
        });
        caller.count_share(*share, fraction, message);
    }

    /// A call that this one makes is so far. Counts as long as the function says nothing itself.
    pub(super) fn count_share(&self, share: usize, fraction: Option<f64>, message: &str) {
        let mut sent = self.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, total) = self.journal(|journal| {
            let shares = journal.shares();
            if let Some(fraction) = fraction {
                shares.set(share, fraction);
            }
            shares.progress()
        });
        let counts = fraction.is_some() && !sent.reports();
        let message = if sent.speaks() { "" } else { message };
        if self.is_done_with() {
            return;
        }
        if let Some(outlet) = self.outlet()
            && counts
            && let Some(done) = sent.count(done)
        {
            outlet.progress(&Progress { done, total: Some(total), message, partial: None });
        }
        let progress = counts.then_some((done, Some(total)));
        let words = (!message.is_empty()).then(|| message.into());
        if let Some(task) = self.0.task.get() {
            if progress.is_some() || words.is_some() {
                task.report(Report { progress, message: words });
            } else {
                // It is seen beside the record.
                task.look_at();
            }
        }
        drop(sent);
        self.count_for_caller(progress, message);
    }

    /// Takes back what a call within this one asked, and nobody has answered.
    pub(super) fn withdraw_under(&self, prefix: &str) {
        let open = self.open_questions();
        for (key, _) in open.into_iter().filter(|(key, _)| key.starts_with(prefix)) {
            if !self.journal(|journal| journal.withdraw(&key)) {
                continue;
            }
            match (self.0.task.get(), &self.0.outlet) {
                (Some(task), _) => task.withdraw(key),
                (None, Some(outlet)) => outlet.withdraw(&key),
                (None, None) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(caller: &Context, tool: &str, key: &str) -> Context {
        let share = caller.journal(|journal| journal.shares().add());
        Context::detached().at(Some(Scope::within(caller, tool, key, share)))
    }

    #[test]
    fn a_call_knows_what_is_above_it() {
        let top = Context::detached().at(Some(Scope::in_place(&"sort".into())));
        let middle = within(&top, "split", "split");
        let bottom = within(&middle, "sort", "sort-2");
        assert_eq!((top.depth(), middle.depth(), bottom.depth()), (0, 1, 2));
        assert_eq!(bottom.above().map(|above| &*above.prefix), Some("split/sort-2/"));
        assert!(bottom.has_place_of("sort") && bottom.has_place_of("split") && !bottom.has_place_of("merge"));
        assert!(!top.has_place_of("sort"), "it is in its own");
    }

    #[test]
    fn a_call_within_that_asks_for_cancellation_asks_for_its_callers() {
        let top = Context::detached();
        let inner = within(&top, "a", "a");
        assert!(!inner.is_cancelled());
        assert!(top.is_cooperative(), "or it would be dropped together with what it calls");
    }

    #[test]
    fn a_caller_that_says_nothing_is_as_far_as_its_calls_are() {
        let top = Context::detached();
        let (one, two) = (within(&top, "a", "a"), within(&top, "a", "a-2"));
        let below = within(&two, "b", "b");
        let progress = |cx: &Context| cx.journal(|journal| journal.shares().progress());
        one.progress(1, 4, "");
        assert_eq!(progress(&top), (0.25, 2.0));
        below.progress(1, 2, "");
        assert_eq!((progress(&two), progress(&top)), ((0.5, 1.0), (0.75, 2.0)));
        one.progress(5, 4, "");
        one.progress(f64::NAN, 4, "");
        one.progress(1, 0, "");
        one.progress(1, None, "");
        assert_eq!(progress(&top), (1.5, 2.0), "what is no fraction counts for nothing");
        two.progress(1, 10, "");
        below.progress(2, 2, "");
        assert_eq!(progress(&top), (1.1, 2.0), "its own numbers count");
    }
}
