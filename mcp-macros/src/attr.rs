//! What an attribute says: `#[tool(..)]` on a function or an impl block, and `#[arg(..)]` on a parameter.
//!
//! Each word is read into the shape that it must have; whether what it says makes sense is for the model to decide.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprRange, Ident, Lit, LitInt, LitStr, Token, parenthesized};

use crate::diagnostics::{Mistakes, listed, nearest};

/// What `#[tool(..)]` on a function says.
#[derive(Default)]
pub(crate) struct ToolWords {
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) description: Option<Expr>,
    pub(crate) read_only: Option<Flag>,
    pub(crate) destructive: Option<Flag>,
    pub(crate) idempotent: Option<Flag>,
    pub(crate) open_world: Option<Flag>,
    pub(crate) icons: Vec<IconWords>,
    pub(crate) task: Option<TaskWords>,
    pub(crate) timeout: Option<LitStr>,
    pub(crate) blocking: Option<Ident>,
}

/// A word that says yes by being there, and may say `= false`.
pub(crate) struct Flag {
    pub(crate) word: Ident,
    pub(crate) value: bool,
}

/// What `icon = ".."` or `icon(src = "..", ..)` says.
pub(crate) struct IconWords {
    pub(crate) src: LitStr,
    pub(crate) mime_type: Option<LitStr>,
    pub(crate) sizes: Vec<LitStr>,
}

/// What `task`, `task = ".."` or `task(..)` says.
#[derive(Default)]
pub(crate) struct TaskWords {
    pub(crate) required: bool,
    pub(crate) ttl: Option<LitStr>,
    pub(crate) poll: Option<LitStr>,
    pub(crate) timeout: Option<LitStr>,
    pub(crate) concurrency: Option<LitInt>,
}

/// What `#[tool(..)]` on an impl block says.
#[derive(Default)]
pub(crate) struct ImplWords {
    pub(crate) list: Option<LitStr>,
}

/// What `#[arg(..)]` says.
#[derive(Default)]
pub(crate) struct ArgWords {
    pub(crate) default: Option<DefaultWord>,
    pub(crate) range: Option<RangeWord>,
    pub(crate) length: Option<RangeWord>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) header: Option<LitStr>,
}

/// `default`, which is the type's own, or `default = ..`.
pub(crate) struct DefaultWord {
    pub(crate) word: Ident,
    pub(crate) value: Option<Expr>,
}

/// `range(..)` or `length(..)`.
pub(crate) struct RangeWord {
    pub(crate) word: Ident,
    pub(crate) range: ExprRange,
}

const TOOL: &[&str] = &[
    "name",
    "title",
    "description",
    "read_only",
    "destructive",
    "idempotent",
    "open_world",
    "icon",
    "task",
    "timeout",
    "blocking",
];
const TASK: &[&str] = &["required", "optional", "ttl", "poll", "timeout", "concurrency"];
const ICON: &[&str] = &["src", "mime_type", "sizes"];
const IMPL: &[&str] = &["list"];
const ARG: &[&str] = &["default", "range", "length", "rename", "header"];

impl ToolWords {
    pub(crate) fn read(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let place = Place { attribute: "#[tool]", known: TOOL, elsewhere: elsewhere_on_a_tool };
        let mut words = Self::default();
        for word in place.words(tokens, mistakes) {
            match word.name.to_string().as_str() {
                "name" => words.name = word.text(mistakes),
                "title" => words.title = word.text(mistakes),
                "description" => words.description = word.text_expression(mistakes),
                "read_only" => words.read_only = word.flag(mistakes),
                "destructive" => words.destructive = word.flag(mistakes),
                "idempotent" => words.idempotent = word.flag(mistakes),
                "open_world" => words.open_world = word.flag(mistakes),
                "icon" => words.icons.extend(IconWords::read(word, mistakes)),
                "task" => words.task = Some(TaskWords::read(word, mistakes)),
                "timeout" => words.timeout = word.text(mistakes),
                _ => words.blocking = word.bare(mistakes),
            }
        }
        words
    }
}

impl IconWords {
    fn read(word: Word, mistakes: &mut Mistakes) -> Option<Self> {
        let Value::List(tokens) = word.value else {
            return Some(Self { src: word.text(mistakes)?, mime_type: None, sizes: Vec::new() });
        };
        let place = Place { attribute: "icon(..)", known: ICON, elsewhere: |_| None };
        let (mut src, mut mime_type, mut sizes) = (None, None, Vec::new());
        for word in place.words(tokens, mistakes) {
            match word.name.to_string().as_str() {
                "src" => src = word.text(mistakes),
                "mime_type" => mime_type = word.text(mistakes),
                _ => sizes = word.texts(mistakes),
            }
        }
        if src.is_none() && mistakes.is_empty() {
            mistakes.on(&word.name, "an icon needs an address: write `icon(src = \"https://..\")`");
        }
        Some(Self { src: src?, mime_type, sizes })
    }
}

impl TaskWords {
    fn read(word: Word, mistakes: &mut Mistakes) -> Self {
        let mut words = Self::default();
        match word.value {
            Value::None => {}
            Value::Given(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => match text.value().as_str() {
                "required" => words.required = true,
                "optional" => {}
                _ => mistakes.on(text, "write `task = \"required\"`, `task = \"optional\"` or `task` alone"),
            },
            Value::Given(other) => {
                mistakes.on(other, "write `task = \"required\"`, `task = \"optional\"` or `task` alone");
            }
            Value::List(tokens) => words.read_list(tokens, mistakes),
        }
        words
    }

    fn read_list(&mut self, tokens: TokenStream, mistakes: &mut Mistakes) {
        let place = Place { attribute: "task(..)", known: TASK, elsewhere: elsewhere_in_a_task };
        let mut support: Option<Ident> = None;
        for word in place.words(tokens, mistakes) {
            match word.name.to_string().as_str() {
                "ttl" => self.ttl = word.text(mistakes),
                "poll" => self.poll = word.text(mistakes),
                "timeout" => self.timeout = word.text(mistakes),
                "concurrency" => self.concurrency = word.count(mistakes),
                said => {
                    self.required |= said == "required";
                    if let Some(word) = word.bare(mistakes)
                        && support.replace(word.clone()).is_some()
                    {
                        mistakes.on(word, "a task is `required` or `optional`: leave one of them out");
                    }
                }
            }
        }
    }
}

impl ImplWords {
    pub(crate) fn read(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let place = Place { attribute: "#[tool] impl", known: IMPL, elsewhere: elsewhere_on_an_impl };
        let mut words = Self::default();
        for word in place.words(tokens, mistakes) {
            words.list = word.text(mistakes);
        }
        words
    }
}

impl ArgWords {
    /// Reads all `#[arg(..)]` of one parameter as if they were one.
    pub(crate) fn read(attributes: &[TokenStream], mistakes: &mut Mistakes) -> Self {
        let place = Place { attribute: "#[arg]", known: ARG, elsewhere: elsewhere_on_a_parameter };
        let mut words = Self::default();
        for word in place.words_of_all(attributes, mistakes) {
            match word.name.to_string().as_str() {
                "default" => words.default = word.default(mistakes),
                "range" => words.range = word.range("0..=10", mistakes),
                "length" => words.length = word.range("1..=200", mistakes),
                "rename" => words.rename = word.text(mistakes),
                _ => words.header = word.text(mistakes),
            }
        }
        words
    }
}

/// Where a word would belong that does not belong here, as an end of the sentence "`ttl` ..".
type Elsewhere = fn(&str) -> Option<String>;

fn elsewhere_on_a_tool(word: &str) -> Option<String> {
    match word {
        "required" | "optional" => Some(format!("is about tasks: write `task = \"{word}\"`")),
        _ if TASK.contains(&word) => Some(format!("is about tasks: write `task({word} = ..)`")),
        _ if ARG.contains(&word) => {
            Some(format!("is about a parameter: write `#[arg({word} ..)]` before it"))
        }
        _ if IMPL.contains(&word) => {
            Some("goes on the impl block: write `#[tool(list = \"..\")] impl ..`".to_owned())
        }
        _ => None,
    }
}

fn elsewhere_in_a_task(word: &str) -> Option<String> {
    TOOL.contains(&word).then(|| format!("goes beside `task(..)`: write `#[tool(task(..), {word} ..)]`"))
}

fn elsewhere_on_an_impl(word: &str) -> Option<String> {
    TOOL.contains(&word).then(|| format!("is about one tool: write `#[tool({word} ..)]` on a method"))
}

fn elsewhere_on_a_parameter(word: &str) -> Option<String> {
    match word {
        "description" => Some("of a parameter is its doc comment: write `/// ..` before it".to_owned()),
        "minimum" | "maximum" | "min" | "max" => Some("is said by a range: write `range(0..=10)`".to_owned()),
        "min_length" | "max_length" => Some("is said by a length: write `length(1..=200)`".to_owned()),
        "name" => Some("of an argument is changed by `rename = \"..\"`".to_owned()),
        "optional" => Some("is said by the type: write `Option<..>`".to_owned()),
        _ => None,
    }
}

/// Where words stand: the attribute's name, and the words that it knows.
struct Place {
    attribute: &'static str,
    known: &'static [&'static str],
    elsewhere: Elsewhere,
}

impl Place {
    /// The known words; everything else is noted as a mistake.
    fn words(&self, tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<Word> {
        self.words_of_all(&[tokens], mistakes)
    }

    fn words_of_all(&self, attributes: &[TokenStream], mistakes: &mut Mistakes) -> Vec<Word> {
        let mut words: Vec<Word> = Vec::new();
        let found =
            attributes.iter().flat_map(|tokens| parse_words(tokens.clone(), mistakes)).collect::<Vec<_>>();
        for word in found {
            let name = word.name.to_string();
            if !self.known.contains(&name.as_str()) {
                mistakes.on(&word.name, self.unknown(&name));
            } else if name != "icon" && words.iter().any(|known| known.name == word.name) {
                mistakes.on(&word.name, format!("`{name}` is said twice: leave one of them out"));
            } else {
                words.push(word);
            }
        }
        words
    }

    fn unknown(&self, word: &str) -> String {
        if let Some(elsewhere) = (self.elsewhere)(word) {
            return format!("`{word}` {elsewhere}");
        }
        match nearest(word, self.known) {
            Some(known) => format!("unknown word `{word}`: did you mean `{known}`?"),
            None => format!("unknown word `{word}`: `{}` knows {}", self.attribute, listed(self.known)),
        }
    }
}

/// One word: `task`, `name = ".."`, `range(0..=5)`.
struct Word {
    name: Ident,
    value: Value,
}

enum Value {
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
            Value::Given(input.parse()?)
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
    let read = |input: ParseStream<'_>| {
        let mut words = Vec::new();
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
        Ok(words)
    };
    match read.parse2(tokens) {
        Ok(words) => words,
        Err(error) => {
            mistakes.add(error);
            Vec::new()
        }
    }
}

impl Word {
    fn span(&self) -> Span {
        match &self.value {
            Value::Given(expression) => expression.span(),
            Value::None | Value::List(_) => self.name.span(),
        }
    }

    fn wrong<T>(&self, form: &str, mistakes: &mut Mistakes) -> Option<T> {
        let name = self.name.to_string();
        let message = format!("write `{name}{}`", form.replace("{0}", &name));
        match &self.value {
            Value::Given(expression) => mistakes.on(expression, message),
            Value::None | Value::List(_) => mistakes.at(self.span(), message),
        }
        None
    }

    fn text(&self, mistakes: &mut Mistakes) -> Option<LitStr> {
        match &self.value {
            Value::Given(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text.clone()),
            _ => self.wrong(" = \"..\"", mistakes),
        }
    }

    /// A text that may also come from a constant or a file.
    fn text_expression(&self, mistakes: &mut Mistakes) -> Option<Expr> {
        match &self.value {
            Value::Given(Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) | Expr::Macro(_) | Expr::Path(_)) => {}
            _ => return self.wrong(" = \"..\"", mistakes),
        }
        if let Value::Given(expression) = &self.value { Some(expression.clone()) } else { None }
    }

    fn texts(&self, mistakes: &mut Mistakes) -> Vec<LitStr> {
        let texts = match &self.value {
            Value::Given(Expr::Array(array)) => array.elems.iter().map(literal_text).collect(),
            Value::Given(expression) => literal_text(expression).map(|text| vec![text]),
            Value::None | Value::List(_) => None,
        };
        texts.or_else(|| self.wrong(" = [\"48x48\", \"96x96\"]", mistakes)).unwrap_or_default()
    }

    fn flag(self, mistakes: &mut Mistakes) -> Option<Flag> {
        let value = match &self.value {
            Value::None => true,
            Value::Given(Expr::Lit(ExprLit { lit: Lit::Bool(value), .. })) => value.value,
            Value::Given(_) | Value::List(_) => return self.wrong("` or `{0} = false", mistakes),
        };
        Some(Flag { word: self.name, value })
    }

    fn bare(self, mistakes: &mut Mistakes) -> Option<Ident> {
        match self.value {
            Value::None => Some(self.name),
            _ => self.wrong("", mistakes),
        }
    }

    fn count(&self, mistakes: &mut Mistakes) -> Option<LitInt> {
        match &self.value {
            Value::Given(Expr::Lit(ExprLit { lit: Lit::Int(count), .. })) => Some(count.clone()),
            _ => self.wrong(" = 8", mistakes),
        }
    }

    fn default(self, mistakes: &mut Mistakes) -> Option<DefaultWord> {
        let value = match self.value {
            Value::None => None,
            Value::Given(value) => Some(value),
            Value::List(_) => return self.wrong(" = ..", mistakes),
        };
        Some(DefaultWord { word: self.name, value })
    }

    fn range(self, example: &str, mistakes: &mut Mistakes) -> Option<RangeWord> {
        let Value::List(tokens) = &self.value else { return self.wrong(&format!("({example})"), mistakes) };
        let one = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens.clone());
        match one.map(|expressions| expressions.into_iter().collect::<Vec<_>>()) {
            Ok(expressions) => match <[Expr; 1]>::try_from(expressions) {
                Ok([Expr::Range(range)]) => Some(RangeWord { word: self.name, range }),
                _ => {
                    let place =
                        if tokens.is_empty() { self.name.into_token_stream() } else { tokens.clone() };
                    mistakes.on(place, format!("write a range, such as `{example}`"));
                    None
                }
            },
            Err(error) => {
                mistakes.add(error);
                None
            }
        }
    }
}

fn literal_text(expression: &Expr) -> Option<LitStr> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        _ => None,
    }
}
