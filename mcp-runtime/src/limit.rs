//! What is said when a limit is reached: an error that names it.

use std::fmt::Display;

use crate::protocol::ProtocolError;
use crate::telemetry;

/// The error of a limit that is reached. `advice` is what the client can do.
pub(crate) fn reached(limit: &'static str, value: usize, advice: &str) -> ProtocolError {
    let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
    error(limit, value, format!("the server's limit `{limit}` is reached ({value}){advice}"))
}

/// The error of something that has more bytes than a limit allows.
pub(crate) fn too_large(what: impl Display, size: usize, limit: &'static str, value: usize) -> ProtocolError {
    error(limit, value, format!("{what} has {size} bytes; the server's limit `{limit}` is {value}"))
}

fn error(limit: &'static str, value: usize, message: String) -> ProtocolError {
    telemetry::refused(limit);
    ProtocolError::new(ProtocolError::LIMIT_REACHED, message)
        .with_data(serde_json::json!({ "limit": limit, "value": value }))
}
