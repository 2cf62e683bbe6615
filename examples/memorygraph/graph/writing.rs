//! Changes: each is made to the graph in memory and to the file in one go, and becomes true when the file says so.

mod merging;

use std::sync::Arc;

use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::edges::EdgeKey;
use super::{Admitted, OnDuplicate, Related, Tables};
use crate::error::GraphError;
use crate::model::{
    Memory, MemoryChange, MemoryDraft, MemoryId, Moment, Object, Relationship, RelationshipDraft, Slot,
};
use crate::search::semantic::Meaning;
use crate::store::{StoreError, rows};
pub(crate) use merging::Moved;

/// The graph while it is changed. Every change is checked before anything of it is made; of one that the file refuses,
/// nothing remains.
pub(crate) struct Writing<'w> {
    tables: &'w mut Tables,
    sql: &'w Connection,
    /// Why the file refused, if it did: then nothing of this transaction will be true.
    failed: Option<StoreError>,
}

impl<'w> Writing<'w> {
    pub(crate) fn new(tables: &'w mut Tables, sql: &'w Connection) -> Self {
        Self { tables, sql, failed: None }
    }

    /// What the file refused, if anything.
    pub(crate) fn failed(&mut self) -> Option<StoreError> {
        self.failed.take()
    }

    /// The memory of this name, as it is now.
    pub(crate) fn memory(&self, id: &MemoryId) -> Option<Arc<Memory>> {
        self.tables.find(id).ok().map(|(_, memory)| Arc::clone(memory))
    }

    /// Lets the index learn from everything. Nobody can look at the graph meanwhile.
    pub(crate) fn learn(&mut self) {
        self.tables.learn();
    }

    /// Keeps a new memory.
    pub(crate) fn store(&mut self, draft: MemoryDraft, now: Moment) -> Result<Arc<Memory>, GraphError> {
        let memory = Arc::new(draft.check(now)?);
        self.admit_memory(Arc::clone(&memory), OnDuplicate::Error)?;
        Ok(memory)
    }

    pub(crate) fn update(
        &mut self,
        id: &MemoryId,
        change: MemoryChange,
        now: Moment,
    ) -> Result<Arc<Memory>, GraphError> {
        let changed = Arc::new(change.apply(self.tables.find(id)?.1, now)?);
        self.put_memory(Arc::clone(&changed))?;
        Ok(changed)
    }

    /// Takes a memory away with its relationships, and says how many these were.
    pub(crate) fn delete(&mut self, id: &MemoryId) -> Result<usize, GraphError> {
        let (slot, _) = self.tables.find(id)?;
        let relationships = self.tables.remove(slot);
        self.keep(|sql| rows::remove_memory(sql, slot))?;
        Ok(relationships)
    }

    /// Puts a memory in the place of the one of the same name, or in a new one.
    pub(crate) fn put_memory(&mut self, memory: Arc<Memory>) -> Result<Slot, GraphError> {
        let slot = self.tables.put(Arc::clone(&memory));
        self.keep(|sql| rows::put_memory(sql, slot, &memory))?;
        if let Some(meaning) = self.tables.understand(slot) {
            self.keep_meaning(slot, &meaning)?;
        }
        Ok(slot)
    }

    /// Takes over what the model said of memories in the meantime. Those that have changed since, or are gone, are left
    /// out; says how many are not.
    pub(crate) fn take_over(&mut self, meanings: &[(Slot, Meaning)]) -> Result<usize, GraphError> {
        let mut taken = 0;
        for (slot, meaning) in meanings {
            if self.tables.take_over(*slot, meaning) {
                self.keep_meaning(*slot, meaning)?;
                taken += 1;
            }
        }
        Ok(taken)
    }

    fn keep_meaning(&mut self, slot: Slot, meaning: &Meaning) -> Result<(), GraphError> {
        let Some(model) = self.tables.model().map(|model| model.fingerprint()) else { return Ok(()) };
        self.keep(|sql| rows::put_meaning(sql, slot, model, meaning))
    }

    pub(crate) fn admit_memory(
        &mut self,
        memory: Arc<Memory>,
        on_duplicate: OnDuplicate,
    ) -> Result<Admitted, GraphError> {
        let admitted = match (self.tables.slot(&memory.id), on_duplicate) {
            (None, _) => Admitted::Added,
            (Some(_), OnDuplicate::Skip) => return Ok(Admitted::Skipped),
            (Some(_), OnDuplicate::Error) => return Err(GraphError::MemoryExists(memory.id.clone())),
            (Some(_), OnDuplicate::Replace) => Admitted::Replaced,
        };
        self.put_memory(memory)?;
        Ok(admitted)
    }

    /// Relates two memories. Saying again what is already known is one more piece of evidence for it, and takes over
    /// the properties that are given.
    pub(crate) fn relate(&mut self, draft: RelationshipDraft, now: Moment) -> Result<Related, GraphError> {
        let told: Vec<String> = draft.properties.iter().flat_map(Object::keys).cloned().collect();
        let edge = self.tables.edge(draft.check(now)?)?;
        let known = self.tables.edges.same_as(&edge).and_then(|key| Some((key, self.tables.edges.get(key)?)));
        let Some((key, known)) = known else {
            let relationship = Arc::clone(&edge.relationship);
            let key = self.tables.edges.add(edge, now)?;
            self.keep_edge(key)?;
            return Ok(Related { relationship, new: true });
        };
        let observed = again(&known.relationship, &edge.relationship, &told, now);
        let edge = self.tables.edge(observed)?;
        let relationship = Arc::clone(&edge.relationship);
        self.tables.edges.replace(key, edge, now)?;
        self.keep_edge(key)?;
        Ok(Related { relationship, new: false })
    }

    pub(crate) fn admit_relationship(
        &mut self,
        relationship: Relationship,
        on_duplicate: OnDuplicate,
        now: Moment,
    ) -> Result<Admitted, GraphError> {
        let edge = self.tables.edge(relationship)?;
        let Some(known) = self.tables.edges.same_as(&edge) else {
            let key = self.tables.edges.add(edge, now)?;
            self.keep_edge(key)?;
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
                self.tables.edges.replace(known, edge, now)?;
                self.keep_edge(known)?;
                Ok(Admitted::Replaced)
            }
        }
    }

    /// Does a step of long work, unless this run of it has been done: then it gives what that came to. The step and the
    /// word that it is done are true together or not at all.
    pub(crate) fn once<T: Serialize + DeserializeOwned>(
        &mut self,
        run: &str,
        step: &str,
        work: impl FnOnce(&mut Self) -> Result<T, GraphError>,
    ) -> Result<T, GraphError> {
        if let Some(outcome) = self.keep(|sql| rows::outcome(sql, run, step))? {
            return serde_json::from_str(&outcome).map_err(|error| GraphError::BadRow(error.into()));
        }
        let done = work(self)?;
        let outcome = serde_json::to_string(&done).map_err(|error| GraphError::BadRow(error.into()))?;
        self.keep(|sql| rows::put_outcome(sql, run, step, &outcome, Moment::now()))?;
        Ok(done)
    }

    /// Forgets what a run has done: it is over.
    pub(crate) fn forget_run(&mut self, run: &str) -> Result<(), GraphError> {
        self.keep(|sql| rows::forget_run(sql, run))
    }

    fn keep_edge(&mut self, key: EdgeKey) -> Result<(), GraphError> {
        let Some(edge) = self.tables.edges.get(key).cloned() else { return Ok(()) };
        self.keep(|sql| rows::put_relationship(sql, key.number(), (edge.from, edge.to), &edge.relationship))
    }

    /// Lets the file know. If it refuses, nothing of the whole transaction will be true.
    fn keep<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, GraphError> {
        work(self.sql).map_err(|error| {
            let error = StoreError::from(error);
            self.failed = Some(error.clone());
            GraphError::Store(error)
        })
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
