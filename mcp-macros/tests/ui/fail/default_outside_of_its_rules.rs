use mcp_runtime::prelude::*;

/// Find memories.
#[tool]
async fn find(
    #[arg(default = 9, range(0..=5))] a: u32,
    #[arg(default = -1, range(0..))] b: i32,
    #[arg(default = 1.0, range(0.0..1.0))] c: f64,
    #[arg(default = "", length(1..))] d: String,
    #[arg(default = "abcdef", length(..=3))] e: String,
    #[arg(default = 300)] f: u8,
    #[arg(default = 1)] g: Option<u32>,
    #[arg(default = 5, range(10..=20))] h: Option<u32>,
) -> String {
    let _ = (a, b, c, d, e, f, g, h);
    String::new()
}

fn main() {
    let _ = tools![find];
}
