//! The methods of an impl block: the block itself, what its methods are declared to be, and functions that list them.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::Type;
use syn::ext::IdentExt;

use super::terms::Terms;
use super::{implementation, marker, scope};
use crate::attr::ImplWords;
use crate::diagnostics::Mistakes;
use crate::kind::Kind;
use crate::model::{Declaration, List, Set};
use crate::signature::ImplBlock;

pub(super) fn expand(
    kind: Kind,
    words: TokenStream,
    block: &ImplBlock,
    mut mistakes: Mistakes,
) -> TokenStream {
    let also = block.also.iter().cloned();
    let words: Vec<(Kind, ImplWords)> = std::iter::once((kind, words))
        .chain(also)
        .map(|(kind, words)| (kind, ImplWords::read(kind, words, &mut mistakes)))
        .collect();
    match Set::new(block, &words, &mut mistakes) {
        Ok(set) if mistakes.is_empty() => {
            let self_type = &set.self_type;
            let declarations = set.declarations.iter().map(|one| declared(one, self_type));
            let lists = lists(&set, true);
            let items = scope(&set.conditions, quote!(type __Self = #self_type; #(#declarations)* #lists));
            quote!(#block #items)
        }
        set => {
            // Lists of nothing, for who calls them.
            let fallback = set.ok().map(|set| scope(&set.conditions, lists(&set, false)));
            quote!(#mistakes #block #fallback)
        }
    }
}

fn marker_name(declaration: &Declaration) -> Ident {
    format_ident!("__{}_{}", Terms::of(declaration.kind()).listed, declaration.function.unraw())
}

fn declared(declaration: &Declaration, self_type: &Type) -> TokenStream {
    let name = marker_name(declaration);
    let conditions = &declaration.conditions;
    let marker = marker(&TokenStream::new(), &name, conditions, None, &TokenStream::new());
    // Beside the impl block `Self` is somebody else.
    let implementation = with_self_by_name(implementation::of(declaration, &name, Some(self_type)));
    // They do not see each other's helpers.
    quote! {
        #marker
        #(#conditions)*
        const _: () = { #implementation };
    }
}

/// The functions that list the methods, by kind; or functions that are never called.
fn lists(set: &Set, are_known: bool) -> TokenStream {
    let Set { generics, self_type, lists, .. } = set;
    let (parameters, _, conditions) = generics.split_for_impl();
    let lists = lists.iter().map(|List { kind, name, visibility }| {
        let listed = Terms::of(*kind).listed;
        let doc = format!(" The {} among the methods of this type, for a server's list.", kind.plural());
        let all = quote!(__rt::Vec<__rt::Arc<dyn __rt::#listed>>);
        let body = if are_known {
            let pushed = set.declarations.iter().filter(|declaration| declaration.kind() == *kind).map(
                |declaration| {
                    let (conditions, name) = (&declaration.conditions, marker_name(declaration));
                    let one = match kind {
                        Kind::Tool => quote!(<#name as __rt::ToolFunction>::tool()),
                        Kind::Prompt | Kind::Resource => quote!(__rt::Arc::new(#name {})),
                    };
                    quote!(#(#conditions)* all.push(#one);)
                },
            );
            quote!(let mut all: #all = __rt::Vec::new(); #(#pushed)* all)
        } else {
            quote!(::core::unreachable!())
        };
        quote! {
            #[doc = #doc]
            #visibility fn #name() -> #all {
                #body
            }
        }
    });
    quote! {
        impl #parameters #self_type #conditions {
            #(#lists)*
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
