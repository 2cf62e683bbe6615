//! A function as a tool: the function itself, and beside it a type of the same name.

use proc_macro2::TokenStream;
use quote::quote;
use syn::FnArg;

use super::{implementation, imports, marker, silence};
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
        return quote!(#function #mistakes);
    }
    let words = ToolWords::read(words, &mut mistakes);
    match Tool::of_function(function, words, &mut mistakes) {
        Some(tool) if mistakes.is_empty() => {
            let marker = marker(&tool.visibility, &tool.function, &tool.conditions, Some(&tool.description));
            let (imports, silence) = (imports(), silence());
            let conditions = &tool.conditions;
            let implementation = implementation::of(&tool, &tool.function);
            quote! {
                #function
                #marker
                #(#conditions)*
                #silence
                const _: () = {
                    #imports
                    #implementation
                };
            }
        }
        _ => {
            let fallback = fallback(function);
            quote!(#mistakes #function #fallback)
        }
    }
}

/// A tool in name only, for the lists that name it.
fn fallback(function: &Function) -> TokenStream {
    let ident = &function.signature.ident;
    let conditions: Vec<_> = function.conditions().cloned().collect();
    let marker = marker(&function.visibility, ident, &conditions, None::<&TokenStream>);
    let implementation = implementation::fallback(ident);
    quote! {
        #marker
        #(#conditions)*
        const _: () = {
            use ::mcp_runtime::__private as __rt;
            #implementation
        };
    }
}
