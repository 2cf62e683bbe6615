//! What is written in place of what an author wrote: tokens, from the model alone.
//!
//! The function always stays, so that a mistake in what is declared of it does not make its other users wrong, too.

mod calling;
mod definition;
mod function;
mod implementation;
mod methods;
mod place;
#[cfg(test)]
mod snapshots;
mod terms;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Attribute;

use crate::diagnostics::Mistakes;
use crate::doc::Text;
use crate::kind::Kind;
use crate::signature::Item;

/// The expansion of `#[tool(words)] item`, or of the attribute of another kind.
pub(crate) fn attribute(kind: Kind, words: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    match syn::parse2(item.clone()) {
        Ok(Item::Function(function)) => function::expand(kind, words, &function, mistakes),
        Ok(Item::Impl(block)) => methods::expand(kind, words, &block, mistakes),
        Ok(Item::Other(place)) => {
            let plural = kind.plural();
            let message =
                format!("`#[{kind}]` goes on a function, or on an `impl` block with {plural} in it");
            mistakes.at(place, message);
            quote!(#mistakes #item)
        }
        Err(error) => {
            mistakes.add(error);
            quote!(#mistakes #item)
        }
    }
}

/// A scope for generated items, where the runtime's hidden module has a name that nobody else uses.
fn scope(conditions: &[Attribute], items: impl ToTokens) -> TokenStream {
    quote! {
        #(#conditions)*
        // What lints would say of generated code is of no use to who declares a tool.
        #[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
        const _: () = {
            use ::mcp_runtime::__private::{
                self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _, Unfailing as _, Unreadable as _
            };
            #items
        };
    }
}

/// The type by which a list names what is declared, with the arguments by which it is called as its fields.
fn marker(
    visibility: &impl ToTokens,
    ident: &Ident,
    conditions: &[Attribute],
    description: Option<&Text>,
    fields: &TokenStream,
) -> TokenStream {
    let doc = description.filter(|text| text.is_documentation()).map(|text| quote!(#[doc = #text]));
    // What the compiler says of the type is about the function.
    let item = quote_spanned!(ident.span()=> #visibility struct #ident { #fields });
    quote! {
        #(#conditions)*
        #[allow(
            non_camel_case_types,
            non_snake_case,
            missing_debug_implementations,
            missing_copy_implementations,
            missing_docs,
            dead_code,
            deprecated,
            private_interfaces,
            unreachable_pub,
            clippy::all,
            clippy::pedantic
        )]
        #doc
        #item
    }
}
