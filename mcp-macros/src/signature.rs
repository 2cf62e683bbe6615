//! What a function or an impl block says, taken apart as far as what it declares is concerned.
//!
//! Bodies stay tokens: nothing here depends on them, and they are the larger part of a program.

use std::cell::OnceCell;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, FnArg, Ident, ItemImpl, Pat, Signature, Token, Type, Visibility, parse_quote};

use crate::doc;
use crate::kind::Kind;

/// What an attribute stands on.
pub(crate) enum Item {
    Function(Box<Function>),
    Impl(Box<ImplBlock>),
    /// Something else, which begins here.
    Other(Span),
}

/// A function. Once taken apart, its signature is without what only this crate understands, as it is emitted.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    /// Attributes by which it would be something else as well.
    pub(crate) also: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: TokenStream,
}

/// A parameter other than `self`.
pub(crate) struct Parameter {
    pub(crate) docs: Vec<Attribute>,
    /// What is between the parentheses of each `#[arg(..)]`.
    pub(crate) arg: Vec<TokenStream>,
    /// Attributes that mean nothing on a parameter.
    pub(crate) strange: Vec<Attribute>,
    pub(crate) pattern: Pat,
    pub(crate) ty: Type,
    /// What is wrong with the type itself, so that the compiler need not say it, too.
    pub(crate) refusal: OnceCell<syn::Error>,
}

/// An impl block; its header is an empty impl block.
pub(crate) struct ImplBlock {
    pub(crate) header: ItemImpl,
    /// Other attributes of ours on the block, and what is between their parentheses.
    pub(crate) also: Vec<(Kind, TokenStream)>,
    pub(crate) items: Vec<ImplItem>,
}

pub(crate) enum ImplItem {
    /// A function with an attribute of ours, and what is between the parentheses.
    Declared(Box<Function>, Kind, TokenStream),
    /// A function without, as it is.
    Function(Ident, TokenStream),
    /// Anything else, as it is.
    Other(TokenStream),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        if ahead.peek(Token![impl]) || (ahead.peek(Token![unsafe]) && ahead.peek2(Token![impl])) {
            return Ok(Self::Impl(Box::new(input.parse()?)));
        }
        if is_function(&ahead) {
            return Ok(Self::Function(Box::new(input.parse::<Function>()?.taken_apart())));
        }
        input.advance_to(&ahead);
        let begin = input.span();
        input.parse::<TokenStream>()?;
        Ok(Self::Other(begin))
    }
}

/// Whether a function follows, behind its attributes.
fn is_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    if ahead.parse::<Visibility>().is_err() {
        return false;
    }
    // `const`, `async`, `unsafe` and `extern "C"` may come before it.
    while ahead.peek(Token![const])
        || ahead.peek(Token![async])
        || ahead.peek(Token![unsafe])
        || ahead.peek(Token![extern])
        || ahead.peek(syn::LitStr)
    {
        if ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    ahead.peek(Token![fn])
}

impl Parse for Function {
    /// Reads a function as it is, not taken apart.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        // A block, or the semicolon of a function in a trait.
        let body = input.parse::<TokenTree>()?.into_token_stream();
        Ok(Self { attributes, also: Vec::new(), visibility, signature, parameters: Vec::new(), body })
    }
}

impl Function {
    /// Makes it the function of what it is declared to be.
    fn taken_apart(mut self) -> Self {
        (self.also, self.attributes) =
            self.attributes.into_iter().partition(|attribute| declared_by(attribute).is_some());
        // Such a function is `async`, owns what it takes, and has as many parameters as the client has arguments, whatever lints
        // would say of another function.
        self.attributes.push(parse_quote! {
            #[allow(
                clippy::fn_params_excessive_bools,
                clippy::needless_pass_by_value,
                clippy::too_many_arguments,
                clippy::unused_async
            )]
        });
        self.parameters = self.signature.inputs.iter_mut().filter_map(Parameter::take_from).collect();
        self
    }

    /// The attributes by which the compiler decides whether there is a function.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"))
    }

    pub(crate) fn has_body(&self) -> bool {
        matches!(self.body.clone().into_iter().next(), Some(TokenTree::Group(_)))
    }
}

/// What an attribute of ours declares; `None` of anybody else's.
fn declared_by(attribute: &Attribute) -> Option<Kind> {
    let name = &attribute.path().segments.last()?.ident;
    Kind::ALL.into_iter().find(|kind| name == kind.word())
}

/// What is between the parentheses of an attribute, if there are any.
fn words_of(attribute: &Attribute) -> TokenStream {
    attribute.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default()
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, visibility, signature, body, .. } = self;
        let mut signature = signature.clone();
        let inputs = signature.inputs.iter_mut().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        for (input, parameter) in inputs.zip(&self.parameters) {
            if let Some(refusal) = parameter.refusal.get() {
                // An error as a type: whatever the body does with it is right.
                *input.ty = Type::Verbatim(refusal.to_compile_error());
            }
        }
        tokens.extend(quote!(#(#attributes)* #visibility #signature #body));
    }
}

impl Parameter {
    /// Takes from a parameter what the compiler would not understand there.
    fn take_from(input: &mut FnArg) -> Option<Self> {
        let FnArg::Typed(typed) = input else { return None };
        let (mut docs, mut arg, mut strange) = (Vec::new(), Vec::new(), Vec::new());
        for attribute in std::mem::take(&mut typed.attrs) {
            let path = attribute.path();
            if doc::is_doc(&attribute) {
                docs.push(attribute);
            } else if path.is_ident("arg") {
                match attribute.meta.require_list() {
                    Ok(list) => arg.push(list.tokens.clone()),
                    Err(_) => strange.push(attribute),
                }
            } else if ["allow", "expect", "warn", "deny", "forbid"].iter().any(|lint| path.is_ident(lint)) {
                typed.attrs.push(attribute);
            } else {
                strange.push(attribute);
            }
        }
        let (pattern, ty) = ((*typed.pat).clone(), (*typed.ty).clone());
        Some(Self { docs, arg, strange, pattern, ty, refusal: OnceCell::new() })
    }
}

impl Parse for ImplBlock {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut header: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
        let Some(TokenTree::Group(block)) = header.pop() else {
            return Err(input.error("expected an impl block"));
        };
        let mut header: ItemImpl = syn::parse2(quote!(#(#header)* {}))?;
        let mut also = Vec::new();
        header.attrs.retain(|attribute| {
            let kind = declared_by(attribute);
            also.extend(kind.map(|kind| (kind, words_of(attribute))));
            kind.is_none()
        });
        let items = |input: ParseStream<'_>| {
            let mut items = Vec::new();
            while !input.is_empty() {
                items.push(input.parse()?);
            }
            Ok(items)
        };
        Ok(Self { header, also, items: items.parse2(block.stream())? })
    }
}

impl ToTokens for ImplBlock {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut block = self.header.clone();
        block.items = self.items.iter().map(|item| syn::ImplItem::Verbatim(item.to_token_stream())).collect();
        block.to_tokens(tokens);
    }
}

impl Parse for ImplItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        let mut attributes = ahead.call(Attribute::parse_outer)?;
        if !is_function(&ahead) {
            return input.parse::<syn::ImplItem>().map(|item| Self::Other(item.into_token_stream()));
        }
        let first =
            attributes.iter().enumerate().find_map(|(at, attribute)| Some((at, declared_by(attribute)?)));
        let declared = first.map(|(at, kind)| (kind, words_of(&attributes.remove(at))));
        input.advance_to(&ahead);
        let function = Function { attributes, ..input.parse()? };
        Ok(match declared {
            Some((kind, words)) => Self::Declared(Box::new(function.taken_apart()), kind, words),
            None => Self::Function(function.signature.ident.clone(), function.into_token_stream()),
        })
    }
}

impl ToTokens for ImplItem {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Declared(function, ..) => function.to_tokens(tokens),
            Self::Function(_, item) | Self::Other(item) => item.to_tokens(tokens),
        }
    }
}
