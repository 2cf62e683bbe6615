//! What a function can be declared to be.

use std::fmt;

/// What a function can be declared to be, by the attribute of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tool,
    Prompt,
    Resource,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Tool, Self::Prompt, Self::Resource];

    /// The attribute's name, which is the specification's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
        }
    }

    /// Several of them; also what the function is called that lists those of a type.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Prompt => "prompts",
            Self::Resource => "resources",
        }
    }

    /// What a client gives for each plain parameter, behind its article.
    pub(crate) fn given(self) -> &'static str {
        match self {
            Self::Tool | Self::Prompt => "an argument",
            Self::Resource => "a variable",
        }
    }

    /// The same without its article.
    pub(crate) fn given_noun(self) -> &'static str {
        self.given().split_once(' ').map_or("", |(_, noun)| noun)
    }

    /// The attribute as an author writes it, as far as it has to say anything.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Tool => "#[tool]",
            Self::Prompt => "#[prompt]",
            Self::Resource => "#[resource(\"..\")]",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
