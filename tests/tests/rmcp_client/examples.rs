//! The example programs.

use rmcp::model::{CancelTaskParams, TaskStatus};
use serde_json::{Value, json};
use tests::example;

use crate::tasks::{create, follow, result, state};
use crate::{Connection, call, connect, discover, text, within_a_minute};

async fn structured(client: &Connection, tool: &'static str, arguments: Value) -> Value {
    let result = client.call_tool(call(tool, arguments)).await.expect("a result");
    assert_ne!(result.is_error, Some(true), "{result:?}");
    result.structured_content.expect("structured content")
}

#[tokio::test]
async fn the_counter_counts_as_a_task() {
    let Some(program) = example("counter") else { return };
    within_a_minute(async {
        let client = connect(program, &[], true, discover()).await;
        let created = create(&client, "count", json!({ "to": 3 })).await;
        let ended = follow(&client, &created).await;
        assert_eq!(text(&result(ended)), "Counted to 3.");
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn the_counter_counts_for_a_client_that_knows_no_tasks() {
    let Some(program) = example("counter") else { return };
    within_a_minute(async {
        let client = connect(program, &[], false, discover()).await;
        let counted = client.call_tool(call("count", json!({ "to": 2 }))).await.expect("a result");
        assert_eq!(text(&counted), "Counted to 2.");
        let wrong = client.call_tool(call("count", json!({ "to": 0 }))).await.expect("a result");
        assert!(text(&wrong).contains("`to`") && wrong.is_error == Some(true));
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn the_counter_stops_when_it_is_told_to() {
    let Some(program) = example("counter") else { return };
    within_a_minute(async {
        let client = connect(program, &[], true, discover()).await;
        let created = create(&client, "count", json!({ "to": 1000 })).await;
        assert_eq!(state(&client, &created).await.status(), TaskStatus::Working);
        client.peer().cancel_task(CancelTaskParams::new(&created.task.task_id)).await.expect("acknowledged");
        assert_eq!(follow(&client, &created).await.status(), TaskStatus::Cancelled);
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn memorygraph_remembers_relates_and_recalls() {
    let Some(program) = example("memorygraph") else { return };
    within_a_minute(async {
        let client = connect(program, &["--stdio"], true, discover()).await;
        let mut ids = Vec::new();
        for (kind, title) in [("problem", "Redis timeout"), ("solution", "Pool the connections")] {
            let memory = json!({ "type": kind, "title": title, "content": "Seen under load." });
            ids.push(structured(&client, "store_memory", memory).await["memory_id"].take());
        }
        let related = json!({
            "from_memory_id": ids[1], "to_memory_id": ids[0], "relationship_type": "SOLVES"
        });
        structured(&client, "create_relationship", related).await;
        let told = structured(&client, "get_memory", json!({ "memory_id": ids[0] })).await;
        assert_eq!(told["title"], "Redis timeout");

        let created = create(&client, "recall_memories", json!({ "query": "redis timeout" })).await;
        let recalled =
            result(follow(&client, &created).await).structured_content.expect("structured content");
        let titles: Vec<&Value> =
            recalled["memories"].as_array().expect("a list").iter().map(|memory| &memory["title"]).collect();
        assert_eq!(titles, ["Redis timeout", "Pool the connections"]);
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn memorygraph_imports_as_a_task() {
    let Some(program) = example("memorygraph") else { return };
    within_a_minute(async {
        let client = connect(program, &["--stdio"], true, discover()).await;
        let memory = |id: u32| json!({ "id": format!("m{id}"), "type": "fix", "title": format!("Fix {id}"), "content": "." });
        let memories: Vec<Value> = (0..500).map(memory).collect();
        let export = json!({ "format_version": "2.0", "memories": memories, "relationships": [] });
        let created = create(&client, "import_memories", json!({ "data": export })).await;
        let report = result(follow(&client, &created).await).structured_content.expect("structured content");
        assert_eq!(report["memories"]["imported"], 500, "{report}");
        let told = structured(&client, "get_memory", json!({ "memory_id": "m499" })).await;
        assert_eq!(told["title"], "Fix 499");
        client.cancel().await.expect("the client ends");
    })
    .await;
}
