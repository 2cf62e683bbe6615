//! What fades, what goes, and what is summarised.

use std::time::Duration;

use super::*;
use crate::graph::tests::now;
use crate::model::{MemoryDraft, Object};
use crate::store::Place;

const DAY: Duration = Duration::from_secs(86_400);

fn days_ago(days: u32) -> Moment {
    Moment::now().earlier_by(DAY * days)
}

fn draft(id: &str, kind: MemoryType, days: u32) -> MemoryDraft {
    let draft = MemoryDraft::new(kind, "Redis timeout", "Under load.");
    let (id, at) = (Some(id.into()), Some(days_ago(days)));
    MemoryDraft { id, importance: Some(0.5), created_at: at, ..draft }
}

fn graph(drafts: Vec<MemoryDraft>) -> Graph {
    let graph = Graph::open(Place::Nowhere).expect("nothing to open");
    for draft in drafts {
        now(graph.store(draft)).expect("a sound draft");
    }
    graph
}

fn carry_out(graph: &Graph, steps: &[CurationStep]) -> Counts {
    let plan = Plan::of(graph, steps, None);
    now(graph.write(move |writing| make(&plan.changes, plan.now, writing))).expect("can be done")
}

fn importance(graph: &Graph, id: &str) -> f64 {
    graph.get(&id.into()).expect("is there").importance.get()
}

#[test]
fn what_is_not_used_fades_by_its_kind() {
    let kinds = [("a", MemoryType::General), ("b", MemoryType::Error), ("c", MemoryType::Solution)];
    let graph = graph(kinds.map(|(id, kind)| draft(id, kind, 30)).to_vec());
    assert_eq!(carry_out(&graph, &[CurationStep::Decay]).faded, 3);
    for (id, lasting) in [("a", 1.0), ("b", 0.5), ("c", 0.8)] {
        let expected = 0.5 * 0.99_f64.powf(30.0 / lasting);
        assert!((importance(&graph, id) - expected).abs() < 1e-4, "{id}");
    }
}

#[test]
fn fading_twice_is_fading_once() {
    let graph = graph(vec![draft("a", MemoryType::General, 30)]);
    carry_out(&graph, &[CurationStep::Decay]);
    let once = importance(&graph, "a");
    assert_eq!(carry_out(&graph, &[CurationStep::Decay]), Counts::default());
    assert!((importance(&graph, "a") - once).abs() < 1e-9);
}

#[test]
fn what_was_read_lately_or_is_pinned_does_not_fade() {
    let read = MemoryDraft { last_accessed: Some(days_ago(0)), ..draft("a", MemoryType::General, 30) };
    let pinned = MemoryDraft { pinned: Some(true), ..draft("b", MemoryType::General, 3000) };
    let graph = graph(vec![read, pinned]);
    assert_eq!(carry_out(&graph, &[CurationStep::Decay, CurationStep::Cleanup]), Counts::default());
}

#[test]
fn what_has_faded_goes_out_of_the_way_and_after_90_days_away() {
    let archived = |days| Some(days_ago(days));
    let graph = graph(vec![
        draft("a", MemoryType::General, 400),
        MemoryDraft { archived_at: archived(91), ..draft("b", MemoryType::General, 400) },
        MemoryDraft { archived_at: archived(89), ..draft("c", MemoryType::General, 400) },
    ]);
    let done = carry_out(&graph, &[CurationStep::Decay, CurationStep::Cleanup]);
    assert_eq!(done, Counts { archived: 1, deleted: 1, ..Counts::default() });
    assert!(graph.get(&"a".into()).expect("is kept").archived_at.is_some());
    assert!(graph.get(&"b".into()).is_err());
    assert!(graph.get(&"c".into()).is_ok());
}

#[test]
fn a_long_memory_is_summarised_by_its_own_sentences() {
    let content = "The pool of connections was exhausted. ".to_owned() + &"Nothing was found. ".repeat(40);
    let long = MemoryDraft { content, ..draft("a", MemoryType::General, 0) };
    let graph = graph(vec![long]);
    assert_eq!(carry_out(&graph, &[CurationStep::Summarise]).summarised, 1);
    let summary = graph.get(&"a".into()).expect("is there").summary.clone().expect("has one");
    assert!(summary.starts_with("Extract: The pool of connections was exhausted."), "{summary}");
    assert_eq!(carry_out(&graph, &[CurationStep::Summarise]), Counts::default());
}

#[test]
fn what_has_changed_in_the_meantime_is_left_alone() {
    let graph = graph(vec![draft("a", MemoryType::General, 30)]);
    let plan = Plan::of(&graph, &[CurationStep::Decay], None);
    let change = MemoryChange { title: Some("Another".to_owned()), ..MemoryChange::default() };
    now(graph.update("a".into(), change)).expect("is there");
    let done = now(graph.write(move |writing| make(&plan.changes, plan.now, writing))).expect("can be done");
    assert_eq!(done, Counts { skipped: 1, ..Counts::default() });
}

#[test]
fn only_the_project_that_is_asked_for_is_curated() {
    let context: Object = [("project_path".to_owned(), "/a".into())].into_iter().collect();
    let graph = graph(vec![
        MemoryDraft { context: Some(context), ..draft("a", MemoryType::General, 30) },
        draft("b", MemoryType::General, 30),
    ]);
    let plan = Plan::of(&graph, &[CurationStep::Decay], Some("/a"));
    assert_eq!(plan.changes.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(), ["a"]);
}
