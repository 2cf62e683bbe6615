//! Single memories: stored, got, changed, deleted.

use mcp_runtime::ServerHandle;
use mcp_runtime::prelude::*;

use super::answers::{Deleted, Remembered, Stored, Updated};
use crate::error::GraphError;
use crate::graph::Graph;
use crate::model::{MemoryChange, MemoryDraft, MemoryId, MemoryType, Moment, Object, Weight};
use crate::resources;

/// Store a memory.
#[tool(destructive = false)]
pub(crate) async fn store_memory(
    #[arg(rename = "type")] kind: MemoryType,
    /// In a few words.
    #[arg(length(1..=200))]
    title: String,
    /// All of it.
    #[arg(length(1..=50_000))]
    content: String,
    /// In a sentence or two.
    #[arg(length(..=500))]
    summary: Option<String>,
    /// Labels.
    #[arg(length(..=50))]
    tags: Option<Vec<String>>,
    /// How much it matters; 0.5 unless given.
    importance: Option<Weight>,
    /// Where it comes from: `project_path`, `languages`, `files_involved` ...
    context: Option<Object>,
    graph: State<Graph>,
    server: State<ServerHandle>,
) -> Result<Worded<Stored>, GraphError> {
    let importance = importance.map(Weight::get);
    let draft = MemoryDraft { summary, tags, importance, context, ..MemoryDraft::new(kind, title, content) };
    let memory_id = graph.store(draft).await?.id.clone();
    resources::changed(&server, [&memory_id]);
    Ok(Worded(Stored { memory_id }))
}

/// Get a memory, and what relates to it.
#[tool(read_only)]
pub(crate) async fn get_memory(
    memory_id: MemoryId,
    /// Whether to tell its strongest relationships.
    #[arg(default = true)]
    include_relationships: bool,
    /// Tell the relationships that held at this time.
    #[arg(rename = "asOf")]
    as_of: Option<Moment>,
    graph: State<Graph>,
) -> Result<Worded<Remembered>, GraphError> {
    let memory = graph.get(&memory_id)?;
    let moment = as_of.unwrap_or_else(Moment::now);
    let neighbours = if include_relationships { graph.neighbours(&memory_id, moment)? } else { Vec::new() };
    graph.count_access(graph.read(|tables| tables.slot(&memory_id)).into_iter().collect());
    Ok(Worded(Remembered::new(&memory, &neighbours)))
}

/// Change a memory. What is not given stays as it is.
#[tool(idempotent, destructive)]
pub(crate) async fn update_memory(
    memory_id: MemoryId,
    #[arg(length(1..=200))] title: Option<String>,
    #[arg(length(1..=50_000))] content: Option<String>,
    /// An empty one takes it away.
    #[arg(length(..=500))]
    summary: Option<String>,
    /// In place of those that it has.
    #[arg(length(..=50))]
    tags: Option<Vec<String>>,
    importance: Option<Weight>,
    /// In place of the one that it has.
    context: Option<Object>,
    /// Whether it never fades.
    pinned: Option<bool>,
    /// Whether it is out of the way: kept, but not found.
    archived: Option<bool>,
    graph: State<Graph>,
    server: State<ServerHandle>,
) -> Result<Worded<Updated>, GraphError> {
    let change = MemoryChange {
        title,
        content,
        summary,
        tags,
        importance,
        confidence: None,
        context,
        pinned,
        archived,
    };
    let memory = graph.update(memory_id, change).await?;
    resources::changed(&server, [&memory.id]);
    Ok(Worded(Updated { memory_id: memory.id.clone(), version: memory.version }))
}

/// Delete a memory and its relationships.
#[tool(destructive)]
pub(crate) async fn delete_memory(
    memory_id: MemoryId,
    graph: State<Graph>,
    server: State<ServerHandle>,
) -> Result<Worded<Deleted>, GraphError> {
    let relationships = graph.delete(memory_id.clone()).await?;
    resources::changed(&server, [&memory_id]);
    Ok(Worded(Deleted { memory_id, relationships }))
}
