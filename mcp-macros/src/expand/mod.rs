//! What is written in place of what an author wrote: tokens, from the model alone.
//!
//! The function always stays, so that a mistake in what is declared of it does not make its other users wrong, too.

mod function;
mod implementation;
mod methods;
mod qualified;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::diagnostics::Mistakes;
use crate::signature::Item;

/// The expansion of `#[tool(words)] item`.
pub(crate) fn tool(words: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    match syn::parse2(item.clone()) {
        Ok(Item::Function(function)) => function::expand(words, &function, mistakes),
        Ok(Item::Impl(block)) => methods::expand(words, &block, mistakes),
        Ok(Item::Other(item)) => {
            mistakes.on(&item, "`#[tool]` goes on a function, or on an `impl` block with tools in it");
            quote!(#mistakes #item)
        }
        Err(error) => {
            mistakes.add(error);
            quote!(#mistakes #item)
        }
    }
}

/// The names that an expansion uses. They are those of the runtime's hidden module, under a name that nobody has.
fn imports() -> TokenStream {
    quote! {
        use ::mcp_runtime::__private::{self as __rt, Jsonable as _, NotAResult as _, Unfailing as _};
    }
}

/// What lints would say of generated code is of no use to the author of a tool.
fn silence() -> TokenStream {
    quote!(#[allow(deprecated, unused_imports)])
}

/// The type by which a list names the tool.
fn marker(
    visibility: &impl ToTokens,
    ident: &proc_macro2::Ident,
    conditions: &[syn::Attribute],
    description: Option<&impl ToTokens>,
) -> TokenStream {
    let doc = description.map(|description| quote!(#[doc = #description]));
    quote! {
        #(#conditions)*
        #[allow(non_camel_case_types, missing_debug_implementations, missing_copy_implementations, missing_docs)]
        #doc
        #visibility struct #ident {}
    }
}
