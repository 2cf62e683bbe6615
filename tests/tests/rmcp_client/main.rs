//! The client of the official SDK, which knows nothing of this project, against the fixture and the examples: on standard
//! streams and over Streamable HTTP.

mod asking;
mod calls;
mod everything;
mod examples;
mod handshake;
mod session;
mod tasks;

use std::ffi::OsStr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ElicitRequestParams,
    ElicitResult, ElicitationAction, ElicitationCapability, Implementation, JsonObject,
    ProgressNotificationParam, ProtocolVersion, TASKS_EXTENSION_ID,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient, RunningService};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, ServiceError};
use serde_json::{Value, json};
use tests::Listening;

/// A client that keeps the progress that it is told of, and answers what it is asked.
#[derive(Clone, Debug, Default)]
struct Client {
    knows_tasks: bool,
    /// Whether it declares that it can be asked.
    answers: bool,
    progress: Arc<Mutex<Vec<ProgressNotificationParam>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        if self.knows_tasks {
            capabilities.extensions = Some([(TASKS_EXTENSION_ID.to_owned(), JsonObject::new())].into());
        }
        if self.answers {
            capabilities.elicitation = Some(ElicitationCapability::default());
        }
        ClientConfig::new(capabilities, Implementation::new("tests", "0"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } = request else {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        self.asked.lock().expect("not poisoned").push(message);
        let schema = serde_json::to_value(requested_schema).expect("a schema is JSON");
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(content(&schema)))
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.progress.lock().expect("not poisoned").push(params);
    }
}

/// Content that fits the schema of a form.
fn content(schema: &Value) -> Value {
    let properties = schema["properties"].as_object().expect("a form has properties");
    let value = |property: &Value| match property["type"].as_str() {
        Some("boolean") => json!(true),
        Some("string") => json!("Ada"),
        _ => json!(7),
    };
    properties.iter().map(|(name, property)| (name.clone(), value(property))).collect()
}

type Connection = RunningService<RoleClient, Client>;

/// Runs a test, and gives up on one that hangs.
async fn within_a_minute<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), test).await.expect("the test hangs")
}

async fn connect(
    program: impl AsRef<OsStr>,
    arguments: &[&str],
    knows_tasks: bool,
    lifecycle: ClientLifecycleMode,
) -> Connection {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments);
    let (process, _) =
        TokioChildProcess::builder(command).stderr(Stdio::null()).spawn().expect("the program starts");
    let client = Client { knows_tasks, ..Client::default() };
    client.serve_with_lifecycle(process, lifecycle).await.expect("the client and the server come to terms")
}

/// A client of a server on a socket, on the stateless revision.
async fn over_http(server: &Listening, client: Client) -> Connection {
    let transport = StreamableHttpClientTransport::from_uri(server.url());
    client.serve_with_lifecycle(transport, discover()).await.expect("the client and the server come to terms")
}

/// The lifecycle of the stateless revision.
fn discover() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

/// The fixture on the stateless revision.
async fn fixture(knows_tasks: bool) -> Connection {
    connect(env!("CARGO_BIN_EXE_fixture"), &[], knows_tasks, discover()).await
}

/// The parameters of a call.
fn call(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object: {arguments}") };
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

/// The text of a result's first item.
fn text(result: &CallToolResult) -> &str {
    &result.content[0].as_text().expect("text").text
}

/// The code of the JSON-RPC error that a request was answered with.
fn code<T: std::fmt::Debug>(answer: Result<T, ServiceError>) -> i32 {
    match answer {
        Err(ServiceError::McpError(error)) => error.code.0,
        other => panic!("this is no JSON-RPC error: {other:?}"),
    }
}
