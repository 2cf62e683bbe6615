//! Creation of tasks.

use super::super::super::memory::same_json;
use super::super::super::{Created, Event, NewTask, Record, StoreError};
use super::super::error::Failure;
use super::super::reading;
use super::super::rows::{self, Kept, select};
use super::Writing;

impl Writing<'_> {
    /// Records a task, or finds the one that its key made.
    pub(in super::super) fn create(&mut self, task: &NewTask) -> Result<Created, Failure> {
        if let Some(kept) = self.made_before(task)? {
            return self.found(task, kept);
        }
        self.judge(task)?;
        let now = self.now();
        let taken = || StoreError::Failed("recording a task", "its id is taken".into());
        let parent = match task.parent {
            Some(parent) => {
                if rows::by_id(self.sql, task.id)?.is_some() {
                    return Err(taken().into());
                }
                let kept = rows::there(self.sql, parent.id, now)?.ok_or(StoreError::NotFound)?;
                let mut opened = self.open(kept)?;
                if let Err(refusal) = opened.kept.record.apply(&Event::Adopt(parent.epoch), now) {
                    self.close(opened)?;
                    return Err(StoreError::Refused(refusal).into());
                }
                Some(opened)
            }
            None => None,
        };
        let record = Record::new(task, now);
        let Some(row) = rows::insert(self.sql, task, &record)? else {
            return Err(taken().into());
        };
        self.sql
            .prepare_cached("INSERT INTO inputs (task, arguments, origin) VALUES (?1, ?2, ?3)")?
            .execute((row, task.arguments.get(), task.origin.to_json()))?;
        for entry in &task.journal {
            self.write_entry(row, entry)?;
        }
        if let Some(parent) = parent {
            self.close(parent)?;
        }
        self.ledger.created(self.sql, &task.principal)?;
        Ok(Created { record, existing: false })
    }

    /// The task that the same key made, if it is there.
    fn made_before(&mut self, task: &NewTask) -> Result<Option<Kept>, Failure> {
        let Some(key) = &task.key else { return Ok(None) };
        let parent = task.parent.as_ref().map_or(&[][..], |parent| &parent.id.as_bytes()[..]);
        let found = rows::one(
            self.sql,
            select!(
                "WHERE key = ?1 AND principal = ?2 AND target = ?3 AND kind = ?4 AND ifnull(parent, x'') = ?5"
            ),
            (key, task.principal.as_str(), &task.target, rows::number_of(task.kind), parent),
        )?;
        let Some(kept) = found else { return Ok(None) };
        let id = kept.record.id;
        if rows::there(self.sql, id, self.now())?.is_some() {
            return Ok(Some(kept));
        }
        // It has expired, itself or as a part of a task that has, and the key is free again.
        self.remove(kept.record.root().unwrap_or(id))?;
        Ok(None)
    }

    fn found(&mut self, task: &NewTask, kept: Kept) -> Result<Created, Failure> {
        let (arguments, ..) = reading::inputs(self.sql, kept.row)?;
        let opened = self.open(kept)?;
        let record = self.close(opened)?;
        if !same_json(&arguments, &task.arguments) {
            return Err(StoreError::KeyConflict.into());
        }
        Ok(Created { record, existing: true })
    }

    /// Whether one more task is within its quota.
    fn judge(&mut self, task: &NewTask) -> Result<(), Failure> {
        let quota = task.quota;
        loop {
            let (all, own) = self.ledger.counts(self.sql, &task.principal)?;
            let reached = [
                ("max_running_tasks", all.running(), quota.running),
                ("max_running_tasks_per_principal", own.running(), quota.running_for_principal),
                ("max_tasks", all.kept(), quota.kept),
                ("max_tasks_per_principal", own.kept(), quota.kept_for_principal),
            ]
            .into_iter()
            .find(|(_, count, most)| count >= most);
            let Some((name, _, most)) = reached else { return Ok(()) };
            // What has expired does not count, whether or not it was removed yet.
            if self.expire_some(1000)? == 0 {
                return Err(StoreError::Limit(name, most).into());
            }
        }
    }
}
