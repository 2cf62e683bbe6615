//! The tools as functions, as any test may call them.

use serde_json::{Value, json};

use super::*;
use answers::Recalled;

fn graph() -> State<Graph> {
    State::new(Graph::default())
}

async fn store(graph: &State<Graph>, kind: MemoryType, title: &str) -> MemoryId {
    let content = "Seen under load.".to_owned();
    let stored = store_memory(kind, title.to_owned(), content, None, None, None, None, graph.clone()).await;
    stored.expect("a sound memory").memory_id
}

async fn relate(graph: &State<Graph>, from: &MemoryId, kind: RelationshipType, to: &MemoryId) -> Related {
    let related = create_relationship(from.clone(), to.clone(), kind, None, None, None, graph.clone()).await;
    related.expect("a sound relationship")
}

async fn recall(graph: &State<Graph>, query: &str, max_depth: usize, include_related: bool) -> Vec<Recalled> {
    let query = query.to_owned();
    let (graph, cx) = (graph.clone(), Context::detached());
    recall_memories(query, max_depth, include_related, None, 20, None, None, None, graph, cx)
        .await
        .expect("a sound query")
        .memories
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
) -> Result<Report, GraphError> {
    let data = data.map(|data| serde_json::from_value(data).expect("any JSON will do"));
    import_memories(data, file, OnDuplicate::Skip, graph.clone(), Context::detached()).await
}

#[tokio::test]
async fn a_stored_memory_is_recalled_with_the_way_that_led_to_it() {
    let graph = graph();
    let problem = store(&graph, MemoryType::Problem, "Redis timeout").await;
    let fix = store(&graph, MemoryType::Solution, "Pool").await;
    relate(&graph, &fix, RelationshipType::Solves, &problem).await;

    let recalled = recall(&graph, "redis tiemout", 2, true).await;
    let told = serde_json::to_value(&recalled[1]).expect("serializes");
    assert_eq!(told["title"], "Pool");
    assert_eq!(told["depth"], 1);
    assert_eq!(told["text_score"], 0.0);
    assert_eq!(
        told["path"],
        json!([{ "memory_id": problem, "title": "Redis timeout", "relationship_type": "SOLVES",
                 "direction": "backward", "strength": 0.9 }])
    );
}

#[tokio::test]
async fn a_recall_gives_what_it_finds_at_once_and_each_type_of_relationship_by_a_task() {
    let graph = Graph::default();
    for (id, title) in [("0", "Redis timeout"), ("1", "Pool"), ("2", "Release")] {
        let draft = MemoryDraft::new(MemoryType::General, title, "Nothing else.");
        graph.store(MemoryDraft { id: Some(id.into()), ..draft }).expect("a sound memory");
    }
    for (from, kind) in [("1", RelationshipType::Solves), ("2", RelationshipType::Causes)] {
        let draft = RelationshipDraft::new(from.into(), kind, "0".into());
        graph.relate(draft).expect("a sound relationship");
    }
    let server = Server::new("memories", "1.0.0").tools(tools![recall_memories]);
    let mut client = server.state(graph).test_client().expect("it can be built");
    let mut recalled = async |types: Value| {
        let arguments = json!({ "query": "redis", "relationshipTypes": types });
        let task = client.call_tool("recall_memories", arguments).await.expect("a task");
        client.follow(task["taskId"].as_str().expect("an id")).await.expect("it ends")
    };
    let one = recalled(json!(["SOLVES"])).await;
    assert_eq!(one["result"]["structuredContent"]["total"], 2);
    let found = one["_meta"]["dev.mcp-runtime/partial"]["values"].as_array().expect("a list");
    let found: Vec<&Value> = found.iter().map(|memory| &memory["title"]).collect();
    assert_eq!(found, ["Redis timeout", "Pool"]);
    let both = recalled(json!(["SOLVES", "CAUSES", "FOLLOWS"])).await;
    assert_eq!(both["result"]["structuredContent"]["total"], 3, "each once: {both}");
    assert_eq!(both["_meta"]["dev.mcp-runtime/children"]["ended"], 3);
}

#[tokio::test]
async fn without_related_ones_only_those_that_speak_of_it_are_recalled() {
    let graph = graph();
    let problem = store(&graph, MemoryType::Problem, "Redis timeout").await;
    let fix = store(&graph, MemoryType::Solution, "Pool").await;
    relate(&graph, &fix, RelationshipType::Solves, &problem).await;
    let titles: Vec<String> =
        recall(&graph, "redis", 3, false).await.into_iter().map(|recalled| recalled.title).collect();
    assert_eq!(titles, ["Redis timeout"]);
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
async fn a_memory_is_told_with_its_relationships() {
    let graph = graph();
    import(&graph, Some(export()), None).await.expect("a sound export");
    let told = get_memory("a".into(), true, graph.clone()).await.expect("is there");
    let told = serde_json::to_value(&told).expect("serializes");
    assert_eq!(told["title"], "Redis timeout");
    assert_eq!(
        told["relationships"],
        json!([{ "type": "SOLVES", "direction": "backward", "strength": 0.9, "memory_id": "b", "title": "Pool" }])
    );
    let error = get_memory("nope".into(), true, graph).await.expect_err("no such memory");
    assert_eq!(error.to_string(), "Memory not found: nope");
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
