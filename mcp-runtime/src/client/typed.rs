//! Calls whose arguments and results are types: those of the function that is the tool.

use std::any::type_name;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Client;
use super::call::CallTool;
use super::error::Error;
use super::result::CallResult;
use super::task::TaskHandle;
use crate::content::Content;
use crate::tool::{Args, Job, Jobs, ToolResult, Worded};

impl Client {
    /// Calls a tool by the function that declares it, with the types of that function.
    ///
    /// `#[tool]` makes a type of the function's name, whose fields are the arguments. The program that calls depends on the
    /// crate that declares the tools, and the server may run anywhere:
    ///
    /// ```
    /// use mcp_runtime::client::{Client, Error};
    /// use mcp_runtime::prelude::*;
    ///
    /// #[derive(Serialize, Deserialize, JsonSchema)]
    /// pub struct Memory {
    ///     text: String,
    /// }
    ///
    /// /// Find memories.
    /// #[tool(task)]
    /// pub async fn recall(
    ///     /// What to look for.
    ///     query: String,
    ///     /// How many to find.
    ///     #[arg(default = 10)]
    ///     limit: u32,
    ///     cx: Context,
    /// ) -> Result<Vec<Memory>, ToolError> {
    ///     cx.message("looking");
    ///     let found = ["one", "two", "three"].iter().take(limit as usize);
    ///     Ok(found.map(|text| Memory { text: format!("{query} {text}") }).collect())
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let service = Server::new("memories", "1.0.0").tools(tools![recall]).build().unwrap();
    /// let client = Client::in_process(&service).connect().await?;
    ///
    /// // What has a default may be left out.
    /// let memories = client.call(recall { query: "a".into(), limit: None }).await?;
    /// assert_eq!(memories.len(), 3);
    ///
    /// // It is a call as any other.
    /// let call = client.call(recall { query: "a".into(), limit: Some(1) }).create_task(true);
    /// let mut task = call.send().await?;
    /// let id = task.id().to_owned();
    /// assert_eq!(task.result().await?[0].text, "a one");
    ///
    /// // Resumed by its id, the task is read as what it gives.
    /// let mut task = client.resume(&id).await?.of::<recall, _, _>();
    /// assert_eq!(task.result().await?.len(), 1);
    /// # Ok::<(), Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// Fields are as the function's parameters, without what the server gives (`State`, `Context`). Those with a default
    /// are an `Option` of it. The struct that is all arguments (`Args<T>`) is the field `args`. Their types are
    /// `Serialize`, and what the function returns, or what its job gives, is `Deserialize`. Methods have no such type;
    /// [`call_tool`](Self::call_tool) calls them.
    ///
    /// # Errors
    ///
    /// [`Error::ToolFailed`] if the tool says that it failed; [`Error::OtherResult`] if what it gave is not what the function
    /// returns; [`Error::Invalid`] if an argument cannot be written as JSON.
    pub fn call<C, A, O>(&self, call: C) -> CallTool<O::Value>
    where
        C: Callable<A, O>,
        A: Sendable,
        O: Answer,
    {
        let mut arguments = Map::new();
        let written = call.given().write(C::ARGUMENTS, &mut arguments);
        let arguments = written.map(|()| Value::Object(arguments)).map_err(Error::Invalid);
        self.calling(C::NAME.to_owned(), arguments, read::<O>)
    }
}

impl TaskHandle {
    /// The same task as one of this tool, whose result is read as what the tool's function returns. See [`Client::call`].
    pub fn of<C, A, O>(self) -> TaskHandle<O::Value>
    where
        C: Callable<A, O>,
        O: Answer,
    {
        self.read_by(read::<O>)
    }
}

/// What a tool's function returns, as a client reads it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a tool's result",
    label = "derive `serde::Deserialize` for it, and for the types within it",
    note = "a function whose type hides a `Result` behind another name has to spell it: `-> Result<Memory, Error>`"
)]
pub trait Answer {
    /// What the caller gets.
    type Value: Send + 'static;

    /// Reads a result that says nothing of a failure.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn read(result: &CallResult) -> Result<Self::Value, String>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + 'static> Answer for T {
    type Value = T;

    fn read(result: &CallResult) -> Result<T, String> {
        result.value().map_err(|error| error.to_string())
    }
}

/// Read as what is in it.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + 'static> Answer for Worded<T> {
    type Value = T;

    fn read(result: &CallResult) -> Result<T, String> {
        T::read(result)
    }
}

/// Read as what the job gives.
#[diagnostic::do_not_recommend]
impl<S: Jobs<Output: Answer>> Answer for Job<S> {
    type Value = <S::Output as Answer>::Value;

    fn read(result: &CallResult) -> Result<Self::Value, String> {
        S::Output::read(result)
    }
}

macro_rules! as_it_came {
    ($($type:ty)*) => {$(
        /// Left as it came.
        #[diagnostic::do_not_recommend]
        impl Answer for $type {
            type Value = CallResult;

            fn read(result: &CallResult) -> Result<CallResult, String> {
                Ok(result.clone())
            }
        }
    )*};
}

as_it_came!(ToolResult Content);

fn read<O: Answer>(result: CallResult) -> Result<O::Value, Error> {
    if result.is_error() {
        return Err(Error::ToolFailed(Box::new(result)));
    }
    O::read(&result).map_err(|reason| Error::OtherResult {
        expected: type_name::<O::Value>(),
        reason,
        result: Box::new(result),
    })
}

/// A name, in generated code.
pub type Name = &'static str;

/// Names of arguments, and whether `null` is not sent for them, in generated code.
pub type Names = &'static [(Name, bool)];

/// A call of a tool with its arguments, which `#[tool]` makes of the tool's type: `add { a: 1, b: 2 }`.
///
/// What is given and what the function gives are parameters of the trait, since the types may be more private than the tool.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a call of a tool",
    label = "write the name of a function that is a `#[tool]`, with its arguments: `add {{ a: 1, b: 2 }}`"
)]
pub trait Callable<Arguments, Output> {
    /// By what the tool is called.
    const NAME: Name;
    /// The arguments, unless one type is all of them.
    const ARGUMENTS: Names;

    /// The arguments as a list.
    fn given(self) -> Arguments;
}

/// Arguments that can be sent. There are no bounds on them where a tool is declared: its server reads them only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as an argument",
    label = "derive `serde::Serialize` for it, and for the types within it"
)]
pub trait Sendable {
    /// Adds them to the arguments object.
    ///
    /// # Errors
    ///
    /// Which argument cannot be written as JSON, and why.
    fn write(&self, names: Names, arguments: &mut Map<String, Value>) -> Result<(), String>;
}

impl Sendable for () {
    fn write(&self, _: Names, _: &mut Map<String, Value>) -> Result<(), String> {
        Ok(())
    }
}

impl<T: Serialize, Rest: Sendable> Sendable for (T, Rest) {
    fn write(&self, names: Names, arguments: &mut Map<String, Value>) -> Result<(), String> {
        // As many as there are values: both are of one declaration.
        let Some(((name, may_be_left_out), names)) = names.split_first() else { return Ok(()) };
        let value = serde_json::to_value(&self.0)
            .map_err(|error| format!("argument `{name}` cannot be sent: {error}"))?;
        if !(*may_be_left_out && value.is_null()) {
            arguments.insert((*name).to_owned(), value);
        }
        self.1.write(names, arguments)
    }
}

impl<T: Serialize> Sendable for Args<T> {
    fn write(&self, _: Names, arguments: &mut Map<String, Value>) -> Result<(), String> {
        match serde_json::to_value(&self.0) {
            Ok(Value::Object(members)) => arguments.extend(members),
            Ok(_) => return Err("the arguments of a tool are an object".to_owned()),
            Err(error) => return Err(format!("the arguments cannot be sent: {error}")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_may_be_none_is_left_out_and_other_nulls_are_sent() {
        let mut arguments = Map::new();
        let names: Names = &[("a", false), ("b", true), ("c", true), ("d", false)];
        let given = (1, (None::<u8>, (Some("x"), (Value::Null, ()))));
        given.write(names, &mut arguments).expect("it is JSON");
        assert_eq!(Value::Object(arguments), json!({ "a": 1, "c": "x", "d": null }));
    }

    #[test]
    fn what_is_no_json_is_told_by_the_name_of_the_argument() {
        let keys = std::collections::BTreeMap::from([(vec![1], 1)]);
        let refused = (keys, ()).write(&[("keys", false)], &mut Map::new());
        assert_eq!(refused.expect_err("no text"), "argument `keys` cannot be sent: key must be a string");
        let refused = Args(5).write(&[], &mut Map::new());
        assert_eq!(refused.expect_err("no object"), "the arguments of a tool are an object");
    }
}
