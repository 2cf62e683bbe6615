//! The graph at a glance: what happened lately, and how much there is.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mcp_runtime::prelude::*;

use super::answers::{Activity, Brief, Statistics};
use crate::graph::{Direction, Graph, Tables};
use crate::model::{Memory, MemoryType, Moment, RelationshipType, Slot};

/// Memories that are told of each kind.
const RECENT: usize = 20;
const UNRESOLVED: usize = 10;

/// What was stored lately, and which problems and errors nothing solves yet.
#[tool(read_only)]
pub(crate) async fn get_recent_activity(
    #[arg(default = 7, range(1..=365))] days: u32,
    /// Only this project.
    project: Option<String>,
    graph: State<Graph>,
) -> Worded<Activity> {
    Worded(graph.read(|tables| activity(tables, days, project)))
}

/// How many memories and relationships there are.
#[tool(read_only)]
pub(crate) async fn get_memory_statistics(graph: State<Graph>) -> Worded<Statistics> {
    Worded(graph.read(statistics))
}

/// What was stored in so many days.
pub(crate) fn activity(tables: &Tables, days: u32, project: Option<String>) -> Activity {
    let now = Moment::now();
    let since = now.earlier_by(Duration::from_secs(u64::from(days) * 86_400));
    let wanted = |memory: &Memory| {
        memory.created_at >= since
            && memory.archived_at.is_none()
            && project.as_deref().is_none_or(|project| memory.project_path() == Some(project))
    };
    let mut found: Vec<(Slot, &Arc<Memory>)> =
        tables.memories().filter(|(_, memory)| wanted(memory)).collect();
    found.sort_by_key(|(_, memory)| Reverse(memory.created_at));
    let unresolved = found.iter().filter(|(slot, memory)| is_unresolved(tables, *slot, memory, now));
    Activity {
        days,
        total: found.len(),
        by_type: by_type(found.iter().map(|(_, memory)| memory.kind)),
        unresolved: unresolved.take(UNRESOLVED).map(|(_, memory)| Brief::new(memory)).collect(),
        recent: found.iter().take(RECENT).map(|(_, memory)| Brief::new(memory)).collect(),
        project,
    }
}

/// Whether a memory tells of something that nothing solves.
fn is_unresolved(tables: &Tables, slot: Slot, memory: &Memory, now: Moment) -> bool {
    use RelationshipType::{Addresses, Solves};
    matches!(memory.kind, MemoryType::Problem | MemoryType::Error)
        && !tables
            .edges()
            .around(slot, now)
            .any(|link| link.direction == Direction::Backward && matches!(link.kind, Solves | Addresses))
}

pub(crate) fn statistics(tables: &Tables) -> Statistics {
    let now = Moment::now();
    let size = tables.size();
    let memories = || tables.memories().map(|(_, memory)| memory);
    let average = |sum: f64| if size.memories == 0 { 0.0 } else { sum / size.memories as f64 };
    let mut by_category = BTreeMap::new();
    for (_, edge) in tables.edges().iter() {
        if edge.relationship.properties.is_valid_at(now) {
            *by_category.entry(edge.relationship.kind.profile().category).or_default() += 1;
        }
    }
    Statistics {
        memories: size.memories,
        relationships: size.relationships,
        archived: memories().filter(|memory| memory.archived_at.is_some()).count(),
        by_type: by_type(memories().map(|memory| memory.kind)),
        by_category,
        average_importance: average(memories().map(|memory| memory.importance.get()).sum()),
        average_confidence: average(memories().map(|memory| memory.confidence.get()).sum()),
    }
}

fn by_type(kinds: impl Iterator<Item = MemoryType>) -> BTreeMap<MemoryType, usize> {
    let mut counts = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    counts
}
