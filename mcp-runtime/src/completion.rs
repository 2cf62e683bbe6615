//! Suggestions while somebody types an argument of a prompt or of a resource template (`completion/complete`).

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;

use serde::Serialize;

use crate::failure::Failure;
use crate::protocol::ProtocolError;
use crate::tool::{ParameterSpec, Shared, State, StateKey, States};

/// What somebody has typed so far: what a completing function sees.
///
/// The function may be `async` or not, may ask for one [`State`] after this, and returns its suggestions, best first:
///
/// ```
/// use mcp_runtime::Completion;
///
/// fn languages(typed: Completion) -> Vec<String> {
///     typed.among(["Python", "PyPy", "Rust"])
/// }
///
/// assert_eq!(languages(Completion::of("py")), ["Python", "PyPy"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    value: String,
    arguments: BTreeMap<String, String>,
}

impl Completion {
    /// So much was typed. For tests that call a completing function themselves.
    pub fn of(value: impl Into<String>) -> Self {
        Self { value: value.into(), arguments: BTreeMap::new() }
    }

    /// Another argument has this value already.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.arguments.insert(name.into(), value.into());
        self
    }

    /// What was typed so far; it may be empty.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The value that another argument has already.
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).map(String::as_str)
    }

    /// Those of these values that begin with what was typed, whether in capitals or not.
    pub fn among<I>(&self, values: I) -> Vec<String>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let typed = self.value.to_lowercase();
        values.into_iter().map(Into::into).filter(|value| value.to_lowercase().starts_with(&typed)).collect()
    }
}

/// Suggestions, best first. The protocol takes 100 of them; of more, the first 100 are sent and the rest is counted.
///
/// A completing function may return this, a `Vec` or an array of strings, or a `Result` of any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "suggestions do nothing until they are returned"]
pub struct Completions {
    values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    has_more: bool,
}

impl Completions {
    /// The protocol's bound.
    const MOST: usize = 100;

    /// These are all that there are.
    pub fn new<I>(values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut values: Vec<String> = values.into_iter().map(Into::into).collect();
        let total = values.len();
        values.truncate(Self::MOST);
        Self { has_more: total > values.len(), values, total: Some(total as u64) }
    }

    /// These are some of so many.
    pub fn total(mut self, total: u64) -> Self {
        self.has_more = total > self.values.len() as u64;
        self.total = Some(total);
        self
    }

    /// There are more; nobody knows how many.
    pub fn and_more(mut self) -> Self {
        self.has_more = true;
        self.total = None;
        self
    }

    /// The suggestions.
    pub fn values(&self) -> &[String] {
        &self.values
    }
}

/// What a completing function can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be suggestions",
    label = "return a `Vec` or an array of strings, or `Completions`",
    note = "alone or in a `Result` whose error is `Display`"
)]
pub trait CompletionOutput {
    /// As suggestions.
    fn convert(self) -> Result<Completions, ProtocolError>;
}

impl CompletionOutput for Completions {
    fn convert(self) -> Result<Completions, ProtocolError> {
        Ok(self)
    }
}

impl<T: Into<String>> CompletionOutput for Vec<T> {
    fn convert(self) -> Result<Completions, ProtocolError> {
        Ok(Completions::new(self))
    }
}

impl<T: Into<String>, const N: usize> CompletionOutput for [T; N] {
    fn convert(self) -> Result<Completions, ProtocolError> {
        Ok(Completions::new(self))
    }
}

impl<T: CompletionOutput, E: Failure> CompletionOutput for Result<T, E> {
    fn convert(self) -> Result<Completions, ProtocolError> {
        self.map_err(Failure::fail)?.convert()
    }
}

/// What a completing function comes to.
pub type CompletionFuture = Pin<Box<dyn Future<Output = Result<Completions, ProtocolError>> + Send>>;

/// A function that completes. The way is found by what the function takes and gives.
#[diagnostic::on_unimplemented(
    message = "this cannot complete an argument",
    label = "not a function from `Completion` to suggestions",
    note = "write `fn(Completion) -> Vec<String>`; it may be `async`, and may take a `State<T>` after the `Completion`"
)]
pub trait Complete<Way>: Send + Sync + 'static {
    /// The state that it asks for.
    fn states() -> Vec<StateKey>;

    /// What it suggests.
    fn complete(&self, typed: Completion, states: &States) -> CompletionFuture;

    /// Declares that it completes this parameter.
    #[must_use]
    fn of_parameter(self, parameter: ParameterSpec) -> ParameterSpec
    where
        Self: Sized,
    {
        parameter.complete(self)
    }
}

/// The way of a function that answers at once.
#[derive(Debug)]
pub struct AtOnce;
/// The way of an `async` function.
#[derive(Debug)]
pub struct Awaited;
/// The way of a function that answers at once and asks for state.
#[derive(Debug)]
pub struct AtOnceWith<T>(std::marker::PhantomData<T>);
/// The way of an `async` function that asks for state.
#[derive(Debug)]
pub struct AwaitedWith<T>(std::marker::PhantomData<T>);

#[diagnostic::do_not_recommend]
impl<F, O> Complete<AtOnce> for F
where
    F: Fn(Completion) -> O + Send + Sync + 'static,
    O: CompletionOutput,
{
    fn states() -> Vec<StateKey> {
        Vec::new()
    }

    fn complete(&self, typed: Completion, _: &States) -> CompletionFuture {
        let suggested = self(typed).convert();
        Box::pin(std::future::ready(suggested))
    }
}

#[diagnostic::do_not_recommend]
impl<F, R> Complete<Awaited> for F
where
    F: Fn(Completion) -> R + Send + Sync + 'static,
    R: Future + Send + 'static,
    R::Output: CompletionOutput,
{
    fn states() -> Vec<StateKey> {
        Vec::new()
    }

    fn complete(&self, typed: Completion, _: &States) -> CompletionFuture {
        let suggesting = self(typed);
        Box::pin(async move { suggesting.await.convert() })
    }
}

#[diagnostic::do_not_recommend]
impl<F, T, O> Complete<AtOnceWith<T>> for F
where
    F: Fn(Completion, State<T>) -> O + Send + Sync + 'static,
    T: Shared + 'static,
    O: CompletionOutput,
{
    fn states() -> Vec<StateKey> {
        vec![StateKey::of::<T>()]
    }

    fn complete(&self, typed: Completion, states: &States) -> CompletionFuture {
        let suggested = self(typed, T::find(states)).convert();
        Box::pin(std::future::ready(suggested))
    }
}

#[diagnostic::do_not_recommend]
impl<F, T, R> Complete<AwaitedWith<T>> for F
where
    F: Fn(Completion, State<T>) -> R + Send + Sync + 'static,
    T: Shared + 'static,
    R: Future + Send + 'static,
    R::Output: CompletionOutput,
{
    fn states() -> Vec<StateKey> {
        vec![StateKey::of::<T>()]
    }

    fn complete(&self, typed: Completion, states: &States) -> CompletionFuture {
        let suggesting = self(typed, T::find(states));
        Box::pin(async move { suggesting.await.convert() })
    }
}

type Run = dyn Fn(Completion, &States) -> CompletionFuture + Send + Sync;

/// A completing function, of whichever way.
pub(crate) struct Completer {
    run: Box<Run>,
    pub(crate) states: Vec<StateKey>,
}

impl Completer {
    pub(crate) fn new<Way, F: Complete<Way>>(function: F) -> Self {
        Self { run: Box::new(move |typed, states| function.complete(typed, states)), states: F::states() }
    }

    pub(crate) fn complete(&self, typed: Completion, states: &States) -> CompletionFuture {
        (self.run)(typed, states)
    }
}

impl fmt::Debug for Completer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Completer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Words(Vec<&'static str>);

    fn at_once(typed: Completion) -> Vec<String> {
        typed.among(["one", "two"])
    }

    async fn awaited(typed: Completion) -> Result<Completions, std::fmt::Error> {
        Ok(Completions::new([typed.argument("before").unwrap_or("none")]).and_more())
    }

    async fn with_state(typed: Completion, words: State<Words>) -> Vec<String> {
        typed.among(words.0.iter().copied())
    }

    async fn suggested(completer: Completer) -> Vec<String> {
        let mut states = States::default();
        states.insert(Words(vec!["tree", "branch"]));
        let typed = Completion::of("T").with("before", "b");
        completer.complete(typed, &states).await.expect("suggestions").values
    }

    #[tokio::test]
    async fn functions_of_every_kind_complete() {
        assert_eq!(suggested(Completer::new(at_once)).await, ["two"]);
        assert_eq!(suggested(Completer::new(awaited)).await, ["b"]);
        assert_eq!(suggested(Completer::new(with_state)).await, ["tree"]);
        assert_eq!(
            suggested(Completer::new(|_: Completion, words: State<Words>| words.0.clone())).await.len(),
            2
        );
        assert_eq!(Completer::new(with_state).states.len(), 1);
    }

    #[test]
    fn no_more_than_a_hundred_values_are_sent_and_the_rest_is_counted() {
        let completions = Completions::new((0..250).map(|number| number.to_string()));
        assert_eq!(
            (completions.values.len(), completions.total, completions.has_more),
            (100, Some(250), true)
        );
        let few = serde_json::to_value(Completions::new(["a"])).expect("JSON");
        assert_eq!(few, serde_json::json!({ "values": ["a"], "total": 1, "hasMore": false }));
    }
}
