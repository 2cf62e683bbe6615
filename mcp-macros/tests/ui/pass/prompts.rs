use std::borrow::Cow;
use std::sync::Arc;

use mcp_runtime::prelude::*;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Formal,
    Casual,
}

struct Words(Vec<String>);

fn languages(typed: Completion) -> Vec<String> {
    typed.among(["rust", "python"])
}

async fn words(typed: Completion, words: State<Words>) -> Result<Vec<String>, std::fmt::Error> {
    Ok(typed.among(words.0.iter().cloned()))
}

/// Everything at once.
#[prompt(
    name = "every thing",
    title = "Everything",
    icon = "https://example.org/icon.png",
    task(ttl = "1h"),
    timeout = "30s"
)]
pub(crate) async fn everything(
    /// How.
    tone: Tone,
    #[arg(default = 3, range(1..=5), title = "Strictness")] strictness: u8,
    #[arg(complete = languages, length(1..=20))] language: Option<String>,
    #[arg(complete = words, rename = "firstWord")] word: String,
    #[arg(default)] loud: bool,
    r#type: String,
    words: State<Words>,
    cx: Context,
) -> Result<Vec<PromptMessage>, std::fmt::Error> {
    drop((tone, strictness, language, word, loud, r#type, words, cx));
    Ok(vec![PromptMessage::user("Hello"), PromptMessage::assistant("Hello!")])
}

/// Text.
#[prompt]
async fn text() -> &'static str {
    "Hello"
}

/// Text.
#[prompt]
async fn cow() -> Cow<'static, str> {
    "Hello".into()
}

/// Content.
#[prompt(blocking)]
fn content() -> Result<Content, ProtocolError> {
    Ok(Content::text("Hello"))
}

/// A whole result.
#[prompt]
async fn whole() -> PromptResult {
    PromptResult::new().describe("How to greet").user("Hello").assistant("Hello!")
}

/// Two messages.
#[prompt]
async fn two() -> [PromptMessage; 2] {
    [PromptMessage::user("Hello"), PromptMessage::assistant("Hello!")]
}

mod elsewhere {
    use super::Words;
    use mcp_runtime::prelude::*;

    #[mcp_runtime::prompt]
    impl Words {
        fn of_words(typed: Completion, words: State<Self>) -> Vec<String> {
            typed.among(words.0.iter().cloned())
        }

        /// Say a word.
        #[mcp_runtime::prompt]
        pub(crate) async fn say(&self, #[arg(complete = Self::of_words)] word: String) -> String {
            word
        }

        /// Say all words.
        #[prompt(name = "say_all")]
        async fn say_all(self: super::Arc<Self>) -> String {
            self.0.join(" ")
        }
    }
}

fn main() {
    let prompts: Vec<Arc<dyn Prompt>> = prompts![everything, text, cow, content, whole, two];
    let _ = (prompts, Words::prompts());
}
