use mcp_runtime::prelude::*;

/// Find memories.
#[tool(
    name,
    title("Find"),
    read_only = "yes",
    destructive(false),
    icon,
    icon = "icon.png",
    icon(mime_type = "image/png"),
    icon(src = "https://example.org/i.png", sizes = "large"),
    task = "always",
    timeout = 30,
    blocking = true
)]
async fn find(
    #[arg] limit: u32,
    #[arg(range)] page: u32,
    #[arg(range = 1..2)] third: u32,
    #[arg(range())] fourth: u32,
    #[arg(length(5))] fifth: String,
    #[arg(rename = 5)] sixth: u32,
    #[arg(header)] seventh: u32,
    #[arg(default(5))] eighth: u32,
    #[arg(rename: "x", range(0..=1))] ninth: u32,
    #[arg(= 5)] tenth: u32,
) -> String {
    let _ = (limit, page, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth);
    String::new()
}

fn main() {
    let _ = tools![find];
}
