//! The server of `FastMCP`, whose tasks are those of the extension, over pipes and over HTTP.

use std::process::{Command, Stdio};

use mcp_runtime::client::{Client, Connect, Error, Revisions, TaskState};
use serde_json::{Value, json};
use tests::python_server;

use super::{Running, wait_until_it_listens};
use crate::{Asked, answering, asked, restarts};

/// The server, and how to connect to it in each way, unless there is no Python here.
fn ways() -> Option<(Running, [Connect; 2])> {
    let script = python_server(env!("CARGO_TARGET_TMPDIR"), "fastmcp_tasks_server.py")?;
    let mut over_pipes = Command::new(&script.python);
    over_pipes.arg(&script.path).env("FASTMCP_LOG_LEVEL", "WARNING");
    let address = restarts::free_address();
    let port = address.rsplit(':').next().unwrap_or_default();
    let mut child = Command::new(&script.python)
        .arg(&script.path)
        .arg(port)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it was installed");
    let says = child.stderr.take().expect("stderr is a pipe");
    let running = Running(child);
    wait_until_it_listens("FastMCP", says, "Uvicorn running on");
    let over_http = Client::http(format!("http://{address}/mcp"));
    Some((running, [Client::process(over_pipes), over_http]))
}

#[tokio::test]
async fn tasks_of_fastmcp_are_answered_followed_and_cancelled() {
    let Some((_server, ways)) = ways() else { return };
    for way in ways {
        let questions = Asked::default();
        let client = answering(way, &questions).connect().await.expect("a server");
        assert_eq!(client.protocol_version().await.expect("it is settled"), "2026-07-28");
        assert_eq!(client.server_info().await.expect("it is said")["name"], "fastmcp");

        let sum = client.call_tool("add", json!({ "a": 1, "b": 2 })).await.expect("a sum");
        assert_eq!(sum.into_typed::<i64>().ok(), Some(3));

        let call = client.call_tool("analyze", json!({ "dataset": "large.csv" })).create_task(true);
        let mut task = call.send().await.expect("a task");
        let result = task.result().await.expect("a result");
        assert_eq!(result.structured_content(), Some(&json!({ "letters": 9 })));
        assert_eq!(task.status().state, TaskState::Completed);
        let again = client.get_task_result(task.id()).await.expect("a result");
        assert_eq!(again, result);

        // Whether it is a task is the server's to say, and nothing of it is seen from here.
        let greeting = client.call_tool("ask", json!({})).await.expect("a greeting");
        assert_eq!((greeting.text().as_str(), asked(&questions).len()), ("Hello, Ada!", 1));

        let failed = client.call_tool("fail", json!({})).await;
        match failed {
            Ok(result) => assert!(result.is_error() && result.text().contains("did not work"), "{result:?}"),
            Err(error) => panic!("{error}"),
        }

        let call = client.call_tool("linger", json!({})).create_task(true);
        let mut task = call.send().await.expect("a task");
        task.cancel().await.expect("it can be cancelled");
        let cancelled = task.result().await;
        assert!(matches!(cancelled, Err(Error::TaskCancelled { .. })), "{cancelled:?}");

        let unknown = client.get_task_status("no-such-task").await;
        assert!(matches!(unknown, Err(Error::TaskExpired { .. })), "{unknown:?}");
        client.close().await;
    }
}

#[tokio::test]
async fn fastmcp_is_spoken_to_as_the_revisions_before() {
    let Some((_server, ways)) = ways() else { return };
    for way in ways {
        let client = way.revisions(Revisions::Legacy).connect().await.expect("a server");
        let version = client.protocol_version().await.expect("it is settled");
        assert!(version.as_str() < "2026-07-28", "{version}");
        let sum = client.call_tool("add", json!({ "a": 1, "b": 2 })).await.expect("a sum");
        assert_eq!(sum.into_typed::<i64>().ok(), Some(3));
        let result = client.call_tool("analyze", json!({ "dataset": "large.csv" })).await.expect("a result");
        assert_eq!(result.into_typed::<Value>().ok(), Some(json!({ "letters": 9 })));
        client.close().await;
    }
}
