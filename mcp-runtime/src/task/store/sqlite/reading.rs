//! What can be asked of the file: each with what was said and is not written yet.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};
use serde_json::value::RawValue;

use super::super::{Ending, JournalEntry, Origin, Partials, Place, Principal, Record, TaskId, Timestamp};
use super::error::{Failure, Problem};
use super::rows::{self, Kept, select};
use super::said::{Said, Unwritten};

/// A connection to read by, with what the file does not have yet.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) sql: &'a Connection,
    pub(super) unwritten: &'a Unwritten,
    pub(super) now: Timestamp,
}

impl Reading<'_> {
    /// Everything that is asked in here, at one point in time.
    pub(super) fn at_once<T>(self, ask: impl FnOnce(Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let transaction = self.sql.unchecked_transaction()?;
        let answer = ask(self)?;
        transaction.finish()?;
        Ok(answer)
    }

    /// The record of a task.
    pub(super) fn record(self, id: TaskId) -> Result<Option<Record>, Failure> {
        let said = self.unwritten.of(id);
        if said.is_empty() {
            return Ok(rows::there(self.sql, id, self.now)?.map(|kept| kept.record));
        }
        self.at_once(|reading| {
            let kept = rows::there(reading.sql, id, reading.now)?;
            kept.map(|kept| reading.with(kept, &said)).transpose()
        })
    }

    fn with(self, mut kept: Kept, said: &[Said]) -> Result<Record, Failure> {
        for said in said {
            if said.is_new_to(&kept) && said.needs_partials(&kept.record) {
                let mut partials = partials(self.sql, &kept)?;
                said.put(&mut kept, Some(&mut partials));
            } else {
                said.put(&mut kept, None);
            }
        }
        Ok(kept.record)
    }

    /// How a task ended, if its ending has no more than so many bytes; and whether it has.
    pub(super) fn ending(self, id: TaskId, most: usize) -> Result<(Option<Arc<Ending>>, bool), Failure> {
        let Some(kept) = rows::there(self.sql, id, self.now)? else { return Ok((None, true)) };
        let mut statement =
            self.sql.prepare_cached("SELECT length(ending), ending FROM endings WHERE task = ?1")?;
        let mut rows = statement.query((kept.row,))?;
        let Some(row) = rows.next()? else { return Ok((None, true)) };
        // Its length is known without reading it.
        if row.get::<_, i64>(0)? > i64::try_from(most).unwrap_or(i64::MAX) {
            return Ok((None, false));
        }
        let bytes = row.get_ref(1)?.as_blob().map_err(|error| Problem::Damaged(error.to_string()))?;
        let ending = Ending::from_bytes(bytes).map_err(|error| Problem::Damaged(error.to_string()))?;
        Ok((Some(Arc::new(ending)), true))
    }

    /// The partial results of a task from this number on.
    pub(super) fn partials(self, id: TaskId, from: u32) -> Result<Partials, Failure> {
        let said = self.unwritten.of(id);
        self.at_once(|reading| {
            let Some(mut kept) = rows::there(reading.sql, id, reading.now)? else {
                return Ok(Partials::default());
            };
            let mut partials = partials(reading.sql, &kept)?;
            for said in &said {
                said.put(&mut kept, Some(&mut partials));
            }
            Ok(partials.from(from))
        })
    }

    /// The children of a task, oldest first.
    pub(super) fn children(self, parent: TaskId) -> Result<Vec<Record>, Failure> {
        self.records(|reading| {
            if rows::there(reading.sql, parent, reading.now)?.is_none() {
                return Ok(Vec::new());
            }
            rows::all(reading.sql, select!("WHERE parent = ?1 ORDER BY n"), (parent.as_bytes(),))
        })
    }

    /// The tasks of a principal, oldest first, without children.
    pub(super) fn list(
        self,
        of: &Principal,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Record>, Failure> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let now = rows::millis(self.now);
        self.records(|reading| match after {
            None => rows::all(
                reading.sql,
                select!(
                    "WHERE principal = ?1 AND parent IS NULL AND ifnull(expires_at > ?2, TRUE) \
                     ORDER BY created_at, id LIMIT ?3"
                ),
                (of.as_str(), now, limit),
            ),
            Some(Place(at, id)) => rows::all(
                reading.sql,
                select!(
                    "WHERE principal = ?1 AND parent IS NULL AND ifnull(expires_at > ?2, TRUE) \
                     AND (created_at, id) > (?4, ?5) ORDER BY created_at, id LIMIT ?3"
                ),
                (of.as_str(), now, limit, rows::millis(at), id.as_bytes()),
            ),
        })
    }

    /// The tasks whose jobs nobody has asked for this long, oldest first.
    pub(super) fn forgotten(self, span: Duration, limit: usize) -> Result<Vec<TaskId>, Failure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id FROM jobs JOIN tasks ON n = task WHERE status < 2 AND ifnull(polled_at, updated_at) <= ?1 \
             ORDER BY created_at, id LIMIT ?2",
        )?;
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let latest = rows::millis(self.now).saturating_sub(span);
        let mut rows = statement.query((latest, i64::try_from(limit).unwrap_or(i64::MAX)))?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            ids.push(rows::id(row, 0)?);
        }
        Ok(ids)
    }

    /// Several records. Which ones is only known when they were read, and what was written in just that moment would be
    /// missed: then they are read again.
    fn records(self, read: impl Fn(Self) -> Result<Vec<Kept>, Failure>) -> Result<Vec<Record>, Failure> {
        let mut attempts = 0;
        loop {
            let writes = self.unwritten.writes();
            let records = self.at_once(|reading| {
                let with = |kept: Kept| {
                    let said = reading.unwritten.of(kept.record.id);
                    reading.with(kept, &said)
                };
                read(reading)?.into_iter().map(with).collect()
            })?;
            attempts += 1;
            if self.unwritten.writes() == writes || attempts == 3 {
                return Ok(records);
            }
        }
    }
}

/// The partial results that are in the file.
pub(super) fn partials(sql: &Connection, kept: &Kept) -> Result<Partials, Failure> {
    let (mut first, mut values) = (kept.record.partials, VecDeque::new());
    if kept.record.partials == 0 {
        return Ok(Partials::default());
    }
    let mut statement =
        sql.prepare_cached("SELECT number, value FROM partials WHERE task = ?1 ORDER BY number")?;
    let mut rows = statement.query((kept.row,))?;
    while let Some(row) = rows.next()? {
        if values.is_empty() {
            first = row.get(0)?;
        }
        values.push_back(Arc::from(rows::json(row.get(1)?, "the partial results of a task")?));
    }
    Ok(Partials::new(first, values))
}

/// The arguments of a task, where it comes from, and what it remembers.
pub(super) fn inputs(
    sql: &Connection,
    row: i64,
) -> Result<(Box<RawValue>, Origin, Vec<JournalEntry>), Failure> {
    let mut statement = sql.prepare_cached("SELECT arguments, origin FROM inputs WHERE task = ?1")?;
    let kept = statement.query_row((row,), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (arguments, origin): (String, String) =
        kept.ok_or_else(|| Problem::Damaged("the arguments of a task are missing".into()))?;
    let arguments = rows::json(arguments, "the arguments of a task")?;
    let origin = Origin::from_json(&origin)
        .map_err(|error| Problem::Damaged(format!("where a task comes from cannot be read: {error}")))?;
    let mut statement = sql.prepare_cached("SELECT key, value FROM journal WHERE task = ?1 ORDER BY n")?;
    let mut rows = statement.query((row,))?;
    let mut journal = Vec::new();
    while let Some(row) = rows.next()? {
        let key: Arc<str> = row.get(0)?;
        let value = rows::json(row.get(1)?, "what a task remembers")?;
        journal.push(JournalEntry { key, value });
    }
    Ok((arguments, origin, journal))
}
