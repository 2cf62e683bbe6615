//! The tools: what an agent may ask of the graph.

// A tool is async, whether it waits or not, and takes as many arguments as an agent may give, by the names they have.
#![allow(clippy::similar_names, clippy::too_many_arguments, clippy::unused_async)]

mod answers;
mod export;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use mcp_runtime::prelude::*;
use serde_json::json;
use tokio::task::JoinSet;

use crate::error::GraphError;
use crate::graph::{Graph, OnDuplicate};
use crate::import::{Document, Import, Report};
use crate::model::{MemoryDraft, MemoryId, MemoryType, Object, RelationshipDraft, RelationshipType, Weight};
use crate::search::Query;
use crate::walk::{Filter, Walk};
use answers::{Recalled, Recollection, Related, Remembered, Stored};
use export::Export;

/// What `limit` may be at most.
const MOST_RECALLED: usize = 1000;

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
) -> Result<Stored, GraphError> {
    let importance = importance.map(Weight::get);
    let draft = MemoryDraft { summary, tags, importance, context, ..MemoryDraft::new(kind, title, content) };
    Ok(Stored { memory_id: graph.store(draft)?.id.clone() })
}

/// Get a memory, and what relates to it.
#[tool(read_only)]
pub(crate) async fn get_memory(
    memory_id: MemoryId,
    /// Whether to tell its strongest relationships.
    #[arg(default = true)]
    include_relationships: bool,
    graph: State<Graph>,
) -> Result<Remembered, GraphError> {
    let memory = graph.get(&memory_id)?;
    let neighbours = if include_relationships { graph.neighbours(&memory_id)? } else { Vec::new() };
    Ok(Remembered::new(&memory, &neighbours))
}

/// Relate one memory to another: from SOLVES to, from CAUSES to ... Saying it again counts as evidence.
#[tool(destructive = false)]
pub(crate) async fn create_relationship(
    from_memory_id: MemoryId,
    to_memory_id: MemoryId,
    relationship_type: RelationshipType,
    /// The usual for its type unless given.
    strength: Option<Weight>,
    /// The usual for its type unless given.
    confidence: Option<Weight>,
    /// Under which circumstances it holds.
    context: Option<String>,
    graph: State<Graph>,
) -> Result<Related, GraphError> {
    let draft = RelationshipDraft::new(from_memory_id, relationship_type, to_memory_id)
        .with("strength", strength.map(Weight::get))
        .with("confidence", confidence.map(Weight::get))
        .with("context", context);
    graph.relate(draft).map(|related| Related::new(&related))
}

/// Find memories that speak of a query, and those that bear on them by their relationships.
#[tool(task, read_only)]
pub(crate) async fn recall_memories(
    /// What to look for. Inflections and misspellings are found, too.
    query: String,
    /// How many relationships to follow.
    #[arg(default = 2, range(0..=6), rename = "maxDepth")]
    max_depth: usize,
    /// Whether to follow relationships at all.
    #[arg(default = true, rename = "includeRelated")]
    include_related: bool,
    /// Only relationships of these types, each type by itself.
    #[arg(rename = "relationshipTypes")]
    types: Option<Vec<RelationshipType>>,
    #[arg(default = 20, range(1..=1000))] limit: usize,
    /// Only memories of these types.
    memory_types: Option<Vec<MemoryType>>,
    /// Only memories of this project.
    project_path: Option<String>,
    /// Only memories that matter as much.
    min_importance: Option<Weight>,
    graph: State<Graph>,
    cx: Context,
) -> Result<Recollection, ToolError> {
    let types = types.unwrap_or_default();
    if types.len() > 1 {
        // All of them at once, each in a task of its own where this is a task.
        let recall = |kind: RelationshipType| {
            let arguments = json!({
                "query": query, "maxDepth": max_depth, "includeRelated": include_related, "relationshipTypes": [kind],
                "limit": MOST_RECALLED, "memory_types": memory_types, "project_path": project_path,
                "min_importance": min_importance
            });
            cx.call("recall_memories", arguments)
        };
        let mut recalls: JoinSet<_> = types.into_iter().map(recall).collect();
        let mut found = Vec::new();
        while let Some(recalled) = recalls.join_next().await {
            found.push(recalled??.json()?);
        }
        return Ok(Recollection::merged(found, limit));
    }
    let filter = Filter {
        kinds: memory_types.unwrap_or_default(),
        project_path,
        min_importance: min_importance.map_or(0.0, Weight::get),
    };
    let mut walk = Walk::begin(&graph, &query.parse::<Query>()?, if include_related { max_depth } else { 0 });
    walk = walk.along(types);
    let mut untold = limit;
    loop {
        for hit in walk.news(&filter).iter().take(untold) {
            cx.partial(Recalled::from(hit));
            untold -= 1;
        }
        let Some(step) = walk.next() else { break };
        let message = format!("Searching memories... (traversed {} nodes)", step.traversed);
        cx.progress(step.traversed, step.total, message);
        // Others get their turn, and a cancelled recall ends here.
        tokio::task::yield_now().await;
    }
    Ok(Recollection::from(walk.into_found(&filter, limit)))
}

/// Import an export of format 2.0. Rows that are wrong are left out and reported.
#[tool(task)]
pub(crate) async fn import_memories(
    /// The export: an object, or its text. Give this or `file`.
    data: Option<Export>,
    /// The path of a file that holds it.
    file: Option<PathBuf>,
    /// What to do with a row that is already there.
    #[arg(default = OnDuplicate::Skip, rename = "onDuplicate")]
    on_duplicate: OnDuplicate,
    graph: State<Graph>,
    cx: Context,
) -> Result<Report, GraphError> {
    let document = match (data, file) {
        (Some(export), None) => blocking(move || export.read()).await?,
        (None, Some(path)) => blocking(move || Document::open(&path)).await?,
        _ => return Err(GraphError::OneSource),
    };
    let mut import = Import::begin(&graph, document, on_duplicate)?;
    for step in import.by_ref() {
        let message = format!("Importing {}... ({} of {} rows)", step.table, step.done, step.total);
        cx.progress(step.done, step.total, message);
        // Others get their turn, and a cancelled import ends here, between two batches.
        tokio::task::yield_now().await;
    }
    Ok(import.into_report())
}

/// Runs what takes a while without an await where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Nobody aborts it, so that it can only have panicked.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
