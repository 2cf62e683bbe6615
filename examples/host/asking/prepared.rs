//! Answers that were given on the command line.

use mcp_runtime::Elicited;
use mcp_runtime::client::Form;
use serde_json::{Map, Value};

use super::field::Field;
use crate::failure::Failure;
use crate::given;

/// What `--answers` says.
#[derive(Debug)]
pub(super) struct Prepared {
    fields: Map<String, Value>,
    /// Whether pages are agreed to.
    pub(super) url: bool,
    /// What is said in the place of a model.
    pub(super) sampling: Option<String>,
}

impl Prepared {
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::Usage(format!("--answers: {what}"));
        let Value::Object(mut fields) = given::json(text, "the answers")? else {
            return Err(wrong("answers are a JSON object"));
        };
        let url = match fields.remove("$url") {
            None => false,
            Some(Value::Bool(url)) => url,
            Some(_) => return Err(wrong("`$url` is true or false")),
        };
        let sampling = match fields.remove("$sampling") {
            None => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => return Err(wrong("`$sampling` is a text")),
        };
        Ok(Self { fields, url, sampling })
    }

    /// The form filled in; if it cannot be, it is declined, and why is said. What has a default may be left out.
    pub(super) fn fill_in(&self, form: &Form) -> (Elicited<Value>, Option<String>) {
        let mut content = Map::new();
        for field in Field::of(form) {
            match self.fields.get(&field.name) {
                Some(value) => {
                    if let Err(wrong) = field.check(value) {
                        return (Elicited::Declined, Some(format!("the answer does not fit: {wrong}")));
                    }
                    content.insert(field.name, value.clone());
                }
                None if field.is_required && field.default().is_none() => {
                    return (Elicited::Declined, Some(format!("there is no answer for `{}`", field.name)));
                }
                None => {}
            }
        }
        (Elicited::Accepted(content.into()), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_taken_by_their_names_and_must_fit() {
        let schema = json!({ "properties": {
            "name": { "type": "string" }, "age": { "type": "integer", "maximum": 150 },
            "sure": { "type": "boolean", "default": true },
        }, "required": ["name", "sure"] });
        let form =
            serde_json::from_value(json!({ "message": "?", "requestedSchema": schema })).expect("a form");
        let fill_in = |answers: &str| Prepared::read(answers).expect("answers").fill_in(&form);
        let (filled, _) = fill_in(r#"{ "name": "Ada", "other": 1, "$url": true }"#);
        assert_eq!(filled, Elicited::Accepted(json!({ "name": "Ada" })));
        let (declined, why) = fill_in(r#"{ "name": "Ada", "age": 200 }"#);
        assert_eq!(declined, Elicited::Declined);
        assert_eq!(why.as_deref(), Some("the answer does not fit: `age` must be at most 150, got 200"));
        assert_eq!(fill_in("{}").1.as_deref(), Some("there is no answer for `name`"));
    }

    #[test]
    fn what_are_no_answers_is_said() {
        for wrong in ["[]", "{", r#"{ "$url": 1 }"#, r#"{ "$sampling": {} }"#] {
            assert!(Prepared::read(wrong).is_err(), "{wrong}");
        }
    }
}
