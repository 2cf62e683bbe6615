//! The tools that every peer serves, on this framework.

// A tool is async, whether it waits for anything or not, as it would be in a real server.
#![allow(clippy::unused_async)]

use mcp_runtime::prelude::*;

use crate::fillers::with_filler_names;

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

/// Tell how far it is, once, and be done.
#[tool]
async fn tell(cx: Context) -> String {
    cx.progress(1, 2, "half of it");
    "told".to_owned()
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

/// Work, in a million steps or so.
#[tool(task)]
async fn work(
    /// How many steps.
    steps: u32,
    /// Whether to say after each how far it is.
    reports: bool,
    cx: Context,
) -> String {
    let block = std::hint::black_box(vec![0x5a_u8; 8192]);
    let mut sum = 0_u32;
    for step in 0..steps {
        // What a checksum of eight kilobytes takes: some microseconds.
        sum = block.iter().fold(sum, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte));
        if reports {
            cx.progress(step, steps, "working");
        }
        if step % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    sum.to_string()
}

/// Give 5 MiB of text.
#[tool(task)]
async fn large() -> String {
    "The quick brown fox jumps over the lazy dog. ".repeat(5 * 1024 * 1024 / 45)
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
        max_tasks: tasks,
        max_tasks_per_principal: tasks,
        ..Limits::default()
    }
}

/// The server of these tools: `plain`, `hundred` or `tasks`.
pub(crate) fn server(tools: &str) -> Option<Server> {
    let server = Server::new("ours_server", env!("CARGO_PKG_VERSION"));
    match tools {
        "plain" => Some(server.tools(tools![add, echo, tell])),
        "hundred" => Some(hundred(server)),
        "tasks" => Some(server.tools(tools![finish, wait, work, large]).limits(roomy())),
        _ => None,
    }
}
