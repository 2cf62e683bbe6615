//! JSON that was written once and is sent as it is.

use serde_json::value::RawValue;

/// A JSON text on one line. It was valid when it was made, and is not looked at again.
///
/// A `RawValue` can only be had by parsing; this can also be what a store kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Json(Box<str>);

impl Json {
    /// A text that [`as_str`](Self::as_str) once gave.
    pub(super) fn kept(text: Box<str>) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an object, judged by its first byte.
    pub(crate) fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }
}

impl Default for Json {
    fn default() -> Self {
        Self("null".into())
    }
}

impl From<Box<RawValue>> for Json {
    fn from(json: Box<RawValue>) -> Self {
        Self(json.into())
    }
}
