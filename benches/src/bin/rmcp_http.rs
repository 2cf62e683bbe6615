//! `rmcp_http <plain|hundred|tasks> <address> [tuned]`: rmcp over Streamable HTTP.
//!
//! Without `tuned` it is the documented shape: `StreamableHttpService` with its default configuration, nested in an axum
//! router. With it, the router of tools is kept, there are no sessions, and simple answers are JSON: what its
//! documentation offers beyond that.

#[path = "../fillers.rs"]
mod fillers;
#[path = "../official.rs"]
mod official;

use official::{Hundred, Kept, Plain, Tasks};
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

async fn serve(
    address: &str,
    tuned: bool,
    server: impl ServerHandler + Clone,
) -> Result<(), Box<dyn std::error::Error>> {
    let config = StreamableHttpServerConfig::default();
    let config = if tuned { config.with_legacy_session_mode(false).with_json_response(true) } else { config };
    // A handler is made for every session and for every request without one: tasks are kept only if all share a server.
    let service =
        StreamableHttpService::new(move || Ok(server.clone()), LocalSessionManager::default().into(), config);
    let router = axum::Router::new().nest_service("/mcp", service);
    axum::serve(tokio::net::TcpListener::bind(address).await?, router).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["plain", address] => serve(address, false, Plain).await,
        ["plain", address, "tuned"] => serve(address, true, Kept::plain()).await,
        ["hundred", address] => serve(address, false, Hundred).await,
        ["hundred", address, "tuned"] => serve(address, true, Kept::hundred()).await,
        ["tasks", address] => serve(address, false, Tasks::new()).await,
        ["tasks", address, "tuned"] => serve(address, true, Tasks::new()).await,
        _ => Err("usage: rmcp_http <plain|hundred|tasks> <address> [tuned]".into()),
    }
}
