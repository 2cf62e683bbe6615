//! Looking after the graph: what is unused fades, what has faded goes out of the way, and in the end away.
//!
//! - `decay`: importance becomes `importance * 0.99 ^ (days / lasting)`, where days are counted since a memory was last
//!   read, changed or decayed, and lasting is 0.5 for an error, 0.8 for a solution, and 1 for all others. What falls
//!   below 0.1 is archived.
//! - `cleanup`: what has been archived for 90 days is deleted, with its relationships.
//! - `summarise`: a long memory without a summary gets one of its own most telling sentences, which says so.
//! - `optimise`: the index learns anew what words have to do with each other.
//!
//! A pinned memory neither fades nor goes. What is to be done is settled first, and then done in parts, each whole or not
//! at all; a memory that has changed in the meantime is left alone.

mod extract;

use std::collections::BTreeSet;

use mcp_runtime::{Context, TryStepError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::GraphError;
use crate::graph::{Graph, Tables, Writing};
use crate::model::{Memory, MemoryChange, MemoryId, MemoryType, Moment, Weight};

/// Of its importance, what a memory keeps from one day to the next.
const KEPT_A_DAY: f64 = 0.99;
/// What has less importance is out of the way.
const FORGOTTEN: f64 = 0.1;
/// Less is no change.
const NOTICEABLE: f64 = 0.001;
/// Days that a memory stays archived before it may be deleted.
const DAYS_ARCHIVED: f64 = 90.0;
/// Changes that are made in one transaction.
const BATCH: usize = 200;
/// Under which a memory says when it last faded.
const DECAYED_AT: &str = "decayed_at";

/// A part of curation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum CurationStep {
    Cleanup,
    Decay,
    Summarise,
    Optimise,
}

/// What is to become of a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) id: MemoryId,
    /// The version that the change was settled for.
    version: u32,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum What {
    Delete,
    Fade(Weight),
    Archive(Weight),
    Summarise(String),
}

/// How many memories there are of each change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Counts {
    pub(crate) deleted: usize,
    pub(crate) faded: usize,
    /// Faded so far that they are out of the way.
    pub(crate) archived: usize,
    pub(crate) summarised: usize,
    /// Changed in the meantime, and left alone.
    pub(crate) skipped: usize,
}

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// By which the graph knows it again.
    run: String,
    now: Moment,
    pub(crate) changes: Vec<Change>,
    optimise: bool,
}

impl Plan {
    /// Looks at every memory. It takes a while in a large graph: call it where it may block.
    pub(crate) fn of(graph: &Graph, steps: &[CurationStep], project_path: Option<&str>) -> Self {
        let now = Moment::now();
        // In the order in which they do not get into each other's way.
        let steps: BTreeSet<CurationStep> = steps.iter().copied().collect();
        let changes = graph.read(|tables| {
            let memories = tables.memories().map(|(_, memory)| &**memory).filter(|memory| !memory.pinned);
            let ours =
                memories.filter(|memory| project_path.is_none_or(|path| memory.project_path() == Some(path)));
            ours.flat_map(|memory| {
                let what = steps.iter().filter_map(move |step| step.change(memory, tables, now));
                what.map(|what| Change { id: memory.id.clone(), version: memory.version, what })
            })
            .collect()
        });
        let run = format!("curate {}", MemoryId::random());
        Self { run, now, changes, optimise: steps.contains(&CurationStep::Optimise) }
    }

    pub(crate) fn optimises(&self) -> bool {
        self.optimise
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.changes.iter().for_each(|change| counts.count(&change.what));
        counts
    }

    /// Does what is planned, and tells how far it is. What was done before it was cut off is not done again.
    pub(crate) async fn carry_out(
        self,
        graph: &Graph,
        cx: &Context,
    ) -> Result<Counts, TryStepError<GraphError>> {
        let (total, mut done) = (self.changes.len(), Counts::default());
        for (turn, changes) in self.changes.chunks(BATCH).enumerate() {
            let (run, now, changes) = (self.run.clone(), self.now, changes.to_vec());
            let part = cx.try_step("changes", || {
                graph.write(move |writing| {
                    let step = format!("changes from {}", turn * BATCH);
                    writing.once(&run, &step, |writing| make(&changes, now, writing))
                })
            });
            done.add(part.await?);
            let so_far = (turn * BATCH + BATCH).min(total);
            cx.progress(so_far, total, format!("Curating memories... ({so_far} of {total})"));
            // Others get their turn, and a cancelled curation ends here, between two parts.
            tokio::task::yield_now().await;
        }
        let (run, optimise) = (self.run, self.optimise);
        let finish = graph.write(move |writing| {
            if optimise {
                writing.learn();
            }
            writing.forget_run(&run)
        });
        finish.await.map_err(TryStepError::Work)?;
        Ok(done)
    }
}

impl CurationStep {
    /// What this step would change about a memory.
    fn change(self, memory: &Memory, tables: &Tables, now: Moment) -> Option<What> {
        match (self, memory.archived_at) {
            (Self::Cleanup, Some(archived)) => {
                (now.days_since(archived) >= DAYS_ARCHIVED).then_some(What::Delete)
            }
            (Self::Decay, None) => faded(memory, now).map(|importance| {
                let forgotten = importance.get() < FORGOTTEN;
                if forgotten { What::Archive(importance) } else { What::Fade(importance) }
            }),
            (Self::Summarise, None) if memory.summary.is_none() => {
                extract::extract(&memory.content, |sentence| tables.weigh(sentence)).map(What::Summarise)
            }
            _ => None,
        }
    }
}

/// The importance that is left, if it is noticeably less.
fn faded(memory: &Memory, now: Moment) -> Option<Weight> {
    let decayed = memory.other.get(DECAYED_AT).and_then(|at| at.as_str()?.parse::<Moment>().ok());
    let since = memory.updated_at.max(memory.created_at);
    let since = [memory.last_accessed, decayed].into_iter().flatten().fold(since, Moment::max);
    let lasting = match memory.kind {
        MemoryType::Error => 0.5,
        MemoryType::Solution => 0.8,
        _ => 1.0,
    };
    let before = memory.importance.get();
    let left = before * KEPT_A_DAY.powf(now.days_since(since).max(0.0) / lasting);
    (before - left >= NOTICEABLE || left < FORGOTTEN).then(|| Weight::clamped(left))
}

fn make(changes: &[Change], now: Moment, writing: &mut Writing<'_>) -> Result<Counts, GraphError> {
    let mut done = Counts::default();
    for Change { id, version, what } in changes {
        let Some(memory) = writing.memory(id).filter(|memory| memory.version == *version && !memory.pinned)
        else {
            done.skipped += 1;
            continue;
        };
        match what {
            What::Delete => {
                writing.delete(id)?;
            }
            What::Fade(importance) | What::Archive(importance) => {
                // Fading is no change of what a memory says, so that it stays as old as it is.
                let mut memory = Memory::clone(&memory);
                memory.importance = *importance;
                memory.other.insert(DECAYED_AT.to_owned(), now.to_string().into());
                if matches!(what, What::Archive(_)) {
                    memory.archived_at = Some(now);
                }
                writing.put_memory(memory.into())?;
            }
            What::Summarise(summary) => {
                let change = MemoryChange { summary: Some(summary.clone()), ..MemoryChange::default() };
                writing.update(id, change, now)?;
            }
        }
        done.count(what);
    }
    Ok(done)
}

impl Counts {
    fn count(&mut self, what: &What) {
        *match what {
            What::Delete => &mut self.deleted,
            What::Fade(_) => &mut self.faded,
            What::Archive(_) => &mut self.archived,
            What::Summarise(_) => &mut self.summarised,
        } += 1;
    }

    fn add(&mut self, more: Self) {
        self.deleted += more.deleted;
        self.faded += more.faded;
        self.archived += more.archived;
        self.summarised += more.summarised;
        self.skipped += more.skipped;
    }
}

#[cfg(test)]
mod tests;
