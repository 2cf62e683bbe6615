//! Types are known by what they are, and not by how they are spelled.

use mcp_runtime::prelude::*;

type Fallible<T> = Result<T, std::io::Error>;
type Result<T, E = std::fmt::Error> = std::result::Result<T, E>;
type Maybe<T> = Option<T>;
type Depth = u32;
type Text = String;
type Cx = Context;

#[derive(Serialize, JsonSchema)]
struct Memory {
    text: String,
}

/// Find memories.
#[tool]
async fn find(depth: Depth, #[arg(default = "all")] scope: Text, page: Maybe<u32>) -> Fallible<Vec<Memory>> {
    let _ = (depth, page);
    Ok(vec![Memory { text: scope }])
}

/// Find memories.
#[tool]
async fn find_by_default(#[arg(range(0..=5))] depth: Depth) -> Result<Maybe<Memory>> {
    let _ = depth;
    Err(std::fmt::Error)
}

/// Find memories.
#[tool]
async fn find_in_full(cx: mcp_runtime::Context) -> std::result::Result<Text, mcp_runtime::ToolError> {
    let _: Cx = cx;
    Ok(Text::new())
}

fn main() {
    let _ = tools![find, find_by_default, find_in_full];
}
