//! What a function may ask of a client: its people, by a form or a page; its model; its roots.

mod check;
mod elicitation;
mod form;
mod roots;
mod sampling;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(crate) use self::check::check;
#[cfg(feature = "client")]
pub(crate) use self::check::fits_schema;
pub use self::elicitation::{Elicit, ElicitUrl, Elicited};
pub use self::roots::{ListRoots, Root};
pub use self::sampling::{
    IncludeContext, Sample, Sampled, SampledContent, Sampling, SamplingTool, ToolChoice, ToolUse,
};
use crate::limit;
pub use crate::protocol::capabilities::{Capability, ClientCapabilities};
use crate::protocol::{ProtocolError, digest, payload};

/// A request to a client, as every wire sends it: a method and its parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InputRequest {
    pub(crate) method: InputMethod,
    pub(crate) params: Box<RawValue>,
}

/// The methods that a server may ask a client by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum InputMethod {
    #[serde(rename = "elicitation/create")]
    Elicit,
    #[serde(rename = "sampling/createMessage")]
    Sample,
    #[serde(rename = "roots/list")]
    ListRoots,
}

impl InputMethod {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Elicit => "elicitation/create",
            Self::Sample => "sampling/createMessage",
            Self::ListRoots => "roots/list",
        }
    }
}

impl InputRequest {
    fn new(method: InputMethod, params: &impl Serialize) -> Result<Arc<Self>, InputError> {
        let params = payload::encode(params).map_err(|error| InputError::Malformed(error.to_string()))?;
        Ok(Arc::new(Self { method, params }))
    }

    /// What it is called where its author gave it no key: the same each time that it asks the same, and nothing else is
    /// called that. So an answer is never taken for that to another question, in whatever order they are asked.
    pub(crate) fn default_key(&self) -> String {
        let kind = match self.method {
            InputMethod::Elicit => "elicitation",
            InputMethod::Sample => "sampling",
            // There is only one way to ask.
            InputMethod::ListRoots => return "roots".to_owned(),
        };
        let digest = digest(self.params.get());
        format!("{kind}-{}", digest.get(..12).unwrap_or_default())
    }

    /// Whether it sends somebody to a page.
    pub(crate) fn is_for_a_page(&self) -> bool {
        self.method == InputMethod::Elicit && self.peek().mode.as_deref() == Some("url")
    }

    /// Whether a client that declared this may be asked it.
    pub(crate) fn suits(&self, client: ClientCapabilities) -> bool {
        match self.method {
            InputMethod::Elicit if self.is_for_a_page() => client.elicitation_url(),
            InputMethod::Elicit => client.elicitation(),
            InputMethod::ListRoots => client.roots(),
            InputMethod::Sample => {
                let Peek { tools, tool_choice, include_context, .. } = self.peek();
                client.sampling()
                    && (client.sampling_tools() || tools.is_none() && tool_choice.is_none())
                    && (client.sampling_context() || include_context.is_none_or(|whose| whose == "none"))
            }
        }
    }

    /// Whether a client that declared this may make a task of it.
    pub(crate) fn may_be_task(&self, client: ClientCapabilities) -> bool {
        match self.method {
            InputMethod::Elicit => client.elicitation_tasks(),
            InputMethod::Sample => client.sampling_tasks(),
            InputMethod::ListRoots => false,
        }
    }

    fn peek(&self) -> Peek<'_> {
        serde_json::from_str(self.params.get()).unwrap_or_default()
    }
}

/// What of a request's parameters a client must be able to do.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Peek<'a> {
    #[serde(borrow)]
    mode: Option<Cow<'a, str>>,
    tools: Option<IgnoredAny>,
    tool_choice: Option<IgnoredAny>,
    #[serde(borrow)]
    include_context: Option<Cow<'a, str>>,
}

/// What a client answered: a result, an error, or something that is neither.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputResponse {
    /// A result of the request's method.
    Result(Box<RawValue>),
    /// A JSON-RPC error.
    Error(ProtocolError),
    /// No answer to what was asked; what is wrong with it.
    Unfit(String),
}

impl InputResponse {
    /// The result as the type that it should be.
    fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, InputError> {
        match self {
            Self::Result(result) => {
                serde_json::from_str(result.get()).map_err(|error| InputError::Unfit(error.to_string()))
            }
            Self::Error(error) => Err(InputError::Refused(error.clone())),
            Self::Unfit(what) => Err(InputError::Unfit(what.clone())),
        }
    }
}

/// Why a question to the client has no answer.
///
/// A function that gives it back by `?` ends with what the specification has for that: a capability that the client did
/// not declare is error -32021, which says what is missing; a limit that is reached is an error, too; everything else is a failure of the tool that a model may
/// read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InputError {
    /// The client did not declare that it can do this, so it was not asked.
    Unsupported(Capability),
    /// The client refused, for example because a person said no to a sampling request.
    Refused(ProtocolError),
    /// The client's answer does not fit the question.
    Unfit(String),
    /// The question cannot be put: the type is no flat form of texts, numbers, booleans and choices.
    NotAForm(String),
    /// The question is none that the protocol has.
    Malformed(String),
    /// The task has asked as much as it may: the name of the [limit](crate::Limits), and its value.
    Limit(&'static str, usize),
    /// Nobody is there any more who could answer.
    Lost(String),
}

impl InputError {
    /// The error as one of the protocol, if that is what it is.
    pub(crate) fn protocol(&self) -> Option<ProtocolError> {
        let capability = match self {
            Self::Unsupported(capability) => capability,
            Self::Limit(name, value) => return Some(limit::reached(name, *value, "")),
            _ => return None,
        };
        let data = serde_json::json!({ "requiredCapabilities": capability.declaration() });
        Some(ProtocolError::new(ProtocolError::MISSING_CLIENT_CAPABILITY, self.to_string()).with_data(data))
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(capability) => {
                write!(f, "Missing required client capability: {}", capability.name())
            }
            Self::Refused(error) => write!(f, "the client refused: {error}"),
            Self::Unfit(what) => write!(f, "the client's answer does not fit the question: {what}"),
            Self::NotAForm(what) => write!(f, "the question cannot be put as a form: {what}"),
            Self::Malformed(what) => write!(f, "the question cannot be put: {what}"),
            Self::Limit(name, value) => write!(f, "the server's limit `{name}` is reached ({value})"),
            Self::Lost(what) => write!(f, "the question could not be answered: {what}"),
        }
    }
}

impl std::error::Error for InputError {}

/// The protocol error that an author's error is or stands for.
pub(crate) fn protocol_error(error: &dyn Any) -> Option<ProtocolError> {
    match error.downcast_ref::<InputError>() {
        Some(error) => error.protocol(),
        None => error.downcast_ref::<ProtocolError>().cloned(),
    }
}
