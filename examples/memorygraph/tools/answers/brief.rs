//! A memory in brief, as all answers tell it that tell many.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary;
use crate::model::{Memory, MemoryId, MemoryType, Moment, Weight};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Brief {
    pub(crate) id: MemoryId,
    #[serde(rename = "type")]
    pub(crate) kind: MemoryType,
    pub(crate) title: String,
    /// Its summary, or the start of its content.
    pub(crate) summary: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    pub(crate) importance: Weight,
    pub(crate) created_at: Moment,
}

impl Brief {
    pub(crate) fn new(memory: &Memory) -> Self {
        Self {
            id: memory.id.clone(),
            kind: memory.kind,
            title: memory.title.clone(),
            summary: summary(memory),
            tags: memory.tags.clone(),
            importance: memory.importance,
            created_at: memory.created_at,
        }
    }

    /// Its tags on a line of their own, if it has any.
    pub(super) fn tags_line(&self) -> String {
        if self.tags.is_empty() { String::new() } else { format!("\nTags: {}", self.tags.join(", ")) }
    }
}

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, title, summary, importance, .. } = self;
        write!(f, "**{title}** (ID: {id})\nType: {kind} | Importance: {}\n{summary}", importance.get())?;
        f.write_str(&self.tags_line())
    }
}
