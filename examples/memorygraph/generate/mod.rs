//! Documents of invented memories, the same for the same seed, to try the graph with.
//!
//! What comes out is text of the import format, so that it takes the way of any document. Relationships lead from a
//! newer memory to an older one, most of them within a topic; every fiftieth memory begins a chain of six, for depth,
//! and one in a hundred is a hub that many others refer to.

mod dice;
mod phrases;

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;

use crate::import::FORMAT_VERSION;
use crate::model::{MemoryId, MemoryType, Moment, RelationshipType};
use dice::Dice;
use phrases::{PLACES, TOPICS, Topic};

const CHAIN_EVERY: usize = 50;
const CHAIN_LENGTH: usize = 6;
const HUB_EVERY: usize = 100;
/// How far back within its topic a memory relates.
const NEARBY: usize = 60;
/// The memories of a document are spread over so many days.
const DAYS: f64 = 300.0;

/// How often each type occurs, in hundredths.
const TYPES: &[(MemoryType, usize)] = &[
    (MemoryType::Solution, 18),
    (MemoryType::Problem, 16),
    (MemoryType::Error, 14),
    (MemoryType::Fix, 14),
    (MemoryType::CodePattern, 8),
    (MemoryType::Task, 6),
    (MemoryType::General, 5),
    (MemoryType::Technology, 4),
    (MemoryType::Command, 4),
    (MemoryType::FileContext, 4),
    (MemoryType::Workflow, 4),
    (MemoryType::Project, 2),
    (MemoryType::Conversation, 1),
];

/// What a document shall hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) memories: usize,
    /// At most; fewer if so few memories have not so many ways to relate.
    pub(crate) relationships: usize,
    pub(crate) seed: u64,
}

#[derive(Serialize)]
struct Document {
    format_version: &'static str,
    memory_count: usize,
    relationship_count: usize,
    memories: Vec<Memory>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct Memory {
    id: MemoryId,
    #[serde(rename = "type")]
    kind: MemoryType,
    title: String,
    content: String,
    tags: [&'static str; 2],
    importance: f64,
    confidence: f64,
    created_at: Moment,
    context: Context,
    #[serde(skip)]
    topic: usize,
}

#[derive(Serialize)]
struct Context {
    project_path: String,
}

#[derive(Serialize)]
struct Relationship {
    from_memory_id: MemoryId,
    to_memory_id: MemoryId,
    #[serde(rename = "type")]
    kind: RelationshipType,
    properties: Properties,
}

#[derive(Serialize)]
struct Properties {
    strength: f64,
    confidence: f64,
    evidence_count: usize,
}

impl Sample {
    /// The document's text.
    pub(crate) fn document(self) -> Result<String, serde_json::Error> {
        let mut dice = Dice::new(self.seed);
        let memories: Vec<Memory> = (0..self.memories).map(|index| self.memory(index, &mut dice)).collect();
        let relationships = Relating::of(&memories, self.relationships, &mut dice).relate();
        serde_json::to_string(&Document {
            format_version: FORMAT_VERSION,
            memory_count: memories.len(),
            relationship_count: relationships.len(),
            memories,
            relationships,
        })
    }

    fn memory(self, index: usize, dice: &mut Dice) -> Memory {
        let topic = dice.below(TOPICS.len());
        let place = *dice.pick(PLACES);
        let kind =
            if index.is_multiple_of(HUB_EVERY) { MemoryType::Technology } else { *dice.weighted(TYPES) };
        let id = uuid::Builder::from_random_bytes(dice.bytes()).into_uuid();
        let age = DAYS * (1.0 - index as f64 / self.memories as f64);
        Memory {
            id: id.to_string().as_str().into(),
            kind,
            title: TOPICS[topic].title(kind, place, dice),
            content: TOPICS[topic].content(place, dice),
            tags: [TOPICS[topic].name, place],
            importance: dice.hundredths(10..=100),
            confidence: 0.8,
            created_at: newest().earlier_by(Duration::from_secs((age * 86_400.0) as u64)),
            context: Context { project_path: format!("/srv/{place}") },
            topic,
        }
    }
}

/// Documents are dated back from a fixed day, so that they do not depend on the clock.
fn newest() -> Moment {
    // The text is a time, as the tests show; were it none, the documents would be dated now.
    "2026-01-01T00:00:00Z".parse().unwrap_or_else(|_| Moment::now())
}

/// Relationships in the making.
struct Relating<'a> {
    memories: &'a [Memory],
    /// The memories of each topic, in order.
    by_topic: Vec<Vec<usize>>,
    /// The place of each memory among those of its topic.
    rank: Vec<usize>,
    wanted: usize,
    dice: &'a mut Dice,
    seen: HashSet<(usize, usize)>,
    relationships: Vec<Relationship>,
}

impl<'a> Relating<'a> {
    fn of(memories: &'a [Memory], wanted: usize, dice: &'a mut Dice) -> Self {
        let mut by_topic = vec![Vec::new(); TOPICS.len()];
        let mut rank = Vec::with_capacity(memories.len());
        for (index, memory) in memories.iter().enumerate() {
            rank.push(by_topic[memory.topic].len());
            by_topic[memory.topic].push(index);
        }
        let relationships = Vec::with_capacity(wanted);
        Self { memories, by_topic, rank, wanted, dice, seen: HashSet::with_capacity(wanted), relationships }
    }

    fn relate(mut self) -> Vec<Relationship> {
        let count = self.memories.len();
        for start in (CHAIN_EVERY..count).step_by(CHAIN_EVERY) {
            let links = (start + 1..count).take(CHAIN_LENGTH);
            links.for_each(|newer| self.add(newer, newer - 1, Some(RelationshipType::LeadsTo)));
        }
        // Two memories relate at most once, and there may be too few for all that are wanted.
        let attempts = if count < 2 { 0 } else { self.wanted * 20 };
        for _ in 0..attempts {
            if self.relationships.len() == self.wanted {
                break;
            }
            let newer = 1 + self.dice.below(count - 1);
            let older = self.older_than(newer);
            self.add(newer, older, None);
        }
        self.relationships
    }

    fn older_than(&mut self, newer: usize) -> usize {
        let (topic, rank) = (&self.by_topic[self.memories[newer].topic], self.rank[newer]);
        match self.dice.below(10) {
            0 => self.dice.below(newer.div_ceil(HUB_EVERY)) * HUB_EVERY,
            1..8 if rank > 0 => topic[rank - 1 - self.dice.below(rank.min(NEARBY))],
            _ => self.dice.below(newer),
        }
    }

    fn add(&mut self, newer: usize, older: usize, kind: Option<RelationshipType>) {
        if self.relationships.len() == self.wanted || !self.seen.insert((newer, older)) {
            return;
        }
        let (from, to) = (&self.memories[newer], &self.memories[older]);
        self.relationships.push(Relationship {
            from_memory_id: from.id.clone(),
            to_memory_id: to.id.clone(),
            kind: kind.unwrap_or_else(|| usual_between(from.kind, to.kind, self.dice)),
            properties: Properties {
                strength: self.dice.hundredths(30..=100),
                confidence: self.dice.hundredths(50..=100),
                evidence_count: 1 + self.dice.below(5),
            },
        });
    }
}

/// How a memory of one type mostly relates to one of another.
fn usual_between(from: MemoryType, to: MemoryType, dice: &mut Dice) -> RelationshipType {
    use MemoryType::{CodePattern, Error, Fix, Problem, Project, Solution, Task, Technology};
    use RelationshipType as R;
    match (from, to) {
        (Solution, Problem) => R::Solves,
        (Fix, Error | Problem) => R::Addresses,
        (Error, Problem) => R::Causes,
        (Problem, Error) => R::LeadsTo,
        (Task, Task) => R::DependsOn,
        (CodePattern, CodePattern) => R::Improves,
        (Solution, Solution) => R::BuildsOn,
        (Technology, Technology) => R::WorksWith,
        (Problem | Error, Technology | Project) => R::OccursIn,
        (_, Technology) => R::Requires,
        (_, Project) => R::AppliesTo,
        _ => {
            *dice.pick(&[R::RelatedTo, R::SimilarTo, R::Follows, R::Confirms, R::Generalizes, R::ValidatedBy])
        }
    }
}

impl Topic {
    fn title(&self, kind: MemoryType, place: &str, dice: &mut Dice) -> String {
        let (thing, trouble, cure) =
            (dice.pick(self.things), dice.pick(self.troubles), dice.pick(self.cures));
        let title = match kind {
            MemoryType::Problem => format!("{trouble} in {place}"),
            MemoryType::Error => format!("{place} reports {trouble}"),
            MemoryType::Solution => format!("{cure} against {trouble}"),
            MemoryType::Fix => format!("{cure} in {place}"),
            MemoryType::Task => format!("look into {trouble} in {place}"),
            MemoryType::CodePattern => format!("pattern: {cure}"),
            MemoryType::Technology => format!("{thing} at {place}"),
            MemoryType::Command => format!("how to inspect the {thing} of {place}"),
            MemoryType::FileContext => format!("where {place} sets up its {thing}"),
            MemoryType::Workflow => format!("how {place} releases its {thing}"),
            MemoryType::Project => format!("{place} and its {thing}"),
            MemoryType::General => format!("notes on the {thing} of {place}"),
            MemoryType::Conversation => format!("talk about {trouble}"),
        };
        let mut letters = title.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    fn content(&self, place: &str, dice: &mut Dice) -> String {
        let sentences = 2 + dice.below(3);
        let mut content = String::new();
        for _ in 0..sentences {
            if !content.is_empty() {
                content.push(' ');
            }
            let (thing, trouble, cure) =
                (dice.pick(self.things), dice.pick(self.troubles), dice.pick(self.cures));
            let when = dice.pick(phrases::OCCASIONS);
            let sentence = match dice.below(5) {
                0 => format!("We saw {trouble} in {place} {when}."),
                1 => format!("The {thing} of {place} behaved differently {when}."),
                2 => format!("What helped was to {cure}."),
                3 => format!("Before it came to {trouble}, nobody had looked at the {thing}."),
                _ => format!("The team of {place} decided to {cure} {when}."),
            };
            content.push_str(&sentence);
        }
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::now;
    use crate::graph::{Graph, OnDuplicate, Size};
    use crate::import;
    use crate::store::Place;
    use mcp_runtime::Context;

    const SMALL: Sample = Sample { memories: 1000, relationships: 2000, seed: 7 };

    #[test]
    fn the_same_seed_gives_the_same_document() {
        let text = |sample: Sample| sample.document().expect("serializes");
        assert_eq!(text(SMALL), text(SMALL));
        assert_ne!(text(SMALL), text(Sample { seed: 8, ..SMALL }));
    }

    #[test]
    fn every_row_of_it_can_be_imported() {
        let (graph, report) = imported(&SMALL.document().expect("serializes"));
        assert_eq!(report.errors, []);
        assert_eq!(graph.size(), Size { memories: 1000, relationships: 2000 });
    }

    fn imported(text: &str) -> (Graph, import::Report) {
        let graph = Graph::open(Place::Nowhere).expect("memory is there");
        let document = import::Document::parse(text).expect("a sound document");
        let report = now(import::run(&graph, document, OnDuplicate::Error, &Context::detached()));
        (graph, report.expect("all are new"))
    }

    #[test]
    fn it_has_chains_and_hubs() {
        let text = SMALL.document().expect("serializes");
        let (graph, _) = imported(&text);
        let ids: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        let degree = |row: usize| {
            let id = ids["memories"][row]["id"].as_str().expect("an id").into();
            graph.neighbours(&id, Moment::now()).expect("is there").len()
        };
        assert!(degree(0) > 20, "the first hub has {} relationships", degree(0));
        let leads =
            ids["relationships"].as_array().expect("a list").iter().filter(|row| row["type"] == "LEADS_TO");
        assert!(leads.count() >= 19 * CHAIN_LENGTH);
    }

    #[test]
    fn so_few_memories_have_only_so_many_relationships() {
        for (memories, relationships) in [(0, 0), (1, 0), (2, 1), (3, 3)] {
            let text = Sample { memories, relationships: 100, seed: 1 }.document().expect("serializes");
            let document: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
            assert_eq!(document["relationship_count"], relationships, "of {memories} memories");
        }
    }

    #[test]
    fn documents_are_dated_back_from_a_fixed_day() {
        assert_eq!(newest().to_string(), "2026-01-01T00:00:00Z");
    }
}
