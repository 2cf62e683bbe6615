//! The server through the protocol, and its command line. So may any author test a server.

use mcp_runtime::testing::TestClient;
use serde_json::{Map, Value, json};

use super::*;

fn mode(args: &[&str]) -> Result<Mode, String> {
    Mode::of(args.iter().map(|arg| (*arg).to_owned()))
}

#[test]
fn a_client_is_served_over_what_the_command_line_says() {
    assert_eq!(mode(&[]), Ok(Mode::Stdio));
    assert_eq!(mode(&["--http", "127.0.0.1:0"]), Ok(Mode::Http("127.0.0.1:0".to_owned())));
    assert_eq!(mode(&["--http"]), Ok(Mode::Http("127.0.0.1:8001".to_owned())));
}

#[test]
fn what_is_not_understood_is_named() {
    assert_eq!(mode(&["--port"]), Err("--port".to_owned()));
    assert_eq!(mode(&["--http", "127.0.0.1:0", "extra"]), Err("extra".to_owned()));
}

/// Somebody who fills in every form, a model that greets, and a client that works in one place.
fn answers(method: &str, params: &Value) -> Value {
    match method {
        "sampling/createMessage" => {
            let content = json!({ "type": "text", "text": "Good day." });
            json!({ "role": "assistant", "model": "a model", "content": content })
        }
        "roots/list" => json!({ "roots": [{ "uri": "file:///home" }] }),
        _ => {
            let fields = params["requestedSchema"]["properties"].as_object().into_iter().flatten();
            let content: Map<String, Value> =
                fields.map(|(name, field)| (name.clone(), filled_in(field))).collect();
            json!({ "action": "accept", "content": content })
        }
    }
}

fn filled_in(field: &Value) -> Value {
    let known =
        [&field["default"], &field["enum"][0], &field["oneOf"][0]["const"], &field["anyOf"][0]["const"]];
    if let Some(known) = known.into_iter().find(|value| !value.is_null()) {
        return known.clone();
    }
    match field["type"].as_str() {
        Some("boolean") => json!(true),
        Some("array") => json!([filled_in(&field["items"])]),
        _ if field["format"] == "email" => json!("ada@example.org"),
        _ => json!("Ada"),
    }
}

/// A client of each kind, which can be asked.
async fn clients() -> [TestClient; 2] {
    let client = || server().test_client().expect("the server is well made").answering(answers);
    [client(), client().legacy("2025-11-25").await.expect("it is greeted")]
}

/// The text of a result, or of that of a task.
async fn text(client: &mut TestClient, name: &str, arguments: Value) -> String {
    let mut result =
        client.call_tool(name, arguments).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    if let Some(task) = result["taskId"].as_str() {
        result = client.follow(task).await.expect("the task is followed")["result"].take();
    }
    result["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_question_is_asked_and_answered_on_either_wire() {
    for mut client in clients().await {
        for (name, arguments, told) in [
            ("test_sampling", json!({ "prompt": "Hello" }), "LLM response: Good day."),
            ("test_elicitation", json!({ "message": "Who?" }), "User response: Ada <ada@example.org>"),
            (
                "test_elicitation_sep1034_defaults",
                json!({}),
                "Profile: John Doe, 30, 95.5, Active, verified: true",
            ),
            (
                "test_elicitation_sep1330_enums",
                json!({}),
                "Chosen: Option1, Value1, Opt1, [Option1], [Value1]",
            ),
            ("test_elicitation_url", json!({}), "The person is on the way to the page."),
            ("test_input_required_result_elicitation", json!({}), "Hello, Ada!"),
            ("test_input_required_result_sampling", json!({}), "The model says: Good day."),
            ("test_input_required_result_list_roots", json!({}), "The client works in: file:///home"),
            ("test_input_required_result_request_state", json!({}), "state-ok: case 1"),
            ("test_input_required_result_multiple_inputs", json!({}), "Case 2: Good day. Ada (1 roots)"),
            ("test_input_required_result_multi_round", json!({}), "Case 3: Ada likes Ada."),
            ("test_input_required_result_capabilities", json!({}), "Ada"),
            ("confirm_delete", json!({ "filename": "a.txt" }), "a.txt is deleted."),
            ("multi_input", json!({}), "Ada and Ada"),
            ("test_tool_with_task", json!({}), "The report for Ada is done."),
        ] {
            assert_eq!(text(&mut client, name, arguments).await, told, "{name}");
        }
    }
}

#[tokio::test]
async fn prompts_may_ask_as_tools_may() {
    for mut client in clients().await {
        let params = json!({ "name": "test_input_required_result_prompt" });
        let prompt = client.call("prompts/get", params).await.expect("the prompt is got");
        assert_eq!(prompt["messages"][0]["content"]["text"], "Please help with this: Ada");
    }
}

#[tokio::test]
async fn everything_that_is_listed_can_be_read_and_got() {
    let [mut client, _] = clients().await;
    let listed = client.request("resources/list", json!({})).await.expect("resources are listed");
    for resource in listed["resources"].as_array().into_iter().flatten() {
        let read = client.request("resources/read", json!({ "uri": resource["uri"] })).await;
        assert_eq!(read.expect("it is read")["contents"][0]["mimeType"], resource["mimeType"]);
    }
    let data = client.request("resources/read", json!({ "uri": "test://template/123/data" })).await;
    let text = r#"{"id":"123","templateTest":true,"data":"Data for ID: 123"}"#;
    assert_eq!(data.expect("it is read")["contents"][0]["text"], text);
    let listed = client.request("prompts/list", json!({})).await.expect("prompts are listed");
    for prompt in listed["prompts"].as_array().into_iter().flatten() {
        let arguments = prompt["arguments"].as_array().into_iter().flatten();
        let arguments: Map<String, Value> = arguments
            .filter_map(|argument| Some((argument["name"].as_str()?.to_owned(), "a".into())))
            .collect();
        let params = json!({ "name": prompt["name"], "arguments": arguments });
        let got = client.call("prompts/get", params).await.expect("it is got");
        assert!(got["messages"][0]["content"]["type"].is_string(), "{got}");
    }
}

#[tokio::test]
async fn what_comes_and_goes_is_offered_while_it_is_there() {
    let [mut client, _] = clients().await;
    text(&mut client, "test_trigger_tool_change", json!({})).await;
    assert_eq!(text(&mut client, "test_guest", json!({})).await, "I am only visiting.");
    text(&mut client, "test_trigger_tool_change", json!({})).await;
    assert!(client.call_tool("test_guest", json!({})).await.is_err());
}

#[tokio::test]
async fn who_watches_a_resource_is_told_that_it_changed() {
    let uri = "test://watched-resource";
    let ways = [
        ("subscriptions/listen", json!({ "notifications": { "resourceSubscriptions": [uri] } })),
        ("resources/subscribe", json!({ "uri": uri })),
    ];
    for (mut client, (method, params)) in clients().await.into_iter().zip(ways) {
        client.begin(method, params);
        text(&mut client, "write_watched_resource", json!({ "text": "News" })).await;
        let told = loop {
            let told = client.notification().await.expect("the server is there");
            if told["method"] == "notifications/resources/updated" {
                break told;
            }
        };
        assert_eq!(told["params"]["uri"], uri);
        let read = client.request("resources/read", json!({ "uri": uri })).await.expect("it is read");
        assert_eq!(read["contents"][0]["text"], "News");
    }
}

#[tokio::test]
async fn prompts_and_resources_may_be_tasks_for_clients_that_know_such() {
    let [_, mut client] = clients().await;
    for (method, params, place, told) in [
        (
            "prompts/get",
            json!({ "name": "test_slow_prompt" }),
            "/messages/0/content/text",
            "This took a while to write.",
        ),
        (
            "resources/read",
            json!({ "uri": "test://slow-report" }),
            "/contents/0/text",
            "This took a while to gather.",
        ),
    ] {
        let mut as_task = params.clone();
        as_task["task"] = json!({ "ttl": 60_000 });
        let task = client.request(method, as_task).await.expect("it is a task");
        let id = json!({ "taskId": task["task"]["taskId"] });
        let result = client.request("tasks/result", id).await.expect("its result");
        assert_eq!(result.pointer(place), Some(&json!(told)), "{result}");
        let result = client.request(method, params).await.expect("an ordinary result");
        assert_eq!(result.pointer(place), Some(&json!(told)), "{result}");
    }
}

#[tokio::test]
async fn functions_are_still_functions() {
    assert_eq!(tasks::greet("Ada".to_owned()).await, "Hello, Ada!");
    assert_eq!(running::test_tool_with_logging(Context::detached()).await, "Three messages were logged.");
}
