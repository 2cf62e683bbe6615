//! Bringing a whole document of memories and relationships into the graph, batch by batch.
//!
//! A document is refused as a whole, before anything of it is imported, where it cannot be trusted: when it is not of
//! format 2.0, when a memory lacks its id, type, title or content, and when two have one id. Any other row that is
//! wrong is left out and reported by its number. A row is imported whole or not at all.

mod document;

use std::fmt;
use std::vec;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(crate) use document::{Document, FORMAT_VERSION};

use crate::error::{GraphError, Refusal};
use crate::graph::{Admitted, Graph, OnDuplicate};
use crate::model::{Memory, MemoryDraft, MemoryId, Moment, Relationship, RelationshipDraft};

/// Rows that are imported under one lock.
const BATCH: usize = 250;
/// Bad rows that are reported; the others are only counted.
const REPORTED_ROWS: usize = 20;

/// An import that is under way: an iterator over its own progress.
#[derive(Debug)]
#[must_use = "an import does nothing until it is driven"]
pub(crate) struct Import<'g> {
    graph: &'g Graph,
    on_duplicate: OnDuplicate,
    now: Moment,
    memories: Rows,
    relationships: Rows,
    total: usize,
    report: Report,
}

/// The rows of one table that are still to come.
type Rows = std::iter::Enumerate<vec::IntoIter<Box<RawValue>>>;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) table: Table,
    pub(crate) done: usize,
    pub(crate) total: usize,
}

/// A part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Table {
    Memories,
    Relationships,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memories => "memories",
            Self::Relationships => "relationships",
        })
    }
}

/// What became of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Report {
    pub(crate) memories: Counts,
    pub(crate) relationships: Counts,
    /// The first rows that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<RowError>,
}

/// What became of the rows of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Counts {
    /// New ones.
    pub(crate) imported: usize,
    /// Those that took the place of what was there.
    pub(crate) replaced: usize,
    /// Those that were there already.
    pub(crate) skipped: usize,
    /// Those that were wrong.
    pub(crate) failed: usize,
}

/// A row that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct RowError {
    pub(crate) table: Table,
    /// Its number in the table, from 1.
    pub(crate) row: usize,
    pub(crate) message: String,
}

impl<'g> Import<'g> {
    /// Makes ready to import `document`. When duplicates are errors and it has any, it is refused as a whole.
    pub(crate) fn begin(
        graph: &'g Graph,
        document: Document,
        on_duplicate: OnDuplicate,
    ) -> Result<Self, GraphError> {
        if on_duplicate == OnDuplicate::Error {
            refuse_duplicates(graph, document.ids())?;
        }
        let (memories, relationships) = document.into_rows();
        Ok(Self {
            graph,
            on_duplicate,
            now: Moment::now(),
            total: memories.len() + relationships.len(),
            memories: memories.into_iter().enumerate(),
            relationships: relationships.into_iter().enumerate(),
            report: Report::default(),
        })
    }

    /// What became of the rows so far.
    pub(crate) fn into_report(mut self) -> Report {
        self.report.errors.sort_by_key(|error| (error.table, error.row));
        self.report
    }

    fn import_memories(&mut self) {
        let (rows, memories): (_, Vec<Memory>) = self.read(Table::Memories, |text, now| {
            let draft: MemoryDraft = serde_json::from_str(text).map_err(GraphError::BadRow)?;
            draft.check(now)
        });
        let outcomes = self.graph.admit_memories(memories, self.on_duplicate);
        self.note(Table::Memories, rows, outcomes);
    }

    fn import_relationships(&mut self) {
        let (rows, relationships): (_, Vec<Relationship>) = self.read(Table::Relationships, |text, now| {
            let draft: RelationshipDraft = serde_json::from_str(text).map_err(GraphError::BadRow)?;
            draft.check(now)
        });
        let outcomes = self.graph.admit_relationships(relationships, self.on_duplicate);
        self.note(Table::Relationships, rows, outcomes);
    }

    /// The sound rows of the next batch, and their numbers. The others are reported.
    fn read<T>(
        &mut self,
        table: Table,
        parse: impl Fn(&str, Moment) -> Result<T, GraphError>,
    ) -> (Vec<usize>, Vec<T>) {
        let rows = match table {
            Table::Memories => &mut self.memories,
            Table::Relationships => &mut self.relationships,
        };
        let batch: Vec<_> =
            rows.take(BATCH).map(|(index, row)| (index + 1, parse(row.get(), self.now))).collect();
        let mut sound = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for (row, parsed) in batch {
            match parsed {
                Ok(parsed) => {
                    sound.0.push(row);
                    sound.1.push(parsed);
                }
                Err(error) => self.note(table, vec![row], vec![Err(error)]),
            }
        }
        sound
    }

    fn note(&mut self, table: Table, rows: Vec<usize>, outcomes: Vec<Result<Admitted, GraphError>>) {
        let counts = match table {
            Table::Memories => &mut self.report.memories,
            Table::Relationships => &mut self.report.relationships,
        };
        for (row, outcome) in rows.into_iter().zip(outcomes) {
            match outcome {
                Ok(Admitted::Added) => counts.imported += 1,
                Ok(Admitted::Replaced) => counts.replaced += 1,
                Ok(Admitted::Skipped) => counts.skipped += 1,
                Err(error) => {
                    counts.failed += 1;
                    if self.report.errors.len() < REPORTED_ROWS {
                        self.report.errors.push(RowError { table, row, message: error.to_string() });
                    }
                }
            }
        }
    }
}

impl Iterator for Import<'_> {
    type Item = Step;

    /// Imports one batch more, memories first, since relationships need them.
    fn next(&mut self) -> Option<Step> {
        let table = if self.memories.len() > 0 {
            self.import_memories();
            Table::Memories
        } else if self.relationships.len() > 0 {
            self.import_relationships();
            Table::Relationships
        } else {
            return None;
        };
        let left = self.memories.len() + self.relationships.len();
        Some(Step { table, done: self.total - left, total: self.total })
    }
}

fn refuse_duplicates(graph: &Graph, ids: &[MemoryId]) -> Result<(), GraphError> {
    let there = graph.has(ids);
    let mut rows = there.iter().enumerate().filter(|(_, there)| **there).map(|(index, _)| index);
    let Some(index) = rows.next() else { return Ok(()) };
    let refusal = Refusal::AlreadyThere { id: ids[index].clone(), row: index + 1, others: rows.count() };
    Err(GraphError::Refused(refusal))
}

#[cfg(test)]
mod tests;
