//! POST: one message from a client, and its answer.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Buf, Bytes};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use serde::Deserialize;

use super::accept::{Accepted, is_json};
use super::answer;
use super::body::{self, HttpBody, Read};
use super::event;
use super::exchange::{Exchange, Party};
use super::get::session_required;
use super::headers::{self, Repeated, RequestHeaders, Revision, SESSION_ID};
use super::session::Session;
use super::stream::{Answer, Beginning, Form, Reader, Stream};
use super::{Http, Settings};
use crate::protocol::names::{self, meta};
use crate::protocol::params::{Str, object};
use crate::protocol::{ProtocolError, jsonrpc};
use crate::telemetry;
use crate::transport::{Arrival, Client, Endpoint, Outbox, Received, Wires};
use crate::wire::legacy::Version;

impl Http {
    pub(super) async fn post<B>(&self, parts: Parts, body: B) -> Response<HttpBody>
    where
        B: Body,
        B::Data: Buf,
        B::Error: fmt::Display,
    {
        if !is_json(&parts.headers) {
            let message = "the body must be `application/json`, and `Content-Type` must say so";
            return answer::refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        }
        let accepted = Accepted::of(&parts.headers);
        if !accepted.json && !accepted.events {
            let message = "`Accept` must list `application/json` and `text/event-stream`";
            return answer::refuse(StatusCode::NOT_ACCEPTABLE, message);
        }
        let limit = self.state.acceptor.max_message_size();
        let body = match body::read(body, limit, self.settings.body_timeout).await {
            Read::Whole(body) => body,
            Read::TooLarge(beginning) => return self.too_large(&parts, &beginning, limit),
            Read::TooSlow => {
                let message = format!("the body did not arrive within {:?}", self.settings.body_timeout);
                return answer::refuse(StatusCode::REQUEST_TIMEOUT, message);
            }
            Read::Broken(error) => {
                return answer::refuse(
                    StatusCode::BAD_REQUEST,
                    format!("the body could not be read: {error}"),
                );
            }
        };
        // What comes in now would be waited for by nobody.
        if self.is_stopping() {
            return stopping();
        }
        let Ok(text) = std::str::from_utf8(&body) else {
            let error =
                ProtocolError::new(ProtocolError::PARSE_ERROR, "not valid JSON: the body is not UTF-8");
            return answer::refuse_with(StatusCode::BAD_REQUEST, None, &error);
        };
        let post = Post { http: self, parts: &parts, accepted, text: text.trim_ascii() };
        match post.era() {
            Era::Modern => post.modern().await,
            Era::Legacy(version) => match self.settings.sessions {
                Some(_) => post.in_session(version).await,
                None => post.sessionless(version).await,
            },
        }
    }
}

impl Http {
    fn too_large(&self, parts: &Parts, beginning: &Bytes, limit: usize) -> Response<HttpBody> {
        let beginning = String::from_utf8_lossy(beginning);
        if let Ok(Some(id)) = headers::only(&parts.headers, &SESSION_ID)
            && let Some(session) = self.state.sessions.find(id, &self.principal(parts))
        {
            // If it is the answer to something that was asked, whoever asked must not wait for it.
            let (unheard, _) = Stream::open(Form { takes_events: false, number: None, retry: None });
            session.endpoint.refuse_oversized(&beginning, limit, &*unheard);
        } else {
            telemetry::refused("max_message_size");
        }
        let message =
            format!("the message is larger than the server's limit `max_message_size` ({limit} bytes)");
        let (id, error) = (jsonrpc::peek_id(&beginning), ProtocolError::invalid_request(message));
        answer::refuse_with(StatusCode::PAYLOAD_TOO_LARGE, id.as_ref(), &error)
    }
}

/// One message, and what is around it.
struct Post<'a> {
    http: &'a Http,
    parts: &'a Parts,
    accepted: Accepted,
    text: &'a str,
}

/// Which wire a message is of.
#[derive(Debug, PartialEq, Eq)]
enum Era {
    Modern,
    /// Of the revision that was named, if one was.
    Legacy(Option<Version>),
}

impl Post<'_> {
    fn era(&self) -> Era {
        match Revision::of(&self.parts.headers) {
            // A body that says something else is refused for that, as the stateless protocol has it.
            Revision::Legacy(version) if self.says_another(version.as_str()) => Era::Modern,
            Revision::Legacy(version) => Era::Legacy(Some(version)),
            // What is not known is judged as the stateless protocol has it.
            Revision::Modern | Revision::Unknown => Era::Modern,
            Revision::Unsaid if self.parts.headers.contains_key(&SESSION_ID) => {
                if self.says_another("") {
                    Era::Modern
                } else {
                    Era::Legacy(None)
                }
            }
            Revision::Unsaid => {
                let glimpse = Glimpse::of(self.text);
                // Revisions before 2025-06-18 had no such header; in a session it was settled otherwise.
                let is_legacy = glimpse.is_initialize() || self.http.settings.sessions.is_none();
                if is_legacy && glimpse.version().is_none() { Era::Legacy(None) } else { Era::Modern }
            }
        }
    }

    /// Whether the body says, in the way of the stateless protocol, that it is of another revision than this one.
    fn says_another(&self, version: &str) -> bool {
        // Only of few messages is it worth it to read them for that.
        memchr::memmem::find(self.text.as_bytes(), meta::PROTOCOL_VERSION.as_bytes()).is_some()
            && Glimpse::of(self.text).version().is_some_and(|said| said != version)
    }

    async fn modern(&self) -> Response<HttpBody> {
        let (settings, headers) = (&self.http.settings, &self.parts.headers);
        if !self.accepted.events && headers::is_listen(headers) {
            let message = "a subscription is a stream: `Accept` must list `text/event-stream`";
            return answer::refuse(StatusCode::NOT_ACCEPTABLE, message);
        }
        let headers = RequestHeaders { map: headers, strict_names: settings.strict_names };
        self.stand_alone(Wires::Modern, Some(&headers)).await
    }

    /// A request of a revision with sessions, to a server without.
    async fn sessionless(&self, version: Option<Version>) -> Response<HttpBody> {
        let version = version.unwrap_or_else(|| Version::negotiate(names::LEGACY_WITH_BATCHES));
        self.stand_alone(Wires::Legacy(Some(version)), None).await
    }

    async fn stand_alone(&self, wires: Wires, headers: Option<&RequestHeaders<'_>>) -> Response<HttpBody> {
        let (state, is_modern) = (&self.http.state, wires == Wires::Modern);
        let principal = self.http.principal(self.parts);
        let endpoint = state.acceptor.connect(Client { home: None, principal, wires });
        let form = Form { takes_events: self.accepted.events, number: None, retry: None };
        let (stream, reader) = Stream::open(form);
        if self.hand_over(&*endpoint, stream, headers) == Received::Silent {
            // A request of an unknown revision is refused for what it says; this says nothing of that.
            return match Revision::of(&self.parts.headers) {
                Revision::Unsaid | Revision::Unknown if is_modern => unknown_revision(),
                _ => answer::empty(StatusCode::ACCEPTED),
            };
        }
        if let Some(response) = self.at_once(&reader, is_modern) {
            return response;
        }
        // On the stateless wire a stream that is closed is a request that is cancelled; before, "disconnection SHOULD NOT be
        // interpreted as the client cancelling its request".
        let party = Party::Alone(state.open.register(Arc::clone(&endpoint), is_modern));
        // Whoever ended the subscriptions meanwhile may not have seen this one.
        if self.http.is_stopping() {
            endpoint.end_subscriptions();
        }
        self.later(Exchange::new(reader, party), None, is_modern).await
    }

    async fn in_session(&self, version: Option<Version>) -> Response<HttpBody> {
        let id = match headers::only(&self.parts.headers, &SESSION_ID) {
            Ok(Some(id)) => id,
            Ok(None) if Glimpse::of(self.text).is_initialize() => return self.initialize(),
            Ok(None) => return session_required(),
            Err(Repeated) => return answer::repeated(&SESSION_ID),
        };
        let principal = self.http.principal(self.parts);
        let Some(session) = self.http.state.sessions.find(id, &principal) else {
            return no_session();
        };
        let visit = session.visit();
        // Before that, clients do not know an event that says nothing.
        let is_newest = version.is_some_and(|version| version.as_str() == names::LEGACY_WITH_TASKS);
        let form = Form {
            takes_events: self.accepted.events,
            number: self.accepted.events.then(|| session.next_stream()),
            retry: is_newest.then(|| millis(&self.http.settings)),
        };
        let (stream, reader) = Stream::open(form);
        if self.hand_over(&*session.endpoint, stream, None) == Received::Silent {
            return answer::empty(StatusCode::ACCEPTED);
        }
        match reader.beginning() {
            Some(Beginning::Answer(answer)) => self.one(answer, false),
            Some(Beginning::Nothing) => self.nothing(),
            // A stream of which the client has seen an event can be come back to.
            Some(Beginning::Events) => {
                self.stream(Exchange::new(reader, Party::Session(visit)), Some(&session))
            }
            None => {
                let exchange = Exchange::new(reader, Party::Session(visit));
                self.later(exchange, Some(&session), false).await
            }
        }
    }

    /// The first message of a session.
    fn initialize(&self) -> Response<HttpBody> {
        let Some(settings) = self.http.settings.sessions else { return no_session() };
        let state = &self.http.state;
        let principal = self.http.principal(self.parts);
        let home = Stream::home();
        let endpoint = state.acceptor.connect(Client {
            home: Some(Arc::<Stream>::clone(&home)),
            principal: principal.clone(),
            wires: Wires::Legacy(None),
        });
        let form = Form { takes_events: false, number: None, retry: None };
        let (stream, reader) = Stream::open(form);
        self.hand_over(&*endpoint, stream, None);
        let Some(Beginning::Answer(answer)) = reader.beginning() else {
            return answer::refuse(
                StatusCode::BAD_REQUEST,
                "a session is opened with one `initialize` request",
            );
        };
        if answer.failure.is_some() {
            return self.one(answer, false);
        }
        let session = Arc::new(Session::new(endpoint, home, principal));
        let Some(id) = state.sessions.enter(session, settings) else {
            telemetry::refused("sessions");
            let message = format!(
                "the server's limit on sessions is reached ({}); try again when some have ended",
                settings.limit
            );
            let error = ProtocolError::new(ProtocolError::LIMIT_REACHED, message);
            let id = jsonrpc::peek_id(self.text);
            return answer::refuse_with(StatusCode::SERVICE_UNAVAILABLE, id.as_ref(), &error);
        };
        let mut response = self.one(answer, false);
        if let Ok(id) = HeaderValue::try_from(id.write()) {
            response.headers_mut().insert(SESSION_ID.clone(), id);
        }
        response
    }

    fn hand_over(
        &self,
        endpoint: &dyn Endpoint,
        stream: Arc<Stream>,
        headers: Option<&RequestHeaders<'_>>,
    ) -> Received {
        let channel: Arc<dyn Outbox> = stream;
        let headers = headers.map(|headers| headers as _);
        endpoint.receive(self.text, Arrival { channel: &channel, headers })
    }

    /// The response, if there is all of it already.
    fn at_once(&self, reader: &Reader, is_modern: bool) -> Option<Response<HttpBody>> {
        match reader.beginning()? {
            Beginning::Answer(answer) => Some(self.one(answer, is_modern)),
            Beginning::Nothing => Some(self.nothing()),
            Beginning::Events => whole(reader),
        }
    }

    /// The response, once it is known how it begins.
    async fn later(
        &self,
        exchange: Exchange,
        session: Option<&Session>,
        is_modern: bool,
    ) -> Response<HttpBody> {
        let mut silence = std::pin::pin!(tokio::time::sleep(self.http.settings.keep_alive));
        let mut is_patient = !self.accepted.events;
        let beginning = poll_fn(|cx| {
            if let Poll::Ready(beginning) = exchange.reader().poll_beginning(cx) {
                return Poll::Ready(beginning);
            }
            // Who waits for long is shown that somebody is there, if it can take that.
            if !is_patient && silence.as_mut().poll(cx).is_ready() {
                is_patient = true;
                exchange.reader().begin_stream();
                return Poll::Ready(Beginning::Events);
            }
            Poll::Pending
        })
        .await;
        match beginning {
            Beginning::Answer(answer) => self.one(answer, is_modern),
            Beginning::Nothing => self.nothing(),
            Beginning::Events => self.stream(exchange, session),
        }
    }

    /// The response to a request that is not answered: it was cancelled, or the server is going away.
    fn nothing(&self) -> Response<HttpBody> {
        if self.http.is_stopping() { stopping() } else { answer::empty(StatusCode::ACCEPTED) }
    }

    /// A response of one message.
    fn one(&self, answer: Answer, is_modern: bool) -> Response<HttpBody> {
        let status = answer::status(answer.failure, is_modern);
        // A refusal is never worth a stream.
        let rather_events = self.accepted.prefers_events && answer.failure.is_none();
        if self.accepted.json && !rather_events {
            return answer::json(status, answer.message);
        }
        let mut response = answer::events(HttpBody::whole(event::message(None, &answer.message)));
        *response.status_mut() = status;
        response
    }

    /// A response that is a stream.
    fn stream(&self, exchange: Exchange, session: Option<&Session>) -> Response<HttpBody> {
        if let Some(session) = session {
            session.keep(exchange.reader().stream());
        }
        match whole(exchange.reader()) {
            Some(response) => response,
            None => answer::events(HttpBody::events(exchange, self.http.settings.keep_alive)),
        }
    }
}

/// A stream of which everything is there already: it goes out in one piece.
fn whole(reader: &Reader) -> Option<Response<HttpBody>> {
    reader.take_whole().map(|events| answer::events(HttpBody::whole(events)))
}

/// The response of a server that is going away.
pub(super) fn stopping() -> Response<HttpBody> {
    answer::refuse(StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down")
}

pub(super) fn unknown_revision() -> Response<HttpBody> {
    answer::refuse(StatusCode::BAD_REQUEST, "`MCP-Protocol-Version` names no revision that this server knows")
}

pub(super) fn no_session() -> Response<HttpBody> {
    answer::refuse(
        StatusCode::NOT_FOUND,
        "there is no such session, or not any more: open one with `initialize`",
    )
}

fn millis(settings: &Settings) -> u32 {
    u32::try_from(settings.retry.as_millis()).unwrap_or(u32::MAX)
}

/// What tells the eras apart in a message whose headers do not.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Glimpse<'a> {
    #[serde(borrow)]
    method: Option<Str<'a>>,
    #[serde(borrow, deserialize_with = "object")]
    params: Option<GlimpsedParams<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GlimpsedParams<'a> {
    #[serde(borrow, rename = "_meta", deserialize_with = "object")]
    meta: Option<GlimpsedMeta<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GlimpsedMeta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    protocol_version: Option<Str<'a>>,
}

impl<'a> Glimpse<'a> {
    /// What cannot be read is of neither era.
    fn of(text: &'a str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    fn is_initialize(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }

    /// The revision that the message says itself to be of, as those of the stateless protocol do.
    fn version(&self) -> Option<&str> {
        self.params.as_ref()?.meta.as_ref()?.protocol_version.as_deref()
    }
}
