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

/// A name, in generated code.
pub type Name = &'static str;

/// Names of arguments, and whether `null` is not sent for them, in generated code.
pub type Names = &'static [(Name, bool)];

/// A call of a tool with its arguments, which `#[tool]` makes of the tool's type: `add { a: 1, b: 2 }`.
///
/// What is given and what the function gives are parameters of the trait, since the types may be more private than the tool.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a call of a tool",
    label = "write the name of a function that is a `#[tool]`, with its arguments: `add {{ a: 1, b: 2 }}`"
)]
pub trait Callable<Arguments, Output> {
    /// By what the tool is called.
    const NAME: Name;
    /// The arguments, unless one type is all of them.
    const ARGUMENTS: Names;

    /// The arguments as a list.
    fn given(self) -> Arguments;
}
