//! Why a command did not do what it was asked for: one sentence, and an exit code that says which kind of reason it was.

use std::fmt;
use std::time::Duration;

use mcp_runtime::client::{self, TaskState};

/// The exit codes, as `--help` tells them.
pub(crate) const EXIT_CODES: &str = "Exit codes:
    0  done
    1  the tool says that it failed
    2  the command line is wrong: options, arguments, an unknown tool or id
    3  the server refused
    4  the server is not there, or was lost
    5  it took too long; a task goes on
    6  the task failed with an error of the protocol
    7  the task was cancelled
    8  the server does not know the task, or not any more
    9  the server asked something that nobody answered
   10  the task is not over yet
   11  the server and this program do not understand each other, or the server does not offer this
   12  a file of this program's cannot be read or written
  130  left by Ctrl-C; a task goes on
Of several tasks, the highest counts.";

/// The exit code of a result in which the tool says that it failed.
pub(crate) const TOOL_FAILED: u8 = 1;
/// The exit code of leaving by Ctrl-C.
pub(crate) const LEFT: u8 = 130;

#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for what cannot be.
    Usage(String),
    /// The server, or the way to it.
    Client(client::Error),
    /// It took too long, all in all.
    TooLong(Duration),
    /// A task was to have a result, and works or waits.
    NotOver { id: String, state: TaskState },
    /// A task was to be cancelled, and is over.
    Over { id: String, state: TaskState },
    /// A file of this program's.
    File(String),
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        self.named().0
    }

    /// What kind of failure it is, for scripts.
    pub(crate) fn kind(&self) -> &'static str {
        self.named().1
    }

    fn named(&self) -> (u8, &'static str) {
        use client::Error;
        match self {
            Self::Usage(_) | Self::Client(Error::Invalid(_)) => (2, "usage"),
            Self::Client(Error::Refused(_) | Error::Status { .. }) | Self::Over { .. } => (3, "refused"),
            Self::Client(Error::Lost(_)) => (4, "lost"),
            Self::Client(Error::TimedOut(_)) | Self::TooLong(_) => (5, "timed_out"),
            Self::Client(Error::TaskFailed { .. }) => (6, "task_failed"),
            Self::Client(Error::TaskCancelled { .. }) => (7, "cancelled"),
            Self::Client(Error::TaskExpired { .. }) => (8, "unknown_task"),
            Self::Client(Error::Unanswered { .. }) => (9, "unanswered"),
            Self::NotOver { .. } => (10, "not_over"),
            // What else a client may say in later versions is about understanding, too.
            Self::Client(_) => (11, "not_understood"),
            Self::File(_) => (12, "file"),
        }
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        Self::Client(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) | Self::File(what) => f.write_str(what),
            Self::Client(error) => error.fmt(f),
            Self::TooLong(limit) => {
                write!(f, "it is not done after {}", humantime::format_duration(*limit))
            }
            Self::Over { id, state } => write!(f, "task {id} is {state}, and cannot be cancelled any more"),
            Self::NotOver { id, state } => {
                write!(f, "task {id} is {state}, and has no result yet; `follow` waits for it")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn every_kind_has_a_code_that_help_tells() {
        let id: Arc<str> = "a".into();
        let failures = [
            Failure::Usage(String::new()),
            Failure::Client(client::Error::Lost(String::new())),
            Failure::TooLong(Duration::from_secs(90)),
            Failure::Client(client::Error::TaskCancelled { id: Arc::clone(&id), message: None }),
            Failure::Client(client::Error::TaskExpired { id }),
            Failure::Client(client::Error::Unanswered { method: String::new(), reason: String::new() }),
            Failure::NotOver { id: "a".to_owned(), state: TaskState::Working },
            Failure::Client(client::Error::Malformed(String::new())),
            Failure::File(String::new()),
        ];
        let codes: Vec<u8> = failures.iter().map(Failure::code).collect();
        assert_eq!(codes, [2, 4, 5, 7, 8, 9, 10, 11, 12]);
        for code in codes.into_iter().chain([TOOL_FAILED, LEFT]) {
            let line = format!("{code:5}  ");
            assert!(EXIT_CODES.lines().any(|told| told.starts_with(&line)), "{code} is not told");
        }
        assert_eq!(failures[2].to_string(), "it is not done after 1m 30s");
    }
}
