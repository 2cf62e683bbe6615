//! Finding what several terms mean, as a task; and showing the model what it does not know.

use std::collections::HashSet;

use mcp_runtime::prelude::*;

use super::answers::{Embedded, FoundMemory, Meant};
use super::cursor::Cursor;
use super::wanted::{Wanted, candidates, filter};
use crate::embed;
use crate::graph::{Graph, Tables, Together};
use crate::model::{MemoryType, Moment, RelationshipType, Slot, Weight};
use crate::search::{MatchMode, Query};

/// Find memories that speak of several things, by what these mean as far as that is known, and by their words.
#[tool(task(retries = 10), read_only)]
pub(crate) async fn semantic_search(
    /// What to look for: one thing or several, each in words or a sentence of its own.
    #[arg(length(1..=20))]
    terms: Vec<String>,
    /// Whether a memory must speak of any of the terms, or of all.
    #[arg(default = MatchMode::Any, rename = "matchMode")]
    match_mode: MatchMode,
    /// Only memories of these types.
    memory_types: Option<Vec<MemoryType>>,
    /// Only memories with one of these tags.
    tags: Option<Vec<String>>,
    /// Only memories of this project.
    project_path: Option<String>,
    /// Only memories that matter as much.
    min_importance: Option<Weight>,
    /// Only memories with a relationship of one of these types.
    relationship_filter: Option<Vec<RelationshipType>>,
    /// What was known at this time.
    #[arg(rename = "asOf")]
    as_of: Option<Moment>,
    #[arg(default = 20, range(1..=1000))] limit: usize,
    /// Where to go on: the `next_cursor` of an answer.
    cursor: Option<Cursor>,
    graph: State<Graph>,
    cx: Context,
) -> Result<Worded<Meant>, ToolError> {
    let queries = terms.iter().map(|term| term.parse()).collect::<Result<Vec<Query>, _>>()?;
    // A search that is run again, or gone on with, looks at the same moment.
    let now = cx.step("begin", async || cursor.map_or_else(Moment::now, |cursor| cursor.moment)).await?;
    let wanted = Wanted {
        filter: filter(memory_types, tags, project_path, min_importance, as_of),
        relationships: relationship_filter.unwrap_or_default(),
        moment: as_of.unwrap_or(now),
    };
    let told_before = cursor.map_or(0, |cursor| cursor.told);
    let mut told = HashSet::new();
    let mut together = Together::of(queries.len());
    for (turn, query) in (1..).zip(&queries) {
        together.add(graph.search(query));
        // What speaks of one term is among what is looked for, if one is enough; where it ranks is seen in the end.
        if match_mode == MatchMode::Any && told_before == 0 && turn < queries.len() {
            let so_far = graph.read(|tables| page(&together, match_mode, &wanted, tables, 0, limit).0);
            tell(&so_far, &mut told, &cx);
        }
        cx.progress(
            turn,
            queries.len(),
            format!("Searching memories... ({turn} of {} terms)", queries.len()),
        );
        // Others get their turn, and a cancelled search ends here; what it found until then was told.
        tokio::task::yield_now().await;
    }
    let (hits, total) = graph.read(|tables| page(&together, match_mode, &wanted, tables, told_before, limit));
    tell(&hits, &mut told, &cx);
    let end = told_before + hits.len();
    let next_cursor = (end < total && !hits.is_empty()).then_some(Cursor { moment: now, told: end });
    let (seen, memories) = hits.into_iter().unzip();
    graph.count_access(seen);
    Ok(Worded(Meant { memories, total, ranking: together.into_ranking(), next_cursor }))
}

/// So many of those that are wanted, after those that are passed over; and how many there are in all.
fn page(
    together: &Together,
    match_mode: MatchMode,
    wanted: &Wanted,
    tables: &Tables,
    passed_over: usize,
    limit: usize,
) -> (Vec<(Slot, FoundMemory)>, usize) {
    let found = candidates(together.matches(match_mode), tables);
    let (page, total) = wanted.page(found, tables, passed_over, limit);
    (page.iter().map(|found| (found.slot, FoundMemory::from(found))).collect(), total)
}

/// Tells those that were not told before.
fn tell(hits: &[(Slot, FoundMemory)], told: &mut HashSet<Slot>, cx: &Context) {
    hits.iter().filter(|(slot, _)| told.insert(*slot)).for_each(|(_, memory)| cx.partial(memory));
}

/// Give every memory a vector that has none yet, so that it is found by what it means. Those that are stored or changed
/// from now on get theirs at once.
#[tool(task(retries = 100), idempotent, destructive = false)]
pub(crate) async fn embed_memories(graph: State<Graph>, cx: Context) -> Result<Worded<Embedded>, ToolError> {
    let got_vector = embed::run(&graph, &cx).await?;
    let (memories, without_vector) = graph.read(|tables| (tables.size().memories, tables.without_meaning()));
    Ok(Worded(Embedded { got_vector, memories, without_vector }))
}
