//! Tools.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mcp_runtime::prelude::*;
use mcp_runtime::testing::TestClient;
use serde_json::{Value, json};

/// A client that has no tasks, so that every call gives its result.
fn client(tools: Vec<Arc<dyn Tool>>) -> TestClient {
    let server =
        Server::new("test", "0.0.0").state(String::from("held")).state(Counter::default()).tools(tools);
    server.test_client().expect("the server is well made").without_tasks()
}

async fn listed(client: &mut TestClient, name: &str) -> Value {
    let answer = client.request("tools/list", json!({})).await.expect("tools are listed");
    let tools = answer["tools"].as_array().expect("they are a list").clone();
    tools.into_iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("`{name}` is listed"))
}

async fn call(client: &mut TestClient, name: &str, arguments: Value) -> Value {
    client.call_tool(name, arguments).await.expect("the call is answered")
}

/// The text of a result, which must not be an error.
async fn text(client: &mut TestClient, name: &str, arguments: Value) -> String {
    let result = call(client, name, arguments).await;
    assert_ne!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// The text of a result that must be an error.
async fn refusal(client: &mut TestClient, name: &str, arguments: Value) -> String {
    let result = call(client, name, arguments).await;
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// How to compare.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Exact,
    Fuzzy,
}

/// Find memories.
///
/// Of all kinds.
#[tool(
    name = "memory.find",
    title = "Find",
    read_only,
    destructive = false,
    idempotent,
    open_world = false,
    icon(src = "https://example.org/icon.png", mime_type = "image/png", sizes = ["48x48", "96x96"]),
    icon = "data:image/png;base64,AAAA",
    task(optional, ttl = "1h")
)]
async fn find(
    /// What to look for,
    /// in words.
    query: String,
    #[arg(default = 1, range(0..=5), rename = "maxDepth")] max_depth: u32,
    #[arg(default = -0.5, range(-1.0..1.0))] weight: f64,
    #[arg(length(1..=3))] tags: Option<Vec<String>>,
    #[arg(default = "all", length(..10), header = "Scope")] scope: String,
    #[arg(default = Mode::Fuzzy)] mode: Mode,
    #[arg(default)] other: Mode,
    #[arg(default = 'x')] letter: char,
    #[arg(default = true)] deep: bool,
    limit: Option<u32>,
) -> String {
    format!("{query} {max_depth} {weight} {tags:?} {scope} {mode:?} {other:?} {letter} {deep} {limit:?}")
}

#[tokio::test]
async fn a_tool_is_listed_with_everything_that_was_declared() {
    let tool = listed(&mut client(tools![find]), "memory.find").await;
    assert_eq!(tool["title"], "Find");
    assert_eq!(tool["description"], "Find memories.\n\nOf all kinds.");
    assert_eq!(
        tool["annotations"],
        json!({ "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false })
    );
    assert_eq!(
        tool["icons"],
        json!([
            { "src": "https://example.org/icon.png", "mimeType": "image/png", "sizes": ["48x48", "96x96"] },
            { "src": "data:image/png;base64,AAAA" }
        ])
    );
    let schema = &tool["inputSchema"];
    let properties = &schema["properties"];
    assert_eq!(schema["required"], json!(["query"]));
    assert_eq!(
        properties["query"],
        json!({ "type": "string", "description": "What to look for,\nin words." })
    );
    assert_eq!(
        properties["maxDepth"],
        json!({ "type": "integer", "minimum": 0, "maximum": 5, "default": 1 })
    );
    assert_eq!(properties["weight"]["exclusiveMaximum"], 1.0);
    assert_eq!(properties["weight"]["default"], -0.5);
    assert_eq!(properties["tags"]["minItems"], 1);
    assert_eq!(properties["tags"]["maxItems"], 3);
    assert_eq!(properties["scope"]["maxLength"], 9);
    assert_eq!(properties["scope"]["x-mcp-header"], "Scope");
    assert_eq!(properties["mode"]["default"], "fuzzy");
    assert_eq!(properties["other"]["default"], "exact");
    assert_eq!(properties["letter"]["default"], "x");
    assert_eq!(properties["deep"]["default"], true);
    assert!(tool.get("outputSchema").is_none(), "text has no schema");
}

#[tokio::test]
async fn what_is_not_given_is_the_default_and_what_is_given_is_taken() {
    let mut client = client(tools![find]);
    let arguments = json!({ "query": "rust" });
    assert_eq!(
        text(&mut client, "memory.find", arguments).await,
        "rust 1 -0.5 None all Fuzzy Exact x true None"
    );
    let arguments = json!({
        "query": "rust", "maxDepth": 5, "weight": 0.5, "tags": ["a"], "scope": "b", "mode": "exact", "other": null,
        "letter": "y", "deep": false, "limit": 3
    });
    assert_eq!(
        text(&mut client, "memory.find", arguments).await,
        "rust 5 0.5 Some([\"a\"]) b Exact Exact y false Some(3)"
    );
}

#[tokio::test]
async fn all_that_is_wrong_with_the_arguments_is_told_at_once() {
    let arguments = json!({ "maxDepth": 9, "tags": [], "max_depth": 1 });
    let told = refusal(&mut client(tools![find]), "memory.find", arguments).await;
    for part in ["`query`", "`maxDepth` must be at most 5, got 9", "`tags`", "did you mean `maxDepth`?"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

/// Take nothing.
#[tool]
async fn nothing() {}

#[tokio::test]
async fn a_tool_without_parameters_refuses_arguments() {
    let mut client = client(tools![nothing]);
    assert_eq!(call(&mut client, "nothing", json!({})).await["content"], json!([]));
    assert!(refusal(&mut client, "nothing", json!({ "a": 1 })).await.contains("`a`"));
}

/// Join words.
#[tool]
async fn r#match(r#type: String, mut r#in: Vec<String>, held: State<String>, _: Context) -> String {
    r#in.push(r#type);
    r#in.push(String::clone(&held));
    r#in.join(" ")
}

#[tokio::test]
async fn raw_identifiers_are_names_without_their_mark() {
    let mut client = client(tools![r#match]);
    assert_eq!(text(&mut client, "match", json!({ "type": "b", "in": ["a"] })).await, "a b held");
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// What to look for.
    text: String,
    #[serde(default)]
    #[schemars(range(max = 5))]
    max_depth: u32,
}

/// Find memories.
#[tool(blocking)]
fn find_whole(
    Args(Query { text, mut max_depth }): Args<Query>,
    held: State<String>,
) -> Result<String, String> {
    max_depth += 1;
    if text.is_empty() {
        Err("nothing to look for".to_owned())
    } else {
        Ok(format!("{text} {max_depth} {}", *held))
    }
}

#[tokio::test]
async fn a_struct_can_be_all_arguments() {
    let mut client = client(tools![find_whole]);
    let tool = listed(&mut client, "find_whole").await;
    assert_eq!(tool["inputSchema"]["properties"]["text"]["description"], "What to look for.");
    assert_eq!(text(&mut client, "find_whole", json!({ "text": "a", "maxDepth": 2 })).await, "a 3 held");
    assert_eq!(refusal(&mut client, "find_whole", json!({ "text": "" })).await, "nothing to look for");
    let told = refusal(&mut client, "find_whole", json!({ "text": "a", "maxDepth": 9 })).await;
    assert!(told.contains("at most 5"), "{told}");
}

#[derive(Default)]
struct Counter(AtomicU32);

#[derive(Serialize, JsonSchema)]
struct Count {
    count: u32,
}

#[tool]
impl Counter {
    const STEP: u32 = 2;

    /// Count up.
    #[tool]
    async fn increment(&self, #[arg(default = Self::STEP)] by: u32, cx: Context) -> Count {
        drop(cx);
        tokio::task::yield_now().await;
        Count { count: self.0.fetch_add(by, Ordering::Relaxed) + by }
    }

    /// Count up, later.
    #[tool(name = "increment.later")]
    async fn increment_later(self: Arc<Self>, held: State<String>) -> Result<String, tokio::task::JoinError> {
        let count = tokio::spawn(async move { self.increment(1, Context::detached()).await.count }).await?;
        Ok(format!("{} {count}", *held))
    }

    /// Look at the count.
    #[tool(blocking)]
    fn read(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Say what is counted.
    #[tool]
    async fn about() -> &'static str {
        "calls"
    }
}

#[tokio::test]
async fn methods_share_their_type_as_state() {
    let mut client = client(Counter::tools());
    let tool = listed(&mut client, "increment").await;
    assert_eq!(tool["inputSchema"]["properties"]["by"]["default"], 2);
    assert_eq!(tool["outputSchema"]["properties"]["count"]["type"], "integer");
    assert_eq!(call(&mut client, "increment", json!({})).await["structuredContent"], json!({ "count": 2 }));
    assert_eq!(text(&mut client, "increment.later", json!({})).await, "held 3");
    assert_eq!(text(&mut client, "read", json!({})).await, "3");
    assert_eq!(text(&mut client, "about", json!({})).await, "calls");
}

#[test]
fn a_server_without_the_state_that_a_tool_asks_for_is_not_built() {
    let server = Server::new("test", "0.0.0").tools(Counter::tools()).tools(tools![r#match]);
    let error = server.build().expect_err("there is no state").to_string();
    assert!(error.contains("Counter") && error.contains("String"), "{error}");
}

/// Fail as the protocol does.
#[tool]
async fn fail_as_protocol() -> Result<(), ProtocolError> {
    Err(ProtocolError::invalid_params("no"))
}

/// Fail in words.
#[tool]
async fn fail_in_words() -> Result<Count, std::num::ParseIntError> {
    "x".parse::<u32>().map(|count| Count { count })
}

/// Fail in full.
#[tool]
async fn fail_in_full() -> Result<String, ToolResult> {
    Err(ToolResult::text("no").with(Content::text("never")))
}

#[tokio::test]
async fn errors_are_told_as_what_they_are() {
    let mut client = client(tools![fail_as_protocol, fail_in_words, fail_in_full]);
    let error = client.call_tool("fail_as_protocol", json!({})).await.expect_err("it is a protocol error");
    assert_eq!((error.code, error.message.as_str()), (-32602, "no"));
    assert_eq!(refusal(&mut client, "fail_in_words", json!({})).await, "invalid digit found in string");
    let result = call(&mut client, "fail_in_full", json!({})).await;
    assert_eq!((&result["isError"], &result["content"][1]["text"]), (&json!(true), &json!("never")));
}

/// Take a while.
#[tool(task = "required")]
async fn long(to: u32) -> u32 {
    to
}

#[tokio::test]
async fn a_required_task_is_one() {
    let mut client =
        Server::new("test", "0.0.0").tools(tools![long]).test_client().expect("the server is well made");
    let task = call(&mut client, "long", json!({ "to": 3 })).await;
    let id = task["taskId"].as_str().unwrap_or_else(|| panic!("it is a task: {task}")).to_owned();
    let done = client.follow(&id).await.expect("it is followed");
    assert_eq!(done["result"]["content"][0]["text"], "3");
}

#[tokio::test]
async fn the_function_stays_one() {
    assert_eq!(long(3).await, 3);
    assert_eq!(Counter::default().increment(1, Context::detached()).await.count, 1);
}

/// Do little at once, and much in the background.
#[tool(task(detach))]
async fn begin_as_call(steps: u32, cx: Context) -> String {
    if steps > 1 {
        cx.detach().await;
    }
    format!("{steps} done, as a task: {}", cx.task_id().is_some())
}

#[tokio::test]
async fn a_call_becomes_a_task_where_the_function_says_so() {
    let server = Server::new("test", "0.0.0").tools(tools![begin_as_call]);
    let mut client = server.test_client().expect("the server is well made");
    let tool = listed(&mut client, "begin_as_call").await;
    assert!(tool.get("execution").is_none(), "the tasks extension leaves it to the server: {tool}");
    assert_eq!(text(&mut client, "begin_as_call", json!({ "steps": 1 })).await, "1 done, as a task: false");
    let task = call(&mut client, "begin_as_call", json!({ "steps": 2 })).await;
    let id = task["taskId"].as_str().unwrap_or_else(|| panic!("it is a task: {task}")).to_owned();
    let done = client.follow(&id).await.expect("it is followed");
    assert_eq!(done["result"]["content"][0]["text"], "2 done, as a task: true");
}
