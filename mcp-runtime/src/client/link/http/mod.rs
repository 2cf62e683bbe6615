//! Streamable HTTP: a request a POST, whose answer may be a stream; in sessions also a stream for what belongs to no request.

mod address;
mod events;
mod pool;
mod reading;
#[cfg(feature = "client-tls")]
mod tls;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

pub(in crate::client) use self::address::{Address, Token};
pub(in crate::client) use self::pool::Pool;
use self::pool::Sender;
use self::reading::{Body, Read};
#[cfg(feature = "client-tls")]
pub(in crate::client) use self::tls::Tls;
use super::{BoxFuture, Broken, Link, Outcome, Outgoing};
use crate::client::backoff::Backoff;
use crate::client::peer::Peer;
use crate::protocol::ProtocolError;

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

const EVENTS: &str = "text/event-stream";

/// How long the handshake waits for the stream of what belongs to no request.
const LISTEN: Duration = Duration::from_secs(2);

/// When to come back to a stream whose server did not say when.
const COME_BACK: Duration = Duration::from_secs(1);

/// When to come back at the latest, whatever the server says.
const LATEST: Duration = Duration::from_secs(60);

/// How long the end of a session may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How often a stream is come back to in vain.
const VAIN_TRIES: usize = 8;

/// A server and the connections to it, which outlive sessions.
#[derive(Debug)]
pub(in crate::client) struct Host {
    address: Address,
    pool: Pool,
    /// The largest message that is read, in bytes.
    limit: usize,
}

impl Host {
    pub(in crate::client) fn new(address: Address, pool: Pool, limit: usize) -> Self {
        Self { address, pool, limit }
    }
}

pub(in crate::client) struct Http {
    host: Arc<Host>,
    peer: Arc<Peer>,
    me: Weak<Self>,
    session: Mutex<Session>,
    /// Told when the server says that it does not know the session any more.
    over: Notify,
}

/// What the handshake of a revision with sessions settled.
#[derive(Default)]
struct Session {
    id: Option<HeaderValue>,
    version: Option<HeaderValue>,
    /// Reads what belongs to no request.
    listening: Option<AbortHandle>,
}

/// Where a stream broke off.
struct Place {
    last_event: String,
    retry: Duration,
}

/// What reading a stream came to.
enum Streamed {
    Answer(Outcome),
    /// It ended before the answer.
    Ended(Option<Place>),
}

impl Http {
    pub(in crate::client) fn open(host: Arc<Host>, peer: Arc<Peer>) -> Arc<dyn Link> {
        Arc::new_cyclic(|me| Self {
            host,
            peer,
            me: Weak::clone(me),
            session: Mutex::default(),
            over: Notify::new(),
        })
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request of HTTP, and once more if there is another token to send.
    async fn send_with(
        &self,
        method: Method,
        dress: impl Fn(http::request::Builder) -> http::request::Builder,
        body: &Bytes,
    ) -> Result<(Response<Incoming>, Sender), Broken> {
        let mut refused = None;
        loop {
            let mut request = dress(self.host.address.request(method.clone(), refused.clone()).await?);
            let (id, version) = {
                let session = self.session();
                (session.id.clone(), session.version.clone())
            };
            if let Some(id) = id {
                request = request.header(SESSION_ID, id);
            }
            if let Some(version) = version {
                request = request.header(PROTOCOL_VERSION, version);
            }
            let request: Request<Full<Bytes>> = request
                .body(Full::new(body.clone()))
                .map_err(|error| Broken::Invalid(format!("the request cannot be sent: {error}")))?;
            let (response, sender) = self.host.pool.send(&self.host.address, request).await?;
            if response.status() == StatusCode::UNAUTHORIZED && refused.is_none() {
                refused = self.host.address.refused_token().await;
                if refused.is_some() {
                    continue;
                }
            }
            return Ok((response, sender));
        }
    }

    async fn post(&self, message: &Outgoing) -> Result<(Response<Incoming>, Sender), Broken> {
        let dress = |mut request: http::request::Builder| {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .header(ACCEPT, "application/json, text/event-stream");
            for (name, value) in &message.headers {
                request = request.header(&**name, value);
            }
            request
        };
        self.send_with(Method::POST, dress, &Bytes::from(message.text.clone())).await
    }

    async fn get(&self, last_event: Option<&str>) -> Result<(Response<Incoming>, Sender), Broken> {
        let dress = |request: http::request::Builder| {
            let request = request.header(ACCEPT, EVENTS);
            match last_event {
                Some(id) => request.header(LAST_EVENT_ID, id),
                None => request,
            }
        };
        self.send_with(Method::GET, dress, &Bytes::new()).await
    }

    async fn request(&self, request: Outgoing) -> Result<Outcome, Broken> {
        let id = request.id.unwrap_or_default();
        let (response, sender) = self.post(&request).await?;
        let status = response.status();
        if !status.is_success() {
            return self.refusal(response, sender).await;
        }
        // The stateless protocol has no sessions, whatever its server says.
        let has_sessions = request.headers.is_empty();
        if let Some(session) = response.headers().get(&SESSION_ID).filter(|_| has_sessions) {
            self.session().id.get_or_insert_with(|| session.clone());
        }
        if !is_events(&response) {
            let text = self.whole(response, sender).await?;
            let mut answer = None;
            if let Some(me) = self.me.upgrade() {
                let link: Arc<dyn Link> = me;
                self.peer.hear(&text, &link, |of, outcome| {
                    if of == id {
                        answer = Some(outcome);
                    }
                });
            }
            let nothing = || Broken::Lost(format!("the answer ({status}) holds no answer to the request"));
            return answer.ok_or_else(nothing);
        }
        let mut place = match self.stream(response, sender, id).await? {
            Streamed::Answer(answer) => return Ok(answer),
            Streamed::Ended(place) => place,
        };
        // In a session a stream may be come back to, for as long as there is something new in it now and then.
        let (mut backoff, mut vain) = (Backoff::new(), 0);
        while let Some(Place { last_event, retry }) = place
            && vain <= VAIN_TRIES
        {
            tokio::time::sleep(retry).await;
            let Ok((response, sender)) = self.get(Some(&last_event)).await else {
                vain += 1;
                place = Some(Place { last_event, retry: backoff.wait() });
                continue;
            };
            if response.status() == StatusCode::NOT_FOUND {
                return Err(Broken::NoSession);
            }
            if !is_events(&response) {
                break;
            }
            place = match self.stream(response, sender, id).await? {
                Streamed::Answer(answer) => return Ok(answer),
                Streamed::Ended(Some(next)) if next.last_event != last_event => {
                    vain = 0;
                    Some(next)
                }
                Streamed::Ended(_) => {
                    vain += 1;
                    Some(Place { last_event, retry })
                }
            };
        }
        Err(Broken::Lost("the stream ended before the answer".to_owned()))
    }

    /// Reads a stream up to the answer.
    async fn stream(
        &self,
        response: Response<Incoming>,
        sender: Sender,
        id: i64,
    ) -> Result<Streamed, Broken> {
        let mut body = Body::new(response.into_body(), self.host.limit);
        let mut place: Option<Place> = None;
        let mut answer = None;
        loop {
            let event = match body.event().await {
                Read::Event(event) => event,
                // Whether it ended or broke, the rest may be had elsewhere.
                Read::End => return Ok(Streamed::Ended(place)),
                Read::TooLarge => {
                    return Err(Broken::Invalid(format!(
                        "the server sent a message of more than {} bytes",
                        self.host.limit
                    )));
                }
            };
            let in_session = self.session().version.is_some();
            if let (Some(last_event), true) = (event.id, in_session) {
                let retry = place.map_or(COME_BACK, |place| place.retry);
                place = Some(Place { last_event, retry });
            }
            if let (Some(place), Some(retry)) = (&mut place, event.retry) {
                place.retry = Duration::from_millis(retry).min(LATEST);
            }
            if event.data.is_empty() {
                continue;
            }
            let Some(me) = self.me.upgrade() else { return Ok(Streamed::Ended(None)) };
            let link: Arc<dyn Link> = Arc::<Self>::clone(&me);
            self.peer.hear(&event.data, &link, |of, outcome| {
                if of == id {
                    answer = Some(outcome);
                }
            });
            if let Some(outcome) = answer.take() {
                // A server closes the stream now; then the connection is good for more.
                tokio::spawn(async move {
                    if body.drained().await {
                        me.host.pool.put(sender);
                    }
                });
                return Ok(Streamed::Answer(outcome));
            }
        }
    }

    /// Reads a body that is one message.
    async fn whole(&self, response: Response<Incoming>, sender: Sender) -> Result<String, Broken> {
        let body = Body::new(response.into_body(), self.host.limit).whole().await.map_err(Broken::Lost)?;
        self.host.pool.put(sender);
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// What the server said no with.
    async fn refusal(&self, response: Response<Incoming>, sender: Sender) -> Result<Outcome, Broken> {
        let status = response.status();
        let is_session = self.session().id.is_some();
        let text = self.whole(response, sender).await.unwrap_or_default();
        let error = reading::error(&text);
        if is_session && (status == StatusCode::NOT_FOUND || forgot_session(status, error.as_ref())) {
            return Err(Broken::NoSession);
        }
        if let Some(error) = error {
            return Ok(Err(error));
        }
        let message = text.chars().take(300).collect::<String>().trim().to_owned();
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Broken::Unsent(format!("{status} {message}"))
            }
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
                Broken::Lost(format!("{status} {message}"))
            }
            _ => Broken::Status { code: status.as_u16(), message },
        })
    }

    /// Opens the stream of what belongs to no request, and reads it for as long as there is one.
    async fn listen_on(me: Weak<Self>, opened: oneshot::Sender<()>) {
        let mut opened = Some(opened);
        let mut last_event: Option<String> = None;
        let mut backoff = Backoff::new();
        let mut was_open = false;
        loop {
            let Some(http) = me.upgrade() else { return };
            let response = http.get(last_event.as_deref()).await;
            // Whether there is such a stream or not, nobody need wait for it any more.
            opened.take();
            let mut retry = None;
            match response {
                Ok((response, _sender)) if response.status().is_success() && is_events(&response) => {
                    backoff = Backoff::new();
                    was_open = true;
                    let mut body = Body::new(response.into_body(), http.host.limit);
                    drop(http);
                    while let Read::Event(event) = body.event().await {
                        if let Some(id) = event.id {
                            last_event = Some(id);
                        }
                        retry = event.retry.map(|retry| Duration::from_millis(retry).min(LATEST)).or(retry);
                        let Some(http) = me.upgrade() else { return };
                        let link: Arc<dyn Link> = Arc::<Self>::clone(&http);
                        if !event.data.is_empty() {
                            http.peer.hear(&event.data, &link, |id, _| {
                                tracing::debug!(id, "an answer came where nobody waits for it");
                            });
                        }
                    }
                }
                Ok((response, _)) if response.status() == StatusCode::NOT_FOUND && was_open => {
                    return http.over.notify_one();
                }
                // The server has no such stream, or the session is over.
                Ok((response, _)) if response.status().is_client_error() => return,
                Ok(_) | Err(Broken::Lost(_) | Broken::Unsent(_)) => {}
                Err(_) => return,
            }
            tokio::time::sleep(retry.unwrap_or(COME_BACK).max(backoff.wait())).await;
        }
    }
}

impl Link for Http {
    fn exchange(&self, request: Outgoing) -> BoxFuture<'_, Result<Outcome, Broken>> {
        Box::pin(self.request(request))
    }

    fn send(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Broken>> {
        Box::pin(async move {
            let (response, sender) = self.post(&message).await?;
            let status = response.status();
            if status.is_success() {
                // What it says beside is not looked at, but read, so that the connection can be used again.
                return self.whole(response, sender).await.map(drop).or(Ok(()));
            }
            match self.refusal(response, sender).await? {
                Err(error) => Err(Broken::Status { code: status.as_u16(), message: error.to_string() }),
                Ok(_) => Ok(()),
            }
        })
    }

    fn hears_of_drops(&self) -> bool {
        self.session().version.is_none()
    }

    fn has_headers(&self) -> bool {
        true
    }

    fn settled(&self, version: &str) {
        self.session().version = HeaderValue::from_str(version).ok();
    }

    fn listen(&self) -> BoxFuture<'_, ()> {
        let (sender, opened) = oneshot::channel();
        let listening = tokio::spawn(Self::listen_on(Weak::clone(&self.me), sender));
        self.session().listening = Some(listening.abort_handle());
        Box::pin(async move {
            // It is not sent anything; it only ends.
            let _ = tokio::time::timeout(LISTEN, opened).await;
        })
    }

    fn closed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.over.notified())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let is_session = {
                let mut session = self.session();
                if let Some(listening) = session.listening.take() {
                    listening.abort();
                }
                session.id.is_some()
            };
            if is_session {
                let nothing = Bytes::new();
                let delete = self.send_with(Method::DELETE, |request| request, &nothing);
                // A server need not know of that, and its sessions end by themselves.
                let _ = tokio::time::timeout(GOODBYE, delete).await;
                self.session().id = None;
            }
        })
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        if let Some(listening) = self.session().listening.take() {
            listening.abort();
        }
    }
}

fn is_events(response: &Response<Incoming>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with(EVENTS))
}

/// Whether a server says, in words that the specification does not have but many servers use, that it does not know the
/// session any more.
fn forgot_session(status: StatusCode, error: Option<&ProtocolError>) -> bool {
    status == StatusCode::BAD_REQUEST
        && error.is_some_and(|error| error.message().to_ascii_lowercase().contains("session"))
}
