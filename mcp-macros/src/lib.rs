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
/// Beside the function there is now a type of the same name, which stands for the tool; `tools![add, memory::recall]`
/// names it by its path. It is as visible as the function. A module of the same name cannot stand beside it.
///
/// The type's fields are the arguments, so that a program with the feature `client` calls the tool with the types of its
/// function, wherever the server is: `let sum: i64 = client.call(add { a: 1, b: 2 }).await?`.
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
/// | `task(after = "500ms")` | a call that becomes a task if it is not done by then |
/// | `task(detach)` | a call that becomes a task where the function says so |
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
/// | `detach` | an ordinary call at first, which may ask for input; it becomes a task at `cx.detach().await`, where the client can take one |
/// | `after = "500ms"` | on the tasks extension (2026-07-28) an ordinary call that is answered directly if it is done by then, and becomes a task if not, or at `cx.detach().await`; where the client says which calls are tasks, that holds |
/// | `retries = 3` | how often a task is run again whose run was cut off, because the server died or lost its hold on it: [below](#tasks-that-are-run-again) |
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
/// ### Tasks that are run again
///
/// A task in a store that outlives the process is taken up again when the server starts anew. Its function runs again,
/// from its beginning, if the tool is `idempotent` or says `retries`; what it did in steps (`cx.step(..)`) and had recorded
/// is not done again. A tool that says neither is not run a second time: its task fails, and says that the server
/// restarted. `retries = 0` says so for a tool that is `idempotent`.
///
/// ```
/// use mcp_runtime::prelude::*;
/// # async fn reserve(_: &str) -> u32 { 1 }
/// # async fn pay(_: u32) -> String { String::new() }
///
/// /// Book a journey.
/// #[tool(task(after = "2s", retries = 3))]
/// async fn book(
///     /// Where to.
///     city: String,
///     cx: Context,
/// ) -> Result<String, ToolError> {
///     let reservation = cx.step("reserve", || reserve(&city)).await?;
///     Ok(cx.step("pay", || pay(reservation)).await?)
/// }
/// # let _ = tools![book];
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
/// | `title = "Depth"` | a name for people |
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
/// | `Job<S>` | what the job gives that now goes on elsewhere, at the service `S`: the trait `Jobs` explains it |
/// | `Worded<T>` of such a type that is `Display` | the same, but with the words of its `Display` as text |
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
/// The same block may have methods that are prompts ([`#[prompt]`](macro@prompt)) and resources
/// ([`#[resource("..")]`](macro@resource)). One attribute on the block is enough for all of them, and the type has a
/// function for each kind: `tools`, `prompts`, `resources`.
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
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// Ask for a review of a change.
/// #[prompt]
/// async fn review(
///     /// The change, as a diff.
///     diff: String,
///     /// How strict to be, from 1 to 5.
///     #[arg(default = 3, range(1..=5))]
///     strictness: u8,
/// ) -> String {
///     format!("Review this change. Be strict, {strictness} of 5:\n\n{diff}")
/// }
///
/// let server = Server::new("reviewer", "1.0.0").prompts(prompts![review]);
/// # let _ = server;
/// ```
///
/// The doc comments are what people read when they choose: of the function, what the prompt is for; of each parameter,
/// what to fill in. All that [`#[tool]`](macro@tool) says of the function and of the type beside it holds here as well.
///
/// # Words
///
/// | word | meaning |
/// | --- | --- |
/// | `name = "code-review"` | the prompt's name, if it is not to be the function's |
/// | `title = "Review"` | a name for people |
/// | `description = ".."` | the description, if it is not to be the doc comment; also a constant, or `include_str!("review.md")` |
/// | `icon = ".."`, `icon(..)` | a picture, as [of a tool](macro@tool#words) |
/// | `task`, `task(..)` | getting it may be a task, as [of a tool](macro@tool#tasks); only core tasks (2025-11-25) know that |
/// | `timeout = "30s"` | how long a run may take |
/// | `blocking` | the function is a plain `fn` that blocks its thread |
///
/// # Parameters
///
/// Arguments of prompts are text on the wire, which a person typed. The type says what is made of it: numbers, `bool`
/// and enums are read from what was typed, any other type that derives `Deserialize` and `JsonSchema` from JSON, and
/// what cannot be read is refused before the function runs. An `Option` need not be filled in. `Context` and
/// `State<T>` are given by the server.
///
/// In `#[arg(..)]` stands what may stand there [for a tool](macro@tool#arg), but for `header`, and:
///
/// | word | meaning |
/// | --- | --- |
/// | `complete = function` | suggestions while somebody types, from this function |
///
/// The function takes a `Completion`, which is what was typed so far, and a `State<T>` after it if it needs one. It may
/// be `async` or not, and gives its suggestions, best first. Enums and `bool` suggest their values by themselves.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// struct Atlas(Vec<String>);
///
/// async fn cities(typed: Completion, atlas: State<Atlas>) -> Vec<String> {
///     typed.among(atlas.0.iter().cloned())
/// }
///
/// /// How to travel.
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(rename_all = "lowercase")]
/// enum Way {
///     Train,
///     Boat,
/// }
///
/// /// Plan a journey.
/// #[prompt(title = "Plan a journey")]
/// async fn journey(
///     /// Where to.
///     #[arg(complete = cities)]
///     city: String,
///     /// How to get there.
///     way: Option<Way>,
/// ) -> String {
///     let way = match way {
///         Some(Way::Train) => " by train",
///         Some(Way::Boat) => " by boat",
///         None => "",
///     };
///     format!("Plan a journey to {city}{way}.")
/// }
/// # let _ = prompts![journey];
/// ```
///
/// # Results
///
/// | type | the messages |
/// | --- | --- |
/// | `String`, `&'static str` | the person says it |
/// | `Content`, `Vec<Content>` | the person shows it: a picture, a sound, a resource |
/// | `PromptMessage`, a `Vec` or an array of them | these |
/// | `PromptResult` | what it says, with a description and `_meta` |
/// | `Result<T, E>` of any of these | the same; an `E` that is `Display` is a JSON-RPC error, and a `ProtocolError` has its own code |
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// Show how to greet.
/// #[prompt]
/// async fn greeting(
///     /// Whom.
///     name: String,
/// ) -> [PromptMessage; 2] {
///     [
///         PromptMessage::user(format!("Greet {name}.")),
///         PromptMessage::assistant(format!("Hello, {name}!")),
///     ]
/// }
/// # let _ = prompts![greeting];
/// ```
///
/// # Methods
///
/// As [of tools](macro@tool#methods): with `#[prompt]` on the impl block and on the methods, the type has a function
/// `prompts`, or as `#[prompt(list = "..")] impl ..` names it. A completing function there is named by its path, such as
/// `complete = Self::cities`.
#[proc_macro_attribute]
pub fn prompt(words: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Prompt, words.into(), item.into()).into()
}

/// Declares a resource: something that can be read at an address, or everything at an address with variables.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// How to use this server.
/// #[resource("manual://intro", mime_type = "text/markdown")]
/// async fn intro() -> &'static str {
///     "# Welcome"
/// }
///
/// struct Notes(Vec<String>);
///
/// /// One note.
/// #[resource("note://{number}")]
/// async fn note(
///     /// Its number, from 0.
///     number: usize,
///     notes: State<Notes>,
/// ) -> Option<String> {
///     notes.0.get(number).cloned()
/// }
///
/// let server = Server::new("notes", "1.0.0").state(Notes(Vec::new())).resources(resources![intro, note]);
/// # let _ = server;
/// ```
///
/// An address without variables is listed among the resources, one with variables among the resource templates. The doc
/// comment is what people and models read when they choose. All that [`#[tool]`](macro@tool) says of the function and of
/// the type beside it holds here as well.
///
/// # Address
///
/// The address comes first. Each `{variable}` in it is a parameter of that name, and each parameter that is not given by
/// the server is a variable. `{name}` stands for one or more characters other than `/`, `?` and `#`; one `{+name}` in an
/// address also for those. Values are percent-decoded. Which one is read where several match is in the documentation of
/// the trait `Resource`.
///
/// # Words
///
/// | word | meaning |
/// | --- | --- |
/// | `name = "note"` | the resource's name, if it is not to be the function's |
/// | `title = "A note"` | a name for people |
/// | `description = ".."` | the description, if it is not to be the doc comment; also a constant, or `include_str!("note.md")` |
/// | `mime_type = "text/markdown"` | the media type of what is read |
/// | `audience = "user"` | whom it is for: `"user"`, `"assistant"`, or `["user", "assistant"]` |
/// | `priority = 0.8` | how much it matters, from `0.0` to `1.0` |
/// | `cache = "5min"` | for how long who read it may take it for fresh (2026-07-28) |
/// | `cache(public, ttl = "5min")` | the same, also for others, because everybody reads the same |
/// | `icon = ".."`, `icon(..)` | a picture, as [of a tool](macro@tool#words) |
/// | `task`, `task(..)` | reading it may be a task, as [of a tool](macro@tool#tasks); only core tasks (2025-11-25) know that |
/// | `timeout = "30s"` | how long a run may take |
/// | `blocking` | the function is a plain `fn` that blocks its thread |
///
/// # Parameters
///
/// Variables are text, and the type says what is made of it, as of the arguments [of a prompt](macro@prompt#parameters).
/// An address whose variables do not fit is refused before the function runs. `Context` and `State<T>` are given by the
/// server. `#[arg(..)]` knows `range`, `length` and `rename` as [for a tool](macro@tool#arg), and `complete` as
/// [for a prompt](macro@prompt#parameters).
///
/// # Results
///
/// | type | what is read |
/// | --- | --- |
/// | `String`, `&'static str` | text, `text/plain` unless `mime_type` says otherwise |
/// | `Vec<u8>`, `&'static [u8]` | bytes, `application/octet-stream` unless `mime_type` says otherwise |
/// | `ResourceContents`, a `Vec` of them, `ResourceResult` | what it says |
/// | any other that derives `Serialize` | JSON, `application/json` unless `mime_type` says otherwise |
/// | `Option<T>` of any of these | the same; `None` says that there is no such resource |
/// | `Result<T, E>` of any of these | the same; an `E` that is `Display` is a JSON-RPC error, and a `ProtocolError` has its own code |
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// #[derive(Serialize)]
/// struct Station {
///     name: String,
///     height: u32,
/// }
///
/// fn countries(typed: Completion) -> Vec<String> {
///     typed.among(["austria", "belgium"])
/// }
///
/// /// A weather station.
/// #[resource("weather://{country}/{+path}", cache(public, ttl = "1h"))]
/// async fn station(
///     #[arg(complete = countries)] country: String,
///     path: String,
/// ) -> Result<Option<Station>, std::io::Error> {
///     if country != "austria" {
///         return Ok(None);
///     }
///     Ok(Some(Station { name: path, height: 156 }))
/// }
/// # let _ = resources![station];
/// ```
///
/// # Methods
///
/// As [of tools](macro@tool#methods): with `#[resource]` on the impl block and `#[resource("..")]` on the methods, the type
/// has a function `resources`, or as `#[resource(list = "..")] impl ..` names it.
#[proc_macro_attribute]
pub fn resource(words: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Resource, words.into(), item.into()).into()
}
