//! The same tools on rmcp, written as its documentation writes them; `Kept` is what somebody writes who has read its
//! sources: the router is built once and kept.

// The macros want methods, whether they look at `self` or not.
#![allow(clippy::unused_self)]

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::ToolCallContext;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CreateTaskResult, GetTaskParams,
    GetTaskResult, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::task_manager::{TaskExit, TaskManager, TaskOptions};
use rmcp::{ErrorData, ServerHandler, schemars, tool, tool_router};
use serde::Deserialize;

use crate::fillers::with_filler_names;

#[derive(Deserialize, schemars::JsonSchema)]
struct Add {
    /// The first term.
    a: i64,
    /// The second term.
    b: i64,
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Echo {
    /// What to give back.
    text: String,
}

#[derive(Deserialize, schemars::JsonSchema)]
struct LookUp {
    /// What to look for.
    query: String,
    /// How many answers at most.
    limit: Option<u32>,
    /// Whether to look in the archive too.
    archived: bool,
}

#[derive(Clone)]
pub(crate) struct Plain;

#[tool_router(server_handler)]
impl Plain {
    /// Add two integers.
    #[tool]
    fn add(&self, Parameters(Add { a, b }): Parameters<Add>) -> String {
        (a + b).to_string()
    }

    /// Give the text back.
    #[tool]
    fn echo(&self, Parameters(Echo { text }): Parameters<Echo>) -> String {
        text
    }

    /// Tell how far it is, once, and be done.
    #[tool]
    async fn tell(&self, context: RequestContext<RoleServer>) -> Result<String, ErrorData> {
        if let Some(token) = context.meta.get_progress_token() {
            let half = ProgressNotificationParam::new(token, 1.0).with_total(2.0).with_message("half of it");
            context
                .peer
                .notify_progress(half)
                .await
                .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        }
        Ok("told".to_owned())
    }
}

#[derive(Clone)]
pub(crate) struct Hundred;

macro_rules! hundred {
    ($($name:ident)*) => {
        #[tool_router(server_handler)]
        impl Hundred {
            /// Add two integers.
            #[tool]
            fn add(&self, Parameters(Add { a, b }): Parameters<Add>) -> String {
                (a + b).to_string()
            }
            $(
                /// Look something up.
                #[tool]
                fn $name(&self, Parameters(LookUp { query, limit, archived }): Parameters<LookUp>) -> String {
                    format!("{query} {limit:?} {archived}")
                }
            )*
        }
    };
}
with_filler_names!(hundred);

/// Tools with the router they were given once.
#[derive(Clone)]
pub(crate) struct Kept<T> {
    tools: T,
    router: ToolRouter<T>,
}

impl Kept<Plain> {
    pub(crate) fn plain() -> Self {
        Self { tools: Plain, router: Plain::tool_router() }
    }
}

impl Kept<Hundred> {
    pub(crate) fn hundred() -> Self {
        Self { tools: Hundred, router: Hundred::tool_router() }
    }
}

impl<T: Send + Sync + 'static> ServerHandler for Kept<T> {
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.router.call(ToolCallContext::new(&self.tools, request, context)).await
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.router.list_all()))
    }

    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

/// The task server of rmcp's own example, with a task that is done at once and one that never is.
#[derive(Clone)]
pub(crate) struct Tasks {
    tool_router: ToolRouter<Tasks>,
    tasks: TaskManager,
}

#[tool_router]
impl Tasks {
    pub(crate) fn new() -> Self {
        Self { tool_router: Self::tool_router(), tasks: TaskManager::new() }
    }

    /// Finish at once.
    #[tool]
    async fn finish(&self) -> String {
        "done".to_owned()
    }

    /// Wait for ever.
    #[tool]
    async fn wait(&self) -> String {
        std::future::pending().await
    }
}

impl ServerHandler for Tasks {
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let task = if !context.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks())
        {
            None
        } else if request.name == "finish" {
            Some(self.tasks.spawn(TaskOptions::default(), |context| {
                Box::pin(async move {
                    tokio::select! {
                        () = context.cancelled() => Err(TaskExit::Cancelled),
                        text = async { "done" } => Ok(CallToolResult::success(vec![ContentBlock::text(text)])),
                    }
                })
            }))
        } else if request.name == "wait" {
            // The default of five minutes would kill the tasks while they are being counted.
            Some(self.tasks.spawn(TaskOptions::default().with_ttl_ms(3_600_000), |context| {
                Box::pin(async move {
                    tokio::select! {
                        () = context.cancelled() => Err(TaskExit::Cancelled),
                        result = std::future::pending() => result,
                    }
                })
            }))
        } else {
            None
        };
        match task {
            Some(task) => Ok(CallToolResponse::Task(CreateTaskResult::new(task))),
            None => self.tool_router.call(ToolCallContext::new(self, request, context)).await,
        }
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tool_router.list_all()))
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.tasks.get_task(&request.task_id)?))
    }

    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_tasks().build())
    }
}
