//! The arguments that a client repeats in headers (`x-mcp-header`, SEP-2243).

use serde_json::Value;

/// The keyword of a property's schema that names its header.
const KEYWORD: &str = "x-mcp-header";

/// An argument that a client repeats in a header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mirrored {
    /// The whole name of the header, in lower case.
    pub(crate) header: Box<str>,
    /// The properties that lead to the argument, from the arguments object on.
    pub(crate) path: Box<[Box<str>]>,
}

/// Finds the arguments of an input schema that are repeated in headers. Clients drop a tool that has any of them wrong,
/// so that is an error here.
pub(crate) fn mirrored(schema: &Value, errors: &mut Vec<String>) -> Box<[Mirrored]> {
    let mut found = Vec::new();
    walk(schema, Some(&mut Vec::new()), &mut found, errors);
    let mut names: Vec<&str> = found.iter().map(|mirrored| &*mirrored.header).collect();
    names.sort_unstable();
    let twice = names.iter().zip(names.iter().skip(1)).find(|(name, next)| name == next);
    if let Some((name, _)) = twice {
        errors.push(format!("two of its arguments are repeated in the header `{name}`"));
    }
    found.into()
}

/// `path` is where the schema is, if nothing but `properties` leads to it.
fn walk(
    schema: &Value,
    mut path: Option<&mut Vec<Box<str>>>,
    found: &mut Vec<Mirrored>,
    errors: &mut Vec<String>,
) {
    match schema {
        Value::Array(schemas) => schemas.iter().for_each(|schema| walk(schema, None, found, errors)),
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("default" | "const" | "enum" | "examples", _) => {}
                    (KEYWORD, name) => match path.as_deref() {
                        Some(path) if !path.is_empty() => match header(schema, name) {
                            Ok(header) => {
                                found.push(Mirrored { header, path: path.as_slice().into() });
                            }
                            Err(wrong) => errors.push(format!("`{}`: {wrong}", path.join("."))),
                        },
                        _ => errors.push(format!(
                            "its schema has `{KEYWORD}` where it may not be: only properties that are reached through \
                             `properties` alone can be headers"
                        )),
                    },
                    ("properties", Value::Object(properties)) => {
                        for (name, property) in properties {
                            match path.as_deref_mut() {
                                Some(path) => {
                                    path.push(name.as_str().into());
                                    walk(property, Some(path), found, errors);
                                    path.pop();
                                }
                                None => walk(property, None, found, errors),
                            }
                        }
                    }
                    (_, value) => walk(value, None, found, errors),
                }
            }
        }
        _ => {}
    }
}

/// The header of a property with this schema.
fn header(schema: &Value, name: &Value) -> Result<Box<str>, String> {
    if !matches!(schema.get("type").and_then(Value::as_str), Some("string" | "integer" | "boolean")) {
        return Err("only text, integers and booleans can be headers".to_owned());
    }
    let is_token = |name: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        !name.is_empty() && name.bytes().all(is_allowed)
    };
    match name.as_str() {
        Some(name) if is_token(name) => Ok(format!("mcp-param-{}", name.to_ascii_lowercase()).into()),
        _ => Err(format!("{name} cannot be a part of a header's name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(properties: Value) -> (Vec<(String, String)>, Vec<String>) {
        let mut errors = Vec::new();
        let schema = json!({ "type": "object", "properties": properties });
        let found = mirrored(&schema, &mut errors);
        let shown = |mirrored: &Mirrored| (mirrored.header.to_string(), mirrored.path.join("."));
        (found.iter().map(shown).collect(), errors)
    }

    #[test]
    fn arguments_and_members_of_arguments_can_be_headers() {
        let (found, errors) = found(json!({
            "region": { "type": "string", "x-mcp-header": "Region" },
            "who": { "type": "object", "properties": { "id": { "type": "integer", "x-mcp-header": "Who-Id" } } },
            "x-mcp-header": { "type": "string" },
            "plain": { "type": "string", "default": { "x-mcp-header": "no schema" } }
        }));
        assert_eq!(errors, Vec::<String>::new());
        let expected = [("mcp-param-region", "region"), ("mcp-param-who-id", "who.id")];
        assert_eq!(found, expected.map(|(header, path)| (header.to_owned(), path.to_owned())));
    }

    #[test]
    fn what_clients_would_drop_the_tool_for_is_an_error() {
        let text = |header: &str| json!({ "type": "string", "x-mcp-header": header });
        for wrong in [
            json!({ "a": text("") }),
            json!({ "a": text("two words") }),
            json!({ "a": text("colon:") }),
            json!({ "a": text("Grüße") }),
            json!({ "a": { "type": "number", "x-mcp-header": "A" } }),
            json!({ "a": { "type": "object", "x-mcp-header": "A" } }),
            json!({ "a": { "type": "string", "x-mcp-header": 7 } }),
            json!({ "a": text("Same"), "b": text("sAME") }),
            json!({ "a": { "type": "array", "items": text("A") } }),
            json!({ "a": { "anyOf": [{ "properties": { "b": text("B") } }] } }),
        ] {
            assert_eq!(found(wrong.clone()).1.len(), 1, "{wrong}");
        }
    }
}
