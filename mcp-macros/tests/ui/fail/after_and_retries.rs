use mcp_runtime::prelude::*;

/// Find memories.
#[tool(task(required, after = "500ms"))]
async fn required() {}

/// Find memories.
#[tool(task(detach, after = "500ms"))]
async fn detached() {}

/// Find memories.
#[tool(task(after = "5s"), timeout = "5s")]
async fn over_before() {}

/// Find memories.
#[tool(task(after = "0s", retries = "3"))]
async fn no_time() {}

/// Find memories.
#[tool(task(after, retries = 5000000000))]
async fn no_numbers() {}

/// Find memories.
#[tool(after = "500ms", retries = 3)]
async fn misplaced() {}

/// Find memories.
#[prompt(task(after = "500ms"))]
async fn asked() -> String {
    String::new()
}

/// The memories.
#[resource("memory://all", task(after = "500ms", retries = 1))]
async fn all() -> String {
    String::new()
}

fn main() {
    let _ = tools![required, detached, over_before, no_time, no_numbers, misplaced];
    let _ = (prompts![asked], resources![all]);
}
