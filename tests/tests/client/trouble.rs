//! Over a network that loses, delays, cuts and repeats: every task is made once, every question is asked once, every result
//! arrives.

use std::sync::Arc;
use std::time::Duration;

use mcp_runtime::Tasks;
use mcp_runtime::client::{Client, Revisions};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::proxy::Proxy;
use crate::{Asked, Fixture, WAYS, answering, asked};

const TASKS: usize = 200;

/// How many tasks are followed at the same time.
const AT_ONCE: usize = 20;

/// After which time a task counts as hanging.
const DEADLINE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_tasks_survive_a_bad_network() {
    survive(Revisions::Modern).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_they_do_in_sessions_that_are_lost_with_it() {
    survive(Revisions::Legacy).await;
}

async fn survive(revisions: Revisions) {
    let fixture = Fixture::start(WAYS[1]);
    let server = fixture.listening.as_ref().expect("it listens").url();
    let proxy = Proxy::before(server, 20_260_728, revisions == Revisions::Modern).await;
    let questions = Asked::default();
    let client = answering(Client::http(proxy.url()), &questions)
        .revisions(revisions)
        // What is asked in a session, and again in another, is known again by its key.
        .tasks(Tasks::memory())
        .request_timeout(Duration::from_secs(2))
        .probe_timeout(Duration::from_secs(2))
        .persistence(Duration::from_secs(60));
    let client = client.connect().await.expect("it gets through");
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let (client, places) = (client.clone(), Arc::clone(&places));
        tasks.spawn(async move {
            let _place = places.acquire().await.expect("it stays open");
            let call = client.call_tool("journey", json!({ "to": format!("place {number}") }));
            let mut task = call.create_task(true).timeout(DEADLINE).send().await.expect("a task");
            let result = tokio::time::timeout(DEADLINE, task.result()).await.expect("it does not hang");
            (task.detach(), result.expect("a result").text())
        });
    }
    let mut ids = std::collections::HashSet::new();
    while let Some(done) = tasks.join_next().await {
        let (id, text) = done.expect("a task ends well");
        assert!(text.contains(" accepted "), "{text}");
        assert!(ids.insert(id), "two calls have one task");
    }
    assert!(proxy.troubled() > 15, "the network was too good: {}", proxy.troubled());
    // What the server did is asked of it directly.
    let direct = fixture.client().await;
    let done = direct.call_tool("journeys", json!({})).await.expect("numbers").text();
    assert_eq!(done, format!("{TASKS} {}", 2 * TASKS), "runs and steps");
    let mut questions = asked(&questions);
    assert_eq!(questions.len(), 2 * TASKS, "each question is asked once");
    questions.retain(|question| question != "And who else?");
    questions.sort();
    questions.dedup();
    assert_eq!(questions.len(), TASKS, "each of the first questions was asked");
}
