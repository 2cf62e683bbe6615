//! What a call of a tool gave.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::Error;

/// The result of a tool: content, structured content, and whether the tool failed.
#[derive(Clone, Debug, PartialEq)]
pub struct CallResult(Map<String, Value>);

impl CallResult {
    /// A result as it came.
    pub(super) fn read(result: Value) -> Result<Self, Error> {
        match result {
            Value::Object(members) if members.get("content").is_none_or(Value::is_array) => Ok(Self(members)),
            other => Err(Error::malformed(format_args!("a tool's result is {}", kind(&other)))),
        }
    }

    /// Whether the tool says that it failed (`isError`).
    pub fn is_error(&self) -> bool {
        self.0.get("isError").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The items of content, as the specification writes them.
    pub fn content(&self) -> &[Value] {
        self.0.get("content").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Everything that the result says in text, an item a line.
    pub fn text(&self) -> String {
        let texts = self.content().iter().filter(|item| item["type"] == "text");
        texts.filter_map(|item| item["text"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The structured content, if there is any.
    pub fn structured_content(&self) -> Option<&Value> {
        self.0.get("structuredContent")
    }

    /// The result as a type: the structured content, or else the text as JSON.
    ///
    /// Servers of legacy revisions put what is no object into one, as its only member `result`; it is taken out again.
    pub fn into_typed<T: DeserializeOwned>(self) -> Result<T, Error> {
        let Some(structured) = self.structured_content() else {
            let text = self.text();
            return match serde_json::from_str(&text) {
                Ok(value) => Ok(value),
                // A text stands for itself.
                Err(error) => {
                    serde_json::from_value(Value::String(text)).map_err(|_| Error::malformed(error))
                }
            };
        };
        T::deserialize(structured).or_else(|error| {
            let only = structured.as_object().filter(|members| members.len() == 1);
            let inner = only.and_then(|members| members.get("result"));
            inner.and_then(|inner| T::deserialize(inner).ok()).ok_or_else(|| Error::malformed(error))
        })
    }

    /// The result's `_meta`, if there is any.
    pub fn meta(&self) -> Option<&Map<String, Value>> {
        self.0.get("_meta").and_then(Value::as_object)
    }

    /// The whole result object.
    pub fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}

/// What a JSON value is, for an error.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object of another shape",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result(json: Value) -> CallResult {
        CallResult::read(json).expect("a result")
    }

    #[test]
    fn a_result_is_read_as_a_type_whichever_way_it_came() {
        let wrapped = json!({ "content": [], "structuredContent": { "result": [1, 2] } });
        assert_eq!(result(wrapped).into_typed::<Vec<u8>>().ok(), Some(vec![1, 2]));
        let plain = json!({ "content": [{ "type": "text", "text": "7" }] });
        assert_eq!(result(plain.clone()).into_typed::<u8>().ok(), Some(7));
        assert!(result(plain).into_typed::<Vec<u8>>().is_err());
        let text = json!({ "content": [{ "type": "text", "text": "Hello" }] });
        assert_eq!(result(text).into_typed::<String>().ok().as_deref(), Some("Hello"));
    }

    #[test]
    fn what_is_no_result_is_an_error() {
        assert!(CallResult::read(json!([])).is_err());
        assert!(CallResult::read(json!({ "content": "text" })).is_err());
    }
}
