//! What words have to do with each other, as far as this store knows: vectors by random indexing.
//!
//! Each word has a random sparse signature. The company of a document is the sum of the signatures of its words, each
//! weighed by its rarity, and the profile of a word is the sum of the companies that it is in, without itself: words
//! that are used with the same others have profiles alike. The vector of a document is the sum of the profiles of its
//! words. It lies near documents of the same matter, even if they have no word in common. What all documents have in
//! common is taken out of every profile, so that a cosine of 0 means that two have nothing to do with each other.
//!
//! A change of a document changes the profiles of its words at once; the vectors of other documents follow a few at
//! a time, so that no single change costs much. [`Associations::learn`] brings all up to date.

use std::ops::Range;

use super::duplicates::mixed;
use super::lexical::Lexical;
use super::vectors::Vectors;
use super::vocabulary::Stem;

const DIMENSION: usize = 256;
/// A word of one document alone has to do with no other.
const MIN_OCCURRENCES: usize = 2;
/// How many other documents' vectors follow each change.
const FOLLOWING: usize = 2;

type Vector = [f32; DIMENSION];

#[derive(Debug)]
pub(super) struct Associations {
    /// The sum of the companies that a stem is in, by stem.
    ///
    /// Rarities change as documents come and go, so that what is added and what is taken away may differ by a little.
    profiles: Vec<Option<Box<Vector>>>,
    /// The sum of all companies.
    all: Box<Vector>,
    /// Whether its company is in these sums, by document.
    summed: Vec<bool>,
    vectors: Vectors,
    /// The next document whose vector follows.
    next: u32,
}

impl Default for Associations {
    fn default() -> Self {
        let all = Box::new([0.0; DIMENSION]);
        Self { profiles: Vec::new(), all, summed: Vec::new(), vectors: Vectors::new(DIMENSION), next: 0 }
    }
}

impl Associations {
    /// Takes note of `doc`, if it is in `lexical` and was not noted before.
    pub(super) fn put(&mut self, lexical: &Lexical, doc: u32) {
        self.summed.resize(lexical.end(), false);
        if !lexical.contains(doc) || std::mem::replace(&mut self.summed[doc as usize], true) {
            return;
        }
        self.profiles.resize_with(lexical.vocabulary.stems().len(), || None);
        let stems = lexical.stems(doc);
        let company = company(lexical, &stems);
        add(&mut self.all, &company, 1.0);
        for stem in stems {
            match &mut self.profiles[stem.index()] {
                Some(profile) => add(profile, &company, 1.0),
                none if lexical.occurrences(stem) >= MIN_OCCURRENCES => *none = Some(profile(lexical, stem)),
                _ => {}
            }
        }
    }

    /// Forgets `doc`, which is still in `lexical`.
    pub(super) fn remove(&mut self, lexical: &Lexical, doc: u32) {
        if !self.summed.get_mut(doc as usize).is_some_and(std::mem::take) {
            return;
        }
        let stems = lexical.stems(doc);
        let company = company(lexical, &stems);
        add(&mut self.all, &company, -1.0);
        for stem in stems {
            if let Some(profile) = &mut self.profiles[stem.index()] {
                add(profile, &company, -1.0);
            }
        }
        self.vectors.clear(doc);
    }

    /// Brings the vector of `doc` up to date, and those of a few others.
    pub(super) fn follow(&mut self, lexical: &Lexical, doc: u32) {
        let bring_up_to_date = |of: &mut Self, doc: u32| {
            if lexical.contains(doc) {
                let stems = lexical.stems(doc).into_iter();
                let vector = of.sum(stems.map(|stem| (stem, of.scale(lexical, stem))), lexical);
                of.vectors.set(doc, &vector);
            }
        };
        bring_up_to_date(self, doc);
        for _ in 0..FOLLOWING {
            self.next = if (self.next as usize) < lexical.end() { self.next } else { 0 };
            bring_up_to_date(self, self.next);
            self.next += 1;
        }
    }

    /// Sums everything up anew.
    pub(super) fn learn(&mut self, lexical: &Lexical) {
        let counts = lexical.vocabulary.stems().map(|stem| lexical.occurrences(stem));
        let profile = |count| (count >= MIN_OCCURRENCES).then(|| Box::new([0.0; DIMENSION]));
        self.profiles = counts.map(profile).collect();
        self.all.fill(0.0);
        self.summed = vec![false; lexical.end()];
        let rarities = lexical.vocabulary.stems().map(|stem| lexical.rarity(lexical.occurrences(stem)));
        let rarities: Vec<f32> = rarities.collect();
        let mut all_stems: Vec<Stem> = Vec::with_capacity(lexical.words());
        let mut docs: Vec<(u32, Range<usize>)> = Vec::with_capacity(lexical.count());
        for doc in lexical.docs() {
            self.summed[doc as usize] = true;
            let start = all_stems.len();
            all_stems.extend(lexical.stems(doc));
            docs.push((doc, start..all_stems.len()));
            let stems = &all_stems[start..];
            let mut company = [0.0; DIMENSION];
            for stem in stems {
                add_signature(&mut company, lexical, *stem, rarities[stem.index()]);
            }
            add(&mut self.all, &company, 1.0);
            for stem in stems {
                if let Some(profile) = &mut self.profiles[stem.index()] {
                    add(profile, &company, 1.0);
                }
            }
        }
        let scales: Vec<f32> = lexical.vocabulary.stems().map(|stem| self.scale(lexical, stem)).collect();
        for (doc, stems) in docs {
            let stems = all_stems[stems].iter();
            let vector = self.sum(stems.map(|stem| (*stem, scales[stem.index()])), lexical);
            self.vectors.set(doc, &vector);
        }
    }

    /// Whether anything is known of the company of `stem`.
    pub(super) fn knows(&self, stem: Stem) -> bool {
        self.profiles.get(stem.index()).is_some_and(Option::is_some)
    }

    /// How near each document lies to these stems with their weights, by document.
    pub(super) fn cosines(&self, lexical: &Lexical, stems: impl Iterator<Item = (Stem, f32)>) -> Vec<f32> {
        let scaled = stems.map(|(stem, weight)| (stem, weight * self.scale(lexical, stem)));
        self.vectors.cosines(&self.sum(scaled, lexical))
    }

    /// What makes the own part of a profile as long as its word is rare.
    fn scale(&self, lexical: &Lexical, stem: Stem) -> f32 {
        let Some(Some(profile)) = self.profiles.get(stem.index()) else { return 0.0 };
        let mut own = **profile;
        let (everybody, itself) = not_its_own(lexical, stem);
        add(&mut own, &self.all, -everybody);
        add_signature(&mut own, lexical, stem, -itself);
        let square: f32 = own.iter().map(|value| value * value).sum();
        if square > f32::EPSILON { lexical.rarity(lexical.occurrences(stem)) / square.sqrt() } else { 0.0 }
    }

    /// The sum of the own parts of these profiles, each multiplied with a number.
    fn sum(&self, stems: impl Iterator<Item = (Stem, f32)>, lexical: &Lexical) -> Vector {
        let mut sum = [0.0; DIMENSION];
        let mut common = 0.0;
        for (stem, scale) in stems {
            if let Some(Some(profile)) = self.profiles.get(stem.index()).filter(|_| scale > 0.0) {
                let (everybody, itself) = not_its_own(lexical, stem);
                add(&mut sum, profile, scale);
                add_signature(&mut sum, lexical, stem, -itself * scale);
                common += everybody * scale;
            }
        }
        add(&mut sum, &self.all, -common);
        sum
    }
}

/// How much of a profile is not its own: the share of it that any word would have that is said as often, and how often
/// it has the signature of its own word.
fn not_its_own(lexical: &Lexical, stem: Stem) -> (f32, f32) {
    let occurrences = lexical.occurrences(stem);
    (occurrences as f32 / lexical.count() as f32, occurrences as f32 * lexical.rarity(occurrences))
}

/// The sum of the signatures of all words of a document.
fn company(lexical: &Lexical, stems: &[Stem]) -> Vector {
    let mut company = [0.0; DIMENSION];
    for stem in stems {
        add_signature(&mut company, lexical, *stem, lexical.rarity(lexical.occurrences(*stem)));
    }
    company
}

/// The sum of the companies of all documents that say `stem`.
fn profile(lexical: &Lexical, stem: Stem) -> Box<Vector> {
    let forms = lexical.vocabulary.forms(stem);
    let mut docs: Vec<u32> = forms.flat_map(|term| lexical.having(term)).collect();
    docs.sort_unstable();
    docs.dedup();
    let mut profile = Box::new([0.0; DIMENSION]);
    for doc in docs {
        add(&mut profile, &company(lexical, &lexical.stems(doc)), 1.0);
    }
    profile
}

fn add(sum: &mut Vector, vector: &Vector, weight: f32) {
    sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += weight * value);
}

/// Adds the signature of a stem: eight places, half of them up and half of them down.
fn add_signature(sum: &mut Vector, lexical: &Lexical, stem: Stem, weight: f32) {
    let random = mixed(lexical.vocabulary.hash(stem)).to_le_bytes();
    for (place, at) in random.into_iter().enumerate() {
        sum[usize::from(at)] += if place % 2 == 0 { weight } else { -weight };
    }
}
