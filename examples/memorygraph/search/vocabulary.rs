//! Every word that any memory has, by spelling and by stem, and the nearest of them to one that none has.

use std::collections::HashMap;
use std::sync::Arc;

use super::query::Tolerance;
use super::stem::stem;

/// Of what a word counts, what is left when it was spelt with one slip, and with two.
const LIKENESS: [f32; 3] = [1.0, 0.8, 0.6];
/// What a word counts that only begins as the one that is looked for.
const LIKENESS_OF_A_BEGINNING: f32 = 0.7;
/// Letters that a beginning must have to stand for the whole.
const MIN_BEGINNING: usize = 3;

/// A word, as it is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term(u32);

/// What all inflections of a word have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stem(u32);

impl Term {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Stem {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    terms: HashMap<Arc<str>, Term>,
    stems: HashMap<Arc<str>, Stem>,
    /// By term.
    forms: Vec<Form>,
    /// By stem.
    families: Vec<Family>,
    /// All words and stems of one length in letters, by that length.
    by_length: Vec<Vec<Spelling>>,
}

#[derive(Debug)]
struct Form {
    text: Arc<str>,
    stem: Stem,
    /// Another form of the same stem.
    next: Option<Term>,
}

#[derive(Debug)]
struct Family {
    /// The form that was learnt last.
    newest: Term,
    hash: u64,
}

#[derive(Debug)]
struct Spelling {
    text: Arc<str>,
    signature: u32,
    stem: Stem,
    /// Whether it is a word, or only a stem.
    word: bool,
}

impl Vocabulary {
    /// The term of `word`, which is a new one when it is heard for the first time.
    pub(super) fn learn(&mut self, word: &str) -> Term {
        if let Some(term) = self.terms.get(word) {
            return *term;
        }
        let term = Term(u32::try_from(self.forms.len()).unwrap_or(u32::MAX));
        let text: Arc<str> = word.into();
        let root = stem(word.to_owned());
        let known = self.stems.get(root.as_str()).copied();
        let stem = known.unwrap_or_else(|| self.learn_stem(root, word, &text, term));
        let newest = std::mem::replace(&mut self.families[stem.index()].newest, term);
        let next = known.map(|_| newest);
        self.forms.push(Form { text: Arc::clone(&text), stem, next });
        self.spell(Arc::clone(&text), stem, true);
        self.terms.insert(text, term);
        term
    }

    /// A new stem, whose first form is `term`.
    fn learn_stem(&mut self, root: String, word: &str, text: &Arc<str>, term: Term) -> Stem {
        let stem = Stem(u32::try_from(self.families.len()).unwrap_or(u32::MAX));
        let is_word = root == word;
        let root: Arc<str> = if is_word { Arc::clone(text) } else { root.into() };
        self.families.push(Family { newest: term, hash: hash(&root) });
        self.stems.insert(Arc::clone(&root), stem);
        if !is_word {
            self.spell(root, stem, false);
        }
        stem
    }

    fn spell(&mut self, text: Arc<str>, stem: Stem, word: bool) {
        let letters = text.chars().count();
        if self.by_length.len() <= letters {
            self.by_length.resize_with(letters + 1, Vec::new);
        }
        self.by_length[letters].push(Spelling { signature: signature(&text), text, stem, word });
    }

    pub(super) fn stem_of(&self, term: Term) -> Stem {
        self.forms[term.index()].stem
    }

    /// All stems, in order.
    pub(super) fn stems(&self) -> impl ExactSizeIterator<Item = Stem> {
        (0..u32::try_from(self.families.len()).unwrap_or(u32::MAX)).map(Stem)
    }

    /// The spellings of a stem.
    pub(super) fn forms(&self, stem: Stem) -> impl Iterator<Item = Term> {
        std::iter::successors(Some(self.families[stem.index()].newest), |term| self.forms[term.index()].next)
    }

    /// A number that a stem has in every vocabulary, and hardly any other has.
    pub(super) fn hash(&self, stem: Stem) -> u64 {
        self.families[stem.index()].hash
    }

    pub(super) fn text(&self, term: Term) -> &str {
        &self.forms[term.index()].text
    }

    /// What `word` may mean. `said` tells whether any memory has a term.
    pub(super) fn meaning(&self, word: &str, tolerance: Tolerance, said: impl Fn(Term) -> bool) -> Meaning {
        if tolerance == Tolerance::Strict {
            let exact = self.terms.get(word).filter(|term| said(**term));
            return Meaning::exactly(exact.copied().into_iter());
        }
        let root = stem(word.to_owned());
        let anyone_says = |stem: Stem| self.forms(stem).any(&said);
        let known = self.stems.get(root.as_str()).copied().filter(|stem| anyone_says(*stem));
        if tolerance == Tolerance::Normal {
            if let Some(stem) = known {
                return Meaning::exactly(self.forms(stem));
            }
            return self.widened(self.nearest(word, &root, anyone_says));
        }
        let mut like: Vec<(Stem, f32)> = known.map(|stem| (stem, LIKENESS[0])).into_iter().collect();
        for (stem, likeness) in self.all_near(word, &root).into_iter().filter(|(stem, _)| anyone_says(*stem))
        {
            if !like.iter().any(|(known, _)| *known == stem) {
                like.push((stem, likeness));
            }
        }
        Meaning { guessed: known.is_none() && !like.is_empty(), ..self.widened(like) }
    }

    fn widened(&self, stems: Vec<(Stem, f32)>) -> Meaning {
        let all =
            stems.iter().flat_map(|(stem, likeness)| self.forms(*stem).map(move |term| (term, *likeness)));
        Meaning { terms: all.collect(), guessed: !stems.is_empty() }
    }

    /// The stems that are the fewest slips away from `word` or its `root`; of equals those that begin alike.
    fn nearest(&self, word: &str, root: &str, anyone_says: impl Fn(Stem) -> bool) -> Vec<(Stem, f32)> {
        let mut nearest: Vec<Stem> = Vec::new();
        let mut least = usize::MAX;
        self.each_near(word, root, |spelling, slips| {
            let apart = 2 * slips + usize::from(spelling.text.chars().next() != word.chars().next());
            if apart > least || !anyone_says(spelling.stem) {
                return;
            }
            if apart < least {
                nearest.clear();
                least = apart;
            }
            if !nearest.contains(&spelling.stem) {
                nearest.push(spelling.stem);
            }
        });
        nearest.into_iter().map(|stem| (stem, LIKENESS[least / 2])).collect()
    }

    /// All stems that are few slips away from `word` or its `root`, or begin with it; the likest first.
    fn all_near(&self, word: &str, root: &str) -> Vec<(Stem, f32)> {
        let mut near: Vec<(Stem, f32)> = Vec::new();
        self.each_near(word, root, |spelling, slips| near.push((spelling.stem, LIKENESS[slips])));
        let letters = word.chars().count();
        if letters >= MIN_BEGINNING {
            let longer = self.by_length.iter().skip(letters + 1).flatten();
            let begun = longer.filter(|spelling| spelling.text.starts_with(word));
            near.extend(begun.map(|spelling| (spelling.stem, LIKENESS_OF_A_BEGINNING)));
        }
        near.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near
    }

    /// Calls `meet` with each spelling that is few enough slips away, and with how many. A word is held against words,
    /// and the root of an inflected one against stems, too.
    fn each_near(&self, word: &str, root: &str, mut meet: impl FnMut(&Spelling, usize)) {
        let forms = [(word, false), (root, true)];
        let mut rows = Rows::default();
        for (form, stems) in &forms[..if word == root { 1 } else { 2 }] {
            let letters: Vec<char> = form.chars().collect();
            let (signature, most) = (signature(form), forgiven(letters.len()));
            if most == 0 {
                continue;
            }
            let lengths = letters.len() - most..=letters.len() + most;
            for spelling in lengths.filter_map(|length| self.by_length.get(length)).flatten() {
                // A slip changes at most two letters, so that most words are told apart without comparing them.
                let differing = (spelling.signature ^ signature).count_ones() as usize;
                if differing > 2 * most || !(spelling.word || *stems) {
                    continue;
                }
                // Hardly anybody slips on the first letter, and surely not there and elsewhere.
                let most = if spelling.text.starts_with(letters[0]) { most } else { 1 };
                if let Some(slips) = rows.slips(&letters, &spelling.text, most) {
                    meet(spelling, slips);
                }
            }
        }
    }
}

/// What a word of a query stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meaning {
    /// Each with how like it is, from 0 to 1.
    pub(super) terms: Vec<(Term, f32)>,
    /// Whether nobody has said the word itself.
    pub(super) guessed: bool,
}

impl Meaning {
    fn exactly(terms: impl Iterator<Item = Term>) -> Self {
        Self { terms: terms.map(|term| (term, LIKENESS[0])).collect(), guessed: false }
    }
}

/// How many slips are forgiven in a word of so many letters. A short one would be like too many others.
fn forgiven(letters: usize) -> usize {
    match letters {
        0..4 => 0,
        4..7 => 1,
        _ => 2,
    }
}

/// The same in every process, so that what is learnt from the same memories is the same (FNV-1a).
fn hash(text: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// One bit for each letter that occurs (some letters share one).
fn signature(text: &str) -> u32 {
    text.chars().fold(0, |bits, letter| bits | 1 << (u32::from(letter) % 32))
}

/// Room in which two words are compared.
#[derive(Debug, Default)]
struct Rows {
    letters: Vec<char>,
    before_last: Vec<usize>,
    last: Vec<usize>,
    row: Vec<usize>,
}

impl Rows {
    /// How many slips lie between two words: a letter too many, too few, wrong, or swapped with its neighbour
    /// (optimal string alignment). None if there are more than `most`.
    fn slips(&mut self, a: &[char], b: &str, most: usize) -> Option<usize> {
        let Self { letters: b_letters, before_last, last, row } = self;
        b_letters.clear();
        b_letters.extend(b.chars());
        let b: &[char] = b_letters;
        last.clear();
        last.extend(0..=b.len());
        for i in 1..=a.len() {
            row.clear();
            row.push(i);
            let mut least = i;
            for j in 1..=b.len() {
                let wrong = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut slips = wrong.min(last[j] + 1).min(row[j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    slips = slips.min(before_last[j - 2] + 1);
                }
                least = least.min(slips);
                row.push(slips);
            }
            // A swap looks two rows back, so that one row beyond the limit may yet be made good by one slip less.
            if least > most + 1 {
                return None;
            }
            std::mem::swap(before_last, last);
            std::mem::swap(last, row);
        }
        Some(last[b.len()]).filter(|slips| *slips <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slips(a: &str, b: &str) -> Option<usize> {
        Rows::default().slips(&a.chars().collect::<Vec<_>>(), b, 2)
    }

    /// The stems that `word` may mean to somebody who knows `known`.
    fn meant(known: &[&str], word: &str, tolerance: Tolerance) -> Vec<String> {
        let mut vocabulary = Vocabulary::default();
        for word in known {
            vocabulary.learn(word);
        }
        let meaning = vocabulary.meaning(word, tolerance, |_| true);
        let mut stems: Vec<String> = Vec::new();
        for (term, _) in meaning.terms {
            let stem = stem(vocabulary.text(term).to_owned());
            if !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        stems
    }

    fn normally(known: &[&str], word: &str) -> Vec<String> {
        meant(known, word, Tolerance::Normal)
    }

    #[test]
    fn each_kind_of_slip_counts_once() {
        assert_eq!(slips("timeout", "timeout"), Some(0));
        assert_eq!(slips("timeot", "timeout"), Some(1), "one too few");
        assert_eq!(slips("timeoutt", "timeout"), Some(1), "one too many");
        assert_eq!(slips("timeaut", "timeout"), Some(1), "a wrong one");
        assert_eq!(slips("tiemout", "timeout"), Some(1), "two swapped");
        assert_eq!(slips("itmeotu", "timeout"), Some(2), "twice two swapped");
        assert_eq!(slips("", "timeout"), None);
    }

    #[test]
    fn giving_up_early_changes_nothing() {
        let words =
            ["timeout", "tiemotu", "timer", "itmeout", "imeotut", "outtime", "tmeou", "xtimeout", "abc"];
        for a in words {
            for b in words {
                let letters: Vec<char> = a.chars().collect();
                let whole = Rows::default().slips(&letters, b, 20).filter(|slips| *slips <= 2);
                assert_eq!(slips(a, b), whole, "{a} {b}");
            }
        }
    }

    #[test]
    fn a_known_word_means_all_its_inflections_and_nothing_else() {
        assert_eq!(normally(&["cache", "caches", "cachet"], "caching"), ["cach"]);
    }

    #[test]
    fn an_unknown_word_means_the_nearest_known_ones() {
        assert_eq!(normally(&["timeout", "timer", "time"], "timeuot"), ["timeout"]);
        assert_eq!(normally(&["postgres", "progress"], "potsgres"), ["postgr"]);
        assert_eq!(normally(&["pond", "pong", "port"], "ponx"), ["pond", "pong"]);
    }

    #[test]
    fn a_slip_in_an_inflection_is_forgiven_too() {
        assert_eq!(normally(&["deadlock"], "deadlokced"), ["deadlock"]);
        assert_eq!(normally(&["retrying"], "retryng"), ["retri"]);
    }

    #[test]
    fn of_equals_those_count_that_begin_alike() {
        assert_eq!(normally(&["cache", "pache"], "cashe"), ["cach"]);
    }

    #[test]
    fn short_words_are_taken_to_the_letter() {
        assert!(normally(&["api", "app"], "apt").is_empty());
        assert!(normally(&["cache"], "coach").is_empty(), "two slips in five letters");
    }

    #[test]
    fn strictly_a_word_means_itself() {
        assert_eq!(meant(&["cache", "caches"], "caches", Tolerance::Strict), ["cach"]);
        assert!(meant(&["cache"], "caches", Tolerance::Strict).is_empty());
        assert!(meant(&["timeout"], "timeuot", Tolerance::Strict).is_empty());
    }

    #[test]
    fn fuzzily_a_known_word_means_its_neighbours_and_what_it_begins() {
        let known = ["cache", "cachet", "config", "configuration", "timeout"];
        assert_eq!(meant(&known, "cache", Tolerance::Fuzzy), ["cach", "cachet"]);
        assert_eq!(meant(&known, "conf", Tolerance::Fuzzy), ["config", "configur"]);
    }

    #[test]
    fn a_word_that_no_memory_has_any_more_is_unknown() {
        let mut vocabulary = Vocabulary::default();
        let (gone, there) = (vocabulary.learn("timeout"), vocabulary.learn("timeour"));
        let meaning = vocabulary.meaning("timeout", Tolerance::Normal, |term| term != gone);
        assert_eq!(meaning, Meaning { terms: vec![(there, LIKENESS[1])], guessed: true });
    }
}
