//! The definition: everything that was declared, as the runtime is told of it.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::Type;

use super::implementation::{default_name, local};
use super::place::Place;
use super::terms::Terms;
use crate::model::{
    Argument, Declaration, Icon, Input, Json, Own, Resource, Standin, TaskPolicy, TaskSupport,
    ToolAnnotations,
};

/// The function that gives the definition.
pub(super) fn of(declaration: &Declaration, this: Option<&Type>) -> TokenStream {
    let Declaration { name, description, output, .. } = declaration;
    let Terms { definition: ty, receiver, .. } = Terms::of(declaration.kind());
    let (begin, own, returns) = match &declaration.own {
        Own::Tool(annotations) => {
            let returns = quote!(.returns(__rt::Kind::<#output>::NEW.ok().schema()));
            (quote!(#name, #description), self::annotations(annotations), Some(returns))
        }
        Own::Prompt => (quote!(#name, #description), None, None),
        Own::Resource(resource) => {
            let (uri, holdings) = (&resource.uri, holdings(resource));
            (quote!(#uri, #name), Some(quote!(.description(#description) #holdings)), None)
        }
    };
    let title = declaration.title.iter().map(|title| quote!(.title(#title)));
    let icons = declaration.icons.iter().map(icon);
    let task = task(&declaration.task);
    let parameters = declaration.arguments().into_iter().enumerate().map(|(index, argument)| {
        let parameter = parameter(index, argument);
        quote!(.parameter(#parameter))
    });
    let definition = local("definition");
    let inputs = declaration.inputs.iter().filter_map(|input| match input {
        Input::State(ty) => Some((ty, "Shared")),
        Input::Whole(ty) => Some((ty, "Argument")),
        Input::Argument(_) | Input::Context => None,
    });
    let declared = this.map(|ty| (ty, "Shared")).into_iter().chain(inputs).map(|(ty, implemented)| {
        let declared = Place::of(ty).call(ty, implemented, "declare", &definition);
        quote!(let #definition = #declared;)
    });
    quote! {
        fn definition(#receiver) -> __rt::#ty {
            let #definition = __rt::#ty::new(#begin)
                #(#title)*
                #own
                #(#icons)*
                #task
                #(#parameters)*
                #returns;
            #(#declared)*
            #definition
        }
    }
}

/// What a resource holds, and whom it is for.
fn holdings(resource: &Resource) -> TokenStream {
    let mime_type = resource.mime_type.iter().map(|mime_type| quote!(.mime_type(#mime_type)));
    let audience: Vec<TokenStream> = resource
        .audience
        .iter()
        .map(|role| format_ident!("{}", if role == "user" { "User" } else { "Assistant" }))
        .map(|role| quote!(__rt::Role::#role))
        .collect();
    let priority = resource.priority.map(|priority| quote!(priority: __rt::Some(#priority),));
    let audience = (!audience.is_empty()).then(|| quote!(audience: ::std::vec![#(#audience),*],));
    let annotations = (priority.is_some() || audience.is_some())
        .then(|| quote!(.annotations(__rt::Annotations { #audience #priority ..__rt::Default::default() })));
    let cache = resource.cache.as_ref().map(|cache| {
        let scope = format_ident!("{}", if cache.is_public { "public" } else { "private" });
        let ttl = time(cache.ttl);
        quote!(.cache(__rt::CacheHint::#scope(#ttl)))
    });
    quote!(#(#mime_type)* #annotations #cache)
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
    spec.extend(argument.title.as_ref().map(|title| quote!(.title(#title))));
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
    if let Some(function) = &argument.complete {
        let place = Place::of(function);
        spec = place.call(place.unnamed(), "Complete", "of_parameter", quote!(#function, #spec));
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
    let times =
        [("after", policy.after), ("ttl", policy.ttl), ("poll", policy.poll), ("timeout", policy.timeout)];
    let times = times.iter().filter_map(|(name, duration)| {
        let (name, duration) = (format_ident!("{name}"), time((*duration)?));
        Some(quote!(#name: __rt::Some(#duration),))
    });
    let begins_as_call = policy.begins_as_call.then(|| quote!(begins_as_call: true,));
    let concurrency = policy.concurrency.map(|count| quote!(concurrency: __rt::Some(#count),));
    let retries = policy.retries.map(|count| quote!(retries: __rt::Some(#count),));
    Some(quote! {
        .task(__rt::TaskPolicy {
            #support #begins_as_call #(#times)* #concurrency #retries
            ..__rt::Default::default()
        })
    })
}

fn time(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(__rt::Duration::new(#seconds, #nanos))
}
