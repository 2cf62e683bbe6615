//! Partial results: an ordered list of which the newest part is kept, and that a reader goes on with where it stopped.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::value::RawValue;

/// A partial result of a run.
#[derive(Clone, Debug)]
pub struct Partial {
    /// How many the run gave before this one. A run that does again what an earlier one did gives the same again.
    pub index: u32,
    /// What it is: JSON on one line.
    pub value: Arc<RawValue>,
    /// How much is kept of them all.
    pub keep: Bounds,
}

/// How many partial results of a task are kept. When there are more, the oldest go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// So many.
    pub count: usize,
    /// So many bytes together.
    pub bytes: usize,
}

/// The partial results that are kept, or those of them that somebody has not seen.
#[derive(Clone, Debug, Default)]
pub struct Partials {
    /// They themselves, in order.
    pub values: VecDeque<Arc<RawValue>>,
    /// The number of the first of them. They are counted from zero.
    pub first: u32,
    /// How large they are together, in bytes.
    size: usize,
}

impl Partials {
    /// These, the first of which has this number.
    pub fn new(first: u32, values: VecDeque<Arc<RawValue>>) -> Self {
        let size = values.iter().map(|value| value.get().len()).sum();
        Self { values, first, size }
    }

    /// The number that the next one will have: where a reader of these goes on.
    pub fn next(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.values.len()).unwrap_or(u32::MAX))
    }

    /// Adds one, unless it is there: an earlier run gave the same in the same place, or something in a place that is not
    /// kept any more. Whether it was added.
    pub fn add(&mut self, partial: &Partial) -> bool {
        if partial.index < self.first {
            return false;
        }
        if let Some(kept) = self.values.get((partial.index - self.first) as usize)
            && kept.get() == partial.value.get()
        {
            return false;
        }
        self.values.push_back(Arc::clone(&partial.value));
        self.size += partial.value.get().len();
        while self.values.len() > partial.keep.count || self.size > partial.keep.bytes {
            let Some(oldest) = self.values.pop_front() else { break };
            self.size = self.size.saturating_sub(oldest.get().len());
            self.first = self.first.saturating_add(1);
        }
        true
    }

    /// Those from this number on.
    #[must_use]
    pub fn from(&self, number: u32) -> Self {
        let skip = number.saturating_sub(self.first) as usize;
        Self::new(number.clamp(self.first, self.next()), self.values.iter().skip(skip).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial(index: u32, value: &str, count: usize) -> Partial {
        let value = Arc::from(RawValue::from_string(value.to_owned()).expect("JSON"));
        Partial { index, value, keep: Bounds { count, bytes: 1000 } }
    }

    fn texts(partials: &Partials) -> Vec<&str> {
        partials.values.iter().map(|value| value.get()).collect()
    }

    #[test]
    fn the_newest_are_kept_and_a_reader_goes_on_where_it_stopped() {
        let mut partials = Partials::default();
        for index in 0..5 {
            assert!(partials.add(&partial(index, &index.to_string(), 3)));
        }
        assert_eq!((texts(&partials), partials.first, partials.next()), (vec!["2", "3", "4"], 2, 5));
        let rest = partials.from(4);
        assert_eq!((texts(&rest), rest.first, rest.next()), (vec!["4"], 4, 5));
        let missed = partials.from(0);
        assert_eq!(
            (texts(&missed), missed.first),
            (vec!["2", "3", "4"], 2),
            "what was missed is seen by `first`"
        );
        assert_eq!((partials.from(9).next(), partials.from(5).values.len()), (5, 0));
    }

    #[test]
    fn a_run_that_does_the_same_again_adds_nothing_and_one_that_does_other_things_loses_nothing() {
        let mut partials = Partials::default();
        for index in 0..3 {
            partials.add(&partial(index, &index.to_string(), 10));
        }
        assert!(!partials.add(&partial(0, "0", 10)) && !partials.add(&partial(1, "1", 10)));
        assert!(partials.add(&partial(2, "\"other\"", 10)));
        assert_eq!(texts(&partials), ["0", "1", "2", "\"other\""]);
    }

    #[test]
    fn one_that_is_larger_than_all_may_be_is_counted_and_not_kept() {
        let mut partials = Partials::default();
        let large = Partial { keep: Bounds { count: 10, bytes: 3 }, ..partial(0, "12345", 10) };
        assert!(partials.add(&large));
        assert_eq!((partials.values.len(), partials.next()), (0, 1));
    }
}
