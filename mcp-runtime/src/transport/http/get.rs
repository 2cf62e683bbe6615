//! GET and DELETE, which only the revisions with sessions have: listening, coming back, and leaving.

use http::request::Parts;
use http::{Response, StatusCode};

use super::Http;
use super::accept::Accepted;
use super::answer;
use super::body::HttpBody;
use super::event;
use super::exchange::{Exchange, Party};
use super::headers::{self, LAST_EVENT_ID, Repeated, Revision, SESSION_ID};
use super::post::{no_session, unknown_revision};
use super::stream::Stream;

impl Http {
    pub(super) fn get(&self, parts: &Parts) -> Response<HttpBody> {
        if let Some(refusal) = self.refusal(parts) {
            return refusal;
        }
        if !Accepted::of(&parts.headers).events {
            return answer::refuse(StatusCode::NOT_ACCEPTABLE, "`Accept` must list `text/event-stream`");
        }
        let id = match headers::only(&parts.headers, &SESSION_ID) {
            Ok(Some(id)) => id,
            Ok(None) => return session_required(),
            Err(Repeated) => return answer::repeated(&SESSION_ID),
        };
        let Some(session) = self.state.sessions.find(id, &self.principal(parts)) else { return no_session() };
        let reader = match headers::only(&parts.headers, &LAST_EVENT_ID) {
            Err(Repeated) => return answer::repeated(&LAST_EVENT_ID),
            Ok(None) => Stream::attach(&session.home, None),
            Ok(Some(last)) => {
                let Some((stream, after)) = event::read_id(last) else {
                    let message = "`Last-Event-ID` is not one that this server gave";
                    return answer::refuse(StatusCode::BAD_REQUEST, message);
                };
                let Some(reader) = session.resume(stream, after) else {
                    let message = "the stream of this `Last-Event-ID` is not there any more";
                    return answer::refuse(StatusCode::BAD_REQUEST, message);
                };
                reader
            }
        };
        session.endpoint.come_home();
        let exchange = Exchange::new(reader, Party::Session(session.visit()));
        answer::events(HttpBody::events(exchange, self.settings.keep_alive))
    }

    pub(super) fn delete(&self, parts: &Parts) -> Response<HttpBody> {
        if let Some(refusal) = self.refusal(parts) {
            return refusal;
        }
        let id = match headers::only(&parts.headers, &SESSION_ID) {
            Ok(Some(id)) => id,
            Ok(None) => return session_required(),
            Err(Repeated) => return answer::repeated(&SESSION_ID),
        };
        if self.state.sessions.end(id, &self.principal(parts)) {
            answer::empty(StatusCode::NO_CONTENT)
        } else {
            no_session()
        }
    }

    pub(super) fn method_not_allowed(&self, parts: &Parts) -> Response<HttpBody> {
        answer::not_allowed(self.methods(parts))
    }

    /// The methods that can be used.
    pub(super) fn methods(&self, parts: &Parts) -> &'static str {
        if self.has_sessions(parts) { "POST, GET, DELETE" } else { "POST" }
    }

    /// Whether the request can be one of a session. The stateless protocol knows nothing but POST.
    fn has_sessions(&self, parts: &Parts) -> bool {
        self.settings.sessions.is_some() && Revision::of(&parts.headers) != Revision::Modern
    }

    /// What a request is answered with that cannot be one of a session.
    fn refusal(&self, parts: &Parts) -> Option<Response<HttpBody>> {
        match Revision::of(&parts.headers) {
            _ if !self.has_sessions(parts) => Some(self.method_not_allowed(parts)),
            Revision::Unknown => Some(unknown_revision()),
            _ => None,
        }
    }
}

pub(super) fn session_required() -> Response<HttpBody> {
    answer::refuse(StatusCode::BAD_REQUEST, "`Mcp-Session-Id` is required: open a session with `initialize`")
}
