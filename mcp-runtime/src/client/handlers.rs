//! Who answers what a server asks: people by forms and pages, a model, and the program for its roots.
//!
//! The same handlers answer requests of legacy servers, rounds of `input_required`, and the `inputRequests` of tasks.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::link::BoxFuture;
use crate::input::{Elicited, Root};
use crate::protocol::ProtocolError;

/// A form that a server wants a person to fill in.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Form {
    /// What it is about.
    pub message: String,
    /// The fields: a flat JSON Schema of texts, numbers, booleans and choices.
    #[serde(rename = "requestedSchema")]
    pub schema: Value,
}

/// A page that a server wants a person to visit.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Page {
    /// What it is about.
    pub message: String,
    /// Where it is. Show all of it before anybody goes there.
    pub url: String,
    /// What the server calls it, on the revisions that open with `initialize`.
    #[serde(default)]
    pub elicitation_id: Option<String>,
}

/// A conversation that a server wants to be put before a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conversation {
    /// The messages, as the specification writes them.
    pub messages: Vec<Value>,
    /// The longest answer, in the model's tokens.
    pub max_tokens: u64,
    /// What the model is to be told before.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// Everything else that the request says: `temperature`, `modelPreferences`, `tools` and the like.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What a model answers to a [`Conversation`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "an answer does nothing until the handler returns it"]
pub struct ModelAnswer {
    role: &'static str,
    content: Value,
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<String>,
}

impl ModelAnswer {
    /// A text by the model of this name.
    pub fn text(model: impl Into<String>, text: impl Into<String>) -> Self {
        Self::content(model, json!({ "type": "text", "text": text.into() }))
    }

    /// An item of content, or a list of them, as the specification writes it.
    pub fn content(model: impl Into<String>, content: Value) -> Self {
        Self { role: "assistant", content, model: model.into(), stop_reason: Some("endTurn".to_owned()) }
    }

    /// Why the model stopped. Default: `endTurn`.
    pub fn stop_reason(mut self, reason: impl Into<String>) -> Self {
        self.stop_reason = Some(reason.into());
        self
    }
}

pub(super) type Handler<Q, A> = Arc<dyn Fn(Q) -> BoxFuture<'static, A> + Send + Sync>;

/// All handlers of a client.
#[derive(Clone, Default)]
pub(super) struct Handlers {
    pub(super) form: Option<Handler<Form, Elicited<Value>>>,
    pub(super) page: Option<Handler<Page, Elicited<()>>>,
    pub(super) model: Option<Handler<Conversation, Result<ModelAnswer, ProtocolError>>>,
    pub(super) roots: Option<Arc<[Root]>>,
}

/// Why something that a server asked has no answer.
#[derive(Debug)]
pub(super) struct NoAnswer(pub(super) ProtocolError);

impl Handlers {
    /// What the client declares.
    pub(super) fn capabilities(&self) -> Map<String, Value> {
        let mut all = Map::new();
        let mut modes = Map::new();
        if self.form.is_some() {
            modes.insert("form".to_owned(), json!({}));
        }
        if self.page.is_some() {
            modes.insert("url".to_owned(), json!({}));
        }
        if !modes.is_empty() {
            all.insert("elicitation".to_owned(), modes.into());
        }
        if self.model.is_some() {
            all.insert("sampling".to_owned(), json!({}));
        }
        if self.roots.is_some() {
            all.insert("roots".to_owned(), json!({}));
        }
        all
    }

    /// The answer to a request of the server's.
    pub(super) async fn answer(&self, method: &str, params: Value) -> Result<Value, NoAnswer> {
        match method {
            "elicitation/create" if params["mode"] == "url" => {
                let Some(handler) = &self.page else { return Err(nobody(method)) };
                Ok(match handler(read(params)?).await {
                    Elicited::Accepted(()) => json!({ "action": "accept" }),
                    Elicited::Declined => json!({ "action": "decline" }),
                    Elicited::Cancelled => json!({ "action": "cancel" }),
                })
            }
            "elicitation/create" => {
                let Some(handler) = &self.form else { return Err(nobody(method)) };
                let form: Form = read(params)?;
                let schema = form.schema.clone();
                Ok(match handler(form).await {
                    Elicited::Accepted(content) => {
                        json!({ "action": "accept", "content": filled_in(&schema, content) })
                    }
                    Elicited::Declined => json!({ "action": "decline" }),
                    Elicited::Cancelled => json!({ "action": "cancel" }),
                })
            }
            "sampling/createMessage" => {
                let Some(handler) = &self.model else { return Err(nobody(method)) };
                let answer = handler(read(params)?).await.map_err(NoAnswer)?;
                serde_json::to_value(answer)
                    .map_err(|error| NoAnswer(ProtocolError::internal(error.to_string())))
            }
            "roots/list" => match &self.roots {
                Some(roots) => Ok(json!({ "roots": **roots })),
                None => Err(nobody(method)),
            },
            "ping" => Ok(json!({})),
            _ => Err(nobody(method)),
        }
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handlers").field(&self.capabilities()).finish()
    }
}

fn nobody(method: &str) -> NoAnswer {
    NoAnswer(ProtocolError::method_not_found(format!("this client does not answer `{method}`")))
}

fn read<T: serde::de::DeserializeOwned>(params: Value) -> Result<T, NoAnswer> {
    serde_json::from_value(params)
        .map_err(|error| NoAnswer(ProtocolError::invalid_params(format!("invalid params: {error}"))))
}

/// What was filled in, with the schema's defaults where nothing was.
fn filled_in(schema: &Value, content: Value) -> Value {
    let mut members = match content {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let (Some(default), false) = (property.get("default"), members.contains_key(name)) {
            members.insert(name.clone(), default.clone());
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_filled_in_is_the_default() {
        let schema = json!({ "properties": { "a": { "default": 1 }, "b": { "default": 2 }, "c": {} } });
        assert_eq!(filled_in(&schema, json!({ "b": 3 })), json!({ "b": 3, "a": 1 }));
        assert_eq!(filled_in(&json!({}), Value::Null), json!({}));
    }

    #[tokio::test]
    async fn only_what_has_a_handler_is_declared_and_answered() {
        let handlers = Handlers { roots: Some([].into()), ..Handlers::default() };
        assert_eq!(Value::Object(handlers.capabilities()), json!({ "roots": {} }));
        assert_eq!(handlers.answer("roots/list", json!({})).await.ok(), Some(json!({ "roots": [] })));
        let refused = handlers.answer("sampling/createMessage", json!({})).await;
        assert!(refused.is_err_and(|NoAnswer(error)| error.code() == -32601));
    }
}
