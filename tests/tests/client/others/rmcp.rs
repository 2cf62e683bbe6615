//! The official Rust SDK's server with its tasks, which are those of the extension.

use mcp_runtime::client::{Client, Error, TaskState};
use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ContentBlock,
    CreateTaskResult, ErrorData, GetTaskParams, GetTaskResult, InputRequest, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, UpdateTaskParams,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::task_manager::{TaskContext, TaskExit, TaskManager, TaskOptions};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Asked, answering, asked};

/// A server all of whose tools are tasks, named by what becomes of them.
#[derive(Clone)]
struct Tasks(TaskManager);

impl ServerHandler for Tasks {
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let takes_tasks = context.client_capabilities().is_some_and(|all| all.supports_tasks());
        if !takes_tasks {
            return Ok(CallToolResponse::Complete(text("without a task")));
        }
        let options = TaskOptions::default().with_poll_interval_ms(20);
        let task = self.0.spawn(options, |task| Box::pin(run(request.name.to_string(), task)));
        Ok(CallToolResponse::Task(CreateTaskResult::new(task)))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(Vec::new()))
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.0.get_task(&request.task_id)?))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.cancel_task(&request.task_id)
    }

    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_tasks().build())
    }
}

async fn run(tool: String, task: TaskContext) -> Result<CallToolResult, TaskExit> {
    match tool.as_str() {
        "work" => {
            task.set_status_message("at work");
            Ok(text("done"))
        }
        "ask" => {
            let form = json!({ "type": "object", "properties": { "name": { "type": "string" } } });
            let params = json!({ "message": "Who are you?", "requestedSchema": form });
            let question = json!({ "method": "elicitation/create", "params": params });
            let question: InputRequest = serde_json::from_value(question).expect("a question");
            let answer = task.request_input("name", question).await?;
            Ok(text(answer["content"]["name"].as_str().unwrap_or_default()))
        }
        "linger" => {
            task.cancelled().await;
            Err(TaskExit::Cancelled)
        }
        _ => Err(TaskExit::Error(ErrorData::internal_error("it did not work", None))),
    }
}

fn text(text: &str) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

/// The server over HTTP, until it is dropped.
struct Served(String, JoinHandle<()>);

impl Served {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("it is bound"));
        let server = Tasks(TaskManager::new());
        let service = StreamableHttpService::new(
            move || Ok(server.clone()),
            LocalSessionManager::default().into(),
            StreamableHttpServerConfig::default(),
        );
        let router = axum::Router::new().nest_service("/mcp", service);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self(url, serving)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.1.abort();
    }
}

#[tokio::test]
async fn tasks_of_rmcp_are_answered_followed_and_cancelled() {
    let served = Served::start().await;
    let questions = Asked::default();
    let client = answering(Client::http(&served.0), &questions).connect().await.expect("a server");
    assert_eq!(client.protocol_version().await.expect("it is settled"), "2026-07-28");

    let mut task = client.call_tool("work", json!({})).create_task(true).send().await.expect("a task");
    assert_eq!(task.result().await.expect("a result").text(), "done");
    assert_eq!(task.status().state, TaskState::Completed);
    assert_eq!(client.get_task_result(task.id()).await.expect("a result").text(), "done");

    let answered = client.call_tool("ask", json!({})).await.expect("a result");
    assert_eq!(answered.text(), "Ada");
    assert_eq!(asked(&questions), ["Who are you?"]);

    let mut task = client.call_tool("linger", json!({})).create_task(true).send().await.expect("a task");
    task.cancel().await.expect("it can be cancelled");
    let cancelled = task.result().await;
    assert!(matches!(cancelled, Err(Error::TaskCancelled { .. })), "{cancelled:?}");

    let failed = client.call_tool("fail", json!({})).await;
    assert!(matches!(&failed, Err(Error::TaskFailed { error, .. }) if error.code() == -32603), "{failed:?}");

    let direct = client.call_tool("work", json!({})).create_task(false).await.expect("a result");
    assert_eq!(direct.text(), "without a task");

    let unknown = client.get_task_status("no-such-task").await;
    assert!(matches!(unknown, Err(Error::TaskExpired { .. })), "{unknown:?}");
}
