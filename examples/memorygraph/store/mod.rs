//! What is written to disk, and when: one thread writes, commits what several callers want at once, and answers each of
//! them only when the disk has it.

pub(crate) mod rows;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::oneshot;

use self::rows::StoredMemory;
use crate::error::GraphError;
use crate::graph::{Tables, Writing};
use crate::model::{Moment, Slot};
use crate::search::Library;
use crate::search::semantic::Model;

/// How long it may take until the disk knows how often memories were read: it is not worth a commit of its own.
const LAZILY: Duration = Duration::from_secs(2);
/// Memories that were read, of which the disk does not know for how long.
const MANY: usize = 1000;
/// Memories that the index learns from while nobody else may look at it.
const LEARNT_AT_ONCE: usize = 64;
/// Memories that are read before they are indexed.
const READ_AHEAD: usize = 256;
/// Pieces of work that are committed together.
const TOGETHER: usize = 256;
/// How long it is remembered what work has done that nobody goes on with.
const UNFINISHED: Duration = Duration::from_secs(14 * 86_400);

/// Why the file could not be opened, read or written.
#[derive(Debug, Clone)]
pub(crate) enum StoreError {
    /// It belongs to another program.
    NotOurs,
    /// A newer version of this program has written it.
    Newer,
    /// An older version has written it, and it may only be read.
    Older,
    /// Another process has it open.
    InUse,
    /// It cannot be read, or not be written, as the system says.
    Unreachable { written: bool, why: String },
    /// What it holds is not what was written into it.
    Damaged,
    /// The disk is full.
    Full,
    /// What SQLite says.
    Sql(Arc<rusqlite::Error>),
    /// The writer is gone, or what it was given broke down.
    Stopped,
    /// The file may only be read.
    ReadOnly,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs => f.write_str("it is a file of another program; import its export instead"),
            Self::Newer => f.write_str("it was written by a newer version of this program"),
            Self::Older => f.write_str(
                "it was written by an older version of this program; open it once without --read-only",
            ),
            Self::InUse => {
                f.write_str("another process has it open; serve it once, with --http, for several clients")
            }
            Self::Unreachable { written: false, why } => f.write_str(why),
            Self::Unreachable { written: true, why } => {
                write!(f, "it cannot be written ({why}); with --read-only it can be looked at")
            }
            Self::Damaged => f.write_str(
                "it is damaged; put a copy of it in its place, or begin a new file and import an export",
            ),
            Self::Full => f.write_str("the disk is full; what was answered before is kept, this is not"),
            Self::Sql(error) => error.fmt(f),
            Self::Stopped => f.write_str("what was begun broke down, and nothing of it is kept"),
            Self::ReadOnly => f.write_str("it was opened with --read-only"),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// The same, or why the system lets nobody open the file, which says more than SQLite does.
    fn of(self, path: &Path, written: bool) -> Self {
        let Self::Sql(_) = self else { return self };
        if path.is_dir() {
            return Self::Unreachable { written: false, why: "it is a folder".to_owned() };
        }
        match OpenOptions::new().read(true).write(written).open(path) {
            Ok(_) => self,
            Err(error) => {
                let written = written && error.kind() == ErrorKind::PermissionDenied && path.is_file();
                Self::Unreachable { written, why: error.to_string() }
            }
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            Some(ErrorCode::NotADatabase) => Self::NotOurs,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged,
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sql(Arc::new(error)),
        }
    }
}

/// Where the graph is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'p> {
    /// Nowhere: it is gone with the process.
    Nowhere,
    File(&'p Path),
    ReadOnly(&'p Path),
}

/// A piece of work on the graph and on the file at once, or why it cannot be done.
type Work = Box<dyn FnOnce(Result<&mut Writing<'_>, StoreError>) -> Answer + Send>;
/// Tells the caller what came of it, once the disk has it or cannot have it.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

enum Job {
    Work(Work),
    /// These were read.
    Accessed(Vec<Slot>),
}

/// The file, and the thread that writes it.
pub(crate) struct Store {
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the file, or makes it, and reads it on the thread that writes later, with what `model` said of it before.
    /// Whoever looks at the tables meanwhile waits until all is there. `read` is told how that went; if it went wrong, before
    /// anybody sees the tables.
    pub(crate) fn open_soon(
        place: Place<'_>,
        model: Option<Arc<Model>>,
        read: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) -> Result<(Self, Arc<RwLock<Tables>>), StoreError> {
        let sql = match place {
            Place::Nowhere => schema::open_nowhere()?,
            Place::File(path) => schema::open(path).map_err(|error| error.of(path, true))?,
            Place::ReadOnly(path) => schema::open_read_only(path).map_err(|error| error.of(path, false))?,
        };
        let writes = !matches!(place, Place::ReadOnly(_));
        let tables = Arc::new(RwLock::new(Tables::default()));
        let (jobs, asked) = mpsc::channel();
        let (holds, held) = mpsc::channel::<()>();
        let writer = Writer { sql, tables: Arc::clone(&tables), accessed: HashSet::new() };
        let work = move || {
            let tables = Arc::clone(&writer.tables);
            let mut guard = tables.write().unwrap_or_else(PoisonError::into_inner);
            // From now on nobody can look.
            drop(holds);
            match writer.begin(writes, model) {
                Ok(kept) => *guard = kept,
                Err(error) => return read(Err(error)),
            }
            drop(guard);
            read(Ok(()));
            if writes {
                writer.run(&asked);
            }
        };
        let writer = thread::Builder::new().name("memories".to_owned()).spawn(work);
        let writer = writer.map_err(|_| StoreError::Stopped)?;
        // It is never sent: that the other end is gone is the sign.
        let _ = held.recv();
        Ok((Self { jobs: writes.then_some(jobs), writer: Some(writer) }, tables))
    }

    /// Does something to the graph, and answers when the disk has it. What was begun is done even if nobody waits.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, GraphError> + Send + 'static,
    ) -> Result<T, GraphError> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |writing| {
            let done = writing.map_err(GraphError::Store).and_then(work);
            Box::new(move |committed: Result<(), StoreError>| {
                // Nobody may be waiting any more.
                let _ = answer.send(committed.map_err(GraphError::Store).and(done));
            })
        });
        let jobs = self.jobs.as_ref().ok_or(GraphError::Store(StoreError::ReadOnly))?;
        jobs.send(Job::Work(work)).map_err(|_| GraphError::Store(StoreError::Stopped))?;
        answered.await.unwrap_or(Err(GraphError::Store(StoreError::Stopped)))
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.jobs.is_none()
    }

    /// Lets the disk know, sooner or later, how often these were read.
    pub(crate) fn accessed(&self, slots: Vec<Slot>) {
        if let Some(jobs) = &self.jobs {
            // A writer that has stopped counts nothing.
            let _ = jobs.send(Job::Accessed(slots));
        }
    }
}

impl Drop for Store {
    /// Waits until everything is written.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // If it panicked, it has said so.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// Reads the whole graph. Another thread indexes its words meanwhile.
fn read(sql: &Connection, model: Option<Arc<Model>>) -> Result<Tables, StoreError> {
    let fingerprint = model.as_ref().map(|model| model.fingerprint());
    thread::scope(|scope| {
        let (told, heard) = mpsc::sync_channel::<StoredMemory>(READ_AHEAD);
        let indexing = move || {
            let mut library = Library::with(model);
            for (slot, memory) in heard {
                memory.tell(|text| library.put(slot.into(), text));
            }
            library.into_index()
        };
        let index = thread::Builder::new().name("words".to_owned()).spawn_scoped(scope, indexing);
        let index = index.map_err(|_| StoreError::Stopped)?;
        let mut tables = Tables::default();
        rows::each_memory(sql, |(slot, memory)| {
            tables.restore_memory(slot, Arc::clone(&memory));
            // Whoever indexes hears all; if it panicked, that is told below.
            let _ = told.send((slot, memory));
        })?;
        drop(told);
        rows::read_relationships(sql, &mut tables)?;
        tables.restore_index(index.join().map_err(|_| StoreError::Stopped)?);
        if let Some(fingerprint) = fingerprint {
            rows::each_meaning(sql, fingerprint, |slot, meaning| {
                // One that is left over from another text is of no use, and will be replaced.
                tables.take_over(slot, &meaning);
            })?;
        }
        Ok(tables)
    })
}

/// What the thread has.
struct Writer {
    sql: Connection,
    tables: Arc<RwLock<Tables>>,
    /// Memories that were read more often than the disk knows.
    accessed: HashSet<Slot>,
}

impl Writer {
    /// Reads what is kept, and tidies up if it `writes`.
    fn begin(&self, writes: bool, model: Option<Arc<Model>>) -> Result<Tables, StoreError> {
        if writes {
            rows::forget_runs_before(&self.sql, Moment::now().earlier_by(UNFINISHED))?;
        }
        read(&self.sql, model)
    }

    fn run(mut self, asked: &Receiver<Job>) {
        loop {
            let first = match asked.try_recv() {
                Ok(job) => Ok(job),
                // Nobody waits for what the index learns, so that it learns when nobody waits for anything else.
                Err(TryRecvError::Empty) if self.settle() => continue,
                Err(_) => self.wait(asked),
            };
            let mut work = VecDeque::new();
            let is_idle = first.is_err();
            let is_over = matches!(first, Err(RecvTimeoutError::Disconnected));
            for job in first.into_iter().chain(asked.try_iter().take(TOGETHER)) {
                match job {
                    Job::Work(piece) => work.push_back(piece),
                    Job::Accessed(slots) => self.accessed.extend(slots),
                }
            }
            if (is_idle && !self.accessed.is_empty()) || self.accessed.len() > MANY {
                self.commit(&mut work);
            }
            while !work.is_empty() {
                self.commit(&mut work);
            }
            if is_over {
                return;
            }
        }
    }

    fn wait(&self, asked: &Receiver<Job>) -> Result<Job, RecvTimeoutError> {
        if self.accessed.is_empty() {
            asked.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            asked.recv_timeout(LAZILY)
        }
    }

    /// Lets the index learn a little. Says whether there is more to learn.
    fn settle(&mut self) -> bool {
        self.tables.write().unwrap_or_else(PoisonError::into_inner).settle(LEARNT_AT_ONCE)
    }

    /// Does as much of the work as goes into one transaction, and tells each caller what came of it.
    fn commit(&mut self, work: &mut VecDeque<Work>) {
        let mut answers = Vec::with_capacity(work.len());
        let done = self.transact(work, &mut answers);
        if done.is_err() {
            // What the graph holds is what the disk has.
            self.read_again();
        }
        for answer in answers {
            answer(done.clone());
        }
    }

    fn transact(&mut self, work: &mut VecDeque<Work>, answers: &mut Vec<Answer>) -> Result<(), StoreError> {
        let transaction = match self.sql.transaction_with_behavior(TransactionBehavior::Immediate) {
            Ok(transaction) => transaction,
            Err(error) => {
                // Nothing can be written, and whoever waits for it should know.
                let error = StoreError::from(error);
                answers.extend(work.drain(..).map(|piece| piece(Err(error.clone()))));
                return Err(error);
            }
        };
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let done = change(&mut tables, &transaction, mem::take(&mut self.accessed), work, answers);
        if done.is_err() {
            // Before anybody can look at what will not be true.
            drop(transaction);
            if let Ok(kept) = read(&self.sql, tables.model().cloned()) {
                *tables = kept;
            }
            return done;
        }
        drop(tables);
        transaction.commit()?;
        Ok(())
    }

    fn read_again(&mut self) {
        // A disk that can neither be written nor read leaves the graph as it is; the next write tells.
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Ok(kept) = read(&self.sql, tables.model().cloned()) {
            *tables = kept;
        }
    }
}

/// Does the work on the graph and in a transaction.
fn change(
    tables: &mut Tables,
    transaction: &Connection,
    accessed: HashSet<Slot>,
    work: &mut VecDeque<Work>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    for slot in accessed {
        if let Some(memory) = tables.at(slot) {
            rows::put_access(transaction, slot, memory)?;
        }
    }
    let mut writing = Writing::new(tables, transaction);
    while let Some(piece) = work.pop_front() {
        // A piece that panics is undone, as one that fails; its caller is told that the writer stopped.
        match catch_unwind(AssertUnwindSafe(|| piece(Ok(&mut writing)))) {
            Ok(answer) => answers.push(answer),
            Err(_) => return Err(StoreError::Stopped),
        }
        if let Some(error) = writing.failed() {
            return Err(error);
        }
    }
    // Who wrote little finds it learnt when it is answered; the rest of much is learnt afterwards.
    tables.settle(LEARNT_AT_ONCE);
    Ok(())
}
