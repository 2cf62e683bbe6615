//! A server with one of everything: each feature of the library, in the smallest program that shows it.
//!
//! ```text
//! cargo run --example everything                            # serves a client on stdin and stdout
//! cargo run --example everything -- --http 127.0.0.1:8001   # serves clients at http://127.0.0.1:8001/mcp
//! ```
//!
//! Each file is about one thing that a server may want to do, and may be read alone. Where a new reader begins: `content.rs`
//! (what tools give), `running.rs` (what they say while they run), `tasks.rs` (work that takes long), `input.rs` (asking
//! people and models), `prompts.rs`, `resources.rs`, `skills.rs`.
//!
//! The names are those that the official conformance suite asks for.

mod changes;
mod content;
mod forms;
mod input;
mod media;
mod prompts;
mod resources;
mod rounds;
mod running;
mod schemas;
mod skills;
mod tasks;
#[cfg(test)]
mod tests;

use std::env;
use std::process::ExitCode;

use mcp_runtime::prelude::*;
use tokio::net::TcpListener;

const USAGE: &str = "usage: everything [--http ADDRESS]";

/// Over what the server speaks.
#[derive(Debug, PartialEq, Eq)]
enum Mode {
    /// Stdin and stdout.
    Stdio,
    /// HTTP, at this address.
    Http(String),
}

impl Mode {
    /// What the command line asks for; the error is what it says in vain.
    fn of(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mode = match args.next().as_deref() {
            None => Self::Stdio,
            Some("--http") => Self::Http(args.next().unwrap_or_else(|| "127.0.0.1:8001".to_owned())),
            Some(wrong) => return Err(wrong.to_owned()),
        };
        args.next().map_or(Ok(mode), Err)
    }
}

fn server() -> Server {
    Server::new("everything", env!("CARGO_PKG_VERSION"))
        .announces_changes()
        .state(rounds::Cases::default())
        .state(changes::Board::default())
        .tools(tools![
            content::test_simple_text,
            content::test_image_content,
            content::test_audio_content,
            content::test_embedded_resource,
            content::test_multiple_content_types,
            content::test_error_handling,
            running::test_tool_with_progress,
            running::test_tool_with_logging,
            running::test_logging_tool,
            running::test_reconnection,
            input::test_sampling,
            input::test_elicitation,
            input::test_elicitation_sep1034_defaults,
            input::test_elicitation_sep1330_enums,
            input::test_missing_capability,
            input::test_streaming_elicitation,
            input::test_elicitation_url,
            rounds::elicitation,
            rounds::sampling,
            rounds::list_roots,
            rounds::request_state,
            rounds::tampered_state,
            rounds::multiple_inputs,
            rounds::multi_round,
            rounds::capabilities,
            tasks::greet,
            tasks::slow_compute,
            tasks::failing_job,
            tasks::protocol_error_job,
            tasks::confirm_delete,
            tasks::multi_input,
            tasks::test_tool_with_task,
            schemas::test_custom_header,
            changes::test_trigger_tool_change,
            changes::test_trigger_prompt_change,
        ])
        .tools(changes::Board::tools())
        .tool(schemas::Contact)
        .prompts(prompts![
            prompts::test_simple_prompt,
            prompts::test_prompt_with_arguments,
            prompts::test_prompt_with_embedded_resource,
            prompts::test_prompt_with_image,
            prompts::test_input_required_result_prompt,
            tasks::test_slow_prompt,
        ])
        .resources(resources![
            resources::static_text,
            resources::static_binary,
            resources::template_data,
            tasks::test_slow_report,
        ])
        .resources(changes::Board::resources())
        .skills(skills::all())
}

/// Serves clients over HTTP until the program is interrupted, and says where: the port may be one that the system chose.
async fn serve_http(address: &str) -> Result<(), ServerError> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let named = std::io::Error::new(error.kind(), format!("{address}: {error}"));
        ServerError::Transport(named)
    })?;
    if let Ok(address) = listener.local_addr() {
        eprintln!("listening on http://{address}/mcp");
    }
    server().serve_http_on(listener).await
}

#[tokio::main]
async fn main() -> ExitCode {
    let served = match Mode::of(env::args().skip(1)) {
        Ok(Mode::Stdio) => server().serve(stdio()).await,
        Ok(Mode::Http(address)) => serve_http(&address).await,
        Err(wrong) => {
            eprintln!("everything: '{wrong}' is not understood; {USAGE}");
            return ExitCode::from(2);
        }
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("everything: {error}");
            ExitCode::FAILURE
        }
    }
}
