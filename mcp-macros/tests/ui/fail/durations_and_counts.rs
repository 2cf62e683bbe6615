use mcp_runtime::prelude::*;

/// Find memories.
#[tool(task(ttl = "1 fortnight", poll = "0s", timeout = "soon", concurrency = 0))]
async fn find() -> String {
    String::new()
}

/// Find memories.
#[tool(timeout = "", task(concurrency = "8", ttl = 5))]
async fn find_again() -> String {
    String::new()
}

fn main() {
    let _ = tools![find, find_again];
}
