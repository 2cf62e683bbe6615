//! Asking while a tool runs: a person by a form, the client's model, and where the client works.
//!
//! A question is awaited like anything else, on every revision of the protocol. What a client cannot do is an error by
//! itself (`?`) which says what is missing; [`Context::client`] tells beforehand.

use mcp_runtime::prelude::*;

use crate::forms::{Choices, Named, Person, Profile};

/// Put a prompt before the client's model.
#[tool]
pub(crate) async fn test_sampling(
    /// What to ask.
    prompt: String,
    cx: Context,
) -> Result<String, ToolError> {
    let answer = cx.sample(Sampling::prompt(prompt).max_tokens(100)).await?;
    Ok(format!("LLM response: {}", answer.text()))
}

/// Put a form before a person.
#[tool]
pub(crate) async fn test_elicitation(
    /// What to say above the form.
    message: String,
    cx: Context,
) -> Result<String, ToolError> {
    Ok(match cx.elicit::<Person>(message).await? {
        Elicited::Accepted(person) => format!("User response: {} <{}>", person.username, person.email),
        Elicited::Declined => "User response: no".to_owned(),
        Elicited::Cancelled => "User response: none".to_owned(),
    })
}

/// Put a form before a person that is filled in already.
#[tool]
pub(crate) async fn test_elicitation_sep1034_defaults(cx: Context) -> Result<String, ToolError> {
    let profile = cx.elicit::<Profile>("Please review your profile").await?;
    Ok(profile.accepted().map_or_else(
        || "The profile stays as it is.".to_owned(),
        |Profile { name, age, score, status, verified }| {
            format!("Profile: {name}, {age}, {score}, {status:?}, verified: {verified}")
        },
    ))
}

/// Put choices of every kind before a person.
#[tool]
pub(crate) async fn test_elicitation_sep1330_enums(cx: Context) -> Result<String, ToolError> {
    let chosen = cx.elicit::<Choices>("Please choose").await?;
    Ok(chosen.accepted().map_or_else(
        || "Nothing was chosen.".to_owned(),
        |Choices { untitled_single, titled_single, legacy_enum, untitled_multi, titled_multi }| {
            format!(
                "Chosen: {untitled_single:?}, {titled_single:?}, {legacy_enum:?}, {untitled_multi:?}, {titled_multi:?}"
            )
        },
    ))
}

/// Ask the client's model for a greeting, which needs a client that has one.
#[tool]
pub(crate) async fn test_missing_capability(cx: Context) -> Result<String, ToolError> {
    Ok(cx.sample(Sampling::prompt("Say hello.").max_tokens(20)).await?.text())
}

/// Ask a person for a name, over a stream that stays open for nothing else.
#[tool]
pub(crate) async fn test_streaming_elicitation(cx: Context) -> Result<String, ToolError> {
    let name = cx.elicit::<Named>("What is your name?").key("user_name").await?;
    Ok(name.accepted().map_or_else(|| "Hello!".to_owned(), |Named { name }| format!("Hello, {name}!")))
}

/// Send a person to a page, for what must not go through the client: passwords, payments, the consent of others.
#[tool]
pub(crate) async fn test_elicitation_url(cx: Context) -> Result<&'static str, ToolError> {
    let page = "https://example.com/sign-in";
    Ok(match cx.elicit_url("Please sign in", page).key("sign_in").await? {
        Elicited::Accepted(()) => "The person is on the way to the page.",
        Elicited::Declined | Elicited::Cancelled => "The person does not go there.",
    })
}
