//! Bringing a whole document of memories and relationships into the graph, part by part.
//!
//! A document is refused as a whole, before anything of it is imported, where it cannot be trusted: when it is not of
//! format 2.0, when a memory lacks its id, type, title or content, and when two have one id. Any other row that is
//! wrong is left out and reported by its number. A row is imported whole or not at all.
//!
//! A part is written together with the word that it was, so that an import which is cut off goes on where it was, and
//! does nothing twice.

mod document;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use mcp_runtime::{Context, TryStepError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use document::{Document, FORMAT_VERSION, read};

use crate::error::{BadRow, GraphError, Refusal};
use crate::graph::{Admitted, Graph, OnDuplicate, Writing};
use crate::model::{Memory, MemoryDraft, MemoryId, Moment, Relationship, RelationshipDraft};

/// Rows that are written together.
const BATCH: usize = 500;
/// Bad rows that are reported; the others are only counted.
const REPORTED_ROWS: usize = 20;

/// Imports a document, and tells how far it is.
pub(crate) async fn run(
    graph: &Graph,
    document: Document,
    on_duplicate: OnDuplicate,
    cx: &Context,
) -> Result<Report, TryStepError<GraphError>> {
    let begun = cx.try_step("begin", async || Begun::with(graph, &document, on_duplicate)).await?;
    let import = Import::go_on(document, begun).map_err(TryStepError::Work)?;
    let total = import.document.memories().len() + import.document.relationships().len();
    let mut report = Report::default();
    let mut done = 0;
    for part in import.parts() {
        let (table, rows) = (part.table, part.rows.len());
        report.add(cx.try_step("rows", || import.bring(graph, part)).await?);
        done += rows;
        cx.progress(done, total, format!("Importing {table}... ({done} of {total} rows)"));
        // Others get their turn, and a cancelled import ends here, between two parts.
        tokio::task::yield_now().await;
    }
    let run = import.begun.run;
    graph.write(move |writing| writing.forget_run(&run)).await.map_err(TryStepError::Work)?;
    Ok(report)
}

/// What an import has settled before it brings anything, and keeps to if it is cut off.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Begun {
    /// By which the graph knows it again.
    run: String,
    /// By which its document is known again.
    fingerprint: u64,
    on_duplicate: OnDuplicate,
    /// When rows were made that do not say when.
    now: Moment,
}

impl Begun {
    /// When duplicates are errors and the document has any, it is refused as a whole.
    fn with(graph: &Graph, document: &Document, on_duplicate: OnDuplicate) -> Result<Self, GraphError> {
        if on_duplicate == OnDuplicate::Error {
            refuse_duplicates(graph, document.ids())?;
        }
        let (run, now) = (format!("import {}", MemoryId::random()), Moment::now());
        Ok(Self { run, fingerprint: document.fingerprint(), on_duplicate, now })
    }
}

/// An import that is under way.
#[derive(Debug)]
struct Import {
    document: Arc<Document>,
    begun: Begun,
}

/// Some rows of a table, by their places in it.
#[derive(Debug, Clone)]
struct Part {
    table: Table,
    rows: Range<usize>,
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

impl Report {
    fn counts(&mut self, table: Table) -> &mut Counts {
        match table {
            Table::Memories => &mut self.memories,
            Table::Relationships => &mut self.relationships,
        }
    }

    fn note(&mut self, table: Table, row: usize, outcome: Result<Admitted, GraphError>) {
        let counts = self.counts(table);
        match outcome {
            Ok(Admitted::Added) => counts.imported += 1,
            Ok(Admitted::Replaced) => counts.replaced += 1,
            Ok(Admitted::Skipped) => counts.skipped += 1,
            Err(error) => {
                counts.failed += 1;
                self.errors.push(RowError { table, row, message: error.to_string() });
            }
        }
        self.errors.truncate(REPORTED_ROWS);
    }

    /// Takes in what became of further rows.
    fn add(&mut self, part: Self) {
        self.memories.add(part.memories);
        self.relationships.add(part.relationships);
        self.errors.extend(part.errors);
        self.errors.truncate(REPORTED_ROWS);
    }
}

impl Counts {
    fn add(&mut self, more: Self) {
        self.imported += more.imported;
        self.replaced += more.replaced;
        self.skipped += more.skipped;
        self.failed += more.failed;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (table, counts) in [(Table::Memories, self.memories), (Table::Relationships, self.relationships)]
        {
            let Counts { imported, replaced, skipped, failed } = counts;
            let after = if table == Table::Memories { "; " } else { "." };
            write!(
                f,
                "{imported} {table} imported, {replaced} replaced, {skipped} skipped, {failed} refused{after}"
            )?;
        }
        for RowError { table, row, message } in &self.errors {
            write!(f, "\nRow {row} of {table}: {message}")?;
        }
        let untold = self.memories.failed + self.relationships.failed - self.errors.len();
        if untold > 0 { write!(f, "\n... and {untold} more rows.") } else { Ok(()) }
    }
}

impl Import {
    /// Goes on with what was begun, if the document is still the same.
    fn go_on(document: Document, begun: Begun) -> Result<Self, GraphError> {
        if document.fingerprint() != begun.fingerprint {
            return Err(GraphError::DocumentChanged);
        }
        Ok(Self { document: Arc::new(document), begun })
    }

    /// What there is to bring: memories first, since relationships need them.
    fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let tables = [
            (Table::Memories, self.document.memories().len()),
            (Table::Relationships, self.document.relationships().len()),
        ];
        tables.into_iter().flat_map(|(table, count)| {
            (0..count).step_by(BATCH).map(move |start| Part { table, rows: start..count.min(start + BATCH) })
        })
    }

    /// Brings some rows, unless that was done.
    async fn bring(&self, graph: &Graph, part: Part) -> Result<Report, GraphError> {
        let (document, begun) = (Arc::clone(&self.document), self.begun.clone());
        // Rows are read before anybody waits for the graph.
        let rows = part.read(&document, begun.now);
        graph
            .write(move |writing| {
                let step = format!("{} from {}", part.table, part.rows.start);
                writing.once(&begun.run, &step, |writing| Ok(rows.bring(part, &begun, writing)))
            })
            .await
    }
}

/// Rows that were read, or why they cannot be.
enum Rows {
    Memories(Vec<Result<Memory, GraphError>>),
    Relationships(Vec<Result<Relationship, GraphError>>),
}

impl Part {
    fn read(&self, document: &Document, now: Moment) -> Rows {
        match self.table {
            Table::Memories => {
                let sound = json!({ "type": "fix", "title": "T", "content": "C" });
                let rows = document.memories()[self.rows.clone()].iter().map(|row| {
                    let draft: MemoryDraft =
                        BadRow::or_read(row.get(), &sound).map_err(GraphError::BadRow)?;
                    draft.check(now)
                });
                Rows::Memories(rows.collect())
            }
            Table::Relationships => {
                let sound = json!({ "from_memory_id": "a", "to_memory_id": "b", "type": "SOLVES" });
                let rows = document.relationships()[self.rows.clone()].iter().map(|row| {
                    let draft: RelationshipDraft =
                        BadRow::or_read(row.get(), &sound).map_err(GraphError::BadRow)?;
                    draft.check(now)
                });
                Rows::Relationships(rows.collect())
            }
        }
    }
}

impl Rows {
    fn bring(self, part: Part, begun: &Begun, writing: &mut Writing<'_>) -> Report {
        let mut report = Report::default();
        let numbers = part.rows.map(|place| place + 1);
        match self {
            Self::Memories(rows) => {
                for (row, memory) in numbers.zip(rows) {
                    let admitted =
                        memory.and_then(|memory| writing.admit_memory(Arc::new(memory), begun.on_duplicate));
                    report.note(part.table, row, admitted);
                }
            }
            Self::Relationships(rows) => {
                for (row, relationship) in numbers.zip(rows) {
                    let admitted = relationship.and_then(|relationship| {
                        writing.admit_relationship(relationship, begun.on_duplicate, begun.now)
                    });
                    report.note(part.table, row, admitted);
                }
            }
        }
        report
    }
}

fn refuse_duplicates(graph: &Graph, ids: &[MemoryId]) -> Result<(), GraphError> {
    let there = |id: &MemoryId| graph.read(|tables| tables.slot(id).is_some());
    let mut rows = ids.iter().enumerate().filter(|(_, id)| there(id)).map(|(index, _)| index);
    let Some(index) = rows.next() else { return Ok(()) };
    let refusal = Refusal::AlreadyThere { id: ids[index].clone(), row: index + 1, others: rows.count() };
    Err(GraphError::Refused(refusal))
}

#[cfg(test)]
mod tests;
