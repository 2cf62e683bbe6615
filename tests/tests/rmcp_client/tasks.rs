//! Tasks: created, polled, completed, failed, cancelled.

use rmcp::model::{
    CallToolResponse, CallToolResult, CancelTaskParams, CreateTaskResult, DetailedTask, GetTaskParams,
    TaskPayload, TaskStatus, UpdateTaskParams,
};
use serde_json::{Value, json};

use crate::{Connection, call, code, fixture, text, within_a_minute};

/// Calls a tool, which must become a task.
pub(crate) async fn create(client: &Connection, tool: &'static str, arguments: Value) -> CreateTaskResult {
    match client.call_tool_once(call(tool, arguments)).await.expect("an answer") {
        CallToolResponse::Task(created) => created,
        other => panic!("`{tool}` became no task: {other:?}"),
    }
}

pub(crate) async fn state(client: &Connection, created: &CreateTaskResult) -> DetailedTask {
    client.peer().get_task(GetTaskParams::new(&created.task.task_id)).await.expect("a state").task
}

/// Asks for a task until it has ended, as often as its server wishes.
pub(crate) async fn follow(client: &Connection, created: &CreateTaskResult) -> DetailedTask {
    loop {
        let state = state(client, created).await;
        if state.status().is_terminal() {
            return state;
        }
        let pause = state.task.poll_interval_ms.unwrap_or(200).min(200);
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
    }
}

/// The result of a task that completed.
pub(crate) fn result(state: DetailedTask) -> CallToolResult {
    match state.payload {
        TaskPayload::Completed { result } => {
            serde_json::from_value(result.into()).expect("a result of a tool")
        }
        other => panic!("the task did not complete: {other:?}"),
    }
}

#[tokio::test]
async fn a_task_is_created_polled_and_completed() {
    within_a_minute(async {
        let client = fixture(true).await;
        let created = create(&client, "wait", json!({ "gate": "a", "steps": 2 })).await;
        assert_eq!(created.task.status, TaskStatus::Working);
        assert_eq!((created.task.ttl_ms, created.task.poll_interval_ms), (Some(3_600_000), Some(200)));
        client.call_tool(call("pass", json!({ "gate": "a-reached" }))).await.expect("a result");
        let working = state(&client, &created).await;
        assert_eq!(
            (working.status(), working.task.status_message.as_deref()),
            (TaskStatus::Working, Some("step 2"))
        );
        client.call_tool(call("open", json!({ "gate": "a" }))).await.expect("a result");
        let ended = follow(&client, &created).await;
        assert_eq!(ended.task.created_at, created.task.created_at);
        assert_eq!(text(&result(ended)), "passed a");
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn structured_content_comes_through_a_task() {
    within_a_minute(async {
        let client = fixture(true).await;
        for (tool, pointer, value) in
            [("report", "/best/note", json!("half")), ("items", "/0/standing/state", json!("done"))]
        {
            let created = create(&client, tool, json!({})).await;
            let structured =
                result(follow(&client, &created).await).structured_content.expect("structured content");
            assert_eq!(structured.pointer(pointer), Some(&value), "{tool}");
        }
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn a_failed_tool_completes_and_a_failed_request_fails() {
    within_a_minute(async {
        let client = fixture(true).await;
        let created = create(&client, "failing", json!({})).await;
        let failed = result(follow(&client, &created).await);
        assert_eq!((text(&failed), failed.is_error), ("API rate limit exceeded", Some(true)));

        for (tool, message) in [("protocol_error", "the database is gone"), ("collapse", "panicked")] {
            let created = create(&client, tool, json!({})).await;
            let TaskPayload::Failed { error } = follow(&client, &created).await.payload else {
                panic!("`{tool}` must fail")
            };
            assert_eq!(error["code"], -32603);
            assert!(error["message"].as_str().is_some_and(|said| said.contains(message)), "{error:?}");
        }
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn a_task_is_cancelled() {
    within_a_minute(async {
        let client = fixture(true).await;
        let created = create(&client, "wait", json!({ "gate": "a" })).await;
        client.call_tool(call("pass", json!({ "gate": "a-reached" }))).await.expect("a result");
        for _ in 0..2 {
            client
                .peer()
                .cancel_task(CancelTaskParams::new(&created.task.task_id))
                .await
                .expect("acknowledged");
        }
        assert_eq!(follow(&client, &created).await.status(), TaskStatus::Cancelled);
        client.call_tool(call("pass", json!({ "gate": "a-left" }))).await.expect("the function was dropped");
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn an_update_that_nobody_waits_for_is_acknowledged() {
    within_a_minute(async {
        let client = fixture(true).await;
        let created = create(&client, "wait", json!({ "gate": "never" })).await;
        let params = json!({ "taskId": created.task.task_id, "inputResponses": {} });
        let params: UpdateTaskParams = serde_json::from_value(params).expect("parameters");
        client.peer().update_task(params).await.expect("acknowledged");
        assert_eq!(state(&client, &created).await.status(), TaskStatus::Working);
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn a_task_that_is_not_there_is_an_error() {
    within_a_minute(async {
        let client = fixture(true).await;
        let unknown = "786512e2-9e0d-44bd-8f29-789f320fe840";
        assert_eq!(code(client.peer().get_task(GetTaskParams::new(unknown)).await), -32602);
        assert_eq!(code(client.peer().cancel_task(CancelTaskParams::new(unknown)).await), -32602);
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn a_tool_that_is_no_task_and_arguments_that_are_wrong_are_answered_at_once() {
    within_a_minute(async {
        let client = fixture(true).await;
        let greeting = client.call_tool(call("greet", json!({ "name": "Ada" }))).await.expect("a result");
        assert_eq!(text(&greeting), "Hello, Ada!");
        let broken = client.call_tool(call("slow", json!({ "ms": -1 }))).await.expect("a result");
        assert_eq!(broken.is_error, Some(true));
        let created = create(&client, "required", json!({ "name": "Ada" })).await;
        assert_eq!(text(&result(follow(&client, &created).await)), "ran for Ada");
        client.cancel().await.expect("the client ends");
    })
    .await;
}
