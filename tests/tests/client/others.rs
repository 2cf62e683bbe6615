//! Servers that are not ours.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use mcp_runtime::client::{Client, TaskState};
use serde_json::json;
use tests::scripts;

use crate::{Asked, answering, asked, restarts};

/// A server of the TypeScript SDK's examples. Dropping it kills it.
struct Example {
    child: Child,
    url: String,
}

impl Example {
    /// Starts it, unless there is no npm here.
    fn start(name: &str) -> Option<Self> {
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
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
        let is_there = lines.any(|line| line.is_ok_and(|line| line.contains("http://localhost")));
        assert!(is_there, "{name} does not say where it listens");
        // What it says from now on is taken, so that its pipe never fills up.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        Some(Self { child, url: format!("http://localhost:{port}/mcp") })
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The official TypeScript SDK's interactive task server, whose tasks ask on the stream of `tasks/result` alone.
#[tokio::test]
async fn a_task_of_the_typescript_sdk_is_answered_and_followed() {
    let Some(server) = Example::start("simpleTaskInteractive.js") else { return };
    let questions = Asked::default();
    let client = answering(Client::http(&server.url), &questions).connect().await.expect("a server");
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
