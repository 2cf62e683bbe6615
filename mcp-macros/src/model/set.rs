//! The methods of an impl block that are tools, and the function that lists them.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Attribute, Generics, LitStr, Type, Visibility};

use super::Tool;
use crate::attr::{ImplWords, ToolWords};
use crate::diagnostics::{Mistakes, Noted};
use crate::signature::{ImplBlock, ImplItem};

/// The methods of one impl block that are tools.
pub(crate) struct ToolSet {
    /// The `#[cfg(..)]` under which the block exists.
    pub(crate) conditions: Vec<Attribute>,
    /// There are none, if there are no mistakes.
    pub(crate) generics: Generics,
    pub(crate) self_type: Type,
    /// The function that lists them.
    pub(crate) list: Ident,
    pub(crate) visibility: Visibility,
    pub(crate) tools: Vec<Tool>,
}

impl ToolSet {
    pub(crate) fn new(block: &ImplBlock, words: &ImplWords, mistakes: &mut Mistakes) -> Result<Self, Noted> {
        let header = &block.header;
        if let Some((path, _)) = &header.trait_ {
            let message =
                "the methods of a trait cannot be tools: write them in an `impl` block of the type itself";
            return Err(mistakes.on(path, message));
        }
        if !header.generics.params.is_empty() {
            mistakes.on(
                &header.generics,
                "a generic type cannot have tools, because they are one state and one list: write the impl for one \
                 type, such as `impl Graph<Memory>`",
            );
        }
        let list = list(block, words, mistakes);
        let tools = tools(block, mistakes);
        Ok(Self {
            conditions: header
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("cfg"))
                .cloned()
                .collect(),
            generics: header.generics.clone(),
            self_type: (*header.self_ty).clone(),
            list: list?,
            visibility: widest(tools.iter().map(|tool| &tool.visibility)),
            tools,
        })
    }
}

/// The tools without mistakes.
fn tools(block: &ImplBlock, mistakes: &mut Mistakes) -> Vec<Tool> {
    let mut tools: Vec<Tool> = Vec::new();
    let mut is_empty = true;
    for item in &block.items {
        let ImplItem::Tool(function, tokens) = item else { continue };
        is_empty = false;
        let words = ToolWords::read(tokens.clone(), mistakes);
        let named_at = words.name.as_ref().map_or_else(|| function.signature.ident.span(), LitStr::span);
        let Ok(tool) = Tool::of_method(function, words, mistakes) else { continue };
        // Of two with conditions perhaps only one exists.
        let is_certain = |other: &Tool| tool.conditions.is_empty() || other.conditions.is_empty();
        if tools.iter().any(|other| other.name == tool.name && is_certain(other)) {
            mistakes.at(
                named_at,
                format!("there are two tools named `{}` here: name one of them otherwise", tool.name),
            );
        }
        tools.push(tool);
    }
    if is_empty {
        let message = "no method here is a tool: write `#[tool]` above each one that is to be one";
        mistakes.on(&block.header.self_ty, message);
    }
    tools
}

/// The name of the function that lists the tools.
fn list(block: &ImplBlock, words: &ImplWords, mistakes: &mut Mistakes) -> Result<Ident, Noted> {
    let list = match &words.list {
        None => Ident::new("tools", Span::call_site()),
        Some(literal) => literal.parse_with(Ident::parse_any).map_err(|_| {
            mistakes.on(literal, "the list is a function, so it needs a name such as `admin_tools`")
        })?,
    };
    for item in &block.items {
        let ident = match item {
            ImplItem::Tool(function, _) => &function.signature.ident,
            ImplItem::Function(ident, _) => ident,
            ImplItem::Other(_) => continue,
        };
        if *ident == list {
            let message = format!(
                "the list of the tools is a function `{list}`, too: give it another name, \
                 `#[tool(list = \"all_{list}\")] impl ..`"
            );
            return Err(mistakes.on(ident, message));
        }
    }
    Ok(list)
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
