//! One client on a channel of its own: which wire each message is of, and what is done with it.

use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{self, Poll, Waker};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::Shared;
use super::call::{Answer, Begun, Caller};
use super::callee::Callee;
use super::changes::Changes;
use super::flights::{Flights, Kind};
use super::outlet::Threshold;
use super::questions::Questions;
use super::subscription::{Feed, Voice};
use crate::background;
use crate::input::InputResponse;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::{self, Message, RequestId};
use crate::protocol::names;
use crate::protocol::params::Params;
use crate::protocol::time::Timestamp;
use crate::task::{Guarded, Principal, guarded, panic_message, panicked};
use crate::telemetry;
use crate::transport::{Arrival, Client, Endpoint, Failure, Outbox, Received, Wires};
use crate::wire::headers::Headers;
use crate::wire::{Dialect, Offer, Offered, Op, Outcome, legacy, modern};

/// A client, from the first message to the last.
pub(super) struct Connection {
    me: Weak<Self>,
    shared: Arc<Shared>,
    /// Where messages go that belong to no request, if there is such a place.
    home: Option<Arc<dyn Outbox>>,
    principal: Principal,
    wires: Wires,
    runtime: Handle,
    /// The revision that `initialize` settled, for requests that do not carry one themselves.
    session: Mutex<Option<legacy::Session>>,
    /// What a client of the legacy wire is asked by requests.
    questions: Arc<Questions>,
    /// Which log messages a client of the legacy wire wants to hear.
    threshold: Arc<Threshold>,
    /// The tasks that a client of the core dialect made, or asked for, of which it is told unasked.
    told: OnceLock<(Arc<Feed>, AbortHandle)>,
    /// What a client of the legacy wires hears of unasked, or subscribed to.
    changes: OnceLock<(Arc<Changes>, AbortHandle)>,
    flights: Flights,
}

/// How long the answers may take that were waiting for something which has just been stopped.
const LAST_ANSWERS: Duration = Duration::from_millis(100);

/// A request that could not be answered at once.
pub(super) struct Later {
    pub(super) id: RequestId,
    pub(super) dialect: Dialect,
    pub(super) kind: Kind,
    pub(super) answer: Guarded<Answer>,
}

/// What came of one message.
pub(super) enum Taken {
    /// Nothing is to be said.
    Silent,
    /// The answer was written, which may be an error.
    Answered { failure: Option<Failure> },
    /// The answer comes later.
    Later(Later),
    /// A subscription was opened, and says everything itself.
    Listening,
}

impl Connection {
    /// A new client. Must be called within a Tokio runtime.
    pub(super) fn open(shared: Arc<Shared>, client: Client) -> Arc<Self> {
        let Client { home, principal, wires } = client;
        let session = match wires {
            Wires::Legacy(version) => version.map(legacy::Session::from),
            Wires::Any | Wires::Modern => None,
        };
        let questions = Questions::new(&shared, &principal);
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            shared,
            home,
            principal,
            wires,
            runtime: Handle::current(),
            session: Mutex::new(session),
            questions,
            threshold: Arc::default(),
            told: OnceLock::new(),
            changes: OnceLock::new(),
            flights: Flights::default(),
        })
    }

    pub(super) fn me(&self) -> Option<Arc<Self>> {
        self.me.upgrade()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn principal(&self) -> &Principal {
        &self.principal
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(super) fn flights(&self) -> &Flights {
        &self.flights
    }

    fn session(&self) -> Option<legacy::Session> {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a client of the legacy wires hears of, if there is a place where it would.
    pub(super) fn changes(&self) -> Option<&Changes> {
        let home = self.home.as_ref()?;
        let (changes, _) = self.changes.get_or_init(|| {
            let changes = Arc::new(Changes::new(&self.shared, None));
            let (running, home) = (Arc::clone(&changes), Arc::clone(home));
            let telling = async move {
                let say = |message: &[u8]| {
                    home.push(message);
                    true
                };
                running.run(&*home, &say).await;
            };
            (changes, background::spawn_on(&self.runtime, telling))
        });
        Some(changes)
    }

    /// Whether this client's revision has batches.
    pub(super) fn has_batches(&self) -> bool {
        self.session().is_some_and(|session| session.version.has_batches())
    }

    /// Takes one message. An answer that is there at once is written into `out`.
    pub(super) fn take(&self, text: &str, arrival: Arrival<'_>, out: &mut Vec<u8>) -> Taken {
        match jsonrpc::read(text) {
            Ok(Message::Request { id, method, params }) => {
                self.take_request(id, &method, params, arrival, out)
            }
            Ok(Message::Notification { method, params }) => {
                self.take_notification(&method, &params);
                Taken::Silent
            }
            // A question of this revision is part of an answer, and is answered with another request.
            Ok(Message::Response { .. }) if self.wires == Wires::Modern => {
                let error = ProtocolError::invalid_request("a client of this revision sends no responses");
                jsonrpc::write_error(out, None, &error);
                Taken::Answered { failure: Some(Failure::refused(&error)) }
            }
            Ok(Message::Response { id, result, error }) => {
                let response = match (result, error) {
                    (Some(result), _) => InputResponse::Result(result.to_owned()),
                    (None, error) => read_error(error),
                };
                self.questions.answer(id.as_ref(), response);
                Taken::Silent
            }
            Err(unreadable) => {
                jsonrpc::write_error(out, unreadable.id.as_ref(), &unreadable.error);
                Taken::Answered { failure: Some(Failure::refused(&unreadable.error)) }
            }
        }
    }

    fn take_notification(&self, method: &str, params: &Params<'_>) {
        match (method, &params.request_id, &params.task_id) {
            ("notifications/cancelled", Some(id), _) => {
                tracing::debug!(%id, reason = params.reason.as_deref(), "the client cancelled a request");
                self.flights.cancel(id, self.shared.tasks.cancel_grace, &self.runtime);
            }
            ("notifications/tasks/status", _, Some(theirs)) => self.questions.look_at(theirs),
            // Others say nothing that this server acts on; the specification asks to ignore what is not known.
            _ => {}
        }
    }

    fn take_request(
        &self,
        id: RequestId,
        method: &str,
        params: Params<'_>,
        arrival: Arrival<'_>,
        out: &mut Vec<u8>,
    ) -> Taken {
        let channel = arrival.channel;
        let (dialect, op) = self.judge(method, params, arrival.headers);
        let op = match op {
            Ok(op) => op,
            Err(error) => {
                jsonrpc::write_error(out, Some(&id), &error);
                return Taken::Answered { failure: Some(Failure::refused(&error)) };
            }
        };
        let begun = Ok(op).and_then(|op| {
            self.flights.admit(&id, self.shared.limits.max_requests_in_flight)?;
            match op {
                Op::Listen { filter } => Ok(Err(filter)),
                Op::SetLogLevel(level) => {
                    self.threshold.set(level);
                    Ok(Ok(Begun::Now(Outcome::Empty)))
                }
                Op::Subscribe { uri } => self.subscribe(&uri).map(|()| Ok(Begun::Now(Outcome::Empty))),
                Op::Unsubscribe { uri } => {
                    self.unsubscribe(&uri);
                    Ok(Ok(Begun::Now(Outcome::Empty)))
                }
                op => {
                    if let Op::Initialize(session) = op {
                        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
                        self.questions.declare(session.client);
                        self.announce_changes();
                    }
                    let caller = Caller {
                        principal: &self.principal,
                        dialect: &dialect,
                        channel,
                        home: self.home.as_ref(),
                        questions: &self.questions,
                        threshold: &self.threshold,
                        headers: arrival.headers,
                        offered: self.offered(),
                        max_partials_size: self.shared.limits.max_partials_size,
                    };
                    self.shared.begin(op, &caller).map(Ok)
                }
            }
        });
        match begun {
            Err(error) => Taken::Answered { failure: self.write(out, &id, &dialect, Err(error), &**channel) },
            Ok(Ok(Begun::Now(outcome))) => {
                Taken::Answered { failure: self.write(out, &id, &dialect, Ok(outcome), &**channel) }
            }
            Ok(Ok(Begun::Look(answer))) => self.try_now(id, dialect, Kind::Look, answer, None, channel, out),
            Ok(Ok(Begun::Change(answer))) => {
                self.try_now(id, dialect, Kind::Change, answer, None, channel, out)
            }
            Ok(Ok(Begun::Call(answer, cx, callee))) => {
                self.try_now(id, dialect, Kind::Call(cx), answer, Some(&*callee), channel, out)
            }
            Ok(Err(filter)) => {
                self.listen(id, filter, channel);
                Taken::Listening
            }
        }
    }

    /// Finds the wire that a request is of, and what it asks for there.
    fn judge<'a>(
        &self,
        method: &str,
        mut params: Params<'a>,
        headers: Option<&dyn Headers>,
    ) -> (Dialect, Result<Op<'a>, ProtocolError>) {
        let malformed = params.malformed.take();
        let (dialect, op) = self.judge_readable(method, params, headers);
        match (malformed, &op) {
            // What is judged before the parameters goes first: whether the method exists, for one.
            (Some(malformed), Ok(_)) => (dialect, Err(malformed)),
            (Some(malformed), Err(error)) if error.code() == ProtocolError::INVALID_PARAMS => {
                (dialect, Err(malformed))
            }
            _ => (dialect, op),
        }
    }

    fn judge_readable<'a>(
        &self,
        method: &str,
        params: Params<'a>,
        headers: Option<&dyn Headers>,
    ) -> (Dialect, Result<Op<'a>, ProtocolError>) {
        let is_modern = match self.wires {
            Wires::Any => params.meta.as_ref().is_some_and(|meta| meta.protocol_version.is_some()),
            Wires::Legacy(_) => false,
            Wires::Modern => return self.judge_modern(method, params, headers),
        };
        match self.session() {
            _ if method == "initialize" && !is_modern => {
                let requested = params.protocol_version.as_deref();
                let version = legacy::Version::negotiate(requested.unwrap_or_default());
                let op = match requested {
                    Some(_) => {
                        let client = params.capabilities.unwrap_or_default().in_revision(version.as_str());
                        Ok(Op::Initialize(legacy::Session { version, client }))
                    }
                    None => Err(ProtocolError::invalid_params("`protocolVersion` is required")),
                };
                (Dialect::Legacy(version), op)
            }
            Some(session) if !is_modern && (method != "server/discover" || self.wires != Wires::Any) => {
                let op = legacy::judge(session, self.offered(), method, params);
                (Dialect::Legacy(session.version), op)
            }
            // A client may ping before it has said anything about itself.
            None if !is_modern && method == "ping" => {
                (Dialect::Legacy(legacy::Version::negotiate(names::LEGACY_WITH_TASKS)), Ok(Op::Ping))
            }
            _ => self.judge_modern(method, params, headers),
        }
    }

    /// What this client is offered, on the legacy wire.
    fn offered(&self) -> Offered {
        let mut offered = self.shared.offered;
        if self.principal.is_anonymous() {
            // "Receivers that cannot identify requestors SHOULD NOT declare the `tasks.list` capability": the tasks of
            // others would be on it.
            offered = offered.without(Offer::TaskList);
        }
        if self.home.is_none() {
            // There is nowhere to say that something has changed.
            offered = offered.without(Offer::Changes);
        }
        offered
    }

    fn judge_modern<'a>(
        &self,
        method: &str,
        params: Params<'a>,
        headers: Option<&dyn Headers>,
    ) -> (Dialect, Result<Op<'a>, ProtocolError>) {
        let server = Arc::clone(&self.shared.introductions.server_meta);
        (Dialect::Modern(server), modern::judge(self.shared.offered, method, params, headers))
    }

    /// Runs a request as far as it goes without waiting. Most end here, on the thread that read them.
    #[allow(clippy::too_many_arguments)]
    fn try_now(
        &self,
        id: RequestId,
        dialect: Dialect,
        kind: Kind,
        answer: Answer,
        callee: Option<&dyn Callee>,
        channel: &Arc<dyn Outbox>,
        out: &mut Vec<u8>,
    ) -> Taken {
        let mut answer = guarded(answer);
        if callee.is_none_or(|callee| callee.traits().pace.is_quick())
            && let Poll::Ready(outcome) =
                Pin::new(&mut answer).poll(&mut task::Context::from_waker(Waker::noop()))
        {
            return Taken::Answered { failure: self.write(out, &id, &dialect, flatten(outcome), &**channel) };
        }
        Taken::Later(Later { id, dialect, kind, answer })
    }

    /// Writes an answer, and gives the JSON-RPC code if it is an error. One that makes a task, or is the first that the client
    /// hears of one, is queued at once: what follows of the task must come after it. The task starts when the outcome is
    /// dropped.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        id: &RequestId,
        dialect: &Dialect,
        outcome: Result<Outcome, ProtocolError>,
        channel: &dyn Outbox,
    ) -> Option<Failure> {
        dialect.write(out, id, &outcome, Timestamp::now());
        let home = self.home.as_ref().filter(|_| matches!(dialect, Dialect::Legacy(_)));
        match &outcome {
            Ok(Outcome::Created(record, _)) => {
                channel.respond(std::mem::take(out), None);
                if let Some(home) = home {
                    self.told(home).add_made(record);
                }
            }
            // A client that comes back in another session asks for what it made in an earlier one.
            Ok(Outcome::Task(record, ..)) => {
                if let Some(home) = home {
                    let most = self.shared.limits.max_tasks_per_subscription;
                    let tell = || channel.respond(std::mem::take(out), None);
                    self.told(home).add_seen(record, most, tell);
                }
            }
            _ => {}
        }
        failure(&outcome)
    }

    fn told(&self, home: &Arc<dyn Outbox>) -> &Feed {
        let (feed, _) = self.told.get_or_init(|| {
            let feed =
                Arc::new(Feed::new(&self.shared, Voice::Core(Arc::clone(&self.questions), Arc::clone(home))));
            (Arc::clone(&feed), self.spawn_feed(feed, Arc::clone(home)))
        });
        feed
    }

    fn spawn_feed(&self, feed: Arc<Feed>, home: Arc<dyn Outbox>) -> AbortHandle {
        let shared = Arc::clone(&self.shared);
        let principal = self.principal.clone();
        background::spawn_on(&self.runtime, async move {
            let say = |message: &[u8]| {
                home.push(message);
                true
            };
            feed.run(&shared, &principal, &*home, &say).await;
        })
    }

    /// Nobody listens to what is said unasked any more.
    fn stop_telling(&self) {
        self.questions.give_up();
        if let Some((_, feed)) = self.told.get() {
            feed.abort();
        }
        if let Some((_, changes)) = self.changes.get() {
            changes.abort();
        }
    }

    /// Waits for an answer in the background and sends it.
    fn fly(&self, later: Later, channel: &Arc<dyn Outbox>) {
        let Some(me) = self.me() else { return };
        let Later { id, dialect, kind, answer } = later;
        let own = Arc::clone(channel);
        self.flights.launch(id.clone(), kind, channel, |number| {
            let landing = async move {
                let outcome = flatten(answer.await);
                // A request that was cancelled is not answered.
                if me.flights.commit(&id, number) {
                    let mut out = Vec::with_capacity(256);
                    let failure = me.write(&mut out, &id, &dialect, outcome, &*own);
                    if !out.is_empty() {
                        own.respond(out, failure);
                    }
                    own.flush();
                    me.flights.land();
                }
            };
            background::spawn_on(&self.runtime, landing)
        });
    }

    pub(super) fn receive_one(&self, text: &str, arrival: Arrival<'_>) -> Received {
        let mut out = Vec::with_capacity(256);
        match self.take(text, arrival, &mut out) {
            Taken::Silent => return Received::Silent,
            Taken::Answered { failure } => {
                if !out.is_empty() {
                    arrival.channel.respond(out, failure);
                }
            }
            Taken::Later(later) => self.fly(later, arrival.channel),
            Taken::Listening => {}
        }
        Received::Answered
    }
}

/// The error of a response, if it is one.
fn read_error(error: Option<&RawValue>) -> InputResponse {
    match error.map(|error| serde_json::from_str(error.get())) {
        Some(Ok(error)) => InputResponse::Error(error),
        Some(Err(error)) => InputResponse::Unfit(jsonrpc::without_position(&error)),
        None => InputResponse::Unfit("it cannot be read".to_owned()),
    }
}

fn failure(outcome: &Result<Outcome, ProtocolError>) -> Option<Failure> {
    match outcome {
        Err(error) => Some(Failure::begun(error)),
        Ok(_) => None,
    }
}

/// An answer, whether or not there was a panic on the way to it.
pub(super) fn flatten(
    outcome: Result<Result<Outcome, ProtocolError>, Box<dyn Any + Send>>,
) -> Result<Outcome, ProtocolError> {
    outcome.unwrap_or_else(|panic| {
        tracing::error!(panic = panic_message(&*panic), "a tool panicked");
        Err(panicked())
    })
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A request that came while its session ended may have begun something after everything was stopped.
        self.stop_telling();
    }
}

impl Endpoint for Connection {
    fn receive(&self, message: &str, arrival: Arrival<'_>) -> Received {
        // Tools may count on a runtime from the first poll on, on whatever thread that is.
        let _runtime = self.runtime.enter();
        if message.starts_with('[') {
            self.take_batch(message, arrival)
        } else {
            self.receive_one(message, arrival)
        }
    }

    fn refuse_oversized(&self, beginning: &str, limit: usize, channel: &dyn Outbox) {
        let _runtime = self.runtime.enter();
        telemetry::refused("max_message_size");
        let message =
            format!("the message is larger than the server's limit `max_message_size` ({limit} bytes)");
        let jsonrpc::Peeked { id, is_answer } = jsonrpc::peek(beginning);
        if is_answer {
            let response = InputResponse::Unfit(message);
            return self.questions.answer(id.as_ref(), response);
        }
        let mut out = Vec::new();
        let error = ProtocolError::invalid_request(message);
        jsonrpc::write_error(&mut out, id.as_ref(), &error);
        channel.respond(out, Some(Failure::refused(&error)));
    }

    fn refuse_not_utf8(&self, channel: &dyn Outbox) {
        let mut out = Vec::new();
        let error =
            ProtocolError::new(ProtocolError::PARSE_ERROR, "not valid JSON: the message is not UTF-8");
        jsonrpc::write_error(&mut out, None, &error);
        channel.respond(out, Some(Failure::refused(&error)));
    }

    fn come_home(&self) {
        if let Some((feed, _)) = self.told.get() {
            feed.look_again();
        }
    }

    fn abandon(&self) {
        self.flights.cancel_all(self.shared.tasks.cancel_grace, &self.runtime);
        self.stop_telling();
    }

    fn end_subscriptions(&self) {
        let server = &self.shared.introductions.server_meta;
        for (id, flight) in self.flights.take_subscriptions() {
            flight.abort.abort();
            let [notification, answer] = modern::closed(&id, server);
            flight.channel.push(&notification);
            flight.channel.respond(answer, None);
            flight.channel.flush();
        }
    }

    fn drain(self: Arc<Self>, limit: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if tokio::time::timeout(limit, self.flights.drain()).await.is_err() {
                tracing::debug!(
                    requests = self.flights.awaited(),
                    "what did not end in time is not waited for"
                );
            }
        })
    }

    fn settle(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if tokio::time::timeout(LAST_ANSWERS, self.flights.drain()).await.is_err() {
                tracing::warn!(requests = self.flights.awaited(), "what did not end in time was dropped");
            }
            self.end_subscriptions();
            for (_, flight) in self.flights.take() {
                if !matches!(flight.kind, Kind::Change) {
                    flight.abort.abort();
                    flight.channel.close();
                }
            }
            self.stop_telling();
            if let Some(home) = &self.home {
                home.flush();
            }
        })
    }

    fn finish(
        self: Arc<Self>,
        then: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let grace = self.shared.tasks.cancel_grace;
            Arc::clone(&self).drain(grace).await;
            then.await;
            self.settle().await;
        })
    }
}
