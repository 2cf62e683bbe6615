use std::borrow::Cow;
use std::path::Path;

use mcp_runtime::prelude::*;

struct Graph;

/// Find memories.
#[tool]
async fn find(
    query: &str,
    tags: &[String],
    path: &Path,
    limit: &mut u32,
    more: Option<&str>,
    text: Cow<'_, str>,
    fixed: &'static str,
    cx: &Context,
    graph: &State<Graph>,
) -> String {
    let _ = (query, tags, path, limit, more, text, fixed, cx, graph);
    String::new()
}

fn main() {
    let _ = tools![find];
}
