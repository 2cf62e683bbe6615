use mcp_runtime::prelude::*;

/// Find memories.
#[tool]
async fn find((a, b): (u32, u32), _: String, [x, y]: [u32; 2], ref z: String, w @ 0..: u32) -> String {
    let _ = (a, b, x, y, z, w);
    String::new()
}

fn main() {
    let _ = tools![find];
}
