//! Removal of what has expired.

use rusqlite::OptionalExtension;

use super::super::super::{Expired, Principal, TaskId, Timestamp};
use super::super::error::Failure;
use super::super::rows;
use super::Writing;

impl Writing<'_> {
    /// Removes tasks that have expired, with their children.
    pub(in super::super) fn expire(&mut self, limit: usize) -> Result<Expired, Failure> {
        let removed = self.expire_some(limit)?;
        let mut next = self.sql.prepare_cached(
            "SELECT expires_at FROM tasks WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1",
        )?;
        let next: Option<i64> = next.query_row((), |row| row.get(0)).optional()?;
        let until = |at: i64| Timestamp::from_millis(u64::try_from(at).unwrap_or(0)).since(self.now());
        Ok(Expired { removed, next: next.map(until) })
    }

    /// Removes so many at most, and says how many.
    pub(super) fn expire_some(&mut self, limit: usize) -> Result<usize, Failure> {
        let mut due = self
            .sql
            .prepare_cached("SELECT id FROM tasks WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2")?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = due.query((rows::millis(self.now()), limit))?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            ids.push(rows::id(row, 0)?);
        }
        for id in &ids {
            self.remove(*id)?;
        }
        Ok(ids.len())
    }

    /// Removes a task and its children. What else is of them goes by itself.
    pub(super) fn remove(&mut self, id: TaskId) -> Result<(), Failure> {
        let mut family = self.sql.prepare_cached(
            "SELECT principal, count(*), sum(status < 2) FROM (SELECT principal, status FROM tasks WHERE id = ?1 \
             UNION ALL SELECT principal, status FROM tasks WHERE root = ?1) GROUP BY principal",
        )?;
        let mut rows = family.query((id.as_bytes(),))?;
        while let Some(row) = rows.next()? {
            let principal = Principal::new(row.get::<_, String>(0)?);
            self.ledger.removed(self.sql, &principal, row.get(1)?, row.get(2)?)?;
        }
        self.sql.prepare_cached("DELETE FROM tasks WHERE id = ?1")?.execute((id.as_bytes(),))?;
        Ok(())
    }
}
