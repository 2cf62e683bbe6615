use mcp_runtime::prelude::*;

type Depth = u32;

#[derive(Deserialize, JsonSchema)]
enum Mode {
    Exact,
}

/// Find memories.
#[tool]
async fn find(
    #[arg(default = "all")] limit: u32,
    #[arg(default = 1)] query: String,
    #[arg(default = 1)] weight: f64,
    #[arg(default = 1.5)] page: u64,
    #[arg(default = "x")] depth: Depth,
    #[arg(default = 1.5)] deeper: Depth,
    #[arg(default = Mode::Exact)] mode: Mode,
    #[arg(default = String::new())] count: u8,
    #[arg(default)] other: Mode,
) -> String {
    let _ = (limit, query, weight, page, depth, deeper, mode, count, other);
    String::new()
}

/// Find memories.
#[tool]
async fn find_by_alias(
    #[arg(default = "x")] depth: Depth,
    #[arg(default = 1.5)] deeper: Depth,
    #[arg(default = Mode::Exact)] mode: Mode,
    #[arg(default = String::new())] count: u8,
    #[arg(default)] other: Mode,
) -> String {
    let _ = (depth, deeper, mode, count, other);
    String::new()
}

fn main() {
    let _ = tools![find, find_by_alias];
}
