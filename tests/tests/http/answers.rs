//! One body or a stream, and what becomes of a request whose client goes away.

use std::time::Duration;

use mcp_runtime::{Http, Sessions};
use serde_json::{Value, json};

use crate::inside::{Asking, Session, text};
use crate::tools::{Gates, server};

fn http() -> (Http, Gates) {
    let (service, gates) = server();
    (service.http(), gates)
}

fn call(tool: &str, arguments: Value) -> Asking {
    Asking::modern(1, "tools/call", json!({ "name": tool, "arguments": arguments }))
}

fn call_with_progress(tool: &str, arguments: Value) -> Asking {
    let meta = json!({ "progressToken": "p" });
    Asking::modern(1, "tools/call", json!({ "name": tool, "arguments": arguments, "_meta": meta }))
}

#[tokio::test]
async fn an_answer_alone_is_one_body() {
    let (http, _) = http();
    // Before a tool has proved quick, and after.
    for _ in 0..20 {
        let reply = call("add", json!({ "a": 1, "b": 2 })).to(&http).await;
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(text(&reply.json().await), "3");
    }
}

#[tokio::test]
async fn what_comes_before_the_answer_makes_it_a_stream_that_ends_with_it() {
    let (http, _) = http();
    for _ in 0..20 {
        let reply = call_with_progress("tell", json!({})).to(&http).await;
        assert_eq!(reply.header("x-accel-buffering"), "no");
        assert_eq!(reply.header("cache-control"), "no-store");
        let messages = reply.messages().await;
        assert_eq!(messages.len(), 3);
        assert_eq!(messages[0]["params"]["progress"], 1);
        assert_eq!(text(&messages[2]), "told");
    }
}

#[tokio::test]
async fn a_stream_is_heard_while_the_call_goes_on() {
    let (http, gates) = http();
    let mut reply = call_with_progress("wait", json!({ "gate": "a" })).to(&http).await;
    let event = reply.event().await.expect("an event");
    assert_eq!(event.id, None, "streams of the stateless revision cannot be come back to");
    assert_eq!(event.message.expect("a message")["params"]["message"], "waiting");
    gates.open("a");
    assert_eq!(reply.message().await.expect("progress")["params"]["message"], "through");
    assert_eq!(text(&reply.message().await.expect("the answer")), "passed a");
    assert_eq!(reply.event().await, None);
}

#[tokio::test]
async fn a_client_gets_what_it_can_take() {
    let (http, _) = http();
    let only_json =
        call_with_progress("tell", json!({})).header("Accept", "application/json").to(&http).await;
    assert_eq!(text(&only_json.json().await), "told", "what comes before is left out");
    let only_events = call("add", json!({ "a": 1, "b": 2 })).header("Accept", "text/event-stream");
    let messages = only_events.to(&http).await.messages().await;
    assert_eq!(text(&messages[0]), "3");
    let anything = call("add", json!({ "a": 1, "b": 2 })).without("Accept").to(&http).await;
    assert_eq!(text(&anything.json().await), "3");
    let listen = Asking::modern(1, "subscriptions/listen", json!({ "notifications": {} }));
    let reply = listen.header("Accept", "application/json").to(&http).await;
    assert_eq!(reply.status, 406, "a subscription is nothing but a stream");
}

#[tokio::test(start_paused = true)]
async fn who_waits_long_is_shown_that_somebody_is_there() {
    let (http, gates) = http();
    let http = http.keep_alive(Duration::from_secs(15));
    let mut reply = call("brood", json!({ "gate": "a" })).to(&http).await;
    assert!(reply.is_stream());
    reply.comment().await;
    gates.open("a");
    assert_eq!(text(&reply.message().await.expect("the answer")), "passed a");
    assert_eq!(reply.event().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_a_while_becomes_a_task_on_the_stream_where_it_said_how_far_it_is() {
    let (http, gates) = http();
    let arguments = json!({ "name": "wait_a_while", "arguments": { "gate": "a" } });
    let mut params = arguments.clone();
    params["_meta"]["progressToken"] = json!("p");
    let messages = Asking::with_tasks(1, "tools/call", params).to(&http).await.messages().await;
    assert_eq!(messages[0]["params"]["message"], "waiting");
    let task = &messages[1]["result"];
    assert_eq!((messages.len(), &task["resultType"]), (2, &json!("task")));
    gates.open("a");
    let direct = Asking::with_tasks(2, "tools/call", arguments).to(&http).await.json().await;
    assert_eq!(text(&direct), "passed a");
}

/// "Closing the SSE response stream MUST be treated by the server as cancellation of that request."
#[tokio::test]
async fn a_client_of_the_stateless_revision_cancels_by_going_away() {
    let (http, gates) = http();
    // In the middle of a stream.
    let mut reply = call_with_progress("wait", json!({ "gate": "a" })).to(&http).await;
    reply.event().await;
    drop(reply);
    gates.passed("a-left").await;
    assert!(!gates.is_open("a"));
    // Before anything was said.
    let waiting = tokio::spawn({
        let http = http.clone();
        async move { call("brood", json!({ "gate": "b" })).to(&http).await }
    });
    gates.passed("b-reached").await;
    waiting.abort();
    gates.passed("b-left").await;
}

#[tokio::test]
async fn a_tool_that_cleans_up_has_the_time_to_do_so() {
    let (http, gates) = http();
    let waiting = tokio::spawn({
        let http = http.clone();
        async move { call("tidy", json!({ "gate": "a" })).to(&http).await }
    });
    gates.passed("a-reached").await;
    waiting.abort();
    let _ = waiting.await;
    gates.open("a-clean");
    gates.passed("a").await;
}

/// "Disconnection SHOULD NOT be interpreted as the client cancelling its request."
#[tokio::test]
async fn a_client_of_an_earlier_revision_may_go_away_and_cancels_by_saying_so() {
    let (http, gates) = http();
    let session = Session::open(&http).await;
    let mut reply = session.call_with_progress(1, "wait", json!({ "gate": "a" })).to(&http).await;
    reply.event().await;
    drop(reply);
    let mut second = session.call_with_progress(2, "wait", json!({ "gate": "b" })).to(&http).await;
    second.message().await.expect("progress");
    let cancel = session.notify("notifications/cancelled", json!({ "requestId": 2 })).to(&http).await;
    assert_eq!(cancel.status, 202);
    gates.passed("b-left").await;
    assert_eq!(second.message().await, None, "what was cancelled is not answered, and its stream ends");
    assert!(!gates.is_open("a-left"), "the other one goes on");
    gates.open("a");
    gates.passed("a-left").await;
}

#[tokio::test]
async fn what_was_cancelled_before_a_word_of_it_ends_without_one() {
    let (http, gates) = http();
    let session = Session::open(&http).await;
    let waiting = tokio::spawn({
        let (http, call) = (http.clone(), session.call(1, "brood", json!({ "gate": "a" })));
        async move { call.to(&http).await }
    });
    gates.passed("a-reached").await;
    session.notify("notifications/cancelled", json!({ "requestId": 1 })).to(&http).await;
    let reply = waiting.await.expect("no panic");
    assert_eq!((reply.status.as_u16(), reply.text().await.as_str()), (202, ""));
}

#[tokio::test]
async fn times_may_be_as_long_as_there_are() {
    let (service, gates) = server();
    let long = Duration::MAX;
    let sessions = Sessions::default().idle(long);
    let http = service.http().keep_alive(long).retry(long).body_timeout(long).drain(long).sessions(sessions);
    let session = Session::open(&http).await;
    let mut reply = session.call_with_progress(1, "wait", json!({ "gate": "a" })).to(&http).await;
    reply.message().await.expect("progress");
    gates.open("a");
    assert_eq!(reply.messages().await.len(), 2);
    session.delete().to(&http).await;
    http.shut_down().await;
}
