//! `cx.sample(..)`: asking the client's model.

use std::future::IntoFuture;
use std::pin::Pin;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{InputError, InputMethod, InputRequest};
use crate::protocol::capabilities::Capability;
use crate::protocol::content::{Content, Role};
use crate::task::Context;

/// A conversation to put before the client's model, and how it is to answer.
///
/// ```
/// use mcp_runtime::Sampling;
///
/// let question = Sampling::prompt("What is the capital of France?").system("Answer in one word.").max_tokens(10);
/// # let _ = question;
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a conversation is nothing until it is put before a model"]
pub struct Sampling {
    messages: Vec<Message>,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<String>,
    #[serde(skip_serializing_if = "Preferences::is_silent")]
    model_preferences: Preferences,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_context: Option<IncludeContext>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<SamplingTool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize)]
struct Message {
    role: Role,
    #[serde(serialize_with = "one_or_list")]
    content: Vec<Block>,
}

impl Message {
    /// Whether an item of the same speaker's goes into this message. "When a user message contains tool results, it MUST
    /// contain ONLY tool results", and all of those that answer one message; a model's words may stand beside its wishes.
    /// Everything else may be in several messages, which older clients know.
    fn takes(&self, block: &Block) -> bool {
        let is_result = |block: &Block| matches!(block, Block::ToolResult(_));
        let is_use = |block: &Block| matches!(block, Block::ToolUse(_));
        match self.role {
            Role::User => is_result(block) && self.content.iter().all(is_result),
            Role::Assistant => is_use(block) || self.content.iter().any(is_use),
        }
    }
}

/// Earlier revisions know one item only.
fn one_or_list<S: Serializer>(content: &[Block], serializer: S) -> Result<S::Ok, S::Error> {
    match content {
        [one] => one.serialize(serializer),
        several => several.serialize(serializer),
    }
}

/// An item of a message: content, or the use of a tool.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Block {
    Content(Content),
    ToolUse(ToolUseBlock),
    ToolResult(ToolResultBlock),
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "tool_use")]
struct ToolUseBlock {
    #[serde(flatten)]
    tool_use: ToolUse,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "tool_result", rename_all = "camelCase")]
struct ToolResultBlock {
    tool_use_id: String,
    content: Vec<Content>,
    is_error: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Preferences {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<Hint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed_priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intelligence_priority: Option<f64>,
}

impl Preferences {
    fn is_silent(&self) -> bool {
        let Self { hints, cost_priority, speed_priority, intelligence_priority } = self;
        hints.is_empty()
            && cost_priority.is_none()
            && speed_priority.is_none()
            && intelligence_priority.is_none()
    }
}

#[derive(Clone, Debug, Serialize)]
struct Hint {
    name: String,
}

/// Whose context the client may put before its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum IncludeContext {
    /// Nobody's.
    None,
    /// This server's.
    ThisServer,
    /// That of all servers.
    AllServers,
}

/// A tool that the model may ask for while it answers. It is not called by the client: its use comes back as
/// [`SampledContent::ToolUse`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SamplingTool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The JSON Schema of its arguments, an object.
    pub input_schema: Value,
}

/// Whether the model may, must or must not use tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
#[non_exhaustive]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// At least one.
    Required,
    /// None.
    None,
}

/// A model's wish to use a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolUse {
    /// What its result refers to.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments object.
    pub input: Value,
}

impl Sampling {
    /// What a model answers with at most, unless [`max_tokens`](Self::max_tokens) says.
    const MAX_TOKENS: u32 = 1024;

    /// An empty conversation.
    pub fn new() -> Self {
        Self {
            messages: Vec::new(),
            max_tokens: Self::MAX_TOKENS,
            system_prompt: None,
            temperature: None,
            stop_sequences: Vec::new(),
            model_preferences: Preferences::default(),
            include_context: None,
            tools: Vec::new(),
            tool_choice: None,
            metadata: Map::new(),
        }
    }

    /// A conversation that is one text of the user's.
    pub fn prompt(text: impl Into<String>) -> Self {
        Self::new().user(Content::text(text))
    }

    /// Adds what the user says.
    pub fn user(self, content: impl Into<Content>) -> Self {
        self.say(Role::User, Block::Content(content.into()))
    }

    /// Adds what the model said.
    pub fn assistant(self, content: impl Into<Content>) -> Self {
        self.say(Role::Assistant, Block::Content(content.into()))
    }

    /// Adds that the model wished to use a tool.
    pub fn tool_use(self, tool_use: ToolUse) -> Self {
        self.say(Role::Assistant, Block::ToolUse(ToolUseBlock { tool_use }))
    }

    /// Adds what the use of a tool gave.
    pub fn tool_result(
        self,
        tool_use_id: impl Into<String>,
        content: impl IntoIterator<Item = Content>,
        is_error: bool,
    ) -> Self {
        let content = content.into_iter().collect();
        let block = ToolResultBlock { tool_use_id: tool_use_id.into(), content, is_error };
        self.say(Role::User, Block::ToolResult(block))
    }

    fn say(mut self, role: Role, block: Block) -> Self {
        match self.messages.last_mut().filter(|last| last.role == role && last.takes(&block)) {
            Some(last) => last.content.push(block),
            None => self.messages.push(Message { role, content: vec![block] }),
        }
        self
    }

    /// The longest answer, in the model's tokens. Default: 1,024.
    pub fn max_tokens(mut self, tokens: u32) -> Self {
        self.max_tokens = tokens;
        self
    }

    /// What the model is told before the conversation. A client may change it.
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.system_prompt = Some(text.into());
        self
    }

    /// How freely the model answers; 0 is always the same.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Ends the answer where this text comes up. May be repeated.
    pub fn stop_at(mut self, text: impl Into<String>) -> Self {
        self.stop_sequences.push(text.into());
        self
    }

    /// A model, or a family of models, that would be good for this. May be repeated, the best first.
    pub fn prefer_model(mut self, name: impl Into<String>) -> Self {
        self.model_preferences.hints.push(Hint { name: name.into() });
        self
    }

    /// How much low cost, speed, and intelligence matter, each from 0 to 1.
    pub fn priorities(mut self, cost: f64, speed: f64, intelligence: f64) -> Self {
        self.model_preferences.cost_priority = Some(cost.clamp(0.0, 1.0));
        self.model_preferences.speed_priority = Some(speed.clamp(0.0, 1.0));
        self.model_preferences.intelligence_priority = Some(intelligence.clamp(0.0, 1.0));
        self
    }

    /// Whose context the client may put before its model; more than none needs the capability `sampling.context`.
    pub fn include_context(mut self, whose: IncludeContext) -> Self {
        self.include_context = Some(whose);
        self
    }

    /// A tool that the model may ask for; needs the capability `sampling.tools`. May be repeated.
    pub fn tool(mut self, tool: SamplingTool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Whether the model may, must or must not use tools; needs the capability `sampling.tools`.
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = Some(choice);
        self
    }

    /// An entry of the metadata that the client passes to its model's provider.
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// What the client must have declared.
    fn needs(&self) -> impl Iterator<Item = Capability> {
        let is_content = |block: &Block| matches!(block, Block::Content(_));
        let has_tools = !self.tools.is_empty()
            || self.tool_choice.is_some()
            || !self.messages.iter().flat_map(|message| &message.content).all(is_content);
        let has_context = self.include_context.is_some_and(|whose| whose != IncludeContext::None);
        let needs = [
            (true, Capability::Sampling),
            (has_tools, Capability::SamplingTools),
            (has_context, Capability::SamplingContext),
        ];
        needs.into_iter().filter_map(|(is_needed, capability)| is_needed.then_some(capability))
    }

    /// What of it no model can be told, if anything.
    fn wrong(&self) -> Option<&'static str> {
        let content = self.messages.iter().flat_map(|message| &message.content);
        let is_wrong =
            |block: &Block| matches!(block, Block::Content(Content::Resource(_) | Content::ResourceLink(_)));
        content
            .into_iter()
            .any(is_wrong)
            .then_some("a message for a model has text, images or sound, and no resources")
    }
}

impl Default for Sampling {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&str> for Sampling {
    fn from(text: &str) -> Self {
        Self::prompt(text)
    }
}

impl From<String> for Sampling {
    fn from(text: String) -> Self {
        Self::prompt(text)
    }
}

/// What the client's model answered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Sampled {
    /// Who speaks: nearly always the model.
    pub role: Role,
    /// What it says.
    #[serde(deserialize_with = "one_or_many")]
    pub content: Vec<SampledContent>,
    /// The model that answered.
    pub model: String,
    /// Why it stopped: `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, or what the provider says.
    #[serde(default)]
    pub stop_reason: Option<String>,
}

/// An item of a model's answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SampledContent {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// An image.
    #[serde(rename_all = "camelCase")]
    Image {
        /// Its bytes, in base64.
        data: String,
        /// Its media type.
        mime_type: String,
    },
    /// Sound.
    #[serde(rename_all = "camelCase")]
    Audio {
        /// Its bytes, in base64.
        data: String,
        /// Its media type.
        mime_type: String,
    },
    /// The model wishes to use a tool.
    ToolUse(ToolUse),
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Sampled {
    /// All that it says in text, one after the other.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|content| match content {
            SampledContent::Text { text } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}

/// Earlier revisions have one item, later ones a list.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SampledContent>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Items {
        Many(Vec<SampledContent>),
        One(SampledContent),
    }
    Ok(match Items::deserialize(deserializer)? {
        Items::Many(items) => items,
        Items::One(item) => vec![item],
    })
}

/// A question for the client's model, from [`Context::sample`]. Await it.
#[derive(Clone, Debug)]
#[must_use = "a question is asked when it is awaited"]
pub struct Sample<'a> {
    cx: &'a Context,
    sampling: Sampling,
    key: Option<String>,
}

impl Context {
    /// Asks the client's model (`sampling/createMessage`): a text, or a whole [`Sampling`].
    ///
    /// See [`elicit`](Self::elicit) on how a function waits for an answer.
    ///
    /// # Errors
    ///
    /// [`InputError::Unsupported`] if the client did not declare `sampling`, or `sampling.tools` where tools are given;
    /// [`InputError::Refused`] if a person at the client said no; [`InputError::Malformed`] if a message has a resource in
    /// it, which no model can be told.
    pub fn sample(&self, sampling: impl Into<Sampling>) -> Sample<'_> {
        Sample { cx: self, sampling: sampling.into(), key: None }
    }
}

impl Sample<'_> {
    /// What the question is called on the wire, and in what a call remembers. Default: `sampling` and a digest of what is asked.
    ///
    /// A question with a key of its own is known by that alone: it may say something else each time.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl<'a> IntoFuture for Sample<'a> {
    type Output = Result<Sampled, InputError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            if let Some(wrong) = self.sampling.wrong() {
                return Err(InputError::Malformed(wrong.to_owned()));
            }
            let request = InputRequest::new(InputMethod::Sample, &self.sampling)?;
            self.cx.ask(self.sampling.needs(), self.key, request).await?.read()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_conversation_has_the_shape_of_the_specification() {
        let sampling = Sampling::prompt("Hi").max_tokens(100).prefer_model("claude").stop_at("\n");
        assert_eq!(
            serde_json::to_value(&sampling).expect("JSON"),
            json!({
                "messages": [{"role": "user", "content": {"type": "text", "text": "Hi"}}],
                "maxTokens": 100, "stopSequences": ["\n"], "modelPreferences": {"hints": [{"name": "claude"}]}
            })
        );
    }

    #[test]
    fn what_tools_gave_is_in_one_message_with_nothing_else() {
        let tool_use = |id: &str| ToolUse { id: id.into(), name: "weather".into(), input: json!({}) };
        let sampling = Sampling::prompt("Where?")
            .assistant("Let me see.")
            .tool_use(tool_use("a"))
            .tool_use(tool_use("b"))
            .tool_result("a", [Content::text("wet")], false)
            .tool_result("b", [Content::text("dry")], false)
            .user("And now?");
        let sampling = serde_json::to_value(&sampling).expect("JSON");
        let shape = |message: &Value| {
            let content = &message["content"];
            let blocks = content.as_array().map_or_else(|| vec![content.clone()], Clone::clone);
            let types: Vec<_> =
                blocks.iter().map(|block| block["type"].as_str().unwrap_or("?").to_owned()).collect();
            format!("{}: {}", message["role"].as_str().unwrap_or("?"), types.join(" "))
        };
        let shapes: Vec<_> = sampling["messages"].as_array().expect("messages").iter().map(shape).collect();
        assert_eq!(
            shapes,
            [
                "user: text",
                "assistant: text tool_use tool_use",
                "user: tool_result tool_result",
                "user: text"
            ]
        );
        let resource = Sampling::new().user(Content::resource_link("file:///a", "a"));
        assert!(resource.wrong().is_some() && sampling["messages"].is_array());
        let after_text = Sampling::prompt("Well").tool_result("a", [], false);
        assert_eq!(after_text.messages.len(), 2);
    }

    #[test]
    fn everything_that_a_conversation_has_must_have_been_declared() {
        let tool = SamplingTool { name: "t".into(), description: String::new(), input_schema: json!({}) };
        let with = |sampling: &Sampling| sampling.needs().collect::<Vec<_>>();
        assert_eq!(with(&Sampling::prompt("a")), [Capability::Sampling]);
        let both = Sampling::prompt("a").tool(tool).include_context(IncludeContext::AllServers);
        assert_eq!(
            with(&both),
            [Capability::Sampling, Capability::SamplingTools, Capability::SamplingContext]
        );
        let earlier = Sampling::prompt("a").tool_result("a", [], false);
        assert_eq!(with(&earlier), [Capability::Sampling, Capability::SamplingTools]);
    }

    #[test]
    fn an_answer_may_be_one_item_or_a_list() {
        let one = r#"{"role":"assistant","model":"m","content":{"type":"text","text":"Paris"}}"#;
        let many = r#"{"role":"assistant","model":"m","content":[{"type":"text","text":"Par"},{"type":"text","text":"is"},{"type":"new"}]}"#;
        for text in [one, many] {
            assert_eq!(serde_json::from_str::<Sampled>(text).expect("an answer").text(), "Paris");
        }
    }
}
