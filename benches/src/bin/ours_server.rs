//! The tools that every peer serves, on this framework.
//!
//! `ours_server <plain|hundred|tasks>`

// A tool is async, whether it waits for anything or not, as it would be in a real server.
#![allow(clippy::unused_async)]

#[path = "../fillers.rs"]
mod fillers;

use fillers::with_filler_names;
use mcp_runtime::prelude::*;

/// Add two integers.
#[tool]
async fn add(
    /// The first term.
    a: i64,
    /// The second term.
    b: i64,
) -> i64 {
    a + b
}

/// Give the text back.
#[tool]
async fn echo(
    /// What to give back.
    text: String,
) -> String {
    text
}

/// Finish at once.
#[tool(task)]
async fn finish() -> String {
    "done".to_owned()
}

/// Wait for ever.
#[tool(task)]
async fn wait() -> String {
    std::future::pending().await
}

macro_rules! hundred {
    ($($name:ident)*) => {
        $(
            /// Look something up.
            #[tool]
            async fn $name(
                /// What to look for.
                query: String,
                /// How many answers at most.
                limit: Option<u32>,
                /// Whether to look in the archive too.
                archived: bool,
            ) -> String {
                format!("{query} {limit:?} {archived}")
            }
        )*

        fn hundred(server: Server) -> Server {
            server.tools(tools![add, $($name),*])
        }
    };
}
with_filler_names!(hundred);

/// Room for all the tasks that the rows keep alive at a time.
fn roomy() -> Limits {
    let tasks = 200_000;
    Limits {
        max_running_tasks: tasks,
        max_running_tasks_per_principal: tasks,
        max_tasks_per_principal: tasks,
        ..Limits::default()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::new("ours_server", env!("CARGO_PKG_VERSION"));
    let server = match std::env::args().nth(1).as_deref() {
        Some("plain") => server.tools(tools![add, echo]),
        Some("hundred") => hundred(server),
        Some("tasks") => server.tools(tools![finish, wait]).limits(roomy()),
        _ => return Err("usage: ours_server <plain|hundred|tasks>".into()),
    };
    server.serve(stdio()).await?;
    Ok(())
}
