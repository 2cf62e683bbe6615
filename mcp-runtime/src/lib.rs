//! Long-running MCP tools.

mod protocol;
mod server;
mod task;
pub mod testing;
mod tool;
mod transport;
mod wire;

pub use mcp_macros::tool;
pub use protocol::content::{self, Content};
pub use protocol::{ProtocolError, RequestId};
pub use server::{BuildError, Limits, Server, ServerError, Service, Tasks};
pub use task::{Amount, Cancelled, Context, Principal, TaskId, Total, store};
pub use tool::{
    Args, Arguments, Hints, Icon, InvalidArguments, State, States, TaskPolicy, TaskSupport, Tool, ToolCall,
    ToolDefinition, ToolError, ToolFuture, ToolResult,
};

pub use transport::Transport;
pub use transport::stdio::{Stdio, stdio};

/// Lists tools by name, for [`Server::tools`].
///
/// [`Server::tools`]: crate::Server::tools
#[macro_export]
macro_rules! tools {
    ($($($tool:ident)::+),* $(,)?) => {
        ::std::vec![$(::std::sync::Arc::new($($tool)::+ {}) as ::std::sync::Arc<dyn $crate::Tool>),*]
    };
}

/// Everything that a program with tools names.
pub mod prelude {
    pub use crate::{
        Args, Content, Context, Limits, ProtocolError, Server, ServerError, State, Tasks, Tool, ToolError,
        ToolResult, stdio, tool, tools,
    };
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}

/// What the macros write names; nothing of it is for people.
#[doc(hidden)]
pub mod __private {
    pub use crate::tool::{
        Called, Countable, Fields, FromText, Hints, Icon, Jsonable, Kind, NotAResult, Numeric, OutputSchema,
        Parameter, ParameterSpec, Shared, Shown, TaskPolicy, TaskSupport, Tool, ToolCall, ToolDefinition,
        ToolFailure, ToolOutput, Unfailing,
    };
    pub use crate::{Args, Context, State};
    pub use std::default::Default;
    pub use std::option::Option::{self, None, Some};
    pub use std::result::Result::{Err, Ok};
    pub use std::sync::Arc;
    pub use std::time::Duration;
    pub use std::vec::Vec;

    use crate::tool::{ToolError, ToolFuture, ToolResult};

    /// The future of a call: what the function gives, as a result.
    ///
    /// It takes a function that makes the future, and not the future, which would be in it twice: as what is captured
    /// and as what is awaited.
    pub fn run<M, F>(make: M, convert: fn(F::Output) -> Result<ToolResult, ToolError>) -> ToolFuture
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + Send + 'static,
    {
        Box::pin(async move { convert(make().await) })
    }

    /// Runs a function that blocks on a thread that may.
    pub async fn blocking<T: Send + 'static>(function: impl FnOnce() -> T + Send + 'static) -> T {
        match tokio::task::spawn_blocking(function).await {
            Ok(value) => value,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going down and takes this call with it.
                Err(_) => std::future::pending().await,
            },
        }
    }
}
