//! The client as the server sees it: takes what the server says, and answers what it asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::ask::Era;
use super::error::Error;
use super::handlers::{Handlers, NoAnswer};
use super::link::{Link, Outcome, Outgoing};
use super::listen::{Change, Told};
use super::receiver::{Receiver, send};
use crate::protocol::names::meta;
use crate::protocol::params::Str;
use crate::protocol::{ProtocolError, RequestId};

/// What is not read yet of what the server says of a task. More is dropped: there is always the next poll.
const UNREAD: usize = 64;

/// How far a call is, as the server says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// How much is done.
    #[serde(rename = "progress")]
    pub done: f64,
    /// How much there is to do, if that is known.
    #[serde(default)]
    pub total: Option<f64>,
    /// What is going on.
    #[serde(default)]
    pub message: Option<String>,
}

/// Who hears of a call's progress.
pub(super) type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// Who hears of what the server logs: the parameters of `notifications/message`.
pub(super) type OnLog = Arc<dyn Fn(Value) + Send + Sync>;

/// What the server says of a task by itself.
#[derive(Debug)]
pub(super) enum Push {
    /// The subscription was opened; whether it is one to the task.
    Granted(bool),
    /// The task's state, as the server writes it.
    State(Value),
    /// The task should be looked at.
    Look,
    /// What the task asks cannot be answered.
    Unanswered(Error),
}

/// Who opened a subscription.
#[derive(Clone)]
pub(super) enum Subscriber {
    /// The follower of a task.
    Follower(mpsc::Sender<Push>),
    /// Who listens for changes.
    Listener(Arc<Told>),
}

impl From<Arc<Told>> for Subscriber {
    fn from(told: Arc<Told>) -> Self {
        Self::Listener(told)
    }
}

/// The client, for as long as there is one; the ways to the server come and go.
pub(super) struct Peer {
    pub(super) handlers: Handlers,
    pub(super) on_log: Option<OnLog>,
    /// Who runs what the server asks for as a task, if that may be one.
    pub(super) receiver: Option<Receiver>,
    /// Whether the server is spoken to by the stateless protocol, in which it asks nothing by requests.
    is_modern: AtomicBool,
    heard: Mutex<Heard>,
    /// How often the server said that its tools are others now.
    tools_changed: AtomicU64,
}

/// Who waits for what.
#[derive(Default)]
struct Heard {
    progress: HashMap<i64, OnProgress>,
    /// By the request that opened the subscription.
    subscriptions: HashMap<i64, Subscriber>,
    /// By task.
    followers: HashMap<Arc<str>, Vec<(u64, mpsc::Sender<Push>)>>,
    last_follower: u64,
    /// What the server asked and what is being answered.
    answering: HashMap<RequestId, AbortHandle>,
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON-RPC message")]
struct Frame<'a> {
    #[serde(default)]
    id: Option<RequestId>,
    #[serde(borrow, default)]
    method: Option<Str<'a>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

impl Peer {
    pub(super) fn new(handlers: Handlers, on_log: Option<OnLog>, receiver: Option<Receiver>) -> Self {
        Self {
            handlers,
            on_log,
            receiver,
            is_modern: AtomicBool::new(false),
            heard: Mutex::default(),
            tools_changed: AtomicU64::new(0),
        }
    }

    /// The server is spoken to by this from now on.
    pub(super) fn speaks(&self, era: &Era) {
        self.is_modern.store(era.is_modern(), Ordering::Release);
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often the server said that its tools are others now.
    pub(super) fn tools_generation(&self) -> u64 {
        self.tools_changed.load(Ordering::Acquire)
    }

    /// Takes a message, or several. Answers are given to `settle`.
    pub(super) fn hear(
        self: &Arc<Self>,
        text: &str,
        link: &Arc<dyn Link>,
        mut settle: impl FnMut(i64, Outcome),
    ) {
        let text = text.trim();
        if text.starts_with('[') {
            // One revision has batches.
            match serde_json::from_str::<Vec<&RawValue>>(text) {
                Ok(batch) => batch.iter().for_each(|one| self.hear_one(one.get(), link, &mut settle)),
                Err(error) => tracing::warn!(%error, "the server sent what cannot be read"),
            }
        } else {
            self.hear_one(text, link, &mut settle);
        }
    }

    fn hear_one(self: &Arc<Self>, text: &str, link: &Arc<dyn Link>, settle: &mut impl FnMut(i64, Outcome)) {
        let frame: Frame<'_> = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => return tracing::warn!(%error, "the server sent what cannot be read"),
        };
        let params = || frame.params.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        match (frame.id, frame.method) {
            // "The client MUST NOT write JSON-RPC responses."
            (Some(_), Some(method)) if self.is_modern.load(Ordering::Acquire) => {
                tracing::warn!(
                    method = &*method.0,
                    "the server asks by a request, which its protocol does not have"
                );
            }
            (Some(id), Some(method)) => {
                let params = params();
                match self.receiver.as_ref().filter(|receiver| receiver.takes(&method, &params)) {
                    Some(receiver) => receiver.receive(Some(&id), &method, params, link),
                    None => self.answer(id, method.0.into_owned(), params, link),
                }
            }
            (None, Some(method)) => self.note(&method, params(), link),
            (Some(RequestId::Number(id)), None) => settle(id, outcome(frame.result, frame.error)),
            (id, None) => tracing::warn!(?id, "the server answered what nobody asked"),
        }
    }

    /// Answers a request of the server's, when somebody knows the answer.
    fn answer(self: &Arc<Self>, id: RequestId, method: String, params: Value, link: &Arc<dyn Link>) {
        let (peer, link) = (Arc::clone(self), Arc::clone(link));
        let key = id.clone();
        // The lock is held until the task is entered, so that it leaves after that.
        let mut heard = self.heard();
        let answering = tokio::spawn(async move {
            let answer = match peer.handlers.answer(&method, params).await {
                Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
                Err(NoAnswer(error)) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
            };
            send(&*link, Outgoing::aside(&answer)).await;
            peer.heard().answering.remove(&id);
        });
        heard.answering.insert(key, answering.abort_handle());
    }

    /// Takes a notification.
    fn note(&self, method: &str, params: Value, link: &Arc<dyn Link>) {
        match method {
            "notifications/progress" => {
                let token = params["progressToken"].as_i64();
                let on_progress = token.and_then(|token| self.heard().progress.get(&token).cloned());
                if let (Some(on_progress), Ok(progress)) = (on_progress, serde_json::from_value(params)) {
                    on_progress(progress);
                }
            }
            "notifications/message" => {
                if let Some(on_log) = &self.on_log {
                    on_log(params);
                }
            }
            "notifications/cancelled" => {
                let id = serde_json::from_value(params["requestId"].clone()).ok();
                let answering = id.and_then(|id: RequestId| self.heard().answering.remove(&id));
                match (answering, &self.receiver) {
                    (Some(answering), _) => answering.abort(),
                    (None, Some(receiver)) => receiver.receive(None, method, params, link),
                    (None, None) => {}
                }
            }
            "notifications/subscriptions/acknowledged" => {
                let id = params["_meta"][meta::SUBSCRIPTION_ID].as_i64();
                let granted = &params["notifications"];
                match id.and_then(|id| self.heard().subscriptions.get(&id).cloned()) {
                    Some(Subscriber::Follower(follower)) => {
                        let tasks = granted["taskIds"].as_array();
                        let is_granted = tasks.is_some_and(|tasks| !tasks.is_empty());
                        let _ = follower.try_send(Push::Granted(is_granted));
                    }
                    Some(Subscriber::Listener(told)) => {
                        // It may have changed before it was listened for.
                        self.tools_changed.fetch_add(1, Ordering::AcqRel);
                        told.grant_all_of(granted);
                    }
                    None => {}
                }
            }
            "notifications/tasks" | "notifications/tasks/status" => {
                let heard = self.heard();
                let followers = params["taskId"].as_str().and_then(|id| heard.followers.get(id));
                for (_, follower) in followers.into_iter().flatten() {
                    let _ = follower.try_send(Push::State(params.clone()));
                }
            }
            "notifications/tools/list_changed" => {
                self.tools_changed.fetch_add(1, Ordering::AcqRel);
                self.tell(&params, &Change::Tools);
            }
            "notifications/prompts/list_changed" => self.tell(&params, &Change::Prompts),
            "notifications/resources/list_changed" => self.tell(&params, &Change::Resources),
            "notifications/resources/updated" => {
                let uri = params["uri"].as_str().unwrap_or_default().to_owned();
                self.tell(&params, &Change::Resource(uri));
            }
            _ => tracing::debug!(method, "a notification that nobody waits for"),
        }
    }

    /// Tells of a change who listens for it: by that subscription, or where there are none, all.
    fn tell(&self, params: &Value, change: &Change) {
        let heard = self.heard();
        let told = |subscriber: &Subscriber| {
            if let Subscriber::Listener(told) = subscriber {
                told.tell(change.clone());
            }
        };
        match &params["_meta"][meta::SUBSCRIPTION_ID] {
            Value::Null => heard.subscriptions.values().for_each(told),
            id => {
                let subscriber = id.as_i64().and_then(|id| heard.subscriptions.get(&id));
                subscriber.into_iter().for_each(told);
            }
        }
    }

    /// Whether somebody listens for this.
    pub(super) fn is_watched(&self, change: &Change) -> bool {
        self.heard().subscriptions.values().any(|subscriber| match subscriber {
            Subscriber::Listener(told) => told.wants(change),
            Subscriber::Follower(_) => false,
        })
    }

    /// Nobody listens there any more.
    pub(super) fn leave(&self, told: &Arc<Told>) {
        self.heard().subscriptions.retain(|_, subscriber| match subscriber {
            Subscriber::Listener(other) => !Arc::ptr_eq(other, told),
            Subscriber::Follower(_) => true,
        });
    }

    /// Hears of the progress of a request, until the guard is dropped.
    pub(super) fn on_progress(self: &Arc<Self>, request: i64, on_progress: OnProgress) -> Listening {
        self.heard().progress.insert(request, on_progress);
        Listening { peer: Arc::clone(self), to: To::Progress(request) }
    }

    /// Hears what becomes of a subscription, until the guard is dropped.
    pub(super) fn on_subscription(self: &Arc<Self>, request: i64, to: Subscriber) -> Listening {
        self.heard().subscriptions.insert(request, to);
        Listening { peer: Arc::clone(self), to: To::Subscription(request) }
    }

    /// Hears of a task what the server says of it by itself, until the guard is dropped.
    pub(super) fn follow(
        self: &Arc<Self>,
        task: &Arc<str>,
    ) -> (mpsc::Sender<Push>, mpsc::Receiver<Push>, Listening) {
        let (sender, receiver) = mpsc::channel(UNREAD);
        let mut heard = self.heard();
        heard.last_follower += 1;
        let number = heard.last_follower;
        heard.followers.entry(Arc::clone(task)).or_default().push((number, sender.clone()));
        drop(heard);
        let to = To::Task(Arc::clone(task), number);
        (sender, receiver, Listening { peer: Arc::clone(self), to })
    }
}

/// That somebody listens, for as long as it is there.
pub(super) struct Listening {
    peer: Arc<Peer>,
    to: To,
}

enum To {
    Progress(i64),
    Subscription(i64),
    Task(Arc<str>, u64),
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut heard = self.peer.heard();
        match &self.to {
            To::Progress(request) => drop(heard.progress.remove(request)),
            To::Subscription(request) => drop(heard.subscriptions.remove(request)),
            To::Task(task, number) => {
                if let Some(followers) = heard.followers.get_mut(task) {
                    followers.retain(|(other, _)| other != number);
                    if followers.is_empty() {
                        heard.followers.remove(task);
                    }
                }
            }
        }
    }
}

/// What an answer says.
fn outcome(result: Option<&RawValue>, error: Option<&RawValue>) -> Outcome {
    let unreadable = || ProtocolError::internal("the server's answer cannot be read");
    match (result, error) {
        (Some(result), _) => serde_json::from_str(result.get()).map_err(|_| unreadable()),
        (None, Some(error)) => Err(serde_json::from_str(error.get()).unwrap_or_else(|_| unreadable())),
        (None, None) => Err(unreadable()),
    }
}
