//! How severe a log message is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::ProtocolError;

/// How severe a log message is, from the least to the most: the levels of syslog (RFC 5424), as MCP has them.
///
/// ```
/// use mcp_runtime::LogLevel;
///
/// assert!(LogLevel::Error > LogLevel::Info);
/// assert_eq!("warning".parse(), Ok(LogLevel::Warning));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum LogLevel {
    /// For who looks for a mistake.
    Debug,
    /// What goes on.
    Info,
    /// Normal, but worth knowing.
    Notice,
    /// Something that may become a problem.
    Warning,
    /// Something failed.
    Error,
    /// A part of the system failed.
    Critical,
    /// Somebody has to act at once.
    Alert,
    /// Nothing works any more.
    Emergency,
}

impl LogLevel {
    /// All of them, from the least severe to the most.
    pub const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// The level in the protocol's word.
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

impl FromStr for LogLevel {
    type Err = ProtocolError;

    fn from_str(word: &str) -> Result<Self, ProtocolError> {
        Self::ALL.into_iter().find(|level| level.as_str() == word).ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            ProtocolError::invalid_params(format!("not a log level; they are {words}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_found_by_its_word_and_is_more_severe_than_the_one_before() {
        assert!(LogLevel::ALL.into_iter().all(|level| level.as_str().parse() == Ok(level)));
        assert!(LogLevel::ALL.is_sorted());
        assert_eq!("loud".parse::<LogLevel>().expect_err("no level").code(), -32602);
    }
}
