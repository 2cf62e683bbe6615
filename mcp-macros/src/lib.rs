//! The attributes of `mcp-runtime`, which exports them: depend on that crate, and not on
//! this one.

mod attr;
mod diagnostics;
mod doc;
mod expand;
mod kind;
mod model;
mod signature;

use proc_macro::TokenStream;

use crate::kind::Kind;

/// Declares a tool: a function that a model may call.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// Add two numbers.
/// #[tool]
/// async fn add(
///     /// The first term.
///     a: i64,
///     /// The second term.
///     b: i64,
/// ) -> i64 {
///     a + b
/// }
///
/// let server = Server::new("calculator", "1.0.0").tools(tools![add]);
/// # let _ = server;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(add(1, 2).await, 3); // The function stays a function.
/// # });
/// ```
///
/// The doc comments are what a model reads: of the function, what the tool does; of each parameter, what to give.
/// Beside the function there is now a type of the same name, which implements `Tool`; `tools![add, memory::recall]`
/// names it by its path. It is as visible as the function. A module of the same name cannot stand beside it.
///
/// What is written after the attribute's name is in [Words](#words), what a function may take in
/// [Parameters](#parameters), what it may give in [Results](#results); impl blocks are in [Methods](#methods).
///
/// # Words
///
/// | word | meaning |
/// | --- | --- |
/// | `name = "memory.find"` | the tool's name, if it is not to be the function's: 1 to 128 letters, digits, `_`, `-` and `.` |
/// | `title = "Find"` | a name for people |
/// | `description = ".."` | the description, if it is not to be the doc comment; also a constant, or `include_str!("find.md")` |
/// | `read_only` | it changes nothing |
/// | `destructive` | what it changes may be lost |
/// | `idempotent` | calling it again with the same arguments does no more |
/// | `open_world` | it deals with things outside of the server, such as the web |
/// | `icon = "https://.."` | a picture, from an `https:` or `data:` address; may be repeated |
/// | `icon(src = "..", mime_type = "image/png", sizes = ["48x48", "96x96"])` | the same in full; `sizes = "any"` for one that scales |
/// | `task` | a task where the client can take one, an ordinary call where it cannot |
/// | `task = "required"` | only as a task |
/// | `task = "optional"` | the same as `task` |
/// | `task(ttl = "1h", poll = "1s", concurrency = 8, required)` | a task, and how: see [Tasks](#tasks) |
/// | `timeout = "30s"` | how long a run may take, as a task or not |
/// | `blocking` | the function is a plain `fn` that blocks its thread, and runs on one where that harms nobody |
///
/// `read_only`, `destructive`, `idempotent` and `open_world` may also say `= false`. If they are left out, a client
/// assumes what the protocol says: that the tool changes things, perhaps for worse, each time that it is called, and
/// outside.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// Fetch a page.
/// #[tool(title = "Fetch", read_only, open_world, timeout = "30s", icon = "https://example.org/fetch.png")]
/// async fn fetch(
///     /// Its address.
///     url: String,
/// ) -> String {
///     format!("<p>{url}</p>")
/// }
///
/// /// Count the primes up to a number.
/// #[tool(blocking, task)]
/// fn count_primes(
///     /// The number.
///     to: u64,
/// ) -> usize {
///     (2..=to).filter(|n| (2..*n).all(|d| n % d != 0)).count()
/// }
/// # let _ = tools![fetch, count_primes];
/// ```
///
/// ## Tasks
///
/// Within `task(..)`, times are written as `"500ms"`, `"30s"`, `"5min"` or `"1h 30min"`; what is left out is as the
/// server says for all tools.
///
/// | word | meaning |
/// | --- | --- |
/// | `required`, `optional` | as in `task = ".."` |
/// | `ttl = "1h"` | how long a task is kept once it is over |
/// | `poll = "1s"` | how often a client should ask |
/// | `concurrency = 8` | how many tasks of this tool run at once; others wait their turn |
/// | `timeout = "5min"` | the same as `timeout` beside `task(..)` |
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// Count up to a number, one step at a time.
/// #[tool(task(ttl = "1h", concurrency = 8), timeout = "5min", read_only)]
/// async fn count(
///     /// How far.
///     to: u64,
///     cx: Context,
/// ) -> u64 {
///     for step in 1..=to {
///         cx.progress(step, to, format!("counted to {step}"));
///         tokio::task::yield_now().await;
///     }
///     to
/// }
/// # let _ = tools![count];
/// ```
///
/// # Parameters
///
/// What a parameter is for is told by its type, by the last part of its path:
///
/// | type | given |
/// | --- | --- |
/// | `Context` | the call: progress, cancellation, which task it is |
/// | `State<T>` | the `T` that the server was given by `Server::state` |
/// | `Args<T>` | the whole arguments object, as one `T`; then nothing else is an argument |
/// | any other | the argument of the parameter's name; the type derives `Deserialize` and `JsonSchema` |
///
/// Arguments are owned: a `String`, and not a `&str`. An `Option` may be left out. A raw identifier is named without its
/// mark: `r#type` is the argument `type`. The types that arguments are made of are described in the tool's schema, and
/// arguments that do not fit are refused before the function runs, in words that a model can act on.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// struct Graph;
///
/// /// How to compare.
/// #[derive(Deserialize, Serialize, JsonSchema)]
/// enum Mode {
///     /// Word by word.
///     Exact,
///     /// By meaning.
///     Fuzzy,
/// }
///
/// /// Find memories.
/// #[tool(read_only)]
/// async fn find(
///     /// What to look for.
///     #[arg(length(1..=200))]
///     query: String,
///     /// How to compare it.
///     #[arg(default = Mode::Exact)]
///     mode: Mode,
///     /// How many relationships to follow from each hit.
///     #[arg(default = 1, range(0..=5), rename = "maxDepth")]
///     max_depth: u32,
///     /// How many memories at most.
///     limit: Option<usize>,
///     graph: State<Graph>,
///     cx: Context,
/// ) -> Vec<String> {
///     // ..
/// #   let _ = (query, mode, max_depth, limit, graph, cx);
/// #   Vec::new()
/// }
/// # let _ = tools![find];
/// ```
///
/// ## `#[arg(..)]`
///
/// | word | meaning |
/// | --- | --- |
/// | `default = 1` | what stands in if the client gives nothing: a literal, or an expression of a type that derives `Serialize` |
/// | `default` | the same with the type's own `Default` |
/// | `range(0..=5)` | which numbers are allowed; also `0..5`, `0..` and `..=5`, in literals |
/// | `length(1..=200)` | how many characters, items or entries are allowed |
/// | `rename = "maxDepth"` | the argument's name, if it is not to be the parameter's |
/// | `header = "Region"` | over HTTP the argument is repeated as the header `Mcp-Param-Region` (SEP-2243) |
///
/// All of it is in the schema, and all of it is enforced.
///
/// ## One struct for all arguments
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(rename_all = "camelCase")]
/// struct Query {
///     /// What to look for.
///     text: String,
///     /// How many relationships to follow from each hit.
///     #[serde(default)]
///     #[schemars(range(max = 5))]
///     max_depth: u32,
/// }
///
/// /// Find memories.
/// #[tool]
/// async fn find(Args(query): Args<Query>, cx: Context) -> String {
///     # drop(cx);
///     format!("{}, {} deep", query.text, query.max_depth)
/// }
/// # let _ = tools![find];
/// ```
///
/// # Results
///
/// | type | what a client gets |
/// | --- | --- |
/// | `String`, `&'static str`, `char`, `bool`, numbers | text |
/// | `()` | nothing |
/// | `Content`, `Vec<Content>`, `ToolResult` | what it says |
/// | any other that derives `Serialize` and `JsonSchema` | structured content, its schema in the list of tools, and its JSON as text |
/// | `Result<T, E>` of any such `T` | the same; of an `E` that is `Display`, its text as an error that a model may read and mend |
///
/// An `E` of `ProtocolError` is an error of the request itself, `ToolError` is either, and `ToolResult` is a whole result
/// that counts as an error. Types are known by what they are: an alias of `Result` is as good as `Result`.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// #[derive(Serialize, JsonSchema)]
/// struct Weather {
///     /// In degrees Celsius.
///     temperature: f64,
/// }
///
/// /// Tell the weather of a place.
/// #[tool(read_only)]
/// async fn weather(
///     /// Its name.
///     place: String,
/// ) -> Result<Weather, String> {
///     if place == "Vienna" { Ok(Weather { temperature: 22.5 }) } else { Err(format!("no station in {place}")) }
/// }
/// # let _ = tools![weather];
/// ```
///
/// # Methods
///
/// Methods are tools if the attribute is on the impl block and on each of them. What they are called on is the server's
/// state of that type, shared by all calls: `&self`, or `self: Arc<Self>` to keep it for longer than the call. A function
/// without `self` may be a tool as well. The type then has a function `tools`, which lists them; it is as visible as the
/// most visible of them.
///
/// ```
/// use std::sync::Mutex;
///
/// use mcp_runtime::prelude::*;
///
/// #[derive(Default)]
/// struct Notes(Mutex<Vec<String>>);
///
/// #[tool]
/// impl Notes {
///     /// Keep a note.
///     #[tool(destructive = false)]
///     async fn keep(
///         &self,
///         /// The note.
///         text: String,
///     ) -> usize {
///         let mut notes = self.0.lock().unwrap();
///         notes.push(text);
///         notes.len()
///     }
///
///     /// Read all notes.
///     #[tool(read_only)]
///     async fn read(&self) -> String {
///         self.0.lock().unwrap().join("\n")
///     }
/// }
///
/// let server = Server::new("notes", "1.0.0").state(Notes::default()).tools(Notes::tools());
/// # let _ = server;
/// ```
///
/// `#[tool(list = "admin_tools")] impl ..` gives the list another name, so that a type can have several. Neither the
/// type's impl block nor a method may be generic, and the methods of a trait are no tools.
///
/// # Mistakes
///
/// Each is told where it is, with what to write instead, and all of them at once. What only the whole server can show,
/// such as two tools of one name or a `State` that nobody gave, is an error from building it.
#[proc_macro_attribute]
pub fn tool(words: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Tool, words.into(), item.into()).into()
}

/// Declares a prompt: messages for a model, which a person picks by name and fills in.
#[proc_macro_attribute]
pub fn prompt(words: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Prompt, words.into(), item.into()).into()
}

/// Declares a resource: something to be read at an address, or the resources of an address with variables.
#[proc_macro_attribute]
pub fn resource(words: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Resource, words.into(), item.into()).into()
}
