//! Whole documents: brought in, and given out.

use std::path::PathBuf;

use mcp_runtime::ServerHandle;
use mcp_runtime::prelude::*;

use super::export::Export;
use crate::blocking::blocking;
use crate::conversation;
use crate::error::GraphError;
use crate::export::Exported;
use crate::export::Selection;
use crate::files::Files;
use crate::graph::{Graph, OnDuplicate};
use crate::import::{self, Document, Report};
use crate::model::MemoryId;
use crate::resources;

/// Import an export of format 2.0. Rows that are wrong are left out and reported.
#[tool(task(retries = 100))]
pub(crate) async fn import_memories(
    /// The export: an object, or its text. Give this or `file`.
    data: Option<Export>,
    /// The path of a file that holds it.
    file: Option<PathBuf>,
    /// What to do with a row that is already there.
    #[arg(default = OnDuplicate::Skip, rename = "onDuplicate")]
    on_duplicate: OnDuplicate,
    graph: State<Graph>,
    files: State<Files>,
    server: State<ServerHandle>,
    cx: Context,
) -> Result<Worded<Report>, ToolError> {
    let document = match (data, file) {
        (Some(export), None) => blocking(move || export.read()).await?,
        (None, Some(path)) => {
            let path = files.existing(&path)?;
            blocking(move || Document::open(&path)).await?
        }
        _ => return Err(GraphError::OneSource.into()),
    };
    let report = import::run(&graph, document, on_duplicate, &cx).await?;
    resources::changed::<MemoryId>(&server, []);
    Ok(Worded(report))
}

/// Import a chat: each message becomes a memory that FOLLOWS the one before. What was imported before is left out.
#[tool(task(retries = 100), idempotent, destructive = false)]
pub(crate) async fn import_conversation(
    /// JSON lines of messages with `role` and `content`, or an export of Claude or ChatGPT. Give this or `file`.
    data: Option<String>,
    /// The path of a file that holds it.
    file: Option<PathBuf>,
    /// The project that it belongs to.
    project_path: Option<String>,
    graph: State<Graph>,
    files: State<Files>,
    server: State<ServerHandle>,
    cx: Context,
) -> Result<Worded<Report>, ToolError> {
    let file = file.map(|path| files.existing(&path)).transpose()?;
    let read = move || {
        let text = match (data, file) {
            (Some(data), None) => data,
            (None, Some(path)) => import::read(&path)?,
            _ => return Err(GraphError::OneSource),
        };
        conversation::document(&text, project_path.as_deref())
    };
    let document = blocking(read).await?;
    let report = import::run(&graph, document, OnDuplicate::Skip, &cx).await?;
    resources::changed::<MemoryId>(&server, []);
    Ok(Worded(report))
}

/// Export memories and their relationships in format 2.0, into a file or into the answer.
#[tool(task(retries = 10), idempotent, destructive = false)]
pub(crate) async fn export_memories(
    /// The path of the file to write; without it the export is in the answer.
    file: Option<PathBuf>,
    /// Only memories of this project, and relationships among them.
    project_path: Option<String>,
    graph: State<Graph>,
    files: State<Files>,
) -> Result<Worded<Exported>, ToolError> {
    let file = file.map(|path| files.writable(&path)).transpose()?;
    let selection = Selection { project_path };
    let exported = blocking(move || selection.export(&graph, file.as_deref())).await?;
    Ok(Worded(exported))
}
