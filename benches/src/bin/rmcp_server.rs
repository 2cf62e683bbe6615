//! `rmcp_server <plain|hundred|tasks> [tuned]`: rmcp on its standard streams.
//!
//! Without `tuned` it is the documented shape: `tool_router(server_handler)` and `stdio()`. With it, the router is kept,
//! and the streams are `stdio_pipes()`: the best that rmcp offers.

#[path = "../fillers.rs"]
mod fillers;
#[path = "../official.rs"]
mod official;

use official::{Hundred, Kept, Plain, Tasks};
use rmcp::transport::{stdio, stdio_pipes};
use rmcp::{ServerHandler, ServiceExt};

async fn serve(server: impl ServerHandler, tuned: bool) -> Result<(), Box<dyn std::error::Error>> {
    let running = if tuned { server.serve(stdio_pipes()).await? } else { server.serve(stdio()).await? };
    running.waiting().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let tuned = arguments.get(1).is_some_and(|argument| argument == "tuned");
    match (arguments.first().map(String::as_str), tuned) {
        (Some("plain"), false) => serve(Plain, false).await,
        (Some("plain"), true) => serve(Kept::plain(), true).await,
        (Some("hundred"), false) => serve(Hundred, false).await,
        (Some("hundred"), true) => serve(Kept::hundred(), true).await,
        (Some("tasks"), tuned) => serve(Tasks::new(), tuned).await,
        _ => Err("usage: rmcp_server <plain|hundred|tasks> [tuned]".into()),
    }
}
