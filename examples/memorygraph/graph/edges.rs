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
    pub(super) edge: EdgeKey,
}

/// The place of a relationship in the table: dense, given in order, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EdgeKey(u32);

/// A relationship with the places of its ends.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) relationship: Arc<Relationship>,
    pub(super) from: Slot,
    pub(super) to: Slot,
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
pub(super) struct Edges {
    all: Vec<Edge>,
    /// The edges that begin at a memory, by its slot.
    outgoing: Vec<Vec<EdgeKey>>,
    /// The edges that end at a memory, by its slot.
    incoming: Vec<Vec<EdgeKey>>,
    by_claim: HashMap<Claim, EdgeKey>,
    by_id: HashMap<RelationshipId, EdgeKey>,
}

impl Edges {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Lets `slot`, the newest, be an end.
    pub(super) fn make_room_for(&mut self, slot: Slot) {
        self.outgoing.resize_with(slot.index() + 1, Vec::new);
        self.incoming.resize_with(slot.index() + 1, Vec::new);
    }

    pub(super) fn relationship(&self, key: EdgeKey) -> &Arc<Relationship> {
        &self.edge(key).relationship
    }

    /// The edge that makes the same claim, if there is one.
    pub(super) fn same_as(&self, edge: &Edge) -> Option<EdgeKey> {
        self.by_claim.get(&edge.claim()).copied()
    }

    /// Adds a claim that is not made yet.
    pub(super) fn add(&mut self, edge: Edge, now: Moment) -> Result<(), GraphError> {
        self.check(&edge, None, now)?;
        let key = EdgeKey(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.by_claim.insert(edge.claim(), key);
        self.by_id.insert(edge.relationship.id.clone(), key);
        self.outgoing[edge.from.index()].push(key);
        self.incoming[edge.to.index()].push(key);
        self.all.push(edge);
        Ok(())
    }

    /// Puts another telling of the same claim in the place of `key`.
    pub(super) fn replace(&mut self, key: EdgeKey, edge: Edge, now: Moment) -> Result<(), GraphError> {
        self.check(&edge, Some(key), now)?;
        let known = &mut self.all[key.0 as usize];
        self.by_id.remove(&known.relationship.id);
        self.by_id.insert(edge.relationship.id.clone(), key);
        if (known.from, known.to) != (edge.from, edge.to) {
            // A mutual claim, told from its other end.
            self.outgoing[known.from.index()].retain(|other| *other != key);
            self.incoming[known.to.index()].retain(|other| *other != key);
            self.outgoing[edge.from.index()].push(key);
            self.incoming[edge.to.index()].push(key);
        }
        *known = edge;
        Ok(())
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
    pub(super) fn around(&self, slot: Slot, now: Moment) -> impl Iterator<Item = Link> {
        let forward = self.outgoing[slot.index()].iter().map(|key| (*key, Direction::Forward));
        let backward = self.incoming[slot.index()].iter().map(|key| (*key, Direction::Backward));
        forward.chain(backward).filter_map(move |(key, direction)| {
            let edge = self.edge(key);
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
            if self.steps(&self.outgoing[slot.index()], kind, now).any(|edge| ahead.meets(edge.to, &behind)) {
                return true;
            }
            let Some(slot) = behind.open.pop() else { return false };
            if self.steps(&self.incoming[slot.index()], kind, now).any(|edge| behind.meets(edge.from, &ahead))
            {
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
        keys.iter().map(|key| self.edge(*key)).filter(move |edge| {
            edge.relationship.kind == kind && edge.relationship.properties.is_valid_at(now)
        })
    }

    fn edge(&self, key: EdgeKey) -> &Edge {
        &self.all[key.0 as usize]
    }
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
