//! Making one memory of several that say nearly the same.
//!
//! Two memories may be merged if they are of one type and one project, and share so great a part of their words. Groups
//! are stars: of those that nobody has taken, the best memory keeps, and takes all that are alike to itself. So no memory
//! goes that is not like the one that stays. A pinned memory never goes.
//!
//! What is to be done is settled first, and then done group by group, each whole or not at all. A group whose memories
//! are not as they were is left alone.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use mcp_runtime::{Context, TryStepError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::GraphError;
use crate::graph::{Graph, Moved, Tables, Writing};
use crate::model::{
    Memory, MemoryChange, MemoryId, MemoryType, Moment, RelationshipDraft, RelationshipType, Slot,
};

/// Groups that are merged in one transaction.
const BATCH: usize = 20;

/// What becomes of the memories that are like another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Strategy {
    /// Their relationships move; they are kept out of the way, `DEPRECATED_BY` the one that stays.
    #[default]
    Archive,
    /// Their relationships move, and they are deleted.
    Delete,
    /// They stay as they are, and become `SIMILAR_TO` the one that stays.
    Link,
}

/// Where duplicates are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Among {
    /// Any, if empty.
    pub(crate) kinds: Vec<MemoryType>,
    pub(crate) project_path: Option<String>,
}

/// Memories that say nearly the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Group {
    /// The one that stays.
    pub(crate) keep: MemoryId,
    pub(crate) title: String,
    pub(crate) duplicates: Vec<Duplicate>,
}

/// A memory that says what another says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Duplicate {
    pub(crate) id: MemoryId,
    pub(crate) title: String,
    /// The part of their words that both have, from 0 to 1.
    pub(crate) similarity: f32,
}

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// By which the graph knows it again.
    run: String,
    now: Moment,
    pub(crate) groups: Vec<Group>,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Memories that went, or were linked.
    pub(crate) memories: usize,
    /// Relationships that lead from or to another memory now.
    pub(crate) moved: usize,
    /// Relationships that became one with another.
    pub(crate) merged: usize,
    /// Memories that had changed in the meantime, and were left alone.
    pub(crate) skipped: usize,
}

impl Plan {
    /// Looks for memories that say nearly the same. It takes a while in a large graph: call it where it may block.
    pub(crate) fn of(graph: &Graph, among: &Among, threshold: f32) -> Self {
        let groups = graph.read(|tables| groups(tables, among, threshold));
        Self { run: format!("consolidate {}", MemoryId::random()), now: Moment::now(), groups }
    }

    /// How many memories are like another.
    pub(crate) fn duplicates(&self) -> usize {
        self.groups.iter().map(|group| group.duplicates.len()).sum()
    }

    /// Does what is planned, and tells how far it is. What was done before it was cut off is not done again.
    pub(crate) async fn carry_out(
        self,
        graph: &Graph,
        strategy: Strategy,
        cx: &Context,
    ) -> Result<Done, TryStepError<GraphError>> {
        let (total, mut done) = (self.groups.len(), Done::default());
        for (turn, groups) in self.groups.chunks(BATCH).enumerate() {
            let (run, now, groups) = (self.run.clone(), self.now, groups.to_vec());
            let part = cx.try_step("groups", || {
                graph.write(move |writing| {
                    let step = format!("groups from {}", turn * BATCH);
                    writing.once(&run, &step, |writing| merge(&groups, strategy, now, writing))
                })
            });
            done.add(part.await?);
            let so_far = (turn * BATCH + BATCH).min(total);
            cx.progress(so_far, total, format!("Consolidating memories... ({so_far} of {total} groups)"));
            // Others get their turn, and a cancelled consolidation ends here, between two groups.
            tokio::task::yield_now().await;
        }
        let run = self.run;
        graph.write(move |writing| writing.forget_run(&run)).await.map_err(TryStepError::Work)?;
        Ok(done)
    }
}

impl Done {
    fn add(&mut self, more: Self) {
        self.memories += more.memories;
        self.moved += more.moved;
        self.merged += more.merged;
        self.skipped += more.skipped;
    }
}

fn groups(tables: &Tables, among: &Among, threshold: f32) -> Vec<Group> {
    let wanted = |memory: &Memory| {
        memory.archived_at.is_none()
            && (among.kinds.is_empty() || among.kinds.contains(&memory.kind))
            && among.project_path.as_deref().is_none_or(|path| memory.project_path() == Some(path))
    };
    let mut classes: HashMap<(MemoryType, Option<&str>), u32> = HashMap::new();
    let mut candidates: Vec<(Slot, u32)> = Vec::new();
    for (slot, memory) in tables.memories().filter(|(_, memory)| wanted(memory)) {
        let next = u32::try_from(classes.len()).unwrap_or(u32::MAX);
        candidates.push((slot, *classes.entry((memory.kind, memory.project_path())).or_insert(next)));
    }
    let mut alike: HashMap<Slot, Vec<(Slot, f32)>> = HashMap::new();
    for (one, other, similarity) in tables.near_duplicates(candidates, threshold) {
        alike.entry(one).or_default().push((other, similarity));
        alike.entry(other).or_default().push((one, similarity));
    }
    let mut keepers: Vec<(Slot, &Memory)> =
        alike.keys().filter_map(|slot| Some((*slot, &**tables.at(*slot)?))).collect();
    keepers.sort_by(|(_, a), (_, b)| by_merit(a, b));
    let mut taken: HashSet<Slot> = HashSet::new();
    let mut groups = Vec::new();
    for (keeper, memory) in keepers {
        if !taken.insert(keeper) {
            continue;
        }
        let mut duplicates = Vec::new();
        for (slot, similarity) in &alike[&keeper] {
            let Some(other) = tables.at(*slot).filter(|other| !other.pinned) else { continue };
            if taken.insert(*slot) {
                let (id, title) = (other.id.clone(), other.title.clone());
                duplicates.push(Duplicate { id, title, similarity: *similarity });
            }
        }
        if !duplicates.is_empty() {
            groups.push(Group { keep: memory.id.clone(), title: memory.title.clone(), duplicates });
        }
    }
    groups
}

/// The one that is worth more comes first.
fn by_merit(a: &Memory, b: &Memory) -> Ordering {
    let pinned = b.pinned.cmp(&a.pinned);
    let importance = || b.importance.get().total_cmp(&a.importance.get());
    let used = || b.usage_count.cmp(&a.usage_count);
    pinned
        .then_with(importance)
        .then_with(used)
        .then_with(|| b.updated_at.cmp(&a.updated_at))
        .then_with(|| a.id.cmp(&b.id))
}

fn merge(
    groups: &[Group],
    strategy: Strategy,
    now: Moment,
    writing: &mut Writing<'_>,
) -> Result<Done, GraphError> {
    let mut done = Done::default();
    for Group { keep, duplicates, .. } in groups {
        for Duplicate { id, similarity, .. } in duplicates {
            let in_use = |id| writing.memory(id).is_some_and(|memory| memory.archived_at.is_none());
            if !(in_use(keep) && in_use(id)) {
                done.skipped += 1;
                continue;
            }
            let moved = match strategy {
                Strategy::Link => {
                    relate(writing, id, RelationshipType::SimilarTo, keep, Some(*similarity), now)?;
                    Moved::default()
                }
                Strategy::Archive => {
                    let moved = writing.merge(id, keep, now)?;
                    relate(writing, id, RelationshipType::DeprecatedBy, keep, None, now)?;
                    let archive = MemoryChange { archived: Some(true), ..MemoryChange::default() };
                    writing.update(id, archive, now)?;
                    moved
                }
                Strategy::Delete => {
                    let moved = writing.merge(id, keep, now)?;
                    writing.delete(id)?;
                    moved
                }
            };
            done.add(Done { memories: 1, moved: moved.redirected, merged: moved.merged, skipped: 0 });
        }
    }
    Ok(done)
}

/// Relates two memories, unless that would lead back to where it began: then they are related already.
fn relate(
    writing: &mut Writing<'_>,
    from: &MemoryId,
    kind: RelationshipType,
    to: &MemoryId,
    strength: Option<f32>,
    now: Moment,
) -> Result<(), GraphError> {
    let draft =
        RelationshipDraft::new(from.clone(), kind, to.clone()).with("strength", strength.map(f64::from));
    match writing.relate(draft, now) {
        Ok(_) | Err(GraphError::Cycle { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
