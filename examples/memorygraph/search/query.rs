//! What somebody looks for, and how it is to be taken.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{QueryWord, query_words};

const MAX_QUERY: usize = 1000;

/// How documents are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Mode {
    /// By the words of the query alone.
    Lexical,
    /// By these and by what they have to do with others, as far as this store knows.
    Associative,
    /// By what they mean, as far as a model knows, and by the words themselves.
    Semantic,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Whether a document must have any word of a query, or each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum MatchMode {
    #[default]
    Any,
    All,
}

/// How literally the words of a query are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Tolerance {
    /// To the letter.
    Strict,
    /// In any inflection; a word that nobody has ever used stands for the nearest ones that somebody has.
    #[default]
    Normal,
    /// Each word stands for all that are spelt much like it, or begin with it, too.
    Fuzzy,
}

/// A query: words, and how they are to be taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    pub(super) text: String,
    pub(super) words: Vec<QueryWord>,
    /// Whether nothing but its words counts, whatever else is known.
    pub(crate) words_only: bool,
    pub(crate) match_mode: MatchMode,
    pub(crate) tolerance: Tolerance,
    /// How many hits are told.
    pub(crate) limit: usize,
}

impl Query {
    /// A query of all these terms, each of one word or more.
    pub(crate) fn of_terms<T: AsRef<str>>(terms: &[T]) -> Result<Self, QueryError> {
        let text = terms.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ");
        text.parse()
    }
}

impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        let got = text.chars().count();
        if got > MAX_QUERY {
            return Err(QueryError::TooLong { max: MAX_QUERY, got });
        }
        let words = query_words(text);
        if words.is_empty() {
            return Err(QueryError::NothingToSearch(text.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            words,
            words_only: false,
            match_mode: MatchMode::default(),
            tolerance: Tolerance::default(),
            limit: usize::MAX,
        })
    }
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueryError {
    TooLong {
        max: usize,
        got: usize,
    },
    /// Nothing but stop words and punctuation.
    NothingToSearch(String),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { max, got } => write!(f, "Query exceeds {max} characters (got {got})"),
            Self::NothingToSearch(query) => write!(f, "Query '{query}' holds no word to search for"),
        }
    }
}

impl std::error::Error for QueryError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_without_a_telling_word_is_refused() {
        let error = "what is the -?".parse::<Query>().expect_err("nothing to search");
        assert_eq!(error.to_string(), "Query 'what is the -?' holds no word to search for");
        let error = "x".repeat(1001).parse::<Query>().expect_err("too long");
        assert_eq!(error.to_string(), "Query exceeds 1000 characters (got 1001)");
    }

    #[test]
    fn terms_are_one_query() {
        assert_eq!(Query::of_terms(&["redis timeout", "pool"]), "redis timeout pool".parse());
    }
}
