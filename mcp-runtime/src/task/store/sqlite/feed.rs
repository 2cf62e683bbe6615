//! Which tasks other processes changed: a table in which each change of a record leaves a line, for a while.

use std::collections::BTreeSet;

use rusqlite::Connection;
use uuid::Uuid;

use super::super::TaskId;
use super::error::{Failure, Problem};
use super::rows;

/// What this process has seen of the feed, and by which number it marks its own lines.
pub(super) struct Feed {
    author: i64,
    seen: i64,
    /// Changes whenever another connection has written.
    version: i64,
}

/// So many lines are kept. Whoever was away for longer has missed something, and finds that out by looking.
const KEPT: i64 = 8192;

impl Feed {
    pub(super) fn open(sql: &Connection) -> rusqlite::Result<Self> {
        let author = (Uuid::new_v4().as_u64_pair().0 >> 1).cast_signed();
        let version = version(sql)?;
        let seen = sql.query_row("SELECT ifnull(max(n), 0) FROM changes", (), |row| row.get(0))?;
        Ok(Self { author, seen, version })
    }

    /// The tasks that other processes changed since this was asked last.
    pub(super) fn look(&mut self, sql: &Connection) -> Result<Vec<TaskId>, Problem> {
        let version = version(sql)?;
        if version == self.version {
            return Ok(Vec::new());
        }
        let mut tasks = BTreeSet::new();
        let mut statement =
            sql.prepare_cached("SELECT n, task, author FROM changes WHERE n > ?1 ORDER BY n")?;
        let mut lines = statement.query((self.seen,))?;
        let mut seen = self.seen;
        while let Some(line) = lines.next()? {
            seen = line.get(0)?;
            if line.get::<_, i64>(2)? != self.author {
                match rows::id(line, 1) {
                    Ok(id) => drop(tasks.insert(id)),
                    Err(Failure::File(problem)) => return Err(problem),
                    Err(Failure::Refused(_)) => {}
                }
            }
        }
        (self.seen, self.version) = (seen, version);
        Ok(tasks.into_iter().collect())
    }

    /// Leaves a line for each of these, within a transaction.
    pub(super) fn write(&self, sql: &Connection, tasks: &BTreeSet<TaskId>) -> Result<(), Problem> {
        if tasks.is_empty() {
            return Ok(());
        }
        let mut statement = sql.prepare_cached("INSERT INTO changes (task, author) VALUES (?1, ?2)")?;
        let mut has_turned = false;
        for task in tasks {
            let n = statement.insert((task.as_bytes(), self.author))?;
            has_turned |= n % (KEPT / 8) == 0;
        }
        if has_turned {
            sql.prepare_cached("DELETE FROM changes WHERE n <= (SELECT max(n) FROM changes) - ?1")?
                .execute((KEPT,))?;
        }
        Ok(())
    }
}

fn version(sql: &Connection) -> rusqlite::Result<i64> {
    sql.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))
}
