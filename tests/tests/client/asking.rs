//! What servers ask is answered by the same handlers, in whichever way it is asked, and each question once.

use mcp_runtime::client::Error;
use serde_json::json;

use crate::{Asked, answering, asked, everywhere};

#[tokio::test]
async fn questions_are_answered_in_calls_and_in_tasks() {
    everywhere(async |_, fixture| {
        for as_task in [false, true] {
            let questions = Asked::default();
            let client = answering(fixture.connect(), &questions).connect().await.expect("a server");
            let call = client.call_tool("survey", json!({})).create_task(as_task);
            let result = call.await.expect("a result");
            assert_eq!(result.text(), "accepted {\"name\":\"Ada\"}; nothing; 1");
            let mut questions = asked(&questions);
            questions.sort();
            assert_eq!(questions, ["What is new?", "Who are you?"], "as a task: {as_task}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_call_that_asks_several_times_goes_on_where_it_was() {
    everywhere(async |_, fixture| {
        let questions = Asked::default();
        let client = answering(fixture.connect(), &questions).connect().await.expect("a server");
        let result = client.call_tool("journey", json!({ "to": "Rome" })).create_task(false).await;
        assert!(result.expect("a result").text().starts_with("1 accepted"));
        assert_eq!(asked(&questions), ["Who goes to Rome?", "And who else?"]);
        let page = client.call_tool("visit", json!({})).await.expect("a result");
        assert!(page.text().contains("accepted"), "{page:?}");
    })
    .await;
}

#[tokio::test]
async fn a_call_that_asks_first_and_then_becomes_a_task_is_one_call() {
    everywhere(async |way, fixture| {
        let questions = Asked::default();
        let client = answering(fixture.connect(), &questions).connect().await.expect("a server");
        let result = client.call_tool("depart", json!({})).await.expect("a result");
        let expected = format!(
            "accepted {{\"name\":\"Ada\"}} then accepted {{\"name\":\"Ada\"}}; task: {}",
            way.is_modern()
        );
        assert_eq!(result.text(), expected);
        assert_eq!(asked(&questions), ["Who is it?", "Who else?"]);
    })
    .await;
}

#[tokio::test]
async fn what_has_no_handler_is_not_asked() {
    everywhere(async |way, fixture| {
        let client = fixture.client().await;
        let careful = client.call_tool("careful", json!({})).await.expect("a result");
        assert_eq!(careful.text(), "cannot ask");
        let refused = client.call_tool("muse", json!({ "question": "?" })).create_task(false).await;
        if way.is_modern() {
            assert!(matches!(&refused, Err(Error::Refused(error)) if error.code() == -32021), "{refused:?}");
        } else {
            assert!(refused.is_err() || refused.is_ok_and(|result| result.is_error()));
        }
    })
    .await;
}
