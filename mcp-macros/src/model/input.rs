//! What a function takes: arguments from the client, and what the server gives.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Expr, ExprLit, GenericArgument, Lit, LitStr, Pat, PathArguments, PathSegment, RangeLimits, Type, TypePath,
};

use super::number::{Number, Plain};
use super::shown;
use crate::attr::{ArgWords, DefaultWord, RangeWord};
use crate::diagnostics::Mistakes;
use crate::doc::{self, Text};
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
    pub(crate) name: String,
    /// Where the name is said.
    named_at: Span,
    pub(crate) description: Text,
    pub(crate) ty: Type,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) range: Option<Range>,
    pub(crate) length: Option<Length>,
    pub(crate) header: Option<LitStr>,
}

/// What stands in for an argument that the client did not give.
pub(crate) enum DefaultValue {
    /// The type's own default.
    OfType(Span),
    /// A literal, which the schema shows as it is.
    Literal(Expr, Shown),
    /// A string literal, for whatever type can be made of one.
    Text(LitStr),
    /// An expression, which the schema shows as what it evaluates to.
    Computed(Expr),
}

/// A literal as JSON.
pub(crate) enum Shown {
    Number(Number),
    Bool(bool),
    Char(char),
}

/// `range(..)`.
pub(crate) struct Range {
    pub(crate) word: Ident,
    pub(crate) minimum: Option<Number>,
    pub(crate) maximum: Option<Number>,
    /// The number that values stay below.
    pub(crate) below: Option<Number>,
}

/// `length(..)`.
pub(crate) struct Length {
    pub(crate) word: Ident,
    pub(crate) least: Option<u64>,
    pub(crate) most: Option<u64>,
}

/// What a type is for, by the name that it ends with.
enum Role<'a> {
    Context,
    State(&'a PathSegment),
    Args(&'a PathSegment),
    Argument,
}

impl<'a> Role<'a> {
    fn of(ty: &'a Type) -> Self {
        let Type::Path(TypePath { path, .. }) = bare(ty) else { return Self::Argument };
        match path.segments.last() {
            Some(segment) if segment.ident == "Context" => Self::Context,
            Some(segment) if segment.ident == "State" => Self::State(segment),
            Some(segment) if segment.ident == "Args" => Self::Args(segment),
            _ => Self::Argument,
        }
    }
}

/// A type without the groups that macros put around one.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// What a function takes, in order; nothing if some of it cannot be told.
pub(super) fn of(function: &Function, mistakes: &mut Mistakes) -> Option<Vec<Input>> {
    let inputs: Vec<Option<Input>> =
        function.parameters.iter().map(|parameter| input(parameter, mistakes)).collect();
    check_together(function, &inputs, mistakes);
    inputs.into_iter().collect()
}

fn input(parameter: &Parameter, mistakes: &mut Mistakes) -> Option<Input> {
    for attribute in &parameter.strange {
        let message = if attribute.path().is_ident("arg") {
            "write what the argument is to be, such as `#[arg(default = 1)]`"
        } else {
            "a tool's parameter knows doc comments and `#[arg(..)]` only: remove this"
        };
        mistakes.on(attribute, message);
    }
    if let Some(given) = given_by_the_server(parameter, mistakes) {
        return given;
    }
    argument(parameter, mistakes).map(|argument| Input::Argument(Box::new(argument)))
}

/// `Context`, `State<T>` and `Args<T>`; `None` for an argument, `Some(None)` if it is one of them and wrong.
fn given_by_the_server(parameter: &Parameter, mistakes: &mut Mistakes) -> Option<Option<Input>> {
    let ty = bare(&parameter.ty);
    if let Type::Reference(reference) = ty {
        return match Role::of(&reference.elem) {
            Role::Argument => None,
            _ => {
                let inner = shown(&reference.elem);
                mistakes
                    .on(ty, format!("write `{inner}`: a tool takes it by value, and it is cheap to clone"));
                Some(None)
            }
        };
    }
    let (word, input) = match Role::of(ty) {
        Role::Argument => return None,
        Role::Context => {
            let input = match ty {
                Type::Path(path) if path.path.segments.iter().all(|segment| segment.arguments.is_none()) => {
                    Some(Input::Context)
                }
                _ => {
                    mistakes.on(ty, "write `Context` alone: it has no parameters");
                    None
                }
            };
            ("Context", input)
        }
        Role::State(segment) => ("State", type_within(segment, ty, "Graph", mistakes).map(Input::State)),
        Role::Args(segment) => ("Args", type_within(segment, ty, "Query", mistakes).map(Input::Whole)),
    };
    for attribute in &parameter.arg {
        mistakes.on(attribute, format!("`#[arg(..)]` is for one argument, and `{word}` is none: remove it"));
    }
    Some(input)
}

/// The `T` of `State<T>`.
fn type_within(segment: &PathSegment, ty: &Type, example: &str, mistakes: &mut Mistakes) -> Option<Type> {
    if let PathArguments::AngleBracketed(arguments) = &segment.arguments
        && let (Some(GenericArgument::Type(inner)), 1) = (arguments.args.first(), arguments.args.len())
    {
        return Some(inner.clone());
    }
    let name = &segment.ident;
    let of_what =
        if name == "State" { "that was given to the server" } else { "that has the arguments as fields" };
    mistakes.on(ty, format!("`{name}` needs the type {of_what}: write `{name}<{example}>`"));
    None
}

fn argument(parameter: &Parameter, mistakes: &mut Mistakes) -> Option<Argument> {
    let words = ArgWords::read(&parameter.arg, mistakes);
    let ident = argument_ident(parameter, mistakes);
    let is_owned = check_owned(&parameter.ty, mistakes);
    let (description, _) =
        doc::text(&parameter.docs).unwrap_or((Text::Literal(String::new()), Span::call_site()));
    let plain = Plain::of(bare(&parameter.ty));
    let range = words.range.and_then(|word| Range::new(word, plain, mistakes));
    let length = words.length.and_then(|word| Length::new(word, mistakes));
    let default = words.default.and_then(|word| {
        check_not_option(&word, &parameter.ty, mistakes);
        let default = DefaultValue::new(word, &parameter.ty, plain, mistakes);
        check_within(&default, range.as_ref(), length.as_ref(), mistakes);
        default
    });
    if let Some(header) = &words.header {
        check_header(header, mistakes);
    }
    if let Some(rename) = words.rename.as_ref().filter(|rename| rename.value().is_empty()) {
        mistakes.on(rename, "an argument needs a name: write it here, or leave `rename` out");
    }
    let (name, named_at) = match words.rename {
        Some(rename) => (rename.value(), rename.span()),
        None => ident.map(|ident| (ident.unraw().to_string(), ident.span()))?,
    };
    is_owned.then(|| Argument {
        name,
        named_at,
        description,
        ty: parameter.ty.clone(),
        default,
        range,
        length,
        header: words.header,
    })
}

fn argument_ident(parameter: &Parameter, mistakes: &mut Mistakes) -> Option<Ident> {
    match &parameter.pattern {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
            Some(pattern.ident.clone())
        }
        Pat::Wild(pattern) => {
            mistakes.on(
                pattern,
                "an argument needs a name, by which the client gives it: write one in place of `_`",
            );
            None
        }
        pattern => {
            mistakes.on(
                pattern,
                "an argument needs a name, by which the client gives it: write a name here, and take the value apart in \
                 the body; `Args(..): Args<T>` takes a struct as all the arguments",
            );
            None
        }
    }
}

/// Arguments outlive the call that they came with, so nothing in them may be borrowed.
fn check_owned(ty: &Type, mistakes: &mut Mistakes) -> bool {
    if let Type::Reference(reference) = bare(ty) {
        let owned = owned(&reference.elem);
        mistakes.on(ty, format!("a tool owns its arguments: write `{owned}`"));
        return false;
    }
    if let Some(keyword) = keyword(ty.to_token_stream(), "impl") {
        mistakes.at(keyword, "an argument is of one type, which its schema describes: write the type itself");
        return false;
    }
    if let Some(place) = borrow(ty.to_token_stream()) {
        mistakes
            .at(place, "a tool owns its arguments: write a type without a borrow, such as `String` for text");
        return false;
    }
    true
}

/// The owned type that is meant by a borrowed one.
fn owned(ty: &Type) -> String {
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

impl DefaultValue {
    fn new(word: DefaultWord, ty: &Type, plain: Option<Plain>, mistakes: &mut Mistakes) -> Option<Self> {
        let Some(value) = word.value else { return Some(Self::OfType(word.word.span())) };
        let number = Number::of(&value);
        let literal = match &value {
            Expr::Lit(ExprLit { lit, .. }) => Some(lit),
            _ => None,
        };
        let kind = match (number, literal) {
            (Some(Number::Integer(_)), _) => Some("integer"),
            (Some(Number::Float(_)), _) => Some("float"),
            (_, Some(Lit::Bool(_))) => Some("bool"),
            (_, Some(Lit::Str(_))) => Some("text"),
            (_, Some(Lit::Char(_))) => Some("char"),
            _ => None,
        };
        if let (Some(plain), Some(kind)) = (plain, kind) {
            let wanted = match plain {
                Plain::Integer { .. } => "integer",
                Plain::Float => "float",
                Plain::Bool => "bool",
                Plain::Text => "text",
                Plain::Char => "char",
            };
            if kind != wanted {
                mistakes.on(&value, format!("the default of {} is {}", with_article(ty), plain.example()));
                return None;
            }
        }
        if let Some(number) = number {
            check_holds(number, &value, plain, ty, mistakes);
        }
        Some(match (number, literal) {
            (Some(number), _) => Self::Literal(value, Shown::Number(number)),
            (_, Some(Lit::Bool(literal))) => {
                let literal = literal.value;
                Self::Literal(value, Shown::Bool(literal))
            }
            (_, Some(Lit::Char(literal))) => {
                let literal = literal.value();
                Self::Literal(value, Shown::Char(literal))
            }
            (_, Some(Lit::Str(literal))) => Self::Text(literal.clone()),
            _ => Self::Computed(value),
        })
    }
}

fn with_article(ty: &Type) -> String {
    let shown = shown(ty);
    let article = if shown.starts_with(['i', 'u']) && !shown.starts_with('u') { "an" } else { "a" };
    format!("{article} `{shown}`")
}

/// Whether a number fits into the type, as far as the type is known.
fn check_holds(number: Number, place: &Expr, plain: Option<Plain>, ty: &Type, mistakes: &mut Mistakes) {
    let fits = match (plain, number) {
        (Some(Plain::Integer { least, most }), Number::Integer(number)) => {
            if !(least..=most).contains(&number) {
                mistakes.on(
                    place,
                    format!("{} holds {least} to {most}: write a number within", with_article(ty)),
                );
                return;
            }
            true
        }
        _ => number.is_json(),
    };
    if !fits {
        mistakes.on(place, "this number is too large for JSON: write one that 64 bits hold");
    }
}

fn check_not_option(word: &DefaultWord, ty: &Type, mistakes: &mut Mistakes) {
    let Type::Path(TypePath { path, .. }) = bare(ty) else { return };
    let Some(segment) = path.segments.last().filter(|segment| segment.ident == "Option") else { return };
    let inner = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => shown(&arguments.args),
        _ => "..".to_owned(),
    };
    mistakes.on(
        &word.word,
        format!(
            "an `Option` that is not given is `None`: leave `default` out, or write `{inner}` as the type"
        ),
    );
}

fn check_within(
    default: &Option<DefaultValue>,
    range: Option<&Range>,
    length: Option<&Length>,
    mistakes: &mut Mistakes,
) {
    match default {
        Some(DefaultValue::Literal(place, Shown::Number(number))) => {
            if let Some(range) = range.filter(|range| !range.contains(*number)) {
                mistakes.on(place, format!("the default must be {}", range.in_words()));
            }
        }
        Some(DefaultValue::Text(literal)) => {
            let size = literal.value().chars().count() as u64;
            if length.is_some_and(|length| length.least.is_some_and(|least| size < least)) {
                mistakes.on(
                    literal,
                    format!("the default is shorter than `length` allows: it has {size} characters"),
                );
            } else if length.is_some_and(|length| length.most.is_some_and(|most| size > most)) {
                mistakes.on(
                    literal,
                    format!("the default is longer than `length` allows: it has {size} characters"),
                );
            }
        }
        _ => {}
    }
}

impl Range {
    fn new(words: RangeWord, plain: Option<Plain>, mistakes: &mut Mistakes) -> Option<Self> {
        let RangeWord { word, range } = words;
        let mut bound = |end: &Option<Box<Expr>>| match end {
            None => Some(None),
            Some(end) => match Number::of(end) {
                Some(number) if number.is_json() => {
                    check_bound(number, end, plain, mistakes);
                    Some(Some(number))
                }
                _ => {
                    mistakes.on(
                        end,
                        "a range is written in numbers, because the schema shows them: write a literal",
                    );
                    None
                }
            },
        };
        let (start, end) = (bound(&range.start), bound(&range.end));
        let (start, end) = (start?, end?);
        let is_closed = matches!(range.limits, RangeLimits::Closed(_));
        match (start, end) {
            (None, None) => {
                mistakes
                    .on(&range, "this range allows every number: write its ends, such as `range(0..=10)`");
                return None;
            }
            (Some(start), Some(end)) => {
                let order = start.compare(end);
                if !order.is_some_and(|order| order.is_lt() || (is_closed && order.is_eq())) {
                    mistakes.on(&range, "no number is within this range: write the smaller end first");
                    return None;
                }
            }
            _ => {}
        }
        let (maximum, below) = if is_closed { (end, None) } else { (None, end) };
        Some(Self { word, minimum: start, maximum, below })
    }

    fn contains(&self, number: Number) -> bool {
        self.minimum.is_none_or(|minimum| number.compare(minimum).is_some_and(std::cmp::Ordering::is_ge))
            && self
                .maximum
                .is_none_or(|maximum| number.compare(maximum).is_some_and(std::cmp::Ordering::is_le))
            && self.below.is_none_or(|below| number.compare(below).is_some_and(std::cmp::Ordering::is_lt))
    }

    fn in_words(&self) -> String {
        let least = self.minimum.map(|minimum| format!("at least {minimum}"));
        let most = self.maximum.map(|maximum| format!("at most {maximum}"));
        let below = self.below.map(|below| format!("less than {below}"));
        let parts: Vec<String> = [least, most, below].into_iter().flatten().collect();
        format!("{}, as `range` says", parts.join(" and "))
    }
}

/// A bound that the type cannot reach is a slip of the pen.
fn check_bound(number: Number, place: &Expr, plain: Option<Plain>, mistakes: &mut Mistakes) {
    if let (Some(Plain::Integer { least, most }), Number::Integer(bound)) = (plain, number)
        // One more than the largest is how an open range says "all of them".
        && !(least..=most + 1).contains(&bound)
    {
        mistakes
            .on(place, format!("the type of this argument holds {least} to {most}: write a number within"));
    }
}

impl Length {
    fn new(words: RangeWord, mistakes: &mut Mistakes) -> Option<Self> {
        let RangeWord { word, range } = words;
        let mut bound = |end: &Option<Box<Expr>>| match end {
            None => Some(None),
            Some(end) => match Number::of(end) {
                Some(Number::Integer(number)) if number >= 0 => u64::try_from(number).ok().map(Some),
                Some(_) => {
                    mistakes.on(end, "a length is a whole number, 0 or more: write one");
                    None
                }
                None => {
                    mistakes.on(
                        end,
                        "a length is written in numbers, because the schema shows them: write a literal",
                    );
                    None
                }
            },
        };
        let (least, end) = (bound(&range.start), bound(&range.end));
        let (least, end) = (least?, end?);
        let most = match range.limits {
            RangeLimits::Closed(_) => end,
            // The end of an open range is not within; before 0 there is nothing.
            RangeLimits::HalfOpen(_) => match end {
                Some(0) => {
                    mistakes.on(&range, "no length is within this range: write the smaller end first");
                    return None;
                }
                end => end.map(|end| end - 1),
            },
        };
        if least.is_none() && most.is_none() {
            mistakes.on(&range, "this allows every length: write its ends, such as `length(1..=200)`");
            return None;
        }
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            mistakes.on(&range, "no length is within this range: write the smaller end first");
            return None;
        }
        Some(Self { word, least, most })
    }
}

/// The rules of SEP-2243 for what comes behind `Mcp-Param-`.
fn check_header(header: &LitStr, mistakes: &mut Mistakes) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let value = header.value();
    if value.is_empty() || !value.chars().all(is_token) {
        mistakes.on(header, "a header's name is letters, digits and `-`: write one such as `\"Region\"`");
    }
}

/// What can only be seen of all parameters together.
fn check_together(function: &Function, inputs: &[Option<Input>], mistakes: &mut Mistakes) {
    let with_types = || inputs.iter().zip(&function.parameters);
    let mut contexts = with_types().filter(|(input, _)| matches!(input, Some(Input::Context))).skip(1);
    if let Some((_, parameter)) = contexts.next() {
        mistakes.on(&parameter.ty, "a tool has one `Context`: clone it where another is needed");
    }
    let mut wholes = with_types().filter(|(input, _)| matches!(input, Some(Input::Whole(_))));
    if let Some((_, whole)) = wholes.next() {
        if let Some((_, second)) = wholes.next() {
            mistakes.on(
                &second.ty,
                "`Args` is the whole arguments object, so there is one: put all fields in one struct",
            );
        }
        let beside = with_types().find(|(input, _)| matches!(input, Some(Input::Argument(_))));
        if let Some((Some(Input::Argument(argument)), parameter)) = beside {
            mistakes.on(
                &parameter.pattern,
                format!(
                    "`{}` is the whole arguments object, so nothing else is an argument: make `{}` a field of it, or \
                     write all arguments as parameters",
                    shown(&whole.ty),
                    argument.name
                ),
            );
        }
    }
    check_names(inputs, mistakes);
}

fn check_names(inputs: &[Option<Input>], mistakes: &mut Mistakes) {
    let mut names: Vec<&str> = Vec::new();
    let mut headers: Vec<String> = Vec::new();
    for input in inputs {
        let Some(Input::Argument(argument)) = input else { continue };
        let name = argument.name.as_str();
        if names.contains(&name) {
            mistakes
                .at(argument.named_at, format!("there are two arguments named `{name}`: rename one of them"));
        }
        names.push(name);
        if let Some(header) = &argument.header {
            // Names of headers are the same in whatever case.
            let name = header.value().to_ascii_lowercase();
            if headers.contains(&name) {
                mistakes.on(header, "another argument has this header: name one of them otherwise");
            }
            headers.push(name);
        }
    }
}
