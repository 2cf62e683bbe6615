//! The methods of an impl block that are tools, prompts or resources, and the functions that list them.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Attribute, Generics, LitStr, Type, Visibility};

use super::{Declaration, Own};
use crate::attr::{ImplWords, Words};
use crate::diagnostics::{Mistakes, Noted};
use crate::kind::Kind;
use crate::signature::{ImplBlock, ImplItem};

/// What the methods of one impl block are declared to be.
pub(crate) struct Set {
    /// The `#[cfg(..)]` under which the block exists.
    pub(crate) conditions: Vec<Attribute>,
    /// There are none, if there are no mistakes.
    pub(crate) generics: Generics,
    pub(crate) self_type: Type,
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) lists: Vec<List>,
}

/// A function that lists the methods of one kind.
pub(crate) struct List {
    pub(crate) kind: Kind,
    pub(crate) name: Ident,
    pub(crate) visibility: Visibility,
}

impl Set {
    /// The words are those of all attributes of ours on the block.
    pub(crate) fn new(
        block: &ImplBlock,
        words: &[(Kind, ImplWords)],
        mistakes: &mut Mistakes,
    ) -> Result<Self, Noted> {
        let header = &block.header;
        let plurals = words.first().map_or("tools", |(kind, _)| kind.plural());
        if let Some((path, _)) = &header.trait_ {
            let message = format!(
                "the methods of a trait cannot be {plurals}: write them in an `impl` block of the type itself"
            );
            return Err(mistakes.on(path, message));
        }
        if !header.generics.params.is_empty() {
            let message = format!(
                "a generic type cannot have {plurals}, because they are one state and one list: write the impl for one \
                 type, such as `impl Graph<Memory>`"
            );
            mistakes.on(&header.generics, message);
        }
        for (index, (kind, _)) in words.iter().enumerate() {
            if words.iter().take(index).any(|(other, _)| other == kind) {
                let message = format!("`#[{kind}]` is above this block twice: leave one of them out");
                mistakes.on(&header.self_ty, message);
            }
        }
        let declarations = declarations(block, mistakes);
        let lists: Result<Vec<List>, Noted> = Kind::ALL
            .into_iter()
            .filter_map(|kind| list(kind, block, words, &declarations, mistakes).transpose())
            .collect();
        let lists = distinct(lists?, mistakes);
        Ok(Self {
            conditions: header
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("cfg"))
                .cloned()
                .collect(),
            generics: header.generics.clone(),
            self_type: (*header.self_ty).clone(),
            declarations,
            lists,
        })
    }
}

/// Those without mistakes.
fn declarations(block: &ImplBlock, mistakes: &mut Mistakes) -> Vec<Declaration> {
    let mut declarations: Vec<Declaration> = Vec::new();
    for item in &block.items {
        let ImplItem::Declared(function, kind, tokens) = item else { continue };
        let words = Words::read(*kind, tokens.clone(), mistakes);
        let named_at = words.name().map_or_else(|| function.signature.ident.span(), LitStr::span);
        let Ok(declaration) = Declaration::of_method(function, words, mistakes) else { continue };
        check_others(&declaration, named_at, &declarations, mistakes);
        declarations.push(declaration);
    }
    declarations
}

/// Whether another of the same kind has the same name or address.
fn check_others(this: &Declaration, named_at: Span, others: &[Declaration], mistakes: &mut Mistakes) {
    // Of two with conditions perhaps only one exists.
    let others = others.iter().filter(|other| this.conditions.is_empty() || other.conditions.is_empty());
    for other in others {
        match (&this.own, &other.own) {
            // Resources are told apart by their address, and may have one name.
            (Own::Resource(this), Own::Resource(other)) if this.uri.value() == other.uri.value() => {
                mistakes.on(&this.uri, "there are two resources at this address: give one of them another");
            }
            (Own::Resource(_), _) => {}
            _ if this.kind() == other.kind() && this.name == other.name => {
                let message = format!(
                    "there are two {} named `{}` here: name one of them otherwise",
                    this.kind().plural(),
                    this.name
                );
                mistakes.at(named_at, message);
            }
            _ => {}
        }
    }
}

/// The function that lists what is of this kind, if anything is or ought to be.
fn list(
    kind: Kind,
    block: &ImplBlock,
    words: &[(Kind, ImplWords)],
    declarations: &[Declaration],
    mistakes: &mut Mistakes,
) -> Result<Option<List>, Noted> {
    let words = words.iter().find(|(other, _)| *other == kind).map(|(_, words)| words);
    let is_there = |item: &ImplItem| matches!(item, ImplItem::Declared(_, other, _) if *other == kind);
    if !block.items.iter().any(is_there) {
        if words.is_some() {
            let message = format!(
                "no method here is a {kind}: write `{}` above each one that is to be one",
                kind.example()
            );
            mistakes.on(&block.header.self_ty, message);
        } else {
            return Ok(None);
        }
    }
    let name = list_name(kind, block, words, mistakes)?;
    let of_kind = declarations.iter().filter(|declaration| declaration.kind() == kind);
    let visibility = widest(of_kind.map(|declaration| &declaration.visibility));
    Ok(Some(List { kind, name, visibility }))
}

/// The name of the function that lists what is of this kind.
fn list_name(
    kind: Kind,
    block: &ImplBlock,
    words: Option<&ImplWords>,
    mistakes: &mut Mistakes,
) -> Result<Ident, Noted> {
    let plural = kind.plural();
    let list = match words.and_then(|words| words.list.as_ref()) {
        None => Ident::new(plural, Span::call_site()),
        Some(literal) => literal.parse_with(Ident::parse_any).map_err(|_| {
            mistakes
                .on(literal, format!("the list is a function, so it needs a name such as `admin_{plural}`"))
        })?,
    };
    for item in &block.items {
        let ident = match item {
            ImplItem::Declared(function, ..) => &function.signature.ident,
            ImplItem::Function(ident, _) => ident,
            ImplItem::Other(_) => continue,
        };
        if *ident == list {
            let message = format!(
                "the list of the {plural} is a function `{list}`, too: give it another name, \
                 `#[{kind}(list = \"all_{list}\")] impl ..`"
            );
            return Err(mistakes.on(ident, message));
        }
    }
    Ok(list)
}

/// The lists that have a name of their own.
fn distinct(lists: Vec<List>, mistakes: &mut Mistakes) -> Vec<List> {
    let mut distinct: Vec<List> = Vec::new();
    for list in lists {
        match distinct.iter().find(|other| other.name == list.name) {
            Some(other) => {
                let message = format!(
                    "this is the list of the {} already: give that of the {} a name of its own",
                    other.kind.plural(),
                    list.kind.plural()
                );
                mistakes.on(&list.name, message);
            }
            None => distinct.push(list),
        }
    }
    distinct
}

/// The visibility that shows most.
fn widest<'a>(visibilities: impl Iterator<Item = &'a Visibility>) -> Visibility {
    let width = |visibility: &Visibility| match visibility {
        Visibility::Public(_) => 3,
        Visibility::Restricted(restricted) if restricted.path.is_ident("crate") => 2,
        Visibility::Restricted(_) => 1,
        Visibility::Inherited => 0,
    };
    visibilities.max_by_key(|visibility| width(visibility)).cloned().unwrap_or(Visibility::Inherited)
}
