use mcp_runtime::prelude::*;

/// Find memories.
#[tool(tasks, readOnlyHint, descripton = "Find.", ttl = "1h", required, default = 1, whatever, icons("a"))]
async fn find(
    #[arg(defualt = 1)] limit: u32,
    #[arg(min = 1, max_length = 5, description = "The page.", name = "p", optional)] page: u32,
    #[arg(whatever)] other: u32,
) -> String {
    format!("{limit} {page} {other}")
}

/// Find memories.
#[tool(task(retry = 3, timeuot = "1s", blocking), icon(source = "https://example.org/icon.png"))]
async fn find_again() -> String {
    String::new()
}

struct Graph;

#[tool(task, lst = "all")]
impl Graph {
    /// Find memories.
    #[tool(list = "all")]
    async fn find(&self) -> String {
        String::new()
    }
}

fn main() {
    let _ = tools![find, find_again];
    let _ = Graph::tools();
}
