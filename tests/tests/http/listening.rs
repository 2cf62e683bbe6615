//! Subscriptions of the stateless revision, and what is heard of tasks on them.

use std::time::Duration;

use mcp_runtime::Http;
use serde_json::{Value, json};
use tests::names;

use crate::inside::{Asking, Reply};
use crate::tools::server;

async fn task(http: &Http, gate: &str, principal: &str) -> Value {
    let call = json!({ "name": "wait", "arguments": { "gate": gate } });
    let made = Asking::with_tasks(1, "tools/call", call).by(principal).to(http).await.json().await;
    made["result"]["taskId"].clone()
}

async fn listen(http: &Http, tasks: &[&Value], principal: &str) -> Reply {
    let params = json!({ "notifications": { "taskIds": tasks } });
    Asking::with_tasks(9, "subscriptions/listen", params).by(principal).to(http).await
}

#[tokio::test]
async fn a_task_is_heard_of_to_its_end() {
    let (service, gates) = server();
    let http = service.http();
    let task = task(&http, "a", "ada").await;
    let mut heard = listen(&http, &[&task], "ada").await;
    assert!(heard.is_stream());
    let acknowledged = heard.message().await.expect("the acknowledgement");
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"]["taskIds"], json!([task]));
    gates.open("a");
    loop {
        let message = heard.message().await.expect("a status");
        assert_eq!(message["method"], "notifications/tasks");
        assert_eq!(message["params"]["_meta"][names::SUBSCRIPTION_ID], 9);
        if message["params"]["status"] == "completed" {
            assert_eq!(message["params"]["result"]["content"][0]["text"], "passed a", "complete at its end");
            break;
        }
    }
}

#[tokio::test]
async fn the_tasks_of_others_are_not_heard_of() {
    let (service, gates) = server();
    let http = service.http();
    let (hers, theirs) = (task(&http, "a", "ada").await, task(&http, "b", "eve").await);
    let mut heard = listen(&http, &[&hers, &theirs], "ada").await;
    let acknowledged = heard.message().await.expect("the acknowledgement");
    assert_eq!(acknowledged["params"]["notifications"]["taskIds"], json!([hers]));
    gates.open("b");
    gates.passed("b-left").await;
    gates.open("a");
    loop {
        let message = heard.message().await.expect("a status");
        assert_eq!(message["params"]["taskId"], hers);
        if message["params"]["status"] == "completed" {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_on_which_nothing_is_said_is_kept_alive() {
    let http = server().0.http().keep_alive(Duration::from_secs(5));
    let mut heard = listen(&http, &[], "ada").await;
    heard.message().await.expect("the acknowledgement");
    heard.comment().await;
}

#[tokio::test]
async fn tasks_need_the_extension() {
    let http = server().0.http();
    let params = json!({ "notifications": { "taskIds": ["a"] } });
    let reply = Asking::modern(9, "subscriptions/listen", params).to(&http).await;
    assert_eq!((reply.status.as_u16(), reply.code().await), (400, -32021));
}
