//! The server's tools, as the client knows them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Client;
use super::error::Error;
use crate::tool::{Mirrored, mirrored};
use crate::wire::headers;

/// A tool of the server's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolInfo {
    /// The name that it is called by.
    pub name: String,
    /// A name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// The JSON Schema of its arguments, exactly as the server wrote it. References in it are not followed.
    #[serde(default)]
    pub input_schema: Value,
    /// The JSON Schema of its structured content.
    #[serde(default)]
    pub output_schema: Option<Value>,
    /// Hints on what it does, such as `readOnlyHint`.
    #[serde(default)]
    pub annotations: Map<String, Value>,
    /// Everything else that the server says of it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl ToolInfo {
    /// Whether it can be called as a task, or must be (`execution.taskSupport` of 2025-11-25).
    pub fn task_support(&self) -> Option<&str> {
        self.rest.get("execution")?["taskSupport"].as_str()
    }

    /// Whether calling it twice is as good as calling it once, as the server says.
    pub fn may_repeat(&self) -> bool {
        let says = |hint| self.annotations.get(hint).and_then(Value::as_bool).unwrap_or(false);
        says("readOnlyHint") || says("idempotentHint")
    }
}

/// The tools that were listed last.
#[derive(Debug, Default)]
pub(super) struct Tools(Mutex<Listed>);

#[derive(Debug, Default)]
struct Listed {
    tools: Vec<Arc<Known>>,
    by_name: HashMap<String, Arc<Known>>,
    /// Until when nobody need ask again, and what the server had announced by then.
    fresh: Option<(Instant, u64)>,
}

/// A tool, and what follows from its schema.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) info: ToolInfo,
    mirrored: Box<[Mirrored]>,
}

/// All pages of a list.
pub(super) struct Pages {
    pub(super) items: Vec<Value>,
    /// For how long it may be taken for fresh.
    pub(super) ttl: Duration,
}

impl Tools {
    fn listed(&self) -> MutexGuard<'_, Listed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tool that was listed, fresh or not.
    pub(super) fn known(&self, name: &str) -> Option<Arc<Known>> {
        self.listed().by_name.get(name).cloned()
    }
}

impl Known {
    fn read(tool: Value, has_headers: bool) -> Result<Self, String> {
        let name = tool["name"].as_str().unwrap_or("?").to_owned();
        let info: ToolInfo =
            serde_json::from_value(tool).map_err(|error| format!("tool `{name}` cannot be read: {error}"))?;
        let mut errors = Vec::new();
        let mirrored = mirrored(&info.input_schema, &mut errors);
        match errors.first() {
            // "Clients using other transports MAY ignore `x-mcp-header` annotations entirely."
            Some(wrong) if has_headers => Err(format!("tool `{name}` has a header that cannot be: {wrong}")),
            Some(_) => Ok(Self { info, mirrored: [].into() }),
            None => Ok(Self { info, mirrored }),
        }
    }

    /// The headers that repeat arguments.
    pub(super) fn headers(&self, arguments: &Value) -> Vec<(Cow<'static, str>, String)> {
        let header = |mirrored: &Mirrored| {
            let value = mirrored.path.iter().try_fold(arguments, |value, name| value.get(&**name))?;
            let text = match value {
                Value::String(text) => headers::encode(text),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                // Nothing, or what the server refuses for what it is.
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            Some((Cow::Owned(mirrored.header.to_string()), text))
        };
        self.mirrored.iter().filter_map(header).collect()
    }
}

impl Client {
    /// The server's tools, all pages of them. As long as the server says that its list is fresh, it is not asked again.
    ///
    /// Over HTTP, tools whose arguments are to be repeated in headers that cannot be are left out, with a warning.
    pub async fn list_tools(&self) -> Result<Vec<ToolInfo>, Error> {
        let generation = self.connection().peer.tools_generation();
        {
            let listed = self.tools().listed();
            if listed.fresh.is_some_and(|(until, of)| of == generation && Instant::now() < until) {
                return Ok(listed.tools.iter().map(|known| known.info.clone()).collect());
            }
        }
        self.refresh_tools().await?;
        Ok(self.tools().listed().tools.iter().map(|known| known.info.clone()).collect())
    }

    /// Asks for the tools, fresh or not.
    pub(super) async fn refresh_tools(&self) -> Result<(), Error> {
        let generation = self.connection().peer.tools_generation();
        let has_headers = self.session().await?.link.has_headers();
        let Pages { items, ttl } = self.pages("tools/list", "tools").await?;
        let known = items.into_iter().filter_map(|tool| match Known::read(tool, has_headers) {
            Ok(known) => Some(Arc::new(known)),
            Err(wrong) => {
                tracing::warn!("left out: {wrong}");
                None
            }
        });
        let tools: Vec<_> = known.collect();
        let by_name = tools.iter().map(|known| (known.info.name.clone(), Arc::clone(known))).collect();
        let fresh = Instant::now().checked_add(ttl).map(|until| (until, generation));
        *self.tools().listed() = Listed { tools, by_name, fresh };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn known(property: &Value) -> Result<Known, String> {
        let schema = json!({ "type": "object", "properties": { "a": property } });
        Known::read(json!({ "name": "tool", "inputSchema": schema }), true)
    }

    #[test]
    fn arguments_are_repeated_as_headers_can_have_them() {
        let tool = known(&json!({ "type": "string", "x-mcp-header": "A" })).expect("a tool");
        let header = |value: Value| {
            let headers = tool.headers(&json!({ "a": value, "b": 1 }));
            headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(header(json!("us-west1")), "mcp-param-a: us-west1");
        assert_eq!(header(json!("")), "mcp-param-a: ");
        assert_eq!(header(json!(" padded ")), "mcp-param-a: =?base64?IHBhZGRlZCA=?=");
        assert_eq!(header(json!("=?base64?literal?=")), "mcp-param-a: =?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
        assert_eq!(header(json!(-7)), "mcp-param-a: -7");
        assert_eq!(header(json!(true)), "mcp-param-a: true");
        assert_eq!(header(Value::Null), "");
    }

    #[test]
    fn a_tool_whose_headers_cannot_be_is_left_out() {
        assert!(known(&json!({ "type": "number", "x-mcp-header": "A" })).is_err());
        assert!(known(&json!({ "type": "string", "x-mcp-header": "two words" })).is_err());
        let tool = json!({ "name": "t", "inputSchema": { "properties": { "a": { "x-mcp-header": "" } } } });
        assert!(Known::read(tool, false).is_ok(), "where there are no headers it does not matter");
    }
}
