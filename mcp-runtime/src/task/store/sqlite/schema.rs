//! The tables, and how a file of an earlier version comes to have them.

use rusqlite::Connection;

/// Says that a file is ours: `MCPt`.
pub(super) const APPLICATION: i32 = 0x4d43_5074;

/// What brings a file from each version to the next. What was released is never changed; what is new is added behind it.
const MIGRATIONS: [&str; VERSION as usize] = [FIRST];

/// The version that this program writes.
pub(super) const VERSION: i32 = 1;

/// A task has a small row that changes, and rows in other tables for what is written once or is large: so a report
/// costs little, whatever the arguments are. `n` grows by creation, so that what is young lies together.
///
/// Points in time and spans are milliseconds; ids are their sixteen bytes; a `status` below 2 is one of work.
const FIRST: &str = "
CREATE TABLE tasks (
    n           INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    principal   TEXT NOT NULL,
    kind        INTEGER NOT NULL,
    target      TEXT NOT NULL,
    key         TEXT,
    created_at  INTEGER NOT NULL,
    ttl         INTEGER NOT NULL,
    poll        INTEGER NOT NULL,
    parent      BLOB REFERENCES tasks (id) ON DELETE CASCADE,
    root        BLOB,
    status      INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    worker      INTEGER,
    children    INTEGER NOT NULL,
    tool_failed INTEGER NOT NULL,
    asks        INTEGER NOT NULL,
    has_job     INTEGER NOT NULL,
    ended_at    INTEGER,
    expires_at  INTEGER,
    rev         INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    said        INTEGER NOT NULL,
    partials    INTEGER NOT NULL,
    progress    REAL,
    total       REAL,
    message     TEXT
) STRICT;
CREATE UNIQUE INDEX tasks_by_key ON tasks (key, principal, target, kind, ifnull(parent, x'')) WHERE key IS NOT NULL;
CREATE INDEX tasks_of_principal ON tasks (principal, created_at, id) WHERE parent IS NULL;
CREATE INDEX tasks_of_parent ON tasks (parent) WHERE parent IS NOT NULL;
CREATE INDEX tasks_of_root ON tasks (root) WHERE root IS NOT NULL;
CREATE INDEX tasks_of_worker ON tasks (worker) WHERE status < 2;
CREATE INDEX tasks_by_expiry ON tasks (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE inputs (
    task      INTEGER PRIMARY KEY REFERENCES tasks (n) ON DELETE CASCADE,
    arguments TEXT NOT NULL,
    origin    TEXT NOT NULL
) STRICT;
CREATE TABLE questions (
    task INTEGER PRIMARY KEY REFERENCES tasks (n) ON DELETE CASCADE,
    list TEXT NOT NULL
) STRICT;
CREATE TABLE jobs (
    task      INTEGER PRIMARY KEY REFERENCES tasks (n) ON DELETE CASCADE,
    handle    TEXT NOT NULL,
    polled_at INTEGER
) STRICT;
CREATE TABLE endings (
    task   INTEGER PRIMARY KEY REFERENCES tasks (n) ON DELETE CASCADE,
    ending BLOB NOT NULL
) STRICT;
CREATE TABLE journal (
    n     INTEGER PRIMARY KEY,
    task  INTEGER NOT NULL REFERENCES tasks (n) ON DELETE CASCADE,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (task, key)
) STRICT;
CREATE TABLE partials (
    task   INTEGER NOT NULL REFERENCES tasks (n) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (task, number)
) STRICT;

CREATE TABLE totals (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    running INTEGER NOT NULL,
    kept    INTEGER NOT NULL
) STRICT;
INSERT INTO totals VALUES (1, 0, 0);
CREATE TABLE accounts (
    principal TEXT PRIMARY KEY,
    running   INTEGER NOT NULL,
    kept      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (worker INTEGER PRIMARY KEY, until INTEGER NOT NULL) STRICT;
CREATE TABLE changes (n INTEGER PRIMARY KEY, task BLOB NOT NULL, author INTEGER NOT NULL) STRICT;
";

/// Which version a file has; 0 is none yet.
pub(super) fn version(sql: &Connection) -> rusqlite::Result<i32> {
    sql.query_row("PRAGMA user_version", (), |row| row.get(0))
}

/// Brings a file to this program's version, within a transaction.
pub(super) fn migrate(sql: &Connection) -> rusqlite::Result<()> {
    let from = usize::try_from(version(sql)?).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(from) {
        sql.execute_batch(migration)?;
    }
    if from < MIGRATIONS.len() {
        sql.execute_batch(&format!(
            "PRAGMA user_version = {VERSION}; PRAGMA application_id = {APPLICATION};"
        ))?;
    }
    Ok(())
}
