//! Documents that say nearly the same, found without holding each against each.
//!
//! How like two documents are is the part of their words that both have (Jaccard, over stems). Of each document, the
//! least of many hashes over its words are kept (MinHash): two documents agree in each with a chance that is their
//! likeness. Those that agree in a whole band of hashes are candidates, and are then compared exactly.

use std::collections::{HashMap, HashSet};

use super::Index;
use super::vocabulary::Stem;

/// Hashes of a document.
const HASHES: usize = 128;
/// The chance that a pair just as like as is asked for becomes no candidate.
const MISSED: f32 = 0.001;
/// In a band that more documents share, each is held against the first of them alone.
const CROWD: usize = 64;

/// Two documents that are alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    /// The lesser number.
    pub(crate) one: u32,
    pub(crate) other: u32,
    /// The part of their words that both have, from 0 to 1.
    pub(crate) likeness: f32,
}

impl Index {
    /// The pairs among `docs` that are at least as like as `threshold`, the likest first. A document comes with a number
    /// that both of a pair must have.
    pub(crate) fn near_duplicates(
        &self,
        docs: impl IntoIterator<Item = (u32, u32)>,
        threshold: f32,
    ) -> Vec<Pair> {
        let docs: Vec<Candidate> = docs
            .into_iter()
            .map(|(doc, class)| Candidate { doc, class, stems: self.lexical.stems(doc) })
            .filter(|candidate| !candidate.stems.is_empty())
            .collect();
        let rows = rows(threshold);
        let bands: Vec<Vec<u64>> = docs.iter().map(|candidate| self.bands(candidate, rows)).collect();
        let mut compared: HashSet<(usize, usize)> = HashSet::new();
        let mut pairs = Vec::new();
        for band in 0..HASHES / rows {
            let mut alike: HashMap<u64, Vec<usize>> = HashMap::new();
            for (place, bands) in bands.iter().enumerate() {
                alike.entry(bands[band]).or_default().push(place);
            }
            for places in alike.into_values() {
                let firsts = if places.len() > CROWD { 1 } else { places.len() };
                for (turn, a) in places[..firsts].iter().enumerate() {
                    for b in places[turn + 1..].iter().filter(|b| compared.insert((*a, **b))) {
                        pairs.extend(
                            docs[*a].held_against(&docs[*b]).filter(|pair| pair.likeness >= threshold),
                        );
                    }
                }
            }
        }
        pairs.sort_unstable_by(|a, b| {
            b.likeness.total_cmp(&a.likeness).then((a.one, a.other).cmp(&(b.one, b.other)))
        });
        pairs
    }

    /// The hashes of a document, so many rows of them in one.
    fn bands(&self, candidate: &Candidate, rows: usize) -> Vec<u64> {
        let mut least = [u64::MAX; HASHES];
        for stem in &candidate.stems {
            let hash = self.lexical.vocabulary.hash(*stem);
            for (turn, least) in (0_u64..).zip(&mut least) {
                *least = (*least).min(mixed(hash ^ (turn + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            }
        }
        let class = u64::from(candidate.class);
        least.chunks_exact(rows).map(|rows| rows.iter().fold(class, |all, row| mixed(all ^ row))).collect()
    }
}

/// How many hashes go into a band: as many as may be, so that few are compared in vain, while nearly no pair is missed.
fn rows(threshold: f32) -> usize {
    let missed = |rows: usize| {
        let agree = threshold.clamp(0.0, 1.0).powf(rows as f32);
        (1.0 - agree).powf((HASHES / rows) as f32)
    };
    [8, 7, 6, 5, 4, 3, 2].into_iter().find(|rows| missed(*rows) <= MISSED).unwrap_or(1)
}

struct Candidate {
    doc: u32,
    class: u32,
    /// In order.
    stems: Vec<Stem>,
}

impl Candidate {
    /// How like two of one class are.
    fn held_against(&self, other: &Self) -> Option<Pair> {
        if self.class != other.class {
            return None;
        }
        let shared = self.stems.iter().filter(|stem| other.stems.binary_search(stem).is_ok()).count();
        let all = self.stems.len() + other.stems.len() - shared;
        let (one, other) = (self.doc.min(other.doc), self.doc.max(other.doc));
        Some(Pair { one, other, likeness: shared as f32 / all as f32 })
    }
}

/// Spreads what is in some bits of a number over all of them (the end of `SplitMix64`).
pub(super) fn mixed(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Digest, Text};

    fn index_of(texts: &[String]) -> Index {
        let mut index = Index::default();
        for (doc, content) in (0..).zip(texts) {
            index.put(doc, &Digest::of(&Text { content, ..Text::default() }));
        }
        index
    }

    /// Texts of invented words, of which every fourth repeats the one before but for some words.
    fn texts() -> Vec<String> {
        let mut state = 3_u64;
        let mut dice = |below: u64| {
            state = mixed(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
            state % below
        };
        let mut texts: Vec<Vec<u64>> = Vec::new();
        for text in 0..400_u64 {
            let mut words: Vec<u64> = (0..20).map(|_| dice(300)).collect();
            if text % 4 == 3 {
                words.clone_from(&texts[texts.len() - 1]);
                for _ in 0..dice(4) {
                    words[dice(20) as usize] = dice(300);
                }
            }
            texts.push(words);
        }
        let spelt =
            |words: &Vec<u64>| words.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
        texts.iter().map(spelt).collect()
    }

    #[test]
    fn the_pairs_are_those_that_comparing_each_with_each_gives() {
        let index = index_of(&texts());
        let stems: Vec<Vec<Stem>> = (0..400).map(|doc| index.lexical.stems(doc)).collect();
        for threshold in [0.5, 0.7, 0.85, 1.0] {
            let mut expected = Vec::new();
            for one in 0..400_u32 {
                for other in one + 1..400 {
                    let candidate =
                        |doc: u32| Candidate { doc, class: 0, stems: stems[doc as usize].clone() };
                    expected.extend(candidate(one).held_against(&candidate(other)));
                }
            }
            expected.retain(|pair| pair.likeness >= threshold);
            let mut found = index.near_duplicates((0..400).map(|doc| (doc, 0)), threshold);
            assert!(found.is_sorted_by(|a, b| a.likeness >= b.likeness));
            found.sort_by_key(|pair| (pair.one, pair.other));
            assert!(!found.is_empty());
            assert_eq!(found, expected, "at {threshold}");
        }
    }

    #[test]
    fn only_documents_of_one_class_are_a_pair() {
        let index =
            index_of(&["redis timeout".to_owned(), "redis timeouts".to_owned(), "Redis timeout".to_owned()]);
        let pairs = index.near_duplicates([(0, 1), (1, 2), (2, 1)], 0.9);
        assert_eq!(pairs, [Pair { one: 0, other: 2, likeness: 1.0 }]);
    }

    #[test]
    fn many_that_are_the_same_are_told_by_their_first() {
        let index = index_of(&vec!["redis timeout".to_owned(); 500]);
        let pairs = index.near_duplicates((0..500).map(|doc| (doc, 0)), 0.9);
        assert_eq!(pairs.len(), 499);
        assert!(pairs.iter().all(|pair| pair.one == 0));
    }
}
