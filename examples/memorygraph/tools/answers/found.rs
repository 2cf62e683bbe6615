//! What a search found.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Brief, counted, rounded};
use crate::search::Ranking;
use crate::tools::cursor::Cursor;
use crate::tools::wanted::Candidate;

/// What a search found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The best first.
    pub(crate) memories: Vec<FoundMemory>,
    /// How many there are, those beyond the limit included.
    pub(crate) total: usize,
    #[serde(flatten)]
    pub(crate) ranking: Option<Ranking>,
    /// The `offset` at which the rest begins, if there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_offset: Option<usize>,
}

/// What was found by what it means.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Meant {
    /// The best first.
    pub(crate) memories: Vec<FoundMemory>,
    /// How many there are, those beyond the limit included.
    pub(crate) total: usize,
    #[serde(flatten)]
    pub(crate) ranking: Option<Ranking>,
    /// Where to go on, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<Cursor>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct FoundMemory {
    #[serde(flatten)]
    pub(crate) brief: Brief,
    /// How well its text fits; 0 if no words were looked for.
    pub(crate) score: f64,
    /// The part of the words looked for that it has, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lexical: Option<f64>,
    /// How near it lies to what was looked for, from 0 to 1; missing where that is not asked for or not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vector: Option<f64>,
}

impl From<&Candidate<'_>> for FoundMemory {
    fn from(found: &Candidate<'_>) -> Self {
        let told = |part: f32| rounded(part.into());
        Self {
            brief: Brief::new(found.memory),
            score: rounded(found.score),
            lexical: found.why.map(|why| told(why.lexical)),
            vector: found.why.and_then(|why| why.vector).map(told),
        }
    }
}

impl fmt::Display for FoundMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.brief.fmt(f)?;
        let Some(lexical) = self.lexical else { return Ok(()) };
        write!(f, "\nScore: {:.2} (words {lexical:.2}", self.score)?;
        match self.vector {
            Some(vector) => write!(f, ", vector {vector:.2})"),
            None => f.write_str(")"),
        }
    }
}

/// Hits in words: how many there are, those that are told, and how they were ranked.
fn tell(
    f: &mut fmt::Formatter<'_>,
    memories: &[FoundMemory],
    total: usize,
    ranking: Option<&Ranking>,
) -> fmt::Result {
    match total {
        0 => f.write_str("No memories found.")?,
        _ => write!(f, "Found {}:", counted(total, "memory", "memories"))?,
    }
    (1..).zip(memories).try_for_each(|(number, memory)| write!(f, "\n\n{number}. {memory}"))?;
    ranking.map_or(Ok(()), |ranking| write!(f, "\n\n{ranking}"))
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tell(f, &self.memories, self.total, self.ranking.as_ref())?;
        match self.next_offset {
            Some(offset) => write!(f, "\n\nThere are more: ask again with `offset` {offset}."),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tell(f, &self.memories, self.total, self.ranking.as_ref())?;
        match &self.next_cursor {
            Some(cursor) => write!(f, "\n\nThere are more: ask again with `cursor` \"{cursor}\"."),
            None => Ok(()),
        }
    }
}
