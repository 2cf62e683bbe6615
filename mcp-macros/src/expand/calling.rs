//! How a program calls a tool by its type: the type's fields are the arguments, and it knows what the function gives.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericArgument, PathArguments, Type, TypePath};

use crate::model::{Argument, Declaration, Input, bare};

/// The fields of a tool's type: what the client gives, as visible as the tool.
pub(super) fn fields(declaration: &Declaration) -> TokenStream {
    let visibility = &declaration.visibility;
    if let Some(ty) = whole(declaration) {
        return quote!(#visibility args: #ty);
    }
    let fields = declaration.arguments().into_iter().map(|argument| {
        let Argument { ident, description, .. } = argument;
        let doc = (!description.is_blank() && description.is_documentation())
            .then(|| quote!(#[doc = #description]));
        let ty = given_type(argument, &quote!(::mcp_runtime::__private));
        quote!(#doc #visibility #ident: #ty)
    });
    quote!(#(#fields),*)
}

/// The implementation by which the client calls the tool of this name.
pub(super) fn implementation(declaration: &Declaration, marker: &Ident) -> TokenStream {
    let (name, output) = (&declaration.name, output(&declaration.output));
    // A list as a type: the compiler asks of each of them whether it can be sent, once somebody calls the tool.
    let (ty, value) = if let Some(ty) = whole(declaration) {
        (quote!(__rt::Args<#ty>), quote!(__rt::Args(self.args)))
    } else {
        let end = (quote!(()), quote!(()));
        declaration.arguments().into_iter().rev().fold(end, |(types, values), argument| {
            let (ident, ty) = (&argument.ident, given_type(argument, &quote!(__rt)));
            (quote!((#ty, #types)), quote!((self.#ident, #values)))
        })
    };
    let names = declaration.arguments().into_iter().map(|argument| {
        let (name, may_be_left_out) = (&argument.name, may_be_left_out(argument));
        quote!((#name, #may_be_left_out))
    });
    // A program without the client has nothing of it.
    quote! {
        __rt::for_clients! {
            #[automatically_derived]
            impl __rt::Callable<#ty, #output> for #marker {
                const NAME: __rt::Name = #name;
                const ARGUMENTS: __rt::Names = &[#(#names),*];
                fn given(self) -> #ty {
                    #value
                }
            }
        }
    }
}

/// The type that is the whole arguments object, if one is.
fn whole(declaration: &Declaration) -> Option<&Type> {
    declaration.inputs.iter().find_map(|input| if let Input::Whole(ty) = input { Some(ty) } else { None })
}

/// The type of a field: with a default, it may be none.
fn given_type(argument: &Argument, runtime: &TokenStream) -> TokenStream {
    let ty = &argument.ty;
    match argument.default() {
        Some(_) => quote!(#runtime::Option<#ty>),
        None => ty.to_token_stream(),
    }
}

/// Whether the value may be none, which is then not sent. Types are known here as they are spelled; of an `Option` of another
/// name `null` is sent, which stands for none as well.
fn may_be_left_out(argument: &Argument) -> bool {
    argument.default().is_some() || parameters(&argument.ty, "Option").is_some()
}

/// What the function gives when it does not fail. A `Result` is known as it is spelled.
fn output(output: &Type) -> TokenStream {
    let value = parameters(output, "Result").and_then(|mut types| types.next()).unwrap_or(output);
    match bare(value) {
        // What is borrowed there is owned here.
        Type::Reference(reference) if matches!(bare(&reference.elem), Type::Path(path) if path.path.is_ident("str")) =>
        {
            quote!(__rt::String)
        }
        value => value.to_token_stream(),
    }
}

/// The types between the angle brackets of a type of this name.
fn parameters<'a>(ty: &'a Type, name: &str) -> Option<impl Iterator<Item = &'a Type>> {
    let Type::Path(TypePath { path, .. }) = bare(ty) else { return None };
    let segment = path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    Some(arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }))
}
