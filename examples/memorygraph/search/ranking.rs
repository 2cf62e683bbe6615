//! How hits were ranked, as it is told with them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Mode;

/// How memories were ranked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Ranking {
    /// By words and what they have to do with others (associative), by what a model knows them to mean (semantic), or by
    /// words alone (lexical).
    pub(crate) mode: Mode,
    /// Words that no memory has, and what they were taken for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) guessed: Vec<Guess>,
    /// How many memories the model was not shown yet: these are found by their words alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) without_vector: usize,
}

/// A word that no memory has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Guess {
    pub(crate) word: String,
    /// Words that memories have, and that are spelt much like it.
    pub(crate) taken_for: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mode: {}.", self.mode)?;
        for Guess { word, taken_for } in &self.guessed {
            write!(f, " \"{word}\" was taken for \"{}\".", taken_for.join("\", \""))?;
        }
        match self.without_vector {
            0 => Ok(()),
            count => write!(
                f,
                " Memories without a vector, which are found by their words alone until embed_memories has run: {count}."
            ),
        }
    }
}
