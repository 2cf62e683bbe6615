//! The example that offers everything, over HTTP: the fixture of the official suite, in its names and texts.

use rmcp::model::{
    CallToolResponse, CancelTaskParams, GetPromptRequestParams, ReadResourceRequestParams, ResourceContents,
    ServerNotification, SubscriptionFilter, TaskPayload, TaskStatus, UpdateTaskParams,
};
use serde_json::{Value, json};
use tests::{Listening, example};

use crate::tasks::{create, follow, result, state};
use crate::{Client, Connection, call, code, content, over_http, text, within_a_minute};

/// Runs a test with a client that knows tasks and can be asked.
async fn everything(test: impl AsyncFn(&Connection)) {
    let Some(program) = example("everything") else { return };
    within_a_minute(async {
        let server = Listening::start(program);
        let client =
            over_http(&server, Client { knows_tasks: true, answers: true, ..Client::default() }).await;
        test(&client).await;
        client.cancel().await.expect("the client ends");
    })
    .await;
}

fn asked(client: &Connection) -> usize {
    client.service().asked.lock().expect("not poisoned").drain(..).count()
}

#[tokio::test]
async fn tools_answer() {
    everything(async |client| {
        let greeting = client.call_tool(call("greet", json!({ "name": "Ada" }))).await.expect("a result");
        assert_eq!(text(&greeting), "Hello, Ada!");
        let wrong = client.call_tool(call("test_error_handling", json!({}))).await.expect("a result");
        assert_eq!(wrong.is_error, Some(true));
        let mixed = client.call_tool(call("test_multiple_content_types", json!({}))).await.expect("a result");
        assert_eq!(mixed.content.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_client_is_asked_in_the_middle_of_a_call() {
    everything(async |client| {
        for (tool, questions) in [
            ("test_input_required_result_elicitation", 1),
            ("test_input_required_result_request_state", 1),
            ("test_input_required_result_multi_round", 2),
        ] {
            let answered = client.call_tool(call(tool, json!({}))).await.expect("a result");
            assert_ne!(answered.is_error, Some(true), "{tool}");
            assert_eq!(asked(client), questions, "{tool}");
        }
        let prompt = GetPromptRequestParams::new("test_input_required_result_prompt");
        assert!(!client.get_prompt(prompt).await.expect("a prompt").messages.is_empty());
        assert_eq!(asked(client), 1);
    })
    .await;
}

#[tokio::test]
async fn a_capability_that_the_client_does_not_declare_is_missed() {
    everything(async |client| {
        assert_eq!(code(client.call_tool(call("test_missing_capability", json!({}))).await), -32021);
    })
    .await;
}

#[tokio::test]
async fn prompts_and_resources_are_listed_and_read() {
    everything(async |client| {
        let peer = client.peer();
        let prompts = peer.list_all_prompts().await.expect("a list");
        assert!(prompts.iter().any(|prompt| prompt.name == "test_simple_prompt"));
        let unknown = client.get_prompt(GetPromptRequestParams::new("nowhere")).await;
        assert_eq!(code(unknown), -32602);
        peer.complete_prompt_simple("test_prompt_with_arguments", "arg1", "test").await.expect("values");

        let resources = peer.list_all_resources().await.expect("a list");
        assert!(resources.iter().any(|resource| resource.uri == "test://static-text"));
        assert!(!peer.list_all_resource_templates().await.expect("a list").is_empty());
        let read = async |uri: &str| client.read_resource(ReadResourceRequestParams::new(uri)).await;
        let templated = read("test://template/123/data").await.expect("contents").contents;
        let [ResourceContents::TextResourceContents { text, .. }] = &templated[..] else {
            panic!("this is no text: {templated:?}")
        };
        assert!(text.contains("123"));
        assert_eq!(code(read("test://nowhere").await), -32602);
    })
    .await;
}

#[tokio::test]
async fn a_change_is_heard_by_who_listens() {
    everything(async |client| {
        let filter = SubscriptionFilter::builder().tools_list_changed().build();
        let mut subscription = client.peer().listen(filter).await.expect("acknowledged");
        client.call_tool(call("test_trigger_tool_change", json!({}))).await.expect("a result");
        let heard = subscription.next().await.expect("no error");
        assert!(matches!(heard, Some(ServerNotification::ToolListChangedNotification(_))), "{heard:?}");
        subscription.cancel().await.expect("it ends");
    })
    .await;
}

#[tokio::test]
async fn tasks_end_each_in_its_way() {
    everything(async |client| {
        let created = create(client, "slow_compute", json!({ "seconds": 1, "label": "one" })).await;
        assert_ne!(result(follow(client, &created).await).is_error, Some(true));

        let created = create(client, "slow_compute", json!({ "seconds": 60, "label": "long" })).await;
        client.peer().cancel_task(CancelTaskParams::new(&created.task.task_id)).await.expect("acknowledged");
        assert_eq!(follow(client, &created).await.status(), TaskStatus::Cancelled);

        let created = create(client, "failing_job", json!({})).await;
        assert_eq!(result(follow(client, &created).await).is_error, Some(true));
        let created = create(client, "protocol_error_job", json!({})).await;
        assert_eq!(follow(client, &created).await.status(), TaskStatus::Failed);
    })
    .await;
}

#[tokio::test]
async fn a_task_asks_and_goes_on() {
    everything(async |client| {
        let created = create(client, "confirm_delete", json!({ "filename": "a.txt" })).await;
        assert_ne!(result(answer_and_follow(client, &created).await).is_error, Some(true));
        let created = create(client, "multi_input", json!({})).await;
        assert_ne!(result(answer_and_follow(client, &created).await).is_error, Some(true));

        // A call that asks first, and is a task from then on.
        let asking = client.call_tool_once(call("test_tool_with_task", json!({}))).await.expect("an answer");
        let CallToolResponse::InputRequired(asking) = asking else { panic!("nothing was asked: {asking:?}") };
        let requests = serde_json::to_value(asking.input_requests).expect("requests are JSON");
        let mut again = call("test_tool_with_task", json!({}));
        again.input_responses = Some(answers(&requests));
        again.request_state = asking.request_state;
        let CallToolResponse::Task(created) = client.call_tool_once(again).await.expect("an answer") else {
            panic!("it became no task")
        };
        assert!(text(&result(follow(client, &created).await)).contains("Ada"));
    })
    .await;
}

/// An answer to each of the questions, by its key.
fn answers(requests: &Value) -> std::collections::BTreeMap<String, Value> {
    let requests = requests.as_object().expect("requests by their keys");
    let accept = |request: &Value| json!({ "action": "accept", "content": content(&request["params"]["requestedSchema"]) });
    requests.iter().map(|(key, request)| (key.clone(), accept(request))).collect()
}

/// Answers whatever the task asks until it has ended.
async fn answer_and_follow(
    client: &Connection,
    created: &rmcp::model::CreateTaskResult,
) -> rmcp::model::DetailedTask {
    loop {
        let now = state(client, created).await;
        match now.payload {
            TaskPayload::InputRequired { input_requests } => {
                let requests = serde_json::to_value(input_requests).expect("requests are JSON");
                let update = UpdateTaskParams::new(&created.task.task_id, answers(&requests));
                client.peer().update_task(update).await.expect("acknowledged");
            }
            TaskPayload::Working => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            _ => return follow(client, created).await,
        }
    }
}
