//! The sessions of the revisions that open with `initialize`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::stream::{HOME, Reader, Stream};
use crate::task::Principal;
use crate::transport::{Endpoint, Outbox};

/// How many streams that were read to their end a session keeps, for a client that lost the last of them on the way.
const LEFT_STREAMS: usize = 16;

/// How many bytes those streams may have.
const LEFT_BYTES: usize = 1024 * 1024;

/// How long sessions live, and how many there may be, for [`Http::sessions`](super::Http::sessions).
///
/// ```
/// use std::time::Duration;
/// use mcp_runtime::Sessions;
///
/// let sessions = Sessions::default().idle(Duration::from_secs(300)).at_most(1000);
/// # let _ = sessions;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Sessions {
    pub(super) idle: Duration,
    pub(super) limit: usize,
}

impl Sessions {
    /// How long a session is kept while nothing is heard of its client: no request, and no stream that it reads. Default:
    /// 30 minutes.
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = limit;
        self
    }

    /// How many there may be at once. Default: 10,000. One more is refused with an error that names this limit.
    pub fn at_most(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self { idle: Duration::from_secs(30 * 60), limit: 10_000 }
    }
}

/// A client, from its `initialize` on.
pub(super) struct Session {
    pub(super) endpoint: Arc<dyn Endpoint>,
    pub(super) home: Arc<Stream>,
    principal: Principal,
    visits: Mutex<Visits>,
    last_stream: AtomicU64,
    /// What the client may come back to.
    resumable: Mutex<Vec<Arc<Stream>>>,
}

struct Visits {
    count: usize,
    last: Instant,
}

impl Session {
    pub(super) fn new(endpoint: Arc<dyn Endpoint>, home: Arc<Stream>, principal: Principal) -> Self {
        Self {
            endpoint,
            home,
            principal,
            visits: Mutex::new(Visits { count: 0, last: Instant::now() }),
            last_stream: AtomicU64::new(HOME),
            resumable: Mutex::default(),
        }
    }

    /// A number for one more stream.
    pub(super) fn next_stream(&self) -> u64 {
        self.last_stream.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Keeps a stream, whose client was given the id of an event.
    pub(super) fn keep(&self, stream: &Arc<Stream>) {
        let mut streams = self.resumable.lock().unwrap_or_else(PoisonError::into_inner);
        let left = streams.iter().filter_map(|stream| stream.left());
        let (mut count, mut bytes) =
            left.fold((0_usize, 0), |(count, bytes), more| (count + 1, bytes + more));
        // The oldest go first, and the newest stays however large it is.
        streams.retain(|stream| {
            let is_too_much = count >= LEFT_STREAMS || count > 1 && bytes > LEFT_BYTES;
            let Some(left) = stream.left().filter(|_| is_too_much) else { return true };
            count -= 1;
            bytes = bytes.saturating_sub(left);
            false
        });
        streams.push(Arc::clone(stream));
    }

    /// Goes on with a stream after one of its events. `None` if the stream is not there, or not any more.
    pub(super) fn resume(&self, stream: u64, after: u64) -> Option<Reader> {
        if stream == HOME {
            return Some(Stream::attach(&self.home, Some(after)));
        }
        let streams = self.resumable.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = streams.iter().find(|kept| kept.number() == Some(stream))?;
        Some(Stream::attach(stream, Some(after)))
    }

    /// Says that something was heard of its client, and is being heard until the visit is dropped.
    pub(super) fn visit(self: &Arc<Self>) -> Visit {
        self.visits().count += 1;
        Visit(Arc::clone(self))
    }

    fn visits(&self) -> MutexGuard<'_, Visits> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_idle(&self, limit: Duration, now: Instant) -> bool {
        let visits = self.visits();
        visits.count == 0 && now.saturating_duration_since(visits.last) >= limit
    }

    /// Ends it: what it asked for is cancelled, and its streams end. Its tasks go on.
    fn end(&self) {
        self.endpoint.end_subscriptions();
        self.endpoint.abandon();
        self.home.close();
    }
}

/// A client of a session that is there.
pub(super) struct Visit(Arc<Session>);

impl Drop for Visit {
    fn drop(&mut self) {
        let mut visits = self.0.visits();
        visits.count -= 1;
        visits.last = Instant::now();
    }
}

/// All sessions.
pub(super) struct Table {
    by_id: Mutex<HashMap<Id, Arc<Session>>>,
    is_swept: AtomicBool,
}

/// What names a session: random bits of the system's generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(u128);

impl Id {
    fn random() -> Self {
        Self(Uuid::new_v4().as_u128())
    }

    /// Reads an id as it was given, in this spelling alone.
    fn read(text: &[u8]) -> Option<Self> {
        let is_ours = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.iter().all(is_ours) {
            return None;
        }
        u128::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok().map(Self)
    }

    pub(super) fn write(self) -> String {
        format!("{:032x}", self.0)
    }
}

impl Table {
    pub(super) fn new() -> Self {
        Self { by_id: Mutex::default(), is_swept: AtomicBool::new(false) }
    }

    fn by_id(&self) -> MutexGuard<'_, HashMap<Id, Arc<Session>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a session, unless there are too many.
    pub(super) fn enter(self: &Arc<Self>, session: Arc<Session>, settings: Sessions) -> Option<Id> {
        let mut by_id = self.by_id();
        if by_id.len() >= settings.limit {
            drop(by_id);
            self.sweep(settings.idle);
            by_id = self.by_id();
            if by_id.len() >= settings.limit {
                return None;
            }
        }
        let id = Id::random();
        by_id.insert(id, session);
        drop(by_id);
        if !self.is_swept.swap(true, Ordering::AcqRel) {
            tokio::spawn(Arc::clone(self).keep_sweeping(settings.idle));
        }
        Some(id)
    }

    /// The session of this principal with this id.
    pub(super) fn find(&self, id: &[u8], principal: &Principal) -> Option<Arc<Session>> {
        let session = self.by_id().get(&Id::read(id)?).cloned();
        session.filter(|session| session.principal == *principal)
    }

    /// Ends the session of this principal with this id; whether there was one.
    pub(super) fn end(&self, id: &[u8], principal: &Principal) -> bool {
        let Some(id) = Id::read(id) else { return false };
        let mut by_id = self.by_id();
        if by_id.get(&id).is_none_or(|session| session.principal != *principal) {
            return false;
        }
        let session = by_id.remove(&id);
        drop(by_id);
        if let Some(session) = session {
            session.end();
        }
        true
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        self.by_id().values().cloned().collect()
    }

    fn sweep(&self, idle: Duration) {
        let now = Instant::now();
        let idle: Vec<_> = self.by_id().extract_if(|_, session| session.is_idle(idle, now)).collect();
        for (_, session) in idle {
            session.end();
        }
    }

    /// Ends idle sessions for as long as there are any sessions.
    async fn keep_sweeping(self: Arc<Self>, idle: Duration) {
        let interval = (idle / 4).clamp(Duration::from_millis(100), Duration::from_secs(60));
        loop {
            tokio::time::sleep(interval).await;
            self.sweep(idle);
            let by_id = self.by_id();
            if by_id.is_empty() {
                // Under the lock, so that who enters the next session sees it.
                self.is_swept.store(false, Ordering::Release);
                return;
            }
        }
    }
}
