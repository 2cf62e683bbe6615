//! Where descriptions come from.

use mcp_runtime::prelude::*;

/** Find memories.
 *
 * All of them.
 */
#[tool]
async fn block(
    /** What to look for. */
    query: String,
) -> String {
    query
}

#[doc = include_str!("descriptions.rs")]
#[tool]
async fn included(
    /// Beside
    #[doc = concat!("more ", "text")]
    query: String,
) -> String {
    query
}

/// For people who read the program.
#[tool(description = "For models.")]
async fn both() {}

#[tool(description = include_str!("descriptions.rs"))]
async fn from_file() {}

fn main() {
    let _ = tools![block, included, both, from_file];
}
