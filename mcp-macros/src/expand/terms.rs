//! What the things of each kind are called in the runtime.

use proc_macro2::{Ident, Span};

use crate::kind::Kind;

/// The names for one kind.
pub(super) struct Terms {
    /// The trait that is implemented.
    pub(super) implemented: Ident,
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
        let [implemented, definition, function, call, future, output, failure] = match kind {
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
        Self {
            implemented: ident(implemented),
            definition: ident(definition),
            function: ident(function),
            call: ident(call),
            future: ident(future),
            output,
            failure,
        }
    }
}
