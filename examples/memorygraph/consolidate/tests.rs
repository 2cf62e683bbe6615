//! What is taken for the same, and what becomes of it.

use super::*;
use crate::graph::Direction;
use crate::graph::tests::now;
use crate::model::MemoryDraft;
use crate::store::Place;
use RelationshipType::{DeprecatedBy, Follows, SimilarTo, Solves};

const TIMEOUT: &str = "Under load the cache answers late and clients give up after two seconds of waiting";

fn remember(graph: &Graph, id: &str, kind: MemoryType, content: &str, importance: f64) {
    let draft = MemoryDraft::new(kind, "Redis timeout", content);
    let draft = MemoryDraft { id: Some(id.into()), importance: Some(importance), ..draft };
    now(graph.store(draft)).expect("a sound draft");
}

fn relate_all(graph: &Graph, relationships: &[(&str, RelationshipType, &str)]) {
    for (from, kind, to) in relationships {
        now(graph.relate(RelationshipDraft::new((*from).into(), *kind, (*to).into()))).expect("sound");
    }
}

/// "a" and "b" say nearly the same, "c" is of another type, "d" says something else.
fn graph() -> Graph {
    let graph = Graph::open(Place::Nowhere).expect("nothing to open");
    remember(&graph, "a", MemoryType::Problem, TIMEOUT, 0.4);
    remember(&graph, "b", MemoryType::Problem, &TIMEOUT.replace("seconds", "minutes"), 0.9);
    remember(&graph, "c", MemoryType::Error, TIMEOUT, 0.5);
    remember(&graph, "d", MemoryType::Problem, "Something else altogether happened on the first of May", 0.5);
    graph
}

fn plan(graph: &Graph) -> Plan {
    Plan::of(graph, &Among::default(), 0.75)
}

fn carry_out(graph: &Graph, strategy: Strategy) -> Done {
    let plan = plan(graph);
    now(graph.write(move |writing| merge(&plan.groups, strategy, plan.now, writing))).expect("can be done")
}

/// What relates to a memory, from its point of view.
fn around(graph: &Graph, id: &str) -> Vec<(RelationshipType, Direction, String)> {
    let neighbours = graph.neighbours(&id.into(), Moment::now()).expect("is there");
    let mut told: Vec<_> = neighbours
        .iter()
        .map(|near| (near.relationship.kind, near.direction, near.memory.id.to_string()))
        .collect();
    told.sort_by_key(|(kind, _, id)| (kind.to_string(), id.clone()));
    told
}

#[test]
fn the_better_of_two_of_one_type_stays() {
    let groups = plan(&graph()).groups;
    assert_eq!(groups.len(), 1);
    assert_eq!((groups[0].keep.as_str(), groups[0].duplicates[0].id.as_str()), ("b", "a"));
    assert!(groups[0].duplicates[0].similarity > 0.75 && groups[0].duplicates[0].similarity < 1.0);
}

#[test]
fn what_is_pinned_stays() {
    let graph = graph();
    let pin = MemoryChange { pinned: Some(true), ..MemoryChange::default() };
    now(graph.update("a".into(), pin.clone())).expect("is there");
    assert_eq!(plan(&graph).groups[0].keep.as_str(), "a");
    now(graph.update("b".into(), pin)).expect("is there");
    assert!(plan(&graph).groups.is_empty(), "neither may go");
}

#[test]
fn relationships_move_to_the_one_that_stays_and_equal_ones_become_one() {
    let graph = graph();
    relate_all(&graph, &[("c", Solves, "a"), ("c", Solves, "b"), ("a", Follows, "d"), ("a", SimilarTo, "b")]);
    let done = carry_out(&graph, Strategy::Delete);
    assert_eq!(done, Done { memories: 1, moved: 1, merged: 1, skipped: 0 });
    assert!(graph.get(&"a".into()).is_err());
    let (forward, backward) = (Direction::Forward, Direction::Backward);
    let expected = [(Follows, forward, "d".to_owned()), (Solves, backward, "c".to_owned())];
    assert_eq!(around(&graph, "b"), expected);
    let solves = graph.neighbours(&"c".into(), Moment::now()).expect("is there");
    assert_eq!(solves[0].relationship.properties.evidence_count, 2);
    assert_eq!(graph.size().relationships, 2);
}

#[test]
fn what_is_archived_is_kept_and_says_what_took_its_place() {
    let graph = graph();
    relate_all(&graph, &[("c", Solves, "a")]);
    assert_eq!(carry_out(&graph, Strategy::Archive).moved, 1);
    assert!(graph.get(&"a".into()).expect("is kept").archived_at.is_some());
    assert_eq!(around(&graph, "a"), [(DeprecatedBy, Direction::Forward, "b".to_owned())]);
    assert!(plan(&graph).groups.is_empty(), "what is out of the way is no duplicate");
}

#[test]
fn what_is_linked_stays_as_it_is() {
    let graph = graph();
    relate_all(&graph, &[("c", Solves, "a")]);
    carry_out(&graph, Strategy::Link);
    let expected =
        [(SimilarTo, Direction::Forward, "b".to_owned()), (Solves, Direction::Backward, "c".to_owned())];
    assert_eq!(around(&graph, "a"), expected);
}

#[test]
fn a_relationship_that_would_lead_back_does_not_move() {
    let graph = graph();
    relate_all(&graph, &[("b", Follows, "d"), ("d", Follows, "a")]);
    let done = carry_out(&graph, Strategy::Archive);
    assert_eq!((done.memories, done.moved), (1, 0));
    assert!(around(&graph, "d").contains(&(Follows, Direction::Forward, "a".to_owned())));
}

#[test]
fn what_has_changed_in_the_meantime_is_left_alone() {
    let graph = graph();
    let plan = plan(&graph);
    now(graph.delete("b".into())).expect("is there");
    let done = now(graph.write(move |writing| merge(&plan.groups, Strategy::Delete, plan.now, writing)));
    assert_eq!(done.expect("can be done"), Done { skipped: 1, ..Done::default() });
    assert!(graph.get(&"a".into()).is_ok());
}
