//! Who says which word, and how much of a query that covers.
//!
//! A word of a query weighs the more the fewer memories have it (the idf of BM25). What a memory covers is its part of
//! the query's whole weight, from 0 to 1. Saying a word at all counts for most of it; how often and how prominently
//! the memory says it, for its length, decides among those that do.

use super::digest::Digest;
use super::vocabulary::{Meaning, Stem, Term, Vocabulary};

/// Of a word's weight, what a memory gets for saying it at all; the rest is for saying it often and prominently.
const PRESENCE: f32 = 0.7;
/// How soon saying a word more often stops to matter (the k1 of BM25).
const SATURATION: f32 = 1.2;
/// How much a long memory must say a word more often than a short one (the b of BM25).
const LENGTH_MATTERS: f32 = 0.5;

/// The words of all documents.
#[derive(Debug, Default)]
pub(super) struct Lexical {
    pub(super) vocabulary: Vocabulary,
    /// Who has a term, by term and then in the order of documents.
    postings: Vec<Vec<Posting>>,
    /// The terms that a document has, by document and then in the order of terms.
    contents: Vec<Option<Contents>>,
    /// How many documents there are.
    count: usize,
    /// The sum of all lengths.
    length: f64,
}

#[derive(Debug, Clone, Copy)]
struct Posting {
    doc: u32,
    prominence: f32,
}

#[derive(Debug)]
struct Contents {
    terms: Box<[Term]>,
    length: f32,
}

/// A word of a query, and whether a document can lack it when all are wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) meaning: Meaning,
    pub(super) optional: bool,
}

impl Wanted {
    /// Whether the query says as much without it.
    pub(super) fn is_idle(&self) -> bool {
        self.optional && self.meaning.terms.is_empty()
    }
}

impl Lexical {
    /// Makes `doc`, which is not there, known by the words of `digest`.
    pub(super) fn put(&mut self, doc: u32, digest: &Digest) {
        let terms = digest.words().map(|(word, prominence)| (self.vocabulary.learn(word), prominence));
        let terms: Vec<(Term, f32)> = terms.collect();
        self.put_terms(doc, &terms);
    }

    /// Makes `doc`, which is not there, known by these terms, each of which comes once.
    pub(super) fn put_terms(&mut self, doc: u32, having: &[(Term, f32)]) {
        let mut terms = Vec::with_capacity(having.len());
        let mut length = 0.0;
        for &(term, prominence) in having {
            if self.postings.len() <= term.index() {
                self.postings.resize_with(term.index() + 1, Vec::new);
            }
            let postings = &mut self.postings[term.index()];
            let posting = Posting { doc, prominence };
            if postings.last().is_none_or(|last| last.doc < doc) {
                postings.push(posting);
            } else if let Err(at) = postings.binary_search_by_key(&doc, |posting| posting.doc) {
                postings.insert(at, posting);
            }
            terms.push(term);
            length += prominence;
        }
        terms.sort_unstable();
        let index = doc as usize;
        if self.contents.len() <= index {
            self.contents.resize_with(index + 1, || None);
        }
        self.contents[index] = Some(Contents { terms: terms.into(), length });
        self.count += 1;
        self.length += f64::from(length);
    }

    /// Gives back what was kept free for more.
    pub(super) fn shrink(&mut self) {
        self.postings.iter_mut().for_each(Vec::shrink_to_fit);
    }

    /// Forgets `doc`. Says whether it was there.
    pub(super) fn remove(&mut self, doc: u32) -> bool {
        let Some(contents) = self.contents.get_mut(doc as usize).and_then(Option::take) else { return false };
        for term in &contents.terms {
            let postings = &mut self.postings[term.index()];
            if let Ok(at) = postings.binary_search_by_key(&doc, |posting| posting.doc) {
                postings.remove(at);
            }
        }
        self.count -= 1;
        self.length -= f64::from(contents.length);
        true
    }

    pub(super) fn contains(&self, doc: u32) -> bool {
        self.contents.get(doc as usize).is_some_and(Option::is_some)
    }

    /// One more than the greatest number of a document.
    pub(super) fn end(&self) -> usize {
        self.contents.len()
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many terms all documents have, each once a document.
    pub(super) fn words(&self) -> usize {
        self.contents.iter().flatten().map(|contents| contents.terms.len()).sum()
    }

    /// All documents, in order.
    pub(super) fn docs(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.contents).filter(|(_, contents)| contents.is_some()).map(|(doc, _)| doc)
    }

    /// The stems of the words of `doc`, each once and in order.
    pub(super) fn stems(&self, doc: u32) -> Vec<Stem> {
        let terms = self.contents.get(doc as usize).and_then(Option::as_ref).map(|contents| &contents.terms);
        let terms = terms.into_iter().flatten();
        let mut stems: Vec<Stem> = terms.map(|term| self.vocabulary.stem_of(*term)).collect();
        stems.sort_unstable();
        stems.dedup();
        stems
    }

    /// The documents that have `term`, in order.
    pub(super) fn having(&self, term: Term) -> impl ExactSizeIterator<Item = u32> {
        self.postings[term.index()].iter().map(|posting| posting.doc)
    }

    /// How many times a document says any form of `stem`; one that says two forms counts twice.
    pub(super) fn occurrences(&self, stem: Stem) -> usize {
        self.vocabulary.forms(stem).map(|term| self.postings[term.index()].len()).sum()
    }

    /// Whether any document has `term`.
    pub(super) fn is_said(&self, term: Term) -> bool {
        !self.postings[term.index()].is_empty()
    }

    /// How much of a query each document covers, by document. With `all`, those that lack a word cover nothing.
    pub(super) fn cover(&self, query: &[Wanted], all: bool) -> Vec<f32> {
        let mut covered = vec![0.0_f32; self.contents.len()];
        let mut said = vec![Said::default(); self.contents.len()];
        let mut touched: Vec<u32> = Vec::new();
        let mut whole = 0.0;
        let mut lacking: Vec<bool> = vec![false; if all { self.contents.len() } else { 0 }];
        for Wanted { meaning, optional } in query {
            for (term, likeness) in &meaning.terms {
                for posting in &self.postings[term.index()] {
                    let said = &mut said[posting.doc as usize];
                    if said.likeness == 0.0 {
                        touched.push(posting.doc);
                    }
                    said.likeness = said.likeness.max(*likeness);
                    said.prominence += likeness * posting.prominence;
                }
            }
            if touched.is_empty() && *optional {
                continue;
            }
            let weight = self.rarity(touched.len());
            whole += weight;
            if all && !optional {
                let lacks = lacking.iter_mut().zip(&said);
                lacks.for_each(|(lacking, said)| *lacking |= said.likeness == 0.0);
            }
            for doc in touched.drain(..) {
                let said = std::mem::take(&mut said[doc as usize]);
                covered[doc as usize] += weight * self.quality(doc, said);
            }
        }
        let whole = f32::max(whole, f32::MIN_POSITIVE);
        for covered in &mut covered {
            *covered /= whole;
        }
        lacking
            .iter()
            .zip(&mut covered)
            .filter(|(lacking, _)| **lacking)
            .for_each(|(_, covered)| *covered = 0.0);
        covered
    }

    /// How well one document says a word that it has.
    fn quality(&self, doc: u32, said: Said) -> f32 {
        let average = self.length as f32 / self.count as f32;
        let length = self.contents[doc as usize].as_ref().map_or(average, |contents| contents.length);
        let enough = SATURATION * (1.0 - LENGTH_MATTERS + LENGTH_MATTERS * length / average);
        said.likeness * (PRESENCE + (1.0 - PRESENCE) * said.prominence / (said.prominence + enough))
    }

    /// The idf of a word that `having` documents have.
    pub(super) fn rarity(&self, having: usize) -> f32 {
        let (all, having) = (self.count as f32, having as f32);
        (1.0 + (all - having + 0.5).max(0.0) / (having + 0.5)).ln()
    }
}

/// How a document says a word.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    likeness: f32,
    prominence: f32,
}
