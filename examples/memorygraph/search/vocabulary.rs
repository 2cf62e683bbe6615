//! Every stem that any memory has, and the nearest of them to one that none has.

use std::collections::HashMap;

/// Of what a word counts, what is left when it was spelt with one slip, and with two.
const LIKENESS: [f64; 3] = [1.0, 0.8, 0.6];

/// A stem that the vocabulary knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term(u32);

impl Term {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    terms: HashMap<String, Term>,
    /// All stems of one length in letters, by that length.
    by_length: Vec<Vec<Spelling>>,
}

#[derive(Debug)]
struct Spelling {
    letters: Box<[char]>,
    signature: u32,
    term: Term,
}

impl Vocabulary {
    /// The term of `stem`, which is a new one when it is heard for the first time.
    pub(super) fn learn(&mut self, stem: String) -> Term {
        if let Some(term) = self.terms.get(&stem) {
            return *term;
        }
        let term = Term(u32::try_from(self.terms.len()).unwrap_or(u32::MAX));
        let letters: Box<[char]> = stem.chars().collect();
        if self.by_length.len() <= letters.len() {
            self.by_length.resize_with(letters.len() + 1, Vec::new);
        }
        self.by_length[letters.len()].push(Spelling { signature: signature(&letters), letters, term });
        self.terms.insert(stem, term);
        term
    }

    /// The terms that `stem` may mean, each with how like it is: itself when anybody has it, and else those that are
    /// the fewest slips away. `having` says how many memories have a term.
    pub(super) fn likely(&self, stem: &str, having: impl Fn(Term) -> usize) -> Vec<(Term, f64)> {
        if let Some(term) = self.terms.get(stem).filter(|term| having(**term) > 0) {
            return vec![(*term, LIKENESS[0])];
        }
        let letters: Vec<char> = stem.chars().collect();
        let mut slips = forgiven(letters.len());
        let mut nearest: Vec<Term> = Vec::new();
        let (signature, lengths) = (signature(&letters), letters.len() - slips..=letters.len() + slips);
        let candidates = lengths.filter_map(|length| self.by_length.get(length)).flatten();
        for known in candidates.filter(|known| having(known.term) > 0) {
            // A slip changes at most two letters, so that most words are told apart without comparing them.
            let differing = (known.signature ^ signature).count_ones() as usize;
            if differing > 2 * slips {
                continue;
            }
            match distance(&letters, &known.letters) {
                0 => {}
                apart if apart < slips => {
                    slips = apart;
                    nearest = vec![known.term];
                }
                apart if apart == slips => nearest.push(known.term),
                _ => {}
            }
        }
        nearest.into_iter().map(|term| (term, LIKENESS[slips])).collect()
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

/// One bit for each letter that occurs (some letters share one).
fn signature(letters: &[char]) -> u32 {
    letters.iter().fold(0, |bits, letter| bits | 1 << (u32::from(*letter) % 32))
}

/// How many slips lie between two words: a letter too many, too few, wrong, or swapped with its neighbour
/// (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i);
        for j in 1..=b.len() {
            let wrong = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut slips = wrong.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                slips = slips.min(before_last[j - 2] + 1);
            }
            row.push(slips);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slips(a: &str, b: &str) -> usize {
        distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
    }

    fn likely(known: &[&str], word: &str) -> Vec<String> {
        let mut vocabulary = Vocabulary::default();
        let terms: Vec<Term> = known.iter().map(|stem| vocabulary.learn((*stem).to_owned())).collect();
        let likely = vocabulary.likely(word, |_| 1);
        let name = |term| terms.iter().position(|known| *known == term).map(|at| known[at]);
        likely.iter().filter_map(|(term, _)| name(*term)).map(str::to_owned).collect()
    }

    #[test]
    fn each_kind_of_slip_counts_once() {
        assert_eq!(slips("timeout", "timeout"), 0);
        assert_eq!(slips("timeot", "timeout"), 1, "one too few");
        assert_eq!(slips("timeoutt", "timeout"), 1, "one too many");
        assert_eq!(slips("timeaut", "timeout"), 1, "a wrong one");
        assert_eq!(slips("tiemout", "timeout"), 1, "two swapped");
        assert_eq!(slips("", "timeout"), 7);
    }

    #[test]
    fn a_known_word_means_only_itself() {
        assert_eq!(likely(&["cache", "cachet"], "cache"), ["cache"]);
    }

    #[test]
    fn an_unknown_word_means_the_nearest_known_ones() {
        assert_eq!(likely(&["timeout", "timer", "time"], "timeuot"), ["timeout"]);
        assert_eq!(likely(&["postgr", "progress"], "potsgrs"), ["postgr"]);
        assert_eq!(likely(&["pond", "pong", "port"], "ponx"), ["pond", "pong"]);
    }

    #[test]
    fn short_words_are_taken_to_the_letter() {
        assert!(likely(&["api", "app"], "apt").is_empty());
        assert!(likely(&["cache"], "coach").is_empty(), "two slips in five letters");
    }

    #[test]
    fn a_word_that_no_memory_has_any_more_is_unknown() {
        let mut vocabulary = Vocabulary::default();
        let (gone, there) = (vocabulary.learn("timeout".into()), vocabulary.learn("timeouts".into()));
        let likely = vocabulary.likely("timeout", |term| usize::from(term != gone));
        assert_eq!(likely, [(there, LIKENESS[1])]);
    }
}
