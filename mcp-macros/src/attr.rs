//! What an attribute says: `#[tool(..)]` on a function or an impl block, and `#[arg(..)]` on a parameter.
//!
//! Each word is read into the shape that it must have; whether what it says makes sense is for the model to decide.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, ExprLit, ExprRange, Ident, Lit, LitInt, LitStr, Token, parenthesized, parse_quote};

use crate::diagnostics::{Mistakes, Noted, listed, nearest};

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

impl ToolWords {
    pub(crate) fn read(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut words = Self::default();
        for word in TOOL.words(&[tokens], mistakes) {
            match word.name.to_string().as_str() {
                "name" => words.name = word.text(mistakes).ok(),
                "title" => words.title = word.text(mistakes).ok(),
                "description" => words.description = Some(word.description(mistakes)),
                "read_only" => words.read_only = word.flag(mistakes).ok(),
                "destructive" => words.destructive = word.flag(mistakes).ok(),
                "idempotent" => words.idempotent = word.flag(mistakes).ok(),
                "open_world" => words.open_world = word.flag(mistakes).ok(),
                "icon" => words.icons.extend(IconWords::read(&word, mistakes)),
                "task" => words.task = Some(TaskWords::read(&word, mistakes)),
                "timeout" => words.timeout = word.text(mistakes).ok(),
                _ => words.blocking = word.alone(mistakes).ok(),
            }
        }
        words
    }
}

impl IconWords {
    fn read(word: &Word, mistakes: &mut Mistakes) -> Result<Self, Noted> {
        let Value::List(tokens) = &word.value else {
            return Ok(Self { src: word.text(mistakes)?, mime_type: None, sizes: Vec::new() });
        };
        let (mut src, mut mime_type, mut sizes) = (None, None, Vec::new());
        for word in ICON.words(std::slice::from_ref(tokens), mistakes) {
            match word.name.to_string().as_str() {
                "src" => src = Some(word.text(mistakes)),
                "mime_type" => mime_type = word.text(mistakes).ok(),
                _ => sizes = word.texts(mistakes).unwrap_or_default(),
            }
        }
        let missing = "an icon needs an address: write `icon(src = \"https://..\")`";
        let src = src.unwrap_or_else(|| Err(mistakes.on(&word.name, missing)))?;
        Ok(Self { src, mime_type, sizes })
    }
}

impl TaskWords {
    fn read(word: &Word, mistakes: &mut Mistakes) -> Self {
        let mut words = Self::default();
        match &word.value {
            Value::None => {}
            Value::List(tokens) => words.read_list(tokens, mistakes),
            Value::Given(support) => match literal_text(support).map(LitStr::value).as_deref() {
                Some("required") => words.required = true,
                Some("optional") => {}
                _ => {
                    let message = "write `task = \"required\"`, `task = \"optional\"` or `task` alone";
                    mistakes.on(support, message);
                }
            },
        }
        words
    }

    fn read_list(&mut self, tokens: &TokenStream, mistakes: &mut Mistakes) {
        let mut is_said = false;
        for word in TASK.words(std::slice::from_ref(tokens), mistakes) {
            match word.name.to_string().as_str() {
                "ttl" => self.ttl = word.text(mistakes).ok(),
                "poll" => self.poll = word.text(mistakes).ok(),
                "timeout" => self.timeout = word.text(mistakes).ok(),
                "concurrency" => self.concurrency = word.count(mistakes).ok(),
                support => {
                    self.required |= support == "required";
                    if let Ok(support) = word.alone(mistakes)
                        && std::mem::replace(&mut is_said, true)
                    {
                        mistakes.on(support, "a task is `required` or `optional`: leave one of them out");
                    }
                }
            }
        }
    }
}

impl ImplWords {
    pub(crate) fn read(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut words = Self::default();
        for word in IMPL.words(&[tokens], mistakes) {
            words.list = word.text(mistakes).ok();
        }
        words
    }
}

impl ArgWords {
    /// Reads all `#[arg(..)]` of one parameter as if they were one.
    pub(crate) fn read(attributes: &[TokenStream], mistakes: &mut Mistakes) -> Self {
        let mut words = Self::default();
        for word in ARG.words(attributes, mistakes) {
            match word.name.to_string().as_str() {
                "default" => words.default = word.default(mistakes).ok(),
                "range" => words.range = word.range("0..=10", mistakes).ok(),
                "length" => words.length = word.range("1..=200", mistakes).ok(),
                "rename" => words.rename = word.text(mistakes).ok(),
                _ => words.header = word.text(mistakes).ok(),
            }
        }
        words
    }
}

/// Where words stand, and which are known there.
struct Vocabulary {
    /// As an author would write it.
    place: &'static str,
    known: &'static [&'static str],
    /// What is to be said of a word that belongs elsewhere: the end of a sentence that begins with it.
    elsewhere: fn(&str) -> Option<String>,
}

const TOOL: Vocabulary = Vocabulary {
    place: "#[tool]",
    known: &[
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
    ],
    elsewhere: |word| match word {
        "required" | "optional" => Some(format!("is about tasks: write `task = \"{word}\"`")),
        _ if TASK.knows(word) => Some(format!("is about tasks: write `task({word} = ..)`")),
        _ if ARG.knows(word) => Some(format!("is about a parameter: write `#[arg({word} ..)]` before it")),
        _ if IMPL.knows(word) => {
            Some("goes on the impl block: write `#[tool(list = \"..\")] impl ..`".to_owned())
        }
        _ => None,
    },
};

const TASK: Vocabulary = Vocabulary {
    place: "task(..)",
    known: &["required", "optional", "ttl", "poll", "timeout", "concurrency"],
    elsewhere: |word| {
        TOOL.knows(word).then(|| format!("goes beside `task(..)`: write `#[tool(task(..), {word} ..)]`"))
    },
};

const ICON: Vocabulary =
    Vocabulary { place: "icon(..)", known: &["src", "mime_type", "sizes"], elsewhere: |_| None };

const IMPL: Vocabulary = Vocabulary {
    place: "#[tool] impl",
    known: &["list"],
    elsewhere: |word| {
        TOOL.knows(word).then(|| format!("is about one tool: write `#[tool({word} ..)]` on a method"))
    },
};

const ARG: Vocabulary = Vocabulary {
    place: "#[arg]",
    known: &["default", "range", "length", "rename", "header"],
    elsewhere: |word| {
        let told = match word {
            "description" => "of a parameter is its doc comment: write `/// ..` before it",
            "minimum" | "maximum" | "min" | "max" => "is said by a range: write `range(0..=10)`",
            "min_length" | "max_length" => "is said by a length: write `length(1..=200)`",
            "name" => "of an argument is changed by `rename = \"..\"`",
            "optional" => "is said by the type: write `Option<..>`",
            _ => return None,
        };
        Some(told.to_owned())
    },
};

impl Vocabulary {
    fn knows(&self, word: &str) -> bool {
        self.known.contains(&word)
    }

    /// The known words; everything else is noted as a mistake.
    fn words(&self, attributes: &[TokenStream], mistakes: &mut Mistakes) -> Vec<Word> {
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
    fn wrong(&self, form: &str, mistakes: &mut Mistakes) -> Noted {
        let message = format!("write `{}{form}`", self.name);
        match &self.value {
            Value::Given(expression) => mistakes.on(expression, message),
            Value::None | Value::List(_) => mistakes.on(&self.name, message),
        }
    }

    fn text(&self, mistakes: &mut Mistakes) -> Result<LitStr, Noted> {
        match &self.value {
            Value::Given(expression) => literal_text(expression).cloned(),
            Value::None | Value::List(_) => None,
        }
        .ok_or_else(|| self.wrong(" = \"..\"", mistakes))
    }

    fn texts(&self, mistakes: &mut Mistakes) -> Result<Vec<LitStr>, Noted> {
        match &self.value {
            Value::Given(Expr::Array(array)) => {
                array.elems.iter().map(|element| literal_text(element).cloned()).collect()
            }
            Value::Given(expression) => literal_text(expression).map(|text| vec![text.clone()]),
            Value::None | Value::List(_) => None,
        }
        .ok_or_else(|| self.wrong(" = [\"48x48\", \"96x96\"]", mistakes))
    }

    /// A text that may also come from a constant or a file.
    fn description(self, mistakes: &mut Mistakes) -> Expr {
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

    fn flag(self, mistakes: &mut Mistakes) -> Result<Flag, Noted> {
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

    fn alone(self, mistakes: &mut Mistakes) -> Result<Ident, Noted> {
        match &self.value {
            Value::None => Ok(self.name),
            Value::Given(_) | Value::List(_) => Err(self.wrong("", mistakes)),
        }
    }

    fn count(&self, mistakes: &mut Mistakes) -> Result<LitInt, Noted> {
        match &self.value {
            Value::Given(Expr::Lit(ExprLit { lit: Lit::Int(count), .. })) => Ok(count.clone()),
            _ => Err(self.wrong(" = 8", mistakes)),
        }
    }

    fn default(self, mistakes: &mut Mistakes) -> Result<DefaultWord, Noted> {
        match self.value {
            Value::None => Ok(DefaultWord { word: self.name, value: None }),
            Value::Given(value) => Ok(DefaultWord { word: self.name, value: Some(value) }),
            Value::List(_) => Err(self.wrong(" = ..", mistakes)),
        }
    }

    fn range(self, example: &str, mistakes: &mut Mistakes) -> Result<RangeWord, Noted> {
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

fn literal_text(expression: &Expr) -> Option<&LitStr> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        _ => None,
    }
}
