//! Connections to read by, which wait for nobody who writes.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use rusqlite::Connection;

use super::error::Problem;
use super::file;

/// A connection for each thread that is likely to read at the same time.
pub(super) struct Readers {
    connections: Box<[Mutex<Connection>]>,
    /// The one to be tried next when several are in use.
    next: AtomicUsize,
}

impl Readers {
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
        let connections =
            (0..threads).map(|_| file::open_to_read(path).map(Mutex::new)).collect::<Result<_, _>>()?;
        Ok(Self { connections, next: AtomicUsize::new(0) })
    }

    /// A connection that nobody uses; if there is none, the next that is free.
    pub(super) fn get(&self) -> MutexGuard<'_, Connection> {
        for connection in &self.connections {
            match connection.try_lock() {
                Ok(connection) => return connection,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        self.connections[next].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
