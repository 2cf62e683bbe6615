//! A Rust type as the flat form that `elicitation/create` shows.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::tool::schema::{generator, tidy};

/// The formats that a text may have.
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// The `requestedSchema` of a type, or what about it is no form.
pub(super) fn of<T: JsonSchema>() -> Result<Value, String> {
    let schema = generator(false).root_schema_for::<T>().to_value();
    let Value::Object(mut schema) = schema else { return Err("it is no struct with fields".to_owned()) };
    let Some(Value::Object(fields)) = schema.remove("properties") else {
        return Err("it is no struct with fields".to_owned());
    };
    let required = schema.remove("required").unwrap_or_else(|| json!([]));
    let mut properties = Map::new();
    for (name, field) in fields {
        let is_required = required.as_array().is_some_and(|required| required.contains(&json!(name)));
        let field = self::field(field, is_required).map_err(|wrong| format!("the field `{name}` {wrong}"))?;
        properties.insert(name, Value::Object(field));
    }
    let mut form = Map::new();
    form.insert("type".to_owned(), json!("object"));
    form.insert("properties".to_owned(), Value::Object(properties));
    if required.as_array().is_some_and(|required| !required.is_empty()) {
        form.insert("required".to_owned(), required);
    }
    Ok(Value::Object(form))
}

/// A field: text, a number, a boolean, one of several choices, or some of them.
fn field(schema: Value, is_required: bool) -> Result<Map<String, Value>, String> {
    let Value::Object(mut schema) = schema else { return Err("may be anything".to_owned()) };
    if !is_required {
        without_null(&mut schema);
    }
    if schema.get("type") == Some(&json!("array")) {
        let items = schema.remove("items").unwrap_or_default();
        let mut items =
            choices(items, "anyOf").ok_or("is a list of something that is no enum without data")?;
        items.remove("description");
        items.remove("title");
        if items.contains_key("anyOf") {
            items.remove("type");
        }
        schema.insert("items".to_owned(), Value::Object(items));
        return Ok(schema);
    }
    if let Some(choices) = choices(Value::Object(schema.clone()), "oneOf") {
        return Ok(choices);
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string" | "boolean") => {
            schema.remove("pattern");
            let is_known = |format: &Value| FORMATS.iter().any(|known| format == known);
            if schema.get("format").is_some_and(|format| !is_known(format)) {
                schema.remove("format");
            }
            Ok(schema)
        }
        Some("number" | "integer") => {
            let mut value = Value::Object(schema);
            tidy(&mut value, false);
            let Value::Object(mut schema) = value else { return Err("may be anything".to_owned()) };
            schema.remove("format");
            Ok(schema)
        }
        _ => Err("is no text, number, boolean, enum without data, or list of such enums".to_owned()),
    }
}

/// An optional field may be left out; that it may also be `null` is nothing that a form can show.
fn without_null(schema: &mut Map<String, Value>) {
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(kinds)) = schema.get_mut(key) else { continue };
        kinds.retain(|kind| kind.get("type") != Some(&json!("null")));
        if let [Value::Object(one)] = kinds.as_slice() {
            let one = one.clone();
            schema.remove(key);
            for (key, value) in one {
                schema.entry(key).or_insert(value);
            }
        }
    }
}

/// A schema of choices: as an `enum` if none of them has a title, else as constants with theirs.
fn choices(schema: Value, titled: &str) -> Option<Map<String, Value>> {
    let Value::Object(mut schema) = schema else { return None };
    if schema.get("type") == Some(&json!("string")) && schema.contains_key("enum") {
        return Some(schema);
    }
    let Some(Value::Array(variants)) = schema.remove("oneOf") else { return None };
    let mut choices = Vec::new();
    for variant in &variants {
        let title = ["title", "description"].into_iter().find_map(|key| variant.get(key));
        match (variant.get("const"), variant.get("enum")) {
            (Some(Value::String(value)), None) => choices.push((value.clone(), title.cloned())),
            (None, Some(Value::Array(values))) => {
                for value in values {
                    choices.push((value.as_str()?.to_owned(), None));
                }
            }
            _ => return None,
        }
    }
    schema.insert("type".to_owned(), json!("string"));
    if choices.iter().all(|(_, title)| title.is_none()) {
        let values: Vec<String> = choices.into_iter().map(|(value, _)| value).collect();
        schema.insert("enum".to_owned(), json!(values));
    } else {
        let constants = choices.into_iter().map(|(value, title)| {
            let title = title.unwrap_or_else(|| json!(value));
            json!({ "const": value, "title": title })
        });
        schema.insert(titled.to_owned(), constants.collect());
    }
    Some(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Status {
        Active,
        Inactive,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Colour {
        /// Like blood.
        Red,
        #[schemars(title = "Grass")]
        Green,
        Blue,
    }

    fn active() -> Status {
        Status::Active
    }

    impl serde::Serialize for Status {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(if matches!(self, Self::Active) { "active" } else { "inactive" })
        }
    }

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Everything {
        /// Your name.
        name: String,
        age: Option<u8>,
        score: f64,
        #[serde(default = "active")]
        status: Status,
        colour: Colour,
        colours: Vec<Colour>,
        statuses: Vec<Status>,
        maybe: Option<Colour>,
        sure: bool,
    }

    #[test]
    fn a_struct_becomes_a_flat_form() {
        let form = of::<Everything>().expect("a form");
        let titled = json!([
            {"const": "blue", "title": "blue"},
            {"const": "red", "title": "Like blood."},
            {"const": "green", "title": "Grass"}
        ]);
        assert_eq!(
            form["properties"],
            json!({
                "name": {"type": "string", "description": "Your name."},
                "age": {"type": "integer", "minimum": 0, "maximum": 255},
                "score": {"type": "number"},
                "status": {"type": "string", "enum": ["active", "inactive"], "default": "active"},
                "colour": {"type": "string", "oneOf": titled},
                "colours": {"type": "array", "items": {"anyOf": titled}},
                "statuses": {"type": "array", "items": {"type": "string", "enum": ["active", "inactive"]}},
                "maybe": {"type": "string", "oneOf": titled},
                "sure": {"type": "boolean"}
            })
        );
        assert_eq!(form["required"], json!(["name", "score", "colour", "colours", "statuses", "sure"]));
    }

    #[test]
    fn a_text_has_only_the_formats_that_a_form_can_have() {
        #[derive(Deserialize, JsonSchema)]
        #[allow(dead_code)]
        struct Texts {
            #[schemars(email)]
            mail: String,
            #[schemars(extend("format" = "uuid"))]
            id: String,
            #[schemars(extend("format" = "date-time"))]
            at: Option<String>,
        }
        let form = of::<Texts>().expect("a form");
        let formats = ["mail", "id", "at"].map(|field| form["properties"][field]["format"].as_str());
        assert_eq!(formats, [Some("email"), None, Some("date-time")]);
    }

    #[test]
    fn what_is_not_flat_is_named() {
        #[derive(Deserialize, JsonSchema)]
        #[allow(dead_code)]
        struct Outer {
            inner: Everything,
        }
        assert!(of::<Outer>().is_err_and(|wrong| wrong.contains("`inner`")));
        assert!(of::<String>().is_err());
    }
}
