//! JSON Schema 2020-12 as hosts accept it: subschemas in place, no Rust-only formats, enums as enums.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// A generator that writes subschemas where they are used. Only a recursive type keeps a `$ref`.
pub(crate) fn generator(for_output: bool) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let settings = if for_output { settings.for_serialize() } else { settings.for_deserialize() };
    settings.into_generator()
}

/// The schema of a result.
pub(super) fn of_output<T: JsonSchema>() -> Value {
    let mut generator = generator(true);
    let mut schema = generator.root_schema_for::<T>().to_value();
    tidy(&mut schema, false);
    without_title(&mut schema);
    schema
}

/// The name of a Rust type, which schemars gives as a title, says nothing to a client.
pub(super) fn without_title(schema: &mut Value) {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("title");
        schema.remove("$schema");
    }
}

/// Rewrites a schema as hosts accept it. What it allows stays the same, but for one thing: in an input, an optional
/// member does not show that it may also be `null`, which is taken as absent.
pub(crate) fn tidy(schema: &mut Value, is_input: bool) {
    let Value::Object(map) = schema else {
        if *schema == Value::Bool(true) {
            // `{}` says the same, and there are clients that take a schema for an object.
            *schema = json!({});
        }
        return;
    };
    integer_bounds(map);
    if map.get("format").and_then(Value::as_str).is_some_and(|format| matches!(format, "float" | "double")) {
        map.remove("format");
    }
    for key in ["properties", "patternProperties", "$defs", "dependentSchemas"] {
        if let Some(Value::Object(members)) = map.get_mut(key) {
            for member in members.values_mut() {
                tidy(member, is_input);
            }
        }
    }
    for key in ["items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames"] {
        match map.get_mut(key) {
            Some(inner @ Value::Object(_)) => tidy(inner, is_input),
            Some(inner) if key == "items" => tidy(inner, is_input),
            _ => {}
        }
    }
    for key in ["allOf", "anyOf", "oneOf", "prefixItems"] {
        if let Some(Value::Array(inner)) = map.get_mut(key) {
            for schema in inner {
                tidy(schema, is_input);
            }
        }
    }
    constants_as_enum(map);
    if is_input {
        let required: Vec<String> = map
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        if let Some(Value::Object(members)) = map.get_mut("properties") {
            for (_, member) in members.iter_mut().filter(|(name, _)| !required.contains(name)) {
                without_null(member);
            }
        }
    }
}

/// `uint8` and its kin are words of Rust: their bounds are said in numbers. 64 bits keep the common `int64`.
fn integer_bounds(map: &mut Map<String, Value>) {
    let (low, high): (Option<i64>, Option<i64>) = match map.get("format").and_then(Value::as_str) {
        Some("int8") => (Some(i8::MIN.into()), Some(i8::MAX.into())),
        Some("int16") => (Some(i16::MIN.into()), Some(i16::MAX.into())),
        Some("int32") => (Some(i32::MIN.into()), Some(i32::MAX.into())),
        Some("uint8") => (Some(0), Some(u8::MAX.into())),
        Some("uint16") => (Some(0), Some(u16::MAX.into())),
        Some("uint32") => (Some(0), Some(u32::MAX.into())),
        Some("uint" | "uint64" | "uint128") => (Some(0), None),
        Some("int" | "int128") => (None, None),
        _ => return,
    };
    map.remove("format");
    for (key, bound) in [("minimum", low), ("maximum", high)] {
        if let Some(bound) = bound {
            map.entry(key).or_insert_with(|| bound.into());
        }
    }
}

/// `oneOf` constants, as schemars writes a documented enum, become `enum`; the documentation moves to the description.
fn constants_as_enum(map: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = map.get("oneOf") else { return };
    let mut values = Vec::new();
    let mut lines = Vec::new();
    for variant in variants {
        let Some(variant) = variant.as_object() else { return };
        let plain =
            variant.keys().all(|key| matches!(key.as_str(), "const" | "enum" | "type" | "description"));
        if !plain {
            return;
        }
        match (variant.get("const"), variant.get("enum")) {
            (Some(value @ Value::String(text)), None) => {
                values.push(value.clone());
                if let Some(description) = variant.get("description").and_then(Value::as_str) {
                    lines.push(format!("{text}: {}", description.replace('\n', " ")));
                }
            }
            (None, Some(Value::Array(several))) if several.iter().all(Value::is_string) => {
                values.extend(several.iter().cloned());
            }
            _ => return,
        }
    }
    map.remove("oneOf");
    map.insert("type".to_owned(), "string".into());
    map.insert("enum".to_owned(), values.into());
    if !lines.is_empty() {
        let own =
            map.get("description").and_then(Value::as_str).map(|own| format!("{own}\n")).unwrap_or_default();
        map.insert("description".to_owned(), format!("{own}{}", lines.join("\n")).into());
    }
}

/// Takes `null` out of what a schema allows.
pub(super) fn without_null(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(choices)) = map.get_mut(key) else { continue };
        choices.retain(|choice| choice.get("type").and_then(Value::as_str) != Some("null"));
        if choices.len() == 1
            && let Some(Value::Object(only)) = choices.pop()
        {
            map.remove(key);
            for (name, value) in only {
                map.entry(name).or_insert(value);
            }
        }
    }
}

/// Whether a Rust type enforces all of this schema by itself, so that reading the value is check enough.
///
/// Sound only for schemas that schemars derives for the types of the language; anything else says no, and is checked.
pub(super) fn is_enforced_by_type(schema: &Value) -> bool {
    let Some(map) = schema.as_object() else { return false };
    let keys_are = |allowed: &[&str]| map.keys().all(|key| allowed.contains(&key.as_str()));
    match map.get("type").and_then(Value::as_str) {
        Some("string" | "boolean" | "number") => keys_are(&["type", "description", "default"]),
        Some("integer") => {
            keys_are(&["type", "description", "default", "format"])
                || keys_are(&["type", "description", "default", "minimum", "maximum"])
                    && bounds_of_a_type(map)
        }
        Some("array") => {
            keys_are(&["type", "description", "default", "items"])
                && map.get("items").is_some_and(is_enforced_by_type)
        }
        _ => false,
    }
}

fn bounds_of_a_type(map: &Map<String, Value>) -> bool {
    let bound = |key| map.get(key).and_then(Value::as_i64);
    matches!(
        (bound("minimum"), bound("maximum")),
        (Some(-128), Some(127))
            | (Some(-32_768), Some(32_767))
            | (Some(-2_147_483_648), Some(2_147_483_647))
            | (Some(0), Some(255 | 65_535 | 4_294_967_295) | None)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    fn input<T: JsonSchema>() -> Value {
        let mut schema = generator(false).root_schema_for::<T>().to_value();
        tidy(&mut schema, true);
        without_title(&mut schema);
        schema
    }

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        /// Words as they are.
        Exact,
        /// Words alike.
        Fuzzy,
    }

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Inner {
        mode: Option<Mode>,
        weight: Option<f32>,
        count: u16,
    }

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Outer {
        inner: Inner,
        more: Vec<Inner>,
    }

    #[test]
    fn subschemas_are_in_place_and_formats_of_rust_are_gone() {
        let text = input::<Outer>().to_string();
        assert!(!text.contains("$ref") && !text.contains("$defs"), "{text}");
        assert!(!text.contains("uint") && !text.contains("float") && !text.contains("null"), "{text}");
        assert!(text.contains(r#""maximum":65535"#), "{text}");
    }

    #[test]
    fn a_documented_enum_is_an_enum() {
        assert_eq!(
            input::<Mode>(),
            json!({
                "type": "string", "enum": ["exact", "fuzzy"],
                "description": "exact: Words as they are.\nfuzzy: Words alike."
            })
        );
    }

    #[test]
    fn an_output_may_still_be_null_where_the_type_may() {
        #[derive(serde::Serialize, JsonSchema)]
        struct Answer {
            note: Option<String>,
        }
        let _ = Answer { note: None }.note;
        assert_eq!(of_output::<Answer>()["properties"]["note"]["type"], json!(["string", "null"]));
    }

    #[test]
    fn only_schemas_of_plain_types_go_unchecked() {
        assert!(is_enforced_by_type(&input::<u32>()) && is_enforced_by_type(&input::<Vec<String>>()));
        assert!(is_enforced_by_type(&input::<i64>()) && is_enforced_by_type(&input::<f64>()));
        assert!(!is_enforced_by_type(&json!({"type": "integer", "minimum": 0, "maximum": 5})));
        assert!(!is_enforced_by_type(&json!({"type": "string", "pattern": "^a"})));
        assert!(!is_enforced_by_type(&json!({})));
    }
}
