//! What was recalled, and why.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Brief, arrow, counted, rounded};
use crate::graph::Direction;
use crate::model::{MemoryId, RelationshipType};
use crate::search::Ranking;
use crate::tools::cursor::Cursor;
use crate::walk::{Hit, Hop};

/// What was recalled.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Recollection {
    /// The best first.
    pub(crate) memories: Vec<Recalled>,
    /// How many memories were looked at.
    pub(crate) traversed: usize,
    #[serde(flatten)]
    pub(crate) ranking: Option<Ranking>,
    /// Where to go on, if there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<Cursor>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Recalled {
    #[serde(flatten)]
    pub(crate) brief: Brief,
    /// How well it fits; the best is first.
    pub(crate) score: f64,
    /// How well its own text fits.
    pub(crate) text_score: f64,
    /// How many relationships lead to it; 0 if its own text did.
    pub(crate) depth: usize,
    /// Why it was found, in words.
    pub(crate) why: String,
    /// The way to it, from the memory whose text fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) path: Vec<PathStep>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PathStep {
    pub(crate) memory_id: MemoryId,
    pub(crate) title: String,
    /// How it relates to the next on the way.
    pub(crate) relationship_type: RelationshipType,
    /// Whether that reads from this memory to the next (forward) or from the next to this (backward).
    pub(crate) direction: Direction,
    pub(crate) strength: f64,
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" {} ", self.title, arrow(self.relationship_type, self.direction))
    }
}

impl From<&Hit> for Recalled {
    fn from(hit: &Hit) -> Self {
        let path: Vec<PathStep> = hit.path.iter().map(PathStep::from).collect();
        let why = if path.is_empty() {
            "its text speaks of the query".to_owned()
        } else {
            format!("{}this", path.iter().map(ToString::to_string).collect::<String>())
        };
        Self {
            brief: Brief::new(&hit.memory),
            score: rounded(hit.score),
            text_score: rounded(hit.text),
            depth: hit.depth(),
            why,
            path,
        }
    }
}

impl From<&Hop> for PathStep {
    fn from(hop: &Hop) -> Self {
        Self {
            memory_id: hop.from.id.clone(),
            title: hop.from.title.clone(),
            relationship_type: hop.kind,
            direction: hop.direction,
            strength: rounded(hop.strength),
        }
    }
}

impl fmt::Display for Recollection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.memories.len() {
            0 => f.write_str("No memories found. Fewer or other words may find some.")?,
            count => write!(f, "**Found {}:**", counted(count, "relevant memory", "relevant memories"))?,
        }
        for (number, memory) in (1..).zip(&self.memories) {
            let Recalled { brief, score, why, .. } = memory;
            let Brief { id, kind, title, summary, importance, .. } = brief;
            write!(f, "\n\n**{number}. {title}** (ID: {id})")?;
            write!(f, "\nType: {kind} | Importance: {} | Score: {score:.2}", importance.get())?;
            write!(f, "\nWhy: {why}\n{summary}{}", brief.tags_line())?;
        }
        if let Some(ranking) = &self.ranking {
            write!(f, "\n\n{ranking}")?;
        }
        match &self.next_cursor {
            Some(cursor) => write!(f, "\n\nThere are more: ask again with `cursor` \"{cursor}\"."),
            None => Ok(()),
        }
    }
}
