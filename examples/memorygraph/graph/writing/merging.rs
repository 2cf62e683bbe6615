//! Making one memory of several: what the others have goes to the one that stays.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Writing;
use crate::error::GraphError;
use crate::graph::edges::EdgeKey;
use crate::model::{Memory, MemoryId, Moment, Properties, Relationship, Weight};
use crate::store::rows;

/// Tags that a memory may have.
const MAX_TAGS: usize = 50;

/// What became of the relationships of a memory that was merged into another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moved {
    /// They lead from or to the other memory now.
    pub(crate) redirected: usize,
    /// The other memory had the same, which has their evidence now.
    pub(crate) merged: usize,
    /// They stay, since they join the two, or would lead back to where they began.
    pub(crate) left: usize,
}

impl Writing<'_> {
    /// Gives what is known of `other` to `keeper`: its tags and relationships, and what is greater of both.
    pub(crate) fn merge(
        &mut self,
        other: &MemoryId,
        keeper: &MemoryId,
        now: Moment,
    ) -> Result<Moved, GraphError> {
        let (from, merged) = self.tables.find(other).map(|(slot, memory)| (slot, Arc::clone(memory)))?;
        let kept = Arc::clone(self.tables.find(keeper)?.1);
        self.put_memory(Arc::new(together(&kept, &merged, now)))?;
        let mut moved = Moved::default();
        for key in self.tables.edges.of(from).collect::<Vec<_>>() {
            self.redirect(key, other, keeper, now, &mut moved)?;
        }
        Ok(moved)
    }

    fn redirect(
        &mut self,
        key: EdgeKey,
        other: &MemoryId,
        keeper: &MemoryId,
        now: Moment,
        moved: &mut Moved,
    ) -> Result<(), GraphError> {
        let Some(edge) = self.tables.edges.get(key) else { return Ok(()) };
        let mut relationship = Relationship::clone(&edge.relationship);
        for end in [&mut relationship.from_memory_id, &mut relationship.to_memory_id] {
            if end == other {
                end.clone_from(keeper);
            }
        }
        if relationship.from_memory_id == relationship.to_memory_id {
            moved.left += 1;
            return Ok(());
        }
        let edge = self.tables.edge(relationship)?;
        let Some(known) = self.tables.edges.same_as(&edge) else {
            if self.tables.edges.replace(key, edge, now).is_ok() {
                self.keep_edge(key)?;
                moved.redirected += 1;
            } else {
                moved.left += 1;
            }
            return Ok(());
        };
        let Some(same) = self.tables.edges.get(known) else { return Ok(()) };
        let mut one = Relationship::clone(&same.relationship);
        one.properties = of_both(&one.properties, &edge.relationship.properties);
        let one = self.tables.edge(one)?;
        self.tables.edges.replace(known, one, now)?;
        self.keep_edge(known)?;
        self.tables.edges.remove(key);
        self.keep(|sql| rows::remove_relationship(sql, key.number()))?;
        moved.merged += 1;
        Ok(())
    }
}

/// The memory that stays, with what it takes over.
fn together(kept: &Memory, other: &Memory, now: Moment) -> Memory {
    let mut memory = kept.clone();
    for tag in &other.tags {
        if memory.tags.len() < MAX_TAGS && !memory.tags.contains(tag) {
            memory.tags.push(tag.clone());
        }
    }
    memory.importance = greater(kept.importance, other.importance);
    memory.confidence = greater(kept.confidence, other.confidence);
    memory.usage_count = kept.usage_count.saturating_add(other.usage_count);
    memory.last_accessed = kept.last_accessed.max(other.last_accessed);
    if memory != *kept {
        memory.updated_at = now;
        memory.version = memory.version.saturating_add(1);
    }
    memory
}

/// What two tellings of the same claim say together.
fn of_both(one: &Properties, other: &Properties) -> Properties {
    Properties {
        strength: greater(one.strength, other.strength),
        confidence: greater(one.confidence, other.confidence),
        context: one.context.clone().or_else(|| other.context.clone()),
        evidence_count: one.evidence_count.saturating_add(other.evidence_count),
        success_rate: one.success_rate.or(other.success_rate),
        created_at: one.created_at.min(other.created_at),
        last_validated: one.last_validated.max(other.last_validated),
        valid_from: one.valid_from.min(other.valid_from),
        recorded_at: one.recorded_at.min(other.recorded_at),
        ..one.clone()
    }
}

fn greater(a: Weight, b: Weight) -> Weight {
    if b > a { b } else { a }
}
