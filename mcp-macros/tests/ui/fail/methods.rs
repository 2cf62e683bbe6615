use std::sync::Arc;

use mcp_runtime::prelude::*;

struct Graph;

impl Graph {
    /// Find memories.
    #[tool]
    async fn find(&self, query: String) -> String {
        query
    }
}

#[tool]
impl Graph {
    /// Find memories.
    #[tool]
    async fn find_mut(&mut self, query: String) -> String {
        query
    }

    /// Find memories.
    #[tool]
    async fn find_once(self, query: String) -> String {
        query
    }

    /// Find memories.
    #[tool]
    async fn find_boxed(self: Box<Self>, query: String) -> String {
        query
    }

    /// Find memories.
    #[tool(name = "look")]
    async fn find_one(&self) -> String {
        String::new()
    }

    /// Find memories.
    #[tool(name = "look")]
    async fn find_two(self: Arc<Self>) -> String {
        String::new()
    }
}

struct Other;

#[tool]
impl Other {
    fn tools() {}

    /// Find memories.
    #[tool]
    async fn find(&self) -> String {
        String::new()
    }
}

struct Empty;

#[tool(list = "not a name")]
impl Empty {
    fn find(&self) {}
}

struct Generic<T>(T);

#[tool]
impl<T> Generic<T> {
    /// Find memories.
    #[tool]
    async fn find(&self) -> String {
        String::new()
    }
}

#[tool]
impl Default for Other {
    fn default() -> Self {
        Other
    }
}

fn main() {
    let _ = Graph::tools();
    let _ = Other::tools();
}
