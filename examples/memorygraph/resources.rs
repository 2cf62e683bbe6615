//! What can be read at an address: a memory, what is recent, how much there is. Who subscribed hears of changes.

use std::borrow::Borrow;

use mcp_runtime::ServerHandle;
use mcp_runtime::prelude::*;

use crate::graph::Graph;
use crate::model::{MemoryId, Moment};
use crate::tools::{Remembered, activity, statistics};

const RECENT: &str = "memory://recent";
const STATS: &str = "memory://stats";
/// Days that are told at `memory://recent`.
const DAYS: u32 = 7;

/// A memory, and what relates to it.
#[resource("memory://{id}", title = "A memory", mime_type = "text/markdown")]
pub(crate) async fn memory(
    /// Its ID.
    id: String,
    graph: State<Graph>,
) -> Option<String> {
    let id = MemoryId::from(id.as_str());
    let (memory, neighbours) = (graph.get(&id).ok()?, graph.neighbours(&id, Moment::now()).ok()?);
    graph.count_access(graph.read(|tables| tables.slot(&id)).into_iter().collect());
    Some(Remembered::new(&memory, &neighbours).to_string())
}

/// What was stored in the last week.
#[resource("memory://recent", title = "Recent memories", mime_type = "text/markdown")]
pub(crate) async fn recent(graph: State<Graph>) -> String {
    graph.read(|tables| activity(tables, DAYS, None)).to_string()
}

/// How many memories and relationships there are.
#[resource("memory://stats", title = "Statistics", mime_type = "text/markdown")]
pub(crate) async fn stats(graph: State<Graph>) -> String {
    graph.read(statistics).to_string()
}

/// Tells whoever subscribed that these memories are not what they were.
pub(crate) fn changed<I: Borrow<MemoryId>>(server: &ServerHandle, ids: impl IntoIterator<Item = I>) {
    for id in ids {
        server.resource_updated(format!("memory://{}", id.borrow()));
    }
    server.resource_updated(RECENT);
    server.resource_updated(STATS);
}
