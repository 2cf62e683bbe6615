//! The arguments of one call: found by name, checked against the schema, taken as types.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, Visitor};
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
}

/// Arguments that break the tool's input schema: each is named, with the rule and the value.
///
/// It is told to the client as a tool error (`isError`), so that a model can mend its call (SEP-1303).
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
    pub(crate) fn new(raw: Option<&'a RawValue>, input: &'a Input) -> Self {
        Self { raw, input }
    }

    /// The JSON text, `{}` if the client sent none.
    pub fn json(&self) -> &'a str {
        self.raw.map_or("{}", RawValue::get)
    }

    /// Finds the named arguments, in one pass.
    pub fn fields<const N: usize>(self, names: &'static [&'static str; N]) -> Fields<'a, N> {
        let mut fields = Fields { names, raw: [None; N], input: self.input, problems: Vec::new() };
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
    problems: Vec<Problem>,
}

impl<'a, const N: usize> Fields<'a, N> {
    /// Takes one argument; `None` if something is wrong with it, which is then noted.
    pub fn take<T: DeserializeOwned>(&mut self, index: usize) -> Option<T> {
        let given: Option<&'a RawValue> = *self.raw.get(index)?;
        match given {
            Some(raw) if raw.get() == "null" => absent().or_else(|| self.read(index, raw)),
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
            Some(raw) if raw.get() != "null" => self.read(index, raw),
            _ => Some(default()),
        }
    }

    fn read<T: DeserializeOwned>(&mut self, index: usize, raw: &RawValue) -> Option<T> {
        let schema = self.input.parameter(index);
        let checked = self.input.checks(index);
        take(raw.get(), schema, self.input, checked, self.names[index], &mut self.problems)
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
                    fields.problems.push(unknown(&key, fields.names));
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

fn unknown(key: &str, names: &[&str]) -> Problem {
    let near = names
        .iter()
        .map(|name| (strsim::osa_distance(key, name), name))
        .filter(|(distance, name)| *distance <= name.len() / 3)
        .min();
    let message = match (near, names) {
        (Some((_, name)), _) => format!("is not an argument of this tool; did you mean `{name}`?"),
        (None, []) => "is not an argument of this tool, which takes none".to_owned(),
        (None, names) => format!("is not an argument of this tool, which takes `{}`", names.join("`, `")),
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
