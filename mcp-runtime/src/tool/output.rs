//! What a tool's function gives back, and how it becomes a result. Which way a type takes is found by trait.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::job::AnyJobs;
use super::schema;
use crate::input::protocol_error;
use crate::protocol::ProtocolError;
use crate::protocol::content::Content;
use crate::protocol::payload::{self, Body, Ending, Payload, ToolBody};

/// A tool's result in full control: content, structured content, whether the tool failed, and `_meta`.
///
/// Most tools return a value and never name this type.
///
/// ```
/// use mcp_runtime::{Content, ToolResult};
///
/// let result = ToolResult::text("3 charts").with(Content::image(b"...", "image/png"));
/// assert!(!result.is_error());
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a result does nothing until the tool returns it"]
pub struct ToolResult {
    content: Vec<Content>,
    structured: Option<Box<RawValue>>,
    is_error: bool,
    meta: Map<String, Value>,
    /// The handle of the job that is to give the result.
    job: Option<Box<RawValue>>,
}

impl ToolResult {
    /// A result with no content.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A result that is one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Content::text(text)], ..Self::default() }
    }

    /// A result that says that the tool failed, in words that a model can act on (`isError`).
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }

    /// Structured content, with its JSON as text for clients that read only text.
    ///
    /// Fails if the value's `Serialize` does.
    pub fn structured<T: Serialize + ?Sized>(value: &T) -> Result<Self, ToolError> {
        let json = payload::encode(value).map_err(|error| {
            ToolError::message(format!("the result could not be written as JSON: {error}"))
        })?;
        Ok(Self { content: vec![Content::text(json.get())], structured: Some(json), ..Self::default() })
    }

    /// Adds an item of content.
    pub fn with(mut self, content: Content) -> Self {
        self.content.push(content);
        self
    }

    /// Puts other content beside the structured content, for example a text that a model reads more easily.
    pub fn with_content(mut self, content: impl IntoIterator<Item = Content>) -> Self {
        self.content = content.into_iter().collect();
        self
    }

    /// Adds an entry to the result's `_meta`.
    pub fn with_meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.insert(key.into(), value.into());
        self
    }

    /// Whether this result says that the tool failed.
    pub fn is_error(&self) -> bool {
        self.is_error
    }

    /// The items of content.
    pub fn content(&self) -> &[Content] {
        &self.content
    }

    pub(super) fn of_job(handle: Box<RawValue>) -> Self {
        Self { job: Some(handle), ..Self::default() }
    }

    /// The handle of the job that is to give the result, if this is only that.
    pub(crate) fn take_job(&mut self) -> Option<Box<RawValue>> {
        self.job.take()
    }

    /// Encodes the result once. `wraps` is whether the tool's schema is no object; see [`Payload`].
    pub(crate) fn into_payload(self, wraps: bool) -> Result<Payload, serde_json::Error> {
        let error_text = match self.content.first() {
            Some(Content::Text(text)) if self.is_error => Some(text.text.as_str().into()),
            _ => None,
        };
        let body = ToolBody {
            content: payload::encode(&self.content)?.into(),
            structured: self.structured.map(Into::into),
            wraps,
            is_error: self.is_error,
            error_text,
        };
        let meta = if self.meta.is_empty() { None } else { Some(payload::encode(&self.meta)?.into()) };
        Ok(Payload { body: Body::Tool(body), meta })
    }
}

/// A result in two ways: structured content for programs, and beside it the words of its `Display` for a model, which
/// reads a few lines more easily than JSON.
///
/// ```
/// use std::fmt;
///
/// use mcp_runtime::Worded;
/// use mcp_runtime::prelude::*;
///
/// #[derive(Serialize, JsonSchema)]
/// struct Weather {
///     /// In degrees Celsius.
///     temperature: f64,
/// }
///
/// impl fmt::Display for Weather {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(f, "It is {} °C.", self.temperature)
///     }
/// }
///
/// /// Tell the weather.
/// #[tool(read_only)]
/// async fn weather() -> Worded<Weather> {
///     Worded(Weather { temperature: 22.5 })
/// }
/// # let _ = tools![weather];
/// ```
///
/// A client that does not know structured content sees nothing but the words: they should say all that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worded<T>(pub T);

/// Why a call did not give its value: the tool failed (`isError`), or the request could not be served at all.
///
/// A tool may return any error that is `Display`; this type is for functions that need `?` on errors of several
/// types, or both kinds of failure. Every `std::error::Error` converts into it, and a [`ProtocolError`] stays one.
///
/// ```
/// use mcp_runtime::{ProtocolError, ToolError};
///
/// fn parse(text: &str) -> Result<u16, ToolError> {
///     if text.is_empty() {
///         return Err(ProtocolError::invalid_params("nothing to parse").into());
///     }
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(parse("x").unwrap_err().to_string(), "invalid digit found in string");
/// assert!(matches!(parse(""), Err(ToolError::Protocol(_))));
/// ```
#[derive(Clone, Debug)]
pub enum ToolError {
    /// The tool failed: a result with `isError`, which the model may read and mend.
    Result(Box<ToolResult>),
    /// The request could not be served: a JSON-RPC error.
    Protocol(ProtocolError),
}

impl ToolError {
    /// The tool failed, in words that a model can act on.
    pub fn message(message: impl fmt::Display) -> Self {
        Self::Result(Box::new(ToolResult::error(message.to_string())))
    }
}

impl<E: std::error::Error + 'static> From<E> for ToolError {
    fn from(error: E) -> Self {
        protocol_error(&error).map_or_else(|| Self::message(error), Self::Protocol)
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result(result) => match result.content.first() {
                Some(Content::Text(text)) => f.write_str(&text.text),
                _ => f.write_str("the tool failed"),
            },
            Self::Protocol(error) => error.fmt(f),
        }
    }
}

/// How a run ended, encoded for whoever asks.
pub(crate) fn ending(outcome: Result<ToolResult, ToolError>, wraps: bool) -> Ending {
    let mut result = match outcome {
        Ok(result) => result,
        Err(ToolError::Result(result)) => *result,
        Err(ToolError::Protocol(error)) => return Ending::Error(error),
    };
    if result.take_job().is_some() {
        let message =
            "the tool began a job, of which its definition says nothing: add `.job::<..>()` to that";
        return Ending::Error(ProtocolError::internal(message));
    }
    match result.into_payload(wraps) {
        Ok(payload) => Ending::Result(payload),
        Err(error) => {
            Ending::Error(ProtocolError::internal(format!("the result could not be encoded: {error}")))
        }
    }
}

/// What a tool says of its structured content, and of the job that is to give it, if it is one.
#[derive(Clone, Debug, Default)]
pub struct OutputSchema {
    pub(crate) schema: Option<Value>,
    pub(crate) jobs: Option<Arc<dyn AnyJobs>>,
}

impl OutputSchema {
    pub(super) fn new(schema: Option<Value>) -> Self {
        Self { schema, jobs: None }
    }
}

/// Stands for a type in generated code, which asks it what the type can do.
///
/// An inherent method wins over a trait's, and a trait on `Kind<T>` over one on `&Kind<T>`. So the same call, `way`,
/// finds the most specific way that the type allows; a type that allows none gets a way that no type can go, and
/// [`ToolOutput`] says what to return instead.
pub struct Kind<T>(PhantomData<fn() -> T>);

impl<T> Kind<T> {
    /// The stand-in for `T`.
    pub const NEW: Self = Self(PhantomData);
}

impl<T> Clone for Kind<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Kind<T> {}

impl<T> fmt::Debug for Kind<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }
}

impl<T, E> Kind<Result<T, E>> {
    /// The kind of the value.
    pub fn ok(self) -> Kind<T> {
        Kind::NEW
    }

    /// The result as it is.
    pub fn split(self, result: Result<T, E>) -> Result<T, E> {
        result
    }
}

/// A function that does not return a `Result`.
pub trait Unfailing<T>: Sized {
    /// The kind of the value.
    fn ok(self) -> Kind<T> {
        Kind::NEW
    }

    /// The value as a result.
    fn split(self, value: T) -> Result<T, Infallible> {
        Ok(value)
    }
}

impl<T> Unfailing<T> for Kind<T> {}

/// What a tool can return, and the way in which it becomes a result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a tool",
    label = "derive `serde::Serialize` and `schemars::JsonSchema` for it, and for the types within it",
    note = "a tool gives text, a number, `()`, `Content`, `ToolResult`, or a type that derives both; alone or in a `Result`"
)]
pub trait ToolOutput<Way>: Sized {
    /// The value as a result. The way comes first, so that the compiler does not guess it from the value.
    fn convert(way: Way, value: Self) -> Result<ToolResult, ToolError>;
}

/// The way of text and content, which have no schema.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

/// The way of a type that is JSON and can describe itself: structured content with an output schema.
#[derive(Clone, Copy, Debug)]
pub struct Structured;

/// The way of all other types, which leads nowhere.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

macro_rules! plain {
    ($($type:ty: $value:ident => $result:expr;)*) => {$(
        impl Kind<$type> {
            /// There is none.
            pub fn schema(self) -> OutputSchema {
                OutputSchema::new(None)
            }

            /// As it is.
            pub fn way(self) -> Plain {
                Plain
            }
        }

        #[diagnostic::do_not_recommend]
        impl ToolOutput<Plain> for $type {
            fn convert(_: Plain, $value: Self) -> Result<ToolResult, ToolError> {
                Ok($result)
            }
        }
    )*};
}

plain! {
    (): _nothing => ToolResult::empty();
    String: text => ToolResult::text(text);
    Content: content => ToolResult::empty().with(content);
    Vec<Content>: content => ToolResult::empty().with_content(content);
    ToolResult: result => result;
}

macro_rules! text {
    ($($type:ty)*) => { plain! { $($type: value => ToolResult::text(value.to_string());)* } };
}

text!(&'static str std::borrow::Cow<'static, str> std::sync::Arc<str> Box<str> char bool);
text!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64);

/// A type that is JSON and can describe itself.
pub trait Jsonable: Sized {
    /// The schema of the value.
    fn schema(self) -> OutputSchema;
    /// As structured content and as text.
    fn way(self) -> Structured {
        Structured
    }
}

impl<T: Serialize + JsonSchema> Jsonable for Kind<T> {
    fn schema(self) -> OutputSchema {
        OutputSchema::new(Some(schema::of_output::<T>()))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> ToolOutput<Structured> for T {
    fn convert(_: Structured, value: Self) -> Result<ToolResult, ToolError> {
        ToolResult::structured(&value)
    }
}

/// The way of a type that is JSON, can describe itself, and has words of its own.
#[derive(Clone, Copy, Debug)]
pub struct InWords;

impl<T: Serialize + JsonSchema + fmt::Display> Kind<Worded<T>> {
    /// The schema of the value.
    pub fn schema(self) -> OutputSchema {
        OutputSchema::new(Some(schema::of_output::<T>()))
    }

    /// As structured content and in words.
    pub fn way(self) -> InWords {
        InWords
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + fmt::Display> ToolOutput<InWords> for Worded<T> {
    fn convert(_: InWords, value: Self) -> Result<ToolResult, ToolError> {
        let words = Content::text(value.0.to_string());
        Ok(ToolResult::structured(&value.0)?.with_content([words]))
    }
}

/// A type that is none of the others.
pub trait NotAResult: Sized {
    /// There is none; the error is raised once, for the value.
    fn schema(self) -> OutputSchema {
        OutputSchema::new(None)
    }

    /// In no way.
    fn way(self) -> Nowhere {
        Nowhere
    }
}

impl<T> NotAResult for &Kind<T> {}

/// An error that can be told to a model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a tool",
    label = "implement `std::fmt::Display` for it",
    note = "a model reads the error, so it must be text; `ProtocolError` is for requests that cannot be served at all"
)]
pub trait ToolFailure {
    /// The error as a result with `isError`, with everything that its alternate form (`{:#}`) says; of the types of
    /// this crate, what they stand for.
    fn fail(self) -> Result<ToolResult, ToolError>;
}

#[diagnostic::do_not_recommend]
impl<E: fmt::Display + 'static> ToolFailure for E {
    fn fail(self) -> Result<ToolResult, ToolError> {
        let this: &dyn Any = &self;
        if let Some(error) = this.downcast_ref::<ToolError>() {
            return Err(error.clone());
        }
        if let Some(error) = protocol_error(this) {
            return Err(ToolError::Protocol(error));
        }
        // Error types with a chain of causes, such as `anyhow::Error`, print all of it in their alternate form.
        Err(ToolError::message(format_args!("{self:#}")))
    }
}

#[diagnostic::do_not_recommend]
impl ToolFailure for ToolResult {
    fn fail(self) -> Result<ToolResult, ToolError> {
        Err(ToolError::Result(Box::new(Self { is_error: true, ..self })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Weather {
        temperature: f64,
    }

    type Alias = Result<Weather, std::io::Error>;

    #[test]
    fn a_serializable_value_is_structured_through_any_alias() {
        let kind = Kind::<Alias>::NEW;
        assert!(kind.ok().schema().schema.is_some());
        let value = kind.split(Ok(Weather { temperature: 22.5 })).expect("it is Ok");
        let result = ToolOutput::convert(kind.ok().way(), value).expect("it is JSON");
        assert_eq!(result.structured.as_ref().map(|json| json.get()), Some(r#"{"temperature":22.5}"#));
        assert_eq!(result.content, [Content::text(r#"{"temperature":22.5}"#)]);
    }

    #[test]
    fn text_and_numbers_are_text_without_a_schema() {
        assert!(Kind::<String>::NEW.ok().schema().schema.is_none());
        let result = ToolOutput::convert(Kind::<i64>::NEW.ok().way(), 5).expect("a number");
        assert_eq!(
            (result.content.as_slice(), result.structured.is_none()),
            ([Content::text("5")].as_slice(), true)
        );
    }

    impl fmt::Display for Weather {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "It is {} °C.", self.temperature)
        }
    }

    #[test]
    fn a_value_with_words_is_structured_and_its_text_is_the_words() {
        let kind = Kind::<Result<Worded<Weather>, String>>::NEW;
        assert!(kind.ok().schema().schema.is_some());
        let value = kind.split(Ok(Worded(Weather { temperature: 22.5 }))).expect("it is Ok");
        let result = ToolOutput::convert(kind.ok().way(), value).expect("it is JSON");
        assert_eq!(result.structured.as_ref().map(|json| json.get()), Some(r#"{"temperature":22.5}"#));
        assert_eq!(result.content, [Content::text("It is 22.5 °C.")]);
    }

    #[test]
    fn any_displayable_error_is_a_tool_error_and_a_protocol_error_stays_one() {
        assert!(matches!(std::fmt::Error.fail(), Err(ToolError::Result(result)) if result.is_error()));
        assert!(matches!(ProtocolError::internal("no").fail(), Err(ToolError::Protocol(_))));
        let own = ToolError::Protocol(ProtocolError::internal("no"));
        assert!(matches!(own.fail(), Err(ToolError::Protocol(_))));
        assert!(matches!(ToolResult::text("no").fail(), Err(ToolError::Result(result)) if result.is_error()));
    }
}
