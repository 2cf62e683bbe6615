//! The tools as functions, as any test may call them.

use std::path::PathBuf;

use mcp_runtime::{Server, ServerHandle};
use serde_json::{Value, json};

use super::answers::{Bulk, Found, Meant, Neighbours, Recollection, Related};
use super::*;
use crate::files::Files;
use crate::graph::{Direction, Graph, OnDuplicate};
use crate::import::Report;
use crate::model::{Category, MemoryId, MemoryType, RelationshipType, Weight};
use crate::search::{MatchMode, Tolerance};
use crate::store::Place;

fn graph() -> State<Graph> {
    State::new(Graph::open(Place::Nowhere).expect("memory is there"))
}

pub(super) fn nobody() -> State<ServerHandle> {
    State::new(ServerHandle::default())
}

fn words(Worded(answer): &Worded<impl std::fmt::Display>) -> String {
    answer.to_string()
}

async fn store(graph: &State<Graph>, kind: MemoryType, title: &str) -> MemoryId {
    let content = "Seen under load.".to_owned();
    let (graph, server) = (graph.clone(), nobody());
    let stored = store_memory(kind, title.to_owned(), content, None, None, None, None, graph, server).await;
    stored.expect("a sound memory").0.memory_id
}

async fn relate(graph: &State<Graph>, from: &MemoryId, kind: RelationshipType, to: &MemoryId) -> Related {
    let (graph, server) = (graph.clone(), nobody());
    let related = create_relationship(from.clone(), to.clone(), kind, None, None, None, graph, server).await;
    related.expect("a sound relationship").0
}

async fn recall(graph: &State<Graph>, query: &str, max_depth: usize, include_related: bool) -> Recollection {
    recall_page(graph, query, (max_depth, include_related), 20, None).await
}

async fn recall_page(
    graph: &State<Graph>,
    query: &str,
    (max_depth, include_related): (usize, bool),
    limit: usize,
    cursor: Option<super::cursor::Cursor>,
) -> Recollection {
    let query = query.to_owned();
    let (graph, cx) = (graph.clone(), Context::detached());
    recall_memories(
        query,
        max_depth,
        include_related,
        limit,
        cursor,
        None,
        false,
        None,
        None,
        None,
        None,
        None,
        graph,
        cx,
    )
    .await
    .expect("a sound query")
    .0
}

fn export() -> Value {
    json!({
        "format_version": "2.0",
        "memories": [
            { "id": "a", "type": "problem", "title": "Redis timeout", "content": "Under load." },
            { "id": "b", "type": "fix", "title": "Pool", "content": "Reuse connections." }
        ],
        "relationships": [{ "from_memory_id": "b", "to_memory_id": "a", "type": "SOLVES" }]
    })
}

async fn import(
    graph: &State<Graph>,
    data: Option<Value>,
    file: Option<PathBuf>,
) -> Result<Report, ToolError> {
    let data = data.map(|data| serde_json::from_value(data).expect("any JSON will do"));
    let files = State::new(Files::Anywhere);
    let cx = Context::detached();
    import_memories(data, file, OnDuplicate::Skip, graph.clone(), files, nobody(), cx)
        .await
        .map(|report| report.0)
}

#[tokio::test]
async fn a_stored_memory_is_recalled_with_the_way_that_led_to_it() {
    let graph = graph();
    let problem = store(&graph, MemoryType::Problem, "Redis timeout").await;
    let fix = store(&graph, MemoryType::Solution, "Pool").await;
    relate(&graph, &fix, RelationshipType::Solves, &problem).await;

    let recalled = recall(&graph, "redis tiemout", 2, true).await;
    let told = serde_json::to_value(&recalled.memories[1]).expect("serializes");
    assert_eq!(told["title"], "Pool");
    assert_eq!(told["depth"], 1);
    assert_eq!(told["text_score"], 0.0);
    assert_eq!(told["why"], "\"Redis timeout\" <-SOLVES- this");
    assert_eq!(
        told["path"],
        json!([{ "memory_id": problem, "title": "Redis timeout", "relationship_type": "SOLVES",
                 "direction": "backward", "strength": 0.9 }])
    );
    assert!(recalled.to_string().starts_with("**Found 2 relevant memories:**\n\n**1. Redis timeout** (ID: "));
    assert_eq!(graph.get(&problem).expect("is there").usage_count, 1, "it was read");
}

#[tokio::test]
async fn without_related_ones_only_those_that_speak_of_it_are_recalled() {
    let graph = graph();
    let problem = store(&graph, MemoryType::Problem, "Redis timeout").await;
    let fix = store(&graph, MemoryType::Solution, "Pool").await;
    relate(&graph, &fix, RelationshipType::Solves, &problem).await;
    let recalled = recall(&graph, "redis", 3, false).await;
    let titles: Vec<&str> = recalled.memories.iter().map(|recalled| recalled.brief.title.as_str()).collect();
    assert_eq!(titles, ["Redis timeout"]);
}

#[tokio::test]
async fn a_recall_goes_on_where_it_stopped() {
    let graph = graph();
    for number in 0..7 {
        store(&graph, MemoryType::General, &format!("Redis {number}")).await;
    }
    let whole = recall(&graph, "redis", 0, true).await;
    assert_eq!((whole.memories.len(), whole.next_cursor), (7, None));
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = recall_page(&graph, "redis", (0, true), 3, cursor).await;
        pages.push(page.memories.iter().map(|memory| memory.brief.id.clone()).collect::<Vec<_>>());
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!(
        pages.concat(),
        whole.memories.iter().map(|memory| memory.brief.id.clone()).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn each_family_of_relationships_may_be_followed_by_a_task_of_its_own() {
    let server = Server::new("memorygraph", "0");
    let graph = Graph::open(Place::Nowhere).expect("memory is there");
    let server = writing(reading(server.state(graph).state(Files::Anywhere)));
    let mut client = server.test_client().expect("nothing is wrong with it");
    client.call_tool("import_memories", json!({ "data": export() })).await.expect("is begun");
    let mut export = export();
    export["memories"] =
        json!([{ "id": "c", "type": "technology", "title": "Cache", "content": "Of pages." }]);
    export["relationships"] = json!([
        { "from_memory_id": "a", "to_memory_id": "c", "type": "OCCURS_IN" },
        { "from_memory_id": "b", "to_memory_id": "c", "type": "USED_IN" }
    ]);
    let task = client.call_tool("import_memories", json!({ "data": export })).await.expect("is begun");
    client.follow(task["taskId"].as_str().expect("a task")).await.expect("ends");
    let query = json!({ "query": "redis timeout", "byCategory": true });
    let task = client.call_tool("recall_memories", query).await.expect("is begun");
    let ended = client.follow(task["taskId"].as_str().expect("a task")).await.expect("ends");
    assert_eq!(ended["_meta"]["dev.mcp-runtime/children"]["count"], 7, "{ended}");
    let recalled = ended["result"]["structuredContent"]["memories"].as_array().expect("a list");
    let ways: Vec<_> = recalled.iter().map(|memory| (memory["id"].clone(), memory["why"].clone())).collect();
    assert_eq!(
        ways,
        [
            (json!("a"), json!("its text speaks of the query")),
            (json!("b"), json!("\"Redis timeout\" <-SOLVES- this")),
            (json!("c"), json!("\"Redis timeout\" -OCCURS_IN-> this")),
        ]
    );
}

#[tokio::test]
async fn a_relationship_that_is_not_given_a_strength_has_the_usual_of_its_type() {
    let graph = graph();
    let (a, b) = (store(&graph, MemoryType::Fix, "A").await, store(&graph, MemoryType::Error, "B").await);
    let first = relate(&graph, &a, RelationshipType::Solves, &b).await;
    assert_eq!((first.strength.get(), first.confidence.get(), first.new), (0.9, 0.8, true));
    let second = relate(&graph, &a, RelationshipType::Solves, &b).await;
    assert_eq!((second.evidence_count, second.new), (2, false));
}

#[tokio::test]
async fn many_relationships_are_made_at_once_and_those_that_cannot_be_are_told() {
    let graph = graph();
    import(&graph, Some(export()), None).await.expect("a sound export");
    let relationship = |from: &str, to: &str| json!({ "from_memory_id": from, "to_memory_id": to, "relationship_type": "SOLVES" });
    let rows = json!([relationship("b", "a"), relationship("a", "b"), relationship("a", "x")]);
    let rows = serde_json::from_value(rows).expect("sound");
    let made =
        create_relationships(rows, graph.clone(), nobody(), Context::detached()).await.expect("is done");
    let Bulk { created, observed, failed, errors } = &made.0;
    assert_eq!((*created, *observed, *failed, errors[0].row, errors[1].row), (0, 1, 2, 2, 3));
    assert_eq!(
        words(&made),
        "0 relationships created, 1 observed once more, 2 refused.\nRow 2: Cannot create relationship a -> b: Would \
         create a cycle in the SOLVES relationship graph\nRow 3: One or both memories not found: a, x"
    );
}

#[tokio::test]
async fn a_memory_is_told_with_its_relationships() {
    let graph = graph();
    import(&graph, Some(export()), None).await.expect("a sound export");
    let told = get_memory("a".into(), true, None, graph.clone()).await.expect("is there");
    assert!(
        words(&told).ends_with("Under load.\n\nRelationships (1):\n- <-SOLVES- Pool (ID: b, strength 0.90)")
    );
    let told = serde_json::to_value(&told.0).expect("serializes");
    assert_eq!(told["title"], "Redis timeout");
    assert_eq!(
        told["relationships"],
        json!([{ "type": "SOLVES", "direction": "backward", "strength": 0.9, "memory_id": "b", "title": "Pool" }])
    );
    let error = get_memory("nope".into(), true, None, graph).await.expect_err("no such memory");
    assert_eq!(error.to_string(), "Memory not found: nope");
}

#[tokio::test]
async fn a_memory_is_changed_and_deleted() {
    let graph = graph();
    let id = store(&graph, MemoryType::Fix, "Pool").await;
    let title = Some("Pool of connections".to_owned());
    let (id, graph) = (id, graph);
    let updated = update_memory(
        id.clone(),
        title,
        None,
        None,
        None,
        Some(Weight::clamped(1.0)),
        None,
        None,
        None,
        graph.clone(),
        nobody(),
    );
    assert_eq!(updated.await.expect("is there").0.version, 2);
    assert_eq!(graph.get(&id).expect("is there").title, "Pool of connections");
    let deleted = delete_memory(id.clone(), graph.clone(), nobody()).await.expect("is there");
    assert_eq!(words(&deleted), format!("Memory deleted successfully: {id} (with 0 relationships)"));
    let error = delete_memory(id.clone(), graph, nobody()).await.expect_err("is gone");
    assert_eq!(error.to_string(), format!("Memory not found: {id}"));
}

async fn search(graph: &State<Graph>, terms: &[&str], mode: MatchMode, offset: usize) -> Found {
    let terms = Some(terms.iter().map(|term| (*term).to_owned()).collect());
    search_memories(
        None,
        terms,
        mode,
        Tolerance::Normal,
        None,
        None,
        None,
        None,
        None,
        None,
        2,
        offset,
        graph.clone(),
    )
    .await
    .expect("sound")
    .0
}

#[tokio::test]
async fn a_search_is_for_any_or_all_of_its_terms_and_goes_page_by_page() {
    let graph = graph();
    for title in ["Redis timeout", "Redis pool", "Deadlock", "Timeout of a lock"] {
        store(&graph, MemoryType::General, title).await;
    }
    let any = search(&graph, &["redis", "timeout"], MatchMode::Any, 0).await;
    assert_eq!(
        (any.total, any.memories[0].brief.title.as_str(), any.next_offset),
        (3, "Redis timeout", Some(2))
    );
    let rest = search(&graph, &["redis", "timeout"], MatchMode::Any, 2).await;
    assert_eq!((rest.memories.len(), rest.next_offset), (1, None));
    let all = search(&graph, &["redis", "timeout"], MatchMode::All, 0).await;
    assert_eq!((all.total, all.memories.len()), (1, 1));
    assert_eq!(search(&graph, &[], MatchMode::Any, 0).await.total, 4, "without terms, all there are");
    assert_eq!(
        search(&graph, &["kubernetes"], MatchMode::Any, 0).await.to_string(),
        "No memories found.\n\nMode: associative."
    );
}

#[tokio::test]
async fn a_search_may_ask_for_a_kind_of_relationship() {
    let graph = graph();
    import(&graph, Some(export()), None).await.expect("a sound export");
    let solved = Some(vec![RelationshipType::Solves]);
    let found = search_memories(
        None,
        None,
        MatchMode::Any,
        Tolerance::Normal,
        Some(vec![MemoryType::Problem]),
        None,
        None,
        None,
        solved,
        None,
        50,
        0,
        graph,
    );
    assert_eq!(found.await.expect("sound").0.memories[0].brief.id.as_str(), "a");
}

#[tokio::test]
async fn what_lies_around_a_memory_is_told_with_its_path() {
    let graph = graph();
    import(&graph, Some(export()), None).await.expect("a sound export");
    let around =
        |direction| get_related_memories("a".into(), None, 2, direction, None, None, 50, graph.clone());
    let found = around(None).await.expect("is there");
    assert_eq!(
        words(&found),
        "Found 1 related memory:\n\n1. **Pool** (ID: b)\nType: fix | Importance: 0.5 | Strength: 0.90\n\
         Path: \"Redis timeout\" <-SOLVES- this"
    );
    let Neighbours { memories, total } = around(Some(Direction::Forward)).await.expect("is there").0;
    assert_eq!((memories.len(), total), (0, 0), "nothing leads on from it");
}

#[tokio::test]
async fn the_graph_is_told_at_a_glance() {
    let graph = graph();
    import(&graph, Some(export()), None).await.expect("a sound export");
    store(&graph, MemoryType::Error, "Deadlock").await;
    let activity = get_recent_activity(7, None, graph.clone()).await.0;
    assert_eq!((activity.total, activity.recent.len()), (3, 3));
    let unresolved: Vec<&str> = activity.unresolved.iter().map(|memory| memory.title.as_str()).collect();
    assert_eq!(unresolved, ["Deadlock"], "the other problem is solved");
    let statistics = get_memory_statistics(graph.clone()).await.0;
    assert_eq!((statistics.memories, statistics.relationships), (3, 1));
    assert_eq!(statistics.by_category[&Category::Solution], 1);
    let elsewhere = get_recent_activity(7, Some("/srv/none".to_owned()), graph).await.0;
    assert_eq!(elsewhere.to_string(), "0 memories in the last 7 days in /srv/none.");
}

#[tokio::test]
async fn an_export_comes_as_an_object_as_text_or_from_a_file() {
    let path = std::env::temp_dir().join(format!("memorygraph-{}.json", MemoryId::random()));
    std::fs::write(&path, export().to_string()).expect("the temporary folder can be written");
    for (data, file) in
        [(Some(export()), None), (Some(export().to_string().into()), None), (None, Some(path.clone()))]
    {
        let report = import(&graph(), data, file).await.expect("a sound export");
        assert_eq!((report.memories.imported, report.relationships.imported), (2, 1));
    }
    let error = import(&graph(), Some(export()), Some(path.clone())).await.expect_err("two sources");
    assert_eq!(error.to_string(), "Give exactly one of 'data' and 'file'");
    std::fs::remove_file(path).expect("the file was written");
}

#[tokio::test]
async fn what_was_exported_is_imported_as_it_was() {
    let first = graph();
    let mut given = export();
    given["memories"][0]["created_at"] = json!("2024-01-01T00:00:00.000001Z");
    given["memories"][0]["effectiveness"] = json!(0.25);
    given["memories"][0]["mood"] = json!({ "deep": [1] });
    given["relationships"][0]["properties"] = json!({
        "valid_from": "2024-02-01T00:00:00Z", "valid_until": "2099-02-01T00:00:00Z", "success_rate": 0.5,
        "recorded_at": "2024-03-01T00:00:00Z", "context": "{\"scope\":\"partial\"}", "mood": "calm"
    });
    import(&first, Some(given), None).await.expect("sound");
    let path = std::env::temp_dir().join(format!("memorygraph-{}.json", MemoryId::random()));
    let files = || State::new(Files::Anywhere);
    export_memories(Some(path.clone()), None, first.clone(), files()).await.expect("is written");
    let second = graph();
    import(&second, None, Some(path.clone())).await.expect("sound");
    let whole = async |graph: State<Graph>| {
        let exported = export_memories(None, None, graph, files()).await.expect("is told");
        let mut exported = serde_json::to_value(&exported.0).expect("serializes");
        exported["data"]["export_date"].take();
        exported
    };
    let (before, after) = (whole(first).await, whole(second).await);
    assert_eq!(before["data"]["relationships"][0]["properties"]["mood"], "calm");
    assert_eq!(before, after);
    let written = std::fs::read_to_string(&path).expect("was written");
    assert!(written.contains("2024-01-01T00:00:00.000001Z"));
    std::fs::remove_file(path).expect("the file was written");
}

#[tokio::test]
async fn a_server_that_only_reads_offers_nothing_else() {
    let server = || {
        Server::new("memorygraph", "0")
            .state(Graph::open(Place::Nowhere).expect("memory is there"))
            .state(Files::Nowhere)
    };
    let tools = async |server: Server| -> Vec<Value> {
        let mut client = server.test_client().expect("nothing is wrong with it");
        let mut told = client.request("tools/list", json!({})).await.expect("is told");
        serde_json::from_value(told["tools"].take()).expect("a list")
    };
    let reading = tools(reading(server())).await;
    assert!(
        reading
            .iter()
            .all(|tool| tool["name"] == "export_memories" || tool["annotations"]["readOnlyHint"] == true)
    );
    let all = tools(writing(super::reading(server()))).await;
    assert_eq!(all.len(), 17);
    assert!(all.iter().all(|tool| tool["outputSchema"]["type"] == "object"));
}

async fn meant(
    graph: &State<Graph>,
    terms: &[&str],
    mode: MatchMode,
    cursor: Option<super::cursor::Cursor>,
) -> Meant {
    let terms = terms.iter().map(|term| (*term).to_owned()).collect();
    let (graph, cx) = (graph.clone(), Context::detached());
    let found = semantic_search(terms, mode, None, None, None, None, None, None, 2, cursor, graph, cx);
    found.await.expect("sound").0
}

#[tokio::test]
async fn a_search_for_several_things_ranks_by_all_and_goes_page_by_page() {
    let graph = graph();
    for title in ["Redis timeout", "Redis pool", "Deadlock", "Timeout of a lock"] {
        store(&graph, MemoryType::General, title).await;
    }
    let any = meant(&graph, &["redis", "tiemout"], MatchMode::Any, None).await;
    assert_eq!((any.total, any.memories[0].brief.title.as_str()), (3, "Redis timeout"));
    let told = serde_json::to_value(&any).expect("serializes");
    assert_eq!(told["mode"], "associative");
    assert_eq!(told["guessed"], json!([{ "word": "tiemout", "taken_for": ["timeout"] }]));
    assert!(told["memories"][0]["lexical"].as_f64().is_some_and(|lexical| lexical > 0.5), "{told}");
    assert!(any.to_string().contains("Mode: associative. \"tiemout\" was taken for \"timeout\"."), "{any}");
    let rest = meant(&graph, &["redis", "tiemout"], MatchMode::Any, any.next_cursor).await;
    assert_eq!((rest.total, rest.memories.len(), rest.next_cursor), (3, 1, None));
    assert!(any.memories.iter().all(|told| told.brief.id != rest.memories[0].brief.id));
    let all = meant(&graph, &["redis", "tiemout"], MatchMode::All, None).await;
    assert_eq!((all.total, all.memories[0].brief.title.as_str()), (1, "Redis timeout"));
}

#[tokio::test]
async fn with_a_model_all_that_find_say_so_and_without_vectors_how_many() {
    let folder = crate::search::semantic::tests::tiny();
    let model = crate::search::semantic::Model::open(folder.path()).expect("a sound model");
    let graph = State::new(Graph::open_with(Place::Nowhere, Some(model.into())).expect("memory is there"));
    for title in ["listen", "bowl"] {
        store(&graph, MemoryType::General, title).await;
    }
    let found = meant(&graph, &["silent"], MatchMode::Any, None).await;
    assert_eq!(found.memories[0].brief.title, "listen");
    let told = serde_json::to_value(&found).expect("serializes");
    assert_eq!((&told["mode"], &told["memories"][0]["lexical"]), (&json!("semantic"), &json!(0.0)));
    let hit = &told["memories"][0];
    assert!(hit["vector"] == hit["score"] && hit["vector"].as_f64() > Some(0.5), "{told}");
    let recalled = recall(&graph, "silent", 0, true).await;
    assert_eq!(serde_json::to_value(&recalled).expect("serializes")["mode"], "semantic");
    assert_eq!(recalled.memories[0].brief.title, "listen");
    let searched = search(&graph, &["silent"], MatchMode::Any, 0).await;
    assert_eq!(serde_json::to_value(&searched).expect("serializes")["mode"], "semantic");
    let words = serde_json::to_value(graph.search(&"listen".parse().expect("has words")).ranking)
        .expect("serializes");
    assert!(words.get("without_vector").is_none(), "all have one");
}
