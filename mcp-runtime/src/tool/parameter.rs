//! One parameter of a tool: its name, its schema, its rules, and how its value is found.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;

use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use super::arguments::{self, Arguments, Fields, InvalidArguments};
use super::definition::ToolDefinition;
use crate::completion::{Complete, Completer};

/// A type that can be a tool's parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument",
    label = "derive `serde::Deserialize` and `schemars::JsonSchema` for it, and for the types within it"
)]
pub trait Parameter: DeserializeOwned + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> Parameter for T {}

/// What generated code asks of a parameter's type.
///
/// It has no supertraits: the compiler would tell of each that is missing, and of nothing that is to be done about it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument",
    label = "derive `serde::Deserialize` and `schemars::JsonSchema` for it, and for the types within it",
    note = "`Context` and `State<T>`, spelled so, are given by the server; everything else comes from the client"
)]
pub trait Argument: Sized {
    /// Declares a parameter of this type.
    fn spec(name: &'static str, description: &'static str) -> ParameterSpec;

    /// Takes an argument of this type.
    fn take<const N: usize>(fields: &mut Fields<'_, N>, index: usize) -> Option<Self>;

    /// Takes an argument of this type, or this value if the client gave none.
    fn take_or<const N: usize>(
        fields: &mut Fields<'_, N>,
        index: usize,
        default: fn() -> Self,
    ) -> Option<Self>;

    /// Declares this type as the whole arguments object.
    fn declare(definition: ToolDefinition) -> ToolDefinition;

    /// Takes the whole arguments object.
    fn whole(arguments: Arguments<'_>) -> Result<Args<Self>, InvalidArguments>;
}

#[diagnostic::do_not_recommend]
impl<T: Parameter> Argument for T {
    fn spec(name: &'static str, description: &'static str) -> ParameterSpec {
        ParameterSpec::new::<Self>(name, description)
    }

    fn take<const N: usize>(fields: &mut Fields<'_, N>, index: usize) -> Option<Self> {
        fields.take(index)
    }

    fn take_or<const N: usize>(
        fields: &mut Fields<'_, N>,
        index: usize,
        default: fn() -> Self,
    ) -> Option<Self> {
        fields.take_or(index, default)
    }

    fn declare(definition: ToolDefinition) -> ToolDefinition {
        definition.arguments::<Self>()
    }

    fn whole(arguments: Arguments<'_>) -> Result<Args<Self>, InvalidArguments> {
        arguments.whole().map(Args)
    }
}

/// Takes a struct as the whole arguments object.
///
/// ```
/// use mcp_runtime::prelude::*;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Addition {
///     /// The first term.
///     a: i64,
///     /// The second term.
///     b: i64,
/// }
///
/// /// Add two numbers.
/// #[tool]
/// async fn add(Args(sum): Args<Addition>) -> i64 {
///     sum.a + sum.b
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Args<T>(pub T);

/// A type whose values are numbers, so that `#[arg(range(..))]` means something.
#[diagnostic::on_unimplemented(
    message = "`range` needs a number, and `{Self}` is none",
    label = "not a number",
    note = "for text, lists and maps write `#[arg(length(..))]`"
)]
pub trait Numeric {
    /// The declaration as it is: what counts is that this can be called.
    #[must_use]
    fn range(spec: ParameterSpec) -> ParameterSpec {
        spec
    }
}

macro_rules! numeric {
    ($($type:ty)*) => { $(#[diagnostic::do_not_recommend] impl Numeric for $type {})* };
}

numeric!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64);
numeric!(NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroUsize);

#[diagnostic::do_not_recommend]
impl<T: Numeric> Numeric for Option<T> {}

/// A type whose values have a length, so that `#[arg(length(..))]` means something.
#[diagnostic::on_unimplemented(
    message = "`length` needs text, a list or a map, and `{Self}` is none",
    label = "has no length",
    note = "for numbers write `#[arg(range(..))]`"
)]
pub trait Countable {
    /// The declaration as it is: what counts is that this can be called.
    #[must_use]
    fn length(spec: ParameterSpec) -> ParameterSpec {
        spec
    }
}

macro_rules! countable {
    ($(<$($parameter:ident),*> $type:ty;)*) => {
        $(#[diagnostic::do_not_recommend] impl<$($parameter),*> Countable for $type {})*
    };
}

countable! {
    <> String;
    <> Box<str>;
    <> Arc<str>;
    <> Cow<'static, str>;
    <> PathBuf;
    <T> Vec<T>;
    <T> Box<[T]>;
    <T> Arc<[T]>;
    <T> VecDeque<T>;
    <T, S> HashSet<T, S>;
    <T> BTreeSet<T>;
    <K, V, S> HashMap<K, V, S>;
    <K, V> BTreeMap<K, V>;
    <> serde_json::Map<String, Value>;
}

#[diagnostic::do_not_recommend]
impl<T: Countable> Countable for Option<T> {}

/// A type of which the schema can show a default.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot have a default, because the schema could not show it",
    label = "derive `serde::Serialize` for it"
)]
pub trait Shown: Sized {
    /// Declares this default.
    fn default(spec: ParameterSpec, default: fn() -> Self) -> ParameterSpec;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Shown for T {
    fn default(spec: ParameterSpec, default: fn() -> Self) -> ParameterSpec {
        spec.default_of(&default())
    }
}

/// A type that a string literal can stand for.
#[diagnostic::on_unimplemented(
    message = "a string cannot be the default of a `{Self}`",
    label = "write a value of type `{Self}`"
)]
pub trait FromText {
    /// The value.
    fn from_text(text: &'static str) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: From<&'static str>> FromText for T {
    fn from_text(text: &'static str) -> Self {
        text.into()
    }
}

/// What is declared of one parameter.
#[derive(Debug)]
pub struct ParameterSpec {
    pub(crate) name: Cow<'static, str>,
    pub(crate) title: Option<Cow<'static, str>>,
    pub(crate) description: Cow<'static, str>,
    pub(crate) schema: fn(&mut SchemaGenerator) -> schemars::Schema,
    pub(crate) optional: bool,
    pub(crate) default: Option<Value>,
    pub(crate) minimum: Option<Number>,
    pub(crate) maximum: Option<Number>,
    pub(crate) exclusive_maximum: Option<Number>,
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) header: Option<&'static str>,
    pub(crate) completer: Option<Completer>,
}

impl ParameterSpec {
    /// A parameter of this type. It is optional if `T` can be made from nothing, as an `Option` can.
    pub fn new<T: Parameter>(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: description.into(),
            schema: |generator| generator.subschema_for::<T>(),
            optional: arguments::absent::<T>().is_some(),
            default: None,
            minimum: None,
            maximum: None,
            exclusive_maximum: None,
            min_length: None,
            max_length: None,
            header: None,
            completer: None,
        }
    }

    /// A name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The value that stands in when the client gives none, as the schema shows it.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.optional = true;
        self.default = Some(value.into());
        self
    }

    /// The same for a value that is only known by running it. A value that is not JSON is left out of the schema.
    #[must_use]
    pub fn default_of<T: Serialize>(self, value: &T) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => self.default(value),
            Err(_) => Self { optional: true, ..self },
        }
    }

    /// The smallest allowed number.
    #[must_use]
    pub fn minimum(mut self, bound: impl Into<Bound>) -> Self {
        self.minimum = bound.into().0;
        self
    }

    /// The largest allowed number.
    #[must_use]
    pub fn maximum(mut self, bound: impl Into<Bound>) -> Self {
        self.maximum = bound.into().0;
        self
    }

    /// The number that a value must stay below.
    #[must_use]
    pub fn below(mut self, bound: impl Into<Bound>) -> Self {
        self.exclusive_maximum = bound.into().0;
        self
    }

    /// The fewest characters, items or entries.
    #[must_use]
    pub fn min_length(mut self, length: u64) -> Self {
        self.min_length = Some(length);
        self
    }

    /// The most characters, items or entries.
    #[must_use]
    pub fn max_length(mut self, length: u64) -> Self {
        self.max_length = Some(length);
        self
    }

    /// The header (`Mcp-Param-…`) that repeats this argument over HTTP, as `x-mcp-header` in the schema (SEP-2243).
    #[must_use]
    pub fn header(mut self, name: &'static str) -> Self {
        self.header = Some(name);
        self
    }

    /// The function that suggests values while somebody types, for `completion/complete`: it takes a
    /// [`Completion`](crate::Completion), and a [`State`](crate::State) after it if it asks for one.
    ///
    /// For arguments of prompts and variables of resource templates; those of tools are not completed. Enums and
    /// booleans need none.
    #[must_use]
    pub fn complete<Way>(mut self, function: impl Complete<Way>) -> Self {
        self.completer = Some(Completer::new(function));
        self
    }
}

/// An end of a range.
#[derive(Debug)]
pub struct Bound(Option<Number>);

impl From<i64> for Bound {
    fn from(bound: i64) -> Self {
        Self(Some(bound.into()))
    }
}

impl From<u64> for Bound {
    fn from(bound: u64) -> Self {
        Self(Some(bound.into()))
    }
}

impl From<f64> for Bound {
    fn from(bound: f64) -> Self {
        Self(Number::from_f64(bound))
    }
}
