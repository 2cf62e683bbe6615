//! Prompts: messages for a model, which a person picks by name and fills in.

use mcp_runtime::prelude::*;

use crate::forms::Situation;
use crate::media::DOT;

/// A prompt without arguments.
#[prompt]
pub(crate) async fn test_simple_prompt() -> &'static str {
    "This is a simple prompt for testing."
}

/// A prompt with two arguments, of which the first is completed while somebody types.
#[prompt]
pub(crate) async fn test_prompt_with_arguments(
    /// The first argument.
    #[arg(complete = suggestions)]
    arg1: String,
    /// The second argument.
    arg2: String,
) -> String {
    format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")
}

/// What may come of what was typed so far.
fn suggestions(typed: Completion) -> Vec<String> {
    typed.among(["test", "testing", "tested", "example"])
}

/// A prompt with a resource in it.
#[prompt]
pub(crate) async fn test_prompt_with_embedded_resource(
    /// The address of the resource.
    #[arg(rename = "resourceUri")]
    resource_uri: String,
) -> [PromptMessage; 2] {
    [
        PromptMessage::user(Content::resource_text(
            resource_uri,
            "text/plain",
            "Embedded resource content for testing.",
        )),
        PromptMessage::user("Please process the embedded resource above."),
    ]
}

/// A prompt with a picture in it.
#[prompt]
pub(crate) async fn test_prompt_with_image() -> [PromptMessage; 2] {
    [
        PromptMessage::user(Content::image(DOT, "image/png")),
        PromptMessage::user("Please analyze the image above."),
    ]
}

/// A prompt that asks before it is written: prompts may ask as tools may.
#[prompt]
pub(crate) async fn test_input_required_result_prompt(cx: Context) -> Result<String, ToolError> {
    let situation = cx.elicit::<Situation>("What is it about?").key("user_context").await?;
    Ok(match situation.accepted() {
        Some(Situation { context }) => format!("Please help with this: {context}"),
        None => "Please help.".to_owned(),
    })
}
