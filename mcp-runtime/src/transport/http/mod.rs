//! Streamable HTTP: one endpoint for clients of every revision, as a `tower` service.
//!
//! A request of the stateless protocol stands alone: its answer is one JSON body, or a stream of events that ends with the
//! answer, and who closes it cancels the request. A client of an earlier revision opens a session with `initialize`; it
//! may listen with GET, and comes back for what it missed with `Last-Event-ID`.

mod accept;
mod answer;
mod body;
mod cors;
mod event;
mod exchange;
mod get;
mod headers;
mod origin;
mod post;
#[cfg(feature = "axum")]
mod router;
mod serve;
mod session;
mod signals;
mod socket;
mod stream;

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Buf;
use http::header::ORIGIN;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body;
use tokio::task::JoinSet;

pub use self::body::HttpBody;
use self::exchange::Open;
use self::origin::{Allowed, Hosts};
pub use self::session::Sessions;
use self::session::Table;
pub(crate) use self::signals::Signals;
use super::Acceptor;
use crate::task::Principal;

/// A server over Streamable HTTP: a [`tower_service::Service`] to be mounted in an app, or [served](Self::serve) alone.
///
/// It is made by [`Service::http`](crate::Service::http). A clone is the same server. Requests of every path are answered;
/// to which path it is mounted is for who mounts it to say.
///
/// Who asks is the [`Principal`](crate::Principal) that a layer before this put among the request's extensions; without one
/// everybody is [anonymous](crate::Principal::anonymous), and tasks and sessions are protected by nothing but their ids,
/// which cannot be guessed.
///
/// ```no_run
/// use mcp_runtime::prelude::*;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let http = Server::new("counter", "1.0.0").build()?.http().allowed_hosts(["mcp.example.com"]);
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:8080").await?;
/// http.serve(listener, std::future::pending()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a server does nothing until it is mounted or served"]
pub struct Http {
    settings: Arc<Settings>,
    state: Arc<State>,
}

#[derive(Clone)]
struct Settings {
    allowed: Allowed,
    hosts_were_set: bool,
    sessions: Option<Sessions>,
    keep_alive: Duration,
    retry: Duration,
    strict_names: bool,
    body_timeout: Duration,
    write_timeout: Duration,
    drain: Duration,
    connections: usize,
}

/// What all clones share.
struct State {
    acceptor: Arc<dyn Acceptor>,
    anonymous: Principal,
    sessions: Arc<Table>,
    open: Arc<Open>,
    is_stopping: AtomicBool,
}

impl Http {
    pub(crate) fn new(acceptor: Arc<dyn Acceptor>) -> Self {
        let settings = Settings {
            allowed: Allowed::default(),
            hosts_were_set: false,
            sessions: Some(Sessions::default()),
            keep_alive: Duration::from_secs(15),
            retry: Duration::from_secs(1),
            strict_names: false,
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            drain: Duration::from_secs(10),
            connections: 20_000,
        };
        let state = State {
            acceptor,
            anonymous: Principal::anonymous(),
            sessions: Arc::new(Table::new()),
            open: Arc::default(),
            is_stopping: AtomicBool::new(false),
        };
        Self { settings: Arc::new(settings), state: Arc::new(state) }
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(Arc::make_mut(&mut self.settings));
        self
    }

    /// The hosts by which the server may be called, for example `mcp.example.com` or `mcp.example.com:8443`; without a
    /// port, on any port. Default: the names and addresses of this machine's loopback.
    ///
    /// That protects a server on somebody's own machine from web pages that reach it by a name of theirs (DNS rebinding).
    pub fn allowed_hosts<H: Into<Box<str>>>(self, hosts: impl IntoIterator<Item = H>) -> Self {
        let hosts = hosts.into_iter().map(Into::into).collect();
        self.set(|settings| {
            settings.allowed.hosts = Hosts::Named(hosts);
            settings.hosts_were_set = true;
        })
    }

    /// Answers to every host: for a server that something in front of it protects. Web pages still have to be of an
    /// [allowed origin](Self::allowed_origins), and one that is called like the server is none, for whoever has a name can
    /// have it lead to the server.
    pub fn any_host(self) -> Self {
        self.set(|settings| {
            settings.allowed.hosts = Hosts::Any;
            settings.hosts_were_set = true;
        })
    }

    /// The origins whose web pages may talk to the server, for example `https://app.example.com`. Default: pages of this
    /// machine's loopback, and of the host that the server is called by, if that is an [allowed one](Self::allowed_hosts)
    /// or an address. Programs that are no browsers send none.
    ///
    /// Their browsers are told so (CORS), and that the pages may send every header and read `Mcp-Session-Id`. Cookies are
    /// not asked for.
    pub fn allowed_origins<O: Into<Box<str>>>(self, origins: impl IntoIterator<Item = O>) -> Self {
        let origins = origins.into_iter().map(Into::into).collect();
        self.set(|settings| settings.allowed.origins = origins)
    }

    /// How sessions of clients before 2026-07-28 are kept.
    pub fn sessions(self, sessions: Sessions) -> Self {
        self.set(|settings| settings.sessions = Some(sessions))
    }

    /// Gives clients before 2026-07-28 no sessions: each of their requests stands alone. Then they hear of nothing but what
    /// belongs to a request, and cannot come back for what they missed.
    pub fn sessionless(self) -> Self {
        self.set(|settings| settings.sessions = None)
    }

    /// After how much silence a comment keeps a stream from being taken for dead. Default: 15 seconds.
    pub fn keep_alive(self, interval: Duration) -> Self {
        // With no time at all there would be nothing but comments.
        self.set(|settings| settings.keep_alive = interval.max(Duration::from_millis(1)))
    }

    /// After what time a client should come back whose stream was [closed](crate::Context::close_stream) in the middle of a
    /// call. Default: one second.
    pub fn retry(self, after: Duration) -> Self {
        self.set(|settings| settings.retry = after)
    }

    /// Refuses requests about tasks without an `Mcp-Name` header, as the specification has it. By default they are served,
    /// since widely used clients leave it out; one that names another task is always refused.
    pub fn strict_names(self) -> Self {
        self.set(|settings| settings.strict_names = true)
    }

    /// How long a client may take to send the body of a request. Default: 30 seconds. How large it may be is
    /// [`Limits::max_message_size`](crate::Limits).
    pub fn body_timeout(self, limit: Duration) -> Self {
        self.set(|settings| settings.body_timeout = limit)
    }

    /// How long a client may read nothing of what is written to it, where this is [served](Self::serve) alone; then its
    /// connection is closed. Default: one minute. A client that has nothing to read is not waited for.
    pub fn write_timeout(self, limit: Duration) -> Self {
        self.set(|settings| settings.write_timeout = limit)
    }

    /// How long requests that are being answered may still take when the server is shut down. Default: 10 seconds.
    pub fn drain(self, limit: Duration) -> Self {
        self.set(|settings| settings.drain = limit)
    }

    /// How many connections there may be at once, where this is [served](Self::serve) alone. Default: 20,000. Others wait to be
    /// accepted. The system has a limit of its own, on the files that a process may have open.
    pub fn max_connections(self, limit: usize) -> Self {
        self.set(|settings| settings.connections = limit)
    }

    /// Ends every stream, waits for requests that are being answered as long as [`drain`](Self::drain) says, and drops the
    /// rest. Requests from now on are refused.
    ///
    /// [`serve`](Self::serve) does this by itself. Where it is mounted in an app, call it before the app stops to accept
    /// connections, which otherwise would wait for streams that never end.
    pub async fn shut_down(&self) {
        self.state.is_stopping.store(true, Ordering::Release);
        let sessions = self.state.sessions.all();
        let mut endpoints = self.state.open.all();
        endpoints.extend(sessions.iter().map(|session| Arc::clone(&session.endpoint)));
        for endpoint in &endpoints {
            endpoint.end_subscriptions();
        }
        for session in &sessions {
            super::Outbox::close(&*session.home);
        }
        let mut draining = JoinSet::new();
        for endpoint in &endpoints {
            draining.spawn(Arc::clone(endpoint).drain(self.settings.drain));
        }
        draining.join_all().await;
        self.state.acceptor.end().await;
        let mut settling = JoinSet::new();
        for endpoint in endpoints {
            settling.spawn(endpoint.settle());
        }
        settling.join_all().await;
    }

    async fn answer<B>(self, request: Request<B>) -> Response<HttpBody>
    where
        B: Body,
        B::Data: Buf,
        B::Error: fmt::Display,
    {
        let (parts, body) = request.into_parts();
        if let Err(foreign) = self.settings.allowed.check(&parts.uri, &parts.headers) {
            tracing::warn!(%foreign, "a request was refused");
            return answer::refuse(foreign.status(), foreign.to_string());
        }
        let origin = parts.headers.get(ORIGIN).cloned();
        cors::let_read(self.answer_allowed(parts, body).await, origin)
    }

    async fn answer_allowed<B>(&self, parts: Parts, body: B) -> Response<HttpBody>
    where
        B: Body,
        B::Data: Buf,
        B::Error: fmt::Display,
    {
        if self.is_stopping() {
            return post::stopping();
        }
        match parts.method {
            Method::POST => self.post(parts, body).await,
            Method::GET => self.get(&parts),
            Method::DELETE => self.delete(&parts),
            _ if cors::is_preflight(&parts) => cors::preflight(&parts, self.methods(&parts)),
            _ => self.method_not_allowed(&parts),
        }
    }

    fn is_stopping(&self) -> bool {
        self.state.is_stopping.load(Ordering::Acquire)
    }

    /// Who asks.
    fn principal(&self, parts: &Parts) -> Principal {
        parts.extensions.get().unwrap_or(&self.state.anonymous).clone()
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("hosts", &self.settings.allowed.hosts)
            .field("origins", &self.settings.allowed.origins)
            .field("sessions", &self.settings.sessions)
            .finish_non_exhaustive()
    }
}

impl<B> tower_service::Service<Request<B>> for Http
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: fmt::Display,
{
    type Response = Response<HttpBody>;
    type Error = Infallible;
    type Future = HttpFuture;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> HttpFuture {
        let answer = self.clone().answer(request);
        HttpFuture(Box::pin(async move { Ok(answer.await) }))
    }
}

/// The answer to one request of [`Http`]. Dropping it is what a client's going away is.
#[must_use = "futures do nothing unless polled"]
pub struct HttpFuture(Pin<Box<dyn Future<Output = Result<Response<HttpBody>, Infallible>> + Send>>);

impl Future for HttpFuture {
    type Output = Result<Response<HttpBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for HttpFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFuture").finish_non_exhaustive()
    }
}
