//! Tools that exist only in some programs.

use mcp_runtime::prelude::*;

/// Find memories.
#[tool]
#[cfg(any())]
async fn never(missing: Missing) -> Missing {
    missing
}

/// Find memories.
#[cfg(any())]
#[tool]
async fn never_either(missing: Missing) -> Missing {
    missing
}

/// Find memories.
#[tool]
#[cfg(not(any()))]
#[allow(clippy::unused_async)]
#[inline]
async fn always(query: String) -> String {
    query
}

struct Graph;

#[tool]
#[cfg(any())]
impl Graph {
    /// Find memories.
    #[tool]
    async fn never(&self, missing: Missing) -> Missing {
        missing
    }
}

#[tool]
#[cfg(not(any()))]
impl Graph {
    /// Find memories.
    #[tool]
    async fn always(&self) {}
}

fn main() {
    assert_eq!(Graph::tools().len(), 1);

    let _ = tools![always];
}
