use mcp_runtime::prelude::*;

struct Graph;

/// Find memories.
#[tool]
async fn find(
    cx: Context<u32>,
    other: Context,
    third: Context,
    graph: State,
    both: State<Graph, Graph>,
    #[arg(default = 1)] fourth: State<Graph>,
    #[arg(rename = "x")] fifth: Context,
) -> String {
    let _ = (cx, other, third, graph, both, fourth, fifth);
    String::new()
}

/// Find memories.
#[tool]
async fn misspelt(cx: Contxt, graph: Stat<Graph>) -> String {
    let _ = (cx, graph);
    String::new()
}

fn main() {
    let _ = tools![find, misspelt];
}
