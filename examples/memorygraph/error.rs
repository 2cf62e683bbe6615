//! Everything that the graph may refuse, each in one sentence that an agent can act upon.

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{MemoryId, Object, RelationshipType};
use crate::search::QueryError;
use crate::store::StoreError;

/// Why the graph did not do what it was asked.
#[derive(Debug)]
pub(crate) enum GraphError {
    /// No memory has this id.
    MemoryNotFound(MemoryId),
    /// A relationship needs two memories, and at least one of these is none.
    EndsNotFound { from: MemoryId, to: MemoryId },
    /// A memory with this id is already there.
    MemoryExists(MemoryId),
    /// Both memories are already related in this way.
    RelationshipExists { from: MemoryId, to: MemoryId, kind: RelationshipType },
    /// A memory was to be related to itself.
    SelfLoop(MemoryId),
    /// Relationships of a directed type must not lead back to where they began.
    Cycle { from: MemoryId, to: MemoryId, kind: RelationshipType },
    /// A text that must say something is empty.
    Empty { what: &'static str },
    /// A text has more characters than fit.
    TooLong { what: &'static str, max: usize, got: usize },
    /// More tags than a memory may have.
    TooManyTags { max: usize, got: usize },
    /// One tag has more characters than fit.
    TagTooLong { tag: String, max: usize },
    /// A number that should lie between 0 and 1 does not.
    OutOfRange { what: &'static str, value: f64 },
    /// A number is less than it may be.
    TooLittle { what: &'static str, least: f64, value: f64 },
    /// A property holds something of another kind.
    BadProperty { name: &'static str, expected: &'static str },
    /// No memory type has this name.
    UnknownMemoryType(String),
    /// No relationship type has this name.
    UnknownRelationshipType(String),
    /// A text that should be a time is none.
    NotATime(String),
    /// A text that is no query.
    Query(QueryError),
    /// A text that should say where to go on does not.
    NotACursor(String),
    /// What is recalled by several ways at once has no pages.
    NoPages,
    /// A file lies where files must not be read or written.
    OutsideOfImports { path: PathBuf },
    /// Over HTTP no file may be named, as long as there is no folder for that.
    NoImports,
    /// An import names both a document and a file, or neither.
    OneSource,
    /// The path of a file names none.
    NoFile,
    /// A file could not be written.
    Unwritable { path: PathBuf, source: io::Error },
    /// A file could not be read.
    Unreadable { path: PathBuf, source: io::Error },
    /// A document was refused as a whole; nothing of it was imported.
    Refused(Refusal),
    /// A row of a document is not of the form that it should have.
    BadRow(BadRow),
    /// An import was cut off, and its document is another one now.
    DocumentChanged,
    /// Memories would be deleted, and nobody has said that they shall be.
    Unconfirmed { count: usize },
    /// The file in which everything is kept failed.
    Store(StoreError),
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MemoryNotFound(id) => write!(f, "Memory not found: {id}"),
            Self::EndsNotFound { from, to } => write!(f, "One or both memories not found: {from}, {to}"),
            Self::MemoryExists(id) => write!(f, "Memory already exists: {id}"),
            Self::RelationshipExists { from, to, kind } => {
                write!(f, "Relationship already exists: {from} {kind} {to}")
            }
            Self::SelfLoop(id) => {
                write!(f, "Cannot create relationship {id} -> {id}: Would relate the memory to itself")
            }
            Self::Cycle { from, to, kind } => write!(
                f,
                "Cannot create relationship {from} -> {to}: Would create a cycle in the {kind} relationship graph"
            ),
            Self::Empty { what } => write!(f, "{what} must not be empty"),
            Self::TooLong { what, max, got } => write!(f, "{what} exceeds {max} characters (got {got})"),
            Self::TooManyTags { max, got } => write!(f, "Too many tags (max {max}, got {got})"),
            Self::TagTooLong { tag, max } => {
                let start: String = tag.chars().take(20).collect();
                write!(f, "Tag '{start}...' exceeds {max} characters")
            }
            Self::OutOfRange { what, value } => write!(f, "{what} must be between 0 and 1 (got {value})"),
            Self::TooLittle { what, least, value } => write!(f, "{what} must be at least {least} (got {value})"),
            Self::BadProperty { name, expected } => write!(f, "Property '{name}' must be {expected}"),
            Self::UnknownMemoryType(name) => write!(f, "'{name}' is not a valid memory type"),
            Self::UnknownRelationshipType(name) => write!(f, "'{name}' is not a valid relationship type"),
            Self::NotATime(text) => write!(f, "'{text}' is no time of ISO 8601 from 1970 to 9999, such as 2026-01-31T12:00:00Z"),
            Self::Query(error) => error.fmt(f),
            Self::NotACursor(text) => write!(f, "'{text}' is no cursor of an earlier answer"),
            Self::NoPages => f.write_str("With 'byCategory' there are no pages: raise 'limit' in place of 'cursor'"),
            Self::OutsideOfImports { path } => {
                write!(f, "{} does not lie below the folder for imports", path.display())
            }
            Self::NoImports => {
                f.write_str("Files cannot be named here: the server was started without --import-dir. Give 'data'")
            }
            Self::NoFile => f.write_str("'file' must be the path of a file"),
            Self::OneSource => f.write_str("Give exactly one of 'data' and 'file'"),
            Self::Unreadable { path, source } => write!(f, "Cannot read {}: {source}", path.display()),
            Self::Unwritable { path, source } => write!(f, "Cannot write {}: {source}", path.display()),
            Self::Refused(refusal) => write!(f, "Nothing was imported: {refusal}"),
            Self::BadRow(row) => row.fmt(f),
            Self::DocumentChanged => f.write_str(
                "The document has changed since its import began; what was imported so far stays. Import it again",
            ),
            Self::Unconfirmed { count } => write!(
                f,
                "Nothing was deleted: {count} {} go, and this client cannot be asked. Look at them with 'dryRun', then say 'confirmed': {count}",
                if *count == 1 { "memory would" } else { "memories would" }
            ),
            Self::Store(error) => write!(f, "The memory file failed: {error}"),
        }
    }
}

impl std::error::Error for GraphError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } | Self::Unwritable { source, .. } => Some(source),
            Self::Query(error) => Some(error),
            Self::Refused(refusal) => Some(refusal),
            Self::BadRow(row) => Some(&row.error),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<QueryError> for GraphError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

/// Why a row cannot be read.
#[derive(Debug)]
pub(crate) struct BadRow {
    /// Which of its fields is wrong, where that is known.
    field: Option<String>,
    error: serde_json::Error,
}

impl BadRow {
    /// Reads a row. Where it is wrong, its fields are tried one by one in a row that is `sound`, since an error of the
    /// whole does not say which it was.
    pub(crate) fn or_read<T: DeserializeOwned>(row: &str, sound: &Value) -> Result<T, Self> {
        serde_json::from_str(row).map_err(|error| {
            let fields = serde_json::from_str::<Object>(row).unwrap_or_default();
            let wrong = fields.into_iter().find(|(field, value)| {
                let mut tried = sound.clone();
                tried[field] = value.clone();
                serde_json::from_value::<T>(tried).is_err()
            });
            Self { field: wrong.map(|(field, _)| field), error }
        })
    }
}

impl From<serde_json::Error> for BadRow {
    fn from(error: serde_json::Error) -> Self {
        Self { field: None, error }
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = without_position(&self.error);
        match &self.field {
            // What is said of a name or a time says which it is.
            Some(field) if what.starts_with("invalid ") => write!(f, "'{field}' is wrong: {what}"),
            _ => f.write_str(&what),
        }
    }
}

/// Why a document is not imported at all.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is no JSON, or not of the form of a document.
    Malformed(serde_json::Error),
    /// It is no chat in any form that is known.
    NoConversation(serde_json::Error),
    /// It lacks something that every document has.
    MissingKey(&'static str),
    /// It is written in another format.
    WrongVersion(String),
    /// A memory lacks something that every memory has.
    IncompleteMemory { row: usize, key: &'static str },
    /// A memory is none at all.
    BadMemory { row: usize, error: serde_json::Error },
    /// Two of its memories have the same id.
    RepeatedId { id: MemoryId, first: usize, second: usize },
    /// It was to bring only new memories.
    AlreadyThere { id: MemoryId, row: usize, others: usize },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "the document is not a format 2.0 export: {error}"),
            Self::NoConversation(error) => write!(f, "the text is no conversation in JSON: {error}"),
            Self::MissingKey(key) => write!(f, "the document lacks '{key}'"),
            Self::WrongVersion(version) => write!(f, "format_version is {version}, where \"2.0\" is needed"),
            Self::IncompleteMemory { row, key } => write!(f, "memory {row} of the document lacks '{key}'"),
            Self::BadMemory { row, error } => {
                write!(f, "memory {row} of the document is none: {}", without_position(error))
            }
            Self::RepeatedId { id, first, second } => {
                write!(f, "memories {first} and {second} of the document have the same id: {id}")
            }
            Self::AlreadyThere { id, row, others: 0 } => {
                write!(f, "memory {row} of the document already exists: {id}")
            }
            Self::AlreadyThere { id, row, others } => {
                write!(f, "memory {row} of the document and {others} more already exist: {id}, ...")
            }
        }
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(error) | Self::NoConversation(error) | Self::BadMemory { error, .. } => {
                Some(error)
            }
            _ => None,
        }
    }
}

/// What is wrong with a row. A position within a row that was cut out of its document would mislead.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}
