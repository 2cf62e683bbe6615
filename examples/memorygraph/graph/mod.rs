//! The graph itself: memories, their relationships and the index of their words, shared by all calls and tasks.

mod edges;
mod related;
mod tables;
mod together;
mod writing;

use std::sync::{Arc, PoisonError, RwLock, TryLockError};

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::error::GraphError;
use crate::model::{
    Memory, MemoryChange, MemoryDraft, MemoryId, Moment, Relationship, RelationshipDraft, Slot,
};
use crate::search::semantic::Model;
use crate::search::{Hit, Mode, Query, Ranking, Why};
use crate::store::{Place, Store, StoreError};
pub(crate) use edges::{Direction, Link};
pub(crate) use related::{Around, Neighbourhood, Reached};
pub(crate) use tables::Tables;
pub(crate) use together::Together;
pub(crate) use writing::{Moved, Writing};

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

/// A memory whose text speaks of a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Match {
    pub(crate) slot: Slot,
    pub(crate) score: f64,
    pub(crate) why: Why,
}

/// What a search found, and how.
#[derive(Debug, Clone)]
pub(crate) struct Matches {
    /// The best first.
    pub(crate) best: Vec<Match>,
    pub(crate) ranking: Ranking,
}

/// How much the graph holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) memories: usize,
    pub(crate) relationships: usize,
}

/// A graph of memories, held in memory and kept in a file.
///
/// Reading looks at what is in memory, under a lock that is held for as long as a method runs and no longer, and never
/// across an await. What would run long is asked for in parts: [`Walk`](crate::walk::Walk) and
/// [`Import`](crate::import::Import) do so. Writing is over when the disk has it.
#[derive(Debug)]
pub(crate) struct Graph {
    tables: Arc<RwLock<Tables>>,
    store: Store,
}

impl Graph {
    /// Reads the graph from where it is kept, without a model, and waits for it.
    #[cfg(test)]
    pub(crate) fn open(place: Place<'_>) -> Result<Self, StoreError> {
        Self::open_with(place, None)
    }

    /// The same with a model.
    #[cfg(test)]
    pub(crate) fn open_with(place: Place<'_>, model: Option<Arc<Model>>) -> Result<Self, StoreError> {
        let (tell, told) = std::sync::mpsc::channel();
        let read = move |read| tell.send(read).expect("somebody waits for it");
        let graph = Self::open_soon(place, model, read)?;
        told.recv().expect("it is told")?;
        Ok(graph)
    }

    /// Opens what is kept, and reads it meanwhile, with what the model said of its memories before: whoever looks at the
    /// graph waits until all is there. `read` is told how that went; if it went wrong, before anybody sees anything.
    pub(crate) fn open_soon(
        place: Place<'_>,
        model: Option<Arc<Model>>,
        read: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (store, tables) = Store::open_soon(place, model, read)?;
        Ok(Self { tables, store })
    }

    pub(crate) fn size(&self) -> Size {
        self.read(Tables::size)
    }

    /// Keeps a new memory.
    pub(crate) async fn store(&self, draft: MemoryDraft) -> Result<Arc<Memory>, GraphError> {
        self.write(|writing| writing.store(draft, Moment::now())).await
    }

    /// Changes a memory.
    pub(crate) async fn update(&self, id: MemoryId, change: MemoryChange) -> Result<Arc<Memory>, GraphError> {
        self.write(move |writing| writing.update(&id, change, Moment::now())).await
    }

    /// Takes a memory away with its relationships, and says how many these were.
    pub(crate) async fn delete(&self, id: MemoryId) -> Result<usize, GraphError> {
        self.write(move |writing| writing.delete(&id)).await
    }

    /// Relates two memories. Saying again what is already known is one more piece of evidence for it, and takes over
    /// the properties that are given.
    pub(crate) async fn relate(&self, draft: RelationshipDraft) -> Result<Related, GraphError> {
        self.write(|writing| writing.relate(draft, Moment::now())).await
    }

    pub(crate) fn get(&self, id: &MemoryId) -> Result<Arc<Memory>, GraphError> {
        self.read(|tables| tables.find(id).map(|(_, memory)| Arc::clone(memory)))
    }

    /// What relates to a memory at `moment`, the strongest first.
    pub(crate) fn neighbours(&self, id: &MemoryId, moment: Moment) -> Result<Vec<Neighbour>, GraphError> {
        self.read(|tables| {
            let (slot, _) = tables.find(id)?;
            let mut links: Vec<Link> = tables.edges().around(slot, moment).collect();
            links.sort_by(|a, b| b.strength.total_cmp(&a.strength));
            let neighbour = |link: Link| {
                Some(Neighbour {
                    memory: Arc::clone(tables.at(link.to)?),
                    relationship: Arc::clone(&tables.edges().get(link.edge)?.relationship),
                    direction: link.direction,
                })
            };
            Ok(links.into_iter().filter_map(neighbour).collect())
        })
    }

    /// The memories whose text speaks of `query`, the best first.
    pub(crate) fn search(&self, query: &Query) -> Matches {
        let (hits, without_meaning) = self.read(|tables| (tables.search(query), tables.without_meaning()));
        let without_vector = if hits.mode == Mode::Semantic { without_meaning } else { 0 };
        let matched = |Hit { doc, score, why }| Match { slot: Slot::from(doc), score: f64::from(score), why };
        let ranking = Ranking { mode: hits.mode, guessed: hits.guessed, without_vector };
        Matches { best: hits.best.into_iter().map(matched).collect(), ranking }
    }

    /// Counts that these were read by somebody.
    pub(crate) fn count_access(&self, slots: Vec<Slot>) {
        let now = Moment::now();
        if !slots.is_empty() && !self.store.is_read_only() {
            let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
            for slot in &slots {
                tables.count_access(*slot, now);
            }
            drop(tables);
            self.store.accessed(slots);
        }
    }

    /// Looks at the graph as it is at one moment. Nothing can be written meanwhile: look, and be gone.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Tables) -> T) -> T {
        // A poisoned lock is taken all the same: the writer reads the tables anew when it was cut off half way.
        let tables = match self.tables.try_read() {
            Ok(tables) => tables,
            Err(TryLockError::Poisoned(tables)) => tables.into_inner(),
            Err(TryLockError::WouldBlock) => {
                patiently(|| self.tables.read().unwrap_or_else(PoisonError::into_inner))
            }
        };
        look(&tables)
    }

    /// Changes the graph. What it gives is answered once the disk has the change; if its future is dropped, the change
    /// is made all the same.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Writing<'_>) -> Result<T, GraphError> + Send + 'static,
    ) -> Result<T, GraphError> {
        self.store.write(change).await
    }
}

/// Waits without keeping others from running, where there are threads that could let them.
fn patiently<T>(wait: impl FnOnce() -> T) -> T {
    let many = Handle::try_current().is_ok_and(|tokio| tokio.runtime_flavor() == RuntimeFlavor::MultiThread);
    if many { tokio::task::block_in_place(wait) } else { wait() }
}

#[cfg(test)]
pub(crate) mod tests;
