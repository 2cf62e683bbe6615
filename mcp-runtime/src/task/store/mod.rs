//! Where records live.
//!
//! A store loads a record, applies an event by [`Record::apply`], and stores it, in one transaction. It has no rules of
//! its own about what may become of a task. [`contract::check`] proves a store of your own.

pub mod contract;
mod faulty;
mod memory;
mod random;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

pub use faulty::{Fault, Faults, Faulty, Operation};
pub use memory::{Clock, Memory};
#[cfg(feature = "sqlite")]
pub use sqlite::{Sqlite, SqliteError, SqliteOptions, Synchronous};

pub use super::identity::{Epoch, NotATaskId, Principal, TaskId, WorkerId};
pub use super::journal::JournalEntry;
pub use super::origin::{Origin, TraceContext};
pub use super::partial::{Bounds, Partial, Partials};
pub use super::record::{Change, Event, Family, Job, Question, Record, Refusal, Report, RequestKind, Status};
pub use crate::input::{InputRequest, InputResponse};
pub use crate::protocol::payload::Ending;
pub use crate::protocol::stored::NotAnEnding;
pub use crate::protocol::time::Timestamp;

/// What a store's methods give.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps the records of tasks. All clocks are the store's.
///
/// Every future may be dropped at any point: the operation has then happened in whole or not at all.
pub trait TaskStore: Send + Sync + 'static {
    /// Records a new task, durably once this returns.
    ///
    /// If the same principal already used the same key for the same target, nothing is made and the record that is
    /// there comes back; with other arguments it is [`StoreError::KeyConflict`]. Limits are judged in the same
    /// transaction: [`StoreError::Limit`].
    fn create(&self, task: NewTask) -> StoreFuture<'_, Created>;

    /// The record of a task. One that has expired is not there, whether or not it was removed yet.
    fn get(&self, id: TaskId) -> StoreFuture<'_, Option<Record>>;

    /// How a task ended; `None` while it works, and if it is not there.
    fn ending(&self, id: TaskId) -> StoreFuture<'_, Option<Arc<Ending>>>;

    /// Applies an event: the one way in which a record changes. Gives the changed record.
    fn apply(&self, id: TaskId, event: Event) -> StoreFuture<'_, Record>;

    /// Applies [`Event::Report`], without waiting for it.
    ///
    /// A store may merge reports that come fast, as long as the last one is kept. What is refused is dropped: it comes
    /// from a run that is over.
    fn report(&self, id: TaskId, epoch: Epoch, report: Report);

    /// Keeps a partial result, in order, without waiting for it, and applies [`Event::Partial`]. What is refused is
    /// dropped, as with [`report`](Self::report); so is what an earlier run gave already: see [`Partials::add`].
    fn partial(&self, id: TaskId, epoch: Epoch, partial: Partial);

    /// The partial results that are kept, from the one with this number on; nothing if the task is not there.
    fn partials(&self, id: TaskId, from: u32) -> StoreFuture<'_, Partials>;

    /// Keeps what a run must remember, durably once this returns. It is refused as an event of that epoch would be; what
    /// is remembered under the same key already is [`Refusal::Remembered`].
    fn remember(&self, id: TaskId, epoch: Epoch, entry: JournalEntry) -> StoreFuture<'_, ()>;

    /// The tasks that a task runs as parts of itself, oldest first.
    fn children(&self, parent: TaskId) -> StoreFuture<'_, Vec<Record>>;

    /// The tasks of a principal, oldest first, after the given place. Children are not among them.
    fn list(&self, principal: &Principal, after: Option<Place>, limit: usize)
    -> StoreFuture<'_, Vec<Record>>;

    /// Removes tasks that have expired, at most `limit` of them and their children, and says when there will be more to
    /// do.
    fn expire(&self, limit: usize) -> StoreFuture<'_, Expired>;

    /// Takes over tasks that nobody works at, and gives what is needed to go on with them: [`Event::Claim`] on each.
    ///
    /// Those are at most `limit` [orphans](Record::is_orphan), oldest first, whose worker has no lease; or, if `only`
    /// names a task, that one alone, in whatever state short of an end, if its worker has no lease. What this very worker
    /// holds is not given to it again. If it gets any, its lease is renewed in the same transaction.
    fn claim(&self, lease: Lease, only: Option<TaskId>, limit: usize) -> StoreFuture<'_, Vec<Claimed>>;

    /// Gives a worker a lease from now on, and says which tasks it holds.
    fn heartbeat(&self, lease: Lease) -> StoreFuture<'_, Vec<TaskId>>;

    /// Ends the lease of a worker.
    fn retire(&self, worker: WorkerId) -> StoreFuture<'_, ()>;

    /// At most `limit` tasks whose jobs nobody has asked for this long: [`Record::is_forgotten`]. Oldest first.
    fn forgotten(&self, span: Duration, limit: usize) -> StoreFuture<'_, Vec<TaskId>>;

    /// Waits until other processes have changed tasks, and names those that they changed: hints, of which some may be
    /// lost. Waits for ever where there are no other processes. Cancel safe.
    fn changes(&self) -> StoreFuture<'_, Vec<TaskId>> {
        Box::pin(std::future::pending())
    }

    /// Whether tasks outlive the process, so that another one can take them up.
    fn is_durable(&self) -> bool;
}

/// A store that several have.
impl<S: TaskStore + ?Sized> TaskStore for Arc<S> {
    fn create(&self, task: NewTask) -> StoreFuture<'_, Created> {
        (**self).create(task)
    }

    fn get(&self, id: TaskId) -> StoreFuture<'_, Option<Record>> {
        (**self).get(id)
    }

    fn ending(&self, id: TaskId) -> StoreFuture<'_, Option<Arc<Ending>>> {
        (**self).ending(id)
    }

    fn apply(&self, id: TaskId, event: Event) -> StoreFuture<'_, Record> {
        (**self).apply(id, event)
    }

    fn report(&self, id: TaskId, epoch: Epoch, report: Report) {
        (**self).report(id, epoch, report);
    }

    fn partial(&self, id: TaskId, epoch: Epoch, partial: Partial) {
        (**self).partial(id, epoch, partial);
    }

    fn partials(&self, id: TaskId, from: u32) -> StoreFuture<'_, Partials> {
        (**self).partials(id, from)
    }

    fn remember(&self, id: TaskId, epoch: Epoch, entry: JournalEntry) -> StoreFuture<'_, ()> {
        (**self).remember(id, epoch, entry)
    }

    fn children(&self, parent: TaskId) -> StoreFuture<'_, Vec<Record>> {
        (**self).children(parent)
    }

    fn list(
        &self,
        principal: &Principal,
        after: Option<Place>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Record>> {
        (**self).list(principal, after, limit)
    }

    fn expire(&self, limit: usize) -> StoreFuture<'_, Expired> {
        (**self).expire(limit)
    }

    fn claim(&self, lease: Lease, only: Option<TaskId>, limit: usize) -> StoreFuture<'_, Vec<Claimed>> {
        (**self).claim(lease, only, limit)
    }

    fn heartbeat(&self, lease: Lease) -> StoreFuture<'_, Vec<TaskId>> {
        (**self).heartbeat(lease)
    }

    fn retire(&self, worker: WorkerId) -> StoreFuture<'_, ()> {
        (**self).retire(worker)
    }

    fn forgotten(&self, span: Duration, limit: usize) -> StoreFuture<'_, Vec<TaskId>> {
        (**self).forgotten(span, limit)
    }

    fn changes(&self) -> StoreFuture<'_, Vec<TaskId>> {
        (**self).changes()
    }

    fn is_durable(&self) -> bool {
        (**self).is_durable()
    }
}

/// A task to be recorded.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Its name.
    pub id: TaskId,
    /// Whose it is.
    pub principal: Principal,
    /// What kind of request it stands for.
    pub kind: RequestKind,
    /// The name of the tool or prompt, or the URI of the resource.
    pub target: Arc<str>,
    /// The arguments object as it came.
    pub arguments: Box<RawValue>,
    /// What makes a repeated creation harmless.
    pub key: Option<Box<str>>,
    /// How long it is kept once it has ended.
    pub ttl: Duration,
    /// How often a client should ask.
    pub poll: Duration,
    /// What may be there at most, this task included.
    pub quota: Quota,
    /// Who is about to run it.
    pub worker: Option<WorkerId>,
    /// The task that this one is to be a part of. [`Event::Adopt`] is applied to it in the same transaction.
    pub parent: Option<Parent>,
    /// Where it comes from.
    pub origin: Origin,
    /// What it remembers from the beginning: its run had begun as a call.
    pub journal: Vec<JournalEntry>,
}

/// The task of which another is to be a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The task.
    pub id: TaskId,
    /// The run of it that wants this.
    pub epoch: Epoch,
    /// The task above all.
    pub root: TaskId,
}

/// What a worker has on all of its tasks: nobody else takes them while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The worker.
    pub worker: WorkerId,
    /// How long it lasts from when it is given or renewed, by the store's clock.
    pub span: Duration,
}

/// A task that was taken over, with what is needed to go on with it.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its record, as it is now.
    pub record: Record,
    /// Its arguments.
    pub arguments: Box<RawValue>,
    /// Where it comes from.
    pub origin: Origin,
    /// What earlier runs remembered, in that order.
    pub journal: Vec<JournalEntry>,
}

/// How many tasks there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// At work, for everybody together.
    pub running: usize,
    /// At work, for one principal.
    pub running_for_principal: usize,
    /// Kept, for everybody together: at work, or over and not yet expired.
    pub kept: usize,
    /// The same for one principal.
    pub kept_for_principal: usize,
}

/// What came of [`TaskStore::create`].
#[derive(Clone, Debug)]
pub struct Created {
    /// The record.
    pub record: Record,
    /// Whether it was there before, made by an earlier request with the same key.
    pub existing: bool,
}

/// Where a listing goes on: after the task that was created then and has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub Timestamp, pub TaskId);

/// What came of [`TaskStore::expire`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// How many tasks were removed, their children not counted.
    pub removed: usize,
    /// How long until the next one expires; `None` if no task waits for that.
    pub next: Option<Duration>,
}

/// Why a store did not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such task (any more).
    NotFound,
    /// The event changes nothing.
    Refused(Refusal),
    /// The key was used before, with other arguments.
    KeyConflict,
    /// A limit is reached: its name, and its value.
    Limit(&'static str, usize),
    /// The store itself failed: what it was doing, and why.
    Failed(&'static str, Box<dyn Error + Send + Sync>),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such task"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::KeyConflict => f.write_str("the idempotency key was used before, with other arguments"),
            Self::Limit(name, value) => write!(f, "the limit `{name}` is reached ({value})"),
            Self::Failed(doing, error) => write!(f, "{doing} failed: {error}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(_, error) => Some(&**error),
            _ => None,
        }
    }
}
