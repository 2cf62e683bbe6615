//! What the graph is made of: memories, and the relationships between them.

mod id;
mod memory;
mod moment;
mod relationship;
mod relationship_type;
mod weight;

use std::fmt;

use serde::Deserialize;
use serde::de::value::{Error as NoSuchName, StrDeserializer};

pub(crate) use id::{MemoryId, RelationshipId};
pub(crate) use memory::{Memory, MemoryChange, MemoryDraft, MemoryType};
pub(crate) use moment::Moment;
pub(crate) use relationship::{Properties, Relationship, RelationshipDraft};
pub(crate) use relationship_type::{Category, RelationshipType};
pub(crate) use weight::Weight;

/// A free JSON object.
pub(crate) type Object = serde_json::Map<String, serde_json::Value>;

/// The place of a memory in the graph's tables: dense, given in order, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(u32);

impl Slot {
    /// The place after `taken` others.
    pub(crate) fn after(taken: usize) -> Self {
        Self(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    /// The number by which the index of words knows it.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

impl From<u32> for Slot {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl From<Slot> for u32 {
    fn from(slot: Slot) -> Self {
        slot.0
    }
}

/// The variant of an enum that goes by `name` on the wire.
fn by_wire_name<'de, T: Deserialize<'de>>(name: &'de str) -> Option<T> {
    T::deserialize(StrDeserializer::<NoSuchName>::new(name)).ok()
}

/// Lets an enum print itself as it is called on the wire.
fn wire_name<T: serde::Serialize>(value: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    value.serialize(f)
}
