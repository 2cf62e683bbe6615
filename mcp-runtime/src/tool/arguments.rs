//! The arguments of one call: found by name, checked against the schema, taken as types.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::definition::Input;
use super::validate::{self, MOST_PROBLEMS, Problem};
use crate::protocol::jsonrpc::without_position;
use crate::protocol::params::Str;

/// The arguments object of a call, as it came from the client.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    raw: Option<&'a RawValue>,
    input: &'a Input,
    of: Of,
}

/// Whose arguments they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// JSON of any type.
    Tool,
    /// Text, in which numbers and other values are written.
    Prompt,
    /// The variables of a URI template, which are text as well.
    Resource,
}

impl Of {
    fn noun(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
        }
    }
}

/// Arguments that break what was declared of them: each is named, with the rule and the value.
///
/// Of a tool it is told to the client as a tool error (`isError`), so that a model can mend its call (SEP-1303); of a
/// prompt or a resource it is error -32602.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidArguments(Vec<Problem>);

impl InvalidArguments {
    /// One thing that is wrong. `argument` is a name or a path such as `tags[2]`; empty for the object itself.
    pub fn new(argument: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![Problem { path: argument.into(), message: message.into() }])
    }
}

impl fmt::Display for InvalidArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "Invalid arguments: {one}"),
            several => {
                f.write_str("Invalid arguments:")?;
                several.iter().take(MOST_PROBLEMS).try_for_each(|problem| write!(f, "\n- {problem}"))?;
                if several.len() >= MOST_PROBLEMS { f.write_str("\n(there may be more)") } else { Ok(()) }
            }
        }
    }
}

impl std::error::Error for InvalidArguments {}

impl<'a> Arguments<'a> {
    pub(crate) fn new(of: Of, raw: Option<&'a RawValue>, input: &'a Input) -> Self {
        Self { raw, input, of }
    }

    /// The JSON text, `{}` if the client sent none.
    pub fn json(&self) -> &'a str {
        self.raw.map_or("{}", RawValue::get)
    }

    /// Finds the named arguments, in one pass.
    pub fn fields<const N: usize>(self, names: &'static [&'static str; N]) -> Fields<'a, N> {
        let mut fields =
            Fields { names, raw: [None; N], input: self.input, of: self.of, problems: Vec::new() };
        let mut reader = serde_json::Deserializer::from_str(self.json());
        if let Err(error) = reader.deserialize_map(Find(&mut fields)) {
            let found = serde_json::from_str::<Value>(self.json()).unwrap_or_default();
            let message = if found.is_object() {
                without_position(&error)
            } else {
                format!("the arguments must be an object, got {}", validate::shown(&found))
            };
            fields.problems = vec![Problem { path: String::new(), message }];
        }
        fields
    }

    /// Takes the whole object as one type, for [`Args`](crate::Args).
    pub fn whole<T: DeserializeOwned>(self) -> Result<T, InvalidArguments> {
        let mut problems = Vec::new();
        let schema = self.input.whole();
        take(self.json(), schema, self.input, true, "", &mut problems).ok_or(InvalidArguments(problems))
    }
}

/// The arguments of a call, found by name. Errors are collected, so that all of them are told at once.
#[derive(Debug)]
pub struct Fields<'a, const N: usize> {
    names: &'static [&'static str; N],
    raw: [Option<&'a RawValue>; N],
    input: &'a Input,
    of: Of,
    problems: Vec<Problem>,
}

impl<'a, const N: usize> Fields<'a, N> {
    /// Takes one argument; `None` if something is wrong with it, which is then noted.
    pub fn take<T: DeserializeOwned>(&mut self, index: usize) -> Option<T> {
        let given: Option<&'a RawValue> = *self.raw.get(index)?;
        match given {
            Some(raw) if self.is_blank(index, raw) => absent().or_else(|| self.read(index, raw)),
            Some(raw) => self.read(index, raw),
            None => absent().or_else(|| {
                let path = self.names[index].to_owned();
                self.problems.push(Problem { path, message: "is required".to_owned() });
                None
            }),
        }
    }

    /// Takes one argument, or this value if the client gave none.
    pub fn take_or<T: DeserializeOwned>(&mut self, index: usize, default: impl FnOnce() -> T) -> Option<T> {
        let given: Option<&'a RawValue> = *self.raw.get(index)?;
        match given {
            Some(raw) if !self.is_blank(index, raw) => self.read(index, raw),
            _ => Some(default()),
        }
    }

    fn read<T: DeserializeOwned>(&mut self, index: usize, raw: &RawValue) -> Option<T> {
        let schema = self.input.parameter(index);
        let checked = self.input.checks(index);
        let json = if self.of == Of::Tool { raw.get().into() } else { meant(raw.get(), schema) };
        take(&json, schema, self.input, checked, self.names[index], &mut self.problems)
    }

    /// Whether a value stands for none: `null`, and where text is written for something else, no text.
    fn is_blank(&self, index: usize, raw: &RawValue) -> bool {
        let is_no_text = self.of != Of::Tool && raw.get() == r#""""#;
        raw.get() == "null" || is_no_text && !takes_text(self.input.parameter(index))
    }

    /// Whether nothing was wrong.
    pub fn are_right(&self) -> bool {
        self.problems.is_empty()
    }

    /// Ends with an error if anything was wrong.
    pub fn finish(&mut self) -> Result<(), InvalidArguments> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.refuse()) }
    }

    /// Everything that was wrong.
    pub fn refuse(&mut self) -> InvalidArguments {
        InvalidArguments(std::mem::take(&mut self.problems))
    }
}

/// Reads one value. The schema is consulted beforehand only where it says more than the type enforces by itself, and
/// afterwards only to say exactly what was wrong.
fn take<T: DeserializeOwned>(
    json: &str,
    schema: &Value,
    input: &Input,
    checked: bool,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let error = if checked {
        None
    } else {
        match serde_json::from_str(json) {
            Ok(value) => return Some(value),
            Err(error) => Some(error),
        }
    };
    let mut refuse = |error: &serde_json::Error| {
        problems.push(Problem { path: name.to_owned(), message: without_position(error) });
        None
    };
    let mut value: Value = match serde_json::from_str(json) {
        Ok(value) => value,
        Err(error) => return refuse(&error),
    };
    let found = input.validate(schema, &value, name);
    if !found.is_empty() {
        problems.extend(found);
        return None;
    }
    if error.is_none()
        && let Ok(value) = T::deserialize(&value)
    {
        return Some(value);
    }
    // JSON Schema counts 1.0 as an integer; the types of Rust do not.
    validate::integral(&mut value);
    match serde_json::from_value(value) {
        Ok(value) => Some(value),
        Err(error) => refuse(&error),
    }
}

struct Find<'f, 'a, const N: usize>(&'f mut Fields<'a, N>);

impl<'de: 'a, 'a, const N: usize> Visitor<'de> for Find<'_, 'a, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of arguments")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let fields = self.0;
        while let Some(key) = map.next_key::<Str<'de>>()? {
            let value = map.next_value::<&'de RawValue>()?;
            let Some(index) = fields.names.iter().position(|name| *name == &*key) else {
                if fields.problems.len() < MOST_PROBLEMS {
                    fields.problems.push(unknown(&key, fields.names, fields.of.noun()));
                }
                continue;
            };
            if fields.raw[index].replace(value).is_some() {
                let path = key.to_string();
                fields.problems.push(Problem { path, message: "is given more than once".to_owned() });
            }
        }
        Ok(())
    }
}

/// What is meant by an argument that is written as text: itself where text is wanted, and otherwise what it says.
fn meant<'j>(json: &'j str, schema: &Value) -> Cow<'j, str> {
    if takes_text(schema) {
        return json.into();
    }
    match serde_json::from_str::<String>(json) {
        Ok(text) if serde_json::from_str::<IgnoredAny>(&text).is_ok() => text.into(),
        _ => json.into(),
    }
}

/// Whether text can be what a schema asks for.
fn takes_text(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == "string",
        Some(Value::Array(names)) => names.iter().any(|name| name == "string"),
        _ => match schema.get("anyOf").or_else(|| schema.get("oneOf")) {
            Some(Value::Array(choices)) => choices.iter().any(takes_text),
            _ => true,
        },
    }
}

fn unknown(key: &str, names: &[&str], noun: &str) -> Problem {
    let near = names
        .iter()
        .map(|name| (strsim::osa_distance(key, name), name))
        .filter(|(distance, name)| *distance <= name.len() / 3)
        .min();
    let message = match (near, names) {
        (Some((_, name)), _) => format!("is not an argument of this {noun}; did you mean `{name}`?"),
        (None, []) => format!("is not an argument of this {noun}, which takes none"),
        (None, names) => format!("is not an argument of this {noun}, which takes `{}`", names.join("`, `")),
    };
    Problem { path: key.to_owned(), message }
}

/// What a type makes of a value that is not there: `Some(None)` for an `Option`, nothing for most.
pub(crate) fn absent<T: DeserializeOwned>() -> Option<T> {
    struct Absent<E>(PhantomData<E>);
    impl<'de, E: de::Error> Deserializer<'de> for Absent<E> {
        type Error = E;
        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
            Err(E::custom("absent"))
        }
        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
            visitor.visit_none()
        }
        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }
    T::deserialize(Absent::<de::value::Error>(PhantomData)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::ParameterSpec;

    fn read<T: crate::tool::Parameter>(json: &str) -> Result<T, String> {
        let mut errors = Vec::new();
        let input = Input::of_parameters(vec![ParameterSpec::new::<T>("a", "")], &mut errors);
        assert_eq!(errors, Vec::<String>::new());
        let raw = serde_json::value::to_raw_value(&serde_json::json!({ "a": json })).expect("JSON");
        let mut fields = Arguments::new(Of::Prompt, Some(&raw), &input).fields(&["a"]);
        fields.take(0).ok_or_else(|| fields.refuse().to_string())
    }

    #[test]
    fn text_is_read_as_what_the_type_asks_for() {
        assert_eq!(read::<String>("5"), Ok("5".to_owned()), "text stays text");
        assert_eq!(read::<u8>("5"), Ok(5));
        assert_eq!(read::<bool>("true"), Ok(true));
        assert_eq!(read::<Option<f64>>("1.5"), Ok(Some(1.5)));
        assert_eq!(read::<Option<f64>>(""), Ok(None), "an empty field of a form");
        assert_eq!(read::<Option<String>>(""), Ok(Some(String::new())));
        assert_eq!(read::<Vec<u8>>("[1, 2]"), Ok(vec![1, 2]));
    }

    #[test]
    fn what_text_cannot_be_read_as_is_told() {
        assert!(read::<u8>("300").is_err_and(|error| error.contains("300")));
        assert!(read::<u8>("many").is_err_and(|error| error.contains("`a`")));
        assert!(read::<u8>("").is_err());
    }
}
