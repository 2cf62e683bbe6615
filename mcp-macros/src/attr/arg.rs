//! What `#[arg(..)]` says of a parameter.

use proc_macro2::TokenStream;
use syn::{Expr, ExprPath, ExprRange, Ident, LitStr};

use super::words::Vocabulary;
use crate::diagnostics::Mistakes;
use crate::kind::Kind;

/// What `#[arg(..)]` says.
#[derive(Default)]
pub(crate) struct ArgWords {
    pub(crate) default: Option<DefaultWord>,
    pub(crate) range: Option<RangeWord>,
    pub(crate) length: Option<RangeWord>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) header: Option<LitStr>,
    pub(crate) complete: Option<ExprPath>,
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

impl ArgWords {
    /// Reads all `#[arg(..)]` of one parameter as if they were one.
    pub(crate) fn read(kind: Kind, attributes: &[TokenStream], mistakes: &mut Mistakes) -> Self {
        let mut words = Self::default();
        for word in vocabulary(kind).words(attributes, mistakes) {
            match word.name.to_string().as_str() {
                "default" => words.default = word.default(mistakes).ok(),
                "range" => words.range = word.range("0..=10", mistakes).ok(),
                "length" => words.length = word.range("1..=200", mistakes).ok(),
                "rename" => words.rename = word.text(mistakes).ok(),
                "title" => words.title = word.text(mistakes).ok(),
                "header" => words.header = word.text(mistakes).ok(),
                _ => words.complete = word.path(mistakes).ok(),
            }
        }
        words
    }
}

/// The words that are known on a parameter.
pub(super) fn vocabulary(kind: Kind) -> &'static Vocabulary {
    match kind {
        Kind::Tool => &OF_TOOL,
        Kind::Prompt => &OF_PROMPT,
        Kind::Resource => &OF_RESOURCE,
    }
}

static OF_TOOL: Vocabulary = Vocabulary {
    place: "#[arg]",
    known: &["default", "range", "length", "rename", "title", "header"],
    elsewhere: |word| said_otherwise(Kind::Tool, word),
};

static OF_PROMPT: Vocabulary = Vocabulary {
    place: "#[arg]",
    known: &["default", "range", "length", "rename", "title", "complete"],
    elsewhere: |word| said_otherwise(Kind::Prompt, word),
};

static OF_RESOURCE: Vocabulary = Vocabulary {
    place: "#[arg]",
    known: &["range", "length", "rename", "complete"],
    elsewhere: |word| said_otherwise(Kind::Resource, word),
};

/// Says how else a word is said, if it is.
fn said_otherwise(kind: Kind, word: &str) -> Option<String> {
    let told = match (word, kind) {
        ("description", _) => "of a parameter is its doc comment: write `/// ..` before it",
        ("minimum" | "maximum" | "min" | "max", _) => "is said by a range: write `range(0..=10)`",
        ("min_length" | "max_length", _) => "is said by a length: write `length(1..=200)`",
        ("name", Kind::Resource) => "of a variable is changed by `rename = \"..\"`",
        ("name", _) => "of an argument is changed by `rename = \"..\"`",
        ("default" | "optional", Kind::Resource) => {
            "cannot be, because each variable of an address has a value: leave it out"
        }
        ("optional", _) => "is said by the type: write `Option<..>`",
        ("complete", Kind::Tool) => "is for prompts and resources, which people fill in: leave it out",
        ("header", _) => "is for the arguments of tools: leave it out",
        ("title", Kind::Resource) => "is not told of a variable: leave it out",
        _ => return None,
    };
    Some(told.to_owned())
}
