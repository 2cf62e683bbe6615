use mcp_runtime::prelude::*;

#[derive(Debug)]
struct NotFound;

/// Find a memory.
#[tool]
async fn find() -> Result<String, NotFound> {
    Err(NotFound)
}

fn main() {
    let _ = tools![find];
}
