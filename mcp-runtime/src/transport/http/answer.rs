//! What goes back: statuses, headers and bodies.

use std::borrow::Cow;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::body::HttpBody;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::{self, RequestId};
use crate::transport::Failure;

static JSON: HeaderValue = HeaderValue::from_static("application/json");
static EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
static UNBUFFERED: HeaderValue = HeaderValue::from_static("no");
static BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// One message.
pub(super) fn json(status: StatusCode, message: Vec<u8>) -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::whole(message));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON.clone());
    response
}

/// A stream of events.
pub(super) fn events(body: HttpBody) -> Response<HttpBody> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENTS.clone());
    headers.insert(CACHE_CONTROL, NO_STORE.clone());
    // Proxies such as nginx would hold events back.
    headers.insert(BUFFERING.clone(), UNBUFFERED.clone());
    response
}

/// No message.
pub(super) fn empty(status: StatusCode) -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::empty());
    *response.status_mut() = status;
    response
}

/// A request that was refused for what is around its message, in a sentence.
pub(super) fn refuse(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Response<HttpBody> {
    refuse_with(status, None, &ProtocolError::invalid_request(message))
}

/// A request that was refused with this error.
pub(super) fn refuse_with(
    status: StatusCode,
    id: Option<&RequestId>,
    error: &ProtocolError,
) -> Response<HttpBody> {
    let mut message = Vec::with_capacity(160);
    jsonrpc::write_error(&mut message, id, error);
    json(status, message)
}

/// A request in which a header is there several times.
pub(super) fn repeated(header: &HeaderName) -> Response<HttpBody> {
    refuse(StatusCode::BAD_REQUEST, format!("the header {header} is there more than once"))
}

pub(super) fn not_allowed(allow: &'static str) -> Response<HttpBody> {
    let message = format!("only {allow} can be done here with this revision of the protocol");
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, message);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// The status of an answer.
pub(super) fn status(failure: Option<Failure>, is_modern: bool) -> StatusCode {
    let Some(Failure { code, was_begun }) = failure else { return StatusCode::OK };
    match code {
        ProtocolError::PARSE_ERROR | ProtocolError::INVALID_REQUEST if !was_begun => StatusCode::BAD_REQUEST,
        ProtocolError::STOPPING => StatusCode::SERVICE_UNAVAILABLE,
        _ if !is_modern => StatusCode::OK,
        ProtocolError::HEADER_MISMATCH
        | ProtocolError::MISSING_CLIENT_CAPABILITY
        | ProtocolError::UNSUPPORTED_VERSION => StatusCode::BAD_REQUEST,
        ProtocolError::METHOD_NOT_FOUND if !was_begun => StatusCode::NOT_FOUND,
        _ if !was_begun => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}
