use mcp_runtime::prelude::*;

struct Unreadable;

#[tool(tasks, name = "find memories", timeout = "soon")]
async fn find(
    query: &str,
    #[arg(range(5..=1))] limit: u32,
    unreadable: Unreadable,
) -> impl Serialize {
    let _ = (limit, unreadable);
    query.to_owned()
}

/// Find memories.
#[tool]
async fn fine(unreadable: Unreadable) -> Unreadable {
    unreadable
}

fn main() {
    let _ = tools![find, fine];
}
