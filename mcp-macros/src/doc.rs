//! Doc comments as text: what rustdoc would show, for a model to read.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// A text in the program: mostly a literal; at times an expression such as `include_str!("recall.md")`.
#[derive(Debug)]
pub(crate) enum Text {
    Literal(String),
    Computed(TokenStream),
}

impl Text {
    /// Whether the text may stand behind `#[doc = ]`, as literals and macros may.
    pub(crate) fn is_documentation(&self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::Computed(tokens) => matches!(tokens.clone().into_iter().last(), Some(TokenTree::Group(_))),
        }
    }

    /// Whether the text is known to say nothing.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Literal(text) if text.trim().is_empty())
    }
}

impl ToTokens for Text {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Literal(text) => text.to_tokens(tokens),
            Self::Computed(expression) => expression.to_tokens(tokens),
        }
    }
}

/// Whether this is a doc comment, in whatever form.
pub(crate) fn is_doc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
}

/// The text of the doc comments among these attributes, and where it begins; `None` if there are none.
pub(crate) fn text(attributes: &[Attribute]) -> Option<(Text, Span)> {
    let mut parts = Vec::new();
    let mut place = None;
    for attribute in attributes.iter().filter(|attribute| is_doc(attribute)) {
        // `#[doc(hidden)]` and its like are no text.
        let Meta::NameValue(meta) = &attribute.meta else { continue };
        place = place.or_else(|| Some(attribute.span()));
        match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => parts.push(Part::Lines(lines(&line.value()))),
            computed => parts.push(Part::Computed(computed)),
        }
    }
    Some((join(parts), place?))
}

enum Part<'a> {
    Lines(Vec<String>),
    Computed(&'a Expr),
}

/// The lines of one comment. A comment in `/** */` has several, which may begin with a star.
fn lines(comment: &str) -> Vec<String> {
    let lines: Vec<&str> = comment.lines().collect();
    let starred = lines.len() > 1
        && lines.iter().skip(1).map(|line| line.trim()).all(|line| line.is_empty() || line.starts_with('*'));
    let without_star = |line: &str| match line.trim_start().strip_prefix('*') {
        Some(rest) if starred => rest.to_owned(),
        _ => line.to_owned(),
    };
    if lines.is_empty() { vec![String::new()] } else { lines.into_iter().map(without_star).collect() }
}

fn join(parts: Vec<Part<'_>>) -> Text {
    let blank = |line: &str| line.trim().is_empty();
    let indent = parts
        .iter()
        .filter_map(|part| if let Part::Lines(lines) = part { Some(lines) } else { None })
        .flatten()
        .filter(|line| !blank(line))
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let is_literal = parts.iter().all(|part| matches!(part, Part::Lines(_)));
    let mut text = String::new();
    let mut computed = Vec::new();
    for part in parts {
        match part {
            Part::Lines(lines) => {
                for line in lines {
                    text += line.get(indent..).unwrap_or_default().trim_end();
                    text.push('\n');
                }
            }
            Part::Computed(expression) => {
                if !text.is_empty() {
                    computed.push(std::mem::take(&mut text).into_token_stream());
                }
                computed.push(expression.into_token_stream());
                text.push('\n');
            }
        }
    }
    if is_literal {
        return Text::Literal(text.trim().to_owned());
    }
    let rest = text.trim_end();
    if !rest.is_empty() {
        computed.push(rest.into_token_stream());
    }
    Text::Computed(match computed.as_slice() {
        [one] => one.clone(),
        several => quote!(::core::concat!(#(#several),*)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn literal(attributes: &[Attribute]) -> String {
        match text(attributes) {
            Some((Text::Literal(text), _)) => text,
            other => panic!("no literal: {other:?}"),
        }
    }

    #[test]
    fn lines_lose_their_common_indent_and_keep_their_own() {
        let attributes: [Attribute; 4] = [
            parse_quote!(#[doc = " Finds memories."]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = " - one"]),
            parse_quote!(#[doc = "   more of it"]),
        ];
        assert_eq!(literal(&attributes), "Finds memories.\n\n- one\n  more of it");
    }

    #[test]
    fn a_block_comment_loses_its_stars() {
        let attributes: [Attribute; 1] =
            [parse_quote!(#[doc = "\n     * Finds memories.\n     * All of them.\n     "])];
        assert_eq!(literal(&attributes), "Finds memories.\nAll of them.");
    }

    #[test]
    fn an_included_file_stays_an_expression() {
        let attributes: [Attribute; 2] =
            [parse_quote!(#[doc = " Finds memories."]), parse_quote!(#[doc = include_str!("recall.md")])];
        let Some((Text::Computed(tokens), _)) = text(&attributes) else { panic!("no expression") };
        assert_eq!(
            tokens.to_string(),
            r#":: core :: concat ! ("Finds memories.\n" , include_str ! ("recall.md"))"#
        );
    }

    #[test]
    fn what_is_no_text_is_none() {
        assert!(text(&[parse_quote!(#[doc(hidden)]), parse_quote!(#[must_use])]).is_none());
    }
}
