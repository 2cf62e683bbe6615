//! What a browser must be told before it lets a web page talk to a server of another origin (CORS).

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use super::answer;
use super::body::HttpBody;

/// For how many seconds a browser need not ask again. Browsers have limits of their own below that.
static A_DAY: HeaderValue = HeaderValue::from_static("86400");

/// Pages may read who is to be named in the next request; everything else that they need, browsers show them anyway.
static EXPOSED: HeaderValue = HeaderValue::from_static("mcp-session-id");

static VARIES: HeaderValue = HeaderValue::from_static("origin");

/// Whether a browser asks what the page may send, before it sends it.
pub(super) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a page that may send these methods, with whatever headers it wants: those that repeat arguments are
/// named by tools.
pub(super) fn preflight(parts: &Parts, methods: &'static str) -> Response<HttpBody> {
    let mut response = answer::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(ACCESS_CONTROL_MAX_AGE, A_DAY.clone());
    for wanted in parts.headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.append(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}

/// Lets a page of this origin, which was found to be allowed, read a response. What a browser sends by itself, such as
/// cookies, is not asked for.
pub(super) fn let_read(mut response: Response<HttpBody>, origin: Option<HeaderValue>) -> Response<HttpBody> {
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED.clone());
        headers.append(VARY, VARIES.clone());
    }
    response
}
