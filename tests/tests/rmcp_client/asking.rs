//! Input by the client's own handlers, on each lifecycle: forms of every kind, pages, its model, its roots.

// The client calls sampling, roots and logging deprecated; servers may still use them.
#![allow(deprecated)]

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, ElicitationAction, GetPromptRequestParams, Implementation, ListRootsResult,
    LoggingMessageNotificationParam, ProtocolVersion, ReadResourceRequestParams, ResourceContents, Root,
    SamplingMessage,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData};
use serde_json::{Value, json};
use tests::answers::{everything, gift};

use crate::{call, code, discover, text, within_a_minute};

/// Somebody who answers everything, and keeps what was said.
#[derive(Clone, Debug, Default)]
struct Person {
    said: Arc<Mutex<Vec<Value>>>,
    is_unwilling: bool,
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let capabilities: ClientCapabilities =
            serde_json::from_value(everything()).expect("capabilities that the client knows");
        ClientConfig::new(capabilities, Implementation::new("tests", "0"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        if self.is_unwilling {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        }
        let ElicitRequestParams::FormElicitationParams { requested_schema, .. } = request else {
            return Ok(ElicitResult::new(ElicitationAction::Accept));
        };
        let schema = serde_json::to_value(requested_schema).expect("a schema is JSON");
        let fields = schema["properties"].as_object().expect("a form has fields");
        let content = if fields.contains_key("wrapping") {
            gift().0["content"].take()
        } else if fields.contains_key("extras") {
            json!({ "extras": ["card"] })
        } else {
            json!({ "name": "Ada" })
        };
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(content))
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        if self.is_unwilling {
            return Err(ErrorData::new(rmcp::model::ErrorCode(-1), "User rejected the request", None));
        }
        let message = SamplingMessage::assistant_text("So it is.");
        Ok(CreateMessageResult::new(message, "model-1".to_owned()).with_stop_reason("endTurn"))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new("file:///home/ada").with_name("home")]))
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.said.lock().expect("not poisoned").push(params.data);
    }
}

/// Runs a test with a person on each lifecycle.
async fn with(person: Person, test: impl AsyncFn(&RunningService<RoleClient, Person>)) {
    for lifecycle in [ClientLifecycleMode::Initialize, discover()] {
        within_a_minute(async {
            let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_fixture"));
            command.arg("--asking");
            let (process, _) = TokioChildProcess::builder(command)
                .stderr(Stdio::null())
                .spawn()
                .expect("the program starts");
            let client = person.clone().serve_with_lifecycle(process, lifecycle).await.expect("they agree");
            test(&client).await;
            client.cancel().await.expect("the client ends");
        })
        .await;
    }
}

fn is_modern(client: &RunningService<RoleClient, Person>) -> bool {
    let server = client.peer().peer_info().expect("the server told of itself");
    server.protocol_version == ProtocolVersion::V_2026_07_28
}

#[tokio::test]
async fn every_kind_of_question_is_understood_and_answered() {
    with(Person::default(), async |client| {
        let (_, told) = gift();
        for (tool, arguments, says) in [
            ("gift", json!({}), told),
            ("choose", json!({}), r#"accepted {"extras":["card"]}"#),
            ("visit", json!({}), "accepted null"),
            ("muse", json!({ "question": "Is it so?" }), "model-1: So it is. (endTurn)"),
            ("reason", json!({}), "So it is."),
            ("roots", json!({}), "home=file:///home/ada"),
            ("survey", json!({}), r#"accepted {"name":"Ada"}; So it is.; 1"#),
            ("journey", json!({ "to": "Rome" }), r#"1 accepted {"name":"Ada"} 2 accepted {"name":"Ada"}"#),
            ("depart", json!({}), r#"accepted {"name":"Ada"} then accepted {"name":"Ada"}; task: false"#),
        ] {
            let result = client.call_tool(call(tool, arguments)).await.expect("a result");
            assert_eq!(text(&result), says, "{tool}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_says_no_is_heard() {
    with(Person { is_unwilling: true, ..Person::default() }, async |client| {
        let result = client.call_tool(call("careful", json!({}))).await.expect("a result");
        assert_eq!(text(&result), "declined");
        let result = client.call_tool(call("visit", json!({}))).await.expect("a result");
        assert_eq!(text(&result), "declined");
        // In rounds, the client gives an error of its handler's back to whoever called, and nothing to the server.
        let sampled = client.call_tool(call("muse", json!({ "question": "Why?" }))).await;
        if is_modern(client) {
            assert!(sampled.is_err(), "{sampled:?}");
        } else {
            assert!(text(&sampled.expect("a result")).contains("User rejected the request"));
        }
    })
    .await;
}

#[tokio::test]
async fn prompts_and_resources_ask_too() {
    with(Person::default(), async |client| {
        let arguments = json!({ "topic": "tea" }).as_object().cloned().expect("an object");
        let params = GetPromptRequestParams::new("letter").with_arguments(arguments);
        let prompt = client.get_prompt(params).await.expect("a prompt");
        let message = serde_json::to_value(&prompt.messages[0]).expect("JSON");
        assert_eq!(message["content"]["text"], r#"Write about tea: accepted {"name":"Ada"}"#);
        let read = client.read_resource(ReadResourceRequestParams::new("room://6")).await.expect("contents");
        let [ResourceContents::TextResourceContents { text, .. }] = &read.contents[..] else {
            panic!("this is no text: {read:?}")
        };
        assert_eq!(text, r#"accepted {"name":"Ada"}, accepted {"name":"Ada"}, 42"#);
        assert_eq!(code(client.read_resource(ReadResourceRequestParams::new("room://x")).await), -32602);
    })
    .await;
}

#[tokio::test]
async fn log_messages_reach_a_client_that_opened_a_session() {
    with(Person::default(), async |client| {
        client.call_tool(call("chat", json!({}))).await.expect("a result");
        // The client handles notifications beside its requests; one more round trip puts them in order.
        client.call_tool(call("nothing", json!({}))).await.expect("a result");
        let said: Vec<Value> = client.service().said.lock().expect("not poisoned").drain(..).collect();
        if is_modern(client) {
            assert!(said.is_empty(), "{said:?}");
        } else {
            assert_eq!(said[0], "said at info");
        }
    })
    .await;
}
