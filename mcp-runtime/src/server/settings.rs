//! What can be set of tasks: how they are run and kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::task::store::{Memory, TaskStore};

/// How tasks are run and kept, for [`Server::tasks`](crate::Server::tasks); and for the client's `Connect::tasks`, by whose
/// tasks servers ask.
///
/// ```
/// use std::time::Duration;
/// use mcp_runtime::Tasks;
///
/// let tasks = Tasks::memory().ttl(Duration::from_secs(600)).poll(Duration::from_millis(500));
/// # let _ = tasks;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Tasks {
    kept: Kept,
    pub(crate) ttl: Duration,
    pub(crate) max_ttl: Duration,
    pub(crate) poll: Duration,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cancel_grace: Duration,
    pub(crate) lease: Duration,
    pub(crate) tool_use_ids: bool,
    pub(crate) drain: Option<Duration>,
}

impl Tasks {
    /// How long tasks may go on when the server is asked to stop.
    pub(super) const DRAIN: Duration = Duration::from_secs(10);

    /// Keeps tasks in this process's memory: they are gone with it.
    pub fn memory() -> Self {
        Self::store(Memory::new())
    }

    /// Keeps tasks in an SQLite file, which is made if it is not there: they outlive the process, and what was at work when
    /// it ended is taken up when it is back. Several processes of one machine may share the file.
    ///
    /// The file is opened when the server is built; that it cannot be is a [`BuildError`](crate::BuildError). A path will
    /// do; [`Sqlite::at`](crate::store::Sqlite::at) says more.
    ///
    /// ```
    /// use mcp_runtime::Tasks;
    /// use mcp_runtime::store::{Sqlite, Synchronous};
    ///
    /// let tasks = Tasks::sqlite("tasks.db");
    /// let faster = Tasks::sqlite(Sqlite::at("tasks.db").synchronous(Synchronous::Normal));
    /// # let _ = (tasks, faster);
    /// ```
    #[cfg(feature = "sqlite")]
    pub fn sqlite(file: impl Into<crate::store::SqliteOptions>) -> Self {
        Self::kept(Kept::Sqlite(file.into()))
    }

    /// Keeps tasks in a store of your own; prove it with [`store::contract`](crate::store::contract).
    pub fn store(store: impl TaskStore) -> Self {
        Self::kept(Kept::Store(Arc::new(store)))
    }

    fn kept(kept: Kept) -> Self {
        Self {
            kept,
            ttl: Duration::from_secs(3600),
            max_ttl: Duration::from_secs(24 * 3600),
            poll: Duration::from_secs(1),
            timeout: None,
            cancel_grace: Duration::from_secs(2),
            lease: Duration::from_secs(15),
            tool_use_ids: false,
            drain: None,
        }
    }

    /// How long a task is kept once it is over, where neither tool nor client says. Default: one hour.
    ///
    /// It never ends work that is going on; that is what [`timeout`](Self::timeout) is for.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// The longest time that a client may ask for a task to be kept, and the most that [`ttl`](Self::ttl) gives. Default:
    /// one day. A longer wish is shortened, and the task says so. What a tool says for itself is not.
    pub fn max_ttl(mut self, ttl: Duration) -> Self {
        self.max_ttl = ttl;
        self
    }

    /// How often clients should ask, where the tool does not say. Default: one second. Who asks earlier is served.
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = interval;
        self
    }

    /// How long a run may take, where the tool does not say. Default: as long as it likes.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// How long a server that is not heard of is taken for alive by others that share its store; then they take over its
    /// tasks. It renews this three times as often. Default: 15 seconds. At least one second.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// Takes what a host calls its use of a tool for an idempotency key, where a request names none: what Claude Code sends
    /// as `_meta["claudecode/toolUseId"]`. Default: no.
    ///
    /// A host that asks again because an answer was lost then gets the task that is there. This is right where a host uses
    /// an id for one call alone, which is its own business and nothing that the protocol promises.
    pub fn tool_use_ids(mut self) -> Self {
        self.tool_use_ids = true;
        self
    }

    /// How long tasks at work may go on when the server is asked to stop; then they are stopped. See
    /// [`Service::shut_down`](crate::Service::shut_down). Default: 10 seconds, and no time at all over stdio, where the
    /// client is gone by then.
    pub fn drain(mut self, limit: Duration) -> Self {
        self.drain = Some(limit);
        self
    }

    /// How long a cancelled function that cleans up by itself may take to do so, and how long calls may still run when
    /// the client is gone. Default: two seconds, which is what clients commonly wait before they kill a server.
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.cancel_grace = grace;
        self
    }
}

/// Where tasks are kept.
#[derive(Clone)]
enum Kept {
    Store(Arc<dyn TaskStore>),
    /// A file that is still to be opened.
    #[cfg(feature = "sqlite")]
    Sqlite(crate::store::SqliteOptions),
}

impl Tasks {
    /// The store; if it cannot be opened, the reason.
    #[cfg_attr(not(feature = "sqlite"), allow(clippy::unnecessary_wraps))]
    pub(super) fn open(&self) -> Result<Arc<dyn TaskStore>, String> {
        match &self.kept {
            Kept::Store(store) => Ok(Arc::clone(store)),
            #[cfg(feature = "sqlite")]
            Kept::Sqlite(file) => match file.open() {
                Ok(store) => Ok(Arc::new(store)),
                Err(error) => Err(format!("the tasks cannot be kept in {error}")),
            },
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::memory()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("ttl", &self.ttl)
            .field("max_ttl", &self.max_ttl)
            .field("poll", &self.poll)
            .field("timeout", &self.timeout)
            .field("cancel_grace", &self.cancel_grace)
            .field("lease", &self.lease)
            .field("drain", &self.drain)
            .field("tool_use_ids", &self.tool_use_ids)
            .finish_non_exhaustive()
    }
}
