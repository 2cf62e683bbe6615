//! Tools may be declared where they are used.

use mcp_runtime::prelude::*;

fn main() {
    struct Graph;

    /// Find memories.
    #[tool]
    async fn find(graph: State<Graph>, query: String) -> String {
        drop(graph);
        query
    }

    #[tool]
    impl Graph {
        /// Find memories.
        #[tool]
        async fn find(&self, query: String) -> String {
            query
        }
    }

    let _ = tools![find];
    let _ = Graph::tools();
    let in_closure = || {
        /// Find memories.
        #[tool]
        async fn find() {}
        tools![find]
    };
    let _ = in_closure();
}
