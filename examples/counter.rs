//! The smallest program: one tool, which counts. `cargo run --example counter`
//!
//! A client that knows tasks gets a task and watches it count; any other client gets the last number.

use std::time::Duration;

use mcp_runtime::prelude::*;

/// Count up to a number, a tenth of a second a step.
#[tool(task)]
async fn count(
    /// How far to count.
    #[arg(range(1..=1000))]
    to: u32,
    cx: Context,
) -> String {
    for step in 1..=to {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cx.progress(step, to, format!("counted to {step}"));
    }
    format!("Counted to {to}.")
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    Server::new("counter", env!("CARGO_PKG_VERSION")).tools(tools![count]).serve(stdio()).await
}
