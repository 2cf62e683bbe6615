//! The way to a server that outlives what it leads over: connections that break, processes that end, sessions that are
//! forgotten.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::ask::{Ask, Era};
use super::backoff::Backoff;
use super::error::Error;
use super::link::http::{Host, Http};
use super::link::in_process::InProcess;
use super::link::process::{Process, Program};
use super::link::{Broken, Link, Outcome, Outgoing};
use super::peer::{Peer, Subscriber};
use super::settings::Settings;
use crate::protocol::{ProtocolError, names};
use crate::server::Service;

/// How long the end of a client waits until the server has heard what was given up.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where a server is.
#[derive(Debug)]
pub(super) enum Place {
    Program(Program),
    Host(Arc<Host>),
    InProcess(Service),
}

pub(super) struct Connection {
    place: Place,
    pub(super) settings: Settings,
    pub(super) peer: Arc<Peer>,
    current: Mutex<Option<Arc<Session>>>,
    /// Told whenever there is another session.
    pub(super) opened: Notify,
    /// The server's era, once it is known: it is a property of the server, and not of a session.
    era: StdMutex<Option<Era>>,
    last_id: AtomicI64,
    /// Word to the server that requests were given up, on its way.
    farewells: StdMutex<Vec<JoinHandle<()>>>,
}

/// What there is for as long as a link leads somewhere.
pub(super) struct Session {
    pub(super) link: Arc<dyn Link>,
    pub(super) era: Era,
    pub(super) server: Introduction,
}

/// What the server said of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Introduction {
    pub(super) info: Value,
    pub(super) capabilities: Value,
    pub(super) instructions: Option<String>,
}

/// Why a try came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another try may come to something.
    Broken(Broken),
    /// It would not.
    Final(Error),
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Status { code, message } => Self::Final(Error::Status { code, message }),
            Broken::Untrusted(what) => Self::Final(Error::Untrusted(what)),
            Broken::Invalid(what) => Self::Final(Error::Invalid(what)),
            broken => Self::Broken(broken),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Final(error) => error,
            Fault::Broken(Broken::Late(limit)) => Self::TimedOut(limit),
            Fault::Broken(broken) => Self::Lost(broken.to_string()),
        }
    }
}

impl Connection {
    pub(super) fn new(place: Place, settings: Settings, peer: Arc<Peer>) -> Self {
        Self {
            place,
            settings,
            peer,
            current: Mutex::new(None),
            opened: Notify::new(),
            era: StdMutex::new(None),
            last_id: AtomicI64::new(0),
            farewells: StdMutex::default(),
        }
    }

    pub(super) fn next_id(&self) -> i64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A link to where the server is, of which nothing is settled yet.
    pub(super) fn link(&self) -> Result<Arc<dyn Link>, Broken> {
        let peer = Arc::clone(&self.peer);
        match &self.place {
            Place::Program(program) => Process::open(program, peer, self.settings.max_message_size)
                .map_err(|error| Broken::Unsent(format!("{program} cannot be started: {error}"))),
            Place::Host(host) => Ok(Http::open(Arc::clone(host), peer)),
            Place::InProcess(service) => Ok(InProcess::open(service, peer)),
        }
    }

    /// Whether the server is a process of this client's.
    pub(super) fn is_child(&self) -> bool {
        matches!(self.place, Place::Program(_))
    }

    pub(super) fn known_era(&self) -> Option<Era> {
        self.era.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The session that there is, or a new one.
    pub(super) async fn session(&self) -> Result<Arc<Session>, Fault> {
        let mut current = self.current.lock().await;
        if let Some(session) = current.as_ref().filter(|session| session.link.is_open()) {
            return Ok(Arc::clone(session));
        }
        *current = None;
        let session = Arc::new(self.settle().await?);
        *self.era.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.era.clone());
        self.peer.speaks(&session.era);
        *current = Some(Arc::clone(&session));
        self.opened.notify_waiters();
        Ok(session)
    }

    /// This session leads nowhere any more.
    pub(super) async fn forget(&self, session: &Arc<Session>) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, session)) {
            *current = None;
        }
    }

    /// Ends the session that there is. The next request opens another one.
    ///
    /// What was given up before that, the server has heard of by then.
    pub(super) async fn close(&self) {
        let farewells = std::mem::take(&mut *self.farewells.lock().unwrap_or_else(PoisonError::into_inner));
        let heard = async {
            for farewell in farewells {
                // One that panicked says no more.
                let _ = farewell.await;
            }
        };
        if tokio::time::timeout(FAREWELL, heard).await.is_err() {
            tracing::debug!("the server does not take word of what was given up");
        }
        let session = self.current.lock().await.take();
        if let Some(session) = session {
            session.link.close().await;
        }
    }

    /// Sends a request until it is answered, as often as that does no harm and for as long as the client persists.
    ///
    /// Cancel safe: dropping it gives the request up.
    pub(super) async fn request(&self, ask: &Ask) -> Result<Value, Error> {
        let since = Instant::now();
        let mut backoff = Backoff::new();
        let mut was_refused = false;
        loop {
            let broken = match self.attempt(ask).await {
                Ok(Ok(result)) => return Ok(result),
                // "The client SHOULD select a mutually supported version from the `supported` list and retry."
                Ok(Err(error)) if supports_modern(&error) && !was_refused => {
                    was_refused = true;
                    continue;
                }
                Ok(Err(error)) => return Err(Error::Refused(error)),
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Broken(broken)) => broken,
            };
            let may_repeat = ask.may_repeat || matches!(broken, Broken::Unsent(_) | Broken::NoSession);
            let left = self.settings.persistence.saturating_sub(since.elapsed());
            if !may_repeat || left.is_zero() {
                return Err(Fault::Broken(broken).into());
            }
            tracing::debug!(method = ask.method, %broken, "a request is sent again");
            tokio::time::sleep(backoff.wait().min(left)).await;
        }
    }

    /// Sends a request once.
    async fn attempt(&self, ask: &Ask) -> Result<Outcome, Fault> {
        let session = match self.session().await {
            Ok(session) => session,
            // The request itself was not sent.
            Err(Fault::Broken(Broken::Lost(what))) => return Err(Broken::Unsent(what).into()),
            Err(fault) => return Err(fault),
        };
        self.attempt_in(&session, ask).await
    }

    /// Sends a request once, over this session.
    pub(super) async fn attempt_in(&self, session: &Arc<Session>, ask: &Ask) -> Result<Outcome, Fault> {
        let answer = match ask.patience {
            None => self.exchange(session, ask).await,
            Some(limit) => match tokio::time::timeout(limit, self.exchange(session, ask)).await {
                Ok(answer) => answer,
                Err(_) => Err(Broken::Late(limit)),
            },
        };
        if let Err(Broken::NoSession) = &answer {
            self.forget(session).await;
        }
        Ok(answer?)
    }

    /// Sends a request over this session, and takes it back if nobody waits for its answer any more.
    async fn exchange(&self, session: &Arc<Session>, ask: &Ask) -> Result<Outcome, Broken> {
        let id = self.next_id();
        let _listening = ask.on_progress.clone().map(|on_progress| self.peer.on_progress(id, on_progress));
        let request = ask.write(&session.era, id, &self.settings, session.link.has_headers());
        let mut unanswered = Unanswered { connection: self, session, id, is_waited_for: true };
        let answer = session.link.exchange(request).await;
        unanswered.is_waited_for = false;
        answer
    }

    /// Subscribes on the stateless protocol, until the future is dropped, or the server ends it.
    pub(super) async fn subscribe(&self, wanted: Value, to: Subscriber) -> Result<(), Fault> {
        let session = self.session().await?;
        let id = self.next_id();
        let _listening = self.peer.on_subscription(id, to);
        let ask = Ask::new("subscriptions/listen", json!({ "notifications": wanted }), &self.settings);
        let request = ask.write(&session.era, id, &self.settings, session.link.has_headers());
        let mut unanswered = Unanswered { connection: self, session: &session, id, is_waited_for: true };
        let answer = session.link.exchange(request).await;
        unanswered.is_waited_for = false;
        match answer? {
            Ok(_) => Ok(()),
            Err(error) => Err(Fault::Final(Error::Refused(error))),
        }
    }
}

/// A request whose answer is waited for; dropped before that, it is given up.
struct Unanswered<'a> {
    connection: &'a Connection,
    session: &'a Arc<Session>,
    id: i64,
    is_waited_for: bool,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        let link = &self.session.link;
        if !self.is_waited_for || link.hears_of_drops() || !link.is_open() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let params = json!({ "requestId": self.id, "reason": "nobody waits for the answer any more" });
        let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
        let link = Arc::clone(link);
        let farewell = runtime.spawn(async move {
            if let Err(error) = link.send(Outgoing::aside(&cancelled)).await {
                tracing::debug!(%error, "a request that was given up could not be cancelled");
            }
        });
        let mut farewells = self.connection.farewells.lock().unwrap_or_else(PoisonError::into_inner);
        farewells.retain(|farewell| !farewell.is_finished());
        farewells.push(farewell);
    }
}

/// Whether an error says that the server does know the revision that this client prefers, after all.
fn supports_modern(error: &ProtocolError) -> bool {
    error.code() == ProtocolError::UNSUPPORTED_VERSION
        && supported(error).any(|version| version == names::MODERN)
}

/// The revisions that an error names.
pub(super) fn supported(error: &ProtocolError) -> impl Iterator<Item = &str> {
    let supported = error.data().and_then(|data| data["supported"].as_array());
    supported.into_iter().flatten().filter_map(Value::as_str)
}

/// Waits for an answer, but no longer than this.
pub(super) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, Broken>>,
) -> Result<T, Broken> {
    tokio::time::timeout(limit, answer).await.unwrap_or(Err(Broken::Late(limit)))
}
