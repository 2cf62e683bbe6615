//! Relationships, as they are told.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::recalled::PathStep;
use super::{counted, rounded};
use crate::error::GraphError;
use crate::graph::{self, Around, Reached};
use crate::model::{Category, Memory, MemoryId, MemoryType, RelationshipId, Weight};

/// Relationships that could not be made and are reported; the others are only counted.
const REPORTED: usize = 20;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Related {
    pub(crate) relationship_id: RelationshipId,
    /// False if it was known, and was strengthened by one more piece of evidence.
    pub(crate) new: bool,
    pub(crate) category: Category,
    pub(crate) strength: Weight,
    pub(crate) confidence: Weight,
    pub(crate) evidence_count: u32,
}

impl Related {
    pub(crate) fn new(related: &graph::Related) -> Self {
        let relationship = &related.relationship;
        Self {
            relationship_id: relationship.id.clone(),
            new: related.new,
            category: relationship.kind.profile().category,
            strength: relationship.properties.strength,
            confidence: relationship.properties.confidence,
            evidence_count: relationship.properties.evidence_count,
        }
    }
}

impl fmt::Display for Related {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.new {
            write!(f, "Relationship created successfully: {}", self.relationship_id)
        } else {
            write!(
                f,
                "Relationship {} is known; it was observed {} times",
                self.relationship_id, self.evidence_count
            )
        }
    }
}

/// What became of many relationships.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Bulk {
    pub(crate) created: usize,
    /// Those that were known, and were observed once more.
    pub(crate) observed: usize,
    pub(crate) failed: usize,
    /// The first that could not be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<BulkError>,
}

/// A relationship that could not be made.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct BulkError {
    /// Its place in the list, from 1.
    pub(crate) row: usize,
    pub(crate) message: String,
}

impl Bulk {
    /// What became of those that come after `before` others.
    pub(crate) fn of(before: usize, made: impl Iterator<Item = Result<graph::Related, GraphError>>) -> Self {
        let mut bulk = Self::default();
        for (row, made) in (before + 1..).zip(made) {
            match made {
                Ok(related) if related.new => bulk.created += 1,
                Ok(_) => bulk.observed += 1,
                Err(error) => {
                    bulk.failed += 1;
                    bulk.errors.push(BulkError { row, message: error.to_string() });
                }
            }
        }
        bulk.errors.truncate(REPORTED);
        bulk
    }

    pub(crate) fn add(&mut self, more: Self) {
        self.created += more.created;
        self.observed += more.observed;
        self.failed += more.failed;
        self.errors.extend(more.errors);
        self.errors.truncate(REPORTED);
    }
}

impl fmt::Display for Bulk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created, observed, failed, errors } = self;
        write!(f, "{created} relationships created, {observed} observed once more, {failed} refused.")?;
        for BulkError { row, message } in errors {
            write!(f, "\nRow {row}: {message}")?;
        }
        match failed - errors.len().min(*failed) {
            0 => Ok(()),
            untold => write!(f, "\n... and {untold} more rows."),
        }
    }
}

/// What lies around a memory.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Neighbours {
    /// The nearest first.
    pub(crate) memories: Vec<NeighbourMemory>,
    /// How many there are, those beyond the limit included.
    pub(crate) total: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NeighbourMemory {
    pub(crate) id: MemoryId,
    #[serde(rename = "type")]
    pub(crate) kind: MemoryType,
    pub(crate) title: String,
    pub(crate) importance: Weight,
    /// How many relationships lead to it.
    pub(crate) depth: usize,
    /// The product of their strengths.
    pub(crate) strength: f64,
    /// The way to it.
    pub(crate) path: Vec<PathStep>,
}

impl Neighbours {
    pub(crate) fn new(around: Around) -> Self {
        Self { memories: around.reached.iter().map(NeighbourMemory::new).collect(), total: around.total }
    }
}

impl NeighbourMemory {
    fn new(reached: &Reached) -> Self {
        let step = |(from, link): &(Arc<Memory>, graph::Link)| PathStep {
            memory_id: from.id.clone(),
            title: from.title.clone(),
            relationship_type: link.kind,
            direction: link.direction,
            strength: rounded(link.strength),
        };
        Self {
            id: reached.memory.id.clone(),
            kind: reached.memory.kind,
            title: reached.memory.title.clone(),
            importance: reached.memory.importance,
            depth: reached.path.len(),
            strength: rounded(reached.strength),
            path: reached.path.iter().map(step).collect(),
        }
    }
}

impl fmt::Display for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.memories.is_empty() {
            return f.write_str("No related memories found.");
        }
        write!(f, "Found {}:", counted(self.total, "related memory", "related memories"))?;
        for (number, memory) in (1..).zip(&self.memories) {
            let NeighbourMemory { id, kind, title, importance, strength, path, .. } = memory;
            write!(f, "\n\n{number}. **{title}** (ID: {id})")?;
            write!(f, "\nType: {kind} | Importance: {} | Strength: {strength:.2}", importance.get())?;
            write!(f, "\nPath: {}this", path.iter().map(ToString::to_string).collect::<String>())?;
        }
        let untold = self.total - self.memories.len();
        if untold > 0 { write!(f, "\n\n... and {untold} more; raise `limit` to see them.") } else { Ok(()) }
    }
}
