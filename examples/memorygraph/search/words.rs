//! From text to words: what is a word, which words say nothing, and how words are written alike.

use std::borrow::Cow;

/// Longer ones are keys, hashes and encoded data, which nobody looks for by heart.
const MAX_WORD: usize = 64;

/// Words so common that they tell no memory from another, and what is left of "don't" and its like; in order.
#[rustfmt::skip]
const STOP_WORDS: &[&str] = &[
    "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "aren", "as", "at", "be", "because",
    "been", "before", "being", "but", "by", "can", "could", "couldn", "did", "didn", "do", "does", "doesn", "doing",
    "don", "done", "each", "for", "from", "get", "had", "has", "have", "having", "he", "her", "here", "him", "his",
    "how", "if", "in", "into", "is", "isn", "it", "its", "just", "ll", "may", "me", "might", "more", "most", "must",
    "my", "no", "nor", "not", "now", "of", "on", "only", "or", "other", "our", "out", "over", "own", "re", "same",
    "she", "should", "shouldn", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these",
    "they", "this", "those", "to", "too", "under", "until", "up", "us", "ve", "very", "was", "wasn", "we", "were",
    "what", "when", "where", "which", "while", "who", "why", "will", "with", "would", "wouldn", "you", "your",
];

/// Calls `meet` with each telling word of `text`, as [`alike`] writes it, as often as it stands there.
pub(super) fn each_word<'t>(text: &'t str, mut meet: impl FnMut(Cow<'t, str>)) {
    for word in raw_words(text) {
        each_word_of(word, &mut meet);
    }
}

/// Calls `meet` with what a [raw word](raw_words) tells. A name like `RedisTimeoutError` is met whole, and then by its
/// parts.
pub(super) fn each_word_of<'t>(word: &'t str, meet: &mut impl FnMut(Cow<'t, str>)) {
    meet_telling(word, meet);
    for hump in humps(word) {
        meet_telling(hump, meet);
    }
}

/// The telling words of a query. A name with humps is its parts; what it is called as a whole comes with them.
pub(super) fn query_words(text: &str) -> Vec<QueryWord> {
    let mut found: Vec<QueryWord> = Vec::new();
    let mut keep = |text: Cow<'_, str>, name: bool| {
        if !found.iter().any(|known| known.text == text) {
            found.push(QueryWord { text: text.into_owned(), name });
        }
    };
    for word in raw_words(text) {
        let humps = humps(word);
        meet_telling(word, &mut |word| keep(word, !humps.is_empty()));
        for hump in &humps {
            meet_telling(hump, &mut |part| keep(part, false));
        }
    }
    found
}

/// A word of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueryWord {
    pub(super) text: String,
    /// The whole of a name whose parts are words of the query, too: counts where it stands, and is not missed.
    pub(super) name: bool,
}

fn meet_telling<'t>(word: &'t str, meet: &mut impl FnMut(Cow<'t, str>)) {
    if word.is_ascii() || !word.chars().any(is_written_without_blanks) {
        let word = alike(word);
        if says_something(&word) {
            meet(word);
        }
        return;
    }
    // Where no blank parts the words, each two neighbours are taken for one.
    for run in runs_by(word, is_written_without_blanks) {
        if !run.starts_with(is_written_without_blanks) {
            meet_telling(run, meet);
            continue;
        }
        let starts: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
        if starts.len() == 2 {
            meet(Cow::Borrowed(run));
        }
        for pair in starts.windows(3) {
            meet(Cow::Borrowed(&run[pair[0]..pair[2]]));
        }
    }
}

/// The runs of letters and digits in `text`, with the signs that end a name like `C++` or `F#`.
pub(super) fn raw_words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = &rest[rest.find(is_of_a_word)?..];
        let mut end = rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len());
        if end <= 2 {
            end +=
                ["++", "#"].iter().find(|sign| rest[end..].starts_with(**sign)).map_or(0, |sign| sign.len());
        }
        let word;
        (word, rest) = rest.split_at(end);
        Some(word)
    })
    .filter(|word| word.len() <= MAX_WORD || !word.is_ascii())
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining(c)
}

/// An accent that is written after its letter.
fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// The scripts of Chinese and Japanese.
fn is_written_without_blanks(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// `text` cut where `class` changes.
fn runs_by(text: &str, class: impl Fn(char) -> bool) -> Vec<&str> {
    let mut runs = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let now = class(c);
        if before.is_some_and(|before| before != now) {
            runs.push(&text[start..at]);
            start = at;
        }
        before = Some(now);
    }
    runs.push(&text[start..]);
    runs
}

/// `word` as it is kept: in lower case and without accents.
pub(super) fn alike(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(word)
    } else if word.is_ascii() {
        Cow::Owned(word.to_ascii_lowercase())
    } else {
        Cow::Owned(
            word.chars().flat_map(char::to_lowercase).filter(|c| !is_combining(*c)).map(bare).collect(),
        )
    }
}

/// A Latin letter without its accent.
fn bare(letter: char) -> char {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' => 'g',
        'ì'..='ï' | 'ī' | 'į' | 'ı' => 'i',
        'ł' | 'ľ' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ř' => 'r',
        'ś' | 'ş' | 'š' => 's',
        'ť' | 'ţ' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

/// The parts of a name like `RedisTimeoutError`; none for a word that is all one.
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

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        each_word(text, |word| words.push(word.into_owned()));
        words
    }

    #[test]
    fn the_stop_words_are_in_order() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn what_tells_nothing_is_left_out() {
        assert_eq!(words("How does the Timeout of a cache work?"), ["timeout", "cache", "work"]);
        assert_eq!(words("it doesn't, we'll see"), ["see"]);
        assert!(words("--- ?!  ").is_empty());
    }

    #[test]
    fn code_is_read_by_its_parts() {
        assert_eq!(words("std::fs::read_to_string"), ["std", "fs", "read", "string"]);
        assert_eq!(words("src/api-client.rs"), ["src", "api", "client", "rs"]);
        assert_eq!(words("RedisTimeoutError"), ["redistimeouterror", "redis", "timeout", "error"]);
        assert_eq!(words("C++ c# G++ x"), ["c++", "c#", "g++"]);
        assert_eq!(words("HTTP2 over utf8"), ["http2", "utf8"]);
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
        assert_eq!(words("Ошибка кэша"), ["ошибка", "кэша"]);
        assert_eq!(words("缓存超时"), ["缓存", "存超", "超时"], "each two neighbours");
        assert_eq!(words("redis缓存 税"), ["redis", "缓存", "税"]);
    }

    #[test]
    fn accents_and_capitals_make_no_difference() {
        assert_eq!(words("Café CAFÉ cafe\u{301}"), ["cafe", "cafe", "cafe"]);
        assert_eq!(words("Größe Łódź"), ["große", "lodz"]);
    }

    #[test]
    fn a_query_knows_a_name_and_its_parts() {
        let found = query_words("why PoolTimeout, pool");
        let found: Vec<_> = found.iter().map(|word| (word.text.as_str(), word.name)).collect();
        assert_eq!(found, [("pooltimeout", true), ("pool", false), ("timeout", false)]);
    }
}
