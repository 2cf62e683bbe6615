//! JSON-RPC errors and the codes that the specification gives them.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON-RPC error: the request itself could not be served.
///
/// A tool that returns it (alone or inside [`ToolError`](crate::ToolError)) ends its call with this error, and its
/// task as `failed`. For what went wrong *inside* a tool and what a model may read and mend, return any other
/// error: it becomes a result with `isError`.
///
/// ```
/// use mcp_runtime::ProtocolError;
///
/// let error = ProtocolError::invalid_params("`cursor` is not one that this server gave");
/// assert_eq!(error.code(), -32602);
/// assert_eq!(error.to_string(), "`cursor` is not one that this server gave");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProtocolError {
    code: i64,
    message: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

impl ProtocolError {
    pub(crate) const PARSE_ERROR: i64 = -32700;
    pub(crate) const INVALID_REQUEST: i64 = -32600;
    pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
    pub(crate) const INVALID_PARAMS: i64 = -32602;
    pub(crate) const INTERNAL_ERROR: i64 = -32603;
    /// What revisions before 2026-07-28 have for a resource that is not there.
    const RESOURCE_NOT_FOUND: i64 = -32002;
    pub(crate) const HEADER_MISMATCH: i64 = -32020;
    pub(crate) const MISSING_CLIENT_CAPABILITY: i64 = -32021;
    pub(crate) const UNSUPPORTED_VERSION: i64 = -32022;
    /// This project's own, outside of the range that JSON-RPC reserves: a limit of the server is reached.
    pub(crate) const LIMIT_REACHED: i64 = -31029;
    /// This project's own as well: the server begins nothing new, because it is about to stop.
    pub(crate) const STOPPING: i64 = -31030;

    /// An error with a code of your own. The specification reserves -32768 to -32000.
    pub fn new(code: i64, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// -32602: a parameter is missing, of a wrong type, or names something that does not exist.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Self::INVALID_PARAMS, message)
    }

    /// -32603: the server could not do what it should have done.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Self::INTERNAL_ERROR, message)
    }

    /// There is no resource of this URI: -32602 on the modern wire, -32002 on the legacy ones (SEP-2164).
    pub fn resource_not_found(uri: &str) -> Self {
        Self::new(Self::RESOURCE_NOT_FOUND, "Resource not found").with_data(serde_json::json!({ "uri": uri }))
    }

    /// The same as the modern wire has it, or the legacy ones: each has codes that the other does not know.
    pub(crate) fn in_words(&self, is_modern: bool) -> Cow<'_, Self> {
        let code = match (self.code, is_modern) {
            (Self::RESOURCE_NOT_FOUND, true) => Self::INVALID_PARAMS,
            (Self::MISSING_CLIENT_CAPABILITY, false) => Self::INVALID_REQUEST,
            _ => return Cow::Borrowed(self),
        };
        Cow::Owned(Self { code, ..self.clone() })
    }

    /// Attaches machine-readable detail, sent as `data`.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// The JSON-RPC error code.
    pub fn code(&self) -> i64 {
        self.code
    }

    /// What went wrong, in a sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The machine-readable detail, if there is any.
    pub fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// The server is about to stop.
    pub(crate) fn stopping() -> Self {
        Self::new(Self::STOPPING, "the server is stopping; try again, elsewhere or later")
    }

    pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Self::INVALID_REQUEST, message)
    }

    pub(crate) fn method_not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Self::METHOD_NOT_FOUND, message)
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ProtocolError {}
