//! What a prompt's function gives back, and how it becomes messages.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::protocol::ProtocolError;
use crate::protocol::content::{Content, Role};
use crate::protocol::payload::Payload;

/// One message of a prompt: who says it, and what.
///
/// ```
/// use mcp_runtime::{Content, PromptMessage};
///
/// let question = PromptMessage::user("What is in this picture?");
/// let picture = PromptMessage::user(Content::image(b"...", "image/png"));
/// let answer = PromptMessage::assistant("A cat.");
/// # let _ = (question, picture, answer);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PromptMessage {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: Content,
}

impl PromptMessage {
    /// The person says this.
    pub fn user(content: impl Into<Content>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// The model says this.
    pub fn assistant(content: impl Into<Content>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }
}

/// A prompt's result in full control: messages, a description, and `_meta`.
///
/// ```
/// use mcp_runtime::PromptResult;
///
/// let result = PromptResult::new()
///     .describe("How to greet")
///     .user("Say hello to Ada.")
///     .assistant("Hello, Ada!")
///     .user("Now to Grace.");
/// assert_eq!(result.messages().len(), 3);
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[must_use = "a result does nothing until the prompt returns it"]
pub struct PromptResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    messages: Vec<PromptMessage>,
    #[serde(skip)]
    meta: Map<String, Value>,
}

impl PromptResult {
    /// A result without messages so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what the messages are for.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds something that the person says.
    pub fn user(self, content: impl Into<Content>) -> Self {
        self.with(PromptMessage::user(content))
    }

    /// Adds something that the model says.
    pub fn assistant(self, content: impl Into<Content>) -> Self {
        self.with(PromptMessage::assistant(content))
    }

    /// Adds a message.
    pub fn with(mut self, message: PromptMessage) -> Self {
        self.messages.push(message);
        self
    }

    /// Adds an entry to the result's `_meta`.
    pub fn with_meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.insert(key.into(), value.into());
        self
    }

    /// The messages.
    pub fn messages(&self) -> &[PromptMessage] {
        &self.messages
    }

    /// Encodes the result once.
    pub(crate) fn into_payload(self) -> Result<Payload, serde_json::Error> {
        Payload::of_members(&self, &self.meta, None)
    }
}

/// What a prompt can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a prompt",
    label = "return text, `PromptMessage`, a list of them, or `PromptResult`",
    note = "text and `Content` are one message that the person says; any of these may be in a `Result`"
)]
pub trait PromptOutput {
    /// The value as a result.
    fn convert(self) -> Result<PromptResult, ProtocolError>;
}

macro_rules! output {
    ($($type:ty: $value:ident => $result:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl PromptOutput for $type {
            fn convert(self) -> Result<PromptResult, ProtocolError> {
                let $value = self;
                Ok($result)
            }
        }
    )*};
}

output! {
    String: text => PromptResult::new().user(text);
    &'static str: text => PromptResult::new().user(text);
    std::borrow::Cow<'static, str>: text => PromptResult::new().user(text.into_owned());
    Content: content => PromptResult::new().user(content);
    Vec<Content>: contents => contents.into_iter().fold(PromptResult::new(), PromptResult::user);
    PromptMessage: message => PromptResult::new().with(message);
    Vec<PromptMessage>: messages => PromptResult { messages, ..PromptResult::new() };
    PromptResult: result => result;
}

#[diagnostic::do_not_recommend]
impl<const N: usize> PromptOutput for [PromptMessage; N] {
    fn convert(self) -> Result<PromptResult, ProtocolError> {
        Vec::from(self).convert()
    }
}

#[diagnostic::do_not_recommend]
impl<T: PromptOutput, E: Failure> PromptOutput for Result<T, E> {
    fn convert(self) -> Result<PromptResult, ProtocolError> {
        self.map_err(Failure::fail)?.convert()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn messages(output: impl PromptOutput) -> Value {
        serde_json::to_value(output.convert().expect("messages")).expect("JSON")
    }

    #[test]
    fn text_and_content_are_what_the_person_says() {
        let said = |text: &str| json!({"role": "user", "content": {"type": "text", "text": text}});
        assert_eq!(messages("a"), json!({"messages": [said("a")]}));
        assert_eq!(
            messages(vec![Content::text("a"), Content::text("b")]),
            json!({"messages": [said("a"), said("b")]})
        );
        assert_eq!(messages(PromptResult::new().describe("d").user("a"))["description"], "d");
        assert_eq!(messages([PromptMessage::assistant("a")])["messages"][0]["role"], "assistant");
    }

    #[test]
    fn an_error_is_a_json_rpc_error() {
        let error = Err::<String, _>("no such topic").convert().expect_err("an error");
        assert_eq!((error.code(), error.message()), (-32603, "no such topic"));
        let error = Err::<String, _>(ProtocolError::invalid_params("no")).convert().expect_err("an error");
        assert_eq!(error.code(), -32602);
    }
}
