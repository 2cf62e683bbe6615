//! What a prompt is: its definition, its arguments, and the messages that it gives.

mod definition;
mod output;

use std::pin::Pin;

pub use definition::PromptDefinition;
pub(crate) use definition::{DescribedArgument, DescribedPrompt, Suggestions, describe_arguments};
pub use output::{PromptMessage, PromptOutput, PromptResult};

use crate::Context;
use crate::protocol::ProtocolError;
use crate::tool::{Arguments, InvalidArguments, States};

/// What runs when a prompt is got.
pub type PromptFuture = Pin<Box<dyn Future<Output = Result<PromptResult, ProtocolError>> + Send>>;

/// One `prompts/get`: what came from the client, and what the server holds.
#[derive(Debug)]
pub struct PromptCall<'a> {
    /// The arguments, which are text on the wire; the declared types decide how each is read.
    pub arguments: Arguments<'a>,
    /// The values given to [`Server::state`](crate::Server::state).
    pub states: &'a States,
}

/// A prompt that a server can offer: messages for a model, which a person picks and fills in.
///
/// `#[prompt]` writes this for a function. Write it by hand for prompts that are only known when the program runs:
///
/// ```
/// use mcp_runtime::dynamic::{InvalidArguments, ParameterSpec, PromptCall, PromptDefinition, PromptFuture};
/// use mcp_runtime::prelude::*;
///
/// struct Review { language: String }
///
/// impl Prompt for Review {
///     fn definition(&self) -> PromptDefinition {
///         PromptDefinition::new(format!("review_{}", self.language), "Reviews code.")
///             .parameter(ParameterSpec::new::<String>("code", "The code."))
///     }
///
///     fn get(&self, call: PromptCall<'_>, _cx: Context) -> Result<PromptFuture, InvalidArguments> {
///         let mut fields = call.arguments.fields(&["code"]);
///         let Some(code) = fields.take::<String>(0) else { return Err(fields.refuse()) };
///         fields.finish()?;
///         let language = self.language.clone();
///         Ok(Box::pin(async move {
///             Ok(PromptResult::new().user(format!("Please review this {language} code:\n{code}")))
///         }))
///     }
/// }
/// # let _ = Review { language: "rust".into() };
/// ```
pub trait Prompt: Send + Sync + 'static {
    /// What `prompts/list` says of this prompt. Asked once, when it is offered.
    fn definition(&self) -> PromptDefinition;

    /// Checks and takes the arguments, and gives the future that makes the messages.
    ///
    /// Nothing may be done before the future is first polled. Dropping the future is how the request is cancelled.
    fn get(&self, call: PromptCall<'_>, cx: Context) -> Result<PromptFuture, InvalidArguments>;
}
