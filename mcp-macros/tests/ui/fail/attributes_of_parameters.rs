use mcp_runtime::prelude::*;

/// Find memories.
#[tool]
async fn find(
    #[serde(default)] limit: u32,
    #[args(default = 1)] page: u32,
    #[cfg(test)] _other: u32,
) -> String {
    let _ = (limit, page);
    String::new()
}

fn main() {
    let _ = tools![find];
}
