//! What `#[resource("..", ..)]` says of a function, beside what every attribute may say.

use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Token};

use super::words::{Value, Vocabulary, Word};
use super::{CommonWords, said_elsewhere};
use crate::diagnostics::{Mistakes, Noted};
use crate::kind::Kind;

/// What `#[resource("..", ..)]` says of where the resource is, what it holds and whom it is for.
pub(crate) struct ResourceWords {
    /// The address, or its template.
    pub(crate) uri: Result<LitStr, Noted>,
    pub(crate) mime_type: Option<LitStr>,
    pub(crate) audience: Vec<LitStr>,
    pub(crate) priority: Option<Expr>,
    pub(crate) cache: Option<CacheWords>,
}

/// What `cache = ".."` or `cache(ttl = "..", ..)` says.
pub(crate) struct CacheWords {
    pub(crate) is_public: bool,
    pub(crate) ttl: LitStr,
}

impl ResourceWords {
    pub(super) fn read(tokens: TokenStream, common: &mut CommonWords, mistakes: &mut Mistakes) -> Self {
        let (uri, rest) = address(tokens, mistakes);
        let mut words = Self { uri, mime_type: None, audience: Vec::new(), priority: None, cache: None };
        for word in RESOURCE.words(&[rest], mistakes) {
            match word.name.to_string().as_str() {
                "mime_type" => words.mime_type = word.text(mistakes).ok(),
                "audience" => {
                    words.audience = word.texts("\"user\", \"assistant\"", mistakes).unwrap_or_default();
                }
                "priority" => words.priority = word.given(" = 0.5", mistakes).ok(),
                "cache" => words.cache = CacheWords::read(&word, mistakes).ok(),
                _ => common.hear(word, mistakes),
            }
        }
        words
    }
}

impl CacheWords {
    fn read(word: &Word, mistakes: &mut Mistakes) -> Result<Self, Noted> {
        let Value::List(tokens) = &word.value else {
            return Ok(Self { is_public: false, ttl: word.text(mistakes)? });
        };
        let (mut is_public, mut ttl) = (false, None);
        for word in CACHE.words(std::slice::from_ref(tokens), mistakes) {
            match word.name.to_string().as_str() {
                "ttl" => ttl = Some(word.text(mistakes)),
                _ => is_public = word.alone(mistakes).is_ok(),
            }
        }
        let missing = "a cache needs to know for how long: write `cache(ttl = \"1h\")`, or `cache(public, ttl = \"1h\")`";
        let ttl = ttl.unwrap_or_else(|| Err(mistakes.on(&word.name, missing)))?;
        Ok(Self { is_public, ttl })
    }
}

/// The address, which comes first and without a name, and the words behind it.
fn address(tokens: TokenStream, mistakes: &mut Mistakes) -> (Result<LitStr, Noted>, TokenStream) {
    const FIRST: &str = "a resource is found by its address, which comes first and without a name: write \
                         `#[resource(\"memory://{id}\", ..)]`";
    let read = |input: ParseStream<'_>| {
        let is_named = input.fork().parse::<Ident>().is_ok_and(|name| name == "uri");
        let uri = if input.peek(LitStr) {
            Ok(input.parse()?)
        } else if is_named {
            Err(mistakes.on(input.parse::<Word>()?.name, FIRST))
        } else {
            return Ok((Err(mistakes.at(Span::call_site(), FIRST)), input.parse()?));
        };
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok((uri, input.parse()?))
    };
    read.parse2(tokens).unwrap_or_else(|error| (Err(mistakes.add(error)), TokenStream::new()))
}

pub(super) static RESOURCE: Vocabulary = Vocabulary {
    place: "#[resource]",
    known: &[
        "name",
        "title",
        "description",
        "mime_type",
        "audience",
        "priority",
        "cache",
        "icon",
        "task",
        "timeout",
        "blocking",
    ],
    elsewhere: |word| said_elsewhere(Kind::Resource, word),
};

const CACHE: Vocabulary = Vocabulary {
    place: "cache(..)",
    known: &["public", "ttl"],
    elsewhere: |word| {
        (word == "private").then(|| "is what it is unless it is `public`: leave it out".to_owned())
    },
};
