//! Ranked text search: which memories speak of a query's words, and how much.
//!
//! A word of a query weighs the more the fewer memories have it (the idf of BM25). A memory's score is the part of
//! the query's whole weight that it covers, from 0 to 1. Covering a word counts for most of it; how often and how
//! prominently the memory says the word, for its length, decides among those that say it. A word that nobody has
//! ever used is taken for the nearest ones that somebody has.

mod stem;
mod vocabulary;
mod words;

use crate::model::{Memory, Slot};
use vocabulary::{Term, Vocabulary};
pub(crate) use words::Query;

/// Of a word's weight, what a memory gets for saying it at all; the rest is for saying it often and prominently.
const PRESENCE: f64 = 0.7;
/// How soon saying a word more often stops to matter (the k1 of BM25).
const SATURATION: f64 = 1.2;
/// How much a long memory must say a word more often than a short one (the b of BM25).
const LENGTH_MATTERS: f64 = 0.5;

/// A memory that speaks of a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Match {
    pub(crate) slot: Slot,
    /// The part of the query that it covers, from 0 to 1.
    pub(crate) score: f64,
}

/// The words of a memory, ready to be indexed. Making one is the slow part of indexing, and needs no lock.
#[derive(Debug)]
pub(crate) struct Digest {
    /// Each stem once, with how prominently the memory says it.
    stems: Vec<(String, f32)>,
}

impl Digest {
    pub(crate) fn of(memory: &Memory) -> Self {
        Self { stems: words::weighted_stems(memory) }
    }
}

/// Says which memories have a word.
#[derive(Debug, Default)]
pub(crate) struct TextIndex {
    vocabulary: Vocabulary,
    /// Who has a term, by term and then in the order of slots.
    postings: Vec<Vec<Posting>>,
    /// The terms that a memory has, by slot and then in the order of terms.
    contents: Vec<Contents>,
    /// The sum of all lengths.
    length: f64,
    /// How many memories there are, which are fewer than slots when some were taken away.
    count: usize,
}

#[derive(Debug, Clone, Copy)]
struct Posting {
    slot: Slot,
    prominence: f32,
}

#[derive(Debug, Default)]
struct Contents {
    terms: Vec<Term>,
    length: f64,
    is_there: bool,
}

impl TextIndex {
    /// Makes `slot` known by the words of `digest`, and by no others.
    pub(crate) fn put(&mut self, slot: Slot, digest: Digest) {
        let length = digest.stems.iter().map(|(_, prominence)| f64::from(*prominence)).sum();
        let mut terms = Vec::with_capacity(digest.stems.len());
        for (stem, prominence) in digest.stems {
            let term = self.vocabulary.learn(stem);
            if self.postings.len() <= term.index() {
                self.postings.resize_with(term.index() + 1, Vec::new);
            }
            let postings = &mut self.postings[term.index()];
            match postings.binary_search_by_key(&slot, |posting| posting.slot) {
                Ok(at) => postings[at].prominence = prominence,
                Err(at) => postings.insert(at, Posting { slot, prominence }),
            }
            terms.push(term);
        }
        terms.sort_unstable();
        if self.contents.len() <= slot.index() {
            self.contents.resize_with(slot.index() + 1, Contents::default);
        }
        let now = Contents { terms, length, is_there: true };
        let before = std::mem::replace(&mut self.contents[slot.index()], now);
        self.length += length - before.length;
        self.count += usize::from(!before.is_there);
        self.forget(slot, &before.terms);
    }

    /// Makes `slot` unknown.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let Some(contents) = self.contents.get_mut(slot.index()) else { return };
        let before = std::mem::take(contents);
        self.length -= before.length;
        self.count -= usize::from(before.is_there);
        self.forget(slot, &before.terms);
    }

    /// Takes `slot` off the words that it had before and has no more.
    fn forget(&mut self, slot: Slot, before: &[Term]) {
        let now = &self.contents[slot.index()].terms;
        for term in before.iter().filter(|term| now.binary_search(term).is_err()) {
            let postings = &mut self.postings[term.index()];
            if let Ok(at) = postings.binary_search_by_key(&slot, |posting| posting.slot) {
                postings.remove(at);
            }
        }
    }

    /// The memories that speak of `query`, in the order of slots.
    pub(crate) fn search(&self, query: &Query) -> Vec<Match> {
        let mut covered = vec![0.0; self.contents.len()];
        let mut whole = 0.0;
        for word in query.stems() {
            let likely = self.vocabulary.likely(word, |term| self.postings[term.index()].len());
            let mut said: Vec<(Slot, f64)> = Vec::new();
            for (term, likeness) in &likely {
                let postings = &self.postings[term.index()];
                said.extend(postings.iter().map(|posting| (posting.slot, likeness * self.quality(*posting))));
            }
            if likely.len() > 1 {
                // A memory that says several of the likely words gets its best.
                said.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
                said.dedup_by_key(|(slot, _)| *slot);
            }
            let weight = self.rarity(said.len());
            whole += weight;
            for (slot, quality) in said {
                covered[slot.index()] += weight * quality;
            }
        }
        let scored = covered.into_iter().enumerate().filter(|(_, covered)| *covered > 0.0);
        scored.map(|(index, covered)| Match { slot: Slot::after(index), score: covered / whole }).collect()
    }

    /// How well one memory says a word that it has.
    fn quality(&self, posting: Posting) -> f64 {
        let average = self.length / self.count as f64;
        let relative = self.contents[posting.slot.index()].length / average;
        let enough = SATURATION * (1.0 - LENGTH_MATTERS + LENGTH_MATTERS * relative);
        let prominence = f64::from(posting.prominence);
        PRESENCE + (1.0 - PRESENCE) * prominence / (prominence + enough)
    }

    /// The idf of a word that `having` memories have.
    fn rarity(&self, having: usize) -> f64 {
        let (all, having) = (self.count as f64, having as f64);
        (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MemoryDraft, MemoryType, Moment};

    fn memory(kind: MemoryType, title: &str, content: &str) -> Memory {
        MemoryDraft::new(kind, title, content).check(Moment::now()).expect("a sound draft")
    }

    fn index_of(memories: &[Memory]) -> TextIndex {
        let mut index = TextIndex::default();
        for (taken, memory) in memories.iter().enumerate() {
            index.put(Slot::after(taken), Digest::of(memory));
        }
        index
    }

    /// The titles that a query finds, best first.
    fn found<'m>(memories: &'m [Memory], query: &str) -> Vec<&'m str> {
        let mut matches = index_of(memories).search(&query.parse().expect("has words"));
        matches.sort_by(|a, b| b.score.total_cmp(&a.score));
        matches.iter().map(|found| memories[found.slot.index()].title.as_str()).collect()
    }

    fn notes() -> Vec<Memory> {
        vec![
            memory(MemoryType::Problem, "Redis timeout", "Under load the cache answers late."),
            memory(MemoryType::Fix, "Pool of connections", "Reuse them; the timeout of redis is gone."),
            memory(MemoryType::Error, "Deadlock in the ledger", "Two transactions wait for each other."),
            memory(MemoryType::General, "Authentication notes", "Tokens are signed, sessions are not."),
        ]
    }

    #[test]
    fn a_query_finds_a_memory_that_has_only_some_of_its_words() {
        assert_eq!(found(&notes(), "how does a timeout work"), ["Redis timeout", "Pool of connections"]);
        assert!(found(&notes(), "timeout fix").contains(&"Redis timeout"));
    }

    #[test]
    fn covering_more_of_the_query_ranks_higher() {
        assert_eq!(found(&notes(), "timeout fix")[0], "Pool of connections", "its type is fix");
        assert_eq!(found(&notes(), "deadlock timeout redis")[2], "Deadlock in the ledger");
    }

    #[test]
    fn a_word_in_the_title_ranks_above_the_same_in_the_content() {
        assert_eq!(found(&notes(), "redis timeout"), ["Redis timeout", "Pool of connections"]);
    }

    #[test]
    fn words_are_found_in_any_inflection() {
        assert_eq!(found(&notes(), "deadlocked transaction"), ["Deadlock in the ledger"]);
        assert_eq!(found(&notes(), "authenticating"), ["Authentication notes"]);
    }

    #[test]
    fn a_misspelt_word_is_taken_for_the_nearest_but_counts_for_less() {
        for misspelt in ["timeot", "tiemout", "timeeout"] {
            assert_eq!(found(&notes(), misspelt), ["Redis timeout", "Pool of connections"], "{misspelt}");
        }
        assert_eq!(found(&notes(), "authentcation"), ["Authentication notes"]);
        let index = index_of(&notes());
        let best = |query: &str| {
            let matches = index.search(&query.parse().expect("has words"));
            matches.iter().map(|found| found.score).fold(0.0, f64::max)
        };
        assert!(best("timeot") < best("timeout"));
    }

    #[test]
    fn scores_lie_between_zero_and_one() {
        for query in ["redis", "redis timeout cache", "redis unheard-of", "timeuot"] {
            for found in index_of(&notes()).search(&query.parse().expect("has words")) {
                assert!(found.score > 0.0 && found.score < 1.0, "{query}: {found:?}");
            }
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_fits() {
        assert!(found(&notes(), "kubernetes").is_empty());
        assert!(found(&[], "redis").is_empty());
    }

    #[test]
    fn a_memory_that_is_taken_away_is_found_no_more_and_counts_for_nothing() {
        let (mut with, without) = (index_of(&notes()), index_of(&notes()[..3]));
        with.remove(Slot::after(3));
        for query in ["tokens", "redis timeout"] {
            let query = query.parse().expect("has words");
            assert_eq!(with.search(&query), without.search(&query));
        }
    }

    #[test]
    fn a_memory_put_again_is_known_by_its_new_words_alone() {
        let mut index = index_of(&notes());
        index.put(Slot::after(0), Digest::of(&memory(MemoryType::General, "Kubernetes", "Pods and nodes.")));
        let slots = |query: &str| -> Vec<usize> {
            let matches = index.search(&query.parse().expect("has words"));
            matches.iter().map(|found| found.slot.index()).collect()
        };
        assert_eq!(slots("redis"), [1]);
        assert_eq!(slots("kubernetes"), [0]);
    }
}
