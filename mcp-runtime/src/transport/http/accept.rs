//! What a client can take, and what it sends, by its `Accept` and `Content-Type`.

use std::cmp::Reverse;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

/// The kinds of answers that a client can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) json: bool,
    pub(super) events: bool,
    /// Whether it would rather have events where either will do: it gives them more weight, or as much and names them first.
    pub(super) prefers_events: bool,
}

impl Accepted {
    const BOTH: Self = Self { json: true, events: true, prefers_events: false };

    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes).peekable();
        match values.peek() {
            None => return Self::BOTH,
            // As clients commonly write it.
            Some(value) if *value == b"application/json, text/event-stream" => return Self::BOTH,
            Some(_) => {}
        }
        // The weight at which each is taken, and the first place in which it is.
        let (mut json, mut events) = ((0, Reverse(0)), (0, Reverse(0)));
        let ranges = values.flat_map(|value| value.split(|byte| *byte == b','));
        for (place, range) in ranges.enumerate() {
            let (name, taken) = (media_type(range), (weight(range), Reverse(place)));
            let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
            if is("application/json") || is("application/*") || is("*/*") {
                json = json.max(taken);
            }
            if is("text/event-stream") || is("text/*") || is("*/*") {
                events = events.max(taken);
            }
        }
        Self { json: json.0 > 0, events: events.0 > 0, prefers_events: events > json }
    }
}

/// Whether the body is JSON, by what the client says.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    value.is_some_and(|value| media_type(value).eq_ignore_ascii_case(b"application/json"))
}

/// A media type without its parameters.
fn media_type(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    value[..end].trim_ascii()
}

/// The weight of a media range, in thousandths. What is written otherwise than as a weight counts as none given.
fn weight(range: &[u8]) -> u32 {
    const WHOLE: u32 = 1000;
    let given = range
        .split(|byte| *byte == b';')
        .skip(1)
        .map(<[u8]>::trim_ascii)
        .find_map(|parameter| parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q=")));
    let Some(given) = given else { return WHOLE };
    let (digits, fraction) = match given {
        [b'0'] => return 0,
        [b'0', b'.', digits @ ..] if digits.len() <= 3 => (digits, [100, 10, 1]),
        _ => return WHOLE,
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return WHOLE;
    }
    digits.iter().zip(fraction).map(|(digit, value)| u32::from(digit - b'0') * value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(values: &[&'static str]) -> Accepted {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, HeaderValue::from_static(value));
        }
        Accepted::of(&headers)
    }

    fn accepted(values: &[&'static str]) -> (bool, bool) {
        let Accepted { json, events, .. } = all(values);
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
        assert_eq!(accepted(&["application/json, text/event-stream;q=0"]), (true, false));
        assert_eq!(accepted(&["application/json;q=0.0, */*;q=0.001"]), (true, true));
    }

    #[test]
    fn a_client_that_takes_both_may_say_which_it_would_rather_have() {
        let prefers_events = |value| all(&[value]).prefers_events;
        assert!(prefers_events("text/event-stream, application/json"));
        assert!(prefers_events("application/json;q=0.5, text/event-stream;q=0.75"));
        assert!(prefers_events("text/event-stream"));
        assert!(all(&["text/event-stream", "application/json"]).prefers_events);
        // What is no weight is none.
        assert!(prefers_events("text/event-stream;q=x, application/json;q=0.999"));
        for value in [
            "application/json, text/event-stream",
            "application/json,text/event-stream",
            "text/event-stream;q=0.5, application/json",
            "application/json; charset=utf-8; q=1.0, text/event-stream; q=0.9",
            "*/*",
            "application/json",
        ] {
            assert!(!prefers_events(value), "{value}");
        }
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
