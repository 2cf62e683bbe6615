use mcp_runtime::prelude::*;

/// Find memories.
#[tool]
async fn find(
    #[arg(rename = "maxDepth")] depth: u32,
    #[arg(rename = "maxDepth")] deeper: u32,
    #[arg(rename = "limit")] most: u32,
    limit: u32,
    #[arg(rename = "")] nameless: u32,
    #[arg(header = "Region")] region: String,
    #[arg(header = "region")] other_region: String,
    #[arg(header = "no spaces")] third_region: String,
) -> String {
    let _ = (depth, deeper, most, limit, nameless, region, other_region, third_region);
    String::new()
}

fn main() {
    let _ = tools![find];
}
