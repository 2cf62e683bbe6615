//! Opening a file: whose it is, what version it has, and how connections to it are set up.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Synchronous;
use super::error::{Problem, SqliteError};
use super::lock::Presence;
use super::schema;

/// How long one process waits for another to write.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long somebody who opens a file waits before trying again.
const PAUSE: Duration = Duration::from_millis(20);

/// Earlier ones can lose what was written, when one connection begins the write-ahead log anew while another writes back.
const OLDEST_LIBRARY: i32 = 3_051_003;

/// A file that is ours, and has the tables of this version.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) presence: Presence,
}

pub(super) fn open(path: &Arc<Path>, synchronous: Synchronous) -> Result<Opened, SqliteError> {
    check_library(rusqlite::version_number(), rusqlite::version())
        .and_then(|()| open_patiently(path, synchronous))
        .map_err(|problem| SqliteError::new(path, problem))
}

/// SQLite does not wait for others by itself while a new file is made ready for several.
fn open_patiently(path: &Path, synchronous: Synchronous) -> Result<Opened, Problem> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match open_checked(path, synchronous) {
            Err(Problem::Sqlite(error))
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(PAUSE);
            }
            opened => return opened,
        }
    }
}

fn check_library(number: i32, version: &'static str) -> Result<(), Problem> {
    if number < OLDEST_LIBRARY { Err(Problem::OldLibrary(version)) } else { Ok(()) }
}

fn open_checked(path: &Path, synchronous: Synchronous) -> Result<Opened, Problem> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let writer = connect(path, flags)?;
    if writer.is_readonly("main")? {
        return Err(Problem::ReadOnly);
    }
    // Before anything is written to a file of somebody else's.
    check_owner(&writer)?;
    let mode: String = writer.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0))?;
    if mode != "wal" {
        return Err(Problem::NoLog);
    }
    writer.execute_batch(&format!(
        "PRAGMA synchronous = {}; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;",
        match synchronous {
            // Where the system knows a stronger way to the disk than the usual one, that is taken.
            Synchronous::Full => "FULL; PRAGMA fullfsync = ON",
            Synchronous::Normal => "NORMAL",
        }
    ))?;
    transaction(&writer, |writer| {
        // Another process may have been first.
        check_owner(writer)?;
        Ok(schema::migrate(writer)?)
    })?;
    let presence = Presence::join(path, || {
        // Whoever had a lease is dead, so what they did is taken up at once.
        transaction(&writer, |writer| Ok(writer.execute_batch("DELETE FROM leases")?))
    })?;
    Ok(Opened { writer, presence })
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self::Lock(Arc::new(error))
    }
}

/// A connection by which nothing can be written.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Problem> {
    // Who reads a write-ahead log must be able to write to the memory that is shared with it.
    let reader = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    reader.execute_batch("PRAGMA query_only = ON")?;
    Ok(reader)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Problem> {
    let sql = Connection::open_with_flags(path, flags)?;
    sql.busy_timeout(PATIENCE)?;
    sql.set_prepared_statement_cache_capacity(64);
    // The file is not mapped into memory: one that is cut off by somebody else would end the process.
    sql.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cache_size = -8000;",
    )?;
    Ok(sql)
}

/// Whether the file is ours, or nobody's yet.
fn check_owner(sql: &Connection) -> Result<(), Problem> {
    // First the tables: whoever makes the file makes both at once, and maybe in just this moment.
    let tables: i64 = sql.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    let application: i32 = sql.query_row("PRAGMA application_id", (), |row| row.get(0))?;
    if application == schema::APPLICATION {
        let version = schema::version(sql)?;
        return if version > schema::VERSION { Err(Problem::Newer(version)) } else { Ok(()) };
    }
    if application == 0 && tables == 0 { Ok(()) } else { Err(Problem::Foreign) }
}

fn transaction(
    sql: &Connection,
    work: impl FnOnce(&Connection) -> Result<(), Problem>,
) -> Result<(), Problem> {
    sql.execute_batch("BEGIN IMMEDIATE")?;
    let done = work(sql).and_then(|()| Ok(sql.execute_batch("COMMIT")?));
    if done.is_err() && !sql.is_autocommit() {
        sql.execute_batch("ROLLBACK")?;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_loses_data_is_refused() {
        let refused = check_library(3_051_002, "3.51.2").expect_err("it is too old");
        assert!(refused.to_string().starts_with("this program is linked to SQLite 3.51.2"), "{refused}");
        assert!(check_library(OLDEST_LIBRARY, "3.51.3").is_ok());
    }
}
