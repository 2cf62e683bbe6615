//! The smallest program: one tool, which counts.
//!
//! ```text
//! cargo run --example counter                            # serves a client on stdin and stdout
//! cargo run --example counter -- --http 127.0.0.1:8080   # serves clients at http://127.0.0.1:8080/mcp
//! ```
//!
//! A client that knows tasks gets a task and watches it count; any other client gets the last number.

use std::time::Duration;

use mcp_runtime::prelude::*;
use tokio::net::TcpListener;

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
    let server = Server::new("counter", env!("CARGO_PKG_VERSION")).tools(tools![count]);
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--http"), Some(address)) => {
            let listener = TcpListener::bind(&address).await.map_err(|error| {
                let named = std::io::Error::new(error.kind(), format!("{address}: {error}"));
                ServerError::Transport(named)
            })?;
            eprintln!("listening on http://{}/mcp", listener.local_addr().map_err(ServerError::Transport)?);
            server.serve_http_on(listener).await
        }
        _ => server.serve(stdio()).await,
    }
}
