//! Many documents indexed at once: what is read again when the graph is opened.
//!
//! A text is made of few words, again and again. What a word tells is found out when it is met for the first time, and
//! looked up afterwards, so that most of a text costs a look at each of its words and no more. What comes of it is what
//! [`Index::put`] and [`Index::learn`] make of the same documents.

use std::collections::HashMap;
use std::sync::Arc;

use super::Index;
use super::digest::Text;
use super::semantic::Model;
use super::vocabulary::Term;
use super::words::{each_word_of, raw_words};

/// Words of which it is known at a time what they tell. Nearly every text is made of fewer.
const KNOWN: usize = 1 << 16;

/// An index in the making.
#[derive(Debug, Default)]
pub(crate) struct Library {
    index: Index,
    /// What a word tells, as it is written: a part of `told`.
    known: HashMap<Box<str>, (usize, usize)>,
    told: Vec<Term>,
    /// How prominently the document at hand says a term, by term.
    prominence: Vec<f32>,
}

impl Library {
    /// An empty one, for an index that finds what a query means if there is a model.
    pub(crate) fn with(model: Option<Arc<Model>>) -> Self {
        Self { index: model.map_or_else(Index::default, Index::with), ..Self::default() }
    }

    /// Makes a document known that is not there yet.
    pub(crate) fn put(&mut self, doc: u32, text: &Text<'_>) {
        let mut met: Vec<Term> = Vec::new();
        for (text, weight) in text.fields() {
            for word in raw_words(text) {
                let (start, end) = self.what_it_tells(word);
                for term in &self.told[start..end] {
                    let prominence = &mut self.prominence[term.index()];
                    if *prominence <= 0.0 {
                        met.push(*term);
                    }
                    *prominence += weight;
                }
            }
        }
        let prominence = &mut self.prominence;
        let terms = met.into_iter().map(|term| (term, std::mem::take(&mut prominence[term.index()])));
        let terms: Vec<(Term, f32)> = terms.collect();
        self.index.lexical.put_terms(doc, &terms);
    }

    /// The index of all that was put, which has learnt from all of it.
    pub(crate) fn into_index(mut self) -> Index {
        self.index.lexical.shrink();
        self.index.learn();
        self.index
    }

    fn what_it_tells(&mut self, word: &str) -> (usize, usize) {
        if let Some(known) = self.known.get(word) {
            return *known;
        }
        if self.known.len() == KNOWN {
            self.known.clear();
            self.told.clear();
        }
        let start = self.told.len();
        each_word_of(word, &mut |word| self.told.push(self.index.lexical.vocabulary.learn(&word)));
        let place = (start, self.told.len());
        let greatest = self.told[start..].iter().map(|term| term.index() + 1).max().unwrap_or_default();
        if self.prominence.len() < greatest {
            self.prominence.resize(greatest, 0.0);
        }
        self.known.insert(word.into(), place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Digest, Query};

    #[test]
    fn what_is_read_at_once_is_what_was_put_one_by_one() {
        let tags = ["redis-timeout".to_owned(), "Café".to_owned()];
        let texts: Vec<String> = (0..300_u32)
            .map(|n| {
                format!(
                    "The RedisTimeoutError of pool {} and cache{} c++ \u{7f13}\u{5b58} \u{e9}t\u{e9}",
                    n % 7,
                    n % 30
                )
            })
            .collect();
        let text = |content| Text {
            title: "Pool TimeoutError",
            summary: Some("the pool"),
            content,
            tags: &tags,
            kind: "code_pattern",
        };
        let (mut library, mut index) = (Library::default(), Index::default());
        for (doc, content) in (0..).zip(&texts) {
            library.put(doc, &text(content));
            index.put(doc, &Digest::of(&text(content)));
        }
        index.learn();
        let library = library.into_index();
        for query in
            ["redis timeout", "cache3", "pool errors", "\u{7f13}\u{5b58}", "caf\u{e9}", "coed patern"]
        {
            let query: Query = query.parse().expect("has words");
            let (one, other) = (library.search(&query, &|_| true), index.search(&query, &|_| true));
            assert_eq!((one.total, &one.guessed), (other.total, &other.guessed), "{query:?}");
            for (a, b) in one.best.iter().zip(&other.best) {
                assert!(a.doc == b.doc && (a.score - b.score).abs() < 1e-4, "{query:?}: {a:?} {b:?}");
            }
        }
    }
}
