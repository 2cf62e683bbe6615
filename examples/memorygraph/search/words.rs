//! From text to stems: what is a word, which words say nothing, and how prominent a word is where it stands.

use std::borrow::Cow;
use std::collections::HashMap;
use std::str::FromStr;

use super::stem::stem;
use crate::error::GraphError;
use crate::model::Memory;

const IN_TITLE: f32 = 4.0;
const IN_TAGS: f32 = 3.0;
const IN_SUMMARY: f32 = 1.5;
const IN_TYPE: f32 = 1.0;
const IN_CONTENT: f32 = 1.0;
const MAX_QUERY: usize = 1000;
/// Longer ones are keys, hashes and encoded data, which nobody looks for by heart.
const MAX_WORD: usize = 64;

/// Words so common that they tell no memory from another; in order.
#[rustfmt::skip]
const STOP_WORDS: &[&str] = &[
    "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "before", "being", "but", "by", "can", "could", "did", "do", "does", "doing", "done", "each", "for", "from", "get",
    "had", "has", "have", "having", "he", "her", "here", "him", "his", "how", "if", "in", "into", "is", "it", "its",
    "just", "may", "me", "might", "more", "most", "must", "my", "no", "nor", "not", "now", "of", "on", "only", "or",
    "other", "our", "out", "over", "own", "same", "she", "should", "so", "some", "such", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "those", "to", "too", "under", "until", "up", "us", "very", "was",
    "we", "were", "what", "when", "where", "which", "while", "who", "why",
];

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    stems: Vec<String>,
}

impl Query {
    /// Its words, each once.
    pub(super) fn stems(&self) -> &[String] {
        &self.stems
    }
}

impl FromStr for Query {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Self, GraphError> {
        let got = text.chars().count();
        if got > MAX_QUERY {
            return Err(GraphError::TooLong { what: "Query", max: MAX_QUERY, got });
        }
        let mut stems: Vec<String> = Vec::new();
        for word in words(text).map(str::to_lowercase).filter(|word| says_something(word)) {
            let stem = stem(word);
            if !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        if stems.is_empty() { Err(GraphError::NothingToSearch(text.to_owned())) } else { Ok(Self { stems }) }
    }
}

/// Each stem of a memory once, with how prominently the memory says it.
pub(super) fn weighted_stems(memory: &Memory) -> Vec<(String, f32)> {
    let kind = memory.kind.to_string();
    let fields = [
        (memory.title.as_str(), IN_TITLE),
        (&memory.content, IN_CONTENT),
        (memory.summary.as_deref().unwrap_or_default(), IN_SUMMARY),
        (&kind, IN_TYPE),
    ];
    let fields = fields.into_iter().chain(memory.tags.iter().map(|tag| (tag.as_str(), IN_TAGS)));
    // Stemming costs more than counting, so that words are counted first.
    let mut prominence: HashMap<Cow<'_, str>, f32> = HashMap::new();
    for (text, weight) in fields {
        for word in words(text) {
            for part in [word].into_iter().chain(humps(word)) {
                let part = lower_case(part);
                if says_something(&part) {
                    *prominence.entry(part).or_default() += weight;
                }
            }
        }
    }
    let mut stems: HashMap<String, f32> = HashMap::with_capacity(prominence.len());
    for (word, weight) in prominence {
        *stems.entry(stem(word.into_owned())).or_default() += weight;
    }
    stems.into_iter().collect()
}

fn lower_case(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(word.to_lowercase())
    }
}

/// The runs of letters and digits in `text`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty() && word.len() <= MAX_WORD)
}

/// The parts of a name like `RedisTimeoutError`; none for a word that is all one. A memory is known by such a name
/// and by its parts; a query means the word as it stands.
fn humps(word: &str) -> Vec<&str> {
    if !word.chars().skip(1).any(char::is_uppercase) {
        return Vec::new();
    }
    let is_upper = |at: usize| word[at..].starts_with(char::is_uppercase);
    let is_lower = |at: usize| word[at..].starts_with(char::is_lowercase);
    let letters: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    let mut humps = Vec::new();
    let mut start = 0;
    for around in letters.windows(3) {
        let &[before, at, next] = around else { continue };
        let rises = is_lower(before) && is_upper(at);
        let ends_acronym = is_upper(before) && is_upper(at) && is_lower(next);
        if rises || ends_acronym {
            humps.push(&word[start..at]);
            start = at;
        }
    }
    if start > 0 {
        humps.push(&word[start..]);
    }
    humps
}

/// Whether a word tells one memory from another; single letters and stop words do not.
fn says_something(word: &str) -> bool {
    word.len() > 1 && STOP_WORDS.binary_search(&word).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(query: &str) -> Vec<String> {
        query.parse::<Query>().expect("has words").stems
    }

    #[test]
    fn the_stop_words_are_in_order() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn a_query_is_its_telling_words_each_once() {
        assert_eq!(stems("How does the Timeout of timeouts work?"), ["timeout", "work"]);
        assert_eq!(stems("redis-cache/redis_cache"), ["redi", "cach"]);
    }

    #[test]
    fn a_query_without_a_telling_word_is_refused() {
        let error = "what is the -?".parse::<Query>().expect_err("nothing to search");
        assert_eq!(error.to_string(), "Query 'what is the -?' holds no word to search for");
        let error = "x".repeat(1001).parse::<Query>().expect_err("too long");
        assert_eq!(error.to_string(), "Query exceeds 1000 characters (got 1001)");
    }

    #[test]
    fn a_name_is_split_at_its_humps() {
        assert_eq!(humps("RedisTimeoutError"), ["Redis", "Timeout", "Error"]);
        assert_eq!(humps("HTTPServer"), ["HTTP", "Server"]);
        assert_eq!(humps("parseÄrger"), ["parse", "Ärger"]);
        for one in ["timeout", "Timeout", "HTTP", "x", "été", ""] {
            assert!(humps(one).is_empty(), "{one}");
        }
    }

    #[test]
    fn words_of_other_scripts_are_words() {
        assert_eq!(stems("Ошибка кэша"), ["ошибка", "кэша"]);
        assert_eq!(stems("超时"), ["超时"]);
    }
}
