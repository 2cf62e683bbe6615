//! Whether an answer fits its question: judged by what the question showed, and nothing stricter.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{InputMethod, InputRequest};
use crate::tool::validate::{Patterns, validate};

/// Says what is wrong with a result, if anything is.
pub(crate) fn check(request: &InputRequest, result: &RawValue) -> Result<(), String> {
    let result: Value = serde_json::from_str(result.get()).map_err(|error| error.to_string())?;
    let Some(members) = result.as_object() else { return Err("it is no object".to_owned()) };
    match request.method {
        InputMethod::Elicit => match members.get("action").and_then(Value::as_str) {
            Some("accept") => fits_form(request, members.get("content")),
            Some("decline" | "cancel") => Ok(()),
            Some(other) => Err(format!("`action` is \"{other}\", and not accept, decline or cancel")),
            None => Err("`action` is missing".to_owned()),
        },
        InputMethod::Sample => {
            for key in ["role", "model"] {
                if !members.get(key).is_some_and(Value::is_string) {
                    return Err(format!("`{key}` is missing"));
                }
            }
            match members.get("content") {
                Some(Value::Object(_) | Value::Array(_)) => Ok(()),
                _ => Err("`content` is missing".to_owned()),
            }
        }
        InputMethod::ListRoots => match members.get("roots") {
            Some(Value::Array(_)) => Ok(()),
            _ => Err("`roots` is missing".to_owned()),
        },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    requested_schema: Option<Value>,
}

fn fits_form(request: &InputRequest, content: Option<&Value>) -> Result<(), String> {
    let asked: Asked = serde_json::from_str(request.params.get()).map_err(|error| error.to_string())?;
    // A page that somebody was sent to gives nothing back.
    let Some(schema) = asked.requested_schema else { return Ok(()) };
    let Some(content) = content else { return Err("`content` is missing".to_owned()) };
    fits_schema(&schema, content, "content")
}

/// Says what is wrong with what was filled in, by the schema of its form. `path` is what the content itself is called.
pub(crate) fn fits_schema(schema: &Value, content: &Value, path: &str) -> Result<(), String> {
    let patterns = Patterns::compile(schema)?;
    match validate(schema, &patterns, schema, content, path).first() {
        None => Ok(()),
        Some(problem) => Err(problem.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form() -> InputRequest {
        let schema =
            json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
        let params = json!({"message": "Who?", "requestedSchema": schema}).to_string();
        InputRequest { method: InputMethod::Elicit, params: RawValue::from_string(params).expect("JSON") }
    }

    fn fits(request: &InputRequest, result: &Value) -> bool {
        check(request, &RawValue::from_string(result.to_string()).expect("JSON")).is_ok()
    }

    #[test]
    fn a_form_is_checked_by_the_schema_that_was_shown() {
        assert!(fits(&form(), &json!({"action": "accept", "content": {"name": "Ada", "more": 1}})));
        assert!(fits(&form(), &json!({"action": "decline"})));
        for wrong in [
            json!(12345),
            json!({}),
            json!({"action": "accept"}),
            json!({"action": "accept", "content": {"name": 5}}),
            json!({"action": "maybe"}),
        ] {
            assert!(!fits(&form(), &wrong), "{wrong}");
        }
    }

    #[test]
    fn a_model_answers_with_a_message_and_roots_are_a_list() {
        let params = RawValue::from_string("{}".to_owned()).expect("JSON");
        let sample = InputRequest { method: InputMethod::Sample, params: params.clone() };
        let message = json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "hi"}});
        assert!(fits(&sample, &message));
        assert!(!fits(&sample, &json!({"role": "assistant"})));
        let roots = InputRequest { method: InputMethod::ListRoots, params };
        assert!(fits(&roots, &json!({"roots": []})));
        assert!(!fits(&roots, &json!({"roots": {}})));
    }
}
