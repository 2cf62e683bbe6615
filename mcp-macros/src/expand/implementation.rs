//! The implementation of the runtime's trait: the definition, and what is done for a client.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{PathArguments, PathSegment, Type};

use super::definition;
use super::place::Place;
use super::terms::Terms;
use crate::kind::Kind;
use crate::model::{Argument, Declaration, Input, Standin, This};

/// The implementation for the type of this name, with the functions that it needs beside it. A method's type is named
/// `__Self` there.
pub(super) fn of(declaration: &Declaration, marker: &Ident, self_type: Option<&Type>) -> TokenStream {
    // What a method is called on is a state as any other.
    let this = self_type.filter(|_| matches!(declaration.this, This::Reference | This::Shared));
    let arguments = declaration.arguments();
    let defaults =
        arguments.iter().enumerate().filter_map(|(index, argument)| default_function(index, argument));
    let implemented = Terms::of(declaration.kind()).implemented;
    let definition = definition::of(declaration, this);
    let call = call(declaration, &arguments, this);
    quote! {
        #(#defaults)*
        #[automatically_derived]
        impl __rt::#implemented for #marker {
            #definition
            #call
        }
    }
}

/// An implementation that is never used, in place of one that could not be made.
pub(super) fn fallback(kind: Kind, marker: &Ident) -> TokenStream {
    let Terms { implemented, receiver, definition, .. } = Terms::of(kind);
    let head = head(kind, &quote!(_), &quote!(_));
    quote! {
        #[automatically_derived]
        impl __rt::#implemented for #marker {
            fn definition(#receiver) -> __rt::#definition {
                ::core::unreachable!()
            }

            #head {
                ::core::unreachable!()
            }
        }
    }
}

/// The head of the function that is called for a client.
fn head(kind: Kind, call: &TokenStream, cx: &TokenStream) -> TokenStream {
    let Terms { receiver, function, call: ty, future, .. } = Terms::of(kind);
    let receiver = (!receiver.is_empty()).then(|| quote!(#receiver,));
    quote! {
        fn #function(
            #receiver
            #call: __rt::#ty<'_>,
            #cx: __rt::Context,
        ) -> __rt::Result<__rt::#future, __rt::InvalidArguments>
    }
}

/// A name for generated code alone.
pub(super) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

pub(super) fn default_name(index: usize) -> Ident {
    format_ident!("__default_{index}")
}

/// The default as a function, for the definition and for the call. Its type is checked here, where it is written.
fn default_function(index: usize, argument: &Argument) -> Option<TokenStream> {
    let ty = &argument.ty;
    let value = match argument.default()? {
        Standin::OfType(span) => Place::at(*span).call_for(ty, "Default", "default", TokenStream::new()),
        Standin::Literal(value, _) | Standin::Computed(value) => value.to_token_stream(),
        Standin::Text(literal) => Place::of(literal).call_for(ty, "FromText", "from_text", literal),
    };
    let name = default_name(index);
    Some(quote!(fn #name() -> #ty { #value }))
}

fn call(declaration: &Declaration, arguments: &[&Argument], this: Option<&Type>) -> TokenStream {
    let (call, cx) = (local("call"), local("cx"));
    let take = take(declaration, arguments, &call);
    let takes_context = declaration.inputs.iter().any(|input| matches!(input, Input::Context));
    let pattern = if takes_context { cx.to_token_stream() } else { quote!(_) };
    let states = declaration.inputs.iter().enumerate().filter_map(|(index, input)| match input {
        Input::State(ty) => Some((ty, state_name(index))),
        Input::Argument(_) | Input::Whole(_) | Input::Context => None,
    });
    let found = this.map(|ty| (ty, local("this"))).into_iter().chain(states).map(|(ty, name)| {
        let found = Place::of(ty).call(ty, "Shared", "find", quote!(#call.states));
        quote!(let #name = #found;)
    });
    let mut argument = 0;
    let values: Vec<TokenStream> = declaration
        .inputs
        .iter()
        .enumerate()
        .map(|(index, input)| match input {
            Input::Context => cx.to_token_stream(),
            Input::State(_) => state_name(index).to_token_stream(),
            Input::Whole(_) => local("whole").to_token_stream(),
            Input::Argument(_) => {
                argument += 1;
                argument_name(argument - 1).to_token_stream()
            }
        })
        .collect();
    let (future, convert) = (future(declaration, &values), convert(declaration));
    let run = quote_spanned!(declaration.function.span()=> __rt::run(#future, #convert));
    let head = head(declaration.kind(), &call.to_token_stream(), &pattern);
    quote! {
        #head {
            #take
            #(#found)*
            __rt::Ok(#run)
        }
    }
}

fn argument_name(index: usize) -> Ident {
    local(&format!("argument_{index}"))
}

fn state_name(index: usize) -> Ident {
    local(&format!("state_{index}"))
}

/// Takes all arguments before it looks at any, so that a client is told all that is wrong at once.
fn take(declaration: &Declaration, arguments: &[&Argument], call: &Ident) -> TokenStream {
    if let Some(Input::Whole(ty)) = declaration.inputs.iter().find(|input| matches!(input, Input::Whole(_))) {
        let whole = local("whole");
        let taken = Place::of(ty).call(ty, "Argument", "whole", quote!(#call.arguments));
        return quote!(let #whole = #taken?;);
    }
    if arguments.is_empty() {
        return quote!(#call.arguments.fields(&[]).finish()?;);
    }
    let fields = local("fields");
    let names = arguments.iter().map(|argument| &argument.name);
    let locals: Vec<Ident> = (0..arguments.len()).map(argument_name).collect();
    let taken = arguments.iter().enumerate().map(|(index, argument)| {
        let ty = &argument.ty;
        let (how, default) = match argument.default() {
            None => ("take", None),
            Some(_) => ("take_or", Some(default_name(index))),
        };
        let default = default.map(|default| quote!(, #default));
        Place::of(ty).call(ty, "Argument", how, quote!(&mut #fields, #index #default))
    });
    quote! {
        let mut #fields = #call.arguments.fields(&[#(#names),*]);
        #(let #locals = #taken;)*
        let (#(__rt::Some(#locals),)* true) = (#(#locals,)* #fields.are_right()) else {
            return __rt::Err(#fields.refuse());
        };
    }
}

/// A function that makes the future of the author's function.
fn future(declaration: &Declaration, values: &[TokenStream]) -> TokenStream {
    let (function, this) = (&declaration.function, local("this"));
    // An error about the future, above all that it is not `Send`, is about the function.
    let span = function.span();
    let called = match declaration.this {
        This::Module => quote_spanned!(span=> #function(#(#values),*)),
        This::Type => quote_spanned!(span=> __Self::#function(#(#values),*)),
        This::Reference => quote_spanned!(span=> __Self::#function(&#this, #(#values),*)),
        This::Shared => quote_spanned!(span=> __Self::#function(#this.into_inner(), #(#values),*)),
    };
    match (declaration.is_blocking, declaration.this) {
        (true, _) => quote_spanned!(span=> move || __rt::blocking(move || #called)),
        // The future borrows what it is called on, so that has to be kept beside it.
        (false, This::Reference) => quote_spanned!(span=> move || async move { #called.await }),
        (false, _) => quote_spanned!(span=> move || #called),
    }
}

/// A function that makes a result of what the author's function gives.
fn convert(declaration: &Declaration) -> TokenStream {
    let (output, terms) = (&declaration.output, Terms::of(declaration.kind()));
    let [at_value, at_error] = places(output);
    let [result, kind, way, value, error] = ["result", "kind", "way", "value", "error"].map(local);
    let convert = |given: TokenStream| at_value.call(at_value.unnamed(), terms.output, "convert", given);
    let failed = at_error.call(at_error.unnamed(), terms.failure, "fail", &error);
    // What a prompt gives is known by its type; what the others give may also be written as JSON, if the type can be.
    let (found, converted, failed) = match declaration.kind() {
        Kind::Tool => (Some(quote!(let #way = #kind.ok().way();)), convert(quote!(#way, #value)), failed),
        Kind::Prompt => (None, convert(value.to_token_stream()), quote!(__rt::Err(#failed))),
        Kind::Resource => {
            let converted = convert(quote!(#way, #value));
            let present = quote! {
                match #kind.ok().present(#value) {
                    __rt::Some(#value) => #converted.map(__rt::Some),
                    __rt::None => __rt::Ok(__rt::None),
                }
            };
            (Some(quote!(let #way = #kind.ok().some().reading();)), present, quote!(__rt::Err(#failed)))
        }
    };
    quote! {
        |#result| {
            let #kind = __rt::Kind::<#output>::NEW;
            #found
            match #kind.split(#result) {
                __rt::Ok(#value) => #converted,
                __rt::Err(#error) => #failed,
            }
        }
    }
}

/// Where the type of the value and that of the error are, as far as a `Result` is spelled as one.
fn places(output: &Type) -> [Place; 2] {
    let whole = Place::of(output);
    let Type::Path(path) = output else { return [whole; 2] };
    let arguments = match path.path.segments.last() {
        Some(PathSegment { ident, arguments: PathArguments::AngleBracketed(arguments) })
            if ident == "Result" =>
        {
            &arguments.args
        }
        _ => return [whole; 2],
    };
    let mut places = arguments.iter().map(Place::of);
    [places.next().unwrap_or(whole), places.next().unwrap_or(whole)]
}
