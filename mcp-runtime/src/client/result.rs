//! What a call of a tool gave.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::Error;

/// The result of a tool: content, structured content, and whether the tool failed.
#[derive(Clone, Debug, PartialEq)]
pub struct CallResult(Map<String, Value>);

/// How a result is read as what a caller wants to have.
pub(super) type Read<T> = fn(CallResult) -> Result<T, Error>;

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
        from_structured(structured).map_err(Error::malformed)
    }

    /// The result of a function of which it is known that it returns this type: without structured content it is a text that
    /// stands for itself, a number and the like written as text, or nothing.
    pub(super) fn value<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        if let Some(structured) = self.structured_content() {
            return from_structured(structured);
        }
        if self.content().is_empty() {
            return T::deserialize(Value::Null);
        }
        let text = self.text();
        // A text may look like JSON, and no number is a text.
        T::deserialize(Value::from(text.as_str())).or_else(|_| serde_json::from_str(&text))
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

/// What structured content is, out of the object into which servers of legacy revisions put what is none.
fn from_structured<T: DeserializeOwned>(structured: &Value) -> Result<T, serde_json::Error> {
    T::deserialize(structured).or_else(|error| {
        let only = structured.as_object().filter(|members| members.len() == 1);
        let inner = only.and_then(|members| members.get("result"));
        inner.and_then(|inner| T::deserialize(inner).ok()).ok_or(error)
    })
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
    fn what_a_function_returns_is_read_without_guessing() {
        let text = |text: &str| result(json!({ "content": [{ "type": "text", "text": text }] }));
        assert_eq!(text("\"quoted\"").value::<String>().ok().as_deref(), Some("\"quoted\""));
        assert_eq!(
            (text("7").value::<String>().ok().as_deref(), text("7").value::<i64>().ok()),
            (Some("7"), Some(7))
        );
        assert_eq!(
            (text("7").value::<char>().ok(), text("true").value::<bool>().ok()),
            (Some('7'), Some(true))
        );
        assert!(text("seven").value::<u8>().is_err());
        assert!(result(json!({ "content": [] })).value::<()>().is_ok());
        let nothing = json!({ "content": [], "structuredContent": { "result": null } });
        assert_eq!(result(nothing).value::<Option<u8>>().ok(), Some(None));
    }

    #[test]
    fn what_is_no_result_is_an_error() {
        assert!(CallResult::read(json!([])).is_err());
        assert!(CallResult::read(json!({ "content": "text" })).is_err());
    }
}
