//! Why a server could not be built, or not be served.

use std::fmt;
use std::io;

/// What is wrong with a server as it was described: everything, not just the first thing.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError(pub(super) Vec<String>);

impl BuildError {
    /// Each thing that is wrong, in a sentence.
    pub fn errors(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "the server cannot be built: {one}"),
            several => {
                f.write_str("the server cannot be built:")?;
                several.iter().try_for_each(|error| write!(f, "\n- {error}"))
            }
        }
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}

/// Why a server could not be served, or stopped.
///
/// Its `Debug` form is its sentence, since that is what a `main` that returns it prints.
#[non_exhaustive]
pub enum ServerError {
    /// It could not be built.
    Build(BuildError),
    /// The transport failed.
    Transport(io::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(f),
            Self::Transport(error) => write!(f, "the transport failed: {error}"),
        }
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Build(error) => Some(error),
            Self::Transport(error) => Some(error),
        }
    }
}

impl From<BuildError> for ServerError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}
