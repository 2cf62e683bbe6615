//! `ours_server <plain|hundred|tasks>`: this framework on its standard streams.

#[path = "../fillers.rs"]
mod fillers;
#[path = "../ours.rs"]
mod ours;

use mcp_runtime::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tools = std::env::args().nth(1).unwrap_or_default();
    let server = ours::server(&tools).ok_or("usage: ours_server <plain|hundred|tasks>")?;
    server.serve(stdio()).await?;
    Ok(())
}
