//! What a resource's function gives back, and how it becomes contents. Which way a type takes is found by trait.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::protocol::ProtocolError;
use crate::protocol::cache::CacheHint;
use crate::protocol::content::{ResourceBody, ResourceContents};
use crate::protocol::payload::Payload;
use crate::tool::{Kind, Nowhere};

/// What a resource holds, in full control: one or several contents, what caches may do with them, and `_meta`.
///
/// Most resources return a value and never name this type.
///
/// ```
/// use std::time::Duration;
/// use mcp_runtime::{CacheHint, ResourceResult};
///
/// let result = ResourceResult::text("# Manual").cache(CacheHint::public(Duration::from_secs(3600)));
/// # let _ = result;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a result does nothing until the resource returns it"]
pub struct ResourceResult {
    contents: Vec<Item>,
    cache: Option<CacheHint>,
    meta: Map<String, Value>,
}

#[derive(Clone, Debug)]
enum Item {
    /// Of the URI that was asked for, and of this media type unless the definition names another.
    Asked(ResourceBody, &'static str),
    Whole(ResourceContents),
}

impl ResourceResult {
    /// No contents so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Text, of the definition's media type or `text/plain`.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(ResourceBody::Text(text.into()), "text/plain")
    }

    /// Bytes, of the definition's media type or `application/octet-stream`.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::of(ResourceBody::bytes(bytes), "application/octet-stream")
    }

    /// A value as JSON text, of the definition's media type or `application/json`.
    ///
    /// Fails if the value's `Serialize` does.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, ProtocolError> {
        match serde_json::to_string(value) {
            Ok(text) => Ok(Self::of(ResourceBody::Text(text), "application/json")),
            Err(error) => {
                Err(ProtocolError::internal(format!("the resource could not be written as JSON: {error}")))
            }
        }
    }

    fn of(body: ResourceBody, mime_type: &'static str) -> Self {
        Self { contents: vec![Item::Asked(body, mime_type)], ..Self::default() }
    }

    /// Adds contents with a URI and a media type of their own, for example of a file in a directory.
    pub fn with(mut self, contents: ResourceContents) -> Self {
        self.contents.push(Item::Whole(contents));
        self
    }

    /// For how long and for whom this is fresh, in place of what the definition says.
    pub fn cache(mut self, hint: CacheHint) -> Self {
        self.cache = Some(hint);
        self
    }

    /// Adds an entry to the result's `_meta`.
    pub fn with_meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.insert(key.into(), value.into());
        self
    }

    /// Encodes the result once, for the URI that was asked for and with what the definition says.
    pub(crate) fn into_payload(
        self,
        uri: &str,
        mime_type: Option<&str>,
        cache: CacheHint,
    ) -> Result<Payload, serde_json::Error> {
        #[derive(Serialize)]
        struct Read {
            contents: Vec<ResourceContents>,
        }
        let whole = |item| match item {
            Item::Whole(contents) => contents,
            Item::Asked(body, usual) => {
                let mime_type = Some(mime_type.unwrap_or(usual).to_owned());
                ResourceContents { uri: uri.to_owned(), mime_type, body, meta: Map::new() }
            }
        };
        let contents = self.contents.into_iter().map(whole).collect();
        Payload::of_members(&Read { contents }, &self.meta, Some(self.cache.unwrap_or(cache)))
    }
}

impl<T> Kind<Option<T>> {
    /// The kind of what is there.
    pub fn some(self) -> Kind<T> {
        Kind::NEW
    }

    /// What is there, if anything is.
    pub fn present(self, value: Option<T>) -> Option<T> {
        value
    }
}

/// A function that does not return an `Option`.
pub trait Present<T>: Sized {
    /// The kind of what is there.
    fn some(self) -> Kind<T> {
        Kind::NEW
    }

    /// What is there.
    fn present(self, value: T) -> Option<T> {
        Some(value)
    }
}

impl<T> Present<T> for Kind<T> {}

/// What a resource can return, and the way in which it becomes contents.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a resource holds",
    label = "derive `serde::Serialize` for it, and for the types within it",
    note = "a resource gives text, `Vec<u8>`, `ResourceContents`, `ResourceResult`, or a type that is written as JSON; \
            `None` says that there is no such resource, and any of these may be in a `Result`"
)]
pub trait ResourceOutput<Way>: Sized {
    /// The value as a result. The way comes first, so that the compiler does not guess it from the value.
    fn convert(way: Way, value: Self) -> Result<ResourceResult, ProtocolError>;
}

/// The way of text, bytes and contents.
#[derive(Clone, Copy, Debug)]
pub struct Whole;

/// The way of a type that is written as JSON.
#[derive(Clone, Copy, Debug)]
pub struct AsJson;

macro_rules! whole {
    ($($type:ty: $value:ident => $result:expr;)*) => {$(
        impl Kind<$type> {
            /// As it is.
            pub fn reading(self) -> Whole {
                Whole
            }
        }

        #[diagnostic::do_not_recommend]
        impl ResourceOutput<Whole> for $type {
            fn convert(_: Whole, $value: Self) -> Result<ResourceResult, ProtocolError> {
                Ok($result)
            }
        }
    )*};
}

whole! {
    String: text => ResourceResult::text(text);
    &'static str: text => ResourceResult::text(text);
    std::borrow::Cow<'static, str>: text => ResourceResult::text(text);
    std::sync::Arc<str>: text => ResourceResult::text(&*text);
    Box<str>: text => ResourceResult::text(text);
    Vec<u8>: bytes => ResourceResult::bytes(bytes);
    &'static [u8]: bytes => ResourceResult::bytes(bytes);
    std::sync::Arc<[u8]>: bytes => ResourceResult::bytes(bytes);
    Box<[u8]>: bytes => ResourceResult::bytes(bytes);
    ResourceBody: body => ResourceResult { contents: vec![body.into()], ..ResourceResult::new() };
    ResourceContents: contents => ResourceResult::new().with(contents);
    Vec<ResourceContents>: contents => contents.into_iter().fold(ResourceResult::new(), ResourceResult::with);
    ResourceResult: result => result;
}

impl From<ResourceBody> for Item {
    fn from(body: ResourceBody) -> Self {
        let usual = match body {
            ResourceBody::Text(_) => "text/plain",
            ResourceBody::Blob(_) => "application/octet-stream",
        };
        Self::Asked(body, usual)
    }
}

/// A type that is written as JSON.
pub trait Readable: Sized {
    /// As JSON text.
    fn reading(self) -> AsJson {
        AsJson
    }
}

impl<T: Serialize> Readable for Kind<T> {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> ResourceOutput<AsJson> for T {
    fn convert(_: AsJson, value: Self) -> Result<ResourceResult, ProtocolError> {
        ResourceResult::json(&value)
    }
}

/// A type that is none of the others.
pub trait Unreadable: Sized {
    /// In no way; the error is raised once, for the value.
    fn reading(self) -> Nowhere {
        Nowhere
    }
}

impl<T> Unreadable for &Kind<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::Unfailing as _;
    use serde_json::json;

    fn contents(result: ResourceResult, mime_type: Option<&str>) -> Value {
        let payload = result.into_payload("test://a", mime_type, CacheHint::default()).expect("JSON");
        let mut out = b"{".to_vec();
        payload.write_members(&mut out, false);
        out.push(b'}');
        serde_json::from_slice::<Value>(&out).expect("JSON")["contents"].take()
    }

    macro_rules! read {
        ($type:ty, $value:expr) => {{
            let kind = Kind::<$type>::NEW;
            match kind.split($value) {
                Ok(value) => kind.ok().present(value).map(|value| {
                    ResourceOutput::convert(kind.ok().some().reading(), value).expect("contents")
                }),
                Err(error) => panic!("{error}"),
            }
        }};
    }

    #[test]
    fn text_bytes_and_json_say_what_they_are() {
        let text = read!(String, String::from("b")).expect("text");
        assert_eq!(contents(text, None), json!([{"uri": "test://a", "mimeType": "text/plain", "text": "b"}]));
        let bytes = read!(Vec<u8>, vec![1, 2, 3]).expect("bytes");
        assert_eq!(
            contents(bytes, Some("image/png")),
            json!([{"uri": "test://a", "mimeType": "image/png", "blob": "AQID"}])
        );
        let value = read!(Option<Vec<u32>>, Some(vec![1])).expect("a value");
        assert_eq!(contents(value, None)[0]["mimeType"], "application/json");
    }

    #[test]
    fn nothing_is_nothing_also_within_a_result() {
        type Found = Result<Option<&'static str>, std::fmt::Error>;
        assert!(read!(Found, Ok(None)).is_none());
        assert!(read!(Found, Ok(Some("a"))).is_some());
    }

    #[test]
    fn contents_may_have_uris_of_their_own() {
        let result = ResourceResult::new().with(ResourceContents::text("test://b", "text/plain", "c"));
        assert_eq!(contents(result, Some("image/png"))[0]["uri"], "test://b");
    }
}
