//! The methods of an impl block as tools: the block itself, and a function that lists them.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::Type;
use syn::ext::IdentExt;

use super::{implementation, marker, scope};
use crate::attr::ImplWords;
use crate::diagnostics::Mistakes;
use crate::model::{Tool, ToolSet};
use crate::signature::ImplBlock;

pub(super) fn expand(words: TokenStream, block: &ImplBlock, mut mistakes: Mistakes) -> TokenStream {
    let words = ImplWords::read(words, &mut mistakes);
    match ToolSet::new(block, &words, &mut mistakes) {
        Ok(set) if mistakes.is_empty() => {
            let self_type = &set.self_type;
            let tools = set.tools.iter().map(|one| tool(one, self_type));
            let pushed = set.tools.iter().map(|tool| {
                let (conditions, name) = (&tool.conditions, marker_name(tool));
                quote!(#(#conditions)* tools.push(__rt::Arc::new(#name {}));)
            });
            let list = list(
                &set,
                &quote! {
                    let mut tools: __rt::Vec<__rt::Arc<dyn __rt::Tool>> = __rt::Vec::new();
                    #(#pushed)*
                    tools
                },
            );
            let items = scope(&set.conditions, quote!(type __Self = #self_type; #(#tools)* #list));
            quote!(#block #items)
        }
        set => {
            // A list of nothing, for who calls it.
            let fallback =
                set.ok().map(|set| scope(&set.conditions, list(&set, &quote!(::core::unreachable!()))));
            quote!(#mistakes #block #fallback)
        }
    }
}

fn marker_name(tool: &Tool) -> Ident {
    format_ident!("__Tool_{}", tool.function.unraw())
}

fn tool(tool: &Tool, self_type: &Type) -> TokenStream {
    let name = marker_name(tool);
    let conditions = &tool.conditions;
    let marker = marker(&TokenStream::new(), &name, conditions, None);
    // Beside the impl block `Self` is somebody else.
    let implementation = with_self_by_name(implementation::of(tool, &name, Some(self_type)));
    // Tools do not see each other's helpers.
    quote! {
        #marker
        #(#conditions)*
        const _: () = { #implementation };
    }
}

fn list(set: &ToolSet, body: &TokenStream) -> TokenStream {
    let ToolSet { generics, self_type, list, visibility, .. } = set;
    let (parameters, _, conditions) = generics.split_for_impl();
    quote! {
        impl #parameters #self_type #conditions {
            /// The tools among the methods of this type, for a server's list.
            #visibility fn #list() -> __rt::Vec<__rt::Arc<dyn __rt::Tool>> {
                #body
            }
        }
    }
}

fn with_self_by_name(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => Ident::new("__Self", ident.span()).into(),
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), with_self_by_name(group.stream()));
                inner.set_span(group.span());
                inner.into()
            }
            other => other,
        })
        .collect()
}
