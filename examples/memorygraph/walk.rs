//! Recall: from the memories that speak of a query along their relationships to those that bear on it.
//!
//! A memory that speaks of the query starts with its text score. From there every relationship that is true at the moment
//! asked for is followed, in either direction, and carries over `score * strength * 0.7`; a memory keeps the best score
//! that any path of at most the given depth brings it, and that path is why it was found.
//!
//! The best is gone on from first. Since no hop makes a score better, whatever the walk reaches next is what ranks next:
//! hits come in their order, and the walk may stop as soon as there are enough of them. It goes in small steps, so that
//! whoever drives it can tell how far it is, let others run, or stop.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use crate::graph::{Direction, Graph, Link, Match, Tables};
use crate::model::{Category, Memory, MemoryType, Moment, RelationshipType, Slot};

/// Of a score, what one hop carries over a relationship of full strength.
const CARRIED_OVER: f64 = 0.7;
/// How many memories one step goes on from.
const STEP: usize = 64;

/// A walk that is under way. Each [`step`](Self::step) gives the hits that it found.
#[derive(Debug)]
#[must_use = "a walk does nothing until it is driven"]
pub(crate) struct Walk<'g> {
    graph: &'g Graph,
    course: Course,
    /// Every way that was found, so that paths can be told.
    arrivals: Vec<Arrival>,
    /// Those to go on from, the best first.
    open: BinaryHeap<Open>,
    /// With how few hops each memory was reached so far. Of what comes later, and so with a lower score, only a shorter
    /// way leads anywhere new.
    fewest: HashMap<Slot, usize>,
    /// What the text alone gives.
    text: HashMap<Slot, f64>,
}

/// Which way a walk may take.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// Relationships that a path may have.
    pub(crate) depth: usize,
    /// What was true then is followed, as strongly as it was then.
    pub(crate) moment: Moment,
    /// Only relationships of this family.
    pub(crate) category: Option<Category>,
    pub(crate) filter: Filter,
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
}

/// A way that ends where nobody has been, or has been only by longer ones.
#[derive(Debug, Clone, Copy)]
struct Open {
    score: f64,
    /// Of equal scores, the more important memory is first; then the newer place.
    importance: f64,
    at: Slot,
    place: Place,
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        let scores = self.score.total_cmp(&other.score);
        let importance = || self.importance.total_cmp(&other.importance);
        scores.then_with(importance).then(self.at.cmp(&other.at)).then(other.place.cmp(&self.place))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Open {}

/// Which memories are wanted. Others are walked through, and not told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Any, if empty.
    pub(crate) kinds: Vec<MemoryType>,
    /// One of these, if there are any.
    pub(crate) tags: Vec<String>,
    pub(crate) project_path: Option<String>,
    pub(crate) min_importance: f64,
    /// Only those that were there then.
    pub(crate) as_of: Option<Moment>,
    /// Also those that are out of the way.
    pub(crate) archived: bool,
}

impl Filter {
    pub(crate) fn takes(&self, memory: &Memory) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&memory.kind))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| memory.tags.contains(tag)))
            && self.project_path.as_deref().is_none_or(|path| memory.project_path() == Some(path))
            && memory.importance.get() >= self.min_importance
            && self.as_of.is_none_or(|moment| memory.created_at <= moment)
            && (self.archived || memory.archived_at.is_none())
    }
}

/// A memory that was found, and why.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) slot: Slot,
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

impl<'g> Walk<'g> {
    /// Begins at the memories that speak of the query.
    pub(crate) fn begin(graph: &'g Graph, seeds: Vec<Match>, course: Course) -> Self {
        let (arrivals, open) = graph.read(|tables| {
            let mut arrivals = Vec::with_capacity(seeds.len());
            let mut open = Vec::with_capacity(seeds.len());
            for Match { slot: at, score, .. } in &seeds {
                let Some(memory) = tables.at(*at) else { continue };
                let (place, importance) = (arrivals.len(), memory.importance.get());
                open.push(Open { score: *score, importance, at: *at, place });
                arrivals.push(Arrival { at: *at, score: *score, hops: 0, by: None });
            }
            (arrivals, open)
        });
        let text = seeds.iter().map(|seed| (seed.slot, seed.score)).collect();
        Self { graph, course, arrivals, open: open.into(), fewest: HashMap::new(), text }
    }

    /// How many memories the walk has reached.
    pub(crate) fn traversed(&self) -> usize {
        self.fewest.len()
    }

    /// Goes on a little, until `wanted` hits are found or there are others to let run. None is left once it is over.
    pub(crate) fn step(&mut self, wanted: usize) -> Option<Vec<Hit>> {
        if self.open.is_empty() {
            return None;
        }
        let graph = self.graph;
        Some(graph.read(|tables| {
            let mut hits = Vec::new();
            for _ in 0..STEP {
                if hits.len() == wanted {
                    break;
                }
                let Some(Open { place, .. }) = self.open.pop() else { break };
                hits.extend(self.arrive(place, tables));
            }
            hits
        }))
    }

    /// Takes the way that ends at `place`: what is there is a hit, if nobody has been there and it is wanted.
    fn arrive(&mut self, place: Place, tables: &Tables) -> Option<Hit> {
        let Arrival { at, score, hops, .. } = self.arrivals[place];
        let before = self.fewest.get(&at).copied();
        if before.is_some_and(|fewest| fewest <= hops) {
            return None;
        }
        let memory = tables.at(at)?;
        self.fewest.insert(at, hops);
        if hops < self.course.depth {
            for link in tables.edges().around(at, self.course.moment) {
                self.go_on(place, score, hops + 1, link, tables);
            }
        }
        (before.is_none() && self.course.filter.takes(memory)).then(|| self.hit(place, memory, tables))
    }

    fn go_on(&mut self, from: Place, score: f64, hops: usize, link: Link, tables: &Tables) {
        let wanted = self.course.category.is_none_or(|category| link.kind.profile().category == category);
        let is_new = self.fewest.get(&link.to).is_none_or(|fewest| *fewest > hops);
        let (true, true, Some(memory)) = (wanted, is_new, tables.at(link.to)) else { return };
        let score = score * link.strength * CARRIED_OVER;
        let place = self.arrivals.len();
        self.open.push(Open { score, importance: memory.importance.get(), at: link.to, place });
        self.arrivals.push(Arrival { at: link.to, score, hops, by: Some((from, link)) });
    }

    fn hit(&self, place: Place, memory: &Arc<Memory>, tables: &Tables) -> Hit {
        let Arrival { at, score, .. } = self.arrivals[place];
        let steps = std::iter::successors(self.arrivals[place].by, |(place, _)| self.arrivals[*place].by);
        let hop = |(from, link): (Place, Link)| {
            Some(Hop {
                from: Arc::clone(tables.at(self.arrivals[from].at)?),
                kind: link.kind,
                direction: link.direction,
                strength: link.strength,
            })
        };
        let mut path: Vec<Hop> = steps.filter_map(hop).collect();
        path.reverse();
        let text = self.text.get(&at).copied().unwrap_or_default();
        Hit { slot: at, memory: Arc::clone(memory), score, text, path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::now;
    use crate::model::{MemoryChange, MemoryDraft, MemoryId, RelationshipDraft};
    use crate::search::Query;
    use crate::store::Place;
    use RelationshipType::{Follows, RelatedTo, Solves};

    fn remember(graph: &Graph, id: &str, title: &str) {
        let draft = MemoryDraft::new(MemoryType::General, title, "Nothing else.");
        now(graph.store(MemoryDraft { id: Some(id.into()), ..draft })).expect("a sound draft");
    }

    fn relate(graph: &Graph, from: &str, kind: RelationshipType, to: &str, strength: f64) {
        let draft = RelationshipDraft::new(from.into(), kind, to.into()).with("strength", Some(strength));
        now(graph.relate(draft)).expect("a sound relationship");
    }

    /// "Redis timeout" <- Solves - "Pool" - Follows -> "Review" - Follows -> "Release"
    fn chain() -> Graph {
        let graph = Graph::open(Place::Nowhere).expect("memory is there");
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

    fn course(depth: usize) -> Course {
        Course { depth, moment: Moment::now(), category: None, filter: Filter::default() }
    }

    fn recall_along(graph: &Graph, query: &str, course: Course) -> Vec<Hit> {
        let mut query: Query = query.parse().expect("has words");
        query.words_only = true;
        let mut walk = Walk::begin(graph, graph.search(&query).best, course);
        std::iter::from_fn(|| walk.step(usize::MAX)).flatten().collect()
    }

    fn recall(graph: &Graph, query: &str, depth: usize) -> Vec<Hit> {
        recall_along(graph, query, course(depth))
    }

    fn ids(found: &[Hit]) -> Vec<&str> {
        found.iter().map(|hit| hit.memory.id.as_str()).collect()
    }

    #[test]
    fn depth_is_how_many_relationships_are_followed() {
        let graph = chain();
        for depth in 0..=4 {
            let found = recall(&graph, "redis", depth);
            assert_eq!(ids(&found), ["0", "1", "2", "3"][..=depth.min(3)], "depth {depth}");
            let depths: Vec<usize> = found.iter().map(Hit::depth).collect();
            assert_eq!(depths, [0, 1, 2, 3][..=depth.min(3)]);
        }
    }

    #[test]
    fn each_hop_carries_over_seven_tenths_of_the_strength() {
        let found = recall(&chain(), "redis", 3);
        let scores: Vec<f64> = found.iter().map(|hit| hit.score / found[0].score).collect();
        for (score, expected) in scores.iter().zip([1.0, 0.7, 0.7 * 0.35, 0.7 * 0.35 * 0.7]) {
            assert!((score - expected).abs() < 1e-6, "{scores:?}");
        }
        let texts: Vec<bool> = found.iter().map(|hit| hit.text > 0.0).collect();
        assert_eq!(texts, [true, false, false, false]);
    }

    #[test]
    fn a_hit_tells_the_way_that_led_to_it() {
        let found = recall(&chain(), "redis", 2);
        let way: Vec<_> =
            found[2].path.iter().map(|hop| (hop.from.title.as_str(), hop.kind, hop.direction)).collect();
        assert_eq!(
            way,
            [("Redis timeout", Solves, Direction::Backward), ("Pool", Follows, Direction::Forward)]
        );
        assert!(found[0].path.is_empty());
    }

    #[test]
    fn the_best_of_several_ways_counts() {
        let graph = chain();
        relate(&graph, "0", RelatedTo, "3", 0.1);
        let found = recall(&graph, "redis", 3);
        let release = found.iter().find(|hit| hit.memory.title == "Release").expect("is reached");
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
        now(graph.relate(over)).expect("was once true");
        assert!(!ids(&recall(&graph, "redis", 3)).contains(&"4"));
        let then = Course { moment: "2024-06-01T00:00:00Z".parse().expect("a moment"), ..course(3) };
        assert!(ids(&recall_along(&graph, "redis", then)).contains(&"4"), "but it was then");
    }

    #[test]
    fn a_filter_says_what_is_told_not_what_is_walked_through() {
        let graph = chain();
        let important = MemoryDraft {
            id: Some("5".into()),
            importance: Some(0.9),
            ..MemoryDraft::new(MemoryType::Fix, "Patch", "Nothing else.")
        };
        now(graph.store(important)).expect("a sound draft");
        relate(&graph, "5", Solves, "2", 1.0);
        let filter = Filter { kinds: vec![MemoryType::Fix], min_importance: 0.8, ..Filter::default() };
        let found = recall_along(&graph, "redis", Course { filter, ..course(3) });
        assert_eq!(ids(&found), ["5"]);
    }

    #[test]
    fn what_is_archived_or_was_not_there_yet_is_not_told() {
        let graph = chain();
        let long_ago =
            Filter { as_of: Some("2001-01-01T00:00:00Z".parse().expect("a moment")), ..Filter::default() };
        assert!(recall_along(&graph, "redis", Course { filter: long_ago, ..course(3) }).is_empty());
        let archive = MemoryChange { archived: Some(true), ..MemoryChange::default() };
        now(graph.update("0".into(), archive)).expect("is there");
        assert_eq!(ids(&recall(&graph, "redis", 1)), ["1"]);
        let all = Filter { archived: true, ..Filter::default() };
        assert_eq!(ids(&recall_along(&graph, "redis", Course { filter: all, ..course(1) })), ["0", "1"]);
    }

    #[test]
    fn only_relationships_of_one_family_are_followed_if_that_is_asked_for() {
        let graph = chain();
        let solutions = Course { category: Some(Category::Solution), ..course(3) };
        assert_eq!(ids(&recall_along(&graph, "redis", solutions)), ["0", "1"]);
    }

    #[test]
    fn of_equal_scores_the_more_important_is_first() {
        let graph = Graph::open(Place::Nowhere).expect("memory is there");
        for (id, importance) in [("low", 0.1), ("high", 0.9)] {
            let draft = MemoryDraft::new(MemoryType::General, "Redis", "Nothing else.");
            let draft = MemoryDraft { id: Some(id.into()), importance: Some(importance), ..draft };
            now(graph.store(draft)).expect("a sound draft");
        }
        assert_eq!(ids(&recall(&graph, "redis", 0)), ["high", "low"]);
    }

    #[test]
    fn a_walk_stops_when_enough_is_found_and_goes_on_when_more_is_wanted() {
        let graph = Graph::open(Place::Nowhere).expect("memory is there");
        remember(&graph, "hub", "Redis");
        for spoke in 0..120 {
            remember(&graph, &spoke.to_string(), "Note");
            relate(&graph, &spoke.to_string(), RelatedTo, "hub", 0.5);
        }
        let seeds = graph.search(&"redis".parse().expect("has words")).best;
        let mut walk = Walk::begin(&graph, seeds, course(2));
        assert_eq!(walk.step(3).map(|hits| hits.len()), Some(3));
        assert_eq!(walk.traversed(), 3);
        let mut found = 3;
        while let Some(hits) = walk.step(usize::MAX) {
            assert!(hits.len() <= STEP);
            found += hits.len();
        }
        assert_eq!((found, walk.traversed()), (121, 121));
    }

    #[test]
    fn hits_come_in_their_order() {
        let graph = chain();
        relate(&graph, "0", RelatedTo, "3", 0.1);
        let scores: Vec<f64> = recall(&graph, "redis", 3).iter().map(|hit| hit.score).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    }

    #[test]
    fn scores_agree_with_trying_every_path() {
        let graph = Graph::open(Place::Nowhere).expect("memory is there");
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
            let seed = found.iter().map(|hit| hit.text).fold(0.0, f64::max);
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
                let hit = found.iter().find(|hit| hit.memory.id == MemoryId::from(id.to_string().as_str()));
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
