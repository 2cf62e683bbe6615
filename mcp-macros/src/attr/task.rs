//! What `task`, `task = ".."` and `task(..)` say.

use proc_macro2::TokenStream;
use syn::{Ident, LitInt, LitStr};

use super::tool::TOOL;
use super::words::{Value, Vocabulary, Word, literal_text};
use crate::diagnostics::Mistakes;

/// What `task`, `task = ".."` or `task(..)` says.
#[derive(Default)]
pub(crate) struct TaskWords {
    pub(crate) required: bool,
    pub(crate) detach: Option<Ident>,
    pub(crate) after: Option<LitStr>,
    pub(crate) ttl: Option<LitStr>,
    pub(crate) poll: Option<LitStr>,
    pub(crate) timeout: Option<LitStr>,
    pub(crate) concurrency: Option<LitInt>,
    pub(crate) retries: Option<LitInt>,
}

impl TaskWords {
    pub(super) fn read(word: &Word, mistakes: &mut Mistakes) -> Self {
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
                "concurrency" => self.concurrency = word.count("8", mistakes).ok(),
                "retries" => self.retries = word.count("3", mistakes).ok(),
                "after" => self.after = word.text(mistakes).ok(),
                "detach" => self.detach = word.alone(mistakes).ok(),
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

pub(super) static TASK: Vocabulary = Vocabulary {
    place: "task(..)",
    known: &["required", "optional", "detach", "after", "ttl", "poll", "timeout", "concurrency", "retries"],
    elsewhere: |word| {
        TOOL.knows(word).then(|| format!("goes beside `task(..)`: write `#[tool(task(..), {word} ..)]`"))
    },
};
