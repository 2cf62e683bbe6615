//! A function with tests of its own, which no server offers here.

use mcp_runtime::prelude::*;

/// Add two numbers.
#[tool]
pub async fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {
    let _ = add(1, 2);
}
