//! A client that makes tasks of its own of what a task asks: each question is put once, whatever becomes of connections.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use mcp_runtime::client::{Client, Connect, Conversation, Form, ModelAnswer, Revisions, TaskHandle};
use mcp_runtime::{Elicited, ProtocolError, Tasks};
use serde_json::{Value, json};
use tests::scripts;
use tokio::sync::{Semaphore, mpsc};

use crate::{Fixture, WAYS, Way};

/// A model that answers when it may.
struct Model {
    /// What it was asked, and that nobody wants its answer any more.
    heard: mpsc::UnboundedReceiver<&'static str>,
    may_answer: Arc<Semaphore>,
}

/// Says so when the answer is not wanted any more.
struct Wanted(mpsc::UnboundedSender<&'static str>, bool);

impl Drop for Wanted {
    fn drop(&mut self) {
        if !self.1 {
            // The test may be over.
            let _ = self.0.send("unwanted");
        }
    }
}

impl Model {
    fn behind(connect: Connect) -> (Connect, Self) {
        let (say, heard) = mpsc::unbounded_channel();
        let may_answer = Arc::new(Semaphore::new(0));
        let waits = Arc::clone(&may_answer);
        let connect = connect.sampling(move |_: Conversation| {
            let (say, waits) = (say.clone(), Arc::clone(&waits));
            async move {
                say.send("asked").expect("the test listens");
                let mut wanted = Wanted(say, false);
                waits.acquire().await.expect("it stays open").forget();
                wanted.1 = true;
                Ok::<_, ProtocolError>(ModelAnswer::text("test-model", "nothing"))
            }
        });
        (connect, Self { heard, may_answer })
    }

    async fn hears(&mut self, what: &str) {
        assert_eq!(self.heard.recv().await, Some(what));
    }

    fn answers(&self) {
        self.may_answer.add_permits(1);
    }

    /// That it was asked nothing more.
    fn heard_all(&mut self) {
        assert!(self.heard.try_recv().is_err());
    }
}

fn legacy() -> impl Iterator<Item = Way> {
    WAYS.into_iter().filter(|way| way.revisions == Revisions::Legacy)
}

async fn muse(client: &Client) -> TaskHandle {
    let call = client.call_tool("muse", json!({ "question": "What is new?" }));
    call.create_task(true).send().await.expect("a task")
}

const ANSWER: &str = "test-model: nothing (endTurn)";

#[tokio::test]
async fn what_a_task_asks_is_a_task_of_the_clients() {
    for way in legacy() {
        let fixture = Fixture::start(way);
        let (connect, mut model) = Model::behind(fixture.connect().tasks(Tasks::memory()));
        let client = connect.connect().await.expect("a server");
        let mut task = muse(&client).await;
        model.hears("asked").await;
        model.answers();
        assert_eq!(task.result().await.expect("a result").text(), ANSWER);
        model.heard_all();
    }
}

#[tokio::test]
async fn a_session_that_ends_meanwhile_does_not_have_the_model_asked_twice() {
    let fixture = Fixture::start(Way { over_http: true, revisions: Revisions::Legacy });
    let (connect, mut model) = Model::behind(fixture.connect().tasks(Tasks::memory()));
    let client = connect.connect().await.expect("a server");
    let id = muse(&client).await.detach();
    model.hears("asked").await;
    // Whoever holds a clone opens another session.
    client.clone().close().await;
    let waiting = client.get_task_result(&id);
    model.answers();
    assert_eq!(waiting.await.expect("a result").text(), ANSWER);
    model.heard_all();
}

#[tokio::test]
async fn a_task_that_is_cancelled_does_not_keep_the_model_thinking() {
    for way in legacy() {
        let fixture = Fixture::start(way);
        let (connect, mut model) = Model::behind(fixture.connect().tasks(Tasks::memory()));
        let client = connect.connect().await.expect("a server");
        let task = muse(&client).await;
        model.hears("asked").await;
        task.cancel().await.expect("it can be cancelled");
        model.hears("unwanted").await;
        // It is of use for what comes next.
        let mut task = muse(&client).await;
        model.hears("asked").await;
        model.answers();
        assert_eq!(task.result().await.expect("a result").text(), ANSWER);
    }
}

/// A file of tasks that is not there yet.
fn new_file(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    for end in ["", "-wal", "-shm", "-lock"] {
        let _ = std::fs::remove_file(format!("{}{end}", file.display()));
    }
    file
}

#[tokio::test]
async fn a_program_that_ends_meanwhile_goes_on_with_what_it_was_asked_when_it_is_back() {
    let fixture = Fixture::start(Way { over_http: true, revisions: Revisions::Legacy });
    let file = new_file("receiving.db");
    let connect =
        || Model::behind(fixture.connect().tasks(Tasks::sqlite(&file).lease(Duration::from_secs(1))));
    let (first, mut model) = connect();
    let client = first.connect().await.expect("a server");
    let id = muse(&client).await.detach();
    model.hears("asked").await;
    client.close().await;
    model.hears("unwanted").await;

    let (second, mut model) = connect();
    let client = second.connect().await.expect("a server");
    // Nobody has asked for anything over the new connection.
    model.hears("asked").await;
    model.answers();
    assert_eq!(client.get_task_result(&id).await.expect("a result").text(), ANSWER);
    model.heard_all();
}

#[tokio::test]
async fn servers_of_other_revisions_ask_as_ever() {
    let fixture = Fixture::start(WAYS[0]);
    let (connect, mut model) = Model::behind(fixture.connect().tasks(Tasks::memory()));
    let client = connect.connect().await.expect("a server");
    model.answers();
    assert_eq!(muse(&client).await.result().await.expect("a result").text(), ANSWER);
    model.hears("asked").await;
    model.heard_all();
}

/// The official TypeScript SDK, as a server that asks by tasks of its client's.
#[tokio::test]
async fn a_server_of_the_typescript_sdk_has_its_questions_run_as_tasks() {
    let Some(scripts) = scripts(env!("CARGO_TARGET_TMPDIR")) else { return };
    let mut server = Command::new("node");
    server.arg(scripts.join("requestor.mjs"));
    let ada = async |_: Form| Elicited::Accepted(json!({ "name": "Ada" }));
    let tasks = Tasks::memory().poll(Duration::from_millis(50));
    let (connect, mut model) = Model::behind(Client::process(server).elicitation(ada).tasks(tasks));
    let client = connect.connect().await.expect("a server");
    let told = async |tool: &str| {
        let told = client.call_tool(tool, json!({})).await.expect("a result").text();
        serde_json::from_str::<Value>(&told).unwrap_or_else(|_| panic!("{told}"))
    };

    model.answers();
    let sampled = told("sample").await;
    assert_eq!((&sampled["text"], &sampled["again"]), (&json!("nothing"), &json!("completed")), "{sampled}");
    assert_eq!((&sampled["states"][0], &sampled["listed"]), (&json!("created"), &json!(1)), "{sampled}");
    model.hears("asked").await;

    let elicited = told("elicit").await;
    assert_eq!(elicited["result"]["content"], json!({ "name": "Ada" }), "{elicited}");

    let cancelled = told("cancel").await;
    assert_eq!(cancelled["again"], "cancelled", "{cancelled}");
    model.hears("asked").await;
    model.hears("unwanted").await;
}
