//! What a server offers may change while it runs, and so may what a resource holds; whoever wants to hear of it does.
//!
//! `State<ServerHandle>` is the server as a function sees it.

use std::sync::{Mutex, PoisonError};

use mcp_runtime::prelude::*;
use mcp_runtime::{BuildError, ServerHandle};

/// A text that one client writes and others watch.
///
/// One attribute on the block is enough for methods of every kind; the type's functions `tools` and `resources` list them.
pub(crate) struct Board(Mutex<String>);

impl Default for Board {
    fn default() -> Self {
        Self(Mutex::new("This is the content of the watched resource.".to_owned()))
    }
}

#[tool]
impl Board {
    /// A text that clients may subscribe to.
    #[resource("test://watched-resource", title = "A text that may change", mime_type = "text/plain")]
    pub(crate) async fn watched_resource(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Change the watched text; whoever subscribed to it is told.
    #[tool(idempotent)]
    pub(crate) async fn write_watched_resource(
        &self,
        /// What it says from now on.
        #[arg(length(..=1000))]
        text: String,
        server: State<ServerHandle>,
    ) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
        server.resource_updated("test://watched-resource");
    }
}

/// Add a tool, or take it away if it is there; clients are told that the list changed.
#[tool]
pub(crate) async fn test_trigger_tool_change(server: State<ServerHandle>) -> Result<String, BuildError> {
    if server.remove_tool("test_guest") {
        return Ok("The guest is gone.".to_owned());
    }
    server.add_tools(tools![test_guest])?;
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
