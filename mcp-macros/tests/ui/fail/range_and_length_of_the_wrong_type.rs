use mcp_runtime::prelude::*;

/// Find memories.
#[tool]
async fn find(
    #[arg(range(1..=5))] query: String,
    #[arg(length(1..=5))] limit: u32,
    #[arg(length(1..=5), range(0..))] both: Option<bool>,
) -> String {
    format!("{query} {limit} {both:?}")
}

fn main() {
    let _ = tools![find];
}
