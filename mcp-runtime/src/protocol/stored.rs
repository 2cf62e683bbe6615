//! How a store keeps the end of a request: written and read without a look into what may be large.
//!
//! A line of JSON says what it is and how long its parts are; behind the line stand the parts, as they are.

use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::cache::CacheHint;
use super::error::ProtocolError;
use super::json::Json;
use super::jsonrpc::write_json;
use super::payload::{Body, Ending, Payload, ToolBody};

/// The form that is written; another one is not read.
const FORM: u32 = 1;

/// The first line. What it gives as numbers are the lengths of the parts, in bytes, in their order.
#[derive(Serialize, Deserialize)]
struct Line {
    form: u32,
    #[serde(flatten)]
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    meta: Option<usize>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kind {
    Tool {
        content: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        structured: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_text: Option<usize>,
        wraps: bool,
        is_error: bool,
    },
    Members {
        object: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cache: Option<CacheHint>,
    },
    Error {
        error: ProtocolError,
    },
}

/// The error of reading an [`Ending`] from bytes that are none: what a store kept was damaged, or was written by another
/// version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnEnding(String);

impl fmt::Display for NotAnEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what was kept of the end of a task cannot be read: {}", self.0)
    }
}

impl std::error::Error for NotAnEnding {}

impl Ending {
    /// The ending as a store keeps it: bytes of a form that is this crate's own.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (line, parts) = match self {
            Self::Error(error) => (
                Line { form: FORM, kind: Kind::Error { error: error.clone() }, meta: None },
                [None, None, None, None],
            ),
            Self::Result(Payload { body, meta }) => {
                let meta = meta.as_ref().map(Json::as_str);
                let (kind, [first, second, third]) = match body {
                    Body::Tool(tool) => tool.parts(),
                    Body::Members { object, cache } => (
                        Kind::Members { object: object.as_str().len(), cache: *cache },
                        [Some(object.as_str()), None, None],
                    ),
                };
                (Line { form: FORM, kind, meta: meta.map(str::len) }, [first, second, third, meta])
            }
        };
        let parts = parts.into_iter().flatten();
        let mut out = Vec::with_capacity(160 + parts.clone().map(str::len).sum::<usize>());
        write_json(&mut out, &line);
        out.push(b'\n');
        parts.for_each(|part| out.extend_from_slice(part.as_bytes()));
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAnEnding> {
        let damaged = |what: &str| NotAnEnding(what.to_owned());
        let end = memchr::memchr(b'\n', bytes).ok_or_else(|| damaged("its first line has no end"))?;
        let form =
            |form| NotAnEnding(format!("it has the form {form}, and this version reads the form {FORM}"));
        let line: Line = serde_json::from_slice(&bytes[..end]).map_err(|error| {
            #[derive(Deserialize)]
            struct Form {
                form: u32,
            }
            match serde_json::from_slice(&bytes[..end]) {
                Ok(Form { form: other }) if other != FORM => form(other),
                _ => NotAnEnding(format!("its first line is damaged: {error}")),
            }
        })?;
        if line.form != FORM {
            return Err(form(line.form));
        }
        let mut parts = Parts(&bytes[end + 1..]);
        let body = match line.kind {
            Kind::Error { error } => {
                parts.end()?;
                return Ok(Self::Error(error));
            }
            Kind::Tool { content, structured, error_text, wraps, is_error } => Body::Tool(ToolBody {
                content: parts.json(content)?,
                structured: structured.map(|length| parts.json(length)).transpose()?,
                error_text: error_text.map(|length| parts.text(length)).transpose()?,
                wraps,
                is_error,
            }),
            Kind::Members { object, cache } => Body::Members { object: parts.json(object)?, cache },
        };
        let meta = line.meta.map(|length| parts.json(length)).transpose()?;
        parts.end()?;
        Ok(Self::Result(Payload { body, meta }))
    }
}

impl ToolBody {
    fn parts(&self) -> (Kind, [Option<&str>; 3]) {
        let structured = self.structured.as_ref().map(Json::as_str);
        let error_text = self.error_text.as_deref();
        let kind = Kind::Tool {
            content: self.content.as_str().len(),
            structured: structured.map(str::len),
            error_text: error_text.map(str::len),
            wraps: self.wraps,
            is_error: self.is_error,
        };
        (kind, [Some(self.content.as_str()), structured, error_text])
    }
}

/// What stands behind the first line and was not taken yet.
struct Parts<'a>(&'a [u8]);

impl Parts<'_> {
    fn text(&mut self, length: usize) -> Result<Box<str>, NotAnEnding> {
        let (part, rest) = self.0.split_at_checked(length).ok_or_else(|| {
            NotAnEnding(format!("a part of it has {} bytes, and should have {length}", self.0.len()))
        })?;
        self.0 = rest;
        let text =
            str::from_utf8(part).map_err(|error| NotAnEnding(format!("a part of it is damaged: {error}")))?;
        Ok(text.into())
    }

    /// A part that is JSON. What a disk loses reads as zeros or as something else; JSON has no zeros, and its two ends are
    /// seldom met by chance.
    fn json(&mut self, length: usize) -> Result<Json, NotAnEnding> {
        let text = self.text(length)?;
        let ends_with = |end: char| length > 1 && text.ends_with(end);
        let is_whole = match text.bytes().next() {
            Some(b'{') => ends_with('}'),
            Some(b'[') => ends_with(']'),
            Some(b'"') => ends_with('"'),
            // What is neither is short.
            _ => serde_json::from_str::<IgnoredAny>(&text).is_ok(),
        };
        if !is_whole || memchr::memchr(0, text.as_bytes()).is_some() {
            return Err(NotAnEnding(format!("a part of {length} bytes is no JSON")));
        }
        Ok(Json::kept(text))
    }

    fn end(&self) -> Result<(), NotAnEnding> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(NotAnEnding(format!("{} bytes stand behind its end", self.0.len())))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Map, Value, json};

    use super::super::payload::encode;
    use super::*;

    fn json(value: &Value) -> Json {
        encode(value).expect("JSON").into()
    }

    fn endings() -> Vec<Ending> {
        let tool = |tool: ToolBody| Ending::Result(Payload { body: Body::Tool(tool), meta: None });
        let meta = Map::from_iter([("a".to_owned(), Value::from("ü\n"))]);
        let cache = CacheHint::public(Duration::from_secs(1));
        let members = |meta: &Map<_, _>, cache| {
            Ending::Result(Payload::of_members(&json!({ "contents": [] }), meta, cache).expect("JSON"))
        };
        vec![
            Ending::Result(Payload::default()),
            tool(ToolBody {
                content: json(&json!([1])),
                structured: Some(json(&json!("x"))),
                ..ToolBody::default()
            }),
            tool(ToolBody {
                content: json(&json!([{ "text": "for\nwhy" }])),
                structured: Some(json(&json!({ "a": [1.5] }))),
                wraps: true,
                is_error: true,
                error_text: Some("for\nwhy".into()),
            }),
            tool(ToolBody { structured: Some(json(&json!(-1.5e300))), ..ToolBody::default() }),
            members(&meta, Some(cache)),
            members(&Map::new(), None),
            Ending::Error(ProtocolError::new(-7, "no\nmore").with_data(json!({ "a": 1 }))),
        ]
    }

    #[test]
    fn an_ending_survives_being_stored() {
        for ending in endings() {
            let read = Ending::from_bytes(&ending.to_bytes()).expect("it can be read");
            assert_eq!(format!("{read:?}"), format!("{ending:?}"));
        }
    }

    #[test]
    fn an_ending_that_was_cut_or_has_more_is_an_error() {
        for ending in endings() {
            let stored = ending.to_bytes();
            for length in 0..stored.len() {
                assert!(Ending::from_bytes(&stored[..length]).is_err(), "{ending:?} cut to {length} bytes");
            }
            let longer = [stored, b"x".to_vec()].concat();
            let error = Ending::from_bytes(&longer).expect_err("there is more");
            assert!(error.to_string().ends_with("1 bytes stand behind its end"), "{error}");
        }
    }

    #[test]
    fn no_damage_to_a_byte_makes_a_panic() {
        for ending in endings() {
            let stored = ending.to_bytes();
            for at in 0..stored.len() {
                for damaged in [0, b'\n', b'9', b'"', 0xff] {
                    let mut stored = stored.clone();
                    stored[at] = damaged;
                    let _ = Ending::from_bytes(&stored);
                }
            }
        }
    }

    #[test]
    fn what_a_disk_lost_is_not_sent() {
        let mut stored = endings()[2].to_bytes();
        let at = stored.iter().position(|byte| *byte == b'\n').expect("a line") + 5;
        stored[at..at + 4].fill(0);
        let error = Ending::from_bytes(&stored).expect_err("it has holes");
        assert!(error.to_string().ends_with("bytes is no JSON"), "{error}");
    }

    #[test]
    fn another_form_is_named() {
        let error = Ending::from_bytes(b"{\"form\":2,\"kind\":\"new\"}\n").expect_err("another form");
        assert!(
            error.to_string().ends_with("it has the form 2, and this version reads the form 1"),
            "{error}"
        );
        let error =
            Ending::from_bytes(b"{\"form\":0,\"kind\":\"error\",\"error\":{\"code\":1,\"message\":\"\"}}\n");
        assert!(error.expect_err("another form").to_string().contains("the form 0"));
    }
}
