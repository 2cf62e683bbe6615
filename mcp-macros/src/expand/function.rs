//! A function and what it is declared to be: the function itself, and beside it a type of the same name.

use proc_macro2::TokenStream;
use quote::quote;
use syn::FnArg;

use super::{calling, implementation, marker, scope};
use crate::attr::Words;
use crate::diagnostics::Mistakes;
use crate::kind::Kind;
use crate::model::Declaration;
use crate::signature::Function;

pub(super) fn expand(
    kind: Kind,
    words: TokenStream,
    function: &Function,
    mut mistakes: Mistakes,
) -> TokenStream {
    if let Some(receiver @ FnArg::Receiver(_)) = function.signature.inputs.first() {
        // There is no place for another item within an impl block, nor a word to be said about this one.
        let message = format!(
            "a method is a {kind} if its impl block is told so, too: write `#[{kind}]` above `impl ..`"
        );
        mistakes.on(receiver, message);
        return quote!(#mistakes #function);
    }
    let words = Words::read(kind, words, &mut mistakes);
    match Declaration::of_function(function, words, &mut mistakes) {
        Ok(declaration) if mistakes.is_empty() => {
            let Declaration { function: ident, visibility, conditions, description, .. } = &declaration;
            let implementation = implementation::of(&declaration, ident, None);
            // Only tools are called with arguments that are typed.
            let (fields, calling) = match declaration.kind() {
                Kind::Tool => {
                    (calling::fields(&declaration), Some(calling::implementation(&declaration, ident)))
                }
                Kind::Prompt | Kind::Resource => (TokenStream::new(), None),
            };
            let marker = marker(visibility, ident, conditions, Some(description), &fields);
            let implementation = scope(conditions, quote!(#implementation #calling));
            quote!(#function #marker #implementation)
        }
        _ => {
            // A function without a body is in a trait, where no other items are.
            let fallback = function.has_body().then(|| fallback(kind, function));
            quote!(#mistakes #function #fallback)
        }
    }
}

/// A tool, a prompt or a resource in name only, for the lists that name it.
fn fallback(kind: Kind, function: &Function) -> TokenStream {
    let ident = &function.signature.ident;
    let conditions: Vec<_> = function.conditions().cloned().collect();
    let marker = marker(&function.visibility, ident, &conditions, None, &TokenStream::new());
    let implementation = scope(&conditions, implementation::fallback(kind, ident));
    quote!(#marker #implementation)
}
