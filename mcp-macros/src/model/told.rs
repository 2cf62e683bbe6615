//! What clients and the people behind them are told: the name and the description.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, Lit, LitStr};

use crate::diagnostics::{Mistakes, Noted};
use crate::doc::{self, Text};
use crate::kind::Kind;
use crate::signature::Function;

/// The name by which clients know it.
pub(super) fn name(kind: Kind, function: &Ident, given: Option<&LitStr>, mistakes: &mut Mistakes) -> String {
    let (name, place) = match given {
        Some(literal) => (literal.value(), literal.span()),
        None => (function.unraw().to_string(), function.span()),
    };
    if kind != Kind::Tool {
        if name.trim().is_empty() {
            mistakes.at(place, format!("a {kind} needs a name: write one here, or leave `name` out"));
        }
        return name;
    }
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

/// The description, which there has to be.
pub(super) fn description(
    kind: Kind,
    function: &Function,
    given: Option<Expr>,
    mistakes: &mut Mistakes,
) -> Result<Text, Noted> {
    let (text, place) = match (given, doc::text(&function.attributes)) {
        (Some(Expr::Lit(ExprLit { lit: Lit::Str(literal), .. })), _) => {
            (Text::Literal(literal.value()), literal.span())
        }
        (Some(expression), _) => return Ok(Text::Computed(expression.into_token_stream())),
        (None, Some(found)) => found,
        (None, None) => {
            let ident = &function.signature.ident;
            let who = match kind {
                Kind::Tool => "a model chooses tools",
                Kind::Prompt => "people choose prompts",
                Kind::Resource => "people and models choose resources",
            };
            let message = format!(
                "{who} by what they say of themselves: describe `{}` in a doc comment (`/// ..`), or by `description = \
                 \"..\"`",
                ident.unraw()
            );
            return Err(mistakes.on(ident, message));
        }
    };
    if text.is_blank() {
        let what = match kind {
            Kind::Tool => "what the tool does",
            Kind::Prompt => "what the prompt is for",
            Kind::Resource => "what the resource holds",
        };
        let message = format!("this description is empty: say in a sentence {what}, and when to use it");
        return Err(mistakes.at(place, message));
    }
    Ok(text)
}
