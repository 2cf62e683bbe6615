//! What is asked before memories go.

use super::*;
use crate::model::MemoryDraft;
use crate::store::Place;

async fn graph() -> State<Graph> {
    let graph = Graph::open(Place::Nowhere).expect("memory is there");
    for id in ["a", "b"] {
        let draft = MemoryDraft::new(MemoryType::Fix, "Redis timeout", "Under load the cache answers late.");
        graph.store(MemoryDraft { id: Some(id.into()), ..draft }).await.expect("a sound draft");
    }
    State::new(graph)
}

async fn consolidate(
    graph: &State<Graph>,
    strategy: Strategy,
    dry_run: bool,
    confirmed: Option<usize>,
) -> Result<Consolidated, ToolError> {
    let (server, cx) = (crate::tools::tests::nobody(), Context::detached());
    let done =
        consolidate_memories(None, strategy, dry_run, confirmed, None, None, graph.clone(), server, cx);
    done.await.map(|done| done.0)
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_done_and_does_nothing() {
    let graph = graph().await;
    let planned = consolidate(&graph, Strategy::Delete, true, None).await.expect("is only told");
    assert_eq!((planned.done, planned.group_count, planned.duplicate_count), (false, 1, 1));
    let words = planned.to_string();
    assert!(words.starts_with("Nothing was changed. 1 memory would be merged into others:"), "{words}");
    assert_eq!(graph.size().memories, 2);
}

#[tokio::test]
async fn nothing_is_deleted_that_nobody_has_agreed_to() {
    let graph = graph().await;
    let error = consolidate(&graph, Strategy::Delete, false, None).await.expect_err("nobody can be asked");
    assert_eq!(
        error.to_string(),
        "Nothing was deleted: 1 memory would go, and this client cannot be asked. Look at them with 'dryRun', then \
         say 'confirmed': 1"
    );
    consolidate(&graph, Strategy::Delete, false, Some(7)).await.expect_err("another number");
    assert_eq!(graph.size().memories, 2);
    let done = consolidate(&graph, Strategy::Delete, false, Some(1)).await.expect("is agreed to");
    assert!(done.done);
    assert_eq!(graph.size().memories, 1);
}

#[tokio::test]
async fn nobody_needs_to_agree_to_archiving() {
    let graph = graph().await;
    let done = consolidate(&graph, Strategy::Archive, false, None).await.expect("can be undone");
    assert_eq!((done.done, graph.size().memories), (true, 2));
    let again = consolidate(&graph, Strategy::Archive, false, None).await.expect("nothing to do");
    assert_eq!(again.to_string(), "No two memories say nearly the same.");
}

#[tokio::test]
async fn a_curation_answers_with_its_numbers() {
    let (graph, server, cx) = (graph().await, crate::tools::tests::nobody(), Context::detached());
    let curated = curate_memories(None, false, None, None, graph, server, cx).await.expect("can be done").0;
    assert_eq!(
        curated.to_string(),
        "Done: 0 changes: 0 faded, 0 faded and archived, 0 summarised, 0 deleted; the index learns anew."
    );
}
