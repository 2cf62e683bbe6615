//! What the headers of an HTTP request say of its body, and whether that is so (SEP-2243).

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::protocol::ProtocolError;
use crate::protocol::params::{Params, Str};
use crate::tool::Mirrored;

/// The headers of a request, as far as they repeat its body.
pub(crate) trait Headers {
    /// What one of them says.
    fn get(&self, field: Field<'_>) -> Said<'_>;

    /// Whether a request about a task must name it in a header, as the specification has it. Widely used clients do not.
    fn must_name_tasks(&self) -> bool;
}

/// A header that repeats something of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Version,
    Method,
    Name,
    /// An argument, by the whole name of its header in lower case.
    Param(&'a str),
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    Nothing,
    Once(&'a [u8]),
    /// It is there several times, so that two readers could take it for two things.
    Repeatedly,
}

impl Field<'_> {
    /// The header's name, as the specification writes it.
    fn name(&self) -> &str {
        match self {
            Self::Version => "MCP-Protocol-Version",
            Self::Method => "Mcp-Method",
            Self::Name => "Mcp-Name",
            Self::Param(name) => name,
        }
    }
}

/// Checks that a header says this, as it is.
pub(crate) fn check_plain(headers: &dyn Headers, field: Field<'_>, body: &str) -> Result<(), ProtocolError> {
    match said(headers, field)? {
        Some(value) if value == body.as_bytes() => Ok(()),
        Some(value) => Err(differs(field, value, body)),
        None => Err(missing(field, body)),
    }
}

/// Checks `Mcp-Name`, for the methods that have it. What the body does not name is for the method to miss.
pub(crate) fn check_name(
    headers: &dyn Headers,
    method: &str,
    params: &Params<'_>,
) -> Result<(), ProtocolError> {
    let (name, is_required) = match method {
        "tools/call" | "prompts/get" => (&params.name, true),
        "resources/read" => (&params.uri, true),
        "tasks/get" | "tasks/update" | "tasks/cancel" => (&params.task_id, headers.must_name_tasks()),
        _ => return Ok(()),
    };
    let Some(name) = name else { return Ok(()) };
    match said(headers, Field::Name)? {
        Some(value) if decode(Field::Name, value)? == name.as_bytes() => Ok(()),
        Some(value) => Err(differs(Field::Name, value, name)),
        None if is_required => Err(missing(Field::Name, name)),
        None => Ok(()),
    }
}

/// Checks the headers that repeat arguments.
pub(crate) fn check_arguments(
    headers: &dyn Headers,
    mirrored: &[Mirrored],
    arguments: Option<&RawValue>,
) -> Result<(), ProtocolError> {
    mirrored.iter().try_for_each(|mirrored| {
        let field = Field::Param(&mirrored.header);
        let value = arguments.and_then(|arguments| find(arguments, &mirrored.path));
        let value = value.map(RawValue::get).filter(|value| *value != "null");
        match (said(headers, field)?, value) {
            (None, None) => Ok(()),
            (None, Some(value)) => Err(missing(field, value)),
            (Some(said), None) => Err(differs(field, said, "null")),
            (Some(said), Some(value)) => {
                let decoded = decode(field, said)?;
                if is_same(&decoded, value) { Ok(()) } else { Err(differs(field, said, value)) }
            }
        }
    })
}

/// What a header says, without the blanks around it.
fn said<'a>(headers: &'a dyn Headers, field: Field<'_>) -> Result<Option<&'a [u8]>, ProtocolError> {
    match headers.get(field) {
        Said::Nothing => Ok(None),
        Said::Once(value) => Ok(Some(value.trim_ascii())),
        Said::Repeatedly => Err(mismatch(format!("the header {} is there more than once", field.name()))),
    }
}

/// What a header's value stands for.
fn decode<'a>(field: Field<'_>, value: &'a [u8]) -> Result<Cow<'a, [u8]>, ProtocolError> {
    if value.iter().any(|byte| !matches!(byte, b'\t' | b' '..=b'~')) {
        return Err(mismatch(format!(
            "the header {} has characters that a header cannot have",
            field.name()
        )));
    }
    let encoded = value.strip_prefix(b"=?base64?").and_then(|rest| rest.strip_suffix(b"?="));
    let Some(encoded) = encoded else { return Ok(Cow::Borrowed(value)) };
    match BASE64_STANDARD.decode(encoded) {
        Ok(decoded) => Ok(Cow::Owned(decoded)),
        Err(error) => Err(mismatch(format!("the header {} is not valid Base64: {error}", field.name()))),
    }
}

/// A text as a header can have it.
#[cfg(feature = "client")]
pub(crate) fn encode(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && text.trim_ascii() == text
        && !(text.starts_with("=?base64?") && text.ends_with("?="));
    if is_plain { text.to_owned() } else { format!("=?base64?{}?=", BASE64_STANDARD.encode(text)) }
}

/// Whether a header stands for this JSON value.
fn is_same(said: &[u8], json: &str) -> bool {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Str<'_>>(json).is_ok_and(|text| text.as_bytes() == said),
        Some(b't' | b'f') => json.as_bytes() == said,
        Some(b'-' | b'0'..=b'9') => std::str::from_utf8(said).is_ok_and(|said| is_same_number(said, json)),
        // No value of a type that can be a header: what is wrong with it is told of the argument, not of the header.
        _ => true,
    }
}

/// Numbers are the same as numbers: `42.0` is `42`, however many digits there are.
fn is_same_number(said: &str, json: &str) -> bool {
    said == json || Decimal::read(said).is_some_and(|said| Decimal::read(json) == Some(said))
}

/// A number as JSON writes it, which another spelling of it equals.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    /// Without zeros before and behind.
    digits: String,
    /// The place of the last digit.
    exponent: i64,
}

impl Decimal {
    fn read(text: &str) -> Option<Self> {
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
            && text.ends_with(|last: char| last.is_ascii_digit())
            && serde_json::from_str::<IgnoredAny>(text).is_ok();
        if !is_number {
            return None;
        }
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = [whole, fraction].concat();
        let digits = digits.trim_start_matches('0');
        let significant = digits.trim_end_matches('0');
        if significant.is_empty() {
            return Some(Self { is_negative: false, digits: String::new(), exponent: 0 });
        }
        let shift = i64::try_from(digits.len() - significant.len()).ok()?;
        let shift = shift.checked_sub_unsigned(u64::try_from(fraction.len()).ok()?)?;
        let exponent = exponent.checked_add(shift)?;
        Some(Self { is_negative, digits: significant.to_owned(), exponent })
    }
}

/// The value at a path of an object.
fn find<'a>(object: &'a RawValue, path: &[Box<str>]) -> Option<&'a RawValue> {
    path.iter().try_fold(object, |object, name| member(object.get(), name))
}

/// A member of an object; of several with one name the last, which is the one that a tool takes.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a RawValue> {
    struct Member<'n>(&'n str);
    impl<'de> Visitor<'de> for Member<'_> {
        type Value = Option<&'de RawValue>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(key) = map.next_key::<Str<'de>>()? {
                if &*key == self.0 {
                    found = Some(map.next_value::<&'de RawValue>()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }
    serde_json::Deserializer::from_str(object).deserialize_map(Member(name)).ok().flatten()
}

fn missing(field: Field<'_>, body: &str) -> ProtocolError {
    mismatch(format!("the header {} is missing; the body says {}", field.name(), shortened(body)))
}

fn differs(field: Field<'_>, said: &[u8], body: &str) -> ProtocolError {
    let said = String::from_utf8_lossy(said);
    let (said, body) = (shortened(&said), shortened(body));
    mismatch(format!("the header {} says {said}, and the body says {body}", field.name()))
}

fn mismatch(message: String) -> ProtocolError {
    ProtocolError::new(ProtocolError::HEADER_MISMATCH, format!("Header mismatch: {message}"))
}

/// A value as an error repeats it.
fn shortened(value: &str) -> String {
    const LONGEST: usize = 64;
    match value.char_indices().nth(LONGEST) {
        None => format!("`{value}`"),
        Some((end, _)) => format!("`{}…`", &value[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_in_every_spelling_and_no_other_one_is() {
        for (said, json) in [
            ("42", "42.0"),
            ("42.0", "42"),
            ("4.2e1", "42"),
            ("420E-1", "42"),
            ("-0", "0"),
            ("0.0", "0e7"),
            ("-7", "-7.00"),
            ("9007199254740993", "9007199254740993"),
            ("100000000000000000000000", "1e23"),
        ] {
            assert!(is_same_number(said, json), "{said} {json}");
        }
        for (said, json) in [
            ("43", "42"),
            ("-42", "42"),
            ("+42", "42"),
            ("042", "42"),
            ("0x2a", "42"),
            ("", "42"),
            ("42 ", "42"),
            ("NaN", "42"),
            ("\"42\"", "42"),
            // The same as floating point numbers.
            ("9007199254740992", "9007199254740993"),
            ("9007199254740993.0", "9007199254740992"),
            ("9223372036854775808", "9223372036854775809"),
            ("1e400", "2e400"),
            ("1e99999999999999999999", "1e99999999999999999998"),
        ] {
            assert!(!is_same_number(said, json), "{said} {json}");
        }
    }
}
