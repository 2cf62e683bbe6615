//! The client of the official SDK, which knows nothing of this project, against the fixture and the examples.

mod calls;
mod examples;
mod handshake;
mod tasks;

use std::ffi::OsStr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation, JsonObject,
    ProgressNotificationParam, ProtocolVersion, TASKS_EXTENSION_ID,
};
use rmcp::service::{NotificationContext, RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, ServiceError};
use serde_json::Value;

/// A client that keeps the progress that it is told of.
#[derive(Clone, Debug, Default)]
struct Client {
    knows_tasks: bool,
    progress: Arc<Mutex<Vec<ProgressNotificationParam>>>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        if self.knows_tasks {
            capabilities.extensions = Some([(TASKS_EXTENSION_ID.to_owned(), JsonObject::new())].into());
        }
        ClientConfig::new(capabilities, Implementation::new("tests", "0"))
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.progress.lock().expect("not poisoned").push(params);
    }
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
