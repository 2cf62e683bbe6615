//! Workflows that run in a service of their own, as tools of an MCP server that may come and go.
//!
//! ```text
//! cargo run --example workflow -- service 127.0.0.1:9000        # the service that runs the workflows
//! cargo run --example workflow -- http://127.0.0.1:9000         # the MCP server, for a client on stdin and stdout
//! cargo run --example workflow -- http://127.0.0.1:9000 --http 127.0.0.1:8080
//! ```
//!
//! Nothing in the MCP server waits for a workflow. A task is a record in `tasks.db` that names the workflow; when somebody
//! asks for the task, the server asks the service. So either of the two may be killed and started again at any time: the
//! task that the client has still answers, and ends when its workflow does.
//!
//! `service` knows nothing of MCP, `workflows` is all there is between the two.

mod service;
mod workflows;

use std::env;
use std::error::Error;
use std::time::Duration;

use mcp_runtime::prelude::*;
use tokio::net::TcpListener;

use service::Service;
use workflows::{Workflows, run_workflow};

const USAGE: &str = "usage: workflow service ADDRESS [--file FILE] [--step MILLISECONDS]
       workflow SERVICE [--tasks FILE] [--http ADDRESS]";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    match words.next().as_deref() {
        Some("service") => {
            let address = words.next().ok_or(USAGE)?;
            let options = options(words)?;
            let step = option(&options, "--step").map_or(Ok(3000), str::parse)?;
            let file = option(&options, "--file").unwrap_or("workflows.json");
            let service = Service::open(file, Duration::from_millis(step))?;
            let listener = TcpListener::bind(address).await?;
            eprintln!("listening on http://{}", listener.local_addr()?);
            Ok(service.serve(listener).await?)
        }
        Some(address) => {
            let options = options(words)?;
            let server = Server::new("workflow", env!("CARGO_PKG_VERSION"))
                .state(Workflows::at(address))
                .tools(tools![run_workflow])
                .tasks(Tasks::sqlite(option(&options, "--tasks").unwrap_or("tasks.db")));
            match option(&options, "--http") {
                Some(address) => {
                    let listener = TcpListener::bind(address).await?;
                    eprintln!("listening on http://{}/mcp", listener.local_addr()?);
                    Ok(server.serve_http_on(listener).await?)
                }
                None => Ok(server.serve(stdio()).await?),
            }
        }
        None => Err(USAGE.into()),
    }
}

/// The options of a command line: each is a name and a value.
fn options(mut words: impl Iterator<Item = String>) -> Result<Vec<(String, String)>, String> {
    let mut options = Vec::new();
    while let Some(name) = words.next() {
        let value = words.next().ok_or_else(|| format!("{name} needs a value\n{USAGE}"))?;
        if !["--file", "--step", "--tasks", "--http"].contains(&name.as_str()) {
            return Err(format!("there is no option {name}\n{USAGE}"));
        }
        options.push((name, value));
    }
    Ok(options)
}

fn option<'a>(options: &'a [(String, String)], name: &str) -> Option<&'a str> {
    options.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}
