//! Asking clients, through the protocol but without a transport: the same functions on every wire.

use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::tests::{Made, made, server};
use super::*;
use crate::testing::TestClient;
use crate::tool::TaskSupport;
use crate::{Context, Elicited, InputError, LogLevel, ToolResult};

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct Colour {
    colour: String,
}

/// Asks for a name and then for a colour, and counts what is done in between.
pub(super) fn asker(support: TaskSupport, steps: &Arc<AtomicUsize>) -> Made {
    let steps = Arc::clone(steps);
    made("asker", support, move |cx| {
        let steps = Arc::clone(&steps);
        async move { ask_twice(cx, &steps).await.unwrap_or_else(|error| ToolResult::error(error.to_string())) }
    })
}

async fn ask_twice(cx: Context, steps: &AtomicUsize) -> Result<ToolResult, InputError> {
    let Elicited::Accepted(Name { name }) = cx.elicit::<Name>("Name?").key("who").await? else {
        return Ok(ToolResult::text("nobody"));
    };
    let count = || async { steps.fetch_add(1, Ordering::SeqCst) };
    let done = cx.step("count", count).await.expect("a number");
    let colour = cx.elicit::<Colour>("Colour?").await?.accepted().map(|colour| colour.colour);
    Ok(ToolResult::text(format!("{name} likes {} ({done})", colour.as_deref().unwrap_or("nothing"))))
}

fn person(_: &str, params: &Value) -> Value {
    match params["message"].as_str() {
        Some("Name?") => json!({ "action": "accept", "content": { "name": "Ada" } }),
        Some("Colour?") => json!({ "action": "accept", "content": { "colour": "red" } }),
        other => panic!("nobody asks {other:?}"),
    }
}

pub(super) fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {result}"))
}

#[tokio::test]
async fn the_same_function_asks_on_every_wire_and_a_step_is_done_once() {
    for support in [TaskSupport::Forbidden, TaskSupport::Optional] {
        let steps = Arc::new(AtomicUsize::new(0));
        let service = server().tool(asker(support, &steps)).build().expect("it can be built");
        let plain = service.test_client().without_tasks().answering(person);
        let legacy = service.test_client().answering(person).legacy("2025-06-18").await.expect("initialized");
        for (turn, mut client) in [plain, legacy].into_iter().enumerate() {
            let result = client.call_tool("asker", json!({})).await.expect("a result");
            assert_eq!(text(&result), format!("Ada likes red ({turn})"));
        }
        assert_eq!(steps.load(Ordering::SeqCst), 2, "once for each call");
    }
}

#[tokio::test]
async fn a_task_asks_in_both_dialects() {
    let steps = Arc::default();
    let service = server().tool(asker(TaskSupport::Optional, &steps)).build().expect("it can be built");
    let mut client = service.test_client().answering(person);
    let task = client.call_tool("asker", json!({})).await.expect("a task");
    assert_eq!((&task["resultType"], &task["inputRequests"]), (&json!("task"), &Value::Null));
    let over = client.follow(task["taskId"].as_str().expect("an id")).await.expect("it ends");
    assert_eq!(text(&over["result"]), "Ada likes red (0)");

    let mut client = service.test_client().answering(person).legacy("2025-11-25").await.expect("initialized");
    let params = json!({ "name": "asker", "arguments": {}, "task": {} });
    let created = client.request("tools/call", params).await.expect("a task");
    // The questions come unasked, so this is answered although nobody looked at the task before.
    let result = client.request("tasks/result", json!({ "taskId": created["task"]["taskId"] })).await;
    assert_eq!(text(&result.expect("a result")), "Ada likes red (1)");
}

#[tokio::test]
async fn a_question_of_a_legacy_task_is_asked_once_and_names_the_task() {
    let steps = Arc::default();
    let service = server().tool(asker(TaskSupport::Optional, &steps)).build().expect("it can be built");
    // Nobody answers by itself here, but the client says that it can be asked.
    let silent = |_: &str, _: &Value| panic!("it is asked by hand");
    let mut client = service.test_client().answering(silent).legacy("2025-11-25").await.expect("initialized");
    let ask = async |client: &mut TestClient| loop {
        let message = client.next_message().await.expect("the server is there");
        if message["method"] == "elicitation/create" {
            return message;
        }
    };
    let id = client.begin("tools/call", json!({ "name": "asker", "arguments": {}, "task": {} }));
    let created = client.next_message().await.expect("an answer");
    assert_eq!(created["id"], id);
    let task = created["result"]["task"]["taskId"].clone();
    let question = ask(&mut client).await;
    let related = &question["params"]["_meta"]["io.modelcontextprotocol/related-task"];
    assert_eq!(related["taskId"], task);
    // Waiting for the result does not ask again.
    let waiting = client.begin("tasks/result", json!({ "taskId": task }));
    let answer = |question: &Value, name: &str, value: &str| {
        let content = json!({ (name): value });
        json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "accept", "content": content } })
            .to_string()
    };
    client.send(&answer(&question, "name", "Ada"));
    let second = ask(&mut client).await;
    assert_eq!(second["params"]["message"], "Colour?");
    client.send(&answer(&second, "colour", "blue"));
    assert_eq!(text(&client.answer(waiting).await.expect("a result")), "Ada likes blue (0)");
}

#[tokio::test]
async fn what_the_client_did_not_declare_is_not_asked() {
    let steps = Arc::default();
    let tool = made("strict", TaskSupport::Forbidden, |_| async { ToolResult::empty() });
    let service = server().tool(asker(TaskSupport::Forbidden, &steps)).tool(tool).build().expect("built");
    let mut client = service.test_client();
    let result = client.call_tool("asker", json!({})).await.expect("a result");
    assert_eq!(text(&result), "Missing required client capability: elicitation");
    let error = InputError::Unsupported(crate::input::Capability::Sampling);
    let error = crate::input::protocol_error(&error).expect("one of the protocol");
    assert_eq!(
        (error.code(), error.data()),
        (-32021, Some(&json!({ "requiredCapabilities": { "sampling": {} } })))
    );
}

#[tokio::test]
async fn a_state_that_was_changed_or_belongs_to_another_call_is_refused() {
    let steps = Arc::default();
    let mut client = server()
        .tool(asker(TaskSupport::Forbidden, &steps))
        .test_client()
        .expect("it can be built")
        .answering(|_, _| Value::Null);
    let call = |extra: Value| {
        let mut params = json!({ "name": "asker", "arguments": {} });
        params.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        params
    };
    let first = client.request("tools/call", call(json!({}))).await.expect("a round");
    assert_eq!(first["resultType"], "input_required");
    assert_eq!(first.get("requestState"), None, "nothing is remembered yet");
    assert_eq!(first["inputRequests"]["who"]["method"], "elicitation/create");
    // What is no answer leaves the question open.
    for wrong in [json!({ "who": 12345 }), json!({ "other": {} }), Value::Null] {
        let again =
            client.request("tools/call", call(json!({ "inputResponses": wrong }))).await.expect("a round");
        assert!(again["inputRequests"]["who"].is_object(), "{again}");
    }
    let refused = client.request("tools/call", call(json!({ "inputResponses": 5 }))).await;
    assert_eq!(refused.expect_err("no object").code, -32602);
    let name = json!({ "who": { "action": "accept", "content": { "name": "Ada" } }, "unknown": 1 });
    let second =
        client.request("tools/call", call(json!({ "inputResponses": name }))).await.expect("a round");
    let state = second["requestState"].as_str().expect("what was answered and done is remembered").to_owned();
    let key =
        second["inputRequests"].as_object().and_then(|asked| asked.keys().next()).expect("one question");
    assert!(key.starts_with("elicitation-"), "{key}");
    let colour = json!({ key: { "action": "accept", "content": { "colour": "red" } } });
    let touched = call(json!({ "inputResponses": colour, "requestState": format!("{state}-TAMPERED") }));
    assert_eq!(client.request("tools/call", touched).await.expect_err("touched").code, -32602);
    let mut other = call(json!({ "inputResponses": colour, "requestState": state }));
    other["arguments"] = json!({ "depth": 1 });
    assert_eq!(client.request("tools/call", other).await.expect_err("another call").code, -32602);
    let done = call(json!({ "inputResponses": colour, "requestState": state }));
    assert_eq!(text(&client.request("tools/call", done).await.expect("done")), "Ada likes red (0)");
}

#[tokio::test]
async fn a_call_becomes_a_task_when_it_says_so() {
    let steps = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&steps);
    let mut tool = made("later", TaskSupport::Optional, move |cx| {
        let steps = Arc::clone(&counted);
        async move {
            let name = cx.elicit::<Name>("Name?").await.expect("asked").accepted().expect("accepted").name;
            cx.detach().await;
            steps.fetch_add(1, Ordering::SeqCst);
            let colour =
                cx.elicit::<Colour>("Colour?").await.expect("asked").accepted().expect("accepted").colour;
            ToolResult::text(format!("{name} {colour} {}", cx.task_id().is_some()))
        }
    });
    tool.task.begins_as_call = true;
    let service = server().tool(tool).build().expect("it can be built");
    let mut client = service.test_client().answering(person);
    let first = client.request("tools/call", json!({ "name": "later" })).await.expect("a round");
    assert_eq!((&first["resultType"], &first["taskId"]), (&json!("input_required"), &Value::Null));
    let task = client.call_tool("later", json!({})).await.expect("a task");
    assert_eq!(task["resultType"], "task");
    assert!(task.get("requestState").is_none() && task.get("inputRequests").is_none());
    let over = client.follow(task["taskId"].as_str().expect("an id")).await.expect("it ends");
    assert_eq!(text(&over["result"]), "Ada red true");
    // Who cannot take a task has it done in the call.
    let mut client = service.test_client().without_tasks().answering(person);
    assert_eq!(text(&client.call_tool("later", json!({})).await.expect("a result")), "Ada red false");
    // Once for each of the three that came so far, and once more for the round in which the last one asked again.
    assert_eq!(steps.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn questions_that_are_awaited_together_go_out_together() {
    let tool = made("both", TaskSupport::Optional, |cx| async move {
        let (name, roots) =
            tokio::join!(cx.elicit::<Name>("Name?").key("name").into_future(), cx.roots().into_future());
        let name = name.expect("asked").accepted().map(|name| name.name);
        ToolResult::text(format!("{name:?} in {}", roots.expect("asked").len()))
    });
    let service = server().tool(tool).build().expect("it can be built");
    let answers = |method: &str, _: &Value| match method {
        "roots/list" => json!({ "roots": [{ "uri": "file:///a" }] }),
        _ => json!({ "action": "accept", "content": { "name": "Ada" } }),
    };
    let mut client = service.test_client().without_tasks().answering(answers);
    let round = client.request("tools/call", json!({ "name": "both" })).await.expect("a round");
    assert_eq!(round["inputRequests"].as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(text(&client.call_tool("both", json!({})).await.expect("a result")), "Some(\"Ada\") in 1");

    // A task that gets one answer of two waits for the other.
    let mut client = service.test_client().answering(|_, _| Value::Null);
    let task = client.call_tool("both", json!({})).await.expect("a task")["taskId"].clone();
    let mut update = async |responses: Value| {
        let params = json!({ "taskId": task, "inputResponses": responses.clone() });
        let updated = client.request("tasks/update", params).await;
        // What cannot be an answer is refused by name, so that nobody waits for what it would have brought.
        let is_odd = responses["name"]["action"] == "maybe";
        assert_eq!(
            updated.err().map(|error| (error.code, error.message.contains("`name`"))),
            is_odd.then_some((-32602, true))
        );
        client.request("tasks/get", json!({ "taskId": task })).await.expect("a state")
    };
    let mut state = update(json!({ "nobody asked": 1 })).await;
    while state["status"] != "input_required"
        || state["inputRequests"].as_object().map(serde_json::Map::len) != Some(2)
    {
        tokio::task::yield_now().await;
        state = update(json!({})).await;
    }
    let state = update(json!({ "roots": { "roots": [] }, "name": { "action": "maybe" } })).await;
    assert_eq!(
        state["inputRequests"].as_object().map(|open| open.keys().cloned().collect()),
        Some(vec!["name".to_owned()])
    );
    update(json!({ "name": { "action": "decline" } })).await;
    let id = task.as_str().expect("an id").to_owned();
    assert_eq!(text(&client.follow(&id).await.expect("it ends")["result"]), "None in 0");
}

#[tokio::test]
async fn a_question_that_nobody_wants_answered_any_more_is_withdrawn() {
    let tool = made("impatient", TaskSupport::Optional, |cx| async move {
        let asked = std::time::Duration::from_millis(1);
        let answer = tokio::time::timeout(asked, cx.elicit::<Name>("Name?").into_future()).await;
        assert!(answer.is_err(), "nobody answers");
        ToolResult::text("gave up")
    });
    let service = server().tool(tool).build().expect("it can be built");
    let mut client = service.test_client().answering(|_, _| Value::Null);
    let task = client.call_tool("impatient", json!({})).await.expect("a task")["taskId"].clone();
    let over = client.follow(task.as_str().expect("an id")).await.expect("it ends");
    assert_eq!((&over["status"], text(&over["result"])), (&json!("completed"), "gave up"));

    let silent = |_: &str, _: &Value| Value::Null;
    let mut client = service.test_client().answering(silent).legacy("2025-11-25").await.expect("initialized");
    assert_eq!(text(&client.call_tool("impatient", json!({})).await.expect("a result")), "gave up");
    let cancelled = client.notifications();
    assert_eq!(cancelled[0]["method"], "notifications/cancelled");
}

#[tokio::test]
async fn log_messages_go_to_those_who_want_to_hear_them() {
    let tool = made("chatty", TaskSupport::Forbidden, |cx| async move {
        cx.log(LogLevel::Debug, "details");
        cx.log_from("door", LogLevel::Warning, json!({ "open": true }));
        ToolResult::empty()
    });
    let service = server().tool(tool).build().expect("it can be built");
    let said = |client: &mut TestClient| {
        let said = client.notifications().into_iter();
        said.map(|message| message["params"]["data"].clone()).collect::<Vec<_>>()
    };
    let mut modern = service.test_client();
    modern.call_tool("chatty", json!({})).await.expect("a result");
    assert_eq!(said(&mut modern), Vec::<Value>::new(), "who asks for nothing gets nothing");
    let meta = json!({ "io.modelcontextprotocol/logLevel": "debug" });
    modern.request("tools/call", json!({ "name": "chatty", "_meta": meta })).await.expect("a result");
    assert_eq!(said(&mut modern), [json!("details"), json!({ "open": true })]);
    let mut legacy = service.test_client().legacy("2025-11-25").await.expect("initialized");
    legacy.call_tool("chatty", json!({})).await.expect("a result");
    assert_eq!(said(&mut legacy), [json!({ "open": true })], "what matters little is not sent unasked");
}
