//! What was merged, or would be.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::counted;
use crate::consolidate::{Done, Group, Plan, Strategy};

/// Groups that are told; the others are only counted.
const TOLD: usize = 20;

/// What a consolidation found, and what it did.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Consolidated {
    pub(crate) strategy: Strategy,
    /// False if nothing was done: it was only planned, or nobody agreed.
    pub(crate) done: bool,
    /// The first groups.
    pub(crate) groups: Vec<Group>,
    pub(crate) group_count: usize,
    /// Memories that are like another.
    pub(crate) duplicate_count: usize,
    /// Of these, those that had changed in the meantime and were left alone.
    pub(crate) skipped: usize,
    pub(crate) relationships_moved: usize,
    /// Relationships that became one with another of the same kind.
    pub(crate) relationships_merged: usize,
}

impl Consolidated {
    pub(crate) fn planned(plan: &Plan, strategy: Strategy) -> Self {
        Self {
            strategy,
            done: false,
            groups: plan.groups.iter().take(TOLD).cloned().collect(),
            group_count: plan.groups.len(),
            duplicate_count: plan.duplicates(),
            skipped: 0,
            relationships_moved: 0,
            relationships_merged: 0,
        }
    }

    pub(crate) fn done(&mut self, done: Done) {
        self.done = true;
        self.skipped = done.skipped;
        self.relationships_moved = done.moved;
        self.relationships_merged = done.merged;
    }
}

impl fmt::Display for Consolidated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group_count == 0 {
            return f.write_str("No two memories say nearly the same.");
        }
        let duplicates = counted(self.duplicate_count - self.skipped, "memory", "memories");
        match (self.done, self.strategy) {
            (false, _) => write!(f, "Nothing was changed. {duplicates} would be merged into others:")?,
            (true, Strategy::Archive) => write!(f, "{duplicates} merged into others and archived")?,
            (true, Strategy::Delete) => write!(f, "{duplicates} merged into others and deleted")?,
            (true, Strategy::Link) => write!(f, "{duplicates} linked to others:")?,
        }
        if self.done && self.strategy != Strategy::Link {
            let (moved, merged) = (self.relationships_moved, self.relationships_merged);
            write!(f, "; {moved} relationships moved, {merged} became one with another:")?;
        }
        for group in &self.groups {
            write!(f, "\n\n**{}** (ID: {})", group.title, group.keep)?;
            for duplicate in &group.duplicates {
                write!(
                    f,
                    "\n- {} (ID: {}, {:.2} alike)",
                    duplicate.title, duplicate.id, duplicate.similarity
                )?;
            }
        }
        match self.group_count - self.groups.len() {
            0 => Ok(()),
            more => write!(f, "\n\n... and {}.", counted(more, "more group", "more groups")),
        }
    }
}
