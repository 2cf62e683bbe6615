//! The function itself: what it is called on, whether it can be called for a client, and what it gives.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{FnArg, GenericArgument, PathArguments, Receiver, ReceiverKind, ReturnType, Type, TypePath};

use super::input;
use crate::diagnostics::{Mistakes, Noted};
use crate::kind::Kind;
use crate::signature::Function;

/// What a function is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum This {
    /// Nothing: a function of a module.
    Module,
    /// Its type: a function of an impl block without `self`.
    Type,
    /// `&self`.
    Reference,
    /// `self: Arc<Self>`.
    Shared,
}

impl This {
    /// What a function of an impl block is called on.
    pub(super) fn of_method(function: &Function, mistakes: &mut Mistakes) -> Result<Self, Noted> {
        let Some(FnArg::Receiver(receiver)) = function.signature.inputs.first() else {
            return Ok(Self::Type);
        };
        this(receiver, mistakes)
    }
}

fn this(receiver: &Receiver, mistakes: &mut Mistakes) -> Result<This, Noted> {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => Ok(This::Reference),
        ReceiverKind::Typed(_, ty) if is_arc_of_self(ty) => Ok(This::Shared),
        ReceiverKind::Reference(..) => Err(mistakes.on(
            receiver,
            "calls run side by side and share `self`: take `&self`, and keep what changes in a `Mutex` or an atomic",
        )),
        _ => Err(mistakes.on(
            receiver,
            "calls share `self`: take `&self`, or `self: Arc<Self>` to keep it for longer",
        )),
    }
}

fn is_arc_of_self(ty: &Type) -> bool {
    let Type::Path(TypePath { path, .. }) = ty else { return false };
    let Some(segment) = path.segments.last().filter(|segment| segment.ident == "Arc") else { return false };
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return false };
    matches!(
        arguments.args.first(),
        Some(GenericArgument::Type(Type::Path(TypePath { path, .. }))) if path.is_ident("Self")
    )
}

/// What comes before and behind `fn`.
pub(super) fn check_form(
    kind: Kind,
    function: &Function,
    blocking: Option<&Ident>,
    mistakes: &mut Mistakes,
) -> Result<(), Noted> {
    let signature = &function.signature;
    let mut form = Ok(());
    if let Some(constness) = &signature.constness {
        form = Err(mistakes.on(
            constness,
            format!("a {kind} runs when it is asked for, so it cannot be `const`: remove it"),
        ));
    }
    if let syn::Safety::Unsafe(unsafety) = &signature.safety {
        let message = match kind {
            Kind::Tool => {
                "a model calls tools with whatever arguments it likes, so a tool cannot be `unsafe`: remove it, and \
                 check the arguments"
            }
            Kind::Prompt => {
                "a client asks with whatever arguments it likes, so a prompt cannot be `unsafe`: remove it, and check \
                 the arguments"
            }
            Kind::Resource => {
                "a client reads whatever address it likes, so a resource cannot be `unsafe`: remove it, and check the \
                 variables"
            }
        };
        form = Err(mistakes.on(unsafety, message));
    }
    if let Some(abi) = &signature.abi {
        form = Err(mistakes.on(abi, format!("a {kind} is called from Rust: remove this")));
    }
    if let Some(variadic) = &signature.variadic {
        let instead = match kind {
            Kind::Tool => "a tool has a fixed list of arguments: take a `Vec<..>` for a list of values",
            Kind::Prompt => "a prompt has a fixed list of arguments: write each as a parameter",
            Kind::Resource => {
                "the variables of a resource are those of its address: write each as a parameter"
            }
        };
        form = Err(mistakes.on(variadic, instead));
    }
    if !signature.generics.params.is_empty() {
        let message = format!(
            "a {kind} cannot be generic, because a client only names it: write the types that it takes"
        );
        form = Err(mistakes.on(&signature.generics, message));
    }
    if !function.has_body() {
        let message = format!("a {kind} needs a body: a method that a trait only declares cannot be one");
        form = Err(mistakes.on(&signature.ident, message));
    }
    for attribute in &function.also {
        let message = format!(
            "this function is a {kind} already: remove one of the two, and call it from a function that is the other"
        );
        form = Err(mistakes.on(attribute, message));
    }
    match (&signature.asyncness, blocking) {
        (Some(_), Some(word)) => Err(mistakes.on(
            word,
            "`blocking` is for a plain `fn`: leave it out, or leave out `async` if the function blocks its thread",
        )),
        // Neither a `const fn` nor a foreign function could be `async`.
        (None, None) if signature.constness.is_none() && signature.abi.is_none() => {
            let blocking = match kind {
                Kind::Tool => "#[tool(blocking)]",
                Kind::Prompt => "#[prompt(blocking)]",
                Kind::Resource => "#[resource(\"..\", blocking)]",
            };
            let message = format!(
                "a {kind} is an `async fn`: write `async fn`, or `{blocking}` if the function blocks its thread"
            );
            Err(mistakes.on(signature.fn_token, message))
        }
        _ => form,
    }
}

/// What the function gives.
pub(super) fn output(
    kind: Kind,
    function: &Function,
    form: Result<(), Noted>,
    mistakes: &mut Mistakes,
) -> Result<Type, Noted> {
    let ty = match &function.signature.output {
        ReturnType::Default => return Ok(syn::parse_quote_spanned!(function.signature.ident.span()=> ())),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    match input::keyword(ty.to_token_stream(), "impl") {
        None => Ok(ty),
        Some(keyword) => {
            // Who gives `impl Future` was told already to write `async fn`.
            form?;
            let message =
                format!("a {kind} says which type it gives: write the type itself in place of `impl ..`");
            Err(mistakes.at(keyword, message))
        }
    }
}
