//! Single memories, as they are told.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{arrow, counted};
use crate::graph::{Direction, Neighbour};
use crate::model::{Memory, MemoryId, RelationshipType, Weight};

/// Relationships that are told of one memory; the others are only counted.
const TOLD_RELATIONSHIPS: usize = 50;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Stored {
    pub(crate) memory_id: MemoryId,
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory stored successfully with ID: {}", self.memory_id)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Updated {
    pub(crate) memory_id: MemoryId,
    /// Counts the changes, from 1.
    pub(crate) version: u32,
}

impl fmt::Display for Updated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory updated successfully: {} (version {})", self.memory_id, self.version)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Deleted {
    pub(crate) memory_id: MemoryId,
    /// How many relationships went with it.
    pub(crate) relationships: usize,
}

impl fmt::Display for Deleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relationships = counted(self.relationships, "relationship", "relationships");
        write!(f, "Memory deleted successfully: {} (with {relationships})", self.memory_id)
    }
}

/// A memory with what relates to it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Remembered {
    #[serde(flatten)]
    pub(crate) memory: Memory,
    /// The strongest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) relationships: Vec<Relation>,
    /// Those that are not told included.
    pub(crate) relationship_count: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Relation {
    #[serde(rename = "type")]
    pub(crate) kind: RelationshipType,
    /// Whether it leads from this memory (forward) or to it (backward).
    pub(crate) direction: Direction,
    pub(crate) strength: Weight,
    pub(crate) memory_id: MemoryId,
    pub(crate) title: String,
}

impl Remembered {
    pub(crate) fn new(memory: &Memory, neighbours: &[Neighbour]) -> Self {
        let relation = |neighbour: &Neighbour| Relation {
            kind: neighbour.relationship.kind,
            direction: neighbour.direction,
            strength: neighbour.relationship.properties.strength,
            memory_id: neighbour.memory.id.clone(),
            title: neighbour.memory.title.clone(),
        };
        Self {
            memory: memory.clone(),
            relationships: neighbours.iter().take(TOLD_RELATIONSHIPS).map(relation).collect(),
            relationship_count: neighbours.len(),
        }
    }
}

impl fmt::Display for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = &self.memory;
        writeln!(f, "**{}** (ID: {})", memory.title, memory.id)?;
        write!(f, "Type: {} | Importance: {}", memory.kind, memory.importance.get())?;
        writeln!(f, " | Created: {}", memory.created_at)?;
        if !memory.tags.is_empty() {
            writeln!(f, "Tags: {}", memory.tags.join(", "))?;
        }
        if let Some(project) = memory.project_path() {
            writeln!(f, "Project: {project}")?;
        }
        if let Some(archived) = memory.archived_at {
            writeln!(f, "Archived: {archived}")?;
        }
        if let Some(summary) = &memory.summary {
            writeln!(f, "Summary: {summary}")?;
        }
        write!(f, "\n{}", memory.content)?;
        if !self.relationships.is_empty() {
            write!(f, "\n\nRelationships ({}):", self.relationship_count)?;
        }
        for Relation { kind, direction, strength, memory_id, title } in &self.relationships {
            let arrow = arrow(*kind, *direction);
            write!(f, "\n- {arrow} {title} (ID: {memory_id}, strength {:.2})", strength.get())?;
        }
        Ok(())
    }
}
