//! What the tools answer: of each thing no more than an agent needs.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graph::{self, Direction, Neighbour};
use crate::model::{
    Category, Memory, MemoryId, MemoryType, Moment, RelationshipId, RelationshipType, Weight,
};
use crate::walk::{Found, Hit, Hop};

/// Relationships that are told of one memory; the others are only counted.
const TOLD_RELATIONSHIPS: usize = 50;
/// Characters of a content that stand in for a summary.
const EXCERPT: usize = 150;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Stored {
    pub(crate) memory_id: MemoryId,
}

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
    pub(super) fn new(related: &graph::Related) -> Self {
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
    pub(super) fn new(memory: &Memory, neighbours: &[Neighbour]) -> Self {
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

/// What was recalled.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Recollection {
    /// The best first.
    pub(crate) memories: Vec<Recalled>,
    /// How many were found, those beyond the limit included.
    pub(crate) total: usize,
    /// How many memories were looked at.
    pub(crate) traversed: usize,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Recalled {
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
    /// How well it fits, from 0 to 1.
    pub(crate) score: f64,
    /// How well its own text fits.
    pub(crate) text_score: f64,
    /// How many relationships lead to it; 0 if its own text did.
    pub(crate) depth: usize,
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

impl Recollection {
    /// What several recalls found: of each memory the best.
    pub(super) fn merged(recollections: Vec<Self>, limit: usize) -> Self {
        let traversed = recollections.iter().map(|one| one.traversed).sum();
        let mut memories: Vec<Recalled> = recollections.into_iter().flat_map(|one| one.memories).collect();
        memories.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        let mut seen = HashSet::new();
        memories.retain(|memory| seen.insert(memory.id.clone()));
        let total = memories.len();
        memories.truncate(limit);
        Self { memories, total, traversed }
    }
}

impl From<Found> for Recollection {
    fn from(found: Found) -> Self {
        Self {
            memories: found.hits.iter().map(Recalled::from).collect(),
            total: found.total,
            traversed: found.traversed,
        }
    }
}

impl From<&Hit> for Recalled {
    fn from(hit: &Hit) -> Self {
        let memory = &hit.memory;
        Self {
            id: memory.id.clone(),
            kind: memory.kind,
            title: memory.title.clone(),
            summary: memory.summary.clone().unwrap_or_else(|| excerpt(&memory.content)),
            tags: memory.tags.clone(),
            importance: memory.importance,
            created_at: memory.created_at,
            score: rounded(hit.score),
            text_score: rounded(hit.text),
            depth: hit.depth(),
            path: hit.path.iter().map(PathStep::from).collect(),
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

/// The start of a content, cut between characters.
fn excerpt(content: &str) -> String {
    match content.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}...", &content[..end]),
        None => content.to_owned(),
    }
}

/// To three decimals, which say all that a score means.
fn rounded(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}
