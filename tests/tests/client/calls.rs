//! Calls, and what becomes of them.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_runtime::client::{Client, Error, Revisions};
use serde_json::json;

use crate::{Fixture, everywhere, open, pass, program};

#[tokio::test]
async fn a_call_gives_the_result_on_every_way() {
    everywhere(async |way, fixture| {
        let client = fixture.client().await;
        let version = client.protocol_version().await.expect("it is settled");
        assert_eq!(version, if way.is_modern() { "2026-07-28" } else { "2025-11-25" });
        assert_eq!(client.server_info().await.expect("it is said")["name"], "fixture");
        let sum = client.call_tool("add", json!({ "a": 1, "b": 2 })).await.expect("a sum");
        assert_eq!(sum.clone().into_typed::<i64>().ok(), Some(3));
        assert_eq!((sum.text().as_str(), sum.is_error()), ("3", false));
        client.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_era_of_a_server_is_found_out() {
    let fixture = Fixture::start(crate::WAYS[1]);
    let client = fixture.connect().revisions(Revisions::Any).connect().await.expect("a server");
    assert_eq!(client.protocol_version().await.expect("it is settled"), "2026-07-28");
    // A program that says nothing is no server of either era.
    let mut sleeper = Command::new("sleep");
    sleeper.arg("600");
    let sleeper = Client::process(sleeper).probe_timeout(Duration::from_millis(50));
    let silent = sleeper.request_timeout(Duration::from_millis(50)).connect().await;
    assert!(matches!(silent, Err(Error::TimedOut(_))), "{silent:?}");
}

/// It reads nothing before the client has asked for the handshake, too, as if it had been busy with its start.
#[cfg(unix)]
#[tokio::test]
async fn a_server_that_is_slow_to_start_is_not_taken_for_an_old_one() {
    let script =
        r#"IFS= read -r first; IFS= read -r second; { printf '%s\n%s\n' "$first" "$second"; cat; } | "$0""#;
    let mut slow = Command::new("sh");
    slow.args(["-c", script, env!("CARGO_BIN_EXE_fixture")]);
    let client = Client::process(slow).probe_timeout(Duration::from_millis(20)).connect().await;
    let client = client.expect("a server");
    assert_eq!(client.protocol_version().await.expect("it is settled"), "2026-07-28");
    let sum = client.call_tool("add", json!({ "a": 1, "b": 2 })).await.expect("a sum");
    assert_eq!(sum.text(), "3");
}

#[tokio::test]
async fn what_a_tool_says_of_its_failure_is_a_result_and_a_refusal_is_an_error() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let failed = client.call_tool("failing", json!({})).await.expect("a result");
        assert!(failed.is_error() && failed.text().contains("API rate limit"), "{failed:?}");
        let refused = client.call_tool("refuse", json!({})).await;
        assert!(matches!(&refused, Err(Error::Refused(_))), "{refused:?}");
        let unknown = client.call_tool("no such tool", json!({})).await;
        assert_eq!(unknown.err().and_then(|error| error.code()), Some(-32602));
        let wrong = client.call_tool("add", json!([1, 2])).await;
        assert!(matches!(wrong, Err(Error::Invalid(_))));
    })
    .await;
}

#[tokio::test]
async fn progress_is_heard_while_a_call_runs() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let steps = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&steps);
        let call = client.call_tool("wait", json!({ "gate": "g", "steps": 2 })).create_task(false);
        let call = call.on_progress(move |progress| {
            heard.lock().expect("nobody panicked").push((progress.done, progress.message));
        });
        let (result, ()) = tokio::join!(call.into_future(), async {
            pass(&client, "g-reached").await;
            open(&client, "g").await;
        });
        assert_eq!(result.expect("it is done").text(), "passed g");
        let steps = steps.lock().expect("nobody panicked");
        assert_eq!(steps.last(), Some(&(3.0, Some("through".to_owned()))), "{steps:?}");
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let call = client.call_tool("wait", json!({ "gate": "never" })).create_task(false);
        let call = call.timeout(Duration::from_millis(200)).await;
        assert!(matches!(call, Err(Error::TimedOut(_))), "{call:?}");
        pass(&client, "never-left").await;
        // So is a task that nobody else knows of.
        let call = client.call_tool("wait", json!({ "gate": "nor this" }));
        let call = call.timeout(Duration::from_millis(200)).await;
        assert!(matches!(call, Err(Error::TimedOut(_))), "{call:?}");
        pass(&client, "nor this-left").await;
    })
    .await;
}

#[tokio::test]
async fn a_tool_that_must_be_a_task_is_called_like_any_other() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let result = client.call_tool("required", json!({ "name": "Ada" })).await.expect("a result");
        assert_eq!(result.text(), "ran for Ada");
    })
    .await;
}

#[tokio::test]
async fn a_process_that_ended_is_started_again() {
    for revisions in [Revisions::Modern, Revisions::Legacy] {
        let client = Client::process(program(&[])).revisions(revisions).connect().await.expect("a server");
        let before = client.call_tool("greet", json!({ "name": "Ada" })).await.expect("a greeting");
        client.clone().close().await;
        let after = client.call_tool("greet", json!({ "name": "Ada" })).await.expect("a greeting");
        assert_eq!(before, after);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    let nobody = Client::http("http://127.0.0.1:9/mcp").connect().await;
    assert!(matches!(nobody, Err(Error::Lost(_))), "{nobody:?}");
    let nobody = Client::process(Command::new("/nowhere/to/be/found")).connect().await;
    assert!(
        matches!(&nobody, Err(Error::Lost(why)) if why.starts_with("/nowhere/to/be/found")),
        "{nobody:?}"
    );
    let nobody = Client::http("nowhere").connect().await;
    assert!(matches!(nobody, Err(Error::Invalid(_))), "{nobody:?}");
}

#[tokio::test]
async fn what_a_process_writes_to_its_standard_error_is_heard() {
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let connect = Client::process(program(&[])).on_stderr(move |line| drop(sender.send(line)));
    let client = connect.connect().await.expect("a server");
    let task =
        client.call_tool("tidy", json!({ "gate": "g" })).create_task(true).send().await.expect("a task");
    pass(&client, "g-reached").await;
    task.cancel().await.expect("it can be cancelled");
    open(&client, "g-clean").await;
    assert_eq!(lines.recv().await.as_deref(), Some("cleaned up"));
}

#[tokio::test]
async fn whether_a_server_makes_tasks_is_told_before_anything_is_called() {
    everywhere(async |_, fixture| {
        assert!(fixture.client().await.offers_tasks().await.expect("it is settled"));
    })
    .await;
    let without = Client::process(program(&["--without-tasks"])).connect().await.expect("a server");
    assert!(!without.offers_tasks().await.expect("it is settled"));
}

#[tokio::test]
async fn a_client_that_is_closed_has_told_what_it_gave_up() {
    everywhere(async |way, fixture| {
        // Only a server that outlives the client can say whether it heard of that.
        if !way.over_http {
            return;
        }
        let client = fixture.client().await;
        let call = client.call_tool("wait", json!({ "gate": "g" })).create_task(false).into_future();
        tokio::select! {
            _ = call => panic!("nobody opened the gate"),
            () = pass(&client, "g-reached") => {}
        }
        client.close().await;
        pass(&fixture.client().await, "g-left").await;
    })
    .await;
}
