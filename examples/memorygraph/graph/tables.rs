//! The graph as it is held in memory: everything that the file holds, and what is found by looking at it.

use std::collections::HashMap;
use std::sync::Arc;

use super::Size;
use super::edges::{Edge, EdgeKey, Edges};
use crate::error::GraphError;
use crate::model::{Memory, MemoryId, Moment, Relationship, Slot};
use crate::search::semantic::{Meaning, Model};
use crate::search::{Hits, Index, Query};
use crate::store::rows::StoredRelationship;

/// Memories by place and by name, their relationships, and the index of their words.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// By slot; none where one was taken away.
    memories: Vec<Option<Arc<Memory>>>,
    slots: HashMap<MemoryId, Slot>,
    pub(super) edges: Edges,
    index: Index,
}

impl Tables {
    /// The model that knows what memories mean, if there is one.
    pub(crate) fn model(&self) -> Option<&Arc<Model>> {
        self.index.model()
    }

    pub(crate) fn size(&self) -> Size {
        Size { memories: self.slots.len(), relationships: self.edges.len() }
    }

    pub(crate) fn slot(&self, id: &MemoryId) -> Option<Slot> {
        self.slots.get(id).copied()
    }

    /// The memory in this place.
    pub(crate) fn at(&self, slot: Slot) -> Option<&Arc<Memory>> {
        self.memories.get(slot.index())?.as_ref()
    }

    /// The memory of this name, and its place.
    pub(crate) fn find(&self, id: &MemoryId) -> Result<(Slot, &Arc<Memory>), GraphError> {
        let found = self.slot(id).and_then(|slot| Some((slot, self.at(slot)?)));
        found.ok_or_else(|| GraphError::MemoryNotFound(id.clone()))
    }

    /// Every memory, in the order of places.
    pub(crate) fn memories(&self) -> impl Iterator<Item = (Slot, &Arc<Memory>)> {
        let placed = (0..).map(Slot::from).zip(&self.memories);
        placed.filter_map(|(slot, memory)| Some((slot, memory.as_ref()?)))
    }

    pub(crate) fn edges(&self) -> &Edges {
        &self.edges
    }

    /// The memories whose text speaks of `query`, the best first.
    pub(crate) fn search(&self, query: &Query) -> Hits {
        self.index.search(query, &|_| true)
    }

    /// The pairs of these memories that say nearly the same, the likest first. A memory comes with a number that both of a
    /// pair must have.
    pub(crate) fn near_duplicates(
        &self,
        of: impl IntoIterator<Item = (Slot, u32)>,
        threshold: f32,
    ) -> Vec<(Slot, Slot, f32)> {
        let docs = of.into_iter().map(|(slot, class)| (slot.into(), class));
        let pairs = self.index.near_duplicates(docs, threshold).into_iter();
        pairs.map(|pair| (pair.one.into(), pair.other.into(), pair.likeness)).collect()
    }

    /// How much the words of a text tell, on average.
    pub(crate) fn weigh(&self, text: &str) -> f32 {
        self.index.weigh(text)
    }

    /// Lets the index learn a little from what was put. Says whether more is to be learnt.
    pub(crate) fn settle(&mut self, most: usize) -> bool {
        self.index.settle(most)
    }

    /// Lets the index learn from everything.
    pub(crate) fn learn(&mut self) {
        self.index.learn();
    }

    /// How many memories the model, if there is one, was not shown.
    pub(crate) fn without_meaning(&self) -> usize {
        self.index.without_meaning()
    }

    /// Some memories that the model, if there is one, was not shown.
    pub(crate) fn some_without_meaning(&self, most: usize) -> Vec<(Slot, Arc<Memory>)> {
        let lacking = self.memories().filter(|(slot, _)| self.index.lacks_meaning((*slot).into()));
        lacking.map(|(slot, memory)| (slot, Arc::clone(memory))).take(most).collect()
    }

    /// Takes over what the model said of the text that a memory still has. Says whether it did.
    pub(crate) fn take_over(&mut self, slot: Slot, meaning: &Meaning) -> bool {
        let memory = self.memories.get(slot.index()).and_then(Option::as_ref);
        memory.is_some_and(|memory| self.index.take_over(slot.into(), &memory.text(), meaning))
    }

    /// Shows a memory to the model, if there is one, unless it knows its text. Gives what is new of it.
    pub(super) fn understand(&mut self, slot: Slot) -> Option<Meaning> {
        let memory = self.memories.get(slot.index())?.as_ref()?;
        self.index.understand(slot.into(), &memory.text())
    }

    /// A relationship with its ends looked up.
    pub(super) fn edge(&self, relationship: Relationship) -> Result<Edge, GraphError> {
        match (self.slot(&relationship.from_memory_id), self.slot(&relationship.to_memory_id)) {
            (Some(from), Some(to)) => {
                let name = |slot, named| self.at(slot).map_or(named, |memory| memory.id.clone());
                let Relationship { from_memory_id, to_memory_id, .. } = relationship;
                // Both names are kept once.
                let relationship = Relationship {
                    from_memory_id: name(from, from_memory_id),
                    to_memory_id: name(to, to_memory_id),
                    ..relationship
                };
                Ok(Edge { relationship: Arc::new(relationship), from, to })
            }
            _ => Err(GraphError::EndsNotFound {
                from: relationship.from_memory_id,
                to: relationship.to_memory_id,
            }),
        }
    }

    /// Puts a memory in its place: that of the one of the same name, or a new one.
    pub(super) fn put(&mut self, memory: Arc<Memory>) -> Slot {
        let slot = self.slot(&memory.id).unwrap_or_else(|| Slot::after(self.memories.len()));
        self.index.put(slot.into(), &memory.digest());
        self.place(slot, memory);
        slot
    }

    fn place(&mut self, slot: Slot, memory: Arc<Memory>) {
        if self.memories.len() <= slot.index() {
            self.memories.resize_with(slot.index() + 1, || None);
            self.edges.make_room_for(slot);
        }
        self.slots.insert(memory.id.clone(), slot);
        self.memories[slot.index()] = Some(memory);
    }

    /// Takes a memory away with its relationships, and says how many these were.
    pub(super) fn remove(&mut self, slot: Slot) -> usize {
        let edges: Vec<EdgeKey> = self.edges.of(slot).collect();
        for edge in &edges {
            self.edges.remove(*edge);
        }
        self.index.remove(slot.into());
        if let Some(memory) = self.memories.get_mut(slot.index()).and_then(Option::take) {
            self.slots.remove(&memory.id);
        }
        edges.len()
    }

    /// Counts that a memory was read.
    pub(super) fn count_access(&mut self, slot: Slot, now: Moment) {
        if let Some(memory) = self.memories.get_mut(slot.index()).and_then(Option::as_mut) {
            let memory = Arc::make_mut(memory);
            memory.usage_count = memory.usage_count.saturating_add(1);
            memory.last_accessed = Some(now);
        }
    }

    /// Puts back what the file holds; the index is [put back](Self::restore_index) by itself.
    pub(crate) fn restore_memory(&mut self, slot: Slot, memory: Arc<Memory>) {
        self.place(slot, memory);
    }

    /// Puts back the index of all memories.
    pub(crate) fn restore_index(&mut self, index: Index) {
        self.index = index;
    }

    /// Puts back what the file holds; their ends must be there.
    pub(crate) fn restore_relationship(&mut self, stored: StoredRelationship) {
        let StoredRelationship { key, from, to, relationship } = stored;
        self.edges.put(EdgeKey::from(key), Edge { relationship: Arc::new(relationship), from, to });
    }
}
