//! The trace that a request belongs to: what `_meta` says of it (SEP-414), in the words of the W3C.

use serde::{Deserialize, Serialize};

use super::params::Str;

/// The trace that a request belongs to, as its client said it in `_meta` (SEP-414): W3C Trace Context and Baggage.
///
/// What does not have the form that the W3C asks for is left out, as it asks for, too. So each of these can be sent on as
/// the header of the same name:
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// Ask a service that takes part in the trace.
/// #[tool(task)]
/// async fn ask_service(cx: Context) -> String {
///     let headers = cx.trace().map(|trace| trace.entries().collect::<Vec<_>>());
///     format!("GET / with {headers:?}")
/// }
/// # let _ = tools![ask_service];
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TraceContext {
    /// The trace, and the caller's span in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Box<str>>,
    /// What tracing systems add to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<Box<str>>,
    /// What the caller's program adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baggage: Option<Box<str>>,
}

/// The longest `baggage` that must be passed on, in bytes; a `tracestate` may be as long.
const LONGEST: usize = 8192;

impl TraceContext {
    /// What there is, by name: headers for requests that are part of the same trace.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let entries = [
            ("traceparent", &self.traceparent),
            ("tracestate", &self.tracestate),
            ("baggage", &self.baggage),
        ];
        entries.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// Takes what a request said; `None` if it said nothing that can be passed on.
    pub(crate) fn read(
        traceparent: Option<Str<'_>>,
        tracestate: Option<Str<'_>>,
        baggage: Option<Str<'_>>,
    ) -> Option<Self> {
        let own = |value: Str<'_>| value.0.into_owned().into_boxed_str();
        let traceparent = traceparent.filter(|value| is_traceparent(value)).map(own);
        // "If the vendor failed to parse traceparent, it MUST NOT attempt to parse tracestate."
        let tracestate = tracestate.filter(|value| traceparent.is_some() && is_header(value)).map(own);
        let baggage = baggage.filter(|value| is_header(value)).map(own);
        (traceparent.is_some() || baggage.is_some()).then_some(Self { traceparent, tracestate, baggage })
    }
}

/// `version "-" trace-id "-" parent-id "-" trace-flags`. A later version may have more after that.
fn is_traceparent(value: &str) -> bool {
    let is_formed = |(at, byte): (usize, u8)| match at {
        2 | 35 | 52 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    let Some((known, rest)) = value.as_bytes().split_at_checked(55) else { return false };
    let version = &known[..2];
    let is_zero = |id: &[u8]| id.iter().all(|byte| *byte == b'0');
    known.iter().copied().enumerate().all(is_formed)
        && version != b"ff"
        && !is_zero(&known[3..35])
        && !is_zero(&known[36..52])
        && (rest.is_empty() || (version != b"00" && rest[0] == b'-' && is_header(value)))
}

/// Whether it can be the value of a header.
fn is_header(value: &str) -> bool {
    let is_allowed = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    !value.is_empty() && value.len() <= LONGEST && value.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

    fn read(values: [Option<&str>; 3]) -> Option<TraceContext> {
        let [traceparent, tracestate, baggage] =
            values.map(|value| value.map(|text| Str(Cow::Borrowed(text))));
        TraceContext::read(traceparent, tracestate, baggage)
    }

    #[test]
    fn a_trace_is_taken_as_it_was_said() {
        let trace = read([Some(PARENT), Some("a=1,b=2"), Some("user=x;p=1")]).expect("a trace");
        let entries: Vec<_> = trace.entries().collect();
        assert_eq!(entries, [("traceparent", PARENT), ("tracestate", "a=1,b=2"), ("baggage", "user=x;p=1")]);
        let alone = read([None, Some("a=1"), Some("user=x")]).expect("baggage needs no trace");
        assert_eq!(alone.entries().collect::<Vec<_>>(), [("baggage", "user=x")]);
        let later = "01-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more";
        assert!(read([Some(later), None, None]).is_some(), "a later version may say more");
    }

    #[test]
    fn what_is_no_trace_is_left_out() {
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
            "00-0AF7651916CD43DD8448EB211C80319C-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more",
            "01-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-\r\nX-Other: 1",
        ] {
            assert_eq!(read([Some(wrong), Some("a=1"), None]), None, "{wrong}");
        }
        assert_eq!(read([None, None, Some("a=1\r\nX-Other: 1")]), None, "it could not be a header");
        assert_eq!(read([None, None, Some(&"a".repeat(8193))]), None);
    }
}
