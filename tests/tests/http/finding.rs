//! Partial results, and tasks that are made of tasks, over HTTP.

use serde_json::{Value, json};
use tests::{names, partials};

use crate::inside::{Asking, Session, text};
use crate::tools::server;

#[tokio::test]
async fn a_subscriber_of_the_stateless_revision_hears_of_both() {
    let (service, gates) = server();
    let http = service.http();
    let call = json!({ "name": "find", "arguments": { "gate": "a" } });
    let made = Asking::with_tasks(1, "tools/call", call).to(&http).await.json().await;
    let params = json!({ "notifications": { "taskIds": [made["result"]["taskId"]] } });
    let mut heard = Asking::with_tasks(2, "subscriptions/listen", params).to(&http).await;
    let mut numbers = Vec::new();
    gates.passed("a-reached").await;
    gates.open("a");
    let end = loop {
        let message = heard.message().await.expect("a message");
        let state = &message["params"];
        numbers.extend(partials(state).map(|(numbers, ..)| numbers).unwrap_or_default());
        if state["status"] == "completed" {
            break message;
        }
    };
    assert_eq!(numbers, [0, 1], "each once");
    let end = &end["params"];
    assert_eq!(text(end), "passed a");
    let family = &end["_meta"][names::CHILDREN];
    assert_eq!((&family["count"], &family["tasks"][0]["tool"]), (&json!(1), &json!("wait")));
}

#[tokio::test]
async fn a_session_hears_the_end_of_a_task_when_it_comes_to_hear() {
    let (service, gates) = server();
    let http = service.http();
    let session = Session::open(&http).await;
    let params = json!({ "name": "find", "arguments": { "gate": "a" }, "task": {} });
    let made = session.ask(1, "tools/call", params).to(&http).await.json().await;
    let task = &made["result"]["task"]["taskId"];
    gates.open("a");
    let result = session.ask(2, "tasks/result", json!({ "taskId": task })).to(&http).await.json().await;
    assert_eq!(text(&result), "passed a");
    // Nobody listened so far.
    let mut stream = session.get().to(&http).await;
    let told = stream.message().await.expect("a status");
    assert_eq!((&told["params"]["taskId"], &told["params"]["status"]), (task, &json!("completed")));
    assert_eq!(partials(&told["params"]), Some((vec![0, 1], 0, 2)));
}

#[tokio::test]
async fn a_call_streams_what_it_finds_and_how_far_it_is() {
    let (service, gates) = server();
    let http = service.http();
    gates.open("a");
    let session = Session::open(&http).await;
    for reply in [
        session.call_with_progress(1, "find", json!({ "gate": "a" })).to(&http).await,
        Asking::modern(
            2,
            "tools/call",
            json!({ "name": "find", "arguments": { "gate": "a" }, "_meta": { "progressToken": 2 } }),
        )
        .to(&http)
        .await,
    ] {
        let messages = reply.messages().await;
        let progress: Vec<&Value> = messages.iter().map(|message| &message["params"]["progress"]).collect();
        assert!(progress.len() > 2 && progress[progress.len() - 1].is_null(), "{messages:?}");
        let numbers: Vec<u64> =
            messages.iter().filter_map(|message| partials(&message["params"])).flat_map(|it| it.0).collect();
        assert_eq!(numbers, [0, 1]);
        assert_eq!(text(&messages[messages.len() - 1]), "passed a");
    }
}
