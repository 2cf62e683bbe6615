//! The methods of an impl block as tools: the block itself, and a function that lists them.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;

use super::{implementation, imports, marker, silence};
use crate::attr::ImplWords;
use crate::diagnostics::Mistakes;
use crate::model::{Tool, ToolSet};
use crate::signature::ImplBlock;

pub(super) fn expand(words: TokenStream, block: &ImplBlock, mut mistakes: Mistakes) -> TokenStream {
    let words = ImplWords::read(words, &mut mistakes);
    match ToolSet::new(block, &words, &mut mistakes) {
        Some(set) if mistakes.is_empty() => {
            let tools = set.tools.iter().map(tool);
            let list = list(&set);
            let (imports, silence) = (imports(), silence());
            let self_type = &set.self_type;
            quote! {
                #block
                #silence
                const _: () = {
                    #imports
                    type __Self = #self_type;
                    #(#tools)*
                    #list
                };
            }
        }
        set => {
            let fallback = set.map(|set| fallback(&set));
            quote!(#mistakes #block #fallback)
        }
    }
}

fn marker_name(tool: &Tool) -> Ident {
    format_ident!("__Tool_{}", tool.function.unraw())
}

fn tool(tool: &Tool) -> TokenStream {
    let name = marker_name(tool);
    let conditions = &tool.conditions;
    let marker = marker(&TokenStream::new(), &name, conditions, None::<&TokenStream>);
    // Beside the impl block `Self` is somebody else.
    let implementation = with_self_by_name(implementation::of(tool, &name));
    quote! {
        #marker
        #(#conditions)*
        const _: () = { #implementation };
    }
}

fn list(set: &ToolSet) -> TokenStream {
    let ToolSet { self_type, list, visibility, tools } = set;
    let pushed = tools.iter().map(|tool| {
        let (conditions, name) = (&tool.conditions, marker_name(tool));
        quote!(#(#conditions)* tools.push(__rt::Arc::new(#name {}));)
    });
    let doc = format!("The tools among the methods of [`{}`].", crate::model::shown(self_type));
    quote! {
        impl #self_type {
            #[doc = #doc]
            #visibility fn #list() -> __rt::Vec<__rt::Arc<dyn __rt::Tool>> {
                let mut tools: __rt::Vec<__rt::Arc<dyn __rt::Tool>> = __rt::Vec::new();
                #(#pushed)*
                tools
            }
        }
    }
}

/// A list of nothing, for who names it.
fn fallback(set: &ToolSet) -> TokenStream {
    let ToolSet { self_type, list, visibility, .. } = set;
    quote! {
        const _: () = {
            use ::mcp_runtime::__private as __rt;
            impl #self_type {
                #visibility fn #list() -> __rt::Vec<__rt::Arc<dyn __rt::Tool>> {
                    ::core::unreachable!()
                }
            }
        };
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
        .collect::<TokenStream>()
        .into_token_stream()
}
