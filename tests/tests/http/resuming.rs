//! Coming back for what was missed.

use std::time::Duration;

use serde_json::json;

use crate::inside::{Session, text};
use crate::tools::server;

#[tokio::test]
async fn the_first_event_says_nothing_but_how_to_come_back() {
    let (service, gates) = server();
    let http = service.http().retry(Duration::from_millis(700));
    let session = Session::open(&http).await;
    let mut reply = session.call_with_progress(1, "wait", json!({ "gate": "a" })).to(&http).await;
    let first = reply.event().await.expect("an event");
    assert!(first.id.is_some() && first.message.is_none());
    assert_eq!(first.retry, Some(700));
    let second = reply.event().await.expect("an event");
    assert!(second.id.is_some() && second.id != first.id && second.message.is_some());
    gates.open("a");
    // Earlier revisions take an event without a message for a broken one.
    let old = Session::open_as(&http, "2025-06-18", None).await;
    let mut reply = old.call_with_progress(1, "wait", json!({ "gate": "a" })).to(&http).await;
    let first = reply.event().await.expect("an event");
    assert!(first.id.is_some() && first.message.is_some() && first.retry.is_none());
}

#[tokio::test]
async fn a_client_that_lost_its_stream_hears_the_rest() {
    let (service, gates) = server();
    let http = service.http();
    let session = Session::open(&http).await;
    let mut reply = session.call_with_progress(1, "wait", json!({ "gate": "a" })).to(&http).await;
    let primed = reply.event().await.and_then(|event| event.id).expect("an id");
    let progress = reply.event().await.expect("progress");
    drop(reply);

    // From the beginning: what was heard already is said again.
    let mut again = session.resume(&primed).repeatedly().to(&http).await;
    assert_eq!(again.event().await.expect("progress"), progress);
    drop(again);

    // From where it was lost, and on, as it comes.
    let mut rest = session.resume(progress.id.as_deref().expect("an id")).to(&http).await;
    gates.open("a");
    assert_eq!(rest.message().await.expect("progress")["params"]["message"], "through");
    assert_eq!(text(&rest.message().await.expect("the answer")), "passed a");
    assert_eq!(rest.event().await, None);

    // Even after its end.
    let again = session.resume(progress.id.as_deref().expect("an id")).repeatedly();
    let reply = again.to(&http).await;
    assert_eq!(text(reply.messages().await.last().expect("the answer")), "passed a");
}

#[tokio::test]
async fn what_ended_while_nobody_was_there_waits_for_the_client() {
    let (service, gates) = server();
    let http = service.http();
    let session = Session::open(&http).await;
    let _listening = session.get().to(&http).await;
    let mut reply = session.call_with_progress(1, "wait", json!({ "gate": "a" })).to(&http).await;
    let primed = reply.event().await.and_then(|event| event.id).expect("an id");
    drop(reply);
    gates.open("a");
    gates.passed("a-left").await;
    let rest = session.resume(&primed).to(&http).await;
    assert_eq!(text(rest.messages().await.last().expect("the answer")), "passed a");
}

/// What was written to a connection has not arrived.
#[tokio::test]
async fn an_answer_is_kept_for_its_client_however_large_it_is() {
    let http = server().0.http();
    let session = Session::open(&http).await;
    let recite = |id| session.call_with_progress(id, "recite", json!({ "bytes": 2_000_000 }));
    let mut ids = Vec::new();
    for id in 0..3 {
        let mut reply = recite(id).to(&http).await;
        ids.push(reply.event().await.and_then(|event| event.id).expect("an id"));
        while reply.event().await.is_some() {}
    }
    let rest = session.resume(&ids[2]).repeatedly().to(&http).await;
    let messages = rest.messages().await;
    assert_eq!(text(messages.last().expect("the answer")).len(), 2_000_000);
    // But not every one, and not for ever.
    assert_eq!(session.resume(&ids[0]).to(&http).await.status, 400);
}

#[tokio::test]
async fn a_tool_may_send_its_client_away_and_finish_meanwhile() {
    let (service, gates) = server();
    let http = service.http();
    let session = Session::open(&http).await;
    let mut reply = session.call(1, "leave", json!({ "gate": "a" })).to(&http).await;
    let primed = reply.event().await.expect("an event");
    assert_eq!(reply.event().await, None, "the stream ends before the answer");
    let mut back = session.resume(&primed.id.expect("an id")).to(&http).await;
    gates.open("a");
    assert_eq!(text(&back.message().await.expect("the answer")), "passed a");
    assert_eq!(back.event().await, None);
}

#[tokio::test]
async fn a_client_that_cannot_come_back_is_not_sent_away() {
    let (service, gates) = server();
    let http = service.http();
    gates.open("a");
    let old = Session::open_as(&http, "2025-06-18", None).await;
    let reply = old.call(1, "leave", json!({ "gate": "a" })).to(&http).await;
    assert_eq!(text(&reply.json().await), "passed a");
    let new = Session::open(&http).await;
    let call = new.call(1, "leave", json!({ "gate": "a" })).header("Accept", "application/json");
    assert_eq!(text(&call.to(&http).await.json().await), "passed a");
    let modern = crate::inside::Asking::modern(
        1,
        "tools/call",
        json!({ "name": "leave", "arguments": { "gate": "a" } }),
    );
    assert_eq!(text(&modern.to(&http).await.json().await), "passed a");
}

#[tokio::test]
async fn events_that_are_not_there_cannot_be_followed() {
    let http = server().0.http();
    let session = Session::open(&http).await;
    let reply = session.call_with_progress(1, "tell", json!({})).to(&http).await;
    let last = {
        let mut reply = reply;
        let mut last = None;
        while let Some(event) = reply.event().await {
            last = event.id;
        }
        last.expect("an id")
    };
    let other = Session::open(&http).await;
    assert_eq!(other.resume(&last).to(&http).await.status, 400, "a stream of another session");
    for wrong in ["", "nonsense", "999-0", "-1", "1-", "1-99999999999999999999999"] {
        assert_eq!(session.resume(wrong).to(&http).await.status, 400, "{wrong:?}");
    }
    let reply = session.resume(&last).to(&http).await;
    assert_eq!(reply.messages().await.len(), 0, "after the end there is nothing");
}

#[tokio::test]
async fn a_listener_comes_back_to_what_was_said_meanwhile() {
    let (service, gates) = server();
    let http = service.http();
    let session = Session::open(&http).await;
    let mut heard = session.get().to(&http).await;
    gates.open("a");
    let task = |id: i64| {
        session.ask(id, "tools/call", json!({ "name": "wait", "arguments": { "gate": "a" }, "task": {} }))
    };
    task(1).to(&http).await.json().await;
    let last = loop {
        let event = heard.event().await.expect("a status");
        if event.message.expect("a message")["params"]["status"] == "completed" {
            break event.id.expect("an id");
        }
    };
    drop(heard);
    let made = task(2).to(&http).await.json().await;
    let mut back = session.resume(&last).to(&http).await;
    let status = back.message().await.expect("a status");
    assert_eq!(status["params"]["taskId"], made["result"]["task"]["taskId"]);
}
