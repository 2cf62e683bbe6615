//! Whether what a person filled in fits the form, before the server says so.

use serde_json::Value;

use super::handlers::Form;
use crate::input::fits_schema;

impl Form {
    /// Says what is wrong with an answer, if anything is: the first field that does not fit, the rule, and the value.
    ///
    /// `format` is not looked at: whether a text is an address of mail is between the person and the server.
    ///
    /// ```
    /// # fn f(form: mcp_runtime::client::Form) {
    /// use serde_json::json;
    ///
    /// if let Err(wrong) = form.check(&json!({ "age": 200 })) {
    ///     println!("{wrong}"); // `age` must be at most 150, got 200
    /// }
    /// # }
    /// ```
    pub fn check(&self, content: &Value) -> Result<(), String> {
        fits_schema(&self.schema, content, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_does_not_fit_is_named() {
        let age = json!({ "type": "integer", "minimum": 0, "maximum": 150 });
        let schema = json!({ "type": "object", "properties": { "age": age }, "required": ["age"] });
        let form: Form = serde_json::from_value(json!({ "message": "How old?", "requestedSchema": schema }))
            .expect("a form");
        assert_eq!(form.check(&json!({ "age": 30 })), Ok(()));
        for (content, wrong) in [
            (json!({ "age": 200 }), "`age` must be at most 150, got 200"),
            (json!({ "age": "old" }), "`age` must be of type integer, got \"old\""),
            (json!({}), "`age` is required"),
        ] {
            assert_eq!(form.check(&content), Err(wrong.to_owned()));
        }
    }
}
