//! Limits: each names itself in the error of whoever reaches it, on both wires, and leaves nothing half done.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::tests::{Made, made, server};
use super::*;
use crate::testing::{ErrorAnswer, TestClient};
use crate::tool::TaskSupport;
use crate::{Context, Principal, ToolResult};

#[derive(Deserialize, JsonSchema)]
struct Name {
    #[allow(dead_code, reason = "only that it was answered matters")]
    name: String,
}

fn person(_: &str, _: &Value) -> Value {
    json!({ "action": "accept", "content": { "name": "Ada" } })
}

/// A tool that ends at once.
fn quick(support: TaskSupport) -> Made {
    made("tool", support, |_| async { ToolResult::text("done") })
}

/// A client of each wire, which answers what it is asked.
async fn clients(service: &Service) -> [TestClient; 2] {
    let legacy = service.test_client().answering(person).legacy("2025-11-25").await.expect("initialized");
    [service.test_client().answering(person), legacy]
}

/// Calls the tool as a task, on whichever wire.
async fn call_as_task(client: &mut TestClient, params: &Value) -> Result<Value, ErrorAnswer> {
    let mut params = params.clone();
    params["name"] = json!("tool");
    params["task"] = json!({});
    client.call("tools/call", params).await
}

/// How a task of this answer ended: what `tasks/get` and `tasks/result` say of it together.
async fn end_of(service: &Service, created: &Value) -> String {
    let id = created["taskId"].as_str().or_else(|| created["task"]["taskId"].as_str()).expect("a task");
    let mut client = service.test_client().answering(person);
    client.follow(id).await.expect("it ends").to_string()
}

fn is_refused(outcome: Result<Value, ErrorAnswer>, limit: &str, value: usize) {
    let error = outcome.expect_err("the limit is reached");
    assert_eq!(error.code, -31029, "{error}");
    assert!(error.message.contains(&format!("`{limit}`")), "{error}");
    assert_eq!(error.data, json!({ "limit": limit, "value": value }));
}

async fn tasks(service: &Service) -> usize {
    service.0.engine.list(&Principal::local(), None, 100).await.expect("a list").len()
}

#[tokio::test]
async fn arguments_of_a_task_are_as_large_as_they_may_be() {
    let limits = Limits { max_arguments_size: 100, ..Limits::default() };
    let large = json!({ "arguments": { "depth": " ".repeat(100) } });
    for support in [TaskSupport::Optional, TaskSupport::Required] {
        let service = server().tool(quick(support)).limits(limits).build().expect("it can be built");
        for mut client in clients(&service).await {
            is_refused(call_as_task(&mut client, &large).await, "max_arguments_size", 100);
            call_as_task(&mut client, &json!({ "arguments": { "depth": 1 } })).await.expect("a task");
        }
        assert_eq!(tasks(&service).await, 2, "nothing is left of what was refused");
    }
}

#[tokio::test]
async fn arguments_of_what_may_become_a_task_are_no_larger() {
    let limits = Limits { max_arguments_size: 100, ..Limits::default() };
    let large = json!({ "name": "tool", "arguments": { "depth": " ".repeat(100) } });
    let (mut after, mut detaching) = (quick(TaskSupport::Optional), quick(TaskSupport::Optional));
    after.task.after = Some(Duration::from_secs(1));
    detaching.task.begins_as_call = true;
    for tool in [after, detaching] {
        let mut client = server().tool(tool).limits(limits).test_client().expect("it can be built");
        is_refused(client.call("tools/call", large.clone()).await, "max_arguments_size", 100);
    }
    let plain = server().tool(quick(TaskSupport::Forbidden)).limits(limits);
    let result = plain.test_client().expect("it can be built").call("tools/call", large).await;
    assert!(result.is_ok_and(|result| result["isError"] == true), "what is never stored is merely wrong");
}

#[tokio::test]
async fn as_many_tasks_are_kept_as_may_be() {
    for (limits, name) in [
        (Limits { max_tasks: 1, ..Limits::default() }, "max_tasks"),
        (Limits { max_tasks_per_principal: 1, ..Limits::default() }, "max_tasks_per_principal"),
        (Limits { max_running_tasks: 1, ..Limits::default() }, "max_running_tasks"),
        (
            Limits { max_running_tasks_per_principal: 1, ..Limits::default() },
            "max_running_tasks_per_principal",
        ),
    ] {
        let endless = made("tool", TaskSupport::Optional, |_| std::future::pending());
        let service = server().tool(endless).limits(limits).build().expect("it can be built");
        let [mut modern, mut legacy] = clients(&service).await;
        call_as_task(&mut modern, &json!({ "idempotencyKey": "key" })).await.expect("a task");
        is_refused(call_as_task(&mut modern, &json!({})).await, name, 1);
        is_refused(call_as_task(&mut legacy, &json!({ "idempotencyKey": "other" })).await, name, 1);
        let again = call_as_task(&mut legacy, &json!({ "idempotencyKey": "key" })).await;
        again.expect("who asks for the same again makes none more");
        assert_eq!(tasks(&service).await, 1);
    }
}

#[tokio::test]
async fn a_task_asks_as_often_as_it_may() {
    let asking = |cx: Context| async move {
        for turn in 0..3 {
            if let Err(error) = cx.elicit::<Name>(format!("Name {turn}?")).await {
                return ToolResult::error(format!("{turn}: {error}"));
            }
        }
        ToolResult::text("asked")
    };
    for (most, said) in [(2, "2: the server's limit `max_questions` is reached (2)"), (3, "asked")] {
        let limits = Limits { max_questions: most, ..Limits::default() };
        let tool = made("tool", TaskSupport::Optional, asking);
        let service = server().tool(tool).limits(limits).build().expect("it can be built");
        for mut client in clients(&service).await {
            let created = call_as_task(&mut client, &json!({})).await.expect("a task");
            // A client of the legacy wire is asked where it waits.
            if let Some(id) = created["task"]["taskId"].as_str() {
                client.call("tasks/result", json!({ "taskId": id })).await.expect("its result");
            }
            let end = end_of(&service, &created).await;
            assert!(end.contains(said), "{end}");
        }
    }
}

#[tokio::test]
async fn a_task_remembers_as_much_as_it_may() {
    let remembering = |cx: Context| async move {
        let large = cx.step("large", || async { "x".repeat(200) }).await;
        let small = cx.step("small", || async { 1 }).await.expect("it fits");
        ToolResult::text(format!("{small}, but {}", large.expect_err("it does not fit")))
    };
    let limits = Limits { max_journal_size: 200, ..Limits::default() };
    let tool = made("tool", TaskSupport::Optional, remembering);
    let service = server().tool(tool).limits(limits).build().expect("it can be built");
    for mut client in clients(&service).await {
        let created = call_as_task(&mut client, &json!({})).await.expect("a task");
        let end = end_of(&service, &created).await;
        assert!(end.contains("1, but") && end.contains("`max_journal_size` is reached (200)"), "{end}");
    }
}

#[tokio::test]
async fn what_a_call_remembers_is_not_too_much_for_the_task_that_it_becomes() {
    let mut tool = made("tool", TaskSupport::Optional, |cx: Context| async move {
        cx.step("large", || async { "x".repeat(200) }).await.expect("a call has it in memory");
        cx.detach().await;
        ToolResult::text("detached")
    });
    tool.task.begins_as_call = true;
    let limits = Limits { max_journal_size: 200, ..Limits::default() };
    let service = server().tool(tool).limits(limits).build().expect("it can be built");
    let refused = service.test_client().call("tools/call", json!({ "name": "tool" })).await;
    is_refused(refused, "max_journal_size", 200);
    assert_eq!(tasks(&service).await, 0);
}

#[tokio::test]
async fn a_result_is_as_large_as_it_may_be() {
    let large = |_| async { ToolResult::text("x".repeat(200)) };
    let limits = Limits { max_result_size: 200, ..Limits::default() };
    let service = server().tool(made("tool", TaskSupport::Optional, large)).limits(limits);
    let service = service.build().expect("it can be built");
    for mut client in clients(&service).await {
        let created = call_as_task(&mut client, &json!({})).await.expect("a task");
        let end = end_of(&service, &created).await;
        assert!(end.contains(r#""limit":"max_result_size","value":200"#), "{end}");
    }
}
