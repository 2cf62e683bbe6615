//! What a client can take, and what it sends, by its `Accept` and `Content-Type`.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

/// The kinds of answers that a client can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) json: bool,
    pub(super) events: bool,
}

impl Accepted {
    const BOTH: Self = Self { json: true, events: true };
    const NEITHER: Self = Self { json: false, events: false };

    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(ACCEPT).iter().peekable();
        if values.peek().is_none() {
            return Self::BOTH;
        }
        values.fold(Self::NEITHER, |accepted, value| accepted.or(value.as_bytes()))
    }

    fn or(self, value: &[u8]) -> Self {
        // As clients commonly write it.
        if value == b"application/json, text/event-stream" {
            return Self::BOTH;
        }
        value.split(|byte| *byte == b',').fold(self, |mut accepted, range| {
            let range = media_type(range);
            let is = |name: &str| range.eq_ignore_ascii_case(name.as_bytes());
            accepted.json |= is("application/json") || is("application/*") || is("*/*");
            accepted.events |= is("text/event-stream") || is("text/*") || is("*/*");
            accepted
        })
    }
}

/// Whether the body is JSON, by what the client says.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    value.is_some_and(|value| media_type(value).eq_ignore_ascii_case(b"application/json"))
}

/// A media type without its parameters.
fn media_type(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    value[..end].trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn accepted(values: &[&'static str]) -> (bool, bool) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, HeaderValue::from_static(value));
        }
        let Accepted { json, events } = Accepted::of(&headers);
        (json, events)
    }

    #[test]
    fn a_client_takes_what_it_says_and_anything_if_it_says_nothing() {
        assert_eq!(accepted(&[]), (true, true));
        assert_eq!(accepted(&["*/*"]), (true, true));
        assert_eq!(accepted(&["application/json, text/event-stream"]), (true, true));
        assert_eq!(accepted(&["text/event-stream;q=0.9,Application/JSON; charset=utf-8"]), (true, true));
        assert_eq!(accepted(&["application/json", "text/event-stream"]), (true, true));
        assert_eq!(accepted(&["application/json"]), (true, false));
        assert_eq!(accepted(&["text/*"]), (false, true));
        assert_eq!(accepted(&["text/html, image/png"]), (false, false));
    }

    #[test]
    fn only_json_is_taken_for_json() {
        let is = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&headers)
        };
        assert!(is("application/json") && is("Application/JSON;charset=utf-8"));
        assert!(!is("text/plain") && !is("application/jsonp") && !is(""));
        assert!(!is_json(&HeaderMap::new()));
    }
}
