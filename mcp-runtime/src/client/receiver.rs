//! The client as the one who runs tasks: what a server of 2025-11-25 asks by `sampling/createMessage` and
//! `elicitation/create` may be a task here, which the server polls, fetches and cancels.
//!
//! It is the other half of a server that does it: a service whose only callees are the client's handlers. So these tasks are
//! run, kept, found again by their keys, recovered and expired like any others.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::{Map, Value, json};
use tokio::task::AbortHandle;

use super::backoff::Backoff;
use super::error::Error;
use super::handlers::{Handlers, NoAnswer};
use super::link::{Broken, Link, Outgoing};
use crate::protocol::{RequestId, names};
use crate::server::{Answering, Server, Service, Tasks};
use crate::task::{Principal, RequestKind};
use crate::transport::in_process::{Inbox, channel};
use crate::transport::{Acceptor, Arrival, Client, Endpoint, Outbox, Wires};
use crate::wire::legacy::Version;

/// How often an answer is sent before the server is given up.
const TRIES: usize = 5;

/// Runs tasks for one server.
pub(super) struct Receiver {
    service: Service,
    /// Whose the tasks are: this server's, if others have theirs in the same file.
    server: Principal,
    /// Which kinds of requests may be tasks.
    kinds: Vec<RequestKind>,
    at: Mutex<Option<Post>>,
}

/// Where the server is at the moment.
struct Post {
    link: Weak<dyn Link>,
    endpoint: Arc<dyn Endpoint>,
    channel: Arc<dyn Outbox>,
    sending: AbortHandle,
}

impl Receiver {
    /// Makes ready to run tasks for a server that is told from others by this name. Must be called within a Tokio runtime.
    pub(super) fn new(
        tasks: Tasks,
        handlers: &Handlers,
        server: Principal,
        max_message_size: usize,
    ) -> Result<Self, Error> {
        let mut kinds = Vec::new();
        if handlers.model.is_some() {
            kinds.push(RequestKind::CreateMessage);
        }
        if handlers.form.is_some() || handlers.page.is_some() {
            kinds.push(RequestKind::Elicit);
        }
        let limits = crate::Limits { max_message_size, ..crate::Limits::default() };
        // Nobody is told this name: the handshake is the client's.
        let mut receiver = Server::new("client", "0").tasks(tasks).limits(limits);
        for kind in &kinds {
            let (handlers, method) = (handlers.clone(), kind.method());
            let answering: Answering = Arc::new(move |params| {
                let handlers = handlers.clone();
                Box::pin(
                    async move { handlers.answer(method, params).await.map_err(|NoAnswer(error)| error) },
                )
            });
            receiver = receiver.handler(*kind, answering);
        }
        let service = receiver.build().map_err(|error| Error::Invalid(error.to_string()))?;
        service.begin();
        Ok(Self { service, server, kinds, at: Mutex::default() })
    }

    /// What the client declares of it, for the revision that knows it.
    pub(super) fn capability(&self) -> Option<Value> {
        let mut requests = Map::new();
        for kind in &self.kinds {
            let (group, verb) = kind.method().split_once('/').unwrap_or_default();
            requests.insert(group.to_owned(), json!({ (verb): {} }));
        }
        let is_any = !requests.is_empty();
        is_any.then(|| json!({ "list": {}, "cancel": {}, "requests": requests }))
    }

    /// Whether a request is about tasks that are, or are to be, here.
    pub(super) fn takes(&self, method: &str, params: &Value) -> bool {
        match method {
            "tasks/get" | "tasks/result" | "tasks/list" | "tasks/cancel" => true,
            _ => params["task"].is_object() && self.kinds.iter().any(|kind| kind.method() == method),
        }
    }

    /// Takes such a request, or that one of them is cancelled. What there is to say to it goes over this link.
    pub(super) fn receive(&self, id: Option<&RequestId>, method: &str, params: Value, link: &Arc<dyn Link>) {
        let is_new = self.kinds.iter().any(|kind| kind.method() == method);
        let params = if is_new { as_call(params) } else { params };
        let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        if let Some(id) = id {
            message["id"] = json!(id);
        }
        let (endpoint, channel) = self.post(link);
        endpoint.receive(&message.to_string(), Arrival { channel: &channel, headers: None });
    }

    /// The server at the end of this link.
    fn post(&self, link: &Arc<dyn Link>) -> (Arc<dyn Endpoint>, Arc<dyn Outbox>) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(post) =
            at.as_ref().filter(|post| std::ptr::addr_eq(Weak::as_ptr(&post.link), Arc::as_ptr(link)))
        {
            return (Arc::clone(&post.endpoint), Arc::clone(&post.channel));
        }
        let (outbox, inbox) = channel();
        let channel: Arc<dyn Outbox> = Arc::new(outbox);
        let endpoint = self.service.connect(Client {
            home: Some(Arc::clone(&channel)),
            principal: self.server.clone(),
            wires: Wires::Legacy(Some(Version::negotiate(names::LEGACY_WITH_TASKS))),
        });
        let sending = tokio::spawn(send_all(inbox, Arc::downgrade(link))).abort_handle();
        let post = Post {
            link: Arc::downgrade(link),
            endpoint: Arc::clone(&endpoint),
            channel: Arc::clone(&channel),
            sending,
        };
        // What the server asked over a link that leads nowhere any more it asks again.
        drop(at.replace(post));
        (endpoint, channel)
    }

    /// Stops what runs. What may go on elsewhere is handed back.
    pub(super) async fn stop(&self) {
        self.service.stop().await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let service = self.service.clone();
            runtime.spawn(async move { service.stop().await });
        }
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.sending.abort();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(Arc::clone(&self.endpoint).finish(Box::pin(std::future::ready(()))));
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

/// A request as a call: what it asks is its arguments, and what it says of the task stands beside that.
fn as_call(params: Value) -> Value {
    let Value::Object(mut arguments) = params else { return json!({}) };
    let mut call = Map::new();
    for beside in ["task", "_meta", "idempotencyKey"] {
        if let Some(value) = arguments.remove(beside) {
            call.insert(beside.to_owned(), value);
        }
    }
    call.insert("arguments".to_owned(), arguments.into());
    call.into()
}

/// Sends what there is to say, in order, for as long as the link leads somewhere.
async fn send_all(mut inbox: Inbox, link: Weak<dyn Link>) {
    while let Some(text) = inbox.next().await {
        let Some(link) = link.upgrade() else { return };
        send(&*link, Outgoing { id: None, text, headers: Vec::new() }).await;
    }
}

/// Sends an answer, or a notification, and tries again if it does not arrive.
pub(super) async fn send(link: &dyn Link, message: Outgoing) {
    let mut backoff = Backoff::new();
    for _ in 0..TRIES {
        match link.send(message.clone()).await {
            Ok(()) | Err(Broken::NoSession) => return,
            Err(error) => tracing::debug!(%error, "an answer cannot be sent"),
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}
