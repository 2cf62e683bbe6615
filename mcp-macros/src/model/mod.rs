//! The checked meaning of what was declared: the attribute and the signature together.
//!
//! Every mistake that can be seen without types is noted by the time a [`Tool`] or a [`ToolSet`] is made.

mod behaviour;
mod input;
mod number;
mod rules;
mod set;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericArgument, Lit, LitStr, PathArguments, Receiver, ReceiverKind,
    ReturnType, Type, TypePath, Visibility,
};

pub(crate) use self::behaviour::{Icon, TaskPolicy, TaskSupport, ToolAnnotations};
pub(crate) use self::input::{Argument, Input};
pub(crate) use self::rules::{Json, Standin};
pub(crate) use self::set::ToolSet;
use crate::attr::ToolWords;
use crate::diagnostics::{Mistakes, Noted};
use crate::doc::{self, Text};
use crate::signature::Function;

/// A function that is a tool.
pub(crate) struct Tool {
    pub(crate) function: Ident,
    pub(crate) visibility: Visibility,
    /// The `#[cfg(..)]` under which the function exists.
    pub(crate) conditions: Vec<Attribute>,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Text,
    pub(crate) annotations: ToolAnnotations,
    pub(crate) icons: Vec<Icon>,
    pub(crate) task: TaskPolicy,
    pub(crate) this: This,
    pub(crate) is_blocking: bool,
    pub(crate) inputs: Vec<Input>,
    pub(crate) output: Type,
}

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

impl Tool {
    /// A function of a module.
    pub(crate) fn of_function(
        function: &Function,
        words: ToolWords,
        mistakes: &mut Mistakes,
    ) -> Result<Self, Noted> {
        Self::new(function, words, Ok(This::Module), mistakes)
    }

    /// A function of an impl block.
    fn of_method(function: &Function, words: ToolWords, mistakes: &mut Mistakes) -> Result<Self, Noted> {
        let this = match function.signature.inputs.first() {
            Some(FnArg::Receiver(receiver)) => this(receiver, mistakes),
            _ => Ok(This::Type),
        };
        Self::new(function, words, this, mistakes)
    }

    /// Looks at everything before it gives up on anything.
    fn new(
        function: &Function,
        words: ToolWords,
        this: Result<This, Noted>,
        mistakes: &mut Mistakes,
    ) -> Result<Self, Noted> {
        let ident = &function.signature.ident;
        let name = name(ident, words.name.as_ref(), mistakes);
        let description = description(function, words.description, mistakes);
        let annotations = ToolAnnotations::new(
            words.read_only,
            words.destructive,
            words.idempotent,
            words.open_world,
            mistakes,
        );
        let icons = words.icons.iter().map(|icon| Icon::new(icon, mistakes)).collect();
        let task = TaskPolicy::new(words.task, words.timeout, mistakes);
        let kind = check_kind(function, words.blocking.as_ref(), mistakes);
        let inputs = input::of(function, mistakes);
        let output = output(function, kind, mistakes);
        Ok(Self {
            function: ident.clone(),
            visibility: function.visibility.clone(),
            conditions: function.conditions().cloned().collect(),
            name,
            title: words.title.map(|title| title.value()),
            description: description?,
            annotations,
            icons,
            task,
            this: this?,
            is_blocking: words.blocking.is_some(),
            inputs: inputs?,
            output: output?,
        })
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
fn check_kind(function: &Function, blocking: Option<&Ident>, mistakes: &mut Mistakes) -> Result<(), Noted> {
    let signature = &function.signature;
    let mut kind = Ok(());
    if let Some(constness) = &signature.constness {
        kind =
            Err(mistakes.on(constness, "a tool runs when it is called, so it cannot be `const`: remove it"));
    }
    if let syn::Safety::Unsafe(unsafety) = &signature.safety {
        kind = Err(mistakes.on(
            unsafety,
            "a model calls tools with whatever arguments it likes, so a tool cannot be `unsafe`: remove it, and check \
             the arguments",
        ));
    }
    if let Some(abi) = &signature.abi {
        kind = Err(mistakes.on(abi, "a tool is called from Rust: remove this"));
    }
    if let Some(variadic) = &signature.variadic {
        kind = Err(mistakes
            .on(variadic, "a tool has a fixed list of arguments: take a `Vec<..>` for a list of values"));
    }
    if !signature.generics.params.is_empty() {
        kind = Err(mistakes.on(
            &signature.generics,
            "a tool cannot be generic, because a client only names it: write the types that it takes",
        ));
    }
    if !function.has_body() {
        kind = Err(mistakes
            .on(&signature.ident, "a tool needs a body: a method that a trait only declares cannot be one"));
    }
    match (&signature.asyncness, blocking) {
        (Some(_), Some(word)) => Err(mistakes.on(
            word,
            "`blocking` is for a plain `fn`: leave it out, or leave out `async` if the function blocks its thread",
        )),
        // Neither a `const fn` nor a foreign function could be `async`.
        (None, None) if signature.constness.is_none() && signature.abi.is_none() => Err(mistakes.on(
            signature.fn_token,
            "a tool is an `async fn`: write `async fn`, or `#[tool(blocking)]` if the function blocks its thread",
        )),
        _ => kind,
    }
}

fn output(function: &Function, kind: Result<(), Noted>, mistakes: &mut Mistakes) -> Result<Type, Noted> {
    let ty = match &function.signature.output {
        ReturnType::Default => return Ok(syn::parse_quote_spanned!(function.signature.ident.span()=> ())),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    match input::keyword(ty.to_token_stream(), "impl") {
        None => Ok(ty),
        Some(keyword) => {
            // Who gives `impl Future` was told already to write `async fn`.
            kind?;
            let message = "a tool says which type it gives: write the type itself in place of `impl ..`";
            Err(mistakes.at(keyword, message))
        }
    }
}

fn name(function: &Ident, given: Option<&LitStr>, mistakes: &mut Mistakes) -> String {
    let (name, place) = match given {
        Some(literal) => (literal.value(), literal.span()),
        None => (function.unraw().to_string(), function.span()),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    // The function may keep its name.
    let instead = if given.is_none() { "write another as `#[tool(name = \"..\")]`" } else { "write another" };
    if let Some(wrong) = name.chars().find(|c| !allowed(*c)) {
        let rule = "a tool's name has letters (A to Z, a to z), digits, `_`, `-` and `.` only";
        mistakes.at(place, format!("{rule}, and not {wrong:?}: {instead}"));
    } else if name.is_empty() || name.len() > 128 {
        let rule = "a tool's name has 1 to 128 characters";
        mistakes.at(place, format!("{rule}, and this one has {}: {instead}", name.len()));
    }
    name
}

fn description(function: &Function, given: Option<Expr>, mistakes: &mut Mistakes) -> Result<Text, Noted> {
    let (text, place) = match (given, doc::text(&function.attributes)) {
        (Some(Expr::Lit(ExprLit { lit: Lit::Str(literal), .. })), _) => {
            (Text::Literal(literal.value()), literal.span())
        }
        (Some(expression), _) => return Ok(Text::Computed(expression.into_token_stream())),
        (None, Some(found)) => found,
        (None, None) => {
            let ident = &function.signature.ident;
            let message = format!(
                "a model chooses tools by what they say of themselves: describe `{}` in a doc comment (`/// ..`), or by \
                 `description = \"..\"`",
                ident.unraw()
            );
            return Err(mistakes.on(ident, message));
        }
    };
    if text.is_blank() {
        let message = "this description is empty: say in a sentence what the tool does, and when to use it";
        return Err(mistakes.at(place, message));
    }
    Ok(text)
}
