//! `bare_axum <any> <address>`: what a request costs on axum, without a framework for MCP.

#[path = "../bare.rs"]
mod bare;
#[path = "../fillers.rs"]
mod fillers;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use bare::Bare;

async fn answer(State(server): State<Arc<Bare>>, body: Bytes) -> impl IntoResponse {
    let mut answer = Vec::new();
    let status = match server.answer(&body, &mut answer) {
        Err(_) => StatusCode::BAD_REQUEST,
        Ok(()) if answer.is_empty() => StatusCode::ACCEPTED,
        Ok(()) => StatusCode::OK,
    };
    (status, [(CONTENT_TYPE, "application/json")], answer)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(2).ok_or("usage: bare_axum <any> <address>")?;
    let router = Router::new().route("/mcp", post(answer)).with_state(Arc::new(Bare::new()));
    axum::serve(tokio::net::TcpListener::bind(address).await?, router).await?;
    Ok(())
}
