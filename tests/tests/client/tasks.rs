//! Tasks: followed, left alone, resumed, cancelled, and how they end.

use std::time::Duration;

use mcp_runtime::client::{Error, TaskState};
use serde_json::{Value, json};

use crate::{everywhere, open, pass};

#[tokio::test]
async fn a_task_is_followed_to_its_result_which_may_be_had_again() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let call = client.call_tool("wait", json!({ "gate": "g", "steps": 2 }));
        let mut task = call.create_task(true).ttl(Duration::from_secs(3600)).send().await.expect("a task");
        assert_eq!(task.status().state, TaskState::Working);
        pass(&client, "g-reached").await;
        let status = client.get_task_status(task.id()).await.expect("a status");
        assert_eq!(status.message.as_deref(), Some("step 2"));
        open(&client, "g").await;
        let mut last = None;
        while let Some(status) = task.next().await {
            last = Some(status.expect("a status").state);
        }
        assert_eq!(last, Some(TaskState::Completed));
        assert_eq!(task.result().await.expect("a result").text(), "passed g");
        for _ in 0..2 {
            let again = client.get_task_result(task.id()).await.expect("a result");
            assert_eq!(again.text(), "passed g");
        }
    })
    .await;
}

#[tokio::test]
async fn a_task_is_left_alone_and_resumed_by_its_id() {
    everywhere(async |way, fixture| {
        let client = fixture.client().await;
        let task = client.call_tool("wait", json!({ "gate": "g" })).create_task(true).send().await;
        let id = task.expect("a task").detach();
        pass(&client, "g-reached").await;
        // Another client is another program, where the server outlives one.
        let other = if way.over_http { fixture.client().await } else { client.clone() };
        let mut task = other.resume(&id).await.expect("it is there");
        open(&client, "g").await;
        assert_eq!(task.result().await.expect("a result").text(), "passed g");
        let unknown = other.resume("00000000-0000-4000-8000-000000000000").await;
        assert!(matches!(unknown, Err(Error::TaskExpired { .. })), "{unknown:?}");
    })
    .await;
}

#[tokio::test]
async fn a_task_is_cancelled() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let task = client.call_tool("wait", json!({ "gate": "g" })).create_task(true).send().await;
        let mut task = task.expect("a task");
        pass(&client, "g-reached").await;
        task.cancel().await.expect("it can be cancelled");
        let cancelled = task.result().await;
        assert!(matches!(cancelled, Err(Error::TaskCancelled { .. })), "{cancelled:?}");
        pass(&client, "g-left").await;
        let again = client.get_task_result(task.id()).await;
        assert!(matches!(again, Err(Error::TaskCancelled { .. })), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn how_a_task_ends_is_told_by_types() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let end = async |tool: &str| {
            let task = client.call_tool(tool, json!({})).create_task(true).send().await;
            task.expect("a task").result().await
        };
        let failing = end("failing").await.expect("a result");
        assert!(failing.is_error() && failing.text().contains("API rate limit"));
        let error = end("protocol_error").await;
        assert!(
            matches!(&error, Err(Error::TaskFailed { error, .. }) if error.code() == -32603),
            "{error:?}"
        );
        let panicked = end("collapse").await;
        assert!(matches!(panicked, Err(Error::TaskFailed { .. })), "{panicked:?}");
    })
    .await;
}

#[tokio::test]
async fn a_task_that_is_kept_no_longer_has_expired() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let task = client.call_tool("brief", json!({})).create_task(true).send().await;
        let mut task = task.expect("a task");
        task.result().await.expect("a result");
        loop {
            match client.get_task_result(task.id()).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(Error::TaskExpired { id }) => break assert_eq!(&*id, task.id()),
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn partial_results_come_in_order_and_once() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let task =
            client.call_tool("find", json!({ "count": 10, "gate": "g" })).create_task(true).send().await;
        let mut task = task.expect("a task");
        pass(&client, "g-reached").await;
        let mut found: Vec<Value> = Vec::new();
        while let Some(status) = task.next().await {
            found.extend(status.expect("a status").partials);
            if found.len() == 5 {
                open(&client, "g").await;
            }
        }
        let expected: Vec<_> = (0..10).map(|number| json!({ "number": number })).collect();
        assert_eq!(found, expected);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_gives_the_result_itself_is_told_from_one_that_makes_a_task() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let direct = client.call_tool("add", json!({ "a": 1, "b": 2 })).send().await;
        assert!(matches!(&direct, Err(Error::NoTask(result)) if result.text() == "3"), "{direct:?}");
    })
    .await;
}

#[tokio::test]
async fn tasks_are_listed_where_a_server_offers_that() {
    everywhere(async |way, fixture| {
        let client = fixture.client().await;
        let task = client.call_tool("wait", json!({ "gate": "g" })).create_task(true).send().await;
        let task = task.expect("a task");
        let tasks = client.list_tasks().await;
        match (way.is_modern(), way.over_http) {
            (true, _) => assert!(matches!(tasks, Err(Error::Unsupported(_))), "{tasks:?}"),
            (false, false) => assert!(tasks.is_ok_and(|tasks| tasks.iter().any(|one| *one.id == *task.id()))),
            // Nobody knows there whose tasks they are.
            (false, true) => assert_eq!(tasks.err().and_then(|error| error.code()), Some(-32601)),
        }
        task.cancel().await.expect("it can be cancelled");
    })
    .await;
}

#[tokio::test]
async fn the_parts_of_a_task_are_told_of() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let call = client.call_tool("pass_all", json!({ "gates": ["a", "b"] })).create_task(true).send();
        let mut task = call.await.expect("a task");
        pass(&client, "a-reached").await;
        pass(&client, "b-reached").await;
        let parts = loop {
            let status = task.next().await.expect("it is not over").expect("a status");
            let at_gates = status.children.iter().filter(|part| part.progress == Some((1.0, Some(2.0))));
            if at_gates.count() == 2 {
                break status.children;
            }
        };
        assert!(parts.iter().all(|part| part.tool == "pass_one" && part.state == TaskState::Working));
        let part = client.get_task_status(&parts[0].id).await.expect("a part is a task like any other");
        assert_eq!(part.state, TaskState::Working);
        open(&client, "a").await;
        open(&client, "b").await;
        assert_eq!(task.result().await.expect("a result").text(), "a, b");
        assert!(task.status().children.iter().all(|part| part.state == TaskState::Completed));
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_sent_again_when_its_task_is_over_gives_the_result() {
    everywhere(async |way, fixture| {
        let client = fixture.client().await;
        let call = || {
            let call = client.call_tool("wait", json!({ "gate": "g" })).create_task(true);
            call.idempotency_key(format!("{:?}", way.revisions))
        };
        open(&client, "g").await;
        let mut first = call().send().await.expect("a task");
        assert_eq!(first.result().await.expect("a result").text(), "passed g");
        let mut again = call().send().await.expect("a task");
        assert_eq!(again.id(), first.id());
        assert_eq!(again.result().await.expect("a result").text(), "passed g");
    })
    .await;
}
