//! What was curated, or would be.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::counted;
use crate::curate::{Counts, Plan, What};
use crate::model::MemoryId;

/// Changes that are told; the others are only counted.
const TOLD: usize = 20;

/// What a curation found, and what it did.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Curated {
    /// False if nothing was done: it was only planned, or nobody agreed.
    pub(crate) done: bool,
    pub(crate) counts: Counts,
    /// Whether the index learnt anew, or would.
    pub(crate) optimised: bool,
    /// The first changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) changes: Vec<CuratedMemory>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct CuratedMemory {
    pub(crate) id: MemoryId,
    /// What becomes of it, in words.
    pub(crate) change: String,
}

impl Curated {
    pub(crate) fn planned(plan: &Plan) -> Self {
        let told = plan.changes.iter().take(TOLD);
        let changes =
            told.map(|change| CuratedMemory { id: change.id.clone(), change: in_words(&change.what) });
        Self { done: false, counts: plan.counts(), optimised: plan.optimises(), changes: changes.collect() }
    }

    pub(crate) fn done(&mut self, counts: Counts) {
        self.done = true;
        self.counts = counts;
    }
}

fn in_words(what: &What) -> String {
    match what {
        What::Delete => "deleted".to_owned(),
        What::Fade(importance) => format!("fades to importance {:.2}", importance.get()),
        What::Archive(importance) => format!("fades to importance {:.2}, archived", importance.get()),
        What::Summarise(summary) => format!("summarised: {summary}"),
    }
}

impl fmt::Display for Curated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { deleted, faded, archived, summarised, skipped } = self.counts;
        f.write_str(if self.done { "Done: " } else { "Nothing was changed. It would be: " })?;
        let all = deleted + faded + archived + summarised;
        write!(
            f,
            "{}: {faded} faded, {archived} faded and archived, {summarised} summarised, {deleted} deleted",
            counted(all, "change", "changes")
        )?;
        if skipped > 0 {
            write!(f, "; {skipped} had changed in the meantime, and were left alone")?;
        }
        f.write_str(if self.optimised { "; the index learns anew." } else { "." })?;
        for CuratedMemory { id, change } in &self.changes {
            write!(f, "\n- {id}: {change}")?;
        }
        match all + skipped - self.changes.len().min(all + skipped) {
            0 => Ok(()),
            more => write!(f, "\n... and {more} more."),
        }
    }
}
