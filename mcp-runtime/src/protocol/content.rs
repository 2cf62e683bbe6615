//! What a result says: text, images, audio, and resources, as in MCP.

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One item of a tool's result.
///
/// ```
/// use mcp_runtime::Content;
///
/// let text = Content::text("72 °F, partly cloudy");
/// let picture = Content::image(b"\x89PNG...", "image/png");
/// let link = Content::resource_link("file:///project/src/main.rs", "main.rs");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Text for the model to read.
    Text(TextContent),
    /// An image.
    Image(BinaryContent),
    /// Sound.
    Audio(BinaryContent),
    /// A resource, in whole.
    Resource(EmbeddedResource),
    /// A resource that the client may read by itself.
    ResourceLink(ResourceLink),
}

/// Text, as in [`Content::Text`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TextContent {
    /// The text.
    pub text: String,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
}

/// Bytes in base64 with their type, as in [`Content::Image`] and [`Content::Audio`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BinaryContent {
    /// The bytes, in base64.
    pub data: String,
    /// Their media type, for example `image/png`.
    pub mime_type: String,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
}

/// A resource in whole, as in [`Content::Resource`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EmbeddedResource {
    /// The resource.
    pub resource: ResourceContents,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
}

/// What a resource holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceContents {
    /// The resource's identifier.
    pub uri: String,
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Text, or bytes in base64.
    #[serde(flatten)]
    pub body: ResourceBody,
    /// What extensions say of it.
    #[serde(rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// Text or bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Bytes, in base64.
    Blob(String),
}

/// A resource that the client may read, as in [`Content::ResourceLink`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceLink {
    /// The resource's identifier.
    pub uri: String,
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// Whom an item is for, and how much it matters.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    /// The intended readers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<Role>,
    /// From 0 (optional) to 1 (required).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// When it last changed, in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// A party of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Content {
    /// Text for the model to read.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextContent { text: text.into(), annotations: None })
    }

    /// An image of the given media type.
    pub fn image(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> Self {
        Self::Image(BinaryContent::new(bytes.as_ref(), mime_type.into()))
    }

    /// Sound of the given media type.
    pub fn audio(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> Self {
        Self::Audio(BinaryContent::new(bytes.as_ref(), mime_type.into()))
    }

    /// A text resource, in whole.
    pub fn resource_text(
        uri: impl Into<String>,
        mime_type: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self::embedded(uri.into(), mime_type.into(), ResourceBody::Text(text.into()))
    }

    /// A binary resource, in whole.
    pub fn resource_blob(
        uri: impl Into<String>,
        mime_type: impl Into<String>,
        bytes: impl AsRef<[u8]>,
    ) -> Self {
        Self::embedded(uri.into(), mime_type.into(), ResourceBody::bytes(bytes))
    }

    /// A resource that the client may read by itself.
    pub fn resource_link(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self::ResourceLink(ResourceLink {
            uri: uri.into(),
            name: name.into(),
            description: None,
            mime_type: None,
        })
    }

    fn embedded(uri: String, mime_type: String, body: ResourceBody) -> Self {
        Self::Resource(EmbeddedResource {
            resource: ResourceContents::new(uri, mime_type, body),
            annotations: None,
        })
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl ResourceContents {
    /// Text of the given media type.
    pub fn text(uri: impl Into<String>, mime_type: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(uri.into(), mime_type.into(), ResourceBody::Text(text.into()))
    }

    /// Bytes of the given media type.
    pub fn bytes(uri: impl Into<String>, mime_type: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        Self::new(uri.into(), mime_type.into(), ResourceBody::bytes(bytes))
    }

    fn new(uri: String, mime_type: String, body: ResourceBody) -> Self {
        Self { uri, mime_type: Some(mime_type), body, meta: Map::new() }
    }

    /// Adds an entry to its `_meta`.
    #[must_use]
    pub fn with_meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.insert(key.into(), value.into());
        self
    }
}

impl ResourceBody {
    /// Bytes, which are sent in base64.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Blob(encode(bytes.as_ref()))
    }
}

impl BinaryContent {
    fn new(bytes: &[u8], mime_type: String) -> Self {
        Self { data: encode(bytes), mime_type, annotations: None }
    }
}

fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(content: &Content) -> serde_json::Value {
        serde_json::to_value(content).expect("content is JSON")
    }

    #[test]
    fn each_kind_of_content_has_the_shape_of_the_specification() {
        assert_eq!(written(&Content::text("hi")), json!({"type": "text", "text": "hi"}));
        assert_eq!(
            written(&Content::image([1, 2, 3], "image/png")),
            json!({"type": "image", "data": "AQID", "mimeType": "image/png"})
        );
        assert_eq!(
            written(&Content::resource_text("test://a", "text/plain", "b")),
            json!({"type": "resource", "resource": {"uri": "test://a", "mimeType": "text/plain", "text": "b"}})
        );
        assert_eq!(
            written(&Content::resource_link("test://a", "a")),
            json!({"type": "resource_link", "uri": "test://a", "name": "a"})
        );
    }
}
