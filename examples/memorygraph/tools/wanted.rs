//! Which of the memories that were found are wanted, and in which order they are told.

use std::cmp::Ordering;

use crate::graph::{Match, Tables};
use crate::model::{Memory, MemoryType, Moment, RelationshipType, Slot, Weight};
use crate::search::Why;
use crate::walk::Filter;

/// A filter, from what an agent may say.
pub(super) fn filter(
    memory_types: Option<Vec<MemoryType>>,
    tags: Option<Vec<String>>,
    project_path: Option<String>,
    min_importance: Option<Weight>,
    as_of: Option<Moment>,
) -> Filter {
    Filter {
        kinds: memory_types.unwrap_or_default(),
        // As memories have them.
        tags: tags.unwrap_or_default().iter().map(|tag| tag.trim().to_lowercase()).collect(),
        project_path,
        min_importance: min_importance.map_or(0.0, Weight::get),
        as_of,
        archived: false,
    }
}

/// What an agent wants of all that speaks of its query.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) filter: Filter,
    /// Only memories with a relationship of one of these types, if there are any.
    pub(super) relationships: Vec<RelationshipType>,
    /// When it must hold.
    pub(super) moment: Moment,
}

/// A memory that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'t> {
    pub(super) slot: Slot,
    pub(super) memory: &'t Memory,
    pub(super) score: f64,
    pub(super) why: Option<Why>,
}

/// What a search found, as it stands in the graph.
pub(super) fn candidates(
    found: impl Iterator<Item = Match>,
    tables: &Tables,
) -> impl Iterator<Item = Candidate<'_>> {
    found.filter_map(|Match { slot, score, why }| {
        Some(Candidate { slot, memory: tables.at(slot)?, score, why: Some(why) })
    })
}

impl Wanted {
    /// Some of those that are wanted, after those that are passed over, and how many there are in all. The best are first;
    /// of equals the more important, then the newer.
    pub(super) fn page<'t>(
        &self,
        found: impl Iterator<Item = Candidate<'t>>,
        tables: &'t Tables,
        passed_over: usize,
        limit: usize,
    ) -> (Vec<Candidate<'t>>, usize) {
        let relates = |slot| {
            self.relationships.is_empty()
                || tables
                    .edges()
                    .around(slot, self.moment)
                    .any(|link| self.relationships.contains(&link.kind))
        };
        let mut wanted: Vec<Candidate<'t>> =
            found.filter(|found| self.filter.takes(found.memory) && relates(found.slot)).collect();
        let total = wanted.len();
        let end = passed_over.saturating_add(limit);
        if (1..total).contains(&end) {
            wanted.select_nth_unstable_by(end - 1, in_order);
            wanted.truncate(end);
        }
        wanted.sort_unstable_by(in_order);
        (wanted.into_iter().skip(passed_over).take(limit).collect(), total)
    }
}

fn in_order(a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
    let importance = || b.memory.importance.get().total_cmp(&a.memory.importance.get());
    let age = || b.memory.created_at.cmp(&a.memory.created_at).then_with(|| a.memory.id.cmp(&b.memory.id));
    b.score.total_cmp(&a.score).then_with(importance).then_with(age)
}
