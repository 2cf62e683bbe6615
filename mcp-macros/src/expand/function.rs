//! A function as a tool: the function itself, and beside it a type of the same name.

use proc_macro2::TokenStream;
use quote::quote;
use syn::FnArg;

use super::{implementation, marker, scope};
use crate::attr::ToolWords;
use crate::diagnostics::Mistakes;
use crate::model::Tool;
use crate::signature::Function;

pub(super) fn expand(words: TokenStream, function: &Function, mut mistakes: Mistakes) -> TokenStream {
    if let Some(receiver @ FnArg::Receiver(_)) = function.signature.inputs.first() {
        // There is no place for another item within an impl block, nor a word to be said about this one.
        mistakes.on(
            receiver,
            "a method is a tool if its impl block is told so, too: write `#[tool]` above `impl ..`",
        );
        return quote!(#mistakes #function);
    }
    let words = ToolWords::read(words, &mut mistakes);
    match Tool::of_function(function, words, &mut mistakes) {
        Ok(tool) if mistakes.is_empty() => {
            let Tool { function: ident, visibility, conditions, description, .. } = &tool;
            let marker = marker(visibility, ident, conditions, Some(description));
            let implementation = scope(conditions, implementation::of(&tool, ident, None));
            quote!(#function #marker #implementation)
        }
        _ => {
            // A function without a body is in a trait, where no other items are.
            let fallback = function.has_body().then(|| fallback(function));
            quote!(#mistakes #function #fallback)
        }
    }
}

/// A tool in name only, for the lists that name it.
fn fallback(function: &Function) -> TokenStream {
    let ident = &function.signature.ident;
    let conditions: Vec<_> = function.conditions().cloned().collect();
    let marker = marker(&function.visibility, ident, &conditions, None);
    let implementation = scope(&conditions, implementation::fallback(ident));
    quote!(#marker #implementation)
}
