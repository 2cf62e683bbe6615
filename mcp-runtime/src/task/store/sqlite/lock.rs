//! The file beside the database by which processes know of each other.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Held, shared, by each process that uses the database, for as long as it does. The system takes it back from a process
/// that is killed, so who comes next knows at once whether anybody is left.
#[derive(Debug)]
pub(super) struct Presence {
    _file: File,
}

impl Presence {
    /// Joins those who use the database. If nobody does, `alone` is run first, before anybody else can join.
    pub(super) fn join<E: From<io::Error>>(
        database: &Path,
        alone: impl FnOnce() -> Result<(), E>,
    ) -> Result<Self, E> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(beside(database))?;
        match file.try_lock() {
            Ok(()) => {
                alone()?;
                // Some systems know no way from the one lock to the other. Whoever comes in between finds what we found.
                file.unlock()?;
            }
            Err(TryLockError::WouldBlock) => {}
            // Where there are no locks, leases must do alone.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(Self { _file: file });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.lock_shared()?;
        Ok(Self { _file: file })
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push("-lock");
    name.into()
}
