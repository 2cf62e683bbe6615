//! Why a model cannot be used: which one it is, and what is wrong with it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A model that was asked for, and cannot be used.
#[derive(Debug)]
pub(crate) struct ModelError {
    pub(super) path: PathBuf,
    pub(super) wrong: Wrong,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the model {} cannot be used: {}", self.path.display(), self.wrong)
    }
}

impl Error for ModelError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.wrong {
            Wrong::Unreadable(error) => Some(error),
            Wrong::NoArchive(error) | Wrong::BadArchive(error) => Some(error),
            Wrong::NoMatrix { error, .. } => Some(error),
            Wrong::NoTokenizer { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// What is wrong with a model.
#[derive(Debug)]
pub(super) enum Wrong {
    Unreadable(io::Error),
    /// It is a file, and no zip.
    NoArchive(rawzip::Error),
    /// It is a zip that cannot be read.
    BadArchive(rawzip::Error),
    /// A file in it is not what the archive says of it.
    BadEntry {
        file: String,
        what: String,
    },
    /// A part is not there.
    Missing {
        what: &'static str,
        places: &'static str,
    },
    /// A part is there more than once.
    Several {
        what: &'static str,
        one: String,
        other: String,
    },
    /// The file of the matrix is none.
    NoMatrix {
        file: String,
        error: safetensors::SafeTensorError,
    },
    /// The matrix is of another form.
    BadMatrix {
        file: String,
        what: String,
    },
    /// The file of the tokenizer is none.
    NoTokenizer {
        file: String,
        error: serde_json::Error,
    },
    /// The tokenizer is of another kind.
    BadTokenizer {
        file: String,
        what: String,
    },
    /// The tokenizer knows more pieces than the matrix has rows.
    TooFewRows {
        rows: usize,
        pieces: usize,
    },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::NoArchive(_) => f.write_str("it is neither a folder nor a wheel (a zip file)"),
            Self::BadArchive(error) => write!(f, "as a zip file it is damaged: {error}"),
            Self::BadEntry { file, what } => write!(f, "{file} in it is damaged: {what}"),
            Self::Missing { what, places } => write!(f, "it holds no {what} ({places})"),
            Self::Several { what, one, other } => {
                write!(f, "it holds more than one {what} ({one}, {other}); name a folder with one of them")
            }
            Self::NoMatrix { file, error } => write!(f, "{file} is damaged: {error}"),
            Self::NoTokenizer { file, error } => write!(f, "{file} is no tokenizer: {error}"),
            Self::BadMatrix { file, what } | Self::BadTokenizer { file, what } => write!(f, "{file} {what}"),
            Self::TooFewRows { rows, pieces } => {
                write!(f, "its matrix has {rows} rows, and its tokenizer knows {pieces} pieces of words")
            }
        }
    }
}
