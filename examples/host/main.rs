//! A host at a terminal for any MCP server, written with `mcp_runtime::client`: calls tools, follows tasks with progress bars,
//! asks what the server asks, and comes back to what it left.
//!
//! ```text
//! cargo run --example host -- --http 127.0.0.1:8001 tools
//! cargo run --example host -- --stdio target/debug/examples/counter call count to=30 --task
//! ```
//!
//! Where a reader begins: `job.rs` (a call, from its beginning to its result), `following.rs` (several at once, and Ctrl-C),
//! `connecting.rs` (who answers what the server asks).

mod arguments;
mod asking;
mod commands;
mod connecting;
mod content;
mod event;
mod failure;
mod following;
mod given;
mod interrupts;
mod job;
mod memory;
mod place;
mod screen;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use serde_json::json;

use arguments::Arguments;
use screen::Screen;
use screen::text::clean;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let screen = Arc::new(Screen::new(&arguments.manner));
    let done = commands::run(arguments, &screen).await;
    screen.finish();
    let code = done.unwrap_or_else(|failure| {
        let (code, kind, sentence) = (failure.code(), failure.kind(), clean(&failure.to_string()));
        let members = json!({ "code": code, "kind": kind, "message": sentence });
        screen.say("failed", members, &format!("host: {sentence}"));
        code
    });
    ExitCode::from(code)
}
