//! Relationships by the memories that they join, and the rule that directed ones never lead back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::GraphError;
use crate::model::{Moment, Relationship, RelationshipId, RelationshipType, Slot};

/// Which way a relationship was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Direction {
    /// As it is told.
    Forward,
    /// Against it.
    Backward,
}

/// One relationship as seen from one of its ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) kind: RelationshipType,
    pub(crate) direction: Direction,
    /// How strong it is at the moment asked for.
    pub(crate) strength: f64,
    /// The other end.
    pub(crate) to: Slot,
    pub(crate) edge: EdgeKey,
}

/// The place of a relationship in the table: given in order, and not reused while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EdgeKey(u32);

impl EdgeKey {
    /// The number by which the file knows it.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

impl From<u32> for EdgeKey {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

/// A relationship with the places of its ends.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) relationship: Arc<Relationship>,
    pub(crate) from: Slot,
    pub(crate) to: Slot,
}

/// What makes two relationships the same claim: their ends, their type, and the end of their truth. Those that are
/// still true have none, so that of them there is at most one.
type Claim = (Slot, Slot, RelationshipType, Option<Moment>);

impl Edge {
    fn claim(&self) -> Claim {
        let kind = self.relationship.kind;
        let until = self.relationship.properties.valid_until;
        if kind.profile().mutual {
            (self.from.min(self.to), self.from.max(self.to), kind, until)
        } else {
            (self.from, self.to, kind, until)
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Edges {
    /// By key; none where one was taken away.
    all: Vec<Option<Edge>>,
    count: usize,
    /// The edges that begin at a memory, by its slot.
    outgoing: Vec<Vec<EdgeKey>>,
    /// The edges that end at a memory, by its slot.
    incoming: Vec<Vec<EdgeKey>>,
    by_claim: HashMap<Claim, EdgeKey>,
    by_id: HashMap<RelationshipId, EdgeKey>,
}

impl Edges {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Lets `slot` be an end.
    pub(super) fn make_room_for(&mut self, slot: Slot) {
        if self.outgoing.len() <= slot.index() {
            self.outgoing.resize_with(slot.index() + 1, Vec::new);
            self.incoming.resize_with(slot.index() + 1, Vec::new);
        }
    }

    /// Every edge, in the order of keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (EdgeKey, &Edge)> {
        let keyed = (0..).map(EdgeKey).zip(&self.all);
        keyed.filter_map(|(key, edge)| Some((key, edge.as_ref()?)))
    }

    pub(crate) fn get(&self, key: EdgeKey) -> Option<&Edge> {
        self.all.get(key.0 as usize)?.as_ref()
    }

    /// The edges that a memory is an end of, whether they are valid or not.
    pub(crate) fn of(&self, slot: Slot) -> impl Iterator<Item = EdgeKey> {
        keys(&self.outgoing, slot).iter().chain(keys(&self.incoming, slot)).copied()
    }

    /// The edge that makes the same claim, if there is one.
    pub(super) fn same_as(&self, edge: &Edge) -> Option<EdgeKey> {
        self.by_claim.get(&edge.claim()).copied()
    }

    /// Adds a claim that is not made yet.
    pub(super) fn add(&mut self, edge: Edge, now: Moment) -> Result<EdgeKey, GraphError> {
        self.check(&edge, None, now)?;
        let key = EdgeKey(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.put(key, edge);
        Ok(key)
    }

    /// Puts another telling of the same claim in the place of `key`.
    pub(super) fn replace(&mut self, key: EdgeKey, edge: Edge, now: Moment) -> Result<(), GraphError> {
        self.check(&edge, Some(key), now)?;
        self.remove(key);
        self.put(key, edge);
        Ok(())
    }

    /// Puts an edge, unchecked, in a place that is free.
    pub(super) fn put(&mut self, key: EdgeKey, edge: Edge) {
        self.by_claim.insert(edge.claim(), key);
        self.by_id.insert(edge.relationship.id.clone(), key);
        self.outgoing[edge.from.index()].push(key);
        self.incoming[edge.to.index()].push(key);
        if self.all.len() <= key.0 as usize {
            self.all.resize_with(key.0 as usize + 1, || None);
        }
        self.count += usize::from(self.all[key.0 as usize].replace(edge).is_none());
    }

    /// Takes an edge away.
    pub(super) fn remove(&mut self, key: EdgeKey) -> Option<Edge> {
        let edge = self.all.get_mut(key.0 as usize)?.take()?;
        self.count -= 1;
        self.by_claim.remove(&edge.claim());
        self.by_id.remove(&edge.relationship.id);
        self.outgoing[edge.from.index()].retain(|other| *other != key);
        self.incoming[edge.to.index()].retain(|other| *other != key);
        Some(edge)
    }

    /// Refuses an edge that would lead back, or whose id belongs to another one than `known`.
    fn check(&self, edge: &Edge, known: Option<EdgeKey>, now: Moment) -> Result<(), GraphError> {
        let Relationship { id, from_memory_id, to_memory_id, kind, properties, .. } = &*edge.relationship;
        let (from, to, kind) = (from_memory_id.clone(), to_memory_id.clone(), *kind);
        if self.by_id.get(id).is_some_and(|taken| known != Some(*taken)) {
            return Err(GraphError::RelationshipExists { from, to, kind });
        }
        if !kind.profile().mutual && properties.is_valid_at(now) && self.leads(edge.to, edge.from, kind, now)
        {
            return Err(GraphError::Cycle { from, to, kind });
        }
        Ok(())
    }

    /// Every relationship of a memory that is valid at `now`, from either end.
    pub(crate) fn around(&self, slot: Slot, now: Moment) -> impl Iterator<Item = Link> {
        let forward = keys(&self.outgoing, slot).iter().map(|key| (*key, Direction::Forward));
        let backward = keys(&self.incoming, slot).iter().map(|key| (*key, Direction::Backward));
        forward.chain(backward).filter_map(move |(key, direction)| {
            let edge = self.get(key)?;
            let properties = &edge.relationship.properties;
            properties.is_valid_at(now).then(|| Link {
                kind: edge.relationship.kind,
                direction,
                strength: properties.effective_strength(now).get(),
                to: if direction == Direction::Forward { edge.to } else { edge.from },
                edge: key,
            })
        })
    }

    /// Whether valid relationships of one type lead from `start` to `goal`. Looks from both ends by turns, and so does
    /// little where one of them has few.
    fn leads(&self, start: Slot, goal: Slot, kind: RelationshipType, now: Moment) -> bool {
        let mut ahead = Reach::of(start);
        let mut behind = Reach::of(goal);
        loop {
            let Some(slot) = ahead.open.pop() else { return false };
            if self.steps(keys(&self.outgoing, slot), kind, now).any(|edge| ahead.meets(edge.to, &behind)) {
                return true;
            }
            let Some(slot) = behind.open.pop() else { return false };
            if self.steps(keys(&self.incoming, slot), kind, now).any(|edge| behind.meets(edge.from, &ahead)) {
                return true;
            }
        }
    }

    fn steps<'e>(
        &'e self,
        keys: &'e [EdgeKey],
        kind: RelationshipType,
        now: Moment,
    ) -> impl Iterator<Item = &'e Edge> {
        keys.iter().filter_map(|key| self.get(*key)).filter(move |edge| {
            edge.relationship.kind == kind && edge.relationship.properties.is_valid_at(now)
        })
    }
}

/// The edges of a memory; none of one that there is no room for.
fn keys(lists: &[Vec<EdgeKey>], slot: Slot) -> &[EdgeKey] {
    lists.get(slot.index()).map_or(&[], Vec::as_slice)
}

/// What one end of a search has reached.
struct Reach {
    seen: HashSet<Slot>,
    open: Vec<Slot>,
}

impl Reach {
    fn of(slot: Slot) -> Self {
        Self { seen: HashSet::from([slot]), open: vec![slot] }
    }

    /// Reaches `slot`, and says whether the other end has been there.
    fn meets(&mut self, slot: Slot, other: &Self) -> bool {
        if self.seen.insert(slot) {
            self.open.push(slot);
        }
        other.seen.contains(&slot)
    }
}
