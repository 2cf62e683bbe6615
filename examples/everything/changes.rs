//! What a server offers may change while it runs, and whoever wants to hear of it does.
//!
//! `State<ServerHandle>` is the server as a function sees it.

use mcp_runtime::prelude::*;
use mcp_runtime::{BuildError, ServerHandle};

/// Add a tool, or take it away if it is there; clients are told that the list changed.
#[tool]
pub(crate) async fn test_trigger_tool_change(server: State<ServerHandle>) -> Result<String, BuildError> {
    if server.remove_tool("test_guest") {
        return Ok("The guest is gone.".to_owned());
    }
    server.add_tool(test_guest {})?;
    Ok("There is a guest.".to_owned())
}

/// Add a prompt, or take it away if it is there; clients are told that the list changed.
#[tool]
pub(crate) async fn test_trigger_prompt_change(server: State<ServerHandle>) -> Result<String, BuildError> {
    if server.remove_prompt("test_guest_prompt") {
        return Ok("The guest is gone.".to_owned());
    }
    server.add_prompt(test_guest_prompt {})?;
    Ok("There is a guest.".to_owned())
}

/// A tool that comes and goes.
#[tool(read_only)]
async fn test_guest() -> &'static str {
    "I am only visiting."
}

/// A prompt that comes and goes.
#[prompt]
async fn test_guest_prompt() -> &'static str {
    "Welcome our guest."
}
