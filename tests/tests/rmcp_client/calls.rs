//! Ordinary calls, by a client that knows no tasks and by one that does.

use rmcp::model::{GetTaskParams, SubscriptionFilter};
use serde_json::json;

use crate::{call, code, fixture, text, within_a_minute};

#[tokio::test]
async fn results_are_understood() {
    within_a_minute(async {
        let client = fixture(false).await;
        let report = client.call_tool(call("report", json!({}))).await.expect("a result");
        assert_eq!(report.structured_content.expect("structured content")["best"]["note"], "half");
        let missing = client.call_tool(call("lookup", json!({ "name": "third" }))).await.expect("a result");
        assert_eq!(missing.structured_content, Some(json!(null)));
        let picture = client.call_tool(call("picture", json!({}))).await.expect("a result");
        assert_eq!(picture.content.len(), 6);
        assert_eq!(picture.content[1].as_image().expect("an image").mime_type, "image/png");
        let failed =
            client.call_tool(call("fail", json!({ "reason": "no such city" }))).await.expect("a result");
        assert_eq!((text(&failed), failed.is_error), ("no such city", Some(true)));
        let broken = client
            .call_tool(call("limited", json!({ "maxDepth": 9, "name": "Ada" })))
            .await
            .expect("a result");
        assert!(text(&broken).contains("at most 5") && broken.is_error == Some(true));
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn errors_are_understood() {
    within_a_minute(async {
        let client = fixture(false).await;
        assert_eq!(code(client.call_tool(call("refuse", json!({}))).await), 4711);
        assert_eq!(code(client.call_tool(call("explode", json!({}))).await), -32603);
        assert_eq!(code(client.call_tool(call("no_such_tool", json!({}))).await), -32602);
        assert_eq!(code(client.peer().list_all_prompts().await), -32601);
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn progress_reaches_the_client() {
    within_a_minute(async {
        let client = fixture(false).await;
        client.call_tool(call("open", json!({ "gate": "a" }))).await.expect("a result");
        client.call_tool(call("wait", json!({ "gate": "a", "steps": 3 }))).await.expect("a result");
        // The client handles notifications beside its requests; one more round trip puts them in order.
        client.call_tool(call("nothing", json!({}))).await.expect("a result");
        let progress = client.service().progress.lock().expect("not poisoned").clone();
        let told: Vec<_> = progress.iter().map(|step| (step.progress, step.message.as_deref())).collect();
        assert_eq!(
            told,
            [(1.0, Some("step 1")), (2.0, Some("step 2")), (3.0, Some("step 3")), (4.0, Some("through"))]
        );
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled() {
    within_a_minute(Box::pin(async {
        let client = fixture(false).await;
        tokio::select! {
            _ = client.call_tool(call("wait", json!({ "gate": "a" }))) => panic!("the gate is closed"),
            _ = client.call_tool(call("pass", json!({ "gate": "a-reached" }))) => {}
        }
        client.call_tool(call("pass", json!({ "gate": "a-left" }))).await.expect("the function was dropped");
        client.cancel().await.expect("the client ends");
    }))
    .await;
}

#[tokio::test]
async fn a_client_that_knows_no_tasks_gets_results_or_a_reason() {
    within_a_minute(async {
        let client = fixture(false).await;
        let slow = client.call_tool(call("slow", json!({ "ms": 5 }))).await.expect("a result");
        assert_eq!(text(&slow), "took 5 ms");
        assert_eq!(code(client.call_tool(call("required", json!({}))).await), -32021);
        assert_eq!(code(client.peer().get_task(GetTaskParams::new("any")).await), -32021);
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn a_subscription_is_acknowledged_with_nothing_that_there_is_not() {
    within_a_minute(async {
        let client = fixture(false).await;
        let mut filter = SubscriptionFilter::default();
        filter.tools_list_changed = Some(true);
        let mut subscription = client.peer().listen(filter).await.expect("an acknowledgement");
        assert_eq!(subscription.acknowledged(), &SubscriptionFilter::default());
        subscription.cancel().await.expect("the client ends it");
        let sum = client.call_tool(call("add", json!({ "a": 1, "b": 2 }))).await.expect("a result");
        assert_eq!(text(&sum), "3");
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn many_calls_side_by_side_are_all_answered() {
    within_a_minute(async {
        let client = fixture(false).await;
        let calls = (0..200).map(|n| {
            let peer = client.peer().clone();
            tokio::spawn(async move {
                let sum = peer.call_tool(call("add", json!({ "a": n, "b": 1 }))).await.expect("a result");
                assert_eq!(text(&sum), (n + 1).to_string());
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.expect("the call went well");
        }
        client.cancel().await.expect("the client ends");
    })
    .await;
}
