//! The parameters of every request and notification, read in the same pass as the frame around them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::capabilities::ClientCapabilities;
use super::error::ProtocolError;
use super::jsonrpc::RequestId;
use super::log::LogLevel;

/// A string that is borrowed from the message where it has no escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Str<'a>(pub(crate) Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = Str<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Borrowed)
    }
}

/// Reads an object, and nothing else: a derived struct would take a list of its members as well.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Object<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }
    deserializer.deserialize_any(Object(PhantomData))
}

/// Reads a text that a request may do without: anything else counts as none.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Str<'de>>, D::Error> {
    let raw = <&'de RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// Everything that any method takes. A method reads its own fields and ignores the rest, as the specification asks.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Params<'a> {
    #[serde(borrow)]
    pub(crate) name: Option<Str<'a>>,
    #[serde(borrow)]
    pub(crate) arguments: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta", deserialize_with = "object")]
    pub(crate) meta: Option<Meta<'a>>,
    #[serde(deserialize_with = "object")]
    pub(crate) task: Option<TaskAugmentation>,
    #[serde(borrow)]
    pub(crate) cursor: Option<Str<'a>>,
    #[serde(borrow)]
    pub(crate) task_id: Option<Str<'a>>,
    #[serde(deserialize_with = "object")]
    pub(crate) notifications: Option<SubscriptionFilter>,
    #[serde(borrow)]
    pub(crate) protocol_version: Option<Str<'a>>,
    pub(crate) request_id: Option<RequestId>,
    #[serde(borrow)]
    pub(crate) reason: Option<Str<'a>>,
    #[serde(deserialize_with = "object")]
    pub(crate) capabilities: Option<ClientCapabilities>,
    #[serde(borrow)]
    pub(crate) input_responses: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) request_state: Option<Str<'a>>,
    #[serde(borrow)]
    pub(crate) idempotency_key: Option<Str<'a>>,
    #[serde(borrow)]
    pub(crate) uri: Option<Str<'a>>,
    #[serde(borrow)]
    pub(crate) level: Option<Str<'a>>,
    #[serde(borrow, rename = "ref")]
    pub(crate) reference: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) argument: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) context: Option<&'a RawValue>,
    /// What is wrong with the parameters, if they could not be read; then there is only `_meta`.
    #[serde(skip)]
    pub(crate) malformed: Option<ProtocolError>,
}

/// `params._meta`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Meta<'a> {
    #[serde(rename = "progressToken")]
    pub(crate) progress_token: Option<RequestId>,
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    pub(crate) protocol_version: Option<Str<'a>>,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities", deserialize_with = "object")]
    pub(crate) client_capabilities: Option<ClientCapabilities>,
    #[serde(rename = "io.modelcontextprotocol/logLevel")]
    pub(crate) log_level: Option<LogLevel>,
    #[serde(borrow, rename = "io.modelcontextprotocol/idempotencyKey")]
    pub(crate) idempotency_key: Option<Str<'a>>,
    #[serde(borrow, rename = "dev.mcp-runtime/idempotencyKey")]
    pub(crate) own_idempotency_key: Option<Str<'a>>,
    /// Where a reader of a task's partial results left off.
    #[serde(borrow, rename = "dev.mcp-runtime/partial")]
    pub(crate) partial: Option<&'a RawValue>,
    /// The first draft of tasks let the client choose the id, and that id made a retry safe.
    #[serde(borrow, rename = "modelcontextprotocol.io/task", deserialize_with = "object")]
    pub(crate) proposed_task: Option<ProposedTask<'a>>,
    /// What one host calls the use of a tool that it asks for.
    #[serde(borrow, rename = "claudecode/toolUseId", deserialize_with = "text")]
    pub(crate) tool_use_id: Option<Str<'a>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(crate) traceparent: Option<Str<'a>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(crate) tracestate: Option<Str<'a>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(crate) baggage: Option<Str<'a>>,
}

/// The task that a client of the first draft named.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ProposedTask<'a> {
    #[serde(borrow)]
    pub(crate) task_id: Option<Str<'a>>,
}

/// `params.task` of the core dialect: asks for a task. Members that are not known are ignored.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TaskAugmentation {
    /// Wanted lifetime in milliseconds; the server may change it.
    #[serde(deserialize_with = "milliseconds")]
    pub(crate) ttl: Option<u64>,
}

/// A duration in milliseconds. JSON knows one kind of number, so `60000.0` is as good as `60000`.
fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(value) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    if value.is_finite() && value >= 0.0 {
        Ok(Some(value as u64))
    } else {
        Err(de::Error::custom(format_args!("ttl is {value}; it is a number of milliseconds from 0 up")))
    }
}

/// The filter of `subscriptions/listen`, as far as this server has anything to say on it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SubscriptionFilter {
    #[serde(deserialize_with = "wanted", skip_serializing_if = "is_not")]
    pub(crate) tools_list_changed: bool,
    #[serde(deserialize_with = "wanted", skip_serializing_if = "is_not")]
    pub(crate) prompts_list_changed: bool,
    #[serde(deserialize_with = "wanted", skip_serializing_if = "is_not")]
    pub(crate) resources_list_changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource_subscriptions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task_ids: Option<Vec<String>>,
}

/// A wish that may be `null`, which is none.
fn wanted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_not(wish: &bool) -> bool {
    !wish
}
