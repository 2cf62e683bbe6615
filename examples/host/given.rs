//! The arguments of a call, as somebody types them: JSON, `key=value`, a file, or standard input.

use std::fs;
use std::io::{self, Read as _};

use serde_json::{Map, Value};

use crate::failure::Failure;

/// What a tool is to be called with, once for each of these. `schema` is that of the tool's arguments, by which a word is
/// known to be a text or a number.
pub(crate) fn arguments(words: &[String], schema: &Value) -> Result<Vec<Value>, Failure> {
    let given = match words {
        [] => return Ok(vec![Value::Object(Map::new())]),
        [word] if word == "-" => {
            let mut text = String::new();
            io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Failure::File(format!("standard input cannot be read: {error}")))?;
            json(&text, "the arguments on standard input")?
        }
        [word] if word.starts_with('@') => {
            let file = &word[1..];
            let text = fs::read_to_string(file)
                .map_err(|error| Failure::File(format!("{file} cannot be read: {error}")))?;
            json(&text, &format!("the arguments in {file}"))?
        }
        [word] if !is_pair(word) => json(word, "the arguments")?,
        words => return pairs(words, schema).map(|arguments| vec![arguments]).map_err(Failure::Usage),
    };
    let calls = match given {
        Value::Array(calls) => calls,
        one => vec![one],
    };
    match calls.iter().find(|call| !call.is_object()) {
        Some(wrong) => Err(Failure::Usage(format!(
            "the arguments of a tool are a JSON object, as in {{\"name\": \"Ada\"}}, and not {wrong}"
        ))),
        None if calls.is_empty() => {
            Err(Failure::Usage("the list of arguments is empty: there is nothing to call".to_owned()))
        }
        None => Ok(calls),
    }
}

/// Reads JSON, or shows where it is none.
pub(crate) fn json(text: &str, what: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let place = text.lines().nth(error.line().saturating_sub(1)).map_or_else(String::new, |line| {
            // The column counts bytes, from 1 on.
            let before = line.char_indices().take_while(|(at, _)| at + 1 < error.column()).count();
            // A long line is shown around the place.
            let skipped = before.saturating_sub(60);
            let shown: String = line.chars().skip(skipped).take(76).collect();
            format!("\n  {shown}\n  {:>1$}", '^', before - skipped + 1)
        });
        let is_meant = text.trim_start().starts_with(['{', '[']);
        let hint = if is_meant { "" } else { "\nsay them as a JSON object, or as key=value" };
        Failure::Usage(format!("{what} are no JSON: {error}{place}{hint}"))
    })
}

/// Whether a word is `key=value`, and no JSON that happens to hold a `=`.
fn is_pair(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(key, _)| !key.is_empty() && !key.trim_start().starts_with(['{', '[', '"']))
}

fn pairs(words: &[String], schema: &Value) -> Result<Value, String> {
    let mut arguments = Map::new();
    for word in words {
        let Some((key, text)) = word.split_once('=').filter(|_| is_pair(word)) else {
            return Err(format!(
                "`{word}` is no key=value; JSON arguments are one word, in quotes for the shell"
            ));
        };
        let value = value(key, text, &schema["properties"][key])?;
        if arguments.insert(key.to_owned(), value).is_some() {
            return Err(format!("`{key}` is given twice"));
        }
    }
    Ok(Value::Object(arguments))
}

/// A value of the type that the schema wants; where it says nothing, JSON if it is some, and else a text.
fn value(key: &str, text: &str, schema: &Value) -> Result<Value, String> {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let parsed: Result<Value, _> = serde_json::from_str(text);
    match parsed {
        // What may be a text is one, unless it may also be what it looks like.
        Ok(value) if types.is_empty() || types.iter().any(|name| is(name, &value)) => match value {
            Value::String(_) if types.contains(&"string") => Ok(text.into()),
            value => Ok(value),
        },
        _ if types.is_empty() || types.contains(&"string") => Ok(text.into()),
        Ok(_) | Err(_) => Err(format!("`{key}` must be of type {}, got `{text}`", types.join(" or "))),
    }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(words: &[&str]) -> Result<Vec<Value>, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let schema = json!({ "properties": {
            "name": { "type": "string" }, "count": { "type": "integer" }, "sure": { "type": "boolean" },
            "tags": { "type": "array" }, "score": { "type": ["number", "null"] },
        } });
        arguments(&words, &schema).map_err(|error| error.to_string())
    }

    #[test]
    fn words_become_what_the_schema_wants() {
        let words =
            ["name=7", "count=7", "sure=true", "tags=[\"a\"]", "score=0.5", "other=x=y", "more={\"a\":1}"];
        assert_eq!(
            given(&words),
            Ok(vec![json!({
                "name": "7", "count": 7, "sure": true, "tags": ["a"], "score": 0.5, "other": "x=y", "more": {"a": 1}
            })])
        );
        assert_eq!(given(&["name=\"quoted\""]), Ok(vec![json!({ "name": "\"quoted\"" })]));
        assert_eq!(given(&["score=null"]), Ok(vec![json!({ "score": null })]));
        assert_eq!(given(&["count=many"]), Err("`count` must be of type integer, got `many`".to_owned()));
        assert_eq!(given(&["count=1", "count=2"]), Err("`count` is given twice".to_owned()));
        assert!(given(&["name=a", "b"]).is_err_and(|wrong| wrong.starts_with("`b` is no key=value")));
    }

    #[test]
    fn json_is_taken_as_it_is_and_a_list_is_several_calls() {
        assert_eq!(given(&[]), Ok(vec![json!({})]));
        assert_eq!(given(&["{\"name\": \"a=b\"}"]), Ok(vec![json!({ "name": "a=b" })]));
        assert_eq!(given(&["[{}, {\"count\": 1}]"]), Ok(vec![json!({}), json!({ "count": 1 })]));
        assert!(given(&["[]"]).is_err() && given(&["[1]"]).is_err() && given(&["7"]).is_err());
    }

    #[test]
    fn where_json_goes_wrong_is_shown() {
        let wrong = given(&["{\"größe\": 1 \"b\": 2}"]).expect_err("it is no JSON");
        let lines: Vec<&str> = wrong.lines().collect();
        assert_eq!(lines[1], "  {\"größe\": 1 \"b\": 2}");
        assert_eq!(lines[1].chars().nth(lines[2].chars().count() - 1), Some('"'), "{wrong}");
        assert!(given(&["hello"]).is_err_and(|wrong| wrong.ends_with("or as key=value")));
        assert!(given(&["@/nowhere/at/all"]).is_err_and(|wrong| wrong.contains("/nowhere/at/all")));
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let long = format!("{{\"a\": \"{}\" 7}}", "x".repeat(500));
        let wrong = given(&[&long]).expect_err("it is no JSON");
        assert!(wrong.lines().all(|line| line.chars().count() < 90), "{wrong}");
    }
}
