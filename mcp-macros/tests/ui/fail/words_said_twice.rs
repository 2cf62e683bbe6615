use mcp_runtime::prelude::*;

/// Find memories.
#[tool(task, title = "Find", title = "Search", task = "required")]
async fn find(
    #[arg(default = 1, default = 2)]
    #[arg(range(0..=5), range(0..=6))]
    limit: u32,
) -> String {
    limit.to_string()
}

/// Find memories.
#[tool(task(required, optional, ttl = "1h", ttl = "2h", timeout = "1s"), timeout = "2s", read_only, destructive)]
async fn find_again() -> String {
    String::new()
}

/// Find memories.
#[tool(task(required, detach))]
async fn find_later() -> String {
    String::new()
}

/// Find memories.
#[tool(task(detach = "later"), detach)]
async fn find_sometime() -> String {
    String::new()
}

fn main() {
    let _ = tools![find, find_again, find_later, find_sometime];
}
