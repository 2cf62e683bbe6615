//! What `#[tool(..)]` says of a function, beside what every attribute may say.

use proc_macro2::TokenStream;

use super::words::Vocabulary;
use super::{CommonWords, Flag, said_elsewhere};
use crate::diagnostics::Mistakes;
use crate::kind::Kind;

/// What `#[tool(..)]` says of what the tool changes.
#[derive(Default)]
pub(crate) struct ToolWords {
    pub(crate) read_only: Option<Flag>,
    pub(crate) destructive: Option<Flag>,
    pub(crate) idempotent: Option<Flag>,
    pub(crate) open_world: Option<Flag>,
}

impl ToolWords {
    pub(super) fn read(tokens: TokenStream, common: &mut CommonWords, mistakes: &mut Mistakes) -> Self {
        let mut words = Self::default();
        for word in TOOL.words(&[tokens], mistakes) {
            match word.name.to_string().as_str() {
                "read_only" => words.read_only = word.flag(mistakes).ok(),
                "destructive" => words.destructive = word.flag(mistakes).ok(),
                "idempotent" => words.idempotent = word.flag(mistakes).ok(),
                "open_world" => words.open_world = word.flag(mistakes).ok(),
                _ => common.hear(word, mistakes),
            }
        }
        words
    }
}

pub(super) static TOOL: Vocabulary = Vocabulary {
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
    elsewhere: |word| said_elsewhere(Kind::Tool, word),
};
