//! A request in no revision's words, and how each revision writes it.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::link::Outgoing;
use super::peer::OnProgress;
use super::settings::Settings;
use crate::protocol::names::{self, meta};
use crate::wire::headers;

/// A request, before it is known over what it goes.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) params: Map<String, Value>,
    /// Arguments that are repeated in headers.
    pub(super) mirrored: Vec<(Cow<'static, str>, String)>,
    /// Whether the server may get it twice: when the answer was lost, it is sent again.
    pub(super) may_repeat: bool,
    /// How long one try may take. A call may take as long as it likes.
    pub(super) patience: Option<Duration>,
    /// Whether the server may answer with a task, where that is for the server to say.
    pub(super) takes_tasks: bool,
    pub(super) on_progress: Option<OnProgress>,
}

/// By what a server is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// The stateless protocol.
    Modern,
    /// A revision that opens with `initialize`.
    Legacy(String),
}

impl Era {
    pub(super) fn version(&self) -> &str {
        match self {
            Self::Modern => names::MODERN,
            Self::Legacy(version) => version,
        }
    }

    pub(super) fn is_modern(&self) -> bool {
        *self == Self::Modern
    }
}

impl Ask {
    /// A request that may be sent again and is answered soon.
    pub(super) fn new(method: &'static str, params: Value, settings: &Settings) -> Self {
        let params = match params {
            Value::Object(params) => params,
            _ => Map::new(),
        };
        Self {
            method,
            params,
            mirrored: Vec::new(),
            may_repeat: true,
            patience: Some(settings.request_timeout),
            takes_tasks: true,
            on_progress: None,
        }
    }

    /// The same without an end to patience, which may do something that must not be done twice.
    pub(super) fn call(method: &'static str, params: Value, settings: &Settings) -> Self {
        Self { may_repeat: false, patience: None, ..Self::new(method, params, settings) }
    }

    /// Adds an entry to `_meta`.
    pub(super) fn set_meta(&mut self, key: &str, value: impl Into<Value>) {
        set_meta(&mut self.params, key, value.into());
    }

    /// The request as a revision has it.
    pub(super) fn write(&self, era: &Era, id: i64, settings: &Settings, has_headers: bool) -> Outgoing {
        let mut params = self.params.clone();
        if self.on_progress.is_some() {
            set_meta(&mut params, "progressToken", id.into());
        }
        let mut repeated = Vec::new();
        if era.is_modern() {
            set_meta(&mut params, meta::PROTOCOL_VERSION, names::MODERN.into());
            set_meta(&mut params, meta::CLIENT_INFO, settings.info.clone());
            let capabilities = settings.modern_capabilities(self.takes_tasks);
            set_meta(&mut params, meta::CLIENT_CAPABILITIES, capabilities);
            if has_headers {
                repeated.push((Cow::Borrowed("MCP-Protocol-Version"), names::MODERN.to_owned()));
                repeated.push((Cow::Borrowed("Mcp-Method"), self.method.to_owned()));
                if let Some(name) = self.name() {
                    repeated.push((Cow::Borrowed("Mcp-Name"), headers::encode(name)));
                }
                repeated.extend(self.mirrored.iter().cloned());
            }
        }
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": self.method, "params": params });
        Outgoing { id: Some(id), text: message.to_string(), headers: repeated }
    }

    /// What the request is about, for the methods that say so in a header.
    fn name(&self) -> Option<&str> {
        let key = match self.method {
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
            _ => return None,
        };
        self.params.get(key).and_then(Value::as_str)
    }
}

fn set_meta(params: &mut Map<String, Value>, key: &str, value: Value) {
    let own = params.entry("_meta").or_insert_with(|| Map::new().into());
    if let Some(own) = own.as_object_mut() {
        own.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(ask: &Ask, era: &Era) -> (Value, Vec<(String, String)>) {
        let outgoing = ask.write(era, 7, &Settings::default(), true);
        let headers = outgoing.headers.into_iter().map(|(name, value)| (name.into_owned(), value));
        (serde_json::from_str(&outgoing.text).expect("JSON"), headers.collect())
    }

    #[test]
    fn the_stateless_protocol_has_everything_in_each_request() {
        let ask =
            Ask::new("tools/call", json!({ "name": "größe", "_meta": { "own": 1 } }), &Settings::default());
        let (message, headers) = written(&ask, &Era::Modern);
        let meta = &message["params"]["_meta"];
        assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
        let tasks = &meta["io.modelcontextprotocol/clientCapabilities"]["extensions"];
        assert_eq!(tasks, &json!({ "io.modelcontextprotocol/tasks": {} }));
        assert_eq!(meta["own"], 1);
        let names: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "=?base64?Z3LDtsOfZQ==?="),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn earlier_revisions_have_nothing_of_it() {
        let ask = Ask::new("tools/list", json!({}), &Settings::default());
        let (message, headers) = written(&ask, &Era::Legacy("2025-11-25".to_owned()));
        assert_eq!(message, json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {} }));
        assert!(headers.is_empty());
    }
}
