//! What an attribute says: of a tool, a prompt or a resource; of an impl block; and `#[arg(..)]` of a parameter.
//!
//! Each word is read into the shape that it must have; whether what it says makes sense is for the model to decide.

mod arg;
mod resource;
mod task;
mod tool;
mod words;

use proc_macro2::TokenStream;
use syn::{Expr, Ident, LitStr};

pub(crate) use self::arg::{ArgWords, DefaultWord, RangeWord};
pub(crate) use self::resource::ResourceWords;
pub(crate) use self::task::TaskWords;
pub(crate) use self::tool::ToolWords;
use self::words::{Value, Vocabulary, Word};
use crate::diagnostics::{Mistakes, Noted};
use crate::kind::Kind;

/// What an attribute says of a function.
pub(crate) struct Words {
    pub(crate) common: CommonWords,
    pub(crate) own: OwnWords,
}

/// What may be said of a tool, a prompt and a resource alike.
#[derive(Default)]
pub(crate) struct CommonWords {
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) description: Option<Expr>,
    pub(crate) icons: Vec<IconWords>,
    pub(crate) task: Option<TaskWords>,
    pub(crate) timeout: Option<LitStr>,
    pub(crate) blocking: Option<Ident>,
}

/// What may be said of one kind only.
pub(crate) enum OwnWords {
    Tool(ToolWords),
    Prompt,
    Resource(ResourceWords),
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

/// What an attribute on an impl block says.
#[derive(Default)]
pub(crate) struct ImplWords {
    pub(crate) list: Option<LitStr>,
}

impl Words {
    pub(crate) fn read(kind: Kind, tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut common = CommonWords::default();
        let own = match kind {
            Kind::Tool => OwnWords::Tool(ToolWords::read(tokens, &mut common, mistakes)),
            Kind::Prompt => {
                for word in PROMPT.words(&[tokens], mistakes) {
                    common.hear(word, mistakes);
                }
                OwnWords::Prompt
            }
            Kind::Resource => OwnWords::Resource(ResourceWords::read(tokens, &mut common, mistakes)),
        };
        Self { common, own }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.own {
            OwnWords::Tool(_) => Kind::Tool,
            OwnWords::Prompt => Kind::Prompt,
            OwnWords::Resource(_) => Kind::Resource,
        }
    }

    /// Where the name is said, if it is.
    pub(crate) fn name(&self) -> Option<&LitStr> {
        self.common.name.as_ref()
    }
}

impl CommonWords {
    fn hear(&mut self, word: Word, mistakes: &mut Mistakes) {
        match word.name.to_string().as_str() {
            "name" => self.name = word.text(mistakes).ok(),
            "title" => self.title = word.text(mistakes).ok(),
            "description" => self.description = Some(word.description(mistakes)),
            "icon" => self.icons.extend(IconWords::read(&word, mistakes)),
            "task" => self.task = Some(TaskWords::read(&word, mistakes)),
            "timeout" => self.timeout = word.text(mistakes).ok(),
            _ => self.blocking = word.alone(mistakes).ok(),
        }
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
                _ => sizes = word.texts("\"48x48\", \"96x96\"", mistakes).unwrap_or_default(),
            }
        }
        let missing = "an icon needs an address: write `icon(src = \"https://..\")`";
        let src = src.unwrap_or_else(|| Err(mistakes.on(&word.name, missing)))?;
        Ok(Self { src, mime_type, sizes })
    }
}

impl ImplWords {
    pub(crate) fn read(kind: Kind, tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut words = Self::default();
        let vocabulary = match kind {
            Kind::Tool => TOOL_IMPL,
            Kind::Prompt => PROMPT_IMPL,
            Kind::Resource => RESOURCE_IMPL,
        };
        if kind == Kind::Resource && syn::parse2::<LitStr>(tokens.clone()).is_ok() {
            mistakes
                .on(tokens, "an address is that of one resource: write `#[resource(\"..\")]` on a method");
            return words;
        }
        for word in vocabulary.words(&[tokens], mistakes) {
            words.list = word.text(mistakes).ok();
        }
        words
    }
}

/// Says of a word that the attribute on a function does not know where it belongs, if that is somewhere else.
fn said_elsewhere(kind: Kind, word: &str) -> Option<String> {
    match word {
        "required" | "optional" => Some(format!("is about tasks: write `task = \"{word}\"`")),
        "detach" => Some("is about tasks: write `task(detach)`".to_owned()),
        _ if task::TASK.knows(word) => Some(format!("is about tasks: write `task({word} = ..)`")),
        _ if arg::vocabulary(kind).knows(word) => {
            Some(format!("is about a parameter: write `#[arg({word} ..)]` before it"))
        }
        "list" => Some(format!("goes on the impl block: write `#[{kind}(list = \"..\")] impl ..`")),
        _ => {
            let other = Kind::ALL.into_iter().find(|other| *other != kind && of(*other).knows(word))?;
            Some(format!("is about a {other}, and this is a {kind}: leave it out"))
        }
    }
}

/// The words that are known on a function.
fn of(kind: Kind) -> &'static Vocabulary {
    match kind {
        Kind::Tool => &tool::TOOL,
        Kind::Prompt => &PROMPT,
        Kind::Resource => &resource::RESOURCE,
    }
}

static PROMPT: Vocabulary = Vocabulary {
    place: "#[prompt]",
    known: &["name", "title", "description", "icon", "task", "timeout", "blocking"],
    elsewhere: |word| said_elsewhere(Kind::Prompt, word),
};

const ICON: Vocabulary =
    Vocabulary { place: "icon(..)", known: &["src", "mime_type", "sizes"], elsewhere: |_| None };

const TOOL_IMPL: Vocabulary = of_impl("#[tool] impl", |word| said_on_method(Kind::Tool, word));
const PROMPT_IMPL: Vocabulary = of_impl("#[prompt] impl", |word| said_on_method(Kind::Prompt, word));
const RESOURCE_IMPL: Vocabulary = of_impl("#[resource] impl", |word| said_on_method(Kind::Resource, word));

const fn of_impl(place: &'static str, elsewhere: fn(&str) -> Option<String>) -> Vocabulary {
    Vocabulary { place, known: &["list"], elsewhere }
}

fn said_on_method(kind: Kind, word: &str) -> Option<String> {
    of(kind).knows(word).then(|| format!("is about one {kind}: write `#[{kind}({word} ..)]` on a method"))
}
