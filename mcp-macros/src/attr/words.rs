//! How words are written in an attribute, whatever they mean: `task`, `name = ".."`, `range(0..=5)`.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, ExprLit, ExprPath, Ident, Lit, LitInt, LitStr, Token, parenthesized, parse_quote};

use super::{DefaultWord, Flag, RangeWord};
use crate::diagnostics::{Mistakes, Noted, listed, nearest};

/// Where words stand, and which are known there.
pub(super) struct Vocabulary {
    /// As an author would write it.
    pub(super) place: &'static str,
    pub(super) known: &'static [&'static str],
    /// What is to be said of a word that belongs elsewhere: the end of a sentence that begins with it.
    pub(super) elsewhere: fn(&str) -> Option<String>,
}

impl Vocabulary {
    pub(super) fn knows(&self, word: &str) -> bool {
        self.known.contains(&word)
    }

    /// The known words; everything else is noted as a mistake.
    pub(super) fn words(&self, attributes: &[TokenStream], mistakes: &mut Mistakes) -> Vec<Word> {
        let mut words: Vec<Word> = Vec::new();
        for tokens in attributes {
            for word in parse_words(tokens.clone(), mistakes) {
                let name = word.name.to_string();
                if !self.knows(&name) {
                    mistakes.on(&word.name, self.unknown(&name));
                } else if name != "icon" && words.iter().any(|known| known.name == word.name) {
                    mistakes.on(&word.name, format!("`{name}` is said twice: leave one of them out"));
                } else {
                    words.push(word);
                }
            }
        }
        words
    }

    fn unknown(&self, word: &str) -> String {
        if let Some(told) = (self.elsewhere)(word) {
            return format!("`{word}` {told}");
        }
        match nearest(word, self.known) {
            Some(known) => format!("unknown word `{word}`: did you mean `{known}`?"),
            None => format!("unknown word `{word}`: `{}` knows {}", self.place, listed(self.known)),
        }
    }
}

/// One word: `task`, `name = ".."`, `range(0..=5)`.
pub(super) struct Word {
    pub(super) name: Ident,
    pub(super) value: Value,
}

pub(super) enum Value {
    None,
    Given(Expr),
    List(TokenStream),
}

impl Parse for Word {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected a word such as `task`, or `title = \"..\"`"));
        }
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Given(without_group(input.parse()?))
        } else if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::None
        };
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error(format!("expected `,` after `{name}`, or `{name} = ..`")));
        }
        Ok(Self { name, value })
    }
}

/// Reads words between commas. After one that cannot be read, it goes on behind the next comma.
fn parse_words(tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<Word> {
    let mut words = Vec::new();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            match input.parse() {
                Ok(word) => words.push(word),
                Err(error) => {
                    mistakes.add(error);
                    while !input.is_empty() && !input.peek(Token![,]) {
                        input.parse::<TokenTree>()?;
                    }
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = read.parse2(tokens) {
        mistakes.add(error);
    }
    words
}

impl Word {
    /// Says how the word is written, behind its name.
    pub(super) fn wrong(&self, form: &str, mistakes: &mut Mistakes) -> Noted {
        let message = format!("write `{}{form}`", self.name);
        match &self.value {
            Value::Given(expression) => mistakes.on(expression, message),
            Value::None | Value::List(_) => mistakes.on(&self.name, message),
        }
    }

    pub(super) fn text(&self, mistakes: &mut Mistakes) -> Result<LitStr, Noted> {
        match &self.value {
            Value::Given(expression) => literal_text(expression).cloned(),
            Value::None | Value::List(_) => None,
        }
        .ok_or_else(|| self.wrong(" = \"..\"", mistakes))
    }

    /// One text or several; the example is what may stand between the brackets.
    pub(super) fn texts(&self, example: &str, mistakes: &mut Mistakes) -> Result<Vec<LitStr>, Noted> {
        match &self.value {
            Value::Given(Expr::Array(array)) => {
                array.elems.iter().map(|element| literal_text(element).cloned()).collect()
            }
            Value::Given(expression) => literal_text(expression).map(|text| vec![text.clone()]),
            Value::None | Value::List(_) => None,
        }
        .ok_or_else(|| self.wrong(&format!(" = [{example}]"), mistakes))
    }

    /// A text that may also come from a constant or a file.
    pub(super) fn description(self, mistakes: &mut Mistakes) -> Expr {
        match self.value {
            Value::Given(Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) | Expr::Macro(_) | Expr::Path(_)) => {}
            Value::Given(_) | Value::None | Value::List(_) => {
                self.wrong(" = \"..\"", mistakes);
            }
        }
        match self.value {
            Value::Given(expression) => expression,
            // It is wrong, and yet there is one: that it is missing need not be said, too.
            Value::None | Value::List(_) => parse_quote!(""),
        }
    }

    pub(super) fn flag(self, mistakes: &mut Mistakes) -> Result<Flag, Noted> {
        match &self.value {
            Value::None => Ok(Flag { word: self.name, value: true }),
            Value::Given(Expr::Lit(ExprLit { lit: Lit::Bool(value), .. })) => {
                Ok(Flag { value: value.value, word: self.name })
            }
            Value::Given(_) | Value::List(_) => {
                Err(self.wrong(&format!("` or `{} = false", self.name), mistakes))
            }
        }
    }

    pub(super) fn alone(self, mistakes: &mut Mistakes) -> Result<Ident, Noted> {
        match &self.value {
            Value::None => Ok(self.name),
            Value::Given(_) | Value::List(_) => Err(self.wrong("", mistakes)),
        }
    }

    /// What stands behind `=`, whatever it is.
    pub(super) fn given(self, form: &str, mistakes: &mut Mistakes) -> Result<Expr, Noted> {
        match self.value {
            Value::Given(value) => Ok(value),
            Value::None | Value::List(_) => Err(self.wrong(form, mistakes)),
        }
    }

    pub(super) fn path(&self, mistakes: &mut Mistakes) -> Result<ExprPath, Noted> {
        match &self.value {
            Value::Given(Expr::Path(path)) => Ok(path.clone()),
            _ => Err(self.wrong(" = function", mistakes)),
        }
    }

    /// A number of something; the example is what may stand behind `=`.
    pub(super) fn count(&self, example: &str, mistakes: &mut Mistakes) -> Result<LitInt, Noted> {
        match &self.value {
            Value::Given(Expr::Lit(ExprLit { lit: Lit::Int(count), .. })) => Ok(count.clone()),
            _ => Err(self.wrong(&format!(" = {example}"), mistakes)),
        }
    }

    pub(super) fn default(self, mistakes: &mut Mistakes) -> Result<DefaultWord, Noted> {
        match self.value {
            Value::None => Ok(DefaultWord { word: self.name, value: None }),
            Value::Given(value) => Ok(DefaultWord { word: self.name, value: Some(value) }),
            Value::List(_) => Err(self.wrong(" = ..", mistakes)),
        }
    }

    pub(super) fn range(self, example: &str, mistakes: &mut Mistakes) -> Result<RangeWord, Noted> {
        let Value::List(tokens) = &self.value else {
            return Err(self.wrong(&format!("({example})"), mistakes));
        };
        match syn::parse2(tokens.clone()).map(without_group) {
            Ok(Expr::Range(range)) => Ok(RangeWord { word: self.name, range }),
            Ok(other) => Err(mistakes.on(other, format!("write a range, such as `{example}`"))),
            Err(_) if tokens.is_empty() => Err(self.wrong(&format!("({example})"), mistakes)),
            Err(error) => Err(mistakes.add(error)),
        }
    }
}

/// An expression without the group that a `macro_rules!` macro puts around what it was given.
fn without_group(expression: Expr) -> Expr {
    match expression {
        Expr::Group(group) => without_group(*group.expr),
        other => other,
    }
}

pub(super) fn literal_text(expression: &Expr) -> Option<&LitStr> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        _ => None,
    }
}
