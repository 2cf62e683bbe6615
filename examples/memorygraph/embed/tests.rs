//! What is embedded when, and what a restart costs.

use std::path::Path;

use super::*;
use crate::graph::tests::now;
use crate::model::{MemoryChange, MemoryDraft, MemoryType};
use crate::search::Mode;
use crate::search::semantic::Model;
use crate::search::semantic::tests::{Folder, tiny, tiny_merging};
use crate::store::Place;

fn open(file: &Path, model: Option<&Folder>) -> Graph {
    let model = model.map(|folder| Arc::new(Model::open(folder.path()).expect("a sound model")));
    Graph::open_with(Place::File(file), model).expect("can be opened")
}

fn store(graph: &Graph, id: &str, title: &str) {
    let draft = MemoryDraft::new(MemoryType::General, title, "zzz");
    now(graph.store(MemoryDraft { id: Some(id.into()), ..draft })).expect("a sound draft");
}

fn lacking(graph: &Graph) -> usize {
    graph.read(Tables::without_meaning)
}

fn embedded(graph: &Graph) -> usize {
    now(run(graph, &Context::detached())).expect("nothing fails")
}

/// The memories that a query finds by what it means.
fn found(graph: &Graph, query: &str) -> Vec<String> {
    let matches = graph.search(&query.parse().expect("has words"));
    assert_eq!(matches.ranking.mode, Mode::Semantic);
    let ids = matches.best.iter().filter(|found| found.why.lexical <= 0.0);
    ids.map(|found| graph.read(|tables| tables.at(found.slot).expect("is there").id.to_string())).collect()
}

#[test]
fn what_is_stored_with_a_model_is_found_by_what_it_means_from_then_on() {
    let (folder, model) = (Folder::new(), tiny());
    let file = folder.path().join("memory.db");
    let graph = open(&file, Some(&model));
    store(&graph, "a", "listen");
    assert_eq!(found(&graph, "silent"), ["a"]);
    let change = MemoryChange { title: Some("bowl".to_owned()), ..MemoryChange::default() };
    now(graph.update("a".into(), change)).expect("is there");
    assert!(found(&graph, "silent").is_empty(), "it says something else now");
    drop(graph);
    let graph = open(&file, Some(&model));
    assert_eq!((lacking(&graph), found(&graph, "blow").as_slice()), (0, ["a".to_owned()].as_slice()));
    now(graph.delete("a".into())).expect("is there");
    assert_eq!(lacking(&graph), 0);
    assert!(found(&graph, "blow").is_empty());
}

#[test]
fn what_was_there_before_the_model_is_embedded_once() {
    let (folder, model) = (Folder::new(), tiny());
    let file = folder.path().join("memory.db");
    let graph = open(&file, None);
    for number in 0..=2 * BATCH {
        store(&graph, &number.to_string(), "listen");
    }
    assert_eq!((lacking(&graph), embedded(&graph)), (0, 0), "without a model nothing is lacking");
    drop(graph);
    let graph = open(&file, Some(&model));
    assert_eq!(lacking(&graph), 2 * BATCH + 1, "opening embeds nothing");
    let ranking = graph.search(&"silent".parse().expect("has words")).ranking;
    assert_eq!(ranking.without_vector, 2 * BATCH + 1);
    assert!(ranking.to_string().ends_with("until embed_memories has run: 401."), "{ranking}");
    assert_eq!((embedded(&graph), lacking(&graph), embedded(&graph)), (2 * BATCH + 1, 0, 0));
    drop(graph);
    let graph = open(&file, Some(&model));
    assert_eq!((lacking(&graph), found(&graph, "silent").len()), (0, 2 * BATCH + 1));
}

#[test]
fn what_changed_without_the_model_or_was_embedded_by_another_lacks_a_vector() {
    let (folder, model) = (Folder::new(), tiny());
    let file = folder.path().join("memory.db");
    let graph = open(&file, Some(&model));
    store(&graph, "a", "listen");
    store(&graph, "b", "listen");
    drop(graph);
    let graph = open(&file, None);
    let change = MemoryChange { title: Some("bowl".to_owned()), ..MemoryChange::default() };
    now(graph.update("a".into(), change)).expect("is there");
    drop(graph);
    let graph = open(&file, Some(&model));
    assert_eq!((lacking(&graph), found(&graph, "silent").as_slice()), (1, ["b".to_owned()].as_slice()));
    assert_eq!(embedded(&graph), 1);
    drop(graph);
    let graph = open(&file, Some(&tiny_merging()));
    assert_eq!(lacking(&graph), 2, "another model has said nothing of them");
}

#[test]
fn what_does_not_change_the_text_costs_no_vector() {
    let (folder, model) = (Folder::new(), tiny());
    let graph = open(&folder.path().join("memory.db"), Some(&model));
    store(&graph, "a", "listen");
    let change = MemoryChange { archived: Some(true), ..MemoryChange::default() };
    now(graph.update("a".into(), change)).expect("is there");
    assert_eq!((lacking(&graph), found(&graph, "silent").as_slice()), (0, ["a".to_owned()].as_slice()));
}

#[test]
fn a_part_that_was_done_counts_once() {
    let (folder, model) = (Folder::new(), tiny());
    let file = folder.path().join("memory.db");
    let graph = open(&file, None);
    store(&graph, "a", "listen");
    drop(graph);
    let graph = open(&file, Some(&model));
    let first = now(embed(&graph, "run".to_owned(), 0)).expect("nothing fails");
    assert_eq!((first.embedded, first.any), (1, true));
    // As after a crash between what was done and the word that it was.
    let again = now(embed(&graph, "run".to_owned(), 0)).expect("nothing fails");
    assert_eq!((again.embedded, again.any), (1, false));
}
