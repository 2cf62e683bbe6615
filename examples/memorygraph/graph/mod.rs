//! The graph itself: memories, their relationships and the index of their words, shared by all calls and tasks.

mod edges;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::error::GraphError;
use crate::model::{Memory, MemoryDraft, MemoryId, Moment, Object, Relationship, RelationshipDraft, Slot};
use crate::search::{Digest, Match, Query, TextIndex};
pub(crate) use edges::{Direction, Link};
use edges::{Edge, Edges};

/// What to do with something that is already there.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum OnDuplicate {
    /// Keep what is there.
    #[default]
    Skip,
    /// Put the new in its place.
    Replace,
    /// Refuse the new.
    Error,
}

/// What became of something that was to be put into the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admitted {
    Added,
    Replaced,
    Skipped,
}

/// What [`Graph::relate`] did.
#[derive(Debug, Clone)]
pub(crate) struct Related {
    pub(crate) relationship: Arc<Relationship>,
    /// Whether it is new, and not one more piece of evidence for what was known.
    pub(crate) new: bool,
}

/// A memory beside another, and how they relate.
#[derive(Debug, Clone)]
pub(crate) struct Neighbour {
    pub(crate) memory: Arc<Memory>,
    pub(crate) relationship: Arc<Relationship>,
    pub(crate) direction: Direction,
}

/// How much the graph holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) memories: usize,
    pub(crate) relationships: usize,
}

/// A graph of memories.
///
/// Each method takes the lock for as long as it runs and no longer, so that none is held across an await. What would
/// run long is asked for in parts: [`Walk`](crate::walk::Walk) and [`Import`](crate::import::Import) do so.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    tables: RwLock<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    memories: Vec<Arc<Memory>>,
    slots: HashMap<MemoryId, Slot>,
    edges: Edges,
    index: TextIndex,
}

impl Graph {
    pub(crate) fn size(&self) -> Size {
        let tables = self.read();
        Size { memories: tables.memories.len(), relationships: tables.edges.len() }
    }

    /// Keeps a new memory.
    pub(crate) fn store(&self, draft: MemoryDraft) -> Result<Arc<Memory>, GraphError> {
        let memory = Arc::new(draft.check(Moment::now())?);
        let digest = Digest::of(&memory);
        self.write().admit_memory(Arc::clone(&memory), digest, OnDuplicate::Error)?;
        Ok(memory)
    }

    pub(crate) fn get(&self, id: &MemoryId) -> Result<Arc<Memory>, GraphError> {
        let tables = self.read();
        let slot = tables.slot(id).ok_or_else(|| GraphError::MemoryNotFound(id.clone()))?;
        Ok(tables.memory(slot))
    }

    /// Relates two memories. Saying again what is already known is one more piece of evidence for it, and takes over
    /// the properties that are given.
    pub(crate) fn relate(&self, draft: RelationshipDraft) -> Result<Related, GraphError> {
        let now = Moment::now();
        let told: Vec<String> = draft.properties.iter().flat_map(Object::keys).cloned().collect();
        let fresh = draft.check(now)?;
        let mut tables = self.write();
        let edge = tables.edge(fresh)?;
        let Some(known) = tables.edges.same_as(&edge) else {
            let relationship = Arc::clone(&edge.relationship);
            tables.edges.add(edge, now)?;
            return Ok(Related { relationship, new: true });
        };
        let edge = tables.edge(again(tables.edges.relationship(known), &edge.relationship, &told, now))?;
        let relationship = Arc::clone(&edge.relationship);
        tables.edges.replace(known, edge, now)?;
        Ok(Related { relationship, new: false })
    }

    /// What relates to a memory just now, the strongest first.
    pub(crate) fn neighbours(&self, id: &MemoryId) -> Result<Vec<Neighbour>, GraphError> {
        let now = Moment::now();
        let tables = self.read();
        let slot = tables.slot(id).ok_or_else(|| GraphError::MemoryNotFound(id.clone()))?;
        let mut links: Vec<Link> = tables.edges.around(slot, now).collect();
        links.sort_by(|a, b| b.strength.total_cmp(&a.strength));
        Ok(links
            .into_iter()
            .map(|link| Neighbour {
                memory: tables.memory(link.to),
                relationship: Arc::clone(tables.edges.relationship(link.edge)),
                direction: link.direction,
            })
            .collect())
    }

    /// The memories whose text speaks of `query`.
    pub(crate) fn search(&self, query: &Query) -> Vec<Match> {
        self.read().index.search(query)
    }

    /// Calls `meet` for each link that is valid at `now` of each memory in `from`, with the position of that in `from`.
    pub(crate) fn follow(&self, from: &[Slot], now: Moment, mut meet: impl FnMut(usize, Link)) {
        let tables = self.read();
        for (position, slot) in from.iter().enumerate() {
            tables.edges.around(*slot, now).for_each(|link| meet(position, link));
        }
    }

    /// The memories in these slots, which the graph itself has given out.
    pub(crate) fn memories(&self, slots: impl IntoIterator<Item = Slot>) -> Vec<Arc<Memory>> {
        let tables = self.read();
        slots.into_iter().map(|slot| tables.memory(slot)).collect()
    }

    /// Whether there is a memory of each id.
    pub(crate) fn has(&self, ids: &[MemoryId]) -> Vec<bool> {
        let tables = self.read();
        ids.iter().map(|id| tables.slot(id).is_some()).collect()
    }

    /// Puts many memories in at once; says of each what became of it.
    pub(crate) fn admit_memories(
        &self,
        memories: Vec<Memory>,
        on_duplicate: OnDuplicate,
    ) -> Vec<Result<Admitted, GraphError>> {
        let digests: Vec<Digest> = memories.iter().map(Digest::of).collect();
        let mut tables = self.write();
        let admit = |(memory, digest)| tables.admit_memory(Arc::new(memory), digest, on_duplicate);
        memories.into_iter().zip(digests).map(admit).collect()
    }

    /// Puts many relationships in at once; says of each what became of it.
    pub(crate) fn admit_relationships(
        &self,
        relationships: Vec<Relationship>,
        on_duplicate: OnDuplicate,
    ) -> Vec<Result<Admitted, GraphError>> {
        let now = Moment::now();
        let mut tables = self.write();
        let admit = |relationship| tables.admit_relationship(relationship, on_duplicate, now);
        relationships.into_iter().map(admit).collect()
    }

    // A poisoned lock is taken all the same: every writer checks what it was given before it changes anything, so that
    // the tables are whole whenever one could panic.

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn slot(&self, id: &MemoryId) -> Option<Slot> {
        self.slots.get(id).copied()
    }

    fn memory(&self, slot: Slot) -> Arc<Memory> {
        Arc::clone(&self.memories[slot.index()])
    }

    fn admit_memory(
        &mut self,
        memory: Arc<Memory>,
        digest: Digest,
        on_duplicate: OnDuplicate,
    ) -> Result<Admitted, GraphError> {
        let Some(slot) = self.slot(&memory.id) else {
            let slot = Slot::after(self.memories.len());
            self.slots.insert(memory.id.clone(), slot);
            self.memories.push(memory);
            self.edges.make_room_for(slot);
            self.index.put(slot, digest);
            return Ok(Admitted::Added);
        };
        match on_duplicate {
            OnDuplicate::Skip => Ok(Admitted::Skipped),
            OnDuplicate::Error => Err(GraphError::MemoryExists(memory.id.clone())),
            OnDuplicate::Replace => {
                self.memories[slot.index()] = memory;
                self.index.put(slot, digest);
                Ok(Admitted::Replaced)
            }
        }
    }

    fn admit_relationship(
        &mut self,
        relationship: Relationship,
        on_duplicate: OnDuplicate,
        now: Moment,
    ) -> Result<Admitted, GraphError> {
        let edge = self.edge(relationship)?;
        let Some(known) = self.edges.same_as(&edge) else {
            self.edges.add(edge, now)?;
            return Ok(Admitted::Added);
        };
        match on_duplicate {
            OnDuplicate::Skip => Ok(Admitted::Skipped),
            OnDuplicate::Error => {
                let Relationship { from_memory_id, to_memory_id, kind, .. } = &*edge.relationship;
                let (from, to) = (from_memory_id.clone(), to_memory_id.clone());
                Err(GraphError::RelationshipExists { from, to, kind: *kind })
            }
            OnDuplicate::Replace => {
                self.edges.replace(known, edge, now)?;
                Ok(Admitted::Replaced)
            }
        }
    }

    /// A relationship with its ends looked up.
    fn edge(&self, relationship: Relationship) -> Result<Edge, GraphError> {
        match (self.slot(&relationship.from_memory_id), self.slot(&relationship.to_memory_id)) {
            (Some(from), Some(to)) => Ok(Edge { relationship: Arc::new(relationship), from, to }),
            _ => Err(GraphError::EndsNotFound {
                from: relationship.from_memory_id,
                to: relationship.to_memory_id,
            }),
        }
    }
}

/// A known relationship, observed once more, with the properties that were `told` this time.
fn again(known: &Relationship, said: &Relationship, told: &[String], now: Moment) -> Relationship {
    let mut relationship = known.clone();
    let (properties, said) = (&mut relationship.properties, &said.properties);
    for name in told {
        match name.as_str() {
            "strength" => properties.strength = said.strength,
            "confidence" => properties.confidence = said.confidence,
            "context" => properties.context.clone_from(&said.context),
            _ => {}
        }
    }
    properties.evidence_count = properties.evidence_count.saturating_add(1);
    properties.last_validated = Some(now);
    relationship
}

#[cfg(test)]
mod tests;
