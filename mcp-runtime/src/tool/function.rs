//! Tools that are functions: a type each, which stands in a server's list, and whose value is a call with its arguments.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{InvalidArguments, Tool, ToolCall, ToolDefinition, ToolFuture};
use crate::Context;

/// What `#[tool]` writes of a function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function that is a tool",
    label = "write `#[tool]` above the function",
    note = "what implements `Tool` itself is put into the list as `Arc::new(..)`"
)]
pub trait ToolFunction: Sized + 'static {
    /// That of [`Tool`].
    fn definition() -> ToolDefinition;

    /// That of [`Tool`].
    fn call(call: ToolCall<'_>, cx: Context) -> Result<ToolFuture, InvalidArguments>;

    /// The tool, for a server's list.
    fn tool() -> Arc<dyn Tool> {
        Arc::new(Listed::<Self>(PhantomData))
    }
}

struct Listed<T>(PhantomData<fn() -> T>);

impl<T: ToolFunction> Tool for Listed<T> {
    fn definition(&self) -> ToolDefinition {
        T::definition()
    }

    fn call(&self, call: ToolCall<'_>, cx: Context) -> Result<ToolFuture, InvalidArguments> {
        T::call(call, cx)
    }
}
