//! What `completion/complete` asks for, which both wires say alike.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Op;
use crate::completion::Completion;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::without_position;
use crate::protocol::params::{Params, Str};

/// A `completion/complete`.
#[derive(Debug)]
pub(crate) struct Complete<'a> {
    pub(crate) reference: Reference<'a>,
    /// The name of the argument.
    pub(crate) argument: Str<'a>,
    pub(crate) typed: Completion,
}

/// Whose argument is to be completed.
#[derive(Debug)]
pub(crate) enum Reference<'a> {
    Prompt { name: Str<'a> },
    Resource { uri: Str<'a> },
}

/// A reference as it is written.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow, rename = "type")]
    kind: Str<'a>,
    #[serde(borrow)]
    name: Option<Str<'a>>,
    #[serde(borrow)]
    uri: Option<Str<'a>>,
}

impl<'a> Written<'a> {
    fn read(self) -> Result<Reference<'a>, String> {
        let missing = |name| format!("`ref`: missing field `{name}`");
        match &*self.kind {
            "ref/prompt" => Ok(Reference::Prompt { name: self.name.ok_or_else(|| missing("name"))? }),
            "ref/resource" => Ok(Reference::Resource { uri: self.uri.ok_or_else(|| missing("uri"))? }),
            other => Err(format!("`ref`: the type is `{other}`, and not `ref/prompt` or `ref/resource`")),
        }
    }
}

#[derive(Deserialize)]
struct Argument<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(default)]
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Context {
    arguments: BTreeMap<String, String>,
}

/// Reads the parameters.
pub(super) fn complete(params: Params<'_>) -> Result<Op<'_>, ProtocolError> {
    let reference: Written<'_> = member("ref", params.reference)?;
    let reference = reference.read().map_err(ProtocolError::invalid_params)?;
    let Argument { name, value } = member("argument", params.argument)?;
    let context: Context =
        params.context.map_or_else(|| Ok(Context::default()), |raw| member("context", Some(raw)))?;
    let typed = context
        .arguments
        .into_iter()
        .fold(Completion::of(value), |typed, (name, value)| typed.with(name, value));
    Ok(Op::Complete(Complete { reference, argument: name, typed }))
}

fn member<'a, T: Deserialize<'a>>(name: &str, raw: Option<&'a RawValue>) -> Result<T, ProtocolError> {
    let raw = raw.ok_or_else(|| ProtocolError::invalid_params(format!("`{name}` is required")))?;
    serde_json::from_str(raw.get())
        .map_err(|error| ProtocolError::invalid_params(format!("`{name}`: {}", without_position(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jsonrpc::{Message, read};
    use serde_json::{Value, json};

    fn completed(params: &Value) -> Result<String, String> {
        let text =
            json!({"jsonrpc": "2.0", "id": 1, "method": "completion/complete", "params": params}).to_string();
        let Ok(Message::Request { params, .. }) = read(&text) else { panic!("a request: {text}") };
        complete(params).map(|op| format!("{op:?}")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_completion_names_its_reference_its_argument_and_what_is_known() {
        let prompt = json!({"type": "ref/prompt", "name": "review"});
        let known = completed(&json!({
            "ref": prompt, "argument": {"name": "framework", "value": "fla"},
            "context": {"arguments": {"language": "python"}}
        }));
        assert!(known.is_ok_and(|op| op.contains("review") && op.contains("fla") && op.contains("python")));
        assert!(
            completed(&json!({"argument": {"name": "a", "value": ""}}))
                .is_err_and(|error| error.contains("`ref`"))
        );
        let nobody =
            json!({"ref": {"type": "ref/tool", "name": "a"}, "argument": {"name": "a", "value": ""}});
        assert!(completed(&nobody).is_err_and(|error| error.contains("ref/tool")));
        assert!(completed(&json!({"ref": prompt})).is_err_and(|error| error.contains("`argument`")));
    }
}
