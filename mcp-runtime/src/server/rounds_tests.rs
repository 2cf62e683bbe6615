//! Calls of the modern wire that run several times: each time, every question must find its own answer.

use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::tests::{Made, made, server};
use crate::tool::TaskSupport;
use crate::{Context, ToolResult};

#[derive(Deserialize, JsonSchema)]
struct Reply {
    text: String,
}

/// A person who answers each question with its own text.
fn echo(_: &str, params: &Value) -> Value {
    json!({ "action": "accept", "content": { "text": params["message"] } })
}

async fn ask(cx: &Context, message: &str) -> String {
    cx.elicit::<Reply>(message).await.expect("asked").accepted().expect("accepted").text
}

/// The text that a tool gives to a client that is asked in rounds.
async fn told(tool: Made) -> String {
    let mut client =
        server().tool(tool).test_client().expect("it can be built").answering(echo).without_tasks();
    let result = client.call_tool("asker", json!({})).await.expect("a result");
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {result}")).to_owned()
}

fn asker<F>(body: impl Fn(Context) -> F + Send + Sync + 'static) -> Made
where
    F: Future<Output = String> + Send + 'static,
{
    made("asker", TaskSupport::Forbidden, move |cx| {
        let text = body(cx);
        async move { ToolResult::text(text.await) }
    })
}

#[tokio::test]
async fn questions_of_branches_that_go_on_at_their_own_pace_keep_their_answers() {
    let tool = asker(|cx| async move {
        let long = async { format!("{} {}", ask(&cx, "one").await, ask(&cx, "two").await) };
        let (long, short) = tokio::join!(long, ask(&cx, "three"));
        format!("{long} {short}")
    });
    assert_eq!(told(tool).await, "one two three");
}

#[tokio::test]
async fn questions_of_spawned_functions_keep_their_answers() {
    let turn = AtomicUsize::new(0);
    let tool = asker(move |cx| {
        // They come in another order each time.
        let mut names = ["one", "two", "three"];
        names.rotate_left(turn.fetch_add(1, Ordering::SeqCst) % 3);
        async move {
            let asked = names.map(|name| {
                let cx = cx.clone();
                (name, tokio::spawn(async move { ask(&cx, name).await }))
            });
            let mut told = Vec::new();
            for (name, asked) in asked {
                told.push(format!("{name}: {}", asked.await.expect("no panic")));
            }
            told.sort();
            told.join(", ")
        }
    });
    assert_eq!(told(tool).await, "one: one, three: three, two: two");
}

#[tokio::test]
async fn an_answer_is_for_the_question_that_was_shown() {
    let files = AtomicUsize::new(3);
    let tool = asker(move |cx| {
        // One more file is there when the call comes back for the first time.
        let files = files.fetch_add(1, Ordering::SeqCst).min(4);
        async move { ask(&cx, &format!("delete {files} files")).await }
    });
    assert_eq!(told(tool).await, "delete 4 files");
}

#[tokio::test]
async fn the_same_question_in_a_loop_is_asked_each_time() {
    let tool = asker(|cx| async move {
        let mut told = Vec::new();
        for _ in 0..3 {
            told.push(ask(&cx, "again").await);
        }
        told.join(" ")
    });
    assert_eq!(told(tool).await, "again again again");
}

#[tokio::test]
async fn a_call_goes_through_all_its_rounds_without_ever_waiting_when_the_answers_are_there() {
    let tool = asker(|cx| async move { format!("{} {}", ask(&cx, "one").await, ask(&cx, "two").await) });
    let mut client =
        server().tool(tool).test_client().expect("it can be built").answering(echo).without_tasks();
    let mut rounds = 0;
    let (mut params, mut result) = (json!({ "name": "asker" }), Value::Null);
    while result["content"].is_null() {
        result = client.request("tools/call", params.clone()).await.expect("a round");
        rounds += 1;
        let asked = result["inputRequests"].as_object().cloned().unwrap_or_default();
        let answers = asked.iter().map(|(key, request)| (key.clone(), echo("", &request["params"])));
        params["inputResponses"] = Value::Object(answers.collect());
        params["requestState"] = result["requestState"].clone();
    }
    assert_eq!((rounds, result["content"][0]["text"].as_str()), (3, Some("one two")));
}

#[tokio::test]
async fn many_steps_of_one_name_are_as_quick_as_many_of_different_names() {
    let tool = asker(|cx| async move {
        let mut sum = 0;
        for turn in 0..20_000 {
            sum += cx.step("add", || async move { turn }).await.expect("a number");
        }
        sum.to_string()
    });
    assert_eq!(told(tool).await, (0..20_000).sum::<i32>().to_string());
}

#[tokio::test]
async fn what_a_client_is_to_keep_has_a_limit() {
    let tool = asker(|cx| async move {
        cx.step("read", || async { "x".repeat(1000) }).await.expect("a text");
        ask(&cx, "one").await
    });
    let limits = crate::Limits { max_request_state: 1000, ..crate::Limits::default() };
    let server = server().tool(tool).limits(limits);
    let mut client = server.test_client().expect("it can be built").answering(echo).without_tasks();
    let error = client.call_tool("asker", json!({})).await.expect_err("it is too much");
    assert_eq!(error.code, -31029);
    assert!(error.message.contains("`max_request_state`"), "{error}");
}

#[tokio::test]
async fn a_test_client_whose_answers_do_not_fit_is_told_what_was_asked() {
    let tool = asker(|cx| async move { ask(&cx, "one").await });
    let odd = |_: &str, _: &Value| json!({ "action": "accept", "content": { "text": 7 } });
    let mut client =
        server().tool(tool).test_client().expect("it can be built").answering(odd).without_tasks();
    let result = client.call_tool("asker", json!({})).await.expect("a round");
    assert_eq!(result["resultType"], "input_required");
}
