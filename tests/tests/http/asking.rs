//! What a client with a session is asked: on the stream of its call, on its own stream, and while it waits for a result.

use mcp_runtime::{Http, Limits};
use serde_json::{Value, json};
use tests::names;

use crate::inside::{Asking, Reply, Session, text};
use crate::tools::{server, server_with};

async fn askable(http: &Http) -> Session {
    Session::open_with(http, json!({ "elicitation": {} })).await
}

async fn task(session: &Session, http: &Http) -> Value {
    let params = json!({ "name": "confirm", "arguments": {}, "task": {} });
    let made = session.ask(1, "tools/call", params).to(http).await.json().await;
    json!({ "taskId": made["result"]["task"]["taskId"] })
}

/// The next question of a stream.
async fn question(stream: &mut Reply) -> Value {
    loop {
        let message = stream.message().await.expect("a question");
        if message["method"] == "elicitation/create" {
            return message;
        }
    }
}

async fn accept(session: &Session, http: &Http, question: &Value) {
    let result = json!({ "action": "accept", "content": { "sure": true } });
    let reply = session.respond(&question["id"], result).to(http).await;
    assert_eq!(reply.status, 202);
}

fn is_of(question: &Value, task: &Value) -> bool {
    question["params"]["_meta"][names::RELATED_TASK] == *task
}

#[tokio::test]
async fn a_call_asks_on_its_own_stream_and_goes_on_with_the_answer() {
    let http = server().0.http();
    let session = askable(&http).await;
    let mut call = session.call(1, "confirm", json!({})).to(&http).await;
    let question = question(&mut call).await;
    assert_eq!(question["params"]["message"], "Really?");
    accept(&session, &http, &question).await;
    assert_eq!(text(&call.message().await.expect("the answer")), "confirmed");
    assert_eq!(call.message().await, None, "then the stream ends");
}

#[tokio::test]
async fn a_task_asks_who_waits_for_its_result_where_nobody_listens() {
    let http = server().0.http();
    let session = askable(&http).await;
    let task = task(&session, &http).await;
    let mut waiting = session.ask(2, "tasks/result", task.clone()).to(&http).await;
    let question = question(&mut waiting).await;
    assert!(is_of(&question, &task), "{question}");
    accept(&session, &http, &question).await;
    let result = waiting.message().await.expect("the result");
    assert_eq!(text(&result), "confirmed");
    assert_eq!(result["result"]["_meta"][names::RELATED_TASK], task);
}

#[tokio::test]
async fn a_task_asks_whoever_begins_to_listen() {
    let http = server().0.http();
    let session = askable(&http).await;
    let task = task(&session, &http).await;
    let mut heard = session.get().to(&http).await;
    let question = question(&mut heard).await;
    assert!(is_of(&question, &task), "{question}");
    accept(&session, &http, &question).await;
    // It was asked already, so who waits for the result gets nothing else.
    let result = session.ask(2, "tasks/result", task).to(&http).await.messages_or_json().await;
    assert_eq!(result.len(), 1, "{result:?}");
    assert_eq!(text(&result[0]), "confirmed");
}

#[tokio::test]
async fn a_question_that_nobody_can_read_any_more_is_asked_again() {
    let http = server().0.http();
    let session = askable(&http).await;
    let task = task(&session, &http).await;
    let mut lost = session.ask(2, "tasks/result", task.clone()).to(&http).await;
    question(&mut lost).await;
    drop(lost);
    let mut waiting = session.ask(3, "tasks/result", task).repeatedly().to(&http).await;
    let again = question(&mut waiting).await;
    accept(&session, &http, &again).await;
    assert_eq!(text(&waiting.message().await.expect("the result")), "confirmed");
}

#[tokio::test]
async fn an_answer_that_is_too_large_ends_the_wait_for_it() {
    let limits = Limits { max_message_size: 2000, ..Limits::default() };
    let http = server_with(limits).0.http();
    let session = askable(&http).await;
    let mut call = session.call(1, "confirm", json!({})).to(&http).await;
    let question = question(&mut call).await;
    let result = json!({ "action": "accept", "content": { "sure": true }, "more": "x".repeat(3000) });
    assert_eq!(session.respond(&question["id"], result).to(&http).await.status, 413);
    let answer = call.message().await.expect("the answer");
    assert!(text(&answer).contains("max_message_size"), "{answer}");
}

#[tokio::test]
async fn a_client_that_was_not_asked_before_and_has_no_session_is_told_what_is_missing() {
    let http = server().0.http();
    let call = json!({ "name": "confirm", "arguments": {} });
    let refusal = Asking::modern(1, "tools/call", call).to(&http).await;
    assert_eq!(refusal.status, 400);
    let refusal = refusal.json().await;
    assert_eq!(refusal["error"]["code"], -32021);
    assert_eq!(refusal["error"]["data"]["requiredCapabilities"], json!({ "elicitation": {} }));
}
