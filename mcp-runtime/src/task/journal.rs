//! What one execution remembers: answers to its questions and results of its steps, so that it can run again and get as
//! far as it was.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::task::Waker;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::input::{InputRequest, InputResponse, check};

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
    /// Answers that came along with the request, for questions that are not asked yet.
    offered: HashMap<String, Box<RawValue>>,
    /// Who must look when something was asked.
    driver: Option<Waker>,
}

/// The part of a journal that outlives a run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    answers: HashMap<Arc<str>, Arc<InputResponse>>,
    steps: HashMap<Arc<str>, Box<RawValue>>,
}

impl Kept {
    pub(crate) fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.steps.is_empty()
    }
}

impl Journal {
    /// The journal of a run that goes on where another stopped, with the answers that were sent along.
    pub(crate) fn resume(kept: Kept, offered: HashMap<String, Box<RawValue>>) -> Self {
        Self { kept, offered, ..Self::default() }
    }

    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
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

    pub(crate) fn step(&self, key: &str) -> Option<&RawValue> {
        self.kept.steps.get(key).map(|value| &**value)
    }

    pub(crate) fn keep_step(&mut self, key: Arc<str>, value: Box<RawValue>) {
        self.kept.steps.insert(key, value);
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
        first.keep_step("s".into(), raw("7"));
        let kept = serde_json::to_string(first.kept()).expect("JSON");
        let mut second =
            Journal::resume(serde_json::from_str(&kept).expect("as it was written"), HashMap::new());
        let a = second.claim("a");
        assert!(second.ask(&a, &request()).is_some());
        assert_eq!(second.step("s").map(RawValue::get), Some("7"));
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
