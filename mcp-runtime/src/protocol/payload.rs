//! What a request came to, in no wire's words: each wire writes it in its own.

use serde::Serialize;
use serde_json::value::RawValue;

use super::error::ProtocolError;
use super::jsonrpc::write_json;

/// The result of a tool call, encoded once; the same bytes go to every client that asks.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    /// The `content` array.
    pub(crate) content: Box<RawValue>,
    /// `structuredContent`, of any JSON type.
    pub(crate) structured: Option<Box<RawValue>>,
    /// Whether the tool says that it failed (`isError`).
    pub(crate) is_error: bool,
    /// The author's own `_meta` entries, an object.
    pub(crate) meta: Option<Box<RawValue>>,
    /// The text of a failure, for those who only see a status message.
    pub(crate) error_text: Option<Box<str>>,
}

/// How a request ended: with a result (which may say that the tool failed), or with a JSON-RPC error.
#[derive(Clone, Debug)]
pub enum Ending {
    /// A result.
    Result(Payload),
    /// A JSON-RPC error.
    Error(ProtocolError),
}

impl Ending {
    /// How much memory the encoded ending takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Result(payload) => {
                payload.content.get().len() + payload.structured.as_ref().map_or(0, |json| json.get().len())
            }
            Self::Error(error) => error.message().len(),
        }
    }
}

/// Encodes a value that is stored and sent as it is.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::value::to_raw_value(value)
}

/// Whether a JSON text is an object, judged by its first byte: it is known to be valid.
pub(crate) fn is_object(json: &RawValue) -> bool {
    json.get().as_bytes().first() == Some(&b'{')
}

impl Payload {
    /// Writes the members `content`, `structuredContent` and `isError`, without the braces around them.
    ///
    /// `structuredContent` may be any JSON value on the modern wire and only an object on the legacy ones, where
    /// another value is wrapped as `{"result": …}`, as its output schema is.
    pub(crate) fn write_members(&self, out: &mut Vec<u8>, only_objects: bool) {
        out.extend_from_slice(br#""content":"#);
        out.extend_from_slice(self.content.get().as_bytes());
        if let Some(structured) = &self.structured {
            write_structured(out, structured, only_objects);
        }
        if self.is_error {
            out.extend_from_slice(br#","isError":true"#);
        }
    }

    /// Writes the author's `_meta` entries, without the braces, and says whether there were any.
    pub(crate) fn write_meta_entries(&self, out: &mut Vec<u8>) -> bool {
        let Some(meta) = &self.meta else { return false };
        let text = meta.get().trim();
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or("").trim();
        out.extend_from_slice(inner.as_bytes());
        !inner.is_empty()
    }
}

fn write_structured(out: &mut Vec<u8>, structured: &RawValue, only_objects: bool) {
    let wrap = only_objects && !is_object(structured);
    out.extend_from_slice(if wrap {
        br#","structuredContent":{"result":"#
    } else {
        br#","structuredContent":"#
    });
    out.extend_from_slice(structured.get().as_bytes());
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
