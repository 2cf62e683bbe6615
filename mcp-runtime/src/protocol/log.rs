//! How much a log message matters, in the words of syslog (RFC 5424), as MCP has them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a log message matters, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum LogLevel {
    /// What only its developers want to know.
    Debug,
    /// What goes as it should.
    Info,
    /// What goes as it should, and matters.
    Notice,
    /// What might become an error.
    Warning,
    /// What failed.
    Error,
    /// A part is out of order.
    Critical,
    /// Something must be done at once.
    Alert,
    /// Nothing works.
    Emergency,
}

impl LogLevel {
    /// Its name as the specification writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
