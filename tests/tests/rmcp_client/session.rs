//! A user's sessions with the memory server: what is stored and begun in one is there in the next.

use std::path::{Path, PathBuf};

use rmcp::model::TaskStatus;
use serde_json::{Value, json};
use tests::example;

use crate::examples::structured;
use crate::tasks::{create, follow, result, state};
use crate::{Connection, call, connect, discover, within_a_minute};

/// Where the memories of a user are.
struct User {
    program: PathBuf,
    folder: PathBuf,
}

impl User {
    fn new(name: &str) -> Option<Self> {
        let program = example("memorygraph")?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("session-{name}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).expect("what an earlier run left can be removed");
        }
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        Some(Self { program, folder })
    }

    async fn connect(&self, knows_tasks: bool) -> Connection {
        let db = self.folder.join("memory.db").to_string_lossy().into_owned();
        connect(&self.program, &["--db", &db, "--stdio"], knows_tasks, discover()).await
    }

    /// A file of many memories, each of which FOLLOWS the one before.
    fn export(&self) -> String {
        let memory = |n: u32| json!({ "id": format!("m{n}"), "type": "fix", "title": format!("Fix {n}"), "content": "Reuse them." });
        let follows = |n: u32| json!({ "from_memory_id": format!("m{n}"), "to_memory_id": format!("m{}", n - 1), "type": "FOLLOWS" });
        let export = json!({
            "format_version": "2.0",
            "memories": (0..MEMORIES).map(memory).collect::<Vec<_>>(),
            "relationships": (1..MEMORIES).map(follows).collect::<Vec<_>>(),
        });
        let file = self.folder.join("export.json");
        std::fs::write(&file, export.to_string()).expect("can be written");
        file.to_string_lossy().into_owned()
    }
}

const MEMORIES: u32 = 3_000;

/// Stores a problem and what solves it.
async fn store_and_relate(client: &Connection) {
    let mut ids = Vec::new();
    for (kind, title) in [("problem", "Redis timeout"), ("solution", "Pool the connections")] {
        let memory = json!({ "type": kind, "title": title, "content": "Seen under load." });
        ids.push(structured(client, "store_memory", memory).await["memory_id"].take());
    }
    let related = json!({ "from_memory_id": ids[1], "to_memory_id": ids[0], "relationship_type": "SOLVES" });
    structured(client, "create_relationship", related).await;
}

fn assert_recalled(recalled: &Value) {
    let memories = recalled["memories"].as_array().expect("a list");
    let titles: Vec<&Value> = memories.iter().take(2).map(|memory| &memory["title"]).collect();
    assert_eq!(titles, ["Redis timeout", "Pool the connections"], "{recalled}");
}

fn assert_imported(report: &Value) {
    assert_eq!(report["memories"]["imported"], MEMORIES, "{report}");
    assert_eq!(report["relationships"]["imported"], MEMORIES - 1, "{report}");
}

#[tokio::test]
async fn an_import_that_was_begun_in_one_session_is_done_in_the_next() {
    let Some(user) = User::new("tasks") else { return };
    within_a_minute(async {
        let client = user.connect(true).await;
        store_and_relate(&client).await;
        let import = create(&client, "import_memories", json!({ "file": user.export() })).await;
        loop {
            let state = state(&client, &import).await;
            assert_eq!(state.status(), TaskStatus::Working, "{state:?}");
            if state.task.status_message.is_some_and(|told| told.starts_with("Importing")) {
                break;
            }
            tokio::task::yield_now().await;
        }
        // The host is closed in the middle of it.
        client.cancel().await.expect("the client ends");

        let client = user.connect(true).await;
        let report = result(follow(&client, &import).await).structured_content.expect("structured content");
        assert_imported(&report);
        let recall = create(&client, "recall_memories", json!({ "query": "redis timeout" })).await;
        let recalled = result(follow(&client, &recall).await).structured_content.expect("structured content");
        assert_recalled(&recalled);
        client.cancel().await.expect("the client ends");

        // What a task came to can be fetched in a later session, too.
        let client = user.connect(true).await;
        let recalled = result(follow(&client, &recall).await).structured_content.expect("structured content");
        assert_recalled(&recalled);
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_knows_no_tasks_has_the_same_conversation() {
    let Some(user) = User::new("calls") else { return };
    within_a_minute(async {
        let client = user.connect(false).await;
        store_and_relate(&client).await;
        // The host is closed while it waits for the answer.
        let arguments = json!({ "file": user.export() });
        let peer = client.peer().clone();
        let calls = call("import_memories", arguments.clone());
        let import = tokio::spawn(async move { peer.call_tool(calls).await });
        while client.service().progress.lock().expect("not poisoned").len() < 2 {
            assert!(!import.is_finished(), "it was over before");
            tokio::task::yield_now().await;
        }
        client.cancellation_token().cancel();
        import.await.expect("it does not panic").expect_err("nobody is there to answer");
        client.waiting().await.expect("the client ends");

        // Asked again, it brings what is missing.
        let client = user.connect(false).await;
        let report = structured(&client, "import_memories", arguments).await;
        let brought = |table: &str, kind: &str| report[table][kind].as_u64().expect("a number");
        assert!(brought("memories", "skipped") > 0, "{report}");
        assert_eq!(brought("memories", "skipped") + brought("memories", "imported"), u64::from(MEMORIES));
        let related = brought("relationships", "skipped") + brought("relationships", "imported");
        assert_eq!(related, u64::from(MEMORIES) - 1);
        assert_recalled(&structured(&client, "recall_memories", json!({ "query": "redis timeout" })).await);
        client.cancel().await.expect("the client ends");
    })
    .await;
}
