//! `impl Tool`: the definition, and the call.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{PathArguments, PathSegment, Type};

use super::place::Place;
use crate::model::{
    Argument, Icon, Input, Json, Standin, TaskPolicy, TaskSupport, This, Tool, ToolAnnotations,
};

/// The implementation for the type of this name, with the functions that it needs beside it. A method's type is named
/// `__Self` there.
pub(super) fn of(tool: &Tool, marker: &Ident, self_type: Option<&Type>) -> TokenStream {
    // What a method is called on is a state as any other.
    let this = self_type.filter(|_| matches!(tool.this, This::Reference | This::Shared));
    let arguments: Vec<&Argument> = tool
        .inputs
        .iter()
        .filter_map(|input| if let Input::Argument(argument) = input { Some(&**argument) } else { None })
        .collect();
    let defaults =
        arguments.iter().enumerate().filter_map(|(index, argument)| default_function(index, argument));
    let definition = definition(tool, &arguments, this);
    let call = call(tool, &arguments, this);
    quote! {
        #(#defaults)*
        #[automatically_derived]
        impl __rt::Tool for #marker {
            #definition
            #call
        }
    }
}

/// An implementation that is never used, in place of one that could not be made.
pub(super) fn fallback(marker: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl __rt::Tool for #marker {
            fn definition(&self) -> __rt::ToolDefinition {
                ::core::unreachable!()
            }

            fn call(&self, _: __rt::ToolCall<'_>, _: __rt::Context) -> __rt::Called {
                ::core::unreachable!()
            }
        }
    }
}

/// A name for generated code alone.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn default_name(index: usize) -> Ident {
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

fn definition(tool: &Tool, arguments: &[&Argument], this: Option<&Type>) -> TokenStream {
    let Tool { name, description, output, .. } = tool;
    let title = tool.title.iter().map(|title| quote!(.title(#title)));
    let icons = tool.icons.iter().map(icon);
    let annotations = annotations(&tool.annotations);
    let task = task(&tool.task);
    let parameters = arguments.iter().enumerate().map(|(index, argument)| {
        let parameter = parameter(index, argument);
        quote!(.parameter(#parameter))
    });
    let definition = local("definition");
    let inputs = tool.inputs.iter().filter_map(|input| match input {
        Input::State(ty) => Some((ty, "Shared")),
        Input::Whole(ty) => Some((ty, "Argument")),
        Input::Argument(_) | Input::Context => None,
    });
    let declared = this.map(|ty| (ty, "Shared")).into_iter().chain(inputs).map(|(ty, implemented)| {
        let declared = Place::of(ty).call(ty, implemented, "declare", &definition);
        quote!(let #definition = #declared;)
    });
    quote! {
        fn definition(&self) -> __rt::ToolDefinition {
            let #definition = __rt::ToolDefinition::new(#name, #description)
                #(#title)*
                #annotations
                #(#icons)*
                #task
                #(#parameters)*
                .returns(__rt::Kind::<#output>::NEW.ok().schema());
            #(#declared)*
            #definition
        }
    }
}

fn parameter(index: usize, argument: &Argument) -> TokenStream {
    let Argument { name, description, ty, .. } = argument;
    let mut spec = Place::of(ty).call(ty, "Argument", "spec", quote!(#name, #description));
    if let Some(range) = &argument.rules.range {
        spec = Place::at(range.word.span()).call_for(ty, "Numeric", "range", spec);
        spec.extend(range.minimum.map(|minimum| quote!(.minimum(#minimum))));
        spec.extend(range.maximum.map(|maximum| quote!(.maximum(#maximum))));
        spec.extend(range.below.map(|below| quote!(.below(#below))));
    }
    if let Some(length) = &argument.rules.length {
        spec = Place::at(length.word.span()).call_for(ty, "Countable", "length", spec);
        spec.extend(length.least.map(|least| quote!(.min_length(#least))));
        spec.extend(length.most.map(|most| quote!(.max_length(#most))));
    }
    spec.extend(argument.header.as_ref().map(|header| quote!(.header(#header))));
    let function = default_name(index);
    match argument.default() {
        None => {}
        Some(Standin::Literal(_, shown)) => spec.extend(quote!(.default(#shown))),
        Some(Standin::Text(literal)) => spec.extend(quote!(.default(#literal))),
        Some(Standin::OfType(span)) => {
            spec = Place::at(*span).call_for(ty, "Shown", "default", quote!(#spec, #function));
        }
        Some(Standin::Computed(value)) => {
            spec = Place::of(value).call_for(ty, "Shown", "default", quote!(#spec, #function));
        }
    }
    spec
}

impl ToTokens for Json {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Number(number) => number.to_tokens(tokens),
            Self::Bool(value) => value.to_tokens(tokens),
            Self::Char(value) => value.to_string().to_tokens(tokens),
        }
    }
}

fn annotations(annotations: &ToolAnnotations) -> Option<TokenStream> {
    if annotations.is_silent() {
        return None;
    }
    let fields = [
        ("read_only", annotations.read_only),
        ("destructive", annotations.destructive),
        ("idempotent", annotations.idempotent),
        ("open_world", annotations.open_world),
    ];
    let fields = fields.iter().filter_map(|(name, value)| {
        let (name, value) = (format_ident!("{name}"), (*value)?);
        Some(quote!(#name: __rt::Some(#value),))
    });
    Some(quote!(.annotations(__rt::ToolAnnotations { #(#fields)* ..__rt::Default::default() })))
}

fn icon(icon: &Icon) -> TokenStream {
    let Icon { src, mime_type, sizes } = icon;
    let mime_type = mime_type.iter().map(|mime_type| quote!(mime_type: __rt::Some(#mime_type.into()),));
    let sizes = (!sizes.is_empty()).then(|| quote!(sizes: ::std::vec![#(#sizes.into()),*],));
    quote!(.icon(__rt::Icon { #(#mime_type)* #sizes ..__rt::Icon::new(#src) }))
}

fn task(policy: &TaskPolicy) -> Option<TokenStream> {
    if policy.is_silent() {
        return None;
    }
    let support = policy.support.map(|support| {
        let support =
            format_ident!("{}", if support == TaskSupport::Required { "Required" } else { "Optional" });
        quote!(support: __rt::TaskSupport::#support,)
    });
    let times = [("ttl", policy.ttl), ("poll", policy.poll), ("timeout", policy.timeout)];
    let times = times.iter().filter_map(|(name, duration)| {
        let (name, duration) = (format_ident!("{name}"), time((*duration)?));
        Some(quote!(#name: __rt::Some(#duration),))
    });
    let concurrency = policy.concurrency.map(|count| quote!(concurrency: __rt::Some(#count),));
    Some(quote!(.task(__rt::TaskPolicy { #support #(#times)* #concurrency ..__rt::Default::default() })))
}

fn time(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(__rt::Duration::new(#seconds, #nanos))
}

fn call(tool: &Tool, arguments: &[&Argument], this: Option<&Type>) -> TokenStream {
    let (call, cx) = (local("call"), local("cx"));
    let take = take(tool, arguments, &call);
    let takes_context = tool.inputs.iter().any(|input| matches!(input, Input::Context));
    let pattern = if takes_context { cx.to_token_stream() } else { quote!(_) };
    let states = tool.inputs.iter().enumerate().filter_map(|(index, input)| match input {
        Input::State(ty) => Some((ty, state_name(index))),
        Input::Argument(_) | Input::Whole(_) | Input::Context => None,
    });
    let found = this.map(|ty| (ty, local("this"))).into_iter().chain(states).map(|(ty, name)| {
        let found = Place::of(ty).call(ty, "Shared", "find", quote!(#call.states));
        quote!(let #name = #found;)
    });
    let mut argument = 0;
    let values: Vec<TokenStream> = tool
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
    let (future, convert) = (future(tool, &values), convert(tool));
    let run = quote_spanned!(tool.function.span()=> __rt::run(#future, #convert));
    quote! {
        fn call(&self, #call: __rt::ToolCall<'_>, #pattern: __rt::Context) -> __rt::Called {
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
fn take(tool: &Tool, arguments: &[&Argument], call: &Ident) -> TokenStream {
    if let Some(Input::Whole(ty)) = tool.inputs.iter().find(|input| matches!(input, Input::Whole(_))) {
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
fn future(tool: &Tool, values: &[TokenStream]) -> TokenStream {
    let (function, this) = (&tool.function, local("this"));
    // An error about the future, above all that it is not `Send`, is about the function.
    let span = function.span();
    let called = match tool.this {
        This::Module => quote_spanned!(span=> #function(#(#values),*)),
        This::Type => quote_spanned!(span=> __Self::#function(#(#values),*)),
        This::Reference => quote_spanned!(span=> __Self::#function(&#this, #(#values),*)),
        This::Shared => quote_spanned!(span=> __Self::#function(#this.into_inner(), #(#values),*)),
    };
    match (tool.is_blocking, tool.this) {
        (true, _) => quote_spanned!(span=> move || __rt::blocking(move || #called)),
        // The future borrows what it is called on, so that has to be kept beside it.
        (false, This::Reference) => quote_spanned!(span=> move || async move { #called.await }),
        (false, _) => quote_spanned!(span=> move || #called),
    }
}

/// A function that makes a result of what the author's function gives.
fn convert(tool: &Tool) -> TokenStream {
    let output = &tool.output;
    let [at_value, at_error] = places(output);
    let [result, kind, way, value, error] = ["result", "kind", "way", "value", "error"].map(local);
    let converted = at_value.call(at_value.unnamed(), "ToolOutput", "convert", quote!(#way, #value));
    let failed = at_error.call(at_error.unnamed(), "ToolFailure", "fail", &error);
    quote! {
        |#result| {
            let #kind = __rt::Kind::<#output>::NEW;
            let #way = #kind.ok().way();
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
