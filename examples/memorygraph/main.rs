//! An MCP server that remembers, in a graph of memories and of how they relate.
//!
//! ```text
//! cargo run --release --example memorygraph              # shows itself, at a terminal
//! cargo run --release --example memorygraph -- --stdio   # serves a client on stdin and stdout
//! cargo run --release --example memorygraph -- --http 127.0.0.1:8080   # serves clients over HTTP
//! ```
//!
//! It keeps everything in memory. The two tools that may take long, `recall_memories` and `import_memories`, run as
//! tasks where the client can take one.

mod demo;
mod error;
mod generate;
mod graph;
mod import;
mod model;
mod search;
mod terminal;
mod tools;
mod walk;

use std::env;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use mcp_runtime::prelude::*;
use tokio::net::TcpListener;

use graph::Graph;
use tools::{create_relationship, get_memory, import_memories, recall_memories, store_memory};

const USAGE: &str = "usage: memorygraph [--stdio | --http ADDRESS]";

/// What the program was started for.
#[derive(Debug, PartialEq, Eq)]
enum Mode {
    /// Show itself to a person.
    Demonstrate,
    /// Serve a client on stdin and stdout.
    Serve,
    /// Serve clients over HTTP, at this address.
    ServeHttp(String),
}

impl Mode {
    /// What the command line asks for; without a word of it, a person at a terminal is shown the demonstration.
    fn of(mut args: impl Iterator<Item = String>, at_a_terminal: bool) -> Result<Self, String> {
        match (args.next().as_deref(), args.next()) {
            (None, _) if at_a_terminal => Ok(Self::Demonstrate),
            (None, _) | (Some("--stdio"), None) => Ok(Self::Serve),
            (Some("--http"), Some(address)) => Ok(Self::ServeHttp(address)),
            (Some("--http"), None) => Err("--http".to_owned()),
            (Some("--stdio"), Some(wrong)) => Err(wrong),
            (Some(wrong), _) => Err(wrong.to_owned()),
        }
    }
}

fn server() -> Server {
    Server::new("memorygraph", env!("CARGO_PKG_VERSION")).state(Graph::default()).tools(tools![
        store_memory,
        get_memory,
        create_relationship,
        recall_memories,
        import_memories,
    ])
}

async fn serve_http(address: &str) -> Result<(), ServerError> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let named = std::io::Error::new(error.kind(), format!("{address}: {error}"));
        ServerError::Transport(named)
    })?;
    eprintln!("listening on http://{}/mcp", listener.local_addr().map_err(ServerError::Transport)?);
    server().serve_http_on(listener).await
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Mode::of(env::args().skip(1), io::stdin().is_terminal()) {
        Ok(Mode::Serve) => server().serve(stdio()).await.map_err(Into::into),
        Ok(Mode::ServeHttp(address)) => serve_http(&address).await.map_err(Into::into),
        Ok(Mode::Demonstrate) => demo::run(server()).await,
        Err(wrong) => {
            eprintln!("memorygraph: '{wrong}' is not understood; {USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("memorygraph: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(args: &[&str], at_a_terminal: bool) -> Result<Mode, String> {
        Mode::of(args.iter().map(|arg| (*arg).to_owned()), at_a_terminal)
    }

    #[test]
    fn a_person_at_a_terminal_is_shown_the_demonstration_and_a_client_is_served() {
        assert_eq!(mode(&[], true), Ok(Mode::Demonstrate));
        assert_eq!(mode(&[], false), Ok(Mode::Serve));
        assert_eq!(mode(&["--stdio"], true), Ok(Mode::Serve));
        let address = "127.0.0.1:8080";
        assert_eq!(mode(&["--http", address], true), Ok(Mode::ServeHttp(address.to_owned())));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(mode(&["--port"], true), Err("--port".to_owned()));
        assert_eq!(mode(&["--stdio", "extra"], false), Err("extra".to_owned()));
        assert_eq!(mode(&["--http"], false), Err("--http".to_owned()));
    }
}
