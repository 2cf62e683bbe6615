//! Servers of the official TypeScript SDK, which speak of tasks as 2025-11-25 does.

use std::process::{Command, Stdio};

use mcp_runtime::client::{Client, TaskState};
use serde_json::json;
use tests::scripts;

use super::{Running, wait_until_it_listens};
use crate::{Asked, answering, asked, restarts};

/// Starts a server of the SDK's examples and gives its URL, unless there is no npm here.
fn start(name: &str) -> Option<(Running, String)> {
    let scripts = scripts(env!("CARGO_TARGET_TMPDIR"))?;
    let examples = scripts.join("node_modules/@modelcontextprotocol/sdk/dist/esm/examples/server");
    let address = restarts::free_address();
    let port = address.rsplit(':').next().unwrap_or_default();
    let mut child = Command::new("node")
        .arg(examples.join(name))
        .env("PORT", port)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is there where npm is");
    let says = child.stdout.take().expect("stdout is a pipe");
    let running = Running(child);
    wait_until_it_listens(name, says, "http://localhost");
    Some((running, format!("http://localhost:{port}/mcp")))
}

/// The official TypeScript SDK's interactive task server, whose tasks ask on the stream of `tasks/result` alone.
#[tokio::test]
async fn a_task_of_the_typescript_sdk_is_answered_and_followed() {
    let Some((_server, url)) = start("simpleTaskInteractive.js") else { return };
    let questions = Asked::default();
    let client = answering(Client::http(&url), &questions).connect().await.expect("a server");
    assert_eq!(client.protocol_version().await.expect("it is settled"), "2025-11-25");

    let call = client.call_tool("write_haiku", json!({ "topic": "rain" })).create_task(true);
    let mut task = call.send().await.expect("a task");
    let result = task.result().await.expect("a result");
    assert!(result.text().contains("nothing"), "{result:?}");
    assert_eq!(task.status().state, TaskState::Completed);
    assert_eq!(client.get_task_result(task.id()).await.expect("a result"), result);

    let result = client.call_tool("confirm_delete", json!({ "filename": "a.txt" })).await.expect("a result");
    assert!(!result.text().is_empty());
    assert_eq!(asked(&questions).len(), 2, "{questions:?}");
}
