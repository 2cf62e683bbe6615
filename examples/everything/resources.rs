//! Resources: what can be read at an address, and addresses with variables in them.

use mcp_runtime::prelude::*;

use crate::media::DOT;

/// A text that never changes.
#[resource("test://static-text", title = "A text", mime_type = "text/plain", cache(public, ttl = "1h"))]
pub(crate) async fn static_text() -> &'static str {
    "This is the content of the static text resource."
}

/// A picture that never changes.
#[resource("test://static-binary", title = "A picture", mime_type = "image/png", cache(public, ttl = "1h"))]
pub(crate) async fn static_binary() -> &'static [u8] {
    DOT
}

/// What is read at an address with a variable: any type that derives `Serialize` is JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    id: String,
    template_test: bool,
    data: String,
}

/// The data of one id.
#[resource("test://template/{id}/data", title = "Data by id", mime_type = "application/json")]
pub(crate) async fn template_data(
    /// Whose data it is.
    #[arg(complete = ids)]
    id: String,
) -> Record {
    Record { data: format!("Data for ID: {id}"), template_test: true, id }
}

fn ids(typed: Completion) -> Vec<String> {
    typed.among(["123", "124", "456"])
}
