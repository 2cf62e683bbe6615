//! Finding: by words at once, and by words and relationships as a task.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use mcp_runtime::prelude::*;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::answers::{Found, FoundMemory, Recalled, Recollection};
use super::cursor::Cursor;
use super::wanted::{Candidate, Wanted, candidates, filter};
use crate::error::GraphError;
use crate::graph::{Graph, Matches};
use crate::model::{Category, MemoryId, MemoryType, Moment, RelationshipType, Slot, Weight};
use crate::search::{MatchMode, Query, Tolerance};
use crate::walk::{Course, Walk};

/// Find memories that speak of a query, and those that bear on them by their relationships.
#[tool(task(retries = 10), read_only)]
pub(crate) async fn recall_memories(
    /// What to look for. Inflections and misspellings are found, too.
    query: String,
    /// How many relationships to follow.
    #[arg(default = 2, range(0..=6), rename = "maxDepth")]
    max_depth: usize,
    /// Whether to follow relationships at all.
    #[arg(default = true, rename = "includeRelated")]
    include_related: bool,
    #[arg(default = 20, range(1..=1000))] limit: usize,
    /// Where to go on: the `next_cursor` of an answer.
    cursor: Option<Cursor>,
    /// Follow only relationships of this family.
    category: Option<Category>,
    /// Follow each family of relationships by itself, as a task of its own.
    #[arg(default = false, rename = "byCategory")]
    by_category: bool,
    /// Only memories of these types.
    memory_types: Option<Vec<MemoryType>>,
    /// Only memories with one of these tags.
    tags: Option<Vec<String>>,
    /// Only memories of this project.
    project_path: Option<String>,
    /// Only memories that matter as much.
    min_importance: Option<Weight>,
    /// What was known and true at this time.
    #[arg(rename = "asOf")]
    as_of: Option<Moment>,
    graph: State<Graph>,
    cx: Context,
) -> Result<Worded<Recollection>, ToolError> {
    let query_words: Query = query.parse()?;
    // A recall that is run again, or gone on with, looks at the same moment.
    let now = cx.step("begin", async || cursor.map_or_else(Moment::now, |cursor| cursor.moment)).await?;
    let depth = if include_related { max_depth } else { 0 };
    if by_category && category.is_none() {
        if cursor.is_some() {
            return Err(GraphError::NoPages.into());
        }
        let arguments = |category: Category| {
            json!({
                "query": query, "maxDepth": depth, "limit": limit, "category": category,
                "memory_types": memory_types, "tags": tags, "project_path": project_path,
                "min_importance": min_importance, "asOf": as_of.unwrap_or(now),
            })
        };
        return in_families(arguments, limit, &cx).await.map(Worded);
    }
    let filter = filter(memory_types, tags, project_path, min_importance, as_of);
    let course = Course { depth, moment: as_of.unwrap_or(now), category, filter };
    let Matches { best, ranking } = graph.search(&query_words);
    let mut walk = Walk::begin(&graph, best, course);
    let told_before = cursor.map_or(0, |cursor| cursor.told);
    let mut recalled = Recollection { ranking: Some(ranking), ..Recollection::default() };
    let mut seen: Vec<Slot> = Vec::new();
    let mut skipped = 0;
    let total = graph.size().memories;
    // One more than is wanted says whether there are more.
    while let Some(hits) = walk.step(told_before + limit + 1 - skipped - recalled.memories.len()) {
        for hit in hits {
            if skipped < told_before {
                skipped += 1;
            } else if recalled.memories.len() == limit {
                recalled.next_cursor = Some(Cursor { moment: now, told: told_before + limit });
            } else {
                seen.push(hit.slot);
                let memory = Recalled::from(&hit);
                cx.partial(&memory);
                recalled.memories.push(memory);
            }
        }
        let traversed = walk.traversed();
        cx.progress(traversed, total, format!("Searching memories... (traversed {traversed} nodes)"));
        if recalled.next_cursor.is_some() {
            break;
        }
        // Others get their turn, and a cancelled recall ends here; what it found until then was told.
        tokio::task::yield_now().await;
    }
    recalled.traversed = walk.traversed();
    graph.count_access(seen);
    Ok(Worded(recalled))
}

/// Recalls by each family of relationships, all at once; of what several find, the best way to it counts.
async fn in_families(
    arguments: impl Fn(Category) -> Value,
    limit: usize,
    cx: &Context,
) -> Result<Recollection, ToolError> {
    let calls = Category::ALL.map(|category| cx.call("recall_memories", arguments(category)));
    // Those that were begun go on side by side, whichever is waited for.
    let mut families: JoinSet<_> = calls.into_iter().collect();
    let mut best: HashMap<MemoryId, Recalled> = HashMap::new();
    let (mut traversed, mut done, mut ranking) = (0, 0, None);
    while let Some(family) = families.join_next().await {
        let recollection: Recollection = family??.json()?;
        traversed += recollection.traversed;
        // The same query was put to the same memories.
        ranking = recollection.ranking;
        for memory in recollection.memories {
            match best.entry(memory.brief.id.clone()) {
                Entry::Occupied(mut known) if known.get().score < memory.score => {
                    known.insert(memory);
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(new) => {
                    new.insert(memory);
                }
            }
        }
        done += 1;
        let families = Category::ALL.len();
        cx.progress(done, families, format!("Searching memories... ({done} of {families} families)"));
    }
    let mut memories: Vec<Recalled> = best.into_values().collect();
    memories.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.brief.id.cmp(&b.brief.id)));
    memories.truncate(limit);
    Ok(Recollection { memories, traversed, ranking, next_cursor: None })
}

/// Search memories by words, tags and the like, without following relationships.
#[tool(read_only)]
pub(crate) async fn search_memories(
    /// What to look for; without it and `terms`, all that the filters take, the most important first.
    query: Option<String>,
    /// Several things to look for, in place of `query`.
    terms: Option<Vec<String>>,
    /// Whether a memory must speak of any of the terms, or of all.
    #[arg(default = MatchMode::Any)]
    match_mode: MatchMode,
    /// Words to the letter and nothing else; in any inflection, misspelt or meant; or whatever is spelt much alike, too.
    #[arg(default = Tolerance::Normal)]
    search_tolerance: Tolerance,
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
    #[arg(default = 50, range(1..=1000))] limit: usize,
    #[arg(default = 0)] offset: usize,
    graph: State<Graph>,
) -> Result<Worded<Found>, GraphError> {
    let filter = filter(memory_types, tags, project_path, min_importance, as_of);
    let mut query: Option<Query> = match (terms.filter(|terms| !terms.is_empty()), query) {
        (Some(terms), _) => Some(Query::of_terms(&terms)?),
        (None, query) => query.map(|query| query.parse()).transpose()?,
    };
    if let Some(query) = &mut query {
        // Who means a word to the letter means neither its like nor its company.
        query.words_only = search_tolerance == Tolerance::Strict;
        query.match_mode = match_mode;
        query.tolerance = search_tolerance;
    }
    let wanted = Wanted {
        relationships: relationship_filter.unwrap_or_default(),
        moment: as_of.unwrap_or_else(Moment::now),
        filter,
    };
    let (found, seen) = find(query.as_ref(), &wanted, &graph, offset, limit);
    graph.count_access(seen);
    Ok(Worded(found))
}

/// What is found, of which so many are passed over, and the places of what is told.
fn find(
    query: Option<&Query>,
    wanted: &Wanted,
    graph: &Graph,
    offset: usize,
    limit: usize,
) -> (Found, Vec<Slot>) {
    let matches = query.map(|query| graph.search(query));
    graph.read(|tables| {
        let (told, total) = if let Some(matches) = &matches {
            wanted.page(candidates(matches.best.iter().copied(), tables), tables, offset, limit)
        } else {
            let all = tables.memories();
            let all = all.map(|(slot, memory)| Candidate { slot, memory, score: 0.0, why: None });
            wanted.page(all, tables, offset, limit)
        };
        let seen = told.iter().map(|told| told.slot).collect();
        let memories: Vec<FoundMemory> = told.iter().map(FoundMemory::from).collect();
        let next_offset = Some(offset + memories.len()).filter(|next| *next < total && !memories.is_empty());
        let ranking = matches.map(|matches| matches.ranking);
        (Found { memories, total, ranking, next_offset }, seen)
    })
}
