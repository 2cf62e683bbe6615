use mcp_runtime::prelude::*;

struct Graph;

/// One memory.
#[resource("memory://{id}/{part}")]
async fn memory(ids: u64, graph: State<Graph>) -> String {
    drop(graph);
    ids.to_string()
}

/// All memories.
#[resource("memory://all")]
async fn all(page: u32) -> String {
    page.to_string()
}

/// Renamed, and said otherwise.
#[resource("memory://{id}")]
async fn renamed(
    #[arg(rename = "key", default = 1, optional, header = "Id", title = "Key", description = "..")] id: u64,
) -> String {
    id.to_string()
}

/// Borrowed.
#[resource("memory://{id}")]
async fn borrowed(id: &str) -> String {
    id.to_owned()
}

/// Unnamed.
#[resource("memory://{id}")]
async fn unnamed(_: String, Args(other): Args<String>) -> String {
    other
}

fn main() {
    let _ = resources![memory, all, renamed, borrowed, unnamed];
}
