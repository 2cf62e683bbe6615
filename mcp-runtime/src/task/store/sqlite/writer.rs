//! The thread that writes. It does everything that waits in one transaction, so that one wait for the disk serves all.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;

use super::Shared;
use super::error::{Problem, SqliteError};
use super::feed::Feed;
use super::queue::{Operation, Turn};
use super::writing::Writing;

pub(super) struct Writer {
    pub(super) sql: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) feed: Feed,
}

/// Why a transaction was not made.
enum Undone {
    /// It could not begin: nothing else would.
    Unbegun(Problem),
    RolledBack(Problem),
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.shared));
        while let Some(Turn { operations, looks, writes_said }) = self.shared.queue.next() {
            if writes_said || !operations.is_empty() {
                let (count, start) = (operations.len(), Instant::now());
                self.write(operations, writes_said);
                self.shared.queue.done(count, start.elapsed());
            }
            for look in looks {
                let seen = self.feed.look(&self.sql).map_err(|problem| self.error(problem));
                let _ = look.send(seen);
            }
        }
    }

    fn error(&self, problem: Problem) -> SqliteError {
        SqliteError::new(&self.shared.path, problem)
    }

    fn write(&mut self, mut operations: Vec<Box<dyn Operation>>, writes_said: bool) {
        match self.attempt(&mut operations, writes_said) {
            Ok(()) => operations.into_iter().for_each(|operation| operation.answer(Ok(()))),
            Err(Undone::RolledBack(problem)) if writes_said || operations.len() > 1 => {
                if writes_said {
                    tracing::warn!(error = %self.error(problem), "progress could not be written, and is tried again");
                    self.shared.queue.pause();
                }
                // One of them may be what is wrong, and the others not suffer for it.
                for mut operation in operations {
                    let outcome = self.attempt(std::slice::from_mut(&mut operation), false);
                    operation.answer(outcome.map_err(|undone| self.error(undone.into())));
                }
            }
            Err(undone) => {
                if writes_said {
                    self.shared.queue.pause();
                }
                let error = self.error(undone.into());
                for operation in operations {
                    operation.answer(Err(error.clone()));
                }
            }
        }
    }

    /// Makes one transaction of all of this, or nothing.
    fn attempt(&mut self, operations: &mut [Box<dyn Operation>], writes_said: bool) -> Result<(), Undone> {
        let begun = self.sql.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute(()));
        begun.map_err(|error| Undone::Unbegun(error.into()))?;
        let mut writing = Writing::new(&self.sql, &self.shared);
        let done = Self::run_all(&mut writing, operations, writes_said, &self.feed);
        let said = writing.said;
        match done {
            Ok(()) => {
                for (task, last) in said {
                    self.shared.unwritten.forget(task, last);
                }
                Ok(())
            }
            Err(problem) => {
                // SQLite may have rolled back by itself.
                if !self.sql.is_autocommit()
                    && let Err(error) = self.sql.execute_batch("ROLLBACK")
                {
                    tracing::error!(%error, path = %self.shared.path.display(), "a transaction could not be rolled back");
                }
                for (task, _) in said {
                    self.shared.unwritten.restore(task);
                }
                Err(Undone::RolledBack(problem))
            }
        }
    }

    fn run_all(
        writing: &mut Writing<'_>,
        operations: &mut [Box<dyn Operation>],
        writes_said: bool,
        feed: &Feed,
    ) -> Result<(), Problem> {
        if writes_said {
            writing.write_said()?;
        }
        for operation in operations {
            operation.run(writing)?;
        }
        writing.finish(feed)?;
        writing.sql.prepare_cached("COMMIT")?.execute(())?;
        Ok(())
    }
}

/// However the thread ends, nobody waits for it after that.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.queue.abandon();
    }
}

impl From<Undone> for Problem {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Unbegun(problem) | Undone::RolledBack(problem) => problem,
        }
    }
}
