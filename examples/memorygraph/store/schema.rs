//! The file: whose it is, how it is written, and how an older one becomes a newer one.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// "memg", by which a file says that it is ours.
const APPLICATION: i32 = 0x6d65_6d67;

/// How long another program that looks into the file is waited for.
const BUSY: Duration = Duration::from_secs(1);

/// What each version of the file adds to the one before. What has been published is never changed.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE memories (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        type TEXT NOT NULL,
        title TEXT NOT NULL,
        content TEXT NOT NULL,
        summary TEXT,
        tags TEXT NOT NULL,
        importance REAL NOT NULL,
        confidence REAL NOT NULL,
        effectiveness REAL,
        usage_count INTEGER NOT NULL,
        last_accessed INTEGER,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        updated_by TEXT,
        version INTEGER NOT NULL,
        pinned INTEGER NOT NULL,
        archived_at INTEGER,
        context TEXT NOT NULL,
        other TEXT NOT NULL
    ) STRICT;
    CREATE TABLE relationships (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        from_key INTEGER NOT NULL REFERENCES memories(key) ON DELETE CASCADE,
        to_key INTEGER NOT NULL REFERENCES memories(key) ON DELETE CASCADE,
        type TEXT NOT NULL,
        strength REAL NOT NULL,
        confidence REAL NOT NULL,
        context TEXT,
        evidence_count INTEGER NOT NULL,
        success_rate REAL,
        created_at INTEGER NOT NULL,
        last_validated INTEGER,
        valid_from INTEGER NOT NULL,
        valid_until INTEGER,
        recorded_at INTEGER NOT NULL,
        invalidated_by TEXT,
        other TEXT NOT NULL,
        description TEXT,
        bidirectional INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX relationships_from ON relationships(from_key);
    CREATE INDEX relationships_to ON relationships(to_key);
    -- What long work has done, written together with what it did.
    CREATE TABLE steps (
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        outcome TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (run, step)
    ) STRICT, WITHOUT ROWID;
", "
    -- Where a memory points, by the model that was shown this text of it; both are known by their fingerprints.
    CREATE TABLE meanings (
        key INTEGER PRIMARY KEY REFERENCES memories(key) ON DELETE CASCADE,
        model INTEGER NOT NULL,
        text INTEGER NOT NULL,
        direction BLOB NOT NULL
    ) STRICT;
"];

/// Opens a file to be written, or makes one. Nobody else may write it meanwhile.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let mut sql = Connection::open(path)?;
    sql.busy_timeout(BUSY)?;
    // One process holds the graph in memory, so that another's changes would not be seen.
    sql.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    prepare(&mut sql)?;
    Ok(sql)
}

/// A graph of its own, which is kept nowhere.
pub(super) fn open_nowhere() -> Result<Connection, StoreError> {
    let mut sql = Connection::open_in_memory()?;
    prepare(&mut sql)?;
    Ok(sql)
}

/// Opens a file only to be read.
pub(super) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let sql = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    sql.busy_timeout(BUSY)?;
    match version(&sql)? {
        version if version == MIGRATIONS.len() => Ok(sql),
        version if version < MIGRATIONS.len() => Err(StoreError::Older),
        _ => Err(StoreError::Newer),
    }
}

fn prepare(sql: &mut Connection) -> Result<(), StoreError> {
    let version = version(sql)?;
    if version > MIGRATIONS.len() {
        return Err(StoreError::Newer);
    }
    sql.pragma_update(None, "journal_mode", "WAL")?;
    // Once a commit is over, the disk has it.
    sql.pragma_update(None, "synchronous", "FULL")?;
    sql.pragma_update(None, "foreign_keys", true)?;
    // Of a log that grew large once, so much is kept.
    sql.pragma_update(None, "journal_size_limit", 8 << 20)?;
    sql.set_prepared_statement_cache_capacity(32);
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    let migrating = sql.transaction()?;
    for migration in &MIGRATIONS[version..] {
        migrating.execute_batch(migration)?;
    }
    migrating.pragma_update(None, "application_id", APPLICATION)?;
    migrating.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or_default())?;
    migrating.commit()?;
    Ok(())
}

/// How many migrations the file has seen; none if it is empty.
fn version(sql: &Connection) -> Result<usize, StoreError> {
    let number = |pragma: &str| sql.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let tables: i64 = sql.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if number("application_id")? != i64::from(APPLICATION) && tables > 0 {
        return Err(StoreError::NotOurs);
    }
    Ok(usize::try_from(number("user_version")?).unwrap_or_default())
}
