//! Servers side by side that share a file of tasks.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::tests::{Made, made, server};
use super::*;
use crate::tool::TaskSupport;
use crate::{Context, ToolResult};

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mcp-runtime-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn server(&self, tool: Made) -> Service {
        let tasks = Tasks::sqlite(self.0.join("tasks.db")).lease(Duration::from_secs(1));
        server().tasks(tasks).tool(tool).build().expect("it can be built")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How often a tool's function began, and was dropped; and who waits to hear of that.
#[derive(Clone, Default)]
struct Runs {
    begun: Arc<AtomicUsize>,
    has_begun: Arc<Notify>,
    was_dropped: Arc<Notify>,
}

struct Running(Runs);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.was_dropped.notify_one();
    }
}

/// Asks for a name, and then works for ever the first time that it runs.
fn worker(runs: &Runs, asks: bool) -> Made {
    let runs = runs.clone();
    let mut tool = made("worker", TaskSupport::Optional, move |cx: Context| {
        let runs = runs.clone();
        async move {
            let is_first = runs.begun.fetch_add(1, Ordering::SeqCst) == 0;
            let running = Running(runs.clone());
            cx.message("begun");
            runs.has_begun.notify_one();
            if asks {
                let answer = cx.elicit::<Name>("Name?").key("who").await;
                return match answer {
                    Ok(answer) => ToolResult::text(answer.accepted().map_or("nobody".into(), |it| it.name)),
                    Err(error) => ToolResult::error(error.to_string()),
                };
            }
            if is_first {
                std::future::pending::<()>().await;
            }
            drop(running);
            ToolResult::text("done")
        }
    });
    tool.task.retries = Some(3);
    tool
}

async fn begin(service: &Service) -> String {
    // It can be asked, and does not answer at once.
    let mut client = service.test_client().answering(|_, _| Value::Null);
    let task = client.call_tool("worker", json!({})).await.expect("a task");
    task["taskId"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_cancelled_by_the_other_server_and_its_function_stops() {
    let (folder, runs) = (Folder::new("cancel"), Runs::default());
    let (one, other) = (folder.server(worker(&runs, false)), folder.server(worker(&runs, false)));
    let id = begin(&one).await;
    runs.has_begun.notified().await;
    other.test_client().request("tasks/cancel", json!({ "taskId": id })).await.expect("cancelled");
    runs.was_dropped.notified().await;
    assert_eq!(one.test_client().follow(&id).await.expect("it is there")["status"], "cancelled");
    assert_eq!(runs.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_the_other_server_reaches_the_function_and_its_end_who_listens_there() {
    let (folder, runs) = (Folder::new("answer"), Runs::default());
    let (one, other) = (folder.server(worker(&runs, true)), folder.server(worker(&runs, true)));
    let id = begin(&one).await;
    let mut client =
        other.test_client().answering(|_, _| json!({ "action": "accept", "content": { "name": "Ada" } }));
    let ended = client.follow(&id).await.expect("it is there");
    assert_eq!(ended["result"]["content"][0]["text"], "Ada", "{ended}");
    assert_eq!(runs.begun.load(Ordering::SeqCst), 1, "the function went on where it was");
}

#[test]
fn what_a_dead_server_left_behind_is_taken_over_when_its_lease_has_lapsed() {
    let (folder, runs) = (Folder::new("take-over"), Runs::default());
    let survivor = Runtime::new().expect("a runtime");
    let other = folder.server(worker(&runs, false));
    let _open = survivor.block_on(async { other.test_client() });
    let doomed = Runtime::new().expect("a runtime");
    let id = doomed.block_on(async {
        let one = folder.server(worker(&runs, false));
        let id = begin(&one).await;
        runs.has_begun.notified().await;
        id
    });
    doomed.shutdown_background();
    survivor.block_on(async {
        let ended = other.test_client().follow(&id).await.expect("it is there");
        assert_eq!(ended["result"]["content"][0]["text"], "done", "{ended}");
    });
    assert_eq!(runs.begun.load(Ordering::SeqCst), 2);
}
