//! What can go wrong with a file, in words for whoever runs the server.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;

use super::super::StoreError;
use super::schema;

/// Why a file of tasks cannot be opened or used. The message names the file, and says what to do where that is known.
#[derive(Clone, Debug)]
pub struct SqliteError {
    path: Arc<Path>,
    problem: Problem,
}

#[derive(Clone, Debug)]
pub(super) enum Problem {
    /// SQLite says so.
    Sqlite(Arc<rusqlite::Error>),
    /// The lock file beside the database.
    Lock(Arc<io::Error>),
    /// The SQLite that this program is linked to loses data.
    OldLibrary(&'static str),
    /// The file is another program's.
    Foreign,
    /// The file was written by a later version of this program.
    Newer(i32),
    /// The file can be read, and not written.
    ReadOnly,
    /// The file system has no shared memory, which the write-ahead log needs.
    NoLog,
    /// Something in the file cannot be what was written.
    Damaged(String),
    /// The thread that writes cannot be started, or is gone.
    NoWriter,
    /// The runtime went down while something was read.
    Abandoned,
}

impl SqliteError {
    pub(super) fn new(path: &Arc<Path>, problem: impl Into<Problem>) -> Self {
        Self { path: Arc::clone(path), problem: problem.into() }
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => match in_words(error) {
                Some(words) => write!(f, "{words} (SQLite: {error})"),
                None => error.fmt(f),
            },
            Self::Lock(error) => write!(f, "the lock file beside it cannot be used: {error}"),
            Self::OldLibrary(version) => write!(
                f,
                "this program is linked to SQLite {version}, which can lose what was written (before 3.51.3); build it \
                 with the SQLite that `rusqlite` brings along"
            ),
            Self::Foreign => f.write_str("the file is a database of another program; choose another path"),
            Self::Newer(version) => write!(
                f,
                "the file was written by a later version of this program (its tables have version {version}, and this \
                 program knows {})",
                schema::VERSION
            ),
            Self::ReadOnly => f.write_str(READ_ONLY),
            Self::NoLog => f.write_str(
                "its file system cannot share memory between connections, which a write-ahead log needs; choose a path on \
                 a local disk",
            ),
            Self::Damaged(what) => write!(f, "{DAMAGED}: {what}"),
            Self::NoWriter => f.write_str("the thread that writes to it could not be started, or has stopped"),
            Self::Abandoned => f.write_str("the runtime went down while it was being read"),
        }
    }
}

const READ_ONLY: &str = "the file or its directory is read-only";
const DAMAGED: &str = "the file is damaged; restore it from a copy, or move it away to begin anew";

fn in_words(error: &rusqlite::Error) -> Option<&'static str> {
    Some(match error.sqlite_error_code()? {
        ErrorCode::DiskFull => {
            "the disk is full; nothing was changed, and there must be room before anything can be"
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => READ_ONLY,
        ErrorCode::CannotOpen => "the file cannot be opened: its directory is missing, or may not be used",
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "another program keeps the file locked",
        ErrorCode::DatabaseCorrupt => DAMAGED,
        ErrorCode::NotADatabase => "the file is damaged, or is no database",
        ErrorCode::SystemIoFailure => "the file could not be read or written",
        _ => return None,
    })
}

impl std::error::Error for SqliteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Sqlite(error) => Some(&**error),
            Problem::Lock(error) => Some(&**error),
            _ => None,
        }
    }
}

/// Why an operation did not do what was asked: it was refused, or the file failed it.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(StoreError),
    File(Problem),
}

impl Failure {
    /// The same for who asked.
    pub(super) fn told(self, doing: &'static str, path: &Arc<Path>) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::File(problem) => StoreError::Failed(doing, Box::new(SqliteError::new(path, problem))),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::File(problem)
    }
}
