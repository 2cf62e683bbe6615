//! Ranked text search: which documents speak of a query's words, and how much.
//!
//! An [`Index`] is purely in memory and knows documents by numbers. What a query's words cover of it
//! ([`lexical`]) counts first; what they have to do with others ([`associative`]) adds to it. With a model it is the other
//! way round: what the query means ([`semantic`]) counts first, and its words add to it.

mod associative;
mod digest;
mod duplicates;
pub(crate) mod evaluation;
mod lexical;
mod library;
mod meanings;
mod query;
mod ranking;
pub(crate) mod semantic;
mod stem;
mod vectors;
mod vocabulary;
mod words;

use std::collections::VecDeque;

use associative::Associations;
use lexical::{Lexical, Wanted};
use meanings::Meanings;

pub(crate) use digest::{Digest, Text};
pub(crate) use library::Library;
pub(crate) use query::{MatchMode, Mode, Query, QueryError, Tolerance};
pub(crate) use ranking::{Guess, Ranking};

/// Of a cosine, what it adds to what the words cover.
const ASSOCIATION: f32 = 0.5;
/// How near a document must lie that has no word of the query. Below are all that happen to point the same way.
const NEAR: f32 = 0.25;

/// Of what the words cover, what it adds to a cosine of meanings.
const WORDS: f32 = 0.5;
/// How near a document must mean the same, if it has no word of the query.
const MEANT: f32 = 0.15;

/// How often a word must be said until half of its company is taken for more than chance.
const HEARSAY: f32 = 4.0;

/// Words that a text must have until half of their rarity counts.
const FEW_WORDS: f32 = 3.0;

/// Says which documents speak of something.
#[derive(Debug, Default)]
pub(crate) struct Index {
    lexical: Lexical,
    associations: Associations,
    /// With a model, these count in place of the associations, which then learn nothing.
    meanings: Option<Meanings>,
    /// Documents whose words are known, and not yet what these have to do with others.
    pending: VecDeque<u32>,
}

/// A document that speaks of a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hit {
    pub(crate) doc: u32,
    pub(crate) score: f32,
    pub(crate) why: Why,
}

/// What a score is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Why {
    /// The part of the query that the document's words cover, from 0 to 1.
    pub(crate) lexical: f32,
    /// The cosine between the query and the document, from 0 to 1; none where it is not asked for, or not known.
    pub(crate) vector: Option<f32>,
}

impl Why {
    fn score(self, mode: Mode) -> f32 {
        let vector = self.vector.unwrap_or_default();
        match mode {
            Mode::Lexical => self.lexical,
            Mode::Associative => self.lexical + ASSOCIATION * vector,
            Mode::Semantic => vector + WORDS * self.lexical,
        }
    }

    /// Whether the vector alone says that the document speaks of the query.
    fn is_near(self, mode: Mode) -> bool {
        let enough = if mode == Mode::Semantic { MEANT } else { NEAR };
        self.vector.is_some_and(|vector| vector >= enough)
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hits {
    /// The best first, as many as were asked for.
    pub(crate) best: Vec<Hit>,
    /// How many there are.
    pub(crate) total: usize,
    /// How they were ranked.
    pub(crate) mode: Mode,
    /// The words that no document has, with what they were taken for.
    pub(crate) guessed: Vec<Guess>,
}

impl Index {
    /// Makes `doc` known by the words of `digest`, and by nothing that it said before. What these words have to do with
    /// others is known once the index has [settled](Self::settle).
    pub(crate) fn put(&mut self, doc: u32, digest: &Digest) {
        self.forget_words(doc);
        self.lexical.put(doc, digest);
        if self.meanings.is_none() {
            self.pending.push_back(doc);
        }
    }

    /// Learns a little from what was put: from so many documents at most. Says whether more is to be learnt.
    pub(crate) fn settle(&mut self, most: usize) -> bool {
        for doc in self.pending.drain(..most.min(self.pending.len())) {
            self.associations.put(&self.lexical, doc);
            self.associations.follow(&self.lexical, doc);
        }
        !self.pending.is_empty()
    }

    /// Learns anew from all documents at once what words have to do with each other.
    pub(crate) fn learn(&mut self) {
        self.pending.clear();
        if self.meanings.is_none() {
            self.associations.learn(&self.lexical);
        }
    }

    /// Forgets `doc`. Says whether it was known.
    pub(crate) fn remove(&mut self, doc: u32) -> bool {
        if let Some(meanings) = &mut self.meanings {
            meanings.clear(doc);
        }
        self.forget_words(doc)
    }

    fn forget_words(&mut self, doc: u32) -> bool {
        self.associations.remove(&self.lexical, doc);
        self.lexical.remove(doc)
    }

    /// How many documents there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lexical.count()
    }

    /// How rare the words of a text are, on average; 0 if it has none. A text of a few words counts for less.
    pub(crate) fn weigh(&self, text: &str) -> f32 {
        let (mut sum, mut count) = (0.0, 0.0);
        words::each_word(text, |word| {
            let meaning = self.lexical.vocabulary.meaning(&word, Tolerance::Strict, |_| true);
            let having = meaning.terms.iter().map(|(term, _)| self.lexical.having(*term).len()).sum();
            sum += self.lexical.rarity(having);
            count += 1.0;
        });
        sum / (count + FEW_WORDS)
    }

    /// The documents that speak of `query`, of those that `filter` takes.
    pub(crate) fn search(&self, query: &Query, filter: &dyn Fn(u32) -> bool) -> Hits {
        let vocabulary = &self.lexical.vocabulary;
        let wanted: Vec<Wanted> = query
            .words
            .iter()
            .map(|word| Wanted {
                meaning: vocabulary.meaning(&word.text, query.tolerance, |term| self.lexical.is_said(term)),
                optional: word.name,
            })
            .collect();
        let all = query.match_mode == MatchMode::All;
        let covered = self.lexical.cover(&wanted, all);
        let (mode, cosines) = self.nearness(query, &wanted);
        let mut best: Vec<Hit> = Vec::new();
        for (doc, lexical) in (0..).zip(covered) {
            let vector = cosines.get(doc as usize).copied().flatten().map(|cosine| cosine.clamp(0.0, 1.0));
            let why = Why { lexical, vector };
            let speaks = lexical > 0.0 || (!all && why.is_near(mode));
            if speaks && filter(doc) {
                best.push(Hit { doc, score: why.score(mode), why });
            }
        }
        let total = best.len();
        let by_score = |a: &Hit, b: &Hit| b.score.total_cmp(&a.score).then(a.doc.cmp(&b.doc));
        if query.limit < total {
            if query.limit > 0 {
                best.select_nth_unstable_by(query.limit - 1, by_score);
            }
            best.truncate(query.limit);
        }
        best.sort_unstable_by(by_score);
        Hits { best, total, mode, guessed: self.guessed(query, &wanted) }
    }

    /// By what a query is answered, and how near each document lies to it, as far as that is known.
    fn nearness(&self, query: &Query, wanted: &[Wanted]) -> (Mode, Vec<Option<f32>>) {
        match &self.meanings {
            _ if query.words_only => (Mode::Lexical, Vec::new()),
            Some(meanings) => (Mode::Semantic, meanings.cosines(&query.text)),
            None => (Mode::Associative, self.cosines(wanted).into_iter().map(Some).collect()),
        }
    }

    /// How near each document lies to the words of a query, as far as their company is known: one that is said by nobody
    /// else points nowhere, and one that few say does not count for much.
    fn cosines(&self, wanted: &[Wanted]) -> Vec<f32> {
        let (mut whole, mut known) = (0.0, 0.0);
        let mut stems = Vec::new();
        for Wanted { meaning, .. } in wanted.iter().filter(|wanted| !wanted.is_idle()) {
            let mut of_word: Vec<_> = meaning
                .terms
                .iter()
                .map(|(term, likeness)| (self.lexical.vocabulary.stem_of(*term), *likeness))
                .collect();
            of_word.sort_unstable_by_key(|(stem, _)| *stem);
            of_word.dedup_by_key(|(stem, _)| *stem);
            of_word.retain(|(stem, _)| self.associations.knows(*stem));
            let occurrences = of_word.iter().map(|(stem, _)| self.lexical.occurrences(*stem)).sum();
            let weight = self.lexical.rarity(occurrences);
            whole += weight;
            known += weight * occurrences as f32 / (occurrences as f32 + HEARSAY);
            stems.extend(of_word);
        }
        if known <= 0.0 {
            return Vec::new();
        }
        let mut cosines = self.associations.cosines(&self.lexical, stems.into_iter());
        for cosine in &mut cosines {
            *cosine *= known / whole;
        }
        cosines
    }

    /// The words that were taken for others.
    fn guessed(&self, query: &Query, wanted: &[Wanted]) -> Vec<Guess> {
        let guessed = query.words.iter().zip(wanted).filter(|(_, wanted)| wanted.meaning.guessed);
        guessed
            .map(|(word, wanted)| {
                let terms = wanted.meaning.terms.iter().map(|(term, _)| *term);
                let said = terms.filter(|term| self.lexical.is_said(*term));
                let taken_for = said.map(|term| self.lexical.vocabulary.text(term).to_owned()).collect();
                Guess { word: word.text.clone(), taken_for }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
