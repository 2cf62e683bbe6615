//! What a search found.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{counted, rounded, summary};
use crate::model::{Memory, MemoryId, MemoryType, Moment, Weight};

/// What a search found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The best first.
    pub(crate) memories: Vec<FoundMemory>,
    /// How many there are, those beyond the limit included.
    pub(crate) total: usize,
    /// The `offset` at which the rest begins, if there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_offset: Option<usize>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FoundMemory {
    pub(crate) id: MemoryId,
    #[serde(rename = "type")]
    pub(crate) kind: MemoryType,
    pub(crate) title: String,
    /// Its summary, or the start of its content.
    pub(crate) summary: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    pub(crate) importance: Weight,
    pub(crate) created_at: Moment,
    /// How well its text fits; 0 if no words were looked for.
    pub(crate) score: f64,
}

impl FoundMemory {
    pub(crate) fn new(memory: &Memory, score: f64) -> Self {
        Self {
            id: memory.id.clone(),
            kind: memory.kind,
            title: memory.title.clone(),
            summary: summary(memory),
            tags: memory.tags.clone(),
            importance: memory.importance,
            created_at: memory.created_at,
            score: rounded(score),
        }
    }
}

impl fmt::Display for FoundMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, title, summary, tags, importance, .. } = self;
        write!(f, "**{title}** (ID: {id})\nType: {kind} | Importance: {}\n{summary}", importance.get())?;
        if tags.is_empty() { Ok(()) } else { write!(f, "\nTags: {}", tags.join(", ")) }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.memories.is_empty() {
            return f.write_str("No memories found.");
        }
        write!(f, "Found {}:", counted(self.total, "memory", "memories"))?;
        for (number, memory) in (1..).zip(&self.memories) {
            write!(f, "\n\n{number}. {memory}")?;
        }
        match self.next_offset {
            Some(offset) => write!(f, "\n\nThere are more: ask again with `offset` {offset}."),
            None => Ok(()),
        }
    }
}
