//! Records as rows, and back.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde_json::value::RawValue;

use super::super::{
    Epoch, Family, Job, NewTask, Principal, Question, Record, RequestKind, Status, StoreError, TaskId,
    Timestamp, WorkerId,
};
use super::error::{Failure, Problem};

/// A record as the file has it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The number of its row.
    pub(super) row: i64,
    pub(super) record: Record,
    /// The number of the last thing the run said that is in it; see [`Said`](super::said::Said).
    pub(super) said: i64,
}

/// A query of whole records: `$rest` is what follows `SELECT .. FROM tasks`.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT n, id, principal, kind, target, created_at, ttl, poll, parent, root, status, epoch, attempts, \
             worker, children, tool_failed, asks, has_job, ended_at, rev, updated_at, said, partials, progress, \
             total, message FROM tasks ",
            $rest
        )
    };
}
pub(super) use select;

fn damaged(what: &str) -> Failure {
    Problem::Damaged(what.to_owned()).into()
}

/// What is counted or measured is never negative, whatever the file says.
fn count<T: TryFrom<i64>>(number: i64, what: &str) -> Result<T, Failure> {
    T::try_from(number).map_err(|_| damaged(&format!("{number} is no {what}")))
}

fn timestamp(millis: i64) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_millis(count(millis, "point in time")?))
}

pub(super) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds, rounded up: what lasts a little does not become nothing.
fn span(span: Duration) -> i64 {
    i64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

fn kind_of(number: i64) -> Result<RequestKind, Failure> {
    Ok(match number {
        0 => RequestKind::CallTool,
        1 => RequestKind::GetPrompt,
        2 => RequestKind::ReadResource,
        3 => RequestKind::CreateMessage,
        4 => RequestKind::Elicit,
        _ => return Err(damaged(&format!("{number} is no kind of request"))),
    })
}

pub(super) fn number_of(kind: RequestKind) -> i64 {
    match kind {
        RequestKind::CallTool => 0,
        RequestKind::GetPrompt => 1,
        RequestKind::ReadResource => 2,
        RequestKind::CreateMessage => 3,
        RequestKind::Elicit => 4,
    }
}

fn status_of(number: i64) -> Result<Status, Failure> {
    Ok(match number {
        0 => Status::Working,
        1 => Status::InputRequired,
        2 => Status::Completed,
        3 => Status::Failed,
        4 => Status::Cancelled,
        _ => return Err(damaged(&format!("{number} is no status"))),
    })
}

fn status_number(status: Status) -> i64 {
    match status {
        Status::Working => 0,
        Status::InputRequired => 1,
        Status::Completed => 2,
        Status::Failed => 3,
        Status::Cancelled => 4,
    }
}

fn id_at(row: &Row<'_>, column: usize) -> Result<Option<TaskId>, Failure> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(bytes) => match bytes.try_into() {
            Ok(bytes) => Ok(Some(TaskId::from_bytes(bytes))),
            Err(_) => Err(damaged("an id has not sixteen bytes")),
        },
        _ => Err(damaged("an id is no bytes")),
    }
}

/// An id that must be there.
pub(super) fn id(row: &Row<'_>, column: usize) -> Result<TaskId, Failure> {
    id_at(row, column)?.ok_or_else(|| damaged("an id is missing"))
}

fn worker_of(number: Option<i64>) -> Result<Option<WorkerId>, Failure> {
    let number = number.map(|number| count(number, "worker")).transpose()?;
    Ok(number.and_then(WorkerId::new))
}

/// A worker's number always fits.
pub(super) fn worker_number(worker: WorkerId) -> i64 {
    worker.number().cast_signed()
}

/// JSON that was kept.
pub(super) fn json(text: String, what: &str) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(text).map_err(|error| damaged(&format!("{what} are no JSON: {error}")))
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<&'a str>, Failure> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        value => value.as_str().map(Some).map_err(|error| damaged(&error.to_string())),
    }
}

/// Reads a row of [`select!`], with what other tables have of it.
pub(super) fn read(sql: &Connection, row: &Row<'_>) -> Result<Kept, Failure> {
    let place: i64 = row.get(0)?;
    let (parent, root) = (id_at(row, 8)?, id_at(row, 9)?);
    let children: u32 = count(row.get(14)?, "number of children")?;
    let (asks, has_job): (bool, bool) = (row.get(16)?, row.get(17)?);
    let progress: Option<f64> = row.get(23)?;
    let record = Record {
        id: id(row, 1)?,
        principal: Principal::new(text(row, 2)?.unwrap_or_default()),
        kind: kind_of(row.get(3)?)?,
        target: text(row, 4)?.unwrap_or_default().into(),
        created_at: timestamp(row.get(5)?)?,
        updated_at: timestamp(row.get(20)?)?,
        ended_at: row.get::<_, Option<i64>>(18)?.map(timestamp).transpose()?,
        ttl: Duration::from_millis(count(row.get(6)?, "TTL")?),
        poll: Duration::from_millis(count(row.get(7)?, "poll interval")?),
        status: status_of(row.get(10)?)?,
        message: text(row, 25)?.map(Arc::from),
        progress: progress.map(|progress| row.get(24).map(|total| (progress, total))).transpose()?,
        tool_failed: row.get(15)?,
        questions: if asks { questions(sql, place)? } else { None },
        rev: count(row.get(19)?, "revision")?,
        epoch: Epoch::new(count(row.get(11)?, "epoch")?),
        attempts: count(row.get(12)?, "number of attempts")?,
        partials: count(row.get(22)?, "number of partial results")?,
        worker: worker_of(row.get(13)?)?,
        family: (parent.is_some() || children > 0).then(|| Box::new(Family { parent, root, children })),
        job: if has_job { job(sql, place)? } else { None },
    };
    Ok(Kept { row: place, record, said: row.get(21)? })
}

/// The record that a query of [`select!`] finds, if there is one.
pub(super) fn one(sql: &Connection, query: &str, params: impl Params) -> Result<Option<Kept>, Failure> {
    let mut statement = sql.prepare_cached(query)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(|row| read(sql, row)).transpose()
}

/// The records that a query of [`select!`] finds.
pub(super) fn all(sql: &Connection, query: &str, params: impl Params) -> Result<Vec<Kept>, Failure> {
    let mut statement = sql.prepare_cached(query)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(sql, row)?);
    }
    Ok(found)
}

/// The record of this id, whether or not it has expired.
pub(super) fn by_id(sql: &Connection, id: TaskId) -> Result<Option<Kept>, Failure> {
    one(sql, select!("WHERE id = ?1"), (id.as_bytes(),))
}

/// The record of this id, if it is there. A child is there as long as its root.
pub(super) fn there(sql: &Connection, id: TaskId, now: Timestamp) -> Result<Option<Kept>, Failure> {
    let Some(kept) = by_id(sql, id)? else { return Ok(None) };
    let is_there = match kept.record.root() {
        Some(root) => {
            let mut statement =
                sql.prepare_cached("SELECT ifnull(expires_at > ?2, TRUE) FROM tasks WHERE id = ?1")?;
            statement.query_row((root.as_bytes(), millis(now)), |row| row.get(0)).optional()?.unwrap_or(false)
        }
        None => !kept.record.is_expired(now),
    };
    Ok(is_there.then_some(kept))
}

fn questions(sql: &Connection, row: i64) -> Result<Option<Arc<Vec<Question>>>, Failure> {
    let mut statement = sql.prepare_cached("SELECT list FROM questions WHERE task = ?1")?;
    let list: Option<String> = statement.query_row((row,), |row| row.get(0)).optional()?;
    let read = |list: String| serde_json::from_str(&list);
    list.map(read)
        .transpose()
        .map_err(|error| damaged(&format!("the questions of a task cannot be read: {error}")))
}

fn job(sql: &Connection, row: i64) -> Result<Option<Arc<Job>>, Failure> {
    let mut statement = sql.prepare_cached("SELECT handle, polled_at FROM jobs WHERE task = ?1")?;
    let kept = statement.query_row((row,), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((handle, polled_at)) = kept else { return Ok(None) };
    let handle = Arc::from(json(handle, "the handle of a job")?);
    let polled_at: Option<i64> = polled_at;
    Ok(Some(Arc::new(Job { handle, polled_at: polled_at.map(timestamp).transpose()? })))
}

/// Writes the row of a new task, and gives its number; `None` if the id is taken.
pub(super) fn insert(sql: &Connection, new: &NewTask, record: &Record) -> Result<Option<i64>, Failure> {
    let mut statement = sql.prepare_cached(
        "INSERT INTO tasks (id, principal, kind, target, key, created_at, ttl, poll, parent, root, status, epoch, \
         attempts, worker, children, tool_failed, asks, has_job, rev, updated_at, said, partials) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, 0, ?12, 0, FALSE, FALSE, FALSE, ?13, ?6, 0, 0) \
         ON CONFLICT (id) DO NOTHING",
    )?;
    let inserted = statement.execute(params![
        record.id.as_bytes(),
        record.principal.as_str(),
        number_of(record.kind),
        record.target,
        new.key,
        millis(record.created_at),
        span(record.ttl),
        span(record.poll),
        record.parent().as_ref().map(TaskId::as_bytes),
        record.root().as_ref().map(TaskId::as_bytes),
        record.epoch.number(),
        record.worker.map(worker_number),
        record.rev.cast_signed(),
    ])?;
    Ok((inserted > 0).then(|| sql.last_insert_rowid()))
}

/// Writes what changed of a record. What only changed in what a run says of itself touches no index.
pub(super) fn update(sql: &Connection, was: &Record, kept: &Kept) -> Result<(), Failure> {
    let Kept { row, record, said } = kept;
    let (progress, total) = record.progress.unzip();
    sql.prepare_cached(
        "UPDATE tasks SET rev = ?2, updated_at = ?3, said = ?4, partials = ?5, progress = ?6, total = ?7, message = ?8 \
         WHERE n = ?1",
    )?
    .execute(params![
        row,
        record.rev.cast_signed(),
        millis(record.updated_at),
        said,
        record.partials,
        progress,
        total.flatten(),
        record.message,
    ])?;
    let children = |record: &Record| record.family.as_ref().map_or(0, |family| family.children);
    if !is_same(was.questions.as_ref(), record.questions.as_ref()) {
        write_questions(sql, *row, record)?;
    } else if was.epoch == record.epoch
        && was.status == record.status
        && was.worker == record.worker
        && children(was) == children(record)
    {
        return Ok(());
    }
    sql.prepare_cached(
        "UPDATE tasks SET status = ?2, epoch = ?3, attempts = ?4, worker = ?5, children = ?6, tool_failed = ?7, \
         asks = ?8, has_job = ?9, ended_at = ?10, expires_at = ?11 WHERE n = ?1",
    )?
    .execute(params![
        row,
        status_number(record.status),
        record.epoch.number(),
        record.attempts,
        record.worker.map(worker_number),
        children(record),
        record.tool_failed,
        record.questions.is_some(),
        record.job.is_some(),
        record.ended_at.map(millis),
        record.expires_at().map(millis),
    ])?;
    if !is_same(was.job.as_ref(), record.job.as_ref())
        && let Some(job) = &record.job
    {
        sql.prepare_cached("INSERT OR REPLACE INTO jobs (task, handle, polled_at) VALUES (?1, ?2, ?3)")?
            .execute(params![row, job.handle.get(), job.polled_at.map(millis)])?;
    }
    Ok(())
}

fn is_same<T>(was: Option<&Arc<T>>, is: Option<&Arc<T>>) -> bool {
    match (was, is) {
        (Some(was), Some(is)) => Arc::ptr_eq(was, is),
        (None, None) => true,
        _ => false,
    }
}

fn write_questions(sql: &Connection, row: i64, record: &Record) -> Result<(), Failure> {
    let Some(questions) = &record.questions else {
        sql.prepare_cached("DELETE FROM questions WHERE task = ?1")?.execute((row,))?;
        return Ok(());
    };
    let list = serde_json::to_string(questions)
        .map_err(|error| StoreError::Failed("writing the questions of a task", Box::new(error)))?;
    sql.prepare_cached("INSERT OR REPLACE INTO questions (task, list) VALUES (?1, ?2)")?
        .execute((row, list))?;
    Ok(())
}
