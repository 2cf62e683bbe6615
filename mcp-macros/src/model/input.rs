//! What a function takes: arguments from the client, and what the server gives.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{ExprPath, GenericArgument, LitStr, Pat, PathArguments, PathSegment, Type, TypePath};

use super::rules::{Rules, Standin};
use crate::attr::ArgWords;
use crate::diagnostics::{Mistakes, Noted, shown};
use crate::doc::{self, Text};
use crate::kind::Kind;
use crate::signature::{Function, Parameter};

/// One parameter of the function.
pub(crate) enum Input {
    /// What the client gives by name.
    Argument(Box<Argument>),
    /// `Args<T>`: the whole arguments object as one `T`.
    Whole(Type),
    /// `State<T>`: what the server holds.
    State(Type),
    /// `Context`: the call.
    Context,
}

pub(crate) struct Argument {
    /// What the function calls it.
    pub(crate) ident: Ident,
    pub(crate) name: String,
    /// Where the name is said.
    named_at: Span,
    pub(crate) title: Option<LitStr>,
    pub(crate) description: Text,
    pub(crate) ty: Type,
    pub(crate) rules: Rules,
    pub(crate) header: Option<LitStr>,
    /// The function that completes what a person has typed of it.
    pub(crate) complete: Option<ExprPath>,
}

impl Argument {
    /// What stands in for the argument if the client does not give it.
    pub(crate) fn default(&self) -> Option<&Standin> {
        self.rules.default.as_ref()
    }
}

/// What a function takes, in order.
pub(super) fn of(kind: Kind, function: &Function, mistakes: &mut Mistakes) -> Result<Vec<Input>, Noted> {
    let inputs: Vec<Result<Input, Noted>> =
        function.parameters.iter().map(|parameter| input(kind, parameter, mistakes)).collect();
    let known: Vec<(&Parameter, &Input)> = function
        .parameters
        .iter()
        .zip(&inputs)
        .filter_map(|(parameter, input)| Some((parameter, input.as_ref().ok()?)))
        .collect();
    check_contexts(kind, &known, mistakes);
    check_wholes(&known, mistakes);
    check_names(kind, &known, mistakes);
    inputs.into_iter().collect()
}

fn input(kind: Kind, parameter: &Parameter, mistakes: &mut Mistakes) -> Result<Input, Noted> {
    for attribute in &parameter.strange {
        let message = if attribute.path().is_ident("arg") {
            let example = if kind == Kind::Tool { "default = 1" } else { "complete = function" };
            format!("write what is to be said of it, such as `#[arg({example})]`")
        } else {
            format!("a {kind}'s parameter knows doc comments and `#[arg(..)]` only: remove this")
        };
        mistakes.on(attribute, message);
    }
    let ty = bare(&parameter.ty);
    if let Type::Reference(reference) = ty
        && !matches!(Role::of(&reference.elem), Role::Argument)
    {
        let inner = shown(&reference.elem);
        let message = format!("write `{inner}`: a {kind} takes it by value, and it is cheap to clone");
        return Err(mistakes.on(ty, message));
    }
    let role = Role::of(ty);
    if !matches!(role, Role::Argument) {
        for attribute in &parameter.arg {
            let message = format!("`#[arg(..)]` is for one argument, and `{}` is none: remove it", shown(ty));
            mistakes.on(attribute, message);
        }
    }
    match role {
        Role::Context(segment) if segment.arguments.is_none() => Ok(Input::Context),
        Role::Context(_) => Err(refuse(parameter, "write `Context` alone: it has no parameters", mistakes)),
        Role::State(segment) => {
            let message = "`State` needs the type that was given to the server: write `State<Graph>`";
            let ty = type_within(segment).ok_or_else(|| refuse(parameter, message, mistakes))?;
            Ok(Input::State(ty.clone()))
        }
        Role::Args(_) if kind != Kind::Tool => {
            let message =
                format!("`Args` is for tools: write each {} as a parameter of its own", kind.given_noun());
            Err(mistakes.on(&parameter.ty, message))
        }
        Role::Args(segment) => {
            let message = "`Args` needs the type that has the arguments as fields: write `Args<Query>`";
            let ty = type_within(segment).ok_or_else(|| refuse(parameter, message, mistakes))?;
            Ok(Input::Whole(ty.clone()))
        }
        Role::Argument => {
            argument(kind, parameter, mistakes).map(|argument| Input::Argument(Box::new(argument)))
        }
    }
}

/// What a parameter is for, by the name that its type ends with.
enum Role<'a> {
    Context(&'a PathSegment),
    State(&'a PathSegment),
    Args(&'a PathSegment),
    Argument,
}

impl<'a> Role<'a> {
    fn of(ty: &'a Type) -> Self {
        let Type::Path(TypePath { path, .. }) = bare(ty) else { return Self::Argument };
        match path.segments.last() {
            Some(segment) if segment.ident == "Context" => Self::Context(segment),
            Some(segment) if segment.ident == "State" => Self::State(segment),
            Some(segment) if segment.ident == "Args" => Self::Args(segment),
            _ => Self::Argument,
        }
    }
}

/// A type without the groups that a `macro_rules!` macro puts around one.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// The `T` of `State<T>`.
fn type_within(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match (arguments.args.first(), arguments.args.len()) {
        (Some(GenericArgument::Type(inner)), 1) => Some(inner),
        _ => None,
    }
}

/// Refuses a type that the compiler would refuse as well, in its own words.
fn refuse(parameter: &Parameter, message: &str, mistakes: &mut Mistakes) -> Noted {
    let refusal = parameter.refusal.get_or_init(|| syn::Error::new_spanned(&parameter.ty, message));
    mistakes.add(refusal.clone())
}

fn argument(kind: Kind, parameter: &Parameter, mistakes: &mut Mistakes) -> Result<Argument, Noted> {
    let words = ArgWords::read(kind, &parameter.arg, mistakes);
    let ident = ident(kind, parameter, mistakes);
    let ty = owned(kind, &parameter.ty, mistakes);
    let (description, _) =
        doc::text(&parameter.docs).unwrap_or((Text::Literal(String::new()), Span::call_site()));
    let rules = Rules::new(words.default, words.range, words.length, bare(&parameter.ty), mistakes);
    if let Some(header) = &words.header {
        check_header(header, mistakes);
    }
    let (name, named_at) = match &words.rename {
        Some(rename) => {
            if rename.value().is_empty() {
                let message = format!("{} needs a name: write it here, or leave `rename` out", kind.given());
                mistakes.on(rename, message);
            }
            (rename.value(), rename.span())
        }
        None => match &ident {
            Ok(ident) => (ident.unraw().to_string(), ident.span()),
            Err(noted) => return Err(*noted),
        },
    };
    let ArgWords { title, header, complete, .. } = words;
    Ok(Argument { ident: ident?, name, named_at, title, description, ty: ty?, rules, header, complete })
}

fn ident(kind: Kind, parameter: &Parameter, mistakes: &mut Mistakes) -> Result<Ident, Noted> {
    let given = kind.given();
    match &parameter.pattern {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
            Ok(pattern.ident.clone())
        }
        Pat::Wild(pattern) => {
            let message =
                format!("{given} needs a name, by which the client gives it: write one in place of `_`");
            Err(mistakes.on(pattern, message))
        }
        pattern => {
            let apart = if kind == Kind::Tool {
                "; `Args(..): Args<T>` takes a struct as all the arguments"
            } else {
                ""
            };
            let message = format!(
                "{given} needs a name, by which the client gives it: write a name here, and take the value apart in the \
                 body{apart}"
            );
            Err(mistakes.on(pattern, message))
        }
    }
}

/// The type, if it borrows nothing: arguments outlive the call that they came with.
fn owned(kind: Kind, ty: &Type, mistakes: &mut Mistakes) -> Result<Type, Noted> {
    if let Type::Reference(reference) = bare(ty) {
        let owned = owned_form(&reference.elem);
        return Err(mistakes.on(ty, format!("a {kind} owns its {}s: write `{owned}`", kind.given_noun())));
    }
    if let Some(keyword) = keyword(ty.to_token_stream(), "impl") {
        let message = match kind {
            Kind::Tool => "an argument is of one type, which its schema describes: write the type itself",
            Kind::Prompt => "an argument is of one type, which is read from text: write the type itself",
            Kind::Resource => {
                "a variable is of one type, which is read from the address: write the type itself"
            }
        };
        return Err(mistakes.at(keyword, message));
    }
    if let Some(place) = borrow(ty.to_token_stream()) {
        let message = format!(
            "a {kind} owns its {}s: write a type without a borrow, such as `String` for text",
            kind.given_noun()
        );
        return Err(mistakes.at(place, message));
    }
    Ok(ty.clone())
}

/// The owned type that is meant by a borrowed one.
fn owned_form(ty: &Type) -> String {
    match bare(ty) {
        Type::Slice(slice) => format!("Vec<{}>", shown(&slice.elem)),
        ty => match shown(ty).as_str() {
            "str" => "String".to_owned(),
            "Path" => "PathBuf".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// The first place where these tokens of a type borrow.
fn borrow(tokens: TokenStream) -> Option<Span> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '&' => return Some(punct.span()),
            TokenTree::Punct(punct) if punct.as_char() == '\'' => match tokens.peek() {
                Some(TokenTree::Ident(lifetime)) if lifetime == "static" => {}
                Some(lifetime) => return Some(lifetime.span()),
                None => {}
            },
            TokenTree::Group(group) => {
                if let Some(place) = borrow(group.stream()) {
                    return Some(place);
                }
            }
            _ => {}
        }
    }
    None
}

/// The first place where these tokens have a keyword.
pub(super) fn keyword(tokens: TokenStream, word: &str) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == word => Some(ident.span()),
        TokenTree::Group(group) => keyword(group.stream(), word),
        _ => None,
    })
}

/// What SEP-2243 allows behind `Mcp-Param-`.
fn check_header(header: &LitStr, mistakes: &mut Mistakes) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let value = header.value();
    if value.is_empty() || !value.chars().all(is_token) {
        mistakes.on(header, "a header's name is letters, digits and `-`: write one such as `\"Region\"`");
    }
}

fn check_contexts(kind: Kind, inputs: &[(&Parameter, &Input)], mistakes: &mut Mistakes) {
    let mut contexts = inputs.iter().filter(|(_, input)| matches!(input, Input::Context));
    if let (Some(_), Some((second, _))) = (contexts.next(), contexts.next()) {
        mistakes.on(&second.ty, format!("a {kind} has one `Context`: clone it where another is needed"));
    }
}

fn check_wholes(inputs: &[(&Parameter, &Input)], mistakes: &mut Mistakes) {
    let mut wholes = inputs.iter().filter(|(_, input)| matches!(input, Input::Whole(_)));
    let Some((whole, _)) = wholes.next() else { return };
    if let Some((second, _)) = wholes.next() {
        mistakes.on(
            &second.ty,
            "`Args` is the whole arguments object, so there is one: put all fields in one struct",
        );
    }
    let beside = inputs.iter().find_map(|(parameter, input)| match input {
        Input::Argument(argument) => Some((parameter, argument)),
        _ => None,
    });
    if let Some((parameter, argument)) = beside {
        let message = format!(
            "`{}` is the whole arguments object, so nothing else is an argument: make `{}` a field of it, or write all \
             arguments as parameters",
            shown(&whole.ty),
            argument.name
        );
        mistakes.on(&parameter.pattern, message);
    }
}

fn check_names(kind: Kind, inputs: &[(&Parameter, &Input)], mistakes: &mut Mistakes) {
    let mut names: Vec<&str> = Vec::new();
    let mut headers: Vec<String> = Vec::new();
    for (_, input) in inputs {
        let Input::Argument(argument) = input else { continue };
        let name = argument.name.as_str();
        if names.contains(&name) {
            let message = format!("there are two {}s named `{name}`: rename one of them", kind.given_noun());
            mistakes.at(argument.named_at, message);
        }
        names.push(name);
        if let Some(header) = &argument.header {
            // A header is the same in whatever case it is written.
            let name = header.value().to_ascii_lowercase();
            if headers.contains(&name) {
                mistakes.on(header, "another argument has this header: name one of them otherwise");
            }
            headers.push(name);
        }
    }
}
