//! The rules of the graph: what may be stored and related, and what is told of it.

use super::*;
use crate::model::{MemoryType, RelationshipType};
use RelationshipType::{Follows, SimilarTo, Solves};

/// What comes of it: nothing here waits for anything but the writer.
pub(crate) fn now<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(what)
}

/// A graph of memories that are called by these ids.
pub(crate) fn graph_of(ids: &[&str]) -> Graph {
    let graph = Graph::open(Place::Nowhere).expect("memory is there");
    for id in ids {
        let draft = MemoryDraft::new(MemoryType::General, format!("About {id}"), "Something.");
        now(graph.store(MemoryDraft { id: Some((*id).into()), ..draft })).expect("a sound draft");
    }
    graph
}

pub(crate) fn draft(from: &str, kind: RelationshipType, to: &str) -> RelationshipDraft {
    RelationshipDraft::new(from.into(), kind, to.into())
}

fn refusal(graph: &Graph, draft: RelationshipDraft) -> String {
    now(graph.relate(draft)).expect_err("the relationship should be refused").to_string()
}

#[test]
fn what_is_stored_can_be_got() {
    let graph = graph_of(&["a"]);
    let stored =
        now(graph.store(MemoryDraft::new(MemoryType::Fix, "Pool", "Reuse."))).expect("a sound draft");
    assert_eq!(graph.get(&stored.id).expect("is there"), stored);
    assert_eq!(graph.size(), Size { memories: 2, relationships: 0 });
}

#[test]
fn what_is_not_there_is_not_found() {
    let graph = graph_of(&["a"]);
    assert_eq!(graph.get(&"nope".into()).expect_err("no such").to_string(), "Memory not found: nope");
    assert_eq!(
        graph.neighbours(&"nope".into(), Moment::now()).expect_err("no such").to_string(),
        "Memory not found: nope"
    );
    assert_eq!(refusal(&graph, draft("a", Solves, "b")), "One or both memories not found: a, b");
}

#[test]
fn an_id_is_stored_once() {
    let graph = graph_of(&["a"]);
    let draft = MemoryDraft { id: Some("a".into()), ..MemoryDraft::new(MemoryType::Fix, "Another", "One.") };
    assert_eq!(now(graph.store(draft)).expect_err("taken").to_string(), "Memory already exists: a");
    assert_eq!(graph.get(&"a".into()).expect("is there").title, "About a");
}

#[test]
fn a_directed_type_never_leads_back() {
    let graph = graph_of(&["a", "b", "c", "d"]);
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "d")] {
        now(graph.relate(draft(from, Follows, to))).expect("leads on");
    }
    assert_eq!(
        refusal(&graph, draft("d", Follows, "a")),
        "Cannot create relationship d -> a: Would create a cycle in the FOLLOWS relationship graph"
    );
    now(graph.relate(draft("d", Solves, "a"))).expect("each type is a graph of its own");
    now(graph.relate(draft("a", Follows, "d"))).expect("a shortcut leads on, too");
}

#[test]
fn a_relationship_that_is_over_closes_no_circle() {
    let graph = graph_of(&["a", "b"]);
    let over = draft("a", Follows, "b")
        .with("valid_from", Some("2024-01-01T00:00:00Z"))
        .with("valid_until", Some("2025-01-01T00:00:00Z"));
    now(graph.relate(over)).expect("was once true");
    now(graph.relate(draft("b", Follows, "a"))).expect("is true now");
    let neighbours = graph.neighbours(&"a".into(), Moment::now()).expect("is there");
    assert_eq!(neighbours.len(), 1, "what is over is not current");
}

#[test]
fn a_mutual_type_may_lead_back_and_is_the_same_from_either_end() {
    let graph = graph_of(&["a", "b", "c"]);
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "a")] {
        assert!(now(graph.relate(draft(from, SimilarTo, to))).expect("mutual").new);
    }
    assert!(!now(graph.relate(draft("b", SimilarTo, "a"))).expect("mutual").new);
    assert_eq!(graph.size().relationships, 3);
}

#[test]
fn saying_it_again_is_evidence() {
    let graph = graph_of(&["a", "b"]);
    let first = now(graph.relate(draft("a", Solves, "b").with("confidence", Some(0.4)))).expect("sound");
    let second = now(graph.relate(draft("a", Solves, "b").with("strength", Some(0.3)))).expect("sound");
    assert!(first.new && !second.new);
    assert_eq!(first.relationship.id, second.relationship.id);
    let properties = &second.relationship.properties;
    assert_eq!(
        (properties.evidence_count, properties.strength.get(), properties.confidence.get()),
        (2, 0.3, 0.4)
    );
    assert_eq!(graph.size().relationships, 1);
}

#[test]
fn neighbours_are_told_from_either_end_the_strongest_first() {
    let graph = graph_of(&["a", "b", "c"]);
    now(graph.relate(draft("a", Solves, "b").with("strength", Some(0.4)))).expect("sound");
    now(graph.relate(draft("c", Solves, "a").with("strength", Some(0.6)))).expect("sound");
    let told: Vec<_> = graph
        .neighbours(&"a".into(), Moment::now())
        .expect("is there")
        .iter()
        .map(|neighbour| (neighbour.memory.id.to_string(), neighbour.direction))
        .collect();
    assert_eq!(told, [("c".to_owned(), Direction::Backward), ("b".to_owned(), Direction::Forward)]);
}

#[test]
fn the_search_for_a_circle_agrees_with_the_plain_one() {
    let ids: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    let graph = graph_of(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let mut reaches = [[false; 12]; 12];
    let mut state = 7_u64;
    for _ in 0..300 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (from, to) = ((state >> 33) as usize % 12, (state >> 45) as usize % 12);
        let related = now(graph.relate(draft(&ids[from], Follows, &ids[to])));
        assert_eq!(related.is_err(), from == to || reaches[to][from], "{from} -> {to}");
        if related.is_ok() {
            let mut beyond = reaches[to];
            beyond[to] = true;
            for start in (0..12).filter(|start| *start == from || reaches[*start][from]).collect::<Vec<_>>() {
                reaches[start].iter_mut().zip(beyond).for_each(|(reached, beyond)| *reached |= beyond);
            }
        }
    }
}

#[test]
fn what_is_deleted_is_gone_with_its_relationships() {
    let graph = graph_of(&["a", "b", "c"]);
    for (from, to) in [("a", "b"), ("b", "c"), ("a", "c")] {
        now(graph.relate(draft(from, Follows, to))).expect("leads on");
    }
    assert_eq!(now(graph.delete("b".into())).expect("is there"), 2);
    assert_eq!(graph.size(), Size { memories: 2, relationships: 1 });
    assert_eq!(now(graph.delete("b".into())).expect_err("is gone").to_string(), "Memory not found: b");
    assert_eq!(graph.search(&"something".parse().expect("has words")).best.len(), 2);
    now(graph.relate(draft("c", Follows, "b"))).expect_err("there is nothing to relate to");
    let again = MemoryDraft { id: Some("b".into()), ..MemoryDraft::new(MemoryType::Fix, "B", "Again.") };
    now(graph.store(again)).expect("its name is free");
    assert!(graph.neighbours(&"b".into(), Moment::now()).expect("is there").is_empty());
}

#[test]
fn many_tasks_may_read_while_one_writes() {
    let graph = graph_of(&["a"]);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..200 {
                let draft = MemoryDraft::new(MemoryType::General, format!("Redis note {n}"), "Timeout.");
                now(graph.store(draft)).expect("a sound draft");
            }
        });
        let query: Query = "redis timeout".parse().expect("has words");
        let mut seen = 0;
        while !writer.is_finished() {
            let matches = graph.search(&query).best.len();
            assert!(matches >= seen, "what was found once is found again");
            seen = matches;
        }
    });
    assert_eq!(graph.size().memories, 201);
}
