//! JSON-RPC 2.0 frames: one parse of an incoming message, and the shapes of outgoing ones.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::ProtocolError;
use super::params::{Meta, Params, Str, object};

/// The id of a JSON-RPC request: a string or a 64-bit integer, never `null`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum RequestId {
    /// An integer id.
    Number(i64),
    /// A string id.
    String(Arc<str>),
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;
        impl Visitor<'_> for Id {
            type Value = RequestId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an integer")
            }
            fn visit_i64<E: de::Error>(self, id: i64) -> Result<RequestId, E> {
                Ok(RequestId::Number(id))
            }
            fn visit_u64<E: de::Error>(self, id: u64) -> Result<RequestId, E> {
                i64::try_from(id)
                    .map(RequestId::Number)
                    .map_err(|_| E::custom(format_args!("{id} is not a 64-bit signed integer")))
            }
            fn visit_str<E: de::Error>(self, id: &str) -> Result<RequestId, E> {
                Ok(RequestId::String(id.into()))
            }
        }
        deserializer.deserialize_any(Id)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(id) => id.fmt(f),
            Self::String(id) => write!(f, "{id:?}"),
        }
    }
}

/// One incoming message, read in a single pass. What a method takes as free-form JSON stays raw.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Request {
        id: RequestId,
        method: Cow<'a, str>,
        params: Params<'a>,
    },
    Notification {
        method: Cow<'a, str>,
        params: Params<'a>,
    },
    /// An answer to a request of ours, with its id if that could be read.
    Response {
        id: Option<RequestId>,
        result: Option<&'a RawValue>,
        error: Option<&'a RawValue>,
    },
}

/// Why a message could not be read, and the id to answer to if that much could be.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) id: Option<RequestId>,
    pub(crate) error: Box<ProtocolError>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "P: Deserialize<'de>"), expecting = "an object")]
struct Frame<'a, P> {
    #[serde(borrow, default)]
    jsonrpc: Option<Str<'a>>,
    #[serde(default)]
    id: IdMember,
    #[serde(borrow, default)]
    method: Option<Str<'a>>,
    #[serde(default = "Option::default", deserialize_with = "object")]
    params: Option<P>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// A member that is there, even if it is `null`.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The `id` of a message: `null` is not the same as none at all.
#[derive(Default)]
enum IdMember {
    #[default]
    Absent,
    Null,
    Id(RequestId),
}

impl<'de> Deserialize<'de> for IdMember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|id| id.map_or(Self::Null, Self::Id))
    }
}

impl IdMember {
    fn known(self) -> Option<RequestId> {
        match self {
            Self::Id(id) => Some(id),
            Self::Absent | Self::Null => None,
        }
    }
}

/// Reads one message that is known to be a single JSON value (not a batch).
pub(crate) fn read(text: &str) -> Result<Message<'_>, Unreadable> {
    match serde_json::from_str::<Frame<'_, Params<'_>>>(text) {
        Ok(frame) => classify(frame),
        Err(error) => explain(text, &error),
    }
}

fn classify<'a>(frame: Frame<'a, Params<'a>>) -> Result<Message<'a>, Unreadable> {
    let refuse = |id, message: &'static str| {
        Err(Unreadable { id, error: Box::new(ProtocolError::invalid_request(message)) })
    };
    // Whoever asked must not wait because of how the answer is framed, and an answer is never answered.
    if frame.method.is_none() && (frame.result.is_some() || frame.error.is_some()) {
        let Frame { id, result, error, .. } = frame;
        return Ok(Message::Response { id: id.known(), result, error });
    }
    if frame.jsonrpc.as_deref() != Some("2.0") {
        return refuse(frame.id.known(), "`jsonrpc` must be \"2.0\"");
    }
    match (frame.id, frame.method) {
        (IdMember::Null, _) => refuse(None, "`id` must be a string or an integer, not null"),
        (IdMember::Id(id), Some(method)) => {
            Ok(Message::Request { id, method: method.0, params: frame.params.unwrap_or_default() })
        }
        (IdMember::Absent, Some(method)) => {
            Ok(Message::Notification { method: method.0, params: frame.params.unwrap_or_default() })
        }
        (id, None) => refuse(id.known(), "a message needs a `method`"),
    }
}

/// The slow path: what exactly is wrong with a message that did not read, and whom to tell.
fn explain<'a>(text: &'a str, error: &serde_json::Error) -> Result<Message<'a>, Unreadable> {
    if let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text)
        && let Some(method) = envelope.method
    {
        // The envelope is sound, so it was the parameters. Which wire they are of still decides what is said first.
        let params = envelope.params.map_or("{}", RawValue::get);
        let wrong = serde_json::from_str::<OnlyObject<Params<'_>>>(params).err();
        let wrong = wrong.map_or_else(|| error.to_string(), |error| without_position(&error));
        let malformed = Some(ProtocolError::invalid_params(format!("invalid params: {wrong}")));
        let meta = serde_json::from_str::<OnlyMeta<'_>>(params).ok().and_then(|params| params.meta);
        let params = Params { meta, malformed, ..Params::default() };
        match (envelope.jsonrpc.as_deref(), envelope.id) {
            (Some("2.0"), IdMember::Id(id)) => return Ok(Message::Request { id, method: method.0, params }),
            // A notification is never answered, not even a wrong one.
            (Some("2.0"), IdMember::Absent) => {
                return Ok(Message::Notification { method: method.0, params: Params::default() });
            }
            _ => {}
        }
    }
    let error = match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => {
            ProtocolError::invalid_request(format!("not a JSON-RPC 2.0 message: {}", without_position(error)))
        }
        Err(error) => ProtocolError::new(ProtocolError::PARSE_ERROR, format!("not valid JSON: {error}")),
    };
    match peek(text) {
        Peeked { id, is_answer: true } => {
            tracing::debug!(?id, %error, "an answer cannot be read");
            Ok(Message::Response { id, result: None, error: None })
        }
        Peeked { id, is_answer: false } => Err(Unreadable { id, error: Box::new(error) }),
    }
}

/// A message whose parameters are left as they are.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<Str<'a>>,
    #[serde(default)]
    id: IdMember,
    #[serde(borrow, default)]
    method: Option<Str<'a>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// Parameters of which nothing but `_meta` could be read.
#[derive(Deserialize)]
struct OnlyMeta<'a> {
    #[serde(borrow, default, rename = "_meta", deserialize_with = "object")]
    meta: Option<Meta<'a>>,
}

/// Something that is an object; what it holds is not wanted.
struct OnlyObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OnlyObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::<D, T>(deserializer).map(|_| Self(PhantomData))
    }
}

/// A serde message without the position that means nothing to somebody who sees only the message.
pub(crate) fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// What can be read of a message that is broken or cut off further on.
#[derive(Debug, Default)]
pub(crate) struct Peeked {
    pub(crate) id: Option<RequestId>,
    /// Whether it answers a request of ours. Such an id is ours, and nothing may be said under it.
    pub(crate) is_answer: bool,
}

/// Reads as far as it goes.
pub(crate) fn peek(text: &str) -> Peeked {
    struct Peek<'c>(&'c RefCell<Peeked>);
    impl<'de> DeserializeSeed<'de> for Peek<'_> {
        type Value = ();
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_map(self)
        }
    }
    impl<'de> Visitor<'de> for Peek<'_> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON-RPC message")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut is_request = false;
            while let Some(key) = map.next_key::<Str<'_>>()? {
                match &*key {
                    "id" => {
                        let id = map.next_value::<&RawValue>()?;
                        self.0.borrow_mut().id = serde_json::from_str(id.get()).ok();
                        continue;
                    }
                    "method" => {
                        is_request = true;
                        self.0.borrow_mut().is_answer = false;
                    }
                    "result" | "error" => self.0.borrow_mut().is_answer = !is_request,
                    _ => {}
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }
    let peeked = RefCell::new(Peeked::default());
    // Whether the rest reads does not matter: what was seen was seen.
    let _ = Peek(&peeked).deserialize(&mut serde_json::Deserializer::from_str(text));
    peeked.into_inner()
}

/// The id under which a message that cannot be read is to be refused, as far as it can be read.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
pub(crate) fn peek_id(text: &str) -> Option<RequestId> {
    let Peeked { id, is_answer } = peek(text);
    id.filter(|_| !is_answer)
}

/// Writes any value as JSON at the end of a buffer.
pub(crate) fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, value) {
        // Only a `Serialize` written by hand can fail here, and only user data is one: say so in its place.
        tracing::error!(%error, "a value could not be written as JSON");
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// Opens a successful response; the caller writes the result object and calls [`end`].
pub(crate) fn begin_response(out: &mut Vec<u8>, id: &RequestId) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write_json(out, id);
    out.extend_from_slice(br#","result":"#);
}

/// Opens a notification; the caller writes the params object and calls [`end`].
pub(crate) fn begin_notification(out: &mut Vec<u8>, method: &str) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":""#);
    out.extend_from_slice(method.as_bytes());
    out.extend_from_slice(br#"","params":"#);
}

/// Closes what [`begin_response`] or [`begin_notification`] opened. Framing is the transport's.
pub(crate) fn end(out: &mut Vec<u8>) {
    out.push(b'}');
}

/// A whole error response. Without an id the member is left out: `null` is not an id in MCP.
pub(crate) fn write_error(out: &mut Vec<u8>, id: Option<&RequestId>, error: &ProtocolError) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
    if let Some(id) = id {
        out.extend_from_slice(br#""id":"#);
        write_json(out, id);
        out.push(b',');
    }
    out.extend_from_slice(br#""error":"#);
    write_json(out, error);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (Option<RequestId>, i64) {
        let unreadable = read(text).expect_err("this must not read");
        (unreadable.id, unreadable.error.code())
    }

    #[test]
    fn a_request_keeps_its_id_whatever_its_type() {
        let Ok(Message::Request { id, method, .. }) = read(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#)
        else {
            panic!("a request")
        };
        assert_eq!((id, &*method), (RequestId::String("a".into()), "ping"));
        assert!(matches!(
            read(r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}"#),
            Ok(Message::Request { id: RequestId::Number(9_007_199_254_740_993), .. })
        ));
    }

    #[test]
    fn what_is_not_a_message_is_refused_with_the_code_of_the_specification() {
        assert_eq!(refused("{"), (None, -32700));
        assert_eq!(refused("nonsense"), (None, -32700));
        assert_eq!(refused("7"), (None, -32600));
        assert_eq!(refused(r#"{"jsonrpc":"2.0"}"#), (None, -32600));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), (None, -32600));
        assert_eq!(
            refused(r#"{"jsonrpc":"1.0","id":3,"method":"ping"}"#),
            (Some(RequestId::Number(3)), -32600)
        );
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#), (None, -32600));
    }

    #[test]
    fn the_id_is_echoed_as_soon_as_it_could_be_read() {
        assert_eq!(refused(r#"{"id":5,"jsonrpc":"2.0","method":"#), (Some(RequestId::Number(5)), -32700));
    }

    #[test]
    fn an_answer_is_never_answered_however_broken_it_is() {
        for (text, expected) in [
            (r#"{"jsonrpc":"2.0","id":0,"result":null}"#, Some(0)),
            (r#"{"jsonrpc":"2.0","id":0,"error":null}"#, Some(0)),
            (r#"{"id":0,"result":{}}"#, Some(0)),
            (r#"{"jsonrpc":"2.0","id":null,"result":{}}"#, None),
            (r#"{"jsonrpc":"2.0","id":0.5,"result":{}}"#, None),
            (r#"{"jsonrpc":"2.0","id":0,"params":[],"result":{}}"#, Some(0)),
            (r#"{"jsonrpc":"2.0","id":0,"result":{"#, Some(0)),
        ] {
            let Ok(Message::Response { id, .. }) = read(text) else { panic!("an answer: {text}") };
            assert_eq!(id, expected.map(RequestId::Number), "{text}");
            assert_eq!(peek_id(text), None, "{text}");
        }
        let text = r#"{"jsonrpc":"2.0","id":7,"method":"x","result":{"#;
        assert_eq!(
            (refused(text), peek_id(text)),
            ((Some(RequestId::Number(7)), -32700), Some(RequestId::Number(7)))
        );
    }

    #[test]
    fn parameters_that_do_not_read_are_kept_as_an_error_beside_their_meta() {
        let text = r#"{"jsonrpc":"2.0","id":5,"method":"x","params":{"name":7,"_meta":{"progressToken":1}}}"#;
        let Ok(Message::Request { params, .. }) = read(text) else { panic!("a request") };
        assert!(params.malformed.is_some_and(|error| error.code() == -32602));
        assert!(params.meta.is_some_and(|meta| meta.progress_token.is_some()));
        for params in ["[1]", "[]", "7"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":5,"method":"x","params":{params}}}"#);
            let Ok(Message::Request { params, .. }) = read(&text) else { panic!("a request") };
            assert!(params.malformed.is_some(), "{text}");
        }
    }

    #[test]
    fn a_notification_with_wrong_parameters_is_still_one() {
        let text = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}"#;
        assert!(matches!(read(text), Ok(Message::Notification { .. })));
    }
}
