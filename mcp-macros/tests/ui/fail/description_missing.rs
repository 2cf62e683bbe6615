use mcp_runtime::prelude::*;

#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

///
#[tool]
async fn subtract(a: i64, b: i64) -> i64 {
    a - b
}

/// Multiply.
#[tool(description = " ")]
async fn multiply(a: i64, b: i64) -> i64 {
    a * b
}

#[tool(description = 5)]
async fn divide(a: i64, b: i64) -> i64 {
    a / b
}

fn main() {
    let _ = tools![add, subtract, multiply, divide];
}
