//! Records in an SQLite file: they outlive the process.
//!
//! One thread writes, and commits what several callers want at once; readers have connections of their own and wait for
//! nobody. What must not be lost (a new task, its end, an answer, a step) is on the disk when its future ends. What a
//! run says of itself on the way is written a few times a second, and seen at once by whoever asks this process.

mod error;
mod feed;
mod file;
mod lock;
mod queue;
mod readers;
mod reading;
mod rows;
mod said;
mod schema;
mod writer;
mod writing;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

pub use self::error::SqliteError;
use self::error::{Failure, Problem};
use self::feed::Feed;
use self::lock::Presence;
use self::queue::{Asked, Queue};
use self::readers::Readers;
use self::reading::Reading;
use self::said::Unwritten;
use self::writer::Writer;
use self::writing::Writing;
use super::memory::SystemClock;
use super::{
    Claimed, Clock, Created, Ending, Epoch, Event, Expired, JournalEntry, Lease, NewTask, Partial, Partials,
    Place, Principal, Record, Report, StoreError, StoreFuture, TaskId, TaskStore, WorkerId,
};

/// Tasks in an SQLite file, which are there again when the process is.
///
/// ```
/// use mcp_runtime::prelude::*;
/// use mcp_runtime::store::Sqlite;
///
/// # let directory = std::env::temp_dir().join(format!("mcp-runtime-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("tasks.db");
/// let store = Sqlite::open(&path)?;
/// let server = Server::new("archive", "1.0.0").tasks(Tasks::store(store));
/// # drop(server);
/// # std::fs::remove_dir_all(directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Several processes may use one file, on one machine: each works at its own tasks, and takes over those of one that
/// is gone. Beside `tasks.db` there are `tasks.db-wal` and `tasks.db-shm`, which belong to it, and `tasks.db-lock`, by
/// which processes know of each other. A file of a network file system is no place for it.
///
/// Tasks that have expired leave room in the file that new ones use; the file itself does not shrink.
pub struct Sqlite {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

/// Where tasks are kept, and how safely; for [`Sqlite::at`].
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct SqliteOptions {
    path: PathBuf,
    synchronous: Synchronous,
}

/// When what was written is safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Once the disk has it: nothing that was answered is lost, even if the power fails. Writers wait for the disk
    /// together.
    #[default]
    Full,
    /// Once the system has it: nothing is lost if the process dies. If the machine does, the last moments may be, but the
    /// file stays whole.
    Normal,
}

/// What the threads share.
struct Shared {
    path: Arc<Path>,
    clock: Box<dyn Clock>,
    queue: Queue,
    unwritten: Unwritten,
    readers: Readers,
    _presence: Presence,
}

/// An ending of more bytes is read on a thread where nobody waits.
const LARGE: usize = 64 * 1024;

/// How often it is looked whether another process changed something, while somebody wants to know.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

impl Sqlite {
    /// Opens a file of tasks, or makes one. This waits for the disk.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SqliteError> {
        Self::at(path).open()
    }

    /// Where tasks are kept: to say more of it before it is opened.
    pub fn at(path: impl Into<PathBuf>) -> SqliteOptions {
        SqliteOptions { path: path.into(), synchronous: Synchronous::default() }
    }
}

impl SqliteOptions {
    /// When what was written is safe. Default: [`Synchronous::Full`].
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Opens the file, or makes it. This waits for the disk.
    pub fn open(&self) -> Result<Sqlite, SqliteError> {
        self.open_with_clock(SystemClock)
    }

    /// The same with a clock of your own, for tests in which time passes at will.
    pub fn open_with_clock(&self, clock: impl Clock) -> Result<Sqlite, SqliteError> {
        let path: Arc<Path> = self.path.as_path().into();
        let wrong = |problem: Problem| SqliteError::new(&path, problem);
        let file::Opened { writer: sql, presence } = file::open(&path, self.synchronous)?;
        let readers = Readers::open(&path).map_err(wrong)?;
        let feed = Feed::open(&sql).map_err(|error| wrong(error.into()))?;
        let shared = Arc::new(Shared {
            path: Arc::clone(&path),
            clock: Box::new(clock),
            queue: Queue::default(),
            unwritten: Unwritten::default(),
            readers,
            _presence: presence,
        });
        let writer = Writer { sql, shared: Arc::clone(&shared), feed };
        let writer = thread::Builder::new()
            .name("mcp tasks".to_owned())
            .spawn(move || writer.run())
            .map_err(|_| wrong(Problem::NoWriter))?;
        Ok(Sqlite { shared, writer: Some(writer) })
    }
}

impl<P: Into<PathBuf>> From<P> for SqliteOptions {
    fn from(path: P) -> Self {
        Sqlite::at(path)
    }
}

impl Shared {
    fn failed(&self, doing: &'static str, problem: Problem) -> StoreError {
        Failure::File(problem).told(doing, &self.path)
    }

    /// Reads here and now: what a look-up by id costs is less than the way to another thread.
    fn read<T>(
        &self,
        doing: &'static str,
        ask: impl FnOnce(Reading<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let sql = self.readers.get();
        let reading = Reading { sql: &sql, unwritten: &self.unwritten, now: self.clock.now() };
        ask(reading).map_err(|failure| failure.told(doing, &self.path))
    }

    /// Reads what may be much on a thread where nobody waits, if there is one.
    async fn read_apart<T: Send + 'static>(
        self: &Arc<Self>,
        doing: &'static str,
        ask: impl FnOnce(Reading<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return self.read(doing, ask) };
        let shared = Arc::clone(self);
        let read = runtime.spawn_blocking(move || shared.read(doing, ask)).await;
        read.unwrap_or_else(|_| Err(self.failed(doing, Problem::Abandoned)))
    }

    /// Has the writer do this, and waits until it is on the disk. Who stops waiting does not stop it.
    async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        run: impl FnMut(&mut Writing<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Box::new(Asked { doing, run, outcome: None, answer }));
        answered.await.unwrap_or_else(|_| Err(self.failed(doing, Problem::NoWriter)))
    }
}

impl TaskStore for Sqlite {
    fn create(&self, task: NewTask) -> StoreFuture<'_, Created> {
        Box::pin(self.shared.write("recording a task", move |writing| writing.create(&task)))
    }

    fn get(&self, id: TaskId) -> StoreFuture<'_, Option<Record>> {
        Box::pin(async move { self.shared.read("looking up a task", |reading| reading.record(id)) })
    }

    fn ending(&self, id: TaskId) -> StoreFuture<'_, Option<Arc<Ending>>> {
        const DOING: &str = "reading the result of a task";
        Box::pin(async move {
            match self.shared.read(DOING, |reading| reading.ending(id, LARGE))? {
                (ending, true) => Ok(ending),
                (_, false) => {
                    Ok(self.shared.read_apart(DOING, move |reading| reading.ending(id, usize::MAX)).await?.0)
                }
            }
        })
    }

    fn apply(&self, id: TaskId, event: Event) -> StoreFuture<'_, Record> {
        Box::pin(self.shared.write("changing a task", move |writing| writing.apply(id, &event)))
    }

    fn report(&self, id: TaskId, epoch: Epoch, report: Report) {
        self.shared.unwritten.report(id, epoch, report, self.shared.clock.now());
        self.shared.queue.said(false);
    }

    fn partial(&self, id: TaskId, epoch: Epoch, partial: Partial) {
        let are_many = self.shared.unwritten.partial(id, epoch, partial, self.shared.clock.now());
        self.shared.queue.said(are_many);
    }

    fn partials(&self, id: TaskId, from: u32) -> StoreFuture<'_, Partials> {
        let read = move |reading: Reading<'_>| reading.partials(id, from);
        Box::pin(self.shared.read_apart("reading partial results", read))
    }

    fn remember(&self, id: TaskId, epoch: Epoch, entry: JournalEntry) -> StoreFuture<'_, ()> {
        Box::pin(self.shared.write("remembering a step", move |writing| writing.remember(id, epoch, &entry)))
    }

    fn children(&self, parent: TaskId) -> StoreFuture<'_, Vec<Record>> {
        let read = move |reading: Reading<'_>| reading.children(parent);
        Box::pin(self.shared.read_apart("reading the children of a task", read))
    }

    fn list(
        &self,
        principal: &Principal,
        after: Option<Place>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Record>> {
        let principal = principal.clone();
        let read = move |reading: Reading<'_>| reading.list(&principal, after, limit);
        Box::pin(self.shared.read_apart("listing tasks", read))
    }

    fn expire(&self, limit: usize) -> StoreFuture<'_, Expired> {
        Box::pin(self.shared.write("removing expired tasks", move |writing| writing.expire(limit)))
    }

    fn claim(&self, lease: Lease, only: Option<TaskId>, limit: usize) -> StoreFuture<'_, Vec<Claimed>> {
        Box::pin(self.shared.write("taking over tasks", move |writing| writing.claim(lease, only, limit)))
    }

    fn heartbeat(&self, lease: Lease) -> StoreFuture<'_, Vec<TaskId>> {
        Box::pin(self.shared.write("renewing the lease of a worker", move |writing| writing.heartbeat(lease)))
    }

    fn retire(&self, worker: WorkerId) -> StoreFuture<'_, ()> {
        Box::pin(self.shared.write("ending the lease of a worker", move |writing| writing.retire(worker)))
    }

    fn forgotten(&self, span: Duration, limit: usize) -> StoreFuture<'_, Vec<TaskId>> {
        let read = move |reading: Reading<'_>| reading.forgotten(span, limit);
        Box::pin(self.shared.read_apart("looking for jobs that nobody asks", read))
    }

    fn changes(&self) -> StoreFuture<'_, Vec<TaskId>> {
        Box::pin(async move {
            loop {
                let (look, seen) = oneshot::channel();
                self.shared.queue.look(look);
                let doing = "looking for changes by other processes";
                let seen = seen.await.map_err(|_| self.shared.failed(doing, Problem::NoWriter))?;
                let tasks = seen.map_err(|error| StoreError::Failed(doing, Box::new(error)))?;
                if !tasks.is_empty() {
                    return Ok(tasks);
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        })
    }

    fn is_durable(&self) -> bool {
        true
    }
}

impl Drop for Sqlite {
    /// What waits is written first.
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.shared.path).finish_non_exhaustive()
    }
}
