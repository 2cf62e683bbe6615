//! The example programs, on their standard streams and over HTTP.

use rmcp::model::{CancelTaskParams, TaskStatus};
use serde_json::{Value, json};
use tests::{Listening, example};

use crate::tasks::{create, follow, result, state};
use crate::{Client, Connection, call, connect, discover, over_http, text, within_a_minute};

/// Runs a test against an example, once each way in which it can be reached.
async fn each_way(name: &str, arguments: &[&str], knows_tasks: bool, test: impl AsyncFn(&Connection)) {
    let Some(program) = example(name) else { return };
    within_a_minute(async {
        let client = connect(&program, arguments, knows_tasks, discover()).await;
        test(&client).await;
        client.cancel().await.expect("the client ends");

        let server = Listening::start(&program);
        let client = over_http(&server, Client { knows_tasks, ..Client::default() }).await;
        test(&client).await;
        client.cancel().await.expect("the client ends");
    })
    .await;
}

pub(crate) async fn structured(client: &Connection, tool: &'static str, arguments: Value) -> Value {
    let result = client.call_tool(call(tool, arguments)).await.expect("a result");
    assert_ne!(result.is_error, Some(true), "{result:?}");
    result.structured_content.expect("structured content")
}

#[tokio::test]
async fn the_counter_counts_as_a_task() {
    each_way("counter", &[], true, async |client| {
        let created = create(client, "count", json!({ "to": 3 })).await;
        let ended = follow(client, &created).await;
        assert_eq!(text(&result(ended)), "Counted to 3.");
    })
    .await;
}

#[tokio::test]
async fn the_counter_counts_for_a_client_that_knows_no_tasks() {
    each_way("counter", &[], false, async |client| {
        let counted = client.call_tool(call("count", json!({ "to": 2 }))).await.expect("a result");
        assert_eq!(text(&counted), "Counted to 2.");
        let wrong = client.call_tool(call("count", json!({ "to": 0 }))).await.expect("a result");
        assert!(text(&wrong).contains("`to`") && wrong.is_error == Some(true));
    })
    .await;
}

#[tokio::test]
async fn the_counter_stops_when_it_is_told_to() {
    each_way("counter", &[], true, async |client| {
        let created = create(client, "count", json!({ "to": 1000 })).await;
        assert_eq!(state(client, &created).await.status(), TaskStatus::Working);
        client.peer().cancel_task(CancelTaskParams::new(&created.task.task_id)).await.expect("acknowledged");
        assert_eq!(follow(client, &created).await.status(), TaskStatus::Cancelled);
    })
    .await;
}

#[tokio::test]
async fn memorygraph_remembers_relates_and_recalls() {
    each_way("memorygraph", &["--stdio"], true, async |client| {
        let mut ids = Vec::new();
        for (kind, title) in [("problem", "Redis timeout"), ("solution", "Pool the connections")] {
            let memory = json!({ "type": kind, "title": title, "content": "Seen under load." });
            ids.push(structured(client, "store_memory", memory).await["memory_id"].take());
        }
        let related = json!({
            "from_memory_id": ids[1], "to_memory_id": ids[0], "relationship_type": "SOLVES"
        });
        structured(client, "create_relationship", related).await;
        let told = structured(client, "get_memory", json!({ "memory_id": ids[0] })).await;
        assert_eq!(told["title"], "Redis timeout");

        let created = create(client, "recall_memories", json!({ "query": "redis timeout" })).await;
        let recalled = result(follow(client, &created).await).structured_content.expect("structured content");
        let titles: Vec<&Value> =
            recalled["memories"].as_array().expect("a list").iter().map(|memory| &memory["title"]).collect();
        assert_eq!(titles, ["Redis timeout", "Pool the connections"]);
    })
    .await;
}

#[tokio::test]
async fn memorygraph_imports_as_a_task() {
    each_way("memorygraph", &["--stdio"], true, async |client| {
        let memory = |id: u32| json!({ "id": format!("m{id}"), "type": "fix", "title": format!("Fix {id}"), "content": "." });
        let memories: Vec<Value> = (0..500).map(memory).collect();
        let export = json!({ "format_version": "2.0", "memories": memories, "relationships": [] });
        let created = create(client, "import_memories", json!({ "data": export })).await;
        let report = result(follow(client, &created).await).structured_content.expect("structured content");
        assert_eq!(report["memories"]["imported"], 500, "{report}");
        let told = structured(client, "get_memory", json!({ "memory_id": "m499" })).await;
        assert_eq!(told["title"], "Fix 499");
    })
    .await;
}
