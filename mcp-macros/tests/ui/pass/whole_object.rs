//! A struct as the whole arguments object.

use mcp_runtime::prelude::*;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// What to look for.
    text: String,
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 5))]
    max_depth: u32,
}

fn one() -> u32 {
    1
}

/// Find memories.
#[tool]
async fn find(Args(query): Args<Query>) -> String {
    format!("{} {}", query.text, query.max_depth)
}

/// Find memories.
#[tool]
async fn find_apart(Args(Query { text, mut max_depth }): Args<Query>, cx: Context, count: State<u32>) -> String {
    drop(cx);
    max_depth += *count;
    format!("{text} {max_depth}")
}

/// Find memories.
#[tool(blocking)]
fn find_slowly(query: mcp_runtime::Args<Query>) -> String {
    query.0.text
}

fn main() {
    let _ = tools![find, find_apart, find_slowly];
}
