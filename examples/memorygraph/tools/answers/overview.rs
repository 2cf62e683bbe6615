//! The graph at a glance.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Brief, counted};
use crate::model::{Category, MemoryType};

/// What happened lately.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Activity {
    pub(crate) days: u32,
    /// The project that it is about; all, if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    pub(crate) total: usize,
    /// How many of each type.
    pub(crate) by_type: BTreeMap<MemoryType, usize>,
    /// Problems and errors that nothing solves, fixes or addresses.
    pub(crate) unresolved: Vec<Brief>,
    /// The newest first.
    pub(crate) recent: Vec<Brief>,
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = counted(self.days as usize, "day", "days");
        write!(f, "{} in the last {days}", counted(self.total, "memory", "memories"))?;
        if let Some(project) = &self.project {
            write!(f, " in {project}")?;
        }
        f.write_str(".")?;
        for (kind, count) in &self.by_type {
            write!(f, "\n- {kind}: {count}")?;
        }
        for (heading, memories) in [("Unresolved", &self.unresolved), ("Recent", &self.recent)] {
            if !memories.is_empty() {
                write!(f, "\n\n**{heading}:**")?;
            }
            for memory in memories {
                write!(f, "\n\n{memory}")?;
            }
        }
        Ok(())
    }
}

/// How much there is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Statistics {
    pub(crate) memories: usize,
    pub(crate) relationships: usize,
    /// Memories that are out of the way.
    pub(crate) archived: usize,
    pub(crate) by_type: BTreeMap<MemoryType, usize>,
    /// Relationships that hold now, by family.
    pub(crate) by_category: BTreeMap<Category, usize>,
    pub(crate) average_importance: f64,
    pub(crate) average_confidence: f64,
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memories, relationships, archived, .. } = self;
        write!(f, "{memories} memories ({archived} archived), {relationships} relationships.")?;
        let (importance, confidence) = (self.average_importance, self.average_confidence);
        write!(f, "\nAverage importance {importance:.2}, confidence {confidence:.2}.")?;
        for (kind, count) in &self.by_type {
            write!(f, "\n- {kind}: {count}")?;
        }
        for (category, count) in &self.by_category {
            write!(f, "\n- {category} relationships: {count}")?;
        }
        Ok(())
    }
}
