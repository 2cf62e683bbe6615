//! What a tool is: its definition, its arguments, its results, and the state it asks for.

mod arguments;
mod blocking;
mod definition;
mod function;
mod job;
mod left;
mod mirror;
mod output;
mod parameter;
pub(crate) mod schema;
mod state;
pub(crate) mod validate;

use std::pin::Pin;

pub(crate) use arguments::Of;
pub use arguments::{Arguments, Fields, InvalidArguments};
pub use blocking::blocking;
pub(crate) use definition::{Described, Input};
pub use definition::{Icon, TaskPolicy, TaskSupport, ToolAnnotations, ToolDefinition};
pub use function::ToolFunction;
pub(crate) use job::AnyJobs;
pub use job::{Job, JobOutput, JobStatus, Jobs};
pub(crate) use mirror::Mirrored;
#[cfg(feature = "client")]
pub(crate) use mirror::mirrored;
pub(crate) use output::ending;
pub use output::{
    Jsonable, Kind, NotAResult, Nowhere, OutputSchema, ToolError, ToolFailure, ToolOutput, ToolResult,
    Unfailing, Worded,
};
pub use parameter::{Args, Argument, Countable, FromText, Numeric, Parameter, ParameterSpec, Shown};
pub use state::{Asks, Shared, State, StateKey, States};

use crate::Context;

/// What runs when a tool is called.
pub type ToolFuture = Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send>>;

/// One call of a tool: what came from the client, and what the server holds for its tools.
#[derive(Debug)]
pub struct ToolCall<'a> {
    /// The arguments object, as it came.
    pub arguments: Arguments<'a>,
    /// The values given to [`Server::state`](crate::Server::state).
    pub states: &'a States,
}

/// A tool that a server can offer.
///
/// `#[tool]` writes this for a function. Write it by hand for tools that are only known when the program runs, such
/// as those of a document that is loaded at start:
///
/// ```
/// use mcp_runtime::dynamic::{InvalidArguments, ToolCall, ToolDefinition, ToolFuture};
/// use mcp_runtime::prelude::*;
///
/// struct Constant { name: String, value: String }
///
/// impl Tool for Constant {
///     fn definition(&self) -> ToolDefinition {
///         ToolDefinition::new(self.name.clone(), "Gives a fixed text.")
///     }
///
///     fn call(&self, _call: ToolCall<'_>, _cx: Context) -> Result<ToolFuture, InvalidArguments> {
///         let value = self.value.clone();
///         Ok(Box::pin(async move { Ok(ToolResult::text(value)) }))
///     }
/// }
/// # let _ = Constant { name: "motd".into(), value: "hello".into() };
/// ```
pub trait Tool: Send + Sync + 'static {
    /// What `tools/list` says of this tool. Asked once, when the server is built.
    fn definition(&self) -> ToolDefinition;

    /// Checks and takes the arguments, and gives the future that does the work.
    ///
    /// Nothing may be done before the future is first polled: a call whose arguments are refused, or whose task
    /// could not be recorded, never ran. Dropping the future is how a call is cancelled.
    fn call(&self, call: ToolCall<'_>, cx: Context) -> Result<ToolFuture, InvalidArguments>;
}
