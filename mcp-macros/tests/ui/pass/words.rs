//! Every word of the attribute, in each of its forms.

use mcp_runtime::prelude::*;

const SUMMARY: &str = "Find memories.";

/// Find memories.
#[tool(
    name = "memory.find-all_1",
    title = "Find",
    read_only,
    idempotent = true,
    open_world = false,
    icon = "https://example.org/icon.png",
    icon = "data:image/png;base64,AAAA",
    icon(src = "https://example.org/icon.svg", mime_type = "image/svg+xml", sizes = "any"),
    icon(src = "https://example.org/icon.png", sizes = ["48x48", "96x96"]),
    task,
    timeout = "30s"
)]
async fn find() -> String {
    String::new()
}

#[tool(description = "Forget a memory.", destructive, task = "required",)]
async fn forget() {}

#[tool(description = SUMMARY, task = "optional")]
async fn constant() {}

#[tool(description = concat!("Find ", "memories."), task(required, ttl = "1h", poll = "1s", timeout = "5min 30s", concurrency = 8))]
async fn computed() {}

/// Find memories.
#[tool(task())]
async fn empty_list() {}

/// Find memories.
#[tool(task(after = "500ms", timeout = "1s", retries = 3))]
async fn answered_directly_if_quick() {}

/// Find memories.
#[tool(task(required, retries = 0), idempotent)]
async fn never_again() {}

/// Find memories.
#[tool(timeout = "500ms")]
async fn only_timeout() {}

/// Find memories.
#[tool()]
async fn no_words() {}

/// Find memories.
#[mcp_runtime::tool(task(optional, poll = "250ms"))]
async fn by_path(
    #[arg(default = 1, range(0..=5))] depth: u32,
    #[arg(default = -1.5, range(-2.0..2.0))] weight: f64,
    #[arg(range(..10))] below: i64,
    #[arg(range(1..))] above: Option<u8>,
    #[arg(range(..=18446744073709551615))] most: u64,
    #[arg(default = "all", length(1..=200))] scope: String,
    #[arg(length(..10))] tags: Vec<String>,
    #[arg(length(1..))] more: Option<Vec<String>>,
    #[arg(rename = "maxDepth", header = "Max-Depth")] max_depth: u32,
    #[arg(default)] flag: bool,
    #[arg(default = true)] other: bool,
    #[arg(default = 'x')] letter: char,
    #[arg(default = vec![1, 2], length(1..5))] list: Vec<u8>,
    #[arg(default = u16::MAX)] computed: u16,
    #[arg()] nothing: u32,
    #[arg(default = 5)]
    #[arg(range(0..10))]
    split: u32,
) -> String {
    let _ = (depth, weight, below, above, most, scope, tags, more, max_depth, flag, other, letter, list);
    let _ = (computed, nothing, split);
    String::new()
}

fn main() {
    let tools = tools![find, forget, constant, computed, empty_list, only_timeout, no_words, by_path,];
    assert_eq!(tools.len(), 8);
    assert_eq!(tools![answered_directly_if_quick, never_again].len(), 2);
    let none: Vec<std::sync::Arc<dyn Tool>> = tools![];
    assert!(none.is_empty());
}
