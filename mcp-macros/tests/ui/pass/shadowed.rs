//! Names of the prelude and of crates may mean something else where a tool is.

use mcp_runtime::prelude::tool;

mod std {}
mod core {}
#[allow(dead_code)]
mod serde {}
#[allow(dead_code)]
struct Vec;
#[allow(dead_code)]
struct Box;
#[allow(dead_code)]
struct Tool;
#[allow(dead_code)]
struct Default;
#[allow(dead_code)]
enum Option {
    Some,
    None,
}
#[allow(dead_code)]
enum Result {
    Ok,
    Err,
}
#[allow(unused_imports)]
use Option::*;
#[allow(unused_imports)]
use Result::*;

/// Find memories.
#[tool(read_only, task(ttl = "1h"), icon(src = "https://example.org/icon.png", sizes = "any"))]
async fn find(#[arg(default = 1, range(0..))] a: u32, #[arg(default = "b", length(..9))] b: String) -> u32 {
    drop(b);
    a
}

struct Graph;

#[tool]
impl Graph {
    /// Find memories.
    #[tool]
    async fn find(&self, #[arg(default)] a: u32) -> u32 {
        a
    }
}

fn main() {
    let _ = mcp_runtime::tools![find];
    let _ = find { a: ::core::option::Option::None, b: ::core::option::Option::None };
    let _ = Graph::tools();
}
