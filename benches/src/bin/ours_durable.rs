//! `ours_durable <tasks> <file>`: this framework on its standard streams, with its tasks in a file.

#[path = "../fillers.rs"]
mod fillers;
#[path = "../ours.rs"]
mod ours;

use mcp_runtime::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().and_then(|tools| ours::server(&tools));
    let (Some(server), Some(file)) = (server, arguments.next()) else {
        return Err("usage: ours_durable <tasks> <file>".into());
    };
    server.tasks(Tasks::sqlite(file)).serve(stdio()).await?;
    Ok(())
}
