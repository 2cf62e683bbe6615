//! One client on a channel of its own: which wire each message is of, what is being worked on, and who follows what.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{self, Poll, Waker};

use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::Shared;
use super::call::{Answer, Begun, Caller};
use super::catalogue::Entry;
use super::subscription::{Feed, Voice};
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::{self, Message, RequestId};
use crate::protocol::names;
use crate::protocol::params::{Params, SubscriptionFilter};
use crate::protocol::time::Timestamp;
use crate::task::{Context, Guarded, Principal, guarded, panic_message, panicked};
use crate::transport::{Endpoint, Outbox};
use crate::wire::{Dialect, Op, Outcome, legacy, modern};

/// The messages of one batch at most.
const LARGEST_BATCH: usize = 256;

/// A client, from the first message to the last.
pub(super) struct Connection {
    me: Weak<Self>,
    shared: Arc<Shared>,
    outbox: Arc<dyn Outbox>,
    principal: Principal,
    runtime: Handle,
    /// The revision that `initialize` settled, for requests that do not carry one themselves.
    session: Mutex<Option<legacy::Version>>,
    /// The tasks that a client of the core dialect made, of which it is told unasked.
    made: OnceLock<(Arc<Feed>, AbortHandle)>,
    flights: Mutex<HashMap<RequestId, Flight>>,
    landed: Notify,
}

/// A request that is being worked on.
struct Flight {
    kind: Kind,
    abort: AbortHandle,
}

enum Kind {
    /// The client waits for an answer. A tool's call hears of its cancellation through its context.
    Request(Option<Context>),
    /// The client listens.
    Subscription,
}

/// One message of a request that could not be answered at once.
struct Later {
    id: RequestId,
    dialect: Dialect,
    cx: Option<Context>,
    answer: Guarded<Answer>,
}

/// What came of one message.
enum Taken {
    /// Nothing is to be said.
    Silent,
    /// The answer was written.
    Answered,
    /// The answer comes later.
    Later(Later),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    /// A new client. Must be called within a Tokio runtime.
    pub(super) fn open(shared: Arc<Shared>, outbox: Arc<dyn Outbox>, principal: Principal) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            shared,
            outbox,
            principal,
            runtime: Handle::current(),
            session: Mutex::default(),
            made: OnceLock::new(),
            flights: Mutex::default(),
            landed: Notify::new(),
        })
    }

    /// Takes one message. An answer that is there at once is written into `out`.
    fn take(&self, text: &str, out: &mut Vec<u8>) -> Taken {
        match jsonrpc::read(text) {
            Ok(Message::Request { id, method, params }) => self.take_request(id, &method, params, out),
            Ok(Message::Notification { method, params }) => {
                self.take_notification(&method, &params);
                Taken::Silent
            }
            Ok(Message::Response { id }) => {
                // No request of ours is open on this wire, so nobody waits for it.
                tracing::debug!(%id, "a response that nobody asked for");
                Taken::Silent
            }
            Err(unreadable) => {
                jsonrpc::write_error(out, unreadable.id.as_ref(), &unreadable.error);
                Taken::Answered
            }
        }
    }

    fn take_notification(&self, method: &str, params: &Params<'_>) {
        // Others say nothing that this server acts on; the specification asks to ignore what is not known.
        if let ("notifications/cancelled", Some(id)) = (method, &params.request_id) {
            tracing::debug!(%id, reason = params.reason.as_deref(), "the client cancelled a request");
            self.cancel(id);
        }
    }

    fn take_request(&self, id: RequestId, method: &str, params: Params<'_>, out: &mut Vec<u8>) -> Taken {
        let (dialect, op) = self.judge(method, params);
        let begun = op.and_then(|op| {
            self.admit(&id)?;
            match op {
                Op::Listen { tasks } => Ok(Err(tasks)),
                op => {
                    if let Op::Initialize(version) = op {
                        *lock(&self.session) = Some(version);
                    }
                    let caller =
                        Caller { principal: &self.principal, dialect: &dialect, outbox: &self.outbox };
                    self.shared.begin(op, &caller).map(Ok)
                }
            }
        });
        match begun {
            Err(error) => {
                jsonrpc::write_error(out, Some(&id), &error);
                Taken::Answered
            }
            Ok(Ok(Begun::Now(outcome))) => {
                self.write(out, &id, &dialect, Ok(outcome));
                Taken::Answered
            }
            Ok(Ok(Begun::Later(answer))) => self.try_now(id, dialect, None, answer, None, out),
            Ok(Ok(Begun::Tool(answer, cx, entry))) => {
                self.try_now(id, dialect, Some(cx), answer, Some(&entry), out)
            }
            Ok(Err(tasks)) => {
                self.listen(id, tasks);
                Taken::Silent
            }
        }
    }

    /// Finds the wire that a request is of, and what it asks for there.
    fn judge<'a>(&self, method: &str, params: Params<'a>) -> (Dialect, Result<Op<'a>, ProtocolError>) {
        let is_modern = params.meta.as_ref().is_some_and(|meta| meta.protocol_version.is_some());
        let session = *lock(&self.session);
        match session {
            _ if method == "initialize" && !is_modern => {
                let requested = params.protocol_version.as_deref();
                let version = legacy::Version::negotiate(requested.unwrap_or_default());
                let op = match requested {
                    Some(_) => Ok(Op::Initialize(version)),
                    None => Err(ProtocolError::invalid_params("`protocolVersion` is required")),
                };
                (Dialect::Legacy(version), op)
            }
            Some(version) if !is_modern && method != "server/discover" => {
                let tasks = self.shared.catalogue.has_tasks();
                (Dialect::Legacy(version), legacy::judge(version, tasks, method, params))
            }
            // A client may ping before it has said anything about itself.
            None if !is_modern && method == "ping" => {
                (Dialect::Legacy(legacy::Version::negotiate(names::LEGACY_WITH_TASKS)), Ok(Op::Ping))
            }
            _ => {
                let server = Arc::clone(&self.shared.introductions.server_meta);
                (Dialect::Modern(server), modern::judge(method, params))
            }
        }
    }

    /// Whether there is room for a request of this id.
    fn admit(&self, id: &RequestId) -> Result<(), ProtocolError> {
        let flights = lock(&self.flights);
        let limit = self.shared.limits.max_requests_in_flight;
        if flights.len() >= limit {
            let message = format!(
                "the server's limit `max_requests_in_flight` is reached ({limit}); await some answers"
            );
            return Err(ProtocolError::new(ProtocolError::LIMIT_REACHED, message));
        }
        if flights.contains_key(id) {
            return Err(ProtocolError::invalid_request(format!(
                "a request with the id {id} is still being worked on"
            )));
        }
        Ok(())
    }

    /// Runs a request as far as it goes without waiting. Most end here, on the thread that read them.
    fn try_now(
        &self,
        id: RequestId,
        dialect: Dialect,
        cx: Option<Context>,
        answer: Answer,
        entry: Option<&Arc<Entry>>,
        out: &mut Vec<u8>,
    ) -> Taken {
        let mut answer = guarded(answer);
        if entry.is_none_or(|entry| entry.pace.is_quick())
            && let Poll::Ready(outcome) =
                Pin::new(&mut answer).poll(&mut task::Context::from_waker(Waker::noop()))
        {
            self.write(out, &id, &dialect, flatten(outcome));
            return Taken::Answered;
        }
        Taken::Later(Later { id, dialect, cx, answer })
    }

    /// Writes an answer. One that makes a task is queued at once, for the client must know the task before it is told
    /// anything of it; the task starts when the outcome is dropped.
    fn write(
        &self,
        out: &mut Vec<u8>,
        id: &RequestId,
        dialect: &Dialect,
        outcome: Result<Outcome, ProtocolError>,
    ) {
        dialect.write(out, id, &outcome, Timestamp::now());
        if let Ok(Outcome::Created(record, _)) = &outcome {
            self.outbox.push(out);
            out.clear();
            if matches!(dialect, Dialect::Legacy(_)) {
                self.made().add(record.id, Some(record.rev));
            }
        }
    }

    fn made(&self) -> &Feed {
        let (feed, _) = self.made.get_or_init(|| {
            let feed = Arc::new(Feed::new(&self.shared, Voice::Core));
            (Arc::clone(&feed), self.spawn_feed(feed))
        });
        feed
    }

    fn spawn_feed(&self, feed: Arc<Feed>) -> AbortHandle {
        let (shared, outbox) = (Arc::clone(&self.shared), Arc::clone(&self.outbox));
        let principal = self.principal.clone();
        self.runtime.spawn(async move { feed.run(&shared, &principal, &*outbox).await }).abort_handle()
    }

    /// Waits for an answer in the background and sends it.
    fn fly(&self, later: Later) {
        let Some(me) = self.me.upgrade() else { return };
        let Later { id, dialect, cx, answer } = later;
        // Locked while spawning, so that the answer cannot be there before its flight is.
        let mut flights = lock(&self.flights);
        let task = self.runtime.spawn({
            let id = id.clone();
            async move {
                let outcome = flatten(answer.await);
                // A request that was cancelled is not answered.
                if me.land(&id) {
                    me.send(&id, &dialect, outcome);
                }
            }
        });
        flights.insert(id, Flight { kind: Kind::Request(cx), abort: task.abort_handle() });
    }

    fn send(&self, id: &RequestId, dialect: &Dialect, outcome: Result<Outcome, ProtocolError>) {
        let mut out = Vec::with_capacity(256);
        self.write(&mut out, id, dialect, outcome);
        if !out.is_empty() {
            self.outbox.push(&out);
        }
        self.outbox.flush();
    }

    fn land(&self, id: &RequestId) -> bool {
        let landed = lock(&self.flights).remove(id).is_some();
        self.landed.notify_waiters();
        landed
    }

    fn cancel(&self, id: &RequestId) {
        let Some(flight) = lock(&self.flights).remove(id) else { return };
        self.landed.notify_waiters();
        let abort = flight.abort;
        match flight.kind {
            Kind::Request(Some(cx)) if cx.cancel() => {
                let grace = self.shared.tasks.cancel_grace;
                self.runtime.spawn(async move {
                    tokio::time::sleep(grace).await;
                    abort.abort();
                });
            }
            _ => abort.abort(),
        }
    }

    /// Opens a subscription: says what is honoured, then the state of each task, then every change.
    fn listen(&self, id: RequestId, tasks: Option<Vec<String>>) {
        let Some(me) = self.me.upgrade() else { return };
        let mut flights = lock(&self.flights);
        let task = self.runtime.spawn({
            let id = id.clone();
            async move { me.run_subscription(id, tasks).await }
        });
        flights.insert(id, Flight { kind: Kind::Subscription, abort: task.abort_handle() });
    }

    async fn run_subscription(&self, id: RequestId, tasks: Option<Vec<String>>) {
        let limit = self.shared.limits.max_tasks_per_subscription;
        if tasks.as_ref().is_some_and(|tasks| tasks.len() > limit) {
            let message = format!("the server's limit `max_tasks_per_subscription` is reached ({limit})");
            if self.land(&id) {
                let error = ProtocolError::new(ProtocolError::LIMIT_REACHED, message);
                let mut out = Vec::new();
                jsonrpc::write_error(&mut out, Some(&id), &error);
                self.outbox.push(&out);
                self.outbox.flush();
            }
            return;
        }
        let feed = Feed::new(&self.shared, Voice::Subscription(id.clone()));
        let mut agreed = Vec::new();
        for name in tasks.iter().flatten() {
            // What the caller may not see is left out, like what is not there.
            if let Ok(task) = name.parse()
                && self.shared.engine.get(task, &self.principal).await.is_ok()
            {
                agreed.push((name.clone(), task));
            }
        }
        let task_ids = tasks.is_some().then(|| agreed.iter().map(|(name, _)| name.clone()).collect());
        let mut out = Vec::new();
        modern::write_acknowledged(&mut out, &id, &SubscriptionFilter { task_ids });
        self.outbox.push(&out);
        self.outbox.flush();
        for (_, task) in &agreed {
            feed.add(*task, None);
        }
        feed.run(&self.shared, &self.principal, &*self.outbox).await;
    }

    /// Takes a JSON-RPC batch, which only one revision has.
    fn take_batch(&self, text: &str) {
        let refuse = |message: &str| {
            let mut out = Vec::new();
            jsonrpc::write_error(&mut out, None, &ProtocolError::invalid_request(message.to_owned()));
            self.outbox.push(&out);
            self.outbox.flush();
        };
        if !lock(&self.session).is_some_and(legacy::Version::has_batches) {
            return match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                Ok(_) => refuse("a batch is not a message: only MCP 2025-03-26 has batches"),
                Err(_) => self.receive_one(text),
            };
        }
        let messages = match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(messages) if messages.is_empty() => return refuse("an empty batch asks for nothing"),
            Ok(messages) if messages.len() > LARGEST_BATCH => {
                return refuse(&format!("a batch has at most {LARGEST_BATCH} messages"));
            }
            Ok(messages) => messages,
            Err(_) => return self.receive_one(text),
        };
        let mut answers = Vec::new();
        let mut waiting = Vec::new();
        for message in messages {
            let mut out = Vec::new();
            match self.take(message.get(), &mut out) {
                Taken::Silent => {}
                Taken::Answered if out.is_empty() => {}
                Taken::Answered => answers.push(out),
                Taken::Later(later) => waiting.push(later),
            }
        }
        let Some(me) = self.me.upgrade() else { return };
        let mut running = Vec::new();
        for Later { id, dialect, cx, answer } in waiting {
            let mut flights = lock(&self.flights);
            let task = self.runtime.spawn(answer);
            flights.insert(id.clone(), Flight { kind: Kind::Request(cx), abort: task.abort_handle() });
            running.push((id, dialect, task));
        }
        self.runtime.spawn(async move {
            for (id, dialect, task) in running {
                // What was cancelled is left out of the answer, and so is what the runtime dropped.
                let answer = task.await;
                if let (true, Ok(outcome)) = (me.land(&id), answer) {
                    let mut out = Vec::new();
                    me.write(&mut out, &id, &dialect, flatten(outcome));
                    answers.push(out);
                }
            }
            if !answers.is_empty() {
                me.outbox.push(&[&b"["[..], &answers.join(&b","[..]), b"]"].concat());
                me.outbox.flush();
            }
        });
    }

    fn receive_one(&self, text: &str) {
        let mut out = Vec::with_capacity(256);
        match self.take(text, &mut out) {
            Taken::Silent => {}
            Taken::Answered => {
                if !out.is_empty() {
                    self.outbox.push(&out);
                }
            }
            Taken::Later(later) => self.fly(later),
        }
    }

    fn flights_that_count(&self) -> usize {
        lock(&self.flights).values().filter(|flight| matches!(flight.kind, Kind::Request(_))).count()
    }

    async fn drain(&self) {
        loop {
            let landed = self.landed.notified();
            if self.flights_that_count() == 0 {
                return;
            }
            landed.await;
        }
    }
}

fn flatten(
    outcome: Result<Result<Outcome, ProtocolError>, Box<dyn std::any::Any + Send>>,
) -> Result<Outcome, ProtocolError> {
    outcome.unwrap_or_else(|panic| {
        tracing::error!(panic = panic_message(&*panic), "a tool panicked");
        Err(panicked())
    })
}

impl Endpoint for Connection {
    fn receive(&self, message: &str) {
        if message.starts_with('[') { self.take_batch(message) } else { self.receive_one(message) }
    }

    fn refuse_oversized(&self, beginning: &str, limit: usize) {
        let message =
            format!("the message is larger than the server's limit `max_message_size` ({limit} bytes)");
        let mut out = Vec::new();
        let error = ProtocolError::invalid_request(message);
        jsonrpc::write_error(&mut out, jsonrpc::peek_id(beginning).as_ref(), &error);
        self.outbox.push(&out);
    }

    fn refuse_not_utf8(&self) {
        let mut out = Vec::new();
        let error =
            ProtocolError::new(ProtocolError::PARSE_ERROR, "not valid JSON: the message is not UTF-8");
        jsonrpc::write_error(&mut out, None, &error);
        self.outbox.push(&out);
    }

    fn finish(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let grace = self.shared.tasks.cancel_grace;
            if tokio::time::timeout(grace, self.drain()).await.is_err() {
                tracing::warn!(
                    calls = self.flights_that_count(),
                    "calls that did not end in time were dropped"
                );
            }
            let flights = std::mem::take(&mut *lock(&self.flights));
            for (id, flight) in flights {
                flight.abort.abort();
                if matches!(flight.kind, Kind::Subscription) {
                    let mut messages = [Vec::new(), Vec::new()];
                    modern::write_closed(&mut messages, &id, &self.shared.introductions.server_meta);
                    for message in &messages {
                        self.outbox.push(message);
                    }
                }
            }
            if let Some((_, feed)) = self.made.get() {
                feed.abort();
            }
            self.outbox.flush();
        })
    }
}
