//! Recall: from the memories that speak of a query along their relationships to those that bear on it.
//!
//! A memory that speaks of the query starts with its text score. From there a breadth-first walk follows every
//! relationship that is valid now, in either direction, and carries over `score * strength * 0.7` at each hop; a memory
//! keeps the best score that any path of at most the given depth brings it, and that path is why it was found.
//!
//! The walk goes in small steps, so that whoever drives it can tell how far it is, let others run, or stop.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::graph::{Direction, Graph, Link};
use crate::model::{Memory, MemoryType, Moment, RelationshipType, Slot};
use crate::search::Query;

/// Of a score, what one hop carries over a relationship of full strength.
const CARRIED_OVER: f64 = 0.7;
/// How many memories one step goes on from.
const STEP: usize = 50;

/// A walk that is under way: an iterator over its own progress.
#[derive(Debug)]
#[must_use = "a walk does nothing until it is driven"]
pub(crate) struct Walk<'g> {
    graph: &'g Graph,
    now: Moment,
    /// Relationships that a path may have.
    depth: usize,
    total: usize,
    /// Every arrival that was the best when it happened; never changed, so that paths stay as they were walked.
    arrivals: Vec<Arrival>,
    /// The best arrival at each memory.
    best: HashMap<Slot, Place>,
    /// What the text alone gives.
    text: HashMap<Slot, f64>,
    /// How many hops away the walk stands.
    hops: usize,
    /// The arrivals of so many hops from which the walk has yet to go on, the next one last.
    open: Vec<Place>,
    /// Those of one hop more.
    ahead: Vec<Place>,
    /// The only relationships that are followed; any, if empty.
    along: Vec<RelationshipType>,
    /// How many of the arrivals were told.
    told: usize,
}

/// The place of an arrival in the list of all.
type Place = usize;

#[derive(Debug, Clone, Copy)]
struct Arrival {
    at: Slot,
    score: f64,
    hops: usize,
    /// From where and how, unless the text alone leads there.
    by: Option<(Place, Link)>,
    /// Whether nothing arrived there before.
    is_first: bool,
}

/// How far a walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Memories that it has reached.
    pub(crate) traversed: usize,
    /// Memories that there are to reach.
    pub(crate) total: usize,
}

/// Which memories are wanted. Others are walked through, and not told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Any, if empty.
    pub(crate) kinds: Vec<MemoryType>,
    pub(crate) project_path: Option<String>,
    pub(crate) min_importance: f64,
}

impl Filter {
    fn takes(&self, memory: &Memory) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&memory.kind))
            && self.project_path.as_deref().is_none_or(|path| memory.project_path() == Some(path))
            && memory.importance.get() >= self.min_importance
    }
}

/// A memory that was found, and why.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) memory: Arc<Memory>,
    pub(crate) score: f64,
    /// The part of its score that its own text gives; 0 if it does not speak of the query.
    pub(crate) text: f64,
    /// From the memory whose text began it to this one; empty if its own did.
    pub(crate) path: Vec<Hop>,
}

impl Hit {
    /// How many relationships lie between the query and this memory.
    pub(crate) fn depth(&self) -> usize {
        self.path.len()
    }
}

/// One relationship on a path.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    pub(crate) from: Arc<Memory>,
    pub(crate) kind: RelationshipType,
    pub(crate) direction: Direction,
    pub(crate) strength: f64,
}

/// Everything that a walk found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The best of them, the best first.
    pub(crate) hits: Vec<Hit>,
    /// How many there are, those beyond the limit included.
    pub(crate) total: usize,
    /// How many memories the walk has reached.
    pub(crate) traversed: usize,
}

impl<'g> Walk<'g> {
    /// Begins at the memories that speak of `query`, to follow up to `depth` relationships from each.
    pub(crate) fn begin(graph: &'g Graph, query: &Query, depth: usize) -> Self {
        let matches = graph.search(query);
        let arrive = |at, score| Arrival { at, score, hops: 0, by: None, is_first: true };
        Self {
            graph,
            now: Moment::now(),
            depth,
            total: graph.size().memories,
            best: matches.iter().enumerate().map(|(place, found)| (found.slot, place)).collect(),
            text: matches.iter().map(|found| (found.slot, found.score)).collect(),
            hops: 0,
            open: (0..matches.len()).collect(),
            ahead: Vec::new(),
            along: Vec::new(),
            told: 0,
            arrivals: matches.into_iter().map(|found| arrive(found.slot, found.score)).collect(),
        }
    }

    /// The same, but only along relationships of these types, if there are any.
    pub(crate) fn along(mut self, types: Vec<RelationshipType>) -> Self {
        self.along = types;
        self
    }

    /// The memories that were reached since this was last asked, and that `filter` takes, as they were reached: a better way
    /// may be found later.
    pub(crate) fn news(&mut self, filter: &Filter) -> Vec<Hit> {
        let new = std::mem::replace(&mut self.told, self.arrivals.len())..self.arrivals.len();
        let new: Vec<Place> = new.filter(|place| self.arrivals[*place].is_first).collect();
        let memories = self.graph.memories(new.iter().map(|place| self.arrivals[*place].at));
        let wanted = new.into_iter().zip(memories).filter(|(_, memory)| filter.takes(memory));
        wanted.map(|(place, memory)| self.hit(place, memory)).collect()
    }

    /// The best `limit` of the memories reached so far that `filter` takes.
    pub(crate) fn into_found(self, filter: &Filter, limit: usize) -> Found {
        let places: Vec<Place> = self.best.values().copied().collect();
        let memories = self.graph.memories(places.iter().map(|place| self.arrivals[*place].at));
        let mut wanted: Vec<(Place, Arc<Memory>)> =
            places.into_iter().zip(memories).filter(|(_, memory)| filter.takes(memory)).collect();
        wanted.sort_unstable_by(|(a, memory_a), (b, memory_b)| {
            let scores = self.arrivals[*b].score.total_cmp(&self.arrivals[*a].score);
            scores.then_with(|| by_merit(memory_a, memory_b))
        });
        let total = wanted.len();
        wanted.truncate(limit);
        let hits = wanted.into_iter().map(|(place, memory)| self.hit(place, memory)).collect();
        Found { hits, total, traversed: self.best.len() }
    }

    fn hit(&self, place: Place, memory: Arc<Memory>) -> Hit {
        let Arrival { at, score, .. } = self.arrivals[place];
        let before = std::iter::successors(self.arrivals[place].by, |(place, _)| self.arrivals[*place].by);
        let (mut from, mut links): (Vec<Slot>, Vec<Link>) =
            before.map(|(place, link)| (self.arrivals[place].at, link)).unzip();
        from.reverse();
        links.reverse();
        let hop = |(from, link): (_, Link)| Hop {
            from,
            kind: link.kind,
            direction: link.direction,
            strength: link.strength,
        };
        let path = self.graph.memories(from).into_iter().zip(links).map(hop).collect();
        Hit { memory, score, text: self.text.get(&at).copied().unwrap_or_default(), path }
    }

    /// Takes note of a link from `place`, if nothing as good has led there.
    fn arrive(&mut self, place: Place, link: Link) {
        let score = self.arrivals[place].score * link.strength * CARRIED_OVER;
        let known = self.best.get(&link.to).map_or(0.0, |best| self.arrivals[*best].score);
        if score > known {
            let arrived = self.arrivals.len();
            self.arrivals.push(Arrival {
                at: link.to,
                score,
                hops: self.hops + 1,
                by: Some((place, link)),
                is_first: known == 0.0,
            });
            self.best.insert(link.to, arrived);
            self.ahead.push(arrived);
        }
    }

    /// Whether a better arrival of as few hops, or fewer, makes it idle to go on from this one. One of more hops does
    /// not, since it cannot go as far.
    fn is_overtaken(&self, place: Place) -> bool {
        let Arrival { at, hops, .. } = self.arrivals[place];
        self.best.get(&at).is_some_and(|best| *best != place && self.arrivals[*best].hops <= hops)
    }
}

impl Iterator for Walk<'_> {
    type Item = Step;

    /// Goes on from a few more memories; nothing is left to do once there are none.
    fn next(&mut self) -> Option<Step> {
        if self.open.is_empty() {
            self.hops += 1;
            self.open = std::mem::take(&mut self.ahead);
        }
        if self.open.is_empty() || self.hops >= self.depth {
            return None;
        }
        let mut places = self.open.split_off(self.open.len().saturating_sub(STEP));
        places.retain(|place| !self.is_overtaken(*place));
        let slots: Vec<Slot> = places.iter().map(|place| self.arrivals[*place].at).collect();
        let mut links: Vec<(Place, Link)> = Vec::new();
        self.graph.follow(&slots, self.now, |position, link| {
            if self.along.is_empty() || self.along.contains(&link.kind) {
                links.push((places[position], link));
            }
        });
        for (place, link) in links {
            self.arrive(place, link);
        }
        Some(Step { traversed: self.best.len(), total: self.total })
    }
}

/// Among memories of equal score: the more important first, then the newer.
fn by_merit(a: &Memory, b: &Memory) -> Ordering {
    let importance = b.importance.get().total_cmp(&a.importance.get());
    importance.then_with(|| b.created_at.cmp(&a.created_at)).then_with(|| a.id.cmp(&b.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MemoryDraft, MemoryId, RelationshipDraft};
    use RelationshipType::{Follows, RelatedTo, Solves};

    fn remember(graph: &Graph, id: &str, title: &str) {
        let draft = MemoryDraft::new(MemoryType::General, title, "Nothing else.");
        graph.store(MemoryDraft { id: Some(id.into()), ..draft }).expect("a sound draft");
    }

    fn relate(graph: &Graph, from: &str, kind: RelationshipType, to: &str, strength: f64) {
        let draft = RelationshipDraft::new(from.into(), kind, to.into()).with("strength", Some(strength));
        graph.relate(draft).expect("a sound relationship");
    }

    /// "Redis timeout" <- Solves - "Pool" - Follows -> "Review" - Follows -> "Release"
    fn chain() -> Graph {
        let graph = Graph::default();
        for (id, title) in
            [("0", "Redis timeout"), ("1", "Pool"), ("2", "Review"), ("3", "Release"), ("4", "Lunch")]
        {
            remember(&graph, id, title);
        }
        relate(&graph, "1", Solves, "0", 1.0);
        relate(&graph, "1", Follows, "2", 0.5);
        relate(&graph, "2", Follows, "3", 1.0);
        graph
    }

    fn recall(graph: &Graph, query: &str, depth: usize) -> Found {
        let mut walk = Walk::begin(graph, &query.parse().expect("has words"), depth);
        walk.by_ref().for_each(drop);
        walk.into_found(&Filter::default(), usize::MAX)
    }

    #[test]
    fn only_the_wanted_relationships_are_followed_and_each_memory_is_news_once() {
        let graph = chain();
        let mut walk = Walk::begin(&graph, &"redis".parse().expect("has words"), 3).along(vec![Solves]);
        let filter = Filter::default();
        let mut news = walk.news(&filter);
        while walk.next().is_some() {
            news.extend(walk.news(&filter));
        }
        let titles: Vec<&str> = news.iter().map(|hit| hit.memory.title.as_str()).collect();
        assert_eq!(titles, ["Redis timeout", "Pool"]);
        assert_eq!(ids(&walk.into_found(&filter, usize::MAX)), ["0", "1"]);
    }

    fn ids(found: &Found) -> Vec<&str> {
        found.hits.iter().map(|hit| hit.memory.id.as_str()).collect()
    }

    #[test]
    fn depth_is_how_many_relationships_are_followed() {
        let graph = chain();
        for depth in 0..=4 {
            let found = recall(&graph, "redis", depth);
            assert_eq!(ids(&found), ["0", "1", "2", "3"][..=depth.min(3)], "depth {depth}");
            let depths: Vec<usize> = found.hits.iter().map(Hit::depth).collect();
            assert_eq!(depths, [0, 1, 2, 3][..=depth.min(3)]);
        }
    }

    #[test]
    fn each_hop_carries_over_seven_tenths_of_the_strength() {
        let found = recall(&chain(), "redis", 3);
        let scores: Vec<f64> = found.hits.iter().map(|hit| hit.score / found.hits[0].score).collect();
        for (score, expected) in scores.iter().zip([1.0, 0.7, 0.7 * 0.35, 0.7 * 0.35 * 0.7]) {
            assert!((score - expected).abs() < 1e-6, "{scores:?}");
        }
        let texts: Vec<bool> = found.hits.iter().map(|hit| hit.text > 0.0).collect();
        assert_eq!(texts, [true, false, false, false]);
    }

    #[test]
    fn a_hit_tells_the_way_that_led_to_it() {
        let found = recall(&chain(), "redis", 2);
        let way: Vec<_> =
            found.hits[2].path.iter().map(|hop| (hop.from.title.as_str(), hop.kind, hop.direction)).collect();
        assert_eq!(
            way,
            [("Redis timeout", Solves, Direction::Backward), ("Pool", Follows, Direction::Forward)]
        );
        assert!(found.hits[0].path.is_empty());
    }

    #[test]
    fn the_best_of_several_ways_counts() {
        let graph = chain();
        relate(&graph, "0", RelatedTo, "3", 0.1);
        let found = recall(&graph, "redis", 3);
        let release = found.hits.iter().find(|hit| hit.memory.title == "Release").expect("is reached");
        assert_eq!(release.depth(), 3, "the long way is better than the weak shortcut");
        let near = recall(&graph, "redis", 1);
        assert_eq!(ids(&near), ["0", "1", "3"], "where the long way is too long, the shortcut counts");
    }

    #[test]
    fn what_is_true_no_more_is_not_followed() {
        let graph = chain();
        let over = RelationshipDraft::new("4".into(), Solves, "0".into())
            .with("valid_from", Some("2024-01-01T00:00:00Z"))
            .with("valid_until", Some("2025-01-01T00:00:00Z"));
        graph.relate(over).expect("was once true");
        assert!(!ids(&recall(&graph, "redis", 3)).contains(&"4"));
    }

    #[test]
    fn a_filter_says_what_is_told_not_what_is_walked_through() {
        let graph = chain();
        let important = MemoryDraft {
            id: Some("5".into()),
            importance: Some(0.9),
            ..MemoryDraft::new(MemoryType::Fix, "Patch", "Nothing else.")
        };
        graph.store(important).expect("a sound draft");
        relate(&graph, "5", Solves, "2", 1.0);
        let filter = Filter { kinds: vec![MemoryType::Fix], min_importance: 0.8, ..Filter::default() };
        let mut walk = Walk::begin(&graph, &"redis".parse().expect("has words"), 3);
        walk.by_ref().for_each(drop);
        let found = walk.into_found(&filter, 20);
        assert_eq!((ids(&found), found.total, found.traversed), (vec!["5"], 1, 5));
    }

    #[test]
    fn of_equal_scores_the_more_important_is_first() {
        let graph = Graph::default();
        for (id, importance) in [("low", 0.1), ("high", 0.9)] {
            let draft = MemoryDraft::new(MemoryType::General, "Redis", "Nothing else.");
            let draft = MemoryDraft { id: Some(id.into()), importance: Some(importance), ..draft };
            graph.store(draft).expect("a sound draft");
        }
        assert_eq!(ids(&recall(&graph, "redis", 0)), ["high", "low"]);
    }

    #[test]
    fn a_walk_goes_in_steps_and_counts_what_it_reached() {
        let graph = Graph::default();
        remember(&graph, "hub", "Redis");
        for spoke in 0..120 {
            remember(&graph, &spoke.to_string(), "Note");
            relate(&graph, &spoke.to_string(), RelatedTo, "hub", 0.5);
        }
        let steps: Vec<Step> = Walk::begin(&graph, &"redis".parse().expect("has words"), 2).collect();
        assert_eq!(steps.len(), 1 + 120_usize.div_ceil(STEP));
        assert!(steps.iter().all(|step| *step == Step { traversed: 121, total: 121 }));
    }

    #[test]
    fn scores_agree_with_trying_every_path() {
        let graph = Graph::default();
        let count = 30_usize;
        for id in 0..count {
            remember(&graph, &id.to_string(), if id % 10 == 0 { "Redis" } else { "Note" });
        }
        let mut links: Vec<(usize, usize, f64)> = Vec::new();
        let mut state = 11_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        while links.len() < 60 {
            let (from, to, strength) = (random(count), random(count), (1 + random(100)) as f64 / 100.0);
            if from != to
                && !links
                    .iter()
                    .any(|link| (link.0.min(link.1), link.0.max(link.1)) == (from.min(to), from.max(to)))
            {
                relate(&graph, &from.to_string(), RelatedTo, &to.to_string(), strength);
                links.push((from, to, strength));
            }
        }
        for depth in 0..=6 {
            let found = recall(&graph, "redis", depth);
            let seed = found.hits.iter().map(|hit| hit.text).fold(0.0, f64::max);
            // `expected[v]` is the best score of any path to v with at most as many hops as rounds were played.
            let mut expected: Vec<f64> = (0..count).map(|id| if id % 10 == 0 { seed } else { 0.0 }).collect();
            for _ in 0..depth {
                let before = expected.clone();
                for (from, to, strength) in &links {
                    for (from, to) in [(*from, *to), (*to, *from)] {
                        expected[to] = expected[to].max(before[from] * strength * CARRIED_OVER);
                    }
                }
            }
            for (id, expected) in expected.iter().enumerate() {
                let hit =
                    found.hits.iter().find(|hit| hit.memory.id == MemoryId::from(id.to_string().as_str()));
                let score = hit.map_or(0.0, |hit| hit.score);
                assert!(
                    (score - expected).abs() < 1e-6,
                    "depth {depth}, memory {id}: {score}, not {expected}"
                );
                if let Some(hit) = hit {
                    let told = hit.path.iter().fold(seed, |score, hop| score * hop.strength * CARRIED_OVER);
                    assert!(hit.depth() <= depth && (told - hit.score).abs() < 1e-9);
                }
            }
        }
    }
}
