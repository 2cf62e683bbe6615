use mcp_runtime::prelude::*;

const MOST: u32 = 5;

/// Find memories.
#[tool]
async fn find(
    #[arg(range(5..=1))] a: u32,
    #[arg(range(5..5))] b: u32,
    #[arg(range(..))] c: u32,
    #[arg(range(0..=MOST))] d: u32,
    #[arg(range(0..=300))] e: u8,
    #[arg(range(-1..))] f: u32,
    #[arg(range(0..=99999999999999999999999))] g: u64,
    #[arg(length(5..=1))] h: String,
    #[arg(length(..0))] i: String,
    #[arg(length(..))] j: String,
    #[arg(length(-1..))] k: String,
    #[arg(length(0..=MOST))] l: String,
    #[arg(length(0.5..))] m: String,
) -> String {
    let _ = (a, b, c, d, e, f, g, h, i, j, k, l, m);
    String::new()
}

fn main() {
    let _ = tools![find];
}
