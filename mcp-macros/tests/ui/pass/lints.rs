//! Declaring a tool is no reason for a lint, however strict its author is.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, missing_copy_implementations, unreachable_pub)]
#![deny(unused, unused_qualifications, unused_results, elided_lifetimes_in_paths, single_use_lifetimes)]
#![deny(rust_2018_idioms, trivial_casts, trivial_numeric_casts, let_underscore_drop, non_local_definitions)]
#![deny(clippy::all, clippy::pedantic)]
#![allow(clippy::missing_errors_doc)]

use mcp_runtime::prelude::*;

/// What memories are in.
#[derive(Clone, Copy, Debug)]
pub struct Graph;

/// Find memories.
#[tool(task)]
pub async fn find(
    /// What to look for.
    query: String,
    /// How far.
    #[arg(default = 1, range(0..=5))]
    depth: u32,
    graph: State<Graph>,
    cx: Context,
) -> Result<String, std::fmt::Error> {
    drop((graph, cx));
    Ok(format!("{query} {depth}"))
}

/// Find memories, as it was done before.
#[deprecated]
#[tool]
pub async fn find_as_before() {}

/// Find memories.
#[tool(blocking)]
#[must_use]
pub fn find_slowly() -> String {
    String::new()
}

#[tool]
impl Graph {
    /// Find memories.
    #[tool]
    #[allow(clippy::unused_async)]
    pub async fn find(&self, #[allow(unused_variables)] query: String) -> String {
        String::new()
    }

    /// Nothing of a tool.
    #[must_use]
    pub fn len(&self) -> usize {
        0
    }

    /// Nothing of a tool.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        true
    }
}

fn main() {
    let tools = tools![find, find_as_before, find_slowly];
    drop(tools);
    drop(Graph::tools());
}
