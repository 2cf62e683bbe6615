//! What the things of each kind are called in the runtime.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::kind::Kind;

/// The names for one kind.
pub(super) struct Terms {
    /// The trait of what a server's list holds.
    pub(super) listed: Ident,
    /// The trait that is implemented for the type.
    pub(super) implemented: Ident,
    /// What the functions of that are called on, if on anything.
    pub(super) receiver: TokenStream,
    pub(super) definition: Ident,
    /// The trait's function that is called for a client, what it is given, and what it gives.
    pub(super) function: Ident,
    pub(super) call: Ident,
    pub(super) future: Ident,
    /// The traits of what the author's function may give, and of its error.
    pub(super) output: &'static str,
    pub(super) failure: &'static str,
}

impl Terms {
    pub(super) fn of(kind: Kind) -> Self {
        let [listed, definition, function, call, future, output, failure] = match kind {
            Kind::Tool => {
                ["Tool", "ToolDefinition", "call", "ToolCall", "ToolFuture", "ToolOutput", "ToolFailure"]
            }
            Kind::Prompt => {
                ["Prompt", "PromptDefinition", "get", "PromptCall", "PromptFuture", "PromptOutput", "Failure"]
            }
            Kind::Resource => [
                "Resource",
                "ResourceDefinition",
                "read",
                "ResourceCall",
                "ResourceFuture",
                "ResourceOutput",
                "Failure",
            ],
        };
        let ident = |name| Ident::new(name, Span::call_site());
        // A tool is a type alone: a value of it is a call with its arguments.
        let (implemented, receiver) = match kind {
            Kind::Tool => ("ToolFunction", TokenStream::new()),
            Kind::Prompt | Kind::Resource => (listed, quote!(&self)),
        };
        Self {
            listed: ident(listed),
            implemented: ident(implemented),
            receiver,
            definition: ident(definition),
            function: ident(function),
            call: ident(call),
            future: ident(future),
            output,
            failure,
        }
    }
}
