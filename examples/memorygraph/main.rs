//! An MCP server that remembers, in a graph of memories and of how they relate.
//!
//! ```text
//! cargo run --release --example memorygraph                                    # shows itself, at a terminal
//! cargo run --release --example memorygraph -- --db memory.db --stdio          # serves a client on stdin and stdout
//! cargo run --release --example memorygraph -- --db memory.db --http 127.0.0.1:8080   # serves clients over HTTP
//! ```
//!
//! It keeps everything in one SQLite file, and tasks in another beside it. The tools that may take long run as tasks where
//! the client can take one, and go on where they were when the process was killed.

mod blocking;
mod consolidate;
mod conversation;
mod curate;
mod demo;
mod embed;
mod error;
mod export;
mod files;
mod fingerprint;
mod generate;
mod graph;
mod import;
mod model;
mod options;
mod prompts;
mod resources;
mod search;
mod store;
mod terminal;
mod tools;
mod walk;

use std::env;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;

use mcp_runtime::prelude::*;
use tokio::net::TcpListener;

use files::Files;
use graph::Graph;
use options::{Mode, Options, USAGE};
use search::evaluation::Set;
use search::semantic::{Model, ModelError};
use store::Place;

const INSTRUCTIONS: &str = "Keeps what is worth remembering, and how it relates. Recall before you begin (recall_memories), \
    store what was learned (store_memory), and relate it (create_relationship): a solution SOLVES a problem, an error \
    OCCURS_IN a technology.";

/// What an agent must know besides where nothing is kept, so that it can tell its person.
const NOTHING_IS_KEPT: &str = "This server was started without --db: what is stored is gone when it ends. Say so before \
    somebody relies on it.";

/// Reads the model that was asked for: whoever asked for one is not served without it.
fn model(options: &Options) -> Result<Option<Arc<Model>>, ModelError> {
    Ok(options.model.as_deref().map(Model::open).transpose()?.map(Arc::new))
}

/// Opens the graph, and offers what may be done with it.
fn server(options: &Options) -> Result<Server, Box<dyn Error>> {
    let place = match &options.db {
        None => Place::Nowhere,
        Some(path) if options.read_only => Place::ReadOnly(path),
        Some(path) => Place::File(path),
    };
    let name = options.db.as_ref().map_or_else(|| "the graph".to_owned(), |path| path.display().to_string());
    let unreadable = {
        let name = name.clone();
        move |read| {
            if let Err(error) = read {
                // Clients may be answered by now, but nobody has seen or changed a memory, and nobody ever can.
                eprintln!("memorygraph: {name} cannot be opened: {error}");
                std::process::exit(1);
            }
        }
    };
    let model = model(options)?;
    // A large graph takes a while to be read, and clients wait for `initialize` no longer than they must.
    let graph = Graph::open_soon(place, model, unreadable);
    let graph = graph.map_err(|error| format!("{name} cannot be opened: {error}"))?;
    let files = match (&options.import_dir, &options.mode) {
        (Some(folder), _) => {
            let wrong = |error| format!("--import-dir {} cannot be used: {error}", folder.display());
            std::fs::read_dir(folder).map_err(wrong)?;
            Files::Below(folder.clone())
        }
        (None, Mode::ServeHttp(_)) => Files::Nowhere,
        (None, _) => Files::Anywhere,
    };
    let mut instructions = INSTRUCTIONS.to_owned();
    if options.db.is_none() {
        eprintln!(
            "memorygraph: memories are kept in this process alone, and are gone with it; name a file with --db to keep them"
        );
        instructions.extend([" ", NOTHING_IS_KEPT]);
    }
    let server = Server::new("memorygraph", env!("CARGO_PKG_VERSION"))
        .instructions(instructions)
        .announces_changes()
        .state(graph)
        .state(files)
        .prompts(prompts![prompts::session_briefing, prompts::root_cause])
        .resources(resources![resources::recent, resources::stats, resources::memory]);
    let server = match options.tasks() {
        Some(file) => server.tasks(Tasks::sqlite(file)),
        None => server,
    };
    let server = tools::reading(server);
    Ok(match (options.read_only, &options.model) {
        (true, _) => server,
        (false, None) => tools::writing(server),
        (false, Some(_)) => tools::embedding(tools::writing(server)),
    })
}

async fn serve_http(server: Server, address: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
    eprintln!("listening on http://{}/mcp", listener.local_addr()?);
    Ok(server.serve_http_on(listener).await?)
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    match &options.mode {
        Mode::Serve => Ok(server(&options)?.serve(stdio()).await?),
        Mode::ServeHttp(address) => serve_http(server(&options)?, address).await,
        Mode::Demonstrate => {
            demo::run(|file| server(&Options { db: Some(file.to_owned()), ..options })).await
        }
        Mode::Evaluate(files) => {
            let model = model(&options)?;
            let set = match files {
                Some((memories, questions)) => Set::open(memories, questions, model)?,
                None => Set::own(model)?,
            };
            println!("{set}");
            Ok(())
        }
        Mode::Help => {
            println!("{USAGE}");
            Ok(())
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::of(env::args().skip(1), io::stdin().is_terminal()) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("memorygraph: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("memorygraph: {error}");
            ExitCode::FAILURE
        }
    }
}
