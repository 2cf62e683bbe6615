//! Changes of the file, each a part of a transaction that the writer began.
//!
//! What an operation refuses, it refuses before it writes: the rest of the transaction is committed with it. What is
//! right anyway may stand before that, such as the removal of what has expired.

mod claim;
mod create;
mod expire;
mod ledger;

use std::collections::BTreeSet;

use rusqlite::Connection;

use self::ledger::Ledger;
use super::super::{
    Change, Epoch, Event, JournalEntry, Partials, Record, Refusal, StoreError, TaskId, Timestamp,
};
use super::Shared;
use super::error::{Failure, Problem, SqliteError};
use super::feed::Feed;
use super::reading;
use super::rows::{self, Kept};

/// A transaction, and what is to be done at its end.
pub(super) struct Writing<'a> {
    pub(super) sql: &'a Connection,
    shared: &'a Shared,
    ledger: Ledger,
    /// The tasks whose records changed.
    changed: BTreeSet<TaskId>,
    /// Up to where what was said of each task is written.
    pub(super) said: Vec<(TaskId, i64)>,
}

/// A record that is about to change.
struct Opened {
    was: Record,
    kept: Kept,
}

impl<'a> Writing<'a> {
    pub(super) fn new(sql: &'a Connection, shared: &'a Shared) -> Self {
        Self { sql, shared, ledger: Ledger::default(), changed: BTreeSet::new(), said: Vec::new() }
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// What stands at the end of each transaction.
    pub(super) fn finish(&mut self, feed: &Feed) -> Result<(), Problem> {
        self.ledger.write(self.sql)?;
        feed.write(self.sql, &self.changed)
    }

    /// Puts what was said of a task into its record. It is written with the record.
    fn open(&mut self, mut kept: Kept) -> Result<Opened, Failure> {
        let was = kept.record.clone();
        let all = self.shared.unwritten.take(was.id);
        let Some(last) = all.last().map(|said| said.last) else { return Ok(Opened { was, kept }) };
        if all.iter().any(|said| said.has_partials() && said.is_new_to(&kept)) {
            let before = reading::partials(self.sql, &kept)?;
            let mut partials = before.clone();
            for said in &all {
                said.put(&mut kept, Some(&mut partials));
            }
            self.write_partials(kept.row, &before, &partials)?;
        } else {
            for said in &all {
                said.put(&mut kept, None);
            }
        }
        // What came of a run that is over is not wanted, and forgotten too.
        self.said.push((was.id, last));
        Ok(Opened { was, kept })
    }

    fn write_partials(&self, row: i64, before: &Partials, after: &Partials) -> Result<(), Failure> {
        if after.first > before.first {
            self.sql
                .prepare_cached("DELETE FROM partials WHERE task = ?1 AND number < ?2")?
                .execute((row, after.first))?;
        }
        let mut insert =
            self.sql.prepare_cached("INSERT INTO partials (task, number, value) VALUES (?1, ?2, ?3)")?;
        let known = before.next().saturating_sub(after.first) as usize;
        for (number, value) in (after.first..).zip(&after.values).skip(known) {
            insert.execute((row, number, value.get()))?;
        }
        Ok(())
    }

    /// Writes a record that was opened, if it changed.
    fn close(&mut self, Opened { was, mut kept }: Opened) -> Result<Record, Failure> {
        if kept.record.epoch != was.epoch {
            kept.said = 0;
        }
        let is_changed = kept.record.rev != was.rev || kept.record.epoch != was.epoch;
        if is_changed {
            rows::update(self.sql, &was, &kept)?;
            self.changed.insert(was.id);
        }
        Ok(kept.record)
    }

    /// Writes all that was said.
    pub(super) fn write_said(&mut self) -> Result<(), Problem> {
        for id in self.shared.unwritten.tasks() {
            let written = match rows::by_id(self.sql, id) {
                Ok(Some(kept)) => self.open(kept).and_then(|opened| self.close(opened)).map(drop),
                Ok(None) => {
                    let said = self.shared.unwritten.take(id);
                    self.said.extend(said.last().map(|said| (id, said.last)));
                    Ok(())
                }
                Err(failure) => Err(failure),
            };
            match written {
                Ok(()) | Err(Failure::Refused(_)) => {}
                // Others do not wait for a task that cannot be read any more.
                Err(Failure::File(problem @ Problem::Damaged(_))) => {
                    let error = SqliteError::new(&self.shared.path, problem);
                    tracing::error!(task = %id, %error, "what a task said is lost");
                    let said = self.shared.unwritten.take(id);
                    self.said.extend(said.last().map(|said| (id, said.last)));
                }
                Err(Failure::File(problem)) => return Err(problem),
            }
        }
        Ok(())
    }

    /// Applies an event to a task.
    pub(super) fn apply(&mut self, id: TaskId, event: &Event) -> Result<Record, Failure> {
        let now = self.now();
        let kept = rows::there(self.sql, id, now)?.ok_or(StoreError::NotFound)?;
        let mut opened = self.open(kept)?;
        match opened.kept.record.apply(event, now) {
            Ok(Change::Record) => {}
            Ok(Change::Ended) => {
                if let Event::End(_, ending) = event {
                    self.sql
                        .prepare_cached("INSERT INTO endings (task, ending) VALUES (?1, ?2)")?
                        .execute((opened.kept.row, ending.to_bytes()))?;
                }
                self.ledger.ended(self.sql, &opened.kept.record.principal)?;
            }
            Err(refusal) => {
                self.close(opened)?;
                return Err(StoreError::Refused(refusal).into());
            }
        }
        self.close(opened)
    }

    /// Keeps an entry of a task's journal.
    pub(super) fn remember(&mut self, id: TaskId, epoch: Epoch, entry: &JournalEntry) -> Result<(), Failure> {
        let kept = rows::there(self.sql, id, self.now())?.ok_or(StoreError::NotFound)?;
        kept.record.may_write(epoch).map_err(StoreError::Refused)?;
        if self.write_entry(kept.row, entry)? {
            return Ok(());
        }
        Err(StoreError::Refused(Refusal::Remembered).into())
    }

    /// Whether the entry was written: there was none of its key.
    fn write_entry(&self, row: i64, entry: &JournalEntry) -> Result<bool, Failure> {
        let mut insert = self.sql.prepare_cached(
            "INSERT INTO journal (task, key, value) VALUES (?1, ?2, ?3) ON CONFLICT (task, key) DO NOTHING",
        )?;
        Ok(insert.execute((row, &entry.key, entry.value.get()))? > 0)
    }
}
