//! What a request came to, in no wire's words: each wire writes it in its own.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::cache::CacheHint;
use super::error::ProtocolError;
use super::json::Json;
use super::jsonrpc::write_json;

/// The result of a request, encoded once; the same bytes go to every client that asks.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    /// What the result says, as its method has it.
    pub(crate) body: Body,
    /// The author's own `_meta` entries, an object.
    pub(crate) meta: Option<Json>,
}

/// What a result says, by the kind of request that it answers.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Of `tools/call`, which the wires show in different ways.
    Tool(ToolBody),
    /// Of a method whose result is the same on every wire, but for what caches may do with it.
    Members {
        /// The result object.
        object: Json,
        /// What the modern wire says on caching, for the methods whose results may be cached.
        cache: Option<CacheHint>,
    },
}

impl Default for Body {
    fn default() -> Self {
        Self::Tool(ToolBody::default())
    }
}

/// The result of a tool call.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToolBody {
    /// The `content` array.
    pub(crate) content: Json,
    /// `structuredContent`, of any JSON type.
    pub(crate) structured: Option<Json>,
    /// Whether the legacy wires, which take only objects as structured content, show it as `{"result": …}`, as they
    /// show its schema.
    pub(crate) wraps: bool,
    /// Whether the tool says that it failed (`isError`).
    pub(crate) is_error: bool,
    /// The text of a failure, for those who only see a status message.
    pub(crate) error_text: Option<Box<str>>,
}

/// How a request ended: with a result (which may say that the tool failed), or with a JSON-RPC error.
///
/// A store keeps it as [`to_bytes`](Self::to_bytes) gives it, and reads it back with [`from_bytes`](Self::from_bytes).
#[derive(Clone, Debug)]
pub enum Ending {
    /// A result.
    Result(Payload),
    /// A JSON-RPC error.
    Error(ProtocolError),
}

impl Ending {
    /// What a function of the author's came to, encoded.
    pub(crate) fn encoded(outcome: Result<Result<Payload, serde_json::Error>, ProtocolError>) -> Self {
        match outcome {
            Ok(Ok(payload)) => Self::Result(payload),
            Ok(Err(error)) => {
                Self::Error(ProtocolError::internal(format!("the result could not be encoded: {error}")))
            }
            Err(error) => Self::Error(error),
        }
    }

    /// How much memory the encoded ending takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Result(payload) => payload.size(),
            Self::Error(error) => {
                error.message().len() + error.data().map_or(0, |data| data.to_string().len())
            }
        }
    }
}

/// Encodes a value that is stored and sent as it is.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>, serde_json::Error> {
    let json = serde_json::value::to_raw_value(value)?;
    if memchr::memchr2(b'\n', b'\r', json.get().as_bytes()).is_none() {
        return Ok(json);
    }
    // Raw JSON within the value was written over several lines; a message is one line.
    serde_json::value::to_raw_value(&serde_json::from_str::<serde_json::Value>(json.get())?)
}

impl Payload {
    /// A result that is the same on every wire: an object.
    pub(crate) fn of_members<T: Serialize + ?Sized>(
        object: &T,
        meta: &Map<String, Value>,
        cache: Option<CacheHint>,
    ) -> Result<Self, serde_json::Error> {
        let meta = if meta.is_empty() { None } else { Some(encode(meta)?.into()) };
        Ok(Self { body: Body::Members { object: encode(object)?.into(), cache }, meta })
    }

    /// Whether it says that a tool failed (`isError`).
    pub(crate) fn is_error(&self) -> bool {
        matches!(&self.body, Body::Tool(tool) if tool.is_error)
    }

    /// The text of a failure, for those who only see a status message.
    pub(crate) fn error_text(&self) -> Option<&str> {
        match &self.body {
            Body::Tool(tool) => tool.error_text.as_deref(),
            Body::Members { .. } => None,
        }
    }

    fn size(&self) -> usize {
        let (first, second) = match &self.body {
            Body::Tool(tool) => (&tool.content, tool.structured.as_ref()),
            Body::Members { object, .. } => (object, None),
        };
        [Some(first), second, self.meta.as_ref()].into_iter().flatten().map(|json| json.as_str().len()).sum()
    }

    /// Writes the members that the method's result has, without the braces around them.
    ///
    /// `structuredContent` may be any JSON value on the modern wire and only an object on the legacy ones.
    pub(crate) fn write_members(&self, out: &mut Vec<u8>, only_objects: bool) {
        match &self.body {
            Body::Tool(tool) => tool.write_members(out, only_objects),
            Body::Members { object, .. } => out.extend_from_slice(inside(object).as_bytes()),
        }
    }

    /// Writes what caches may do with the result, with a comma before each member. For the modern wire.
    pub(crate) fn write_cache_hint(&self, out: &mut Vec<u8>) {
        if let Body::Members { cache: Some(cache), .. } = &self.body {
            cache.write(out);
        }
    }

    /// Writes the author's `_meta` entries, without the braces, and says whether there were any.
    pub(crate) fn write_meta_entries(&self, out: &mut Vec<u8>) -> bool {
        let Some(meta) = &self.meta else { return false };
        let inner = inside(meta);
        out.extend_from_slice(inner.as_bytes());
        !inner.is_empty()
    }
}

impl ToolBody {
    /// Writes the members `content`, `structuredContent` and `isError`.
    fn write_members(&self, out: &mut Vec<u8>, only_objects: bool) {
        // A buffer that grows by what comes after a large result is copied for it.
        let structured = self.structured.as_ref().map_or(0, |structured| structured.as_str().len());
        out.reserve(self.content.as_str().len() + structured + 512);
        out.extend_from_slice(br#""content":"#);
        out.extend_from_slice(self.content.as_str().as_bytes());
        if let Some(structured) = &self.structured {
            write_structured(out, structured, only_objects && (self.wraps || !structured.is_object()));
        }
        if self.is_error {
            out.extend_from_slice(br#","isError":true"#);
        }
    }
}

/// The members of an object, without the braces.
fn inside(object: &Json) -> &str {
    let text = object.as_str().trim();
    text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or("").trim()
}

fn write_structured(out: &mut Vec<u8>, structured: &Json, wrap: bool) {
    out.extend_from_slice(if wrap {
        br#","structuredContent":{"result":"#
    } else {
        br#","structuredContent":"#
    });
    out.extend_from_slice(structured.as_str().as_bytes());
    if wrap {
        out.push(b'}');
    }
}

/// Writes `"key":value` with a comma before it if something stands in front.
pub(crate) fn write_entry<T: Serialize + ?Sized>(out: &mut Vec<u8>, key: &str, value: &T) {
    if !matches!(out.last(), Some(b'{')) {
        out.push(b',');
    }
    write_json(out, key);
    out.push(b':');
    write_json(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_over_several_lines_becomes_one() {
        let raw = RawValue::from_string("{\n  \"a\": 1\r\n}".to_owned()).expect("JSON");
        assert_eq!(encode(&raw).expect("JSON").get(), r#"{"a":1}"#);
    }
}
