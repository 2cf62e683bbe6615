//! What one execution remembers: answers to its questions and results of its steps, so that it can run again and get as
//! far as it was.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::task::Waker;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::partial::{Bounds, Partial, Partials};
use super::record::Question;
use super::scope::Shares;
use crate::input::{InputRequest, InputResponse, check};
use crate::protocol::payload;

/// Something that a task remembers. To a store it is a text under a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JournalEntry {
    /// What it is called; one entry of a task has it.
    pub key: Arc<str>,
    /// What is remembered: JSON, of a form that is this crate's own.
    pub value: Box<RawValue>,
}

impl JournalEntry {
    /// How large it is, in bytes.
    pub fn size(&self) -> usize {
        self.key.len() + self.value.get().len()
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Remembered {
    /// What a step gave, and whether no other step ran beside it.
    Step(Box<RawValue>, bool),
    /// What the client answered.
    Answer(Arc<InputResponse>),
    /// The same as of a step, of one within a call that this one made, before it was a task: the key begins with so many
    /// bytes that tell the call.
    Within(usize, Box<RawValue>, bool),
}

/// The memory of one execution. Keys are names, and from the second turn of a name on, the name with the turn's number:
/// so the same code finds what it remembers under the same keys.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// The keys that this run has used, of questions and of steps.
    claimed: HashSet<Arc<str>>,
    /// How often each name has had its turn.
    turns: HashMap<Box<str>, u32>,
    /// Questions that were asked and are not answered.
    open: Vec<(Arc<str>, Arc<InputRequest>)>,
    kept: Kept,
    /// How large the steps in `kept` are, in bytes.
    size: usize,
    /// Where in `kept` each step is.
    places: HashMap<Arc<str>, usize>,
    /// The first step in `kept` that this run has not come to.
    next: usize,
    /// The steps at work, and whether each is so alone.
    at_work: Vec<(Arc<str>, bool)>,
    /// Whether a step was cut off: then what follows may come in another order the next time.
    has_cut: bool,
    /// How many partial results this run gave.
    partials: u32,
    /// They themselves, of a call that may become a task.
    given: Option<Box<(Bounds, Partials)>>,
    /// How far the calls are that this one makes.
    shares: Shares,
    /// The questions for whose answers the run before waited.
    waited: Vec<Arc<str>>,
    /// Answers that came along with the request, for questions that are not asked yet.
    offered: HashMap<String, Box<RawValue>>,
    /// Who must look when something was asked.
    driver: Option<Waker>,
}

/// The part of a journal that outlives a run.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    answers: HashMap<Arc<str>, Arc<InputResponse>>,
    /// In the order in which they ended.
    steps: Steps,
    /// Those of calls that this one makes as parts of itself, by what stands before their keys.
    within: HashMap<Arc<str>, Steps>,
}

/// Steps: their keys, what they gave, and whether no other step ran beside them.
type Steps = Vec<(Arc<str>, Box<RawValue>, bool)>;

impl Kept {
    pub(crate) fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.steps.is_empty() && self.within.is_empty()
    }

    /// What a store kept, with the answers to what the task asked.
    pub(crate) fn of_entries(
        entries: Vec<JournalEntry>,
        questions: &[Question],
    ) -> Result<Self, serde_json::Error> {
        let mut kept = Self::default();
        for JournalEntry { key, value } in entries {
            match serde_json::from_str(value.get())? {
                Remembered::Step(value, alone) => kept.steps.push((key, value, alone)),
                Remembered::Answer(answer) => drop(kept.answers.insert(key, answer)),
                Remembered::Within(length, value, alone) => {
                    let Some((prefix, key)) = key.split_at_checked(length) else {
                        return Err(serde::de::Error::custom(format_args!("the key `{key}` is cut off")));
                    };
                    kept.within.entry(prefix.into()).or_default().push((key.into(), value, alone));
                }
            }
        }
        for Question { key, answer, .. } in questions {
            kept.answers.extend(answer.iter().map(|answer| (Arc::clone(key), Arc::clone(answer))));
        }
        Ok(kept)
    }

    /// All of it, as a store keeps it.
    pub(crate) fn entries(&self) -> Result<Vec<JournalEntry>, serde_json::Error> {
        let steps =
            self.steps.iter().map(|(key, value, alone)| (key, Remembered::Step(value.clone(), *alone)));
        let answers = self.answers.iter().map(|(key, answer)| (key, Remembered::Answer(Arc::clone(answer))));
        let mut entries: Vec<JournalEntry> = steps
            .chain(answers)
            .map(|(key, value)| Ok(JournalEntry { key: Arc::clone(key), value: payload::encode(&value)? }))
            .collect::<Result<_, serde_json::Error>>()?;
        for (prefix, steps) in &self.within {
            for (key, value, alone) in steps {
                entries.push(entry_within(prefix, key, value, *alone)?);
            }
        }
        Ok(entries)
    }

    /// What is remembered of the calls under this prefix, for one of them as its own.
    pub(crate) fn of_call(&self, prefix: &str) -> Self {
        let mut own = Self::default();
        for (key, steps) in &self.within {
            match key.strip_prefix(prefix) {
                None => {}
                Some("") => own.steps.clone_from(steps),
                Some(rest) => drop(own.within.insert(rest.into(), steps.clone())),
            }
        }
        own
    }

    /// How much there is of the steps, in bytes.
    fn size(&self) -> usize {
        let all = self.within.values().flatten().chain(&self.steps);
        all.map(|(key, value, _)| key.len() + value.get().len()).sum()
    }
}

/// What is remembered of a step within a call that is no task of its own.
pub(crate) fn entry_within(
    prefix: &str,
    key: &str,
    value: &RawValue,
    alone: bool,
) -> Result<JournalEntry, serde_json::Error> {
    let remembered = Remembered::Within(prefix.len(), value.to_owned(), alone);
    Ok(JournalEntry { key: format!("{prefix}{key}").into(), value: payload::encode(&remembered)? })
}

/// What a journal says to a step that is about to begin.
pub(crate) enum Step {
    /// It was done before, and gave this.
    Known(Box<RawValue>),
    /// It is to be done, under this key.
    New(Arc<str>),
    /// Another step is to come before the one of this key. If it does not come, the code is not the one that remembered it.
    Unfit {
        key: Arc<str>,
        /// The name of the step that is remembered in this place.
        expected: Box<str>,
    },
}

/// What stands before the name of a step in its key, so that questions keep the names for themselves.
const STEP: &str = "step ";

/// The same for calls.
pub(super) const CALL: &str = "call ";

impl Journal {
    /// The journal of a run that goes on where another stopped, with the answers that were sent along.
    pub(crate) fn resume(kept: Kept, offered: HashMap<String, Box<RawValue>>) -> Self {
        let places =
            kept.steps.iter().enumerate().map(|(place, (key, ..))| (Arc::clone(key), place)).collect();
        Self { size: kept.size(), kept, places, offered, ..Self::default() }
    }

    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// How much is kept of steps, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The key of the next question or step of this name.
    pub(crate) fn claim(&mut self, name: &str) -> Arc<str> {
        let mut turn = self.turns.get(name).copied().unwrap_or_default();
        let key: Arc<str> = loop {
            turn = turn.saturating_add(1);
            let key = if turn == 1 { name.into() } else { format!("{name}-{turn}").into() };
            // Somebody may have called something by the very name.
            if self.claimed.insert(Arc::clone(&key)) {
                break key;
            }
        };
        self.turns.insert(name.into(), turn);
        key
    }

    /// Begins the next step of this name.
    ///
    /// Steps that followed one another must do so again: otherwise the code has changed, and going on would do anew what
    /// was done under another name. Steps that ran side by side may come in any order.
    pub(crate) fn begin_step(&mut self, name: &str) -> Step {
        let key = self.claim(&format!("{STEP}{name}"));
        self.enter_step(key)
    }

    /// Begins a step whose turn it was not, if it is now.
    pub(crate) fn enter_step(&mut self, key: Arc<str>) -> Step {
        let has_come = |next: &Arc<str>| *next != key && self.claimed.contains(next);
        while self.kept.steps.get(self.next).is_some_and(|(next, ..)| has_come(next)) {
            self.next += 1;
        }
        let is_alone = self.at_work.is_empty() && !self.has_cut;
        if let Some((expected, _, true)) = self.kept.steps.get(self.next)
            && is_alone
            && *expected != key
        {
            let expected = expected.strip_prefix(STEP).unwrap_or(expected).into();
            return Step::Unfit { key, expected };
        }
        if let Some((_, value, _)) = self.places.get(&key).and_then(|place| self.kept.steps.get(*place)) {
            return Step::Known(value.clone());
        }
        for (_, alone) in &mut self.at_work {
            *alone = false;
        }
        self.at_work.push((Arc::clone(&key), is_alone));
        Step::New(key)
    }

    /// A step is done with its work; what is to be remembered of it.
    pub(crate) fn end_step(
        &mut self,
        key: &Arc<str>,
        value: &RawValue,
    ) -> Result<JournalEntry, serde_json::Error> {
        let remembered = Remembered::Step(value.to_owned(), self.is_alone(key));
        Ok(JournalEntry { key: Arc::clone(key), value: payload::encode(&remembered)? })
    }

    /// Begins a call; gives the key under which it is known, which is its own among the calls of this one. Steps that run
    /// while it does run beside it.
    pub(crate) fn begin_call(&mut self, tool: &str) -> Arc<str> {
        let key = self.claim(&format!("{CALL}{tool}"));
        for (_, alone) in &mut self.at_work {
            *alone = false;
        }
        self.at_work.push((Arc::clone(&key), false));
        key
    }

    /// Takes note that a call has ended.
    pub(crate) fn end_call(&mut self, key: &str) {
        self.at_work.retain(|(at_work, _)| **at_work != *key);
    }

    /// Remembers a step of a call that this one makes as a part of itself.
    pub(crate) fn keep_within(
        &mut self,
        prefix: &Arc<str>,
        key: Arc<str>,
        value: Box<RawValue>,
        alone: bool,
    ) {
        self.size += key.len() + value.get().len();
        self.kept.within.entry(Arc::clone(prefix)).or_default().push((key, value, alone));
    }

    /// How far the calls are that this one makes.
    pub(crate) fn shares(&mut self) -> &mut Shares {
        &mut self.shares
    }

    /// Says for which answers the run before waited.
    pub(crate) fn has_waited_for(&mut self, keys: Vec<Arc<str>>) {
        self.waited = keys;
    }

    /// Whether the run before waited for an answer to something whose key begins so.
    pub(crate) fn has_waited_under(&self, prefix: &str) -> bool {
        self.waited.iter().any(|key| key.starts_with(prefix))
    }

    /// Whether no other step or call ran beside this step so far.
    pub(crate) fn is_alone(&self, key: &Arc<str>) -> bool {
        !self.has_cut && self.at_work.iter().any(|(at_work, alone)| at_work == key && *alone)
    }

    /// Remembers what a step gave.
    pub(crate) fn keep_step(&mut self, key: Arc<str>, value: Box<RawValue>) {
        let alone = self.is_alone(&key);
        self.at_work.retain(|(at_work, _)| *at_work != key);
        self.size += key.len() + value.get().len();
        self.places.insert(Arc::clone(&key), self.kept.steps.len());
        self.kept.steps.push((key, value, alone));
    }

    /// Takes note that a step was cut off, or that nothing is remembered of it.
    pub(crate) fn cut_step(&mut self, key: &str) {
        let before = self.at_work.len();
        self.at_work.retain(|(at_work, _)| **at_work != *key);
        self.has_cut |= self.at_work.len() < before;
    }

    /// Takes note of a partial result, and gives its number.
    pub(crate) fn give_partial(&mut self, value: &Arc<RawValue>) -> u32 {
        let index = self.partials;
        self.partials = index.saturating_add(1);
        if let Some(given) = &mut self.given {
            let (keep, partials) = &mut **given;
            partials.add(&Partial { index, value: Arc::clone(value), keep: *keep });
        }
        index
    }

    /// Keeps partial results from now on, for the task that the call may become.
    pub(crate) fn keep_partials(&mut self, keep: Bounds) {
        self.given.get_or_insert_with(|| Box::new((keep, Partials::default())));
    }

    /// How large a partial result may be, if they are kept here.
    pub(crate) fn max_partials_size(&self) -> Option<usize> {
        self.given.as_ref().map(|given| given.0.bytes)
    }

    /// The partial results that were kept, for the task that keeps them from now on.
    pub(crate) fn take_partials(&mut self) -> Partials {
        self.given.take().map(|given| given.1).unwrap_or_default()
    }

    /// Asks, unless the answer is there already.
    pub(crate) fn ask(&mut self, key: &Arc<str>, request: &Arc<InputRequest>) -> Option<Arc<InputResponse>> {
        if let Some(answer) = self.answer(key) {
            return Some(answer);
        }
        if let Some(result) = self.offered.remove(&**key) {
            match check(request, &result) {
                Ok(()) => {
                    let answer = Arc::new(InputResponse::Result(result));
                    self.kept.answers.insert(Arc::clone(key), Arc::clone(&answer));
                    return Some(answer);
                }
                // What cannot be an answer is none, so the question is still open.
                Err(wrong) => tracing::debug!(%key, wrong, "an answer does not fit its question"),
            }
        }
        self.open.push((Arc::clone(key), Arc::clone(request)));
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
        None
    }

    pub(crate) fn answer(&self, key: &str) -> Option<Arc<InputResponse>> {
        self.kept.answers.get(key).map(Arc::clone)
    }

    /// Takes an answer; whether it was waited for.
    pub(crate) fn put(&mut self, key: &str, answer: Arc<InputResponse>) -> bool {
        let Some(at) = self.open.iter().position(|(open, _)| **open == *key) else { return false };
        let (key, _) = self.open.remove(at);
        self.kept.answers.insert(key, answer);
        true
    }

    /// Takes a question back; whether it was open.
    pub(crate) fn withdraw(&mut self, key: &str) -> bool {
        let before = self.open.len();
        self.open.retain(|(open, _)| **open != *key);
        self.open.len() < before
    }

    pub(crate) fn open(&self) -> &[(Arc<str>, Arc<InputRequest>)] {
        &self.open
    }

    /// How many questions were asked, in this run or before, that are open or answered.
    pub(crate) fn asked(&self) -> usize {
        self.open.len() + self.kept.answers.len()
    }

    /// Says who must look when something is asked from now on.
    pub(crate) fn drive(&mut self, waker: &Waker) {
        if self.driver.as_ref().is_none_or(|driver| !driver.will_wake(waker)) {
            self.driver = Some(waker.clone());
        }
    }

    pub(crate) fn take_driver(&mut self) -> Option<Waker> {
        self.driver.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Arc<InputRequest> {
        Arc::new(serde_json::from_str(r#"{"method":"roots/list","params":{}}"#).expect("a request"))
    }

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).expect("JSON")
    }

    #[test]
    fn the_same_name_has_a_key_for_each_turn_and_no_two_are_alike() {
        let mut journal = Journal::default();
        let keys = ["a", "a", "a-2", "a"].map(|name| journal.claim(name).to_string());
        assert_eq!(keys, ["a", "a-2", "a-2-2", "a-3"]);
    }

    #[test]
    fn what_was_kept_answers_the_same_questions_of_the_next_run() {
        let mut first = Journal::resume(
            Kept::default(),
            HashMap::from([("a".to_owned(), raw(r#"{"roots":[]}"#)), ("b".to_owned(), raw("5"))]),
        );
        let (a, b) = (first.claim("a"), first.claim("b"));
        assert!(first.ask(&a, &request()).is_some());
        assert!(first.ask(&b, &request()).is_none(), "what does not fit is no answer");
        assert_eq!(first.open().len(), 1);
        do_step(&mut first, "s", "7");
        let mut second = again(&first);
        let a = second.claim("a");
        assert!(second.ask(&a, &request()).is_some());
        assert!(matches!(second.begin_step("s"), Step::Known(value) if value.get() == "7"));
    }

    fn begin(journal: &mut Journal, name: &str) -> Arc<str> {
        match journal.begin_step(name) {
            Step::New(key) => key,
            Step::Known(value) => panic!("`{name}` was done before, and gave {value}"),
            Step::Unfit { expected, .. } => panic!("`{expected}` was to come before `{name}`"),
        }
    }

    fn do_step(journal: &mut Journal, name: &str, value: &str) {
        let key = begin(journal, name);
        journal.keep_step(key, raw(value));
    }

    /// The journal of the next run, by way of what a store keeps.
    fn again(journal: &Journal) -> Journal {
        let entries = journal.kept().entries().expect("JSON");
        Journal::resume(Kept::of_entries(entries, &[]).expect("as it was written"), HashMap::new())
    }

    fn knows(journal: &mut Journal, name: &str) -> bool {
        matches!(journal.begin_step(name), Step::Known(_))
    }

    #[test]
    fn steps_that_followed_one_another_must_do_so_again() {
        let mut first = Journal::default();
        for name in ["reserve", "charge", "send"] {
            do_step(&mut first, name, "1");
        }
        let mut same = again(&first);
        assert!(["reserve", "charge", "send"].into_iter().all(|name| knows(&mut same, name)));
        assert!(matches!(same.begin_step("thank"), Step::New(_)), "what comes after is new");
        for other in ["pay", "send"] {
            let mut changed = again(&first);
            assert!(knows(&mut changed, "reserve"));
            let unfit = changed.begin_step(other);
            assert!(matches!(unfit, Step::Unfit { expected, .. } if &*expected == "charge"), "{other}");
        }
    }

    #[test]
    fn steps_that_ran_side_by_side_may_come_in_any_order() {
        let mut first = Journal::default();
        let (a, b) = (begin(&mut first, "a"), begin(&mut first, "b"));
        first.keep_step(b, raw("2"));
        do_step(&mut first, "after b", "3");
        drop(a);
        let mut second = again(&first);
        let a = begin(&mut second, "a");
        assert!(knows(&mut second, "b") && knows(&mut second, "after b"));
        second.keep_step(a, raw("1"));
    }

    #[test]
    fn after_a_step_that_was_cut_off_the_order_may_change() {
        let mut first = Journal::default();
        let slow = begin(&mut first, "slow");
        first.cut_step(&slow);
        do_step(&mut first, "otherwise", "1");
        let mut second = again(&first);
        do_step(&mut second, "slow", "2");
        assert!(knows(&mut second, "otherwise"));
    }

    #[test]
    fn an_answer_counts_once_and_only_for_what_is_open() {
        let mut journal = Journal::default();
        let key = journal.claim("a");
        let answer = Arc::new(InputResponse::Result(raw(r#"{"roots":[]}"#)));
        assert!(!journal.put("a", Arc::clone(&answer)));
        assert!(journal.ask(&key, &request()).is_none());
        assert!(journal.put("a", Arc::clone(&answer)));
        assert!(!journal.put("a", answer));
        assert!(!journal.withdraw("a"));
    }
}
