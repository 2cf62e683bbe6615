//! Sessions: whose they are, how long they live, and what is heard on them.

use std::time::Duration;

use http::Method;
use mcp_runtime::Sessions;
use serde_json::json;

use crate::inside::{Asking, Session, initialize, text};
use crate::tools::server;

#[tokio::test]
async fn a_session_that_ended_is_not_there_any_more() {
    let (service, gates) = server();
    let http = service.http();
    let session = Session::open(&http).await;
    let mut heard = session.get().to(&http).await;
    let mut call = session.call_with_progress(1, "wait", json!({ "gate": "a" })).to(&http).await;
    call.message().await.expect("progress");
    assert_eq!(session.delete().to(&http).await.status, 204);
    assert_eq!(heard.event().await, None, "who listened is not kept waiting");
    gates.passed("a-left").await;
    assert_eq!(call.message().await, None, "what it asked for is cancelled");
    assert_eq!(session.ask(2, "ping", json!({})).to(&http).await.status, 404);
    assert_eq!(session.get().to(&http).await.status, 404);
    assert_eq!(session.delete().to(&http).await.status, 404);
}

/// A server runs for months, and clients come and go.
#[tokio::test]
async fn of_a_session_that_ended_nothing_is_left() {
    let http = server().0.http().sessions(Sessions::default().at_most(1));
    let session = Session::open(&http).await;
    let running = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let with_one = running();
    // One that is refused leaves nothing either.
    for _ in 0..10 {
        let reply = Asking::post(initialize("2025-11-25").to_string()).to(&http).await;
        assert_eq!(reply.status, 503);
    }
    session.delete().to(&http).await;
    for _ in 0..10 {
        Session::open(&http).await.delete().to(&http).await;
    }
    while running() >= with_one {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn tasks_outlive_the_session_that_made_them() {
    let (service, gates) = server();
    let http = service.http();
    let session = Session::open(&http).await;
    let params = json!({ "name": "wait", "arguments": { "gate": "a" }, "task": {} });
    let made = session.ask(1, "tools/call", params).to(&http).await.json().await;
    let task = json!({ "taskId": made["result"]["task"]["taskId"] });
    gates.passed("a-reached").await;
    session.delete().to(&http).await;
    let other = Session::open(&http).await;
    let state = other.ask(1, "tasks/get", task.clone()).to(&http).await.json().await;
    assert_eq!(state["result"]["status"], "working");
    gates.open("a");
    let result = other.ask(2, "tasks/result", task).to(&http).await.json().await;
    assert_eq!(text(&result), "passed a");
}

#[tokio::test]
async fn a_session_is_named_to_be_used() {
    let http = server().0.http();
    let session = Session::open(&http).await;
    for method in [Method::GET, Method::DELETE] {
        let bare = || Asking::bare(method.clone()).header("Accept", "text/event-stream");
        assert_eq!(bare().to(&http).await.status, 400);
        for unknown in ["", "nonsense", "00000000000000000000000000000000", &session.id.to_uppercase()] {
            let reply = bare().header("Mcp-Session-Id", unknown).to(&http).await;
            assert_eq!(reply.status, 404, "{unknown:?}");
        }
    }
    let reply = session.get().header("Accept", "application/json").to(&http).await;
    assert_eq!(reply.status, 406);
}

#[tokio::test]
async fn a_session_belongs_to_whoever_opened_it() {
    let http = server().0.http();
    let session = Session::open_as(&http, "2025-11-25", Some("ada")).await;
    assert_eq!(session.ask(1, "ping", json!({})).to(&http).await.status, 200);
    for asking in [session.ask(2, "ping", json!({})), session.get(), session.delete()] {
        assert_eq!(asking.by("eve").to(&http).await.status, 404);
    }
    assert_eq!(session.ask(3, "ping", json!({})).to(&http).await.status, 200);
}

/// "Receivers that cannot identify requestors SHOULD NOT declare the `tasks.list` capability."
#[tokio::test]
async fn only_who_can_be_told_from_others_may_list_tasks() {
    let (service, gates) = server();
    let http = service.http();
    for (principal, seen) in [(None, None), (Some("ada"), Some(1)), (Some("eve"), Some(0))] {
        let reply = {
            let asking = Asking::post(initialize("2025-11-25").to_string());
            let asking = principal.into_iter().fold(asking, Asking::by);
            asking.to(&http).await
        };
        let answer: serde_json::Value = serde_json::from_str(&reply.text().await).expect("JSON");
        let announced = answer["result"]["capabilities"]["tasks"].get("list").is_some();
        assert_eq!(announced, seen.is_some());

        let session = Session::open_as(&http, "2025-11-25", principal).await;
        if principal != Some("eve") {
            let params = json!({ "name": "wait", "arguments": { "gate": "a" }, "task": {} });
            session.ask(1, "tools/call", params).to(&http).await;
        }
        let list = session.ask(2, "tasks/list", json!({})).to(&http).await.json().await;
        match seen {
            None => assert_eq!(list["error"]["code"], -32601),
            Some(count) => assert_eq!(list["result"]["tasks"].as_array().map(Vec::len), Some(count)),
        }
    }
    gates.open("a");
}

#[tokio::test(start_paused = true)]
async fn a_session_of_which_nothing_is_heard_ends() {
    let http = server().0.http().sessions(Sessions::default().idle(Duration::from_secs(60)));
    let quiet = Session::open(&http).await;
    let (busy, listening) = (Session::open(&http).await, Session::open(&http).await);
    let mut heard = listening.get().to(&http).await;
    for id in 0..10 {
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(busy.ask(id, "ping", json!({})).to(&http).await.status, 200);
    }
    assert_eq!(quiet.ask(1, "ping", json!({})).to(&http).await.status, 404);
    heard.comment().await;
    assert_eq!(listening.ask(1, "ping", json!({})).to(&http).await.status, 200);
    drop(heard);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(listening.ask(2, "ping", json!({})).to(&http).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_sessions_and_no_more() {
    let sessions = Sessions::default().at_most(2).idle(Duration::from_secs(60));
    let http = server().0.http().sessions(sessions);
    let first = Session::open(&http).await;
    let _second = Session::open(&http).await;
    let open = || Asking::post(initialize("2025-11-25").to_string());
    let reply = open().to(&http).await;
    assert_eq!((reply.status.as_u16(), reply.header("mcp-session-id")), (503, ""));
    let text = reply.text().await;
    assert!(text.contains("limit on sessions is reached (2)") && text.contains("\"id\":\"open\""), "{text}");
    first.delete().to(&http).await;
    assert_eq!(open().to(&http).await.status, 200);
    assert_eq!(open().to(&http).await.status, 503);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(open().to(&http).await.status, 200, "idle ones make room");
}

#[tokio::test]
async fn what_does_not_open_a_session_opens_none() {
    let http = server().0.http();
    let wrong = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} });
    let reply = Asking::post(wrong.to_string()).to(&http).await;
    assert_eq!(reply.header("mcp-session-id"), "");
    assert_eq!(reply.code().await, -32602);
    let notification = json!({ "jsonrpc": "2.0", "method": "initialize" });
    let reply = Asking::post(notification.to_string()).to(&http).await;
    assert_eq!((reply.status.as_u16(), reply.header("mcp-session-id")), (400, ""));
}

/// The server "MUST NOT broadcast the same message across multiple streams".
#[tokio::test]
async fn what_belongs_to_no_request_is_heard_on_one_stream() {
    let (service, gates) = server();
    let http = service.http();
    let session = Session::open(&http).await;
    let mut first = session.get().to(&http).await;
    let mut second = session.get().to(&http).await;
    let params = json!({ "name": "wait", "arguments": { "gate": "a" }, "task": {} });
    let made = session.ask(1, "tools/call", params).to(&http).await.json().await;
    let task = &made["result"]["task"]["taskId"];
    gates.open("a");
    let over = |message: &serde_json::Value| {
        message["method"] == "notifications/tasks/status"
            && message["params"]["taskId"] == *task
            && message["params"]["status"] == "completed"
    };
    while !over(&second.message().await.expect("a status")) {}
    // The one that came last hears; when it goes, the one before it does.
    drop(second);
    let params = json!({ "name": "wait", "arguments": { "gate": "a" }, "task": {} });
    let made = session.ask(2, "tools/call", params).to(&http).await.json().await;
    let heard = first.message().await.expect("a status");
    assert_eq!(
        heard["params"]["taskId"], made["result"]["task"]["taskId"],
        "and nothing that was heard before"
    );
}
