//! The words of a text, counted: the slow part of indexing, which needs no lock.

use std::borrow::Cow;
use std::collections::HashMap;

use super::words::each_word;

const IN_TITLE: f32 = 4.0;
const IN_TAGS: f32 = 3.0;
const IN_SUMMARY: f32 = 1.5;
const IN_KIND: f32 = 1.0;
const IN_CONTENT: f32 = 1.0;

/// What a document says, and where.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Text<'t> {
    pub(crate) title: &'t str,
    pub(crate) summary: Option<&'t str>,
    pub(crate) content: &'t str,
    pub(crate) tags: &'t [String],
    /// What kind of document it is, in a word.
    pub(crate) kind: &'t str,
}

impl<'t> Text<'t> {
    /// Its parts, each with how prominent a word is there.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'t str, f32)> {
        let fields = [
            (self.title, IN_TITLE),
            (self.content, IN_CONTENT),
            (self.summary.unwrap_or_default(), IN_SUMMARY),
            (self.kind, IN_KIND),
        ];
        fields.into_iter().chain(self.tags.iter().map(|tag| (tag.as_str(), IN_TAGS)))
    }
}

/// A text, ready to be indexed.
#[derive(Debug)]
pub(crate) struct Digest {
    /// Each word once, one after the other.
    letters: String,
    /// Where each word ends, and how prominently the text says it.
    words: Vec<(u32, f32)>,
}

impl Digest {
    pub(crate) fn of(text: &Text<'_>) -> Self {
        let mut prominence: HashMap<Cow<'_, str>, f32> = HashMap::new();
        for (text, weight) in text.fields() {
            each_word(text, |word| *prominence.entry(word).or_default() += weight);
        }
        let mut digest = Self { letters: String::new(), words: Vec::with_capacity(prominence.len()) };
        for (word, prominence) in prominence {
            digest.letters.push_str(&word);
            digest.words.push((u32::try_from(digest.letters.len()).unwrap_or(u32::MAX), prominence));
        }
        digest
    }

    /// Each word once, with how prominently the text says it.
    pub(super) fn words(&self) -> impl Iterator<Item = (&str, f32)> {
        let mut start = 0;
        self.words.iter().map(move |(end, prominence)| {
            let word = &self.letters[start..*end as usize];
            start = *end as usize;
            (word, *prominence)
        })
    }
}
