use mcp_runtime::prelude::*;

struct Graph;

/// Find memories.
#[tool]
async fn find(query: String, cx: Contxt, graph: Stat<Graph>) -> String {
    let _ = (query, cx, graph);
    String::new()
}

fn main() {
    let _ = tools![find];
}
