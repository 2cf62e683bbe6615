//! Resources.

use mcp_runtime::prelude::*;
use mcp_runtime::testing::TestClient;
use serde_json::{Value, json};

#[derive(Clone, Serialize)]
struct Memory {
    id: u64,
    text: String,
}

struct Graph(Vec<Memory>);

fn client() -> TestClient {
    let memory = |id| Memory { id, text: format!("memory {id}") };
    Server::new("test", "0.0.0")
        .state(Graph(vec![memory(1), memory(22)]))
        .resources(resources![about, logo, file, fail])
        .resources(Graph::resources())
        .tools(Graph::tools())
        .test_client()
        .expect("the server is well made")
}

async fn read(uri: &str) -> Value {
    client().request("resources/read", json!({ "uri": uri })).await.expect("the resource is read")["contents"]
        .take()
}

/// The code and the message of an error.
async fn refusal(uri: &str) -> (i64, String) {
    let error = client().request("resources/read", json!({ "uri": uri })).await.expect_err("it is refused");
    (error.code, error.message)
}

/// What this is about.
#[resource(
    "test://about",
    name = "about this",
    title = "About",
    mime_type = "text/markdown",
    audience = ["user", "assistant"],
    priority = 0.5,
    cache(public, ttl = "1min"),
    icon = "https://example.org/icon.png"
)]
async fn about() -> &'static str {
    "# About"
}

/// A picture.
#[resource("test://logo", mime_type = "image/png", cache = "1s")]
async fn logo() -> Vec<u8> {
    vec![1, 2, 3]
}

fn extensions(typed: Completion) -> Vec<String> {
    typed.among(["md", "mdx", "txt"])
}

/// A file.
#[resource("test://files/{+path}.{ext}", blocking)]
fn file(
    /// Where it is.
    #[arg(length(..=10))]
    path: String,
    #[arg(rename = "ext", complete = extensions)] extension: String,
    _: Context,
) -> Result<String, ProtocolError> {
    match path.strip_prefix('.') {
        None => Ok(format!("{path} as {extension}")),
        Some(hidden) => Err(ProtocolError::invalid_params(format!("{hidden} is hidden"))),
    }
}

/// What cannot be read.
#[resource("test://broken")]
async fn fail() -> Result<String, &'static str> {
    Err("broken")
}

#[resource]
impl Graph {
    /// One memory.
    #[resource("memory://{id}")]
    async fn memory(
        &self,
        /// Which one.
        #[arg(range(1..))]
        id: u64,
    ) -> Option<Memory> {
        self.0.iter().find(|memory| memory.id == id).cloned()
    }

    /// All memories.
    #[resource("memory://all")]
    async fn all(&self) -> Vec<u64> {
        self.0.iter().map(|memory| memory.id).collect()
    }

    /// Count memories.
    #[tool(read_only)]
    async fn count(&self) -> usize {
        self.0.len()
    }
}

#[tokio::test]
async fn a_resource_is_listed_with_everything_that_was_declared() {
    let listed = client().request("resources/list", json!({})).await.expect("resources are listed");
    assert_eq!(
        listed["resources"][0],
        json!({
            "uri": "test://about", "name": "about this", "title": "About", "description": "What this is about.",
            "mimeType": "text/markdown", "annotations": { "audience": ["user", "assistant"], "priority": 0.5 },
            "icons": [{ "src": "https://example.org/icon.png" }]
        })
    );
    let uris: Vec<_> =
        listed["resources"].as_array().into_iter().flatten().map(|resource| &resource["uri"]).collect();
    assert_eq!(uris, ["test://about", "test://logo", "test://broken", "memory://all"]);
    let listed = client().request("resources/templates/list", json!({})).await.expect("templates are listed");
    let templates = listed["resourceTemplates"].as_array().into_iter().flatten();
    let uris: Vec<_> = templates.map(|template| &template["uriTemplate"]).collect();
    assert_eq!(uris, ["test://files/{+path}.{ext}", "memory://{id}"]);
}

#[tokio::test]
async fn text_bytes_and_values_are_read_each_as_what_they_are() {
    assert_eq!(
        read("test://about").await,
        json!([{ "uri": "test://about", "mimeType": "text/markdown", "text": "# About" }])
    );
    assert_eq!(
        read("test://logo").await,
        json!([{ "uri": "test://logo", "mimeType": "image/png", "blob": "AQID" }])
    );
    assert_eq!(
        read("memory://22").await,
        json!([{ "uri": "memory://22", "mimeType": "application/json", "text": r#"{"id":22,"text":"memory 22"}"# }])
    );
    assert_eq!(read("memory://all").await[0]["text"], "[1,22]", "a fixed address goes first");
    assert_eq!(read("test://files/a/b%20c.md").await[0]["text"], "a/b c as md");
}

#[tokio::test]
async fn who_read_it_is_told_for_how_long_it_is_fresh() {
    let mut client = client();
    let about = client.request("resources/read", json!({ "uri": "test://about" })).await.expect("it is read");
    assert_eq!((&about["ttlMs"], &about["cacheScope"]), (&json!(60_000), &json!("public")));
    let logo = client.request("resources/read", json!({ "uri": "test://logo" })).await.expect("it is read");
    assert_eq!((&logo["ttlMs"], &logo["cacheScope"]), (&json!(1_000), &json!("private")));
}

#[tokio::test]
async fn what_is_not_there_and_what_does_not_fit_is_refused() {
    assert_eq!(refusal("memory://3").await.0, -32602);
    let (code, told) = refusal("memory://0").await;
    assert!(code == -32602 && told.contains("`id`") && told.contains("at least 1"), "{told}");
    assert!(refusal("memory://many").await.1.contains("`id`"));
    assert!(refusal("test://files/a/very/long/path.md").await.1.contains("`path`"));
    assert_eq!(refusal("test://files/.git.md").await, (-32602, "git is hidden".to_owned()));
    assert_eq!(refusal("test://broken").await, (-32603, "broken".to_owned()));
}

#[tokio::test]
async fn variables_are_completed() {
    let params = json!({
        "ref": { "type": "ref/resource", "uri": "test://files/{+path}.{ext}" },
        "argument": { "name": "ext", "value": "md" }
    });
    let answer = client().request("completion/complete", params).await.expect("suggestions");
    assert_eq!(answer["completion"]["values"], json!(["md", "mdx"]));
}

#[tokio::test]
async fn a_block_of_resources_may_have_tools_as_well() {
    let result = client().without_tasks().call_tool("count", json!({})).await.expect("it is called");
    assert_eq!(result["content"][0]["text"], "2");
}

#[tokio::test]
async fn the_function_stays_one() {
    assert_eq!(about().await, "# About");
    let file = file("a".to_owned(), "md".to_owned(), Context::detached());
    assert_eq!(file.expect("it is not hidden"), "a as md");
    assert!(Graph(Vec::new()).memory(1).await.is_none());
}
