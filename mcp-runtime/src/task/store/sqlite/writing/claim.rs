//! Who works at what: leases, and tasks that change hands.

use super::super::super::{Claimed, Event, Lease, TaskId, WorkerId};
use super::super::error::Failure;
use super::super::reading;
use super::super::rows::{self, Kept, select};
use super::Writing;

impl Writing<'_> {
    /// Takes over tasks that nobody works at.
    pub(in super::super) fn claim(
        &mut self,
        lease: Lease,
        only: Option<TaskId>,
        limit: usize,
    ) -> Result<Vec<Claimed>, Failure> {
        let now = self.now();
        let found = match only {
            Some(id) => rows::there(self.sql, id, now)?.into_iter().collect(),
            // Those whose worker has a lease are sorted out here already.
            None => rows::all(
                self.sql,
                select!(
                    "INDEXED BY tasks_of_worker WHERE status < 2 AND status = 0 AND NOT has_job AND parent IS NULL \
                     AND (worker IS NULL OR worker NOT IN \
                     (SELECT worker FROM leases WHERE until > ?1 UNION ALL SELECT ?2)) \
                     ORDER BY created_at, id LIMIT ?3"
                ),
                (
                    rows::millis(now),
                    rows::worker_number(lease.worker),
                    i64::try_from(limit).unwrap_or(i64::MAX),
                ),
            )?,
        };
        let mut claimed = Vec::new();
        for kept in found.into_iter().take(limit) {
            if only.is_some() && !self.is_free(&kept, lease.worker)? {
                continue;
            }
            let mut opened = self.open(kept)?;
            let row = opened.kept.row;
            let is_claimed = opened.kept.record.apply(&Event::Claim(lease.worker), now).is_ok();
            let record = self.close(opened)?;
            if is_claimed {
                let (arguments, origin, journal) = reading::inputs(self.sql, row)?;
                claimed.push(Claimed { record, arguments, origin, journal });
            }
        }
        if !claimed.is_empty() {
            self.lend(lease)?;
        }
        Ok(claimed)
    }

    fn is_free(&self, kept: &Kept, claimant: WorkerId) -> Result<bool, Failure> {
        if kept.record.status.is_terminal() {
            return Ok(false);
        }
        let Some(holder) = kept.record.worker else { return Ok(true) };
        let mut living = self.sql.prepare_cached("SELECT 1 FROM leases WHERE worker = ?1 AND until > ?2")?;
        let is_alive = living.exists((rows::worker_number(holder), rows::millis(self.now())))?;
        Ok(holder != claimant && !is_alive)
    }

    /// Gives a worker a lease, and says which tasks it holds.
    pub(in super::super) fn heartbeat(&mut self, lease: Lease) -> Result<Vec<TaskId>, Failure> {
        self.lend(lease)?;
        let mut held = self.sql.prepare_cached("SELECT id FROM tasks WHERE worker = ?1 AND status < 2")?;
        let mut rows = held.query((rows::worker_number(lease.worker),))?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            ids.push(rows::id(row, 0)?);
        }
        Ok(ids)
    }

    fn lend(&self, lease: Lease) -> Result<(), Failure> {
        let now = self.now();
        self.sql.prepare_cached("DELETE FROM leases WHERE until <= ?1")?.execute((rows::millis(now),))?;
        self.sql
            .prepare_cached("INSERT OR REPLACE INTO leases (worker, until) VALUES (?1, ?2)")?
            .execute((rows::worker_number(lease.worker), rows::millis(now.after(lease.span))))?;
        Ok(())
    }

    /// Ends the lease of a worker.
    pub(in super::super) fn retire(&mut self, worker: WorkerId) -> Result<(), Failure> {
        self.sql
            .prepare_cached("DELETE FROM leases WHERE worker = ?1")?
            .execute((rows::worker_number(worker),))?;
        Ok(())
    }
}
