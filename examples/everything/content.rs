//! What a result may hold: text, pictures, sound, resources, several of them, and an error.
//!
//! A tool returns what it has, and the type says what becomes of it. Text is text; [`Content`] is one item of any kind; a
//! list of it is several.

use mcp_runtime::prelude::*;

use crate::media::{BEEP, DOT};

/// Give a text.
#[tool(read_only)]
pub(crate) async fn test_simple_text() -> &'static str {
    "This is a simple text response for testing."
}

/// Give a picture.
#[tool(read_only)]
pub(crate) async fn test_image_content() -> Content {
    Content::image(DOT, "image/png")
}

/// Give a sound.
#[tool(read_only)]
pub(crate) async fn test_audio_content() -> Content {
    Content::audio(BEEP, "audio/wav")
}

/// Give a resource in whole.
#[tool(read_only)]
pub(crate) async fn test_embedded_resource() -> Content {
    Content::resource_text("test://embedded-resource", "text/plain", "This is an embedded resource content.")
}

/// Give a text, a picture and a resource at once.
#[tool(read_only)]
pub(crate) async fn test_multiple_content_types() -> Vec<Content> {
    vec![
        Content::text("Multiple content types test:"),
        Content::image(DOT, "image/png"),
        Content::resource_text(
            "test://mixed-content-resource",
            "application/json",
            r#"{"test":"data","value":123}"#,
        ),
    ]
}

/// Fail, in words that a model can read and act on.
///
/// Any error that is `Display` is a result that says that the tool failed; the request itself went well.
#[tool(read_only)]
pub(crate) async fn test_error_handling() -> Result<(), &'static str> {
    Err("This tool intentionally returns an error for testing")
}
