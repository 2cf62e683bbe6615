//! The graph as a document of format 2.0, with everything that is known: what is imported again is the same.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::GraphError;
use crate::graph::Graph;
use crate::import::FORMAT_VERSION;
use crate::model::{Memory, Moment, Relationship};

/// Which memories are exported.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) project_path: Option<String>,
}

/// A document as it is written.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    format_version: &'static str,
    export_version: &'static str,
    export_date: Moment,
    backend_type: &'static str,
    memory_count: usize,
    relationship_count: usize,
    memories: Vec<Arc<Memory>>,
    relationships: Vec<Arc<Relationship>>,
}

/// What was exported, and where to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Exported {
    pub(crate) memory_count: usize,
    pub(crate) relationship_count: usize,
    /// The file that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The export itself, if no file was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::model::Object>")]
    pub(crate) data: Option<Document>,
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory_count, relationship_count, file, data } = self;
        write!(f, "{memory_count} memories and {relationship_count} relationships exported")?;
        match (file, data) {
            (Some(file), _) => write!(f, " to {file}."),
            // Whoever reads only words needs the export itself.
            (None, Some(data)) => write!(f, ".\n{}", serde_json::to_string(data).map_err(|_| fmt::Error)?),
            (None, None) => f.write_str("."),
        }
    }
}

impl Selection {
    /// Exports into `file`, or into the answer. It takes a while for a large graph: call it where it may block.
    pub(crate) fn export(&self, graph: &Graph, file: Option<&Path>) -> Result<Exported, GraphError> {
        let document = self.document(graph);
        let (memory_count, relationship_count) = (document.memory_count, document.relationship_count);
        let Some(path) = file else {
            return Ok(Exported { memory_count, relationship_count, file: None, data: Some(document) });
        };
        let unwritable = |source| GraphError::Unwritable { path: path.to_owned(), source };
        write(&document, path).map_err(unwritable)?;
        Ok(Exported { memory_count, relationship_count, file: Some(path.display().to_string()), data: None })
    }

    /// The graph as it is at one moment.
    fn document(&self, graph: &Graph) -> Document {
        let takes = |memory: &Memory| {
            self.project_path.as_deref().is_none_or(|project| memory.project_path() == Some(project))
        };
        let (memories, relationships) = graph.read(|tables| {
            let memories: Vec<Arc<Memory>> = tables
                .memories()
                .filter(|(_, memory)| takes(memory))
                .map(|(_, memory)| Arc::clone(memory))
                .collect();
            let within = |slot| tables.at(slot).is_some_and(|memory| takes(memory));
            let relationships: Vec<Arc<Relationship>> = tables
                .edges()
                .iter()
                .filter(|(_, edge)| within(edge.from) && within(edge.to))
                .map(|(_, edge)| Arc::clone(&edge.relationship))
                .collect();
            (memories, relationships)
        });
        Document {
            format_version: FORMAT_VERSION,
            export_version: "1.0",
            export_date: Moment::now(),
            backend_type: "sqlite",
            memory_count: memories.len(),
            relationship_count: relationships.len(),
            memories,
            relationships,
        }
    }
}

/// Writes the whole file or leaves the one that was there.
fn write(document: &Document, path: &Path) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".part");
    let draft = Path::new(&draft);
    let written = (|| {
        let mut out = BufWriter::new(File::create(draft)?);
        serde_json::to_writer_pretty(&mut out, document)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        fs::rename(draft, path)
    })();
    if written.is_err() {
        // What was begun is of no use.
        let _ = fs::remove_file(draft);
    }
    written
}
