//! Why a request of a client's did not give what was asked for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::result::CallResult;
use crate::protocol::ProtocolError;

/// Why a client did not get what it asked for.
///
/// A tool that failed in a way that a model may read is none of these, unless the call was [typed](super::Client::call):
/// that is a [`CallResult`] whose [`is_error`](CallResult::is_error) says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server said no, with a code, a message, and perhaps data.
    Refused(ProtocolError),
    /// The server, or something before it, said no in the words of HTTP alone.
    Status {
        /// The status code.
        code: u16,
        /// What the answer said beside, if it was text.
        message: String,
    },
    /// The server could not be reached, or the way to it broke, and trying again did not help.
    Lost(String),
    /// The server at an `https` address cannot prove that it is who the address says: its certificate is not trusted, is for
    /// another name, or has expired.
    Untrusted(String),
    /// There was no answer in this time.
    TimedOut(Duration),
    /// The task ended with an error of the protocol.
    TaskFailed {
        /// The task.
        id: Arc<str>,
        /// The error.
        error: ProtocolError,
    },
    /// The task was cancelled.
    TaskCancelled {
        /// The task.
        id: Arc<str>,
        /// What the server says of it.
        message: Option<String>,
    },
    /// The server does not know the task, or not any more.
    TaskExpired {
        /// The task.
        id: Arc<str>,
    },
    /// A task was asked for, and the server gave the result itself: here it is.
    NoTask(Box<CallResult>),
    /// The tool says that it failed, where its call was [typed](super::Client::call).
    ToolFailed(Box<CallResult>),
    /// The tool gave something else than its function returns, where its call was typed: the server has another version of it.
    OtherResult {
        /// What was expected.
        expected: &'static str,
        /// What is wrong with it.
        reason: String,
        /// What the tool gave.
        result: Box<CallResult>,
    },
    /// The server asks something that was not answered: there is no handler for it, or the handler refused.
    Unanswered {
        /// The method by which it asks.
        method: String,
        /// Why there is no answer.
        reason: String,
    },
    /// The server and this client have no revision of the protocol in common, or the server does not offer this.
    Unsupported(String),
    /// The server's answer is not what the protocol has there.
    Malformed(String),
    /// What was to be sent cannot be: an address that is none, or arguments that are no object.
    Invalid(String),
}

impl Error {
    /// The JSON-RPC code, if the server gave one.
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Refused(error) | Self::TaskFailed { error, .. } => Some(error.code()),
            _ => None,
        }
    }

    /// That an answer is not what it should be.
    pub(super) fn malformed(what: impl fmt::Display) -> Self {
        Self::Malformed(what.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "the server refused: {error} ({})", error.code()),
            Self::Status { code, message } if message.is_empty() => write!(f, "the server answered {code}"),
            Self::Status { code, message } => write!(f, "the server answered {code}: {message}"),
            Self::Lost(what) => write!(f, "the server cannot be reached: {what}"),
            Self::Untrusted(what) => write!(f, "the server is not trusted: {what}"),
            Self::TimedOut(limit) => write!(f, "there was no answer within {limit:?}"),
            Self::TaskFailed { id, error } => write!(f, "task {id} failed: {error} ({})", error.code()),
            Self::TaskCancelled { id, message: None } => write!(f, "task {id} was cancelled"),
            Self::TaskCancelled { id, message: Some(message) } => {
                write!(f, "task {id} was cancelled: {message}")
            }
            Self::TaskExpired { id } => {
                write!(f, "the server does not know task {id}: it expired, or there never was such a task")
            }
            Self::NoTask(_) => f.write_str("the server gave the result at once, and no task"),
            Self::ToolFailed(result) => match result.text() {
                text if text.is_empty() => f.write_str("the tool failed, and does not say why"),
                text => write!(f, "the tool failed: {text}"),
            },
            Self::OtherResult { expected, reason, .. } => {
                write!(f, "the tool's result cannot be read as `{expected}`: {reason}")
            }
            Self::Unanswered { method, reason } => {
                write!(f, "the server asks by `{method}`, and got no answer: {reason}")
            }
            Self::Malformed(what) => write!(f, "the server's answer is not what the protocol has: {what}"),
            Self::Unsupported(what) | Self::Invalid(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(error) | Self::TaskFailed { error, .. } => Some(error),
            _ => None,
        }
    }
}
