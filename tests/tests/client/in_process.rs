//! A server in the same process as its client, on both wires.

use mcp_runtime::Service;
use mcp_runtime::client::{CallResult, Client, Connect, Error, Form, Revisions, TaskState};
use mcp_runtime::prelude::*;
use serde_json::{Value, json};

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
    #[serde(default)]
    #[allow(dead_code)]
    title: String,
}

/// Add two numbers.
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Greet whoever is there.
#[tool(task)]
async fn greet(cx: Context) -> Result<String, ToolError> {
    cx.message("looking");
    Ok(match cx.elicit::<Name>("Who are you?").await? {
        Elicited::Accepted(Name { name, .. }) => format!("Hello, {name}!"),
        _ => "Hello!".to_owned(),
    })
}

/// Never end.
#[tool(task)]
async fn wait() -> String {
    std::future::pending().await
}

fn service() -> Service {
    Server::new("test", "1.0.0").tools(tools![add, greet, wait]).build().expect("it builds")
}

async fn ada(_: Form) -> Elicited<Value> {
    Elicited::Accepted(json!({ "name": "Ada" }))
}

async fn clients() -> [(Client, bool); 2] {
    let connect = |revisions| Client::in_process(&service()).elicitation(ada).revisions(revisions);
    let connected = async |connect: Connect| connect.connect().await.expect("it is there");
    [(connected(connect(Revisions::Any)).await, true), (connected(connect(Revisions::Legacy)).await, false)]
}

#[tokio::test]
async fn a_server_in_the_same_process_is_a_server() {
    for (client, is_modern) in clients().await {
        let version = client.protocol_version().await.expect("it is settled");
        assert_eq!(version == "2026-07-28", is_modern);
        let tools = client.list_tools().await.expect("tools");
        assert_eq!(tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(), ["add", "greet", "wait"]);
        let sum = client.call_tool("add", json!({ "a": 1, "b": 2 })).await;
        assert_eq!(sum.and_then(CallResult::into_typed::<i64>).ok(), Some(3));
        let greeting = client.call_tool("greet", json!({})).await.expect("a greeting");
        assert_eq!(greeting.text(), "Hello, Ada!");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_is_answered_followed_and_cancelled() {
    for (client, _) in clients().await {
        let mut task = client.call_tool("greet", json!({})).create_task(true).send().await.expect("a task");
        assert_eq!(task.result().await.expect("a greeting").text(), "Hello, Ada!");
        assert_eq!(task.status().state, TaskState::Completed);
        assert!(task.next().await.is_none());

        let mut task = client.call_tool("wait", json!({})).create_task(true).send().await.expect("a task");
        task.cancel().await.expect("it can be cancelled");
        assert!(matches!(task.result().await, Err(Error::TaskCancelled { .. })));
    }
}

#[tokio::test]
async fn a_client_that_was_closed_opens_another_session_when_it_needs_one() {
    for (client, _) in clients().await {
        client.clone().close().await;
        assert!(client.call_tool("add", json!({ "a": 1, "b": 2 })).await.is_ok());
    }
}
