//! Questions that a client makes tasks of its own of, message by message.

use serde_json::{Value, json};

use super::input_tests::{asker, text};
use super::tests::server;
use super::*;
use crate::testing::TestClient;
use crate::tool::TaskSupport;

fn service() -> Service {
    server().tool(asker(TaskSupport::Optional, &Arc::default())).build().expect("it can be built")
}

/// A client that declares that elicitation may be a task, and answers nothing by itself.
async fn client(service: &Service) -> TestClient {
    let mut client = service.test_client().legacy("2025-11-25").await.expect("initialized");
    let tasks = json!({ "cancel": {}, "requests": { "elicitation": { "create": {} } } });
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": { "elicitation": {}, "tasks": tasks },
        "clientInfo": { "name": "test", "version": "0" },
    });
    client.request("initialize", params).await.expect("initialized");
    client
}

/// Begins the tool as a task, and gives its name.
async fn begin(client: &mut TestClient) -> String {
    let call = json!({ "name": "asker", "arguments": {}, "task": {} });
    let created = client.request("tools/call", call).await.expect("a task");
    created["task"]["taskId"].as_str().expect("an id").to_owned()
}

/// The next request of the server's.
async fn asked(client: &mut TestClient) -> Value {
    loop {
        let message = client.notification().await.expect("the server is there");
        if message.get("id").is_some() && message.get("method").is_some() {
            return message;
        }
    }
}

fn answer(client: &TestClient, question: &Value, result: &Value) {
    client.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }).to_string());
}

fn refuse(client: &TestClient, question: &Value) {
    let error = json!({ "code": -32602, "message": "Failed to retrieve task: Task not found" });
    client.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "error": error }).to_string());
}

fn state(name: &str, status: &str) -> Value {
    let at = "2025-11-25T10:30:00Z";
    json!({
        "taskId": name, "status": status, "createdAt": at, "lastUpdatedAt": at, "ttl": 60_000,
        "pollInterval": 3_600_000,
    })
}

fn tell(client: &TestClient, name: &str, status: &str) {
    let method = "notifications/tasks/status";
    client.send(&json!({ "jsonrpc": "2.0", "method": method, "params": state(name, status) }).to_string());
}

/// Takes the next question as a task of this name.
async fn take_on(client: &mut TestClient, name: &str) -> Value {
    let question = asked(client).await;
    assert_eq!(question["method"], "elicitation/create");
    answer(client, &question, &json!({ "task": state(name, "working") }));
    question
}

/// Has the server look at a task of the client's before it is time to, and go on waiting. So it has noted the task.
async fn look(client: &mut TestClient, name: &str) {
    tell(client, name, "working");
    let get = asked(client).await;
    assert_eq!((&get["method"], &get["params"]), (&json!("tasks/get"), &json!({ "taskId": name })));
    answer(client, &get, &state(name, "working"));
}

/// Lets the server see what came of a task of the client's.
async fn complete(client: &mut TestClient, name: &str, content: Value) {
    tell(client, name, "completed");
    let get = asked(client).await;
    assert_eq!((&get["method"], &get["params"]), (&json!("tasks/get"), &json!({ "taskId": name })));
    answer(client, &get, &state(name, "completed"));
    let fetch = asked(client).await;
    assert_eq!((&fetch["method"], &fetch["params"]), (&json!("tasks/result"), &json!({ "taskId": name })));
    let related = json!({ "io.modelcontextprotocol/related-task": { "taskId": name } });
    answer(client, &fetch, &json!({ "action": "accept", "content": content, "_meta": related }));
}

#[tokio::test]
async fn what_a_task_asks_is_a_task_of_the_clients_which_is_polled_and_fetched() {
    let mut client = client(&service()).await;
    let task = begin(&mut client).await;
    let question = take_on(&mut client, "theirs-1").await;
    let params = &question["params"];
    assert!(params["task"]["ttl"].is_u64(), "{question}");
    assert_eq!(params["_meta"]["io.modelcontextprotocol/related-task"]["taskId"], task);
    look(&mut client, "theirs-1").await;
    complete(&mut client, "theirs-1", json!({ "name": "Ada" })).await;
    take_on(&mut client, "theirs-2").await;
    complete(&mut client, "theirs-2", json!({ "colour": "red" })).await;
    let result = client.request("tasks/result", json!({ "taskId": task })).await.expect("a result");
    assert_eq!(text(&result), "Ada likes red (0)");
}

#[tokio::test]
async fn a_client_that_answers_at_once_has_answered() {
    let mut client = client(&service()).await;
    let task = begin(&mut client).await;
    for content in [json!({ "name": "Ada" }), json!({ "colour": "red" })] {
        let question = asked(&mut client).await;
        answer(&client, &question, &json!({ "action": "accept", "content": content }));
    }
    let result = client.request("tasks/result", json!({ "taskId": task })).await.expect("a result");
    assert_eq!(text(&result), "Ada likes red (0)");
}

#[tokio::test]
async fn what_nobody_wants_to_know_any_more_is_cancelled_with_the_client() {
    let mut client = client(&service()).await;
    let task = begin(&mut client).await;
    take_on(&mut client, "theirs").await;
    look(&mut client, "theirs").await;
    client.request("tasks/cancel", json!({ "taskId": task })).await.expect("cancelled");
    let cancel = asked(&mut client).await;
    let expected = (&json!("tasks/cancel"), &json!({ "taskId": "theirs" }));
    assert_eq!((&cancel["method"], &cancel["params"]), expected);
}

#[tokio::test]
async fn a_client_that_cancels_its_task_does_not_answer() {
    let mut client = client(&service()).await;
    let task = begin(&mut client).await;
    take_on(&mut client, "theirs").await;
    tell(&client, "theirs", "cancelled");
    let get = asked(&mut client).await;
    answer(&client, &get, &state("theirs", "cancelled"));
    let result = client.request("tasks/result", json!({ "taskId": task })).await.expect("a result");
    assert_eq!(text(&result), "nobody");
}

#[tokio::test]
async fn what_a_client_has_lost_is_asked_again_by_the_same_key() {
    let service = service();
    let mut first = client(&service).await;
    let task = begin(&mut first).await;
    let key =
        |question: &Value| question["params"]["_meta"]["io.modelcontextprotocol/idempotencyKey"].clone();
    let question = take_on(&mut first, "theirs").await;
    assert!(key(&question).is_string());
    look(&mut first, "theirs").await;
    drop(first);
    let mut second = client(&service).await;
    second.begin("tasks/result", json!({ "taskId": task }));
    let get = asked(&mut second).await;
    assert_eq!(get["method"], "tasks/get");
    refuse(&second, &get);
    let again = asked(&mut second).await;
    assert_eq!((&again["method"], key(&again)), (&json!("elicitation/create"), key(&question)));
}

#[tokio::test]
async fn over_another_connection_the_task_of_before_is_asked_after_and_nothing_is_asked_twice() {
    let service = service();
    let mut first = client(&service).await;
    let task = begin(&mut first).await;
    take_on(&mut first, "theirs").await;
    look(&mut first, "theirs").await;
    drop(first);
    let mut second = client(&service).await;
    let waiting = second.begin("tasks/result", json!({ "taskId": task }));
    let get = asked(&mut second).await;
    assert_eq!((&get["method"], &get["params"]), (&json!("tasks/get"), &json!({ "taskId": "theirs" })));
    answer(&second, &get, &state("theirs", "completed"));
    let fetch = asked(&mut second).await;
    assert_eq!(fetch["method"], "tasks/result");
    answer(&second, &fetch, &json!({ "action": "accept", "content": { "name": "Ada" } }));
    take_on(&mut second, "theirs-2").await;
    complete(&mut second, "theirs-2", json!({ "colour": "red" })).await;
    assert_eq!(text(&second.answer(waiting).await.expect("a result")), "Ada likes red (0)");
}
