//! What the end-to-end tests share: a server as a process, a client that speaks to it in raw messages, and a witness
//! that holds every message of the server's against the specification.
//!
//! Two variables of the environment matter. `MCP_SCHEMA_DIR` names the folder with the official JSON schemas, one file
//! `<revision>.schema.json` each and `ext-tasks.schema.json`. With `MCP_TESTS_REQUIRED=1` whatever cannot run (no
//! schemas, an example that is not built) is a failure; without it, it is said aloud and left out.

// Everything here panics when something is wrong: that is how a test fails.
#![allow(clippy::missing_panics_doc)]

pub mod answers;
mod client;
mod listening;
mod npm;
mod partials;
mod pip;
mod process;
mod program;
mod schemas;
mod witness;

pub use client::{Refusal, Wire, text};
pub use listening::Listening;
pub use npm::scripts;
pub use partials::partials;
pub use pip::{Script, python_server};
pub use process::{Process, Remains, wait_for_exit};
pub use program::{example, skipped};
pub use schemas::Schemas;
pub use witness::Witness;

/// The revision that introduced core tasks, the newest that opens with `initialize`.
pub const LEGACY: &str = "2025-11-25";

/// The stateless revision.
pub const MODERN: &str = "2026-07-28";

/// The `_meta` keys and the extension of the specification.
pub mod names {
    /// The tasks extension of the stateless revision.
    pub const TASKS: &str = "io.modelcontextprotocol/tasks";
    /// The revision of a request.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// What the client can do, as far as this request goes.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// Which log messages the client wants to hear.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// Who asks.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// Who answers.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// The subscription that a notification is of.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// The task that a message of the core dialect is about.
    pub const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";
    /// What a task has found so far: this project's own.
    pub const PARTIAL: &str = "dev.mcp-runtime/partial";
    /// What tasks a task is made of: the same.
    pub const CHILDREN: &str = "dev.mcp-runtime/children";
}

/// Starts the fixture, with arguments if there are any.
///
/// A macro, because only the tests themselves are told where it was built.
#[macro_export]
macro_rules! fixture {
    ($($argument:expr),* $(,)?) => {
        $crate::Process::start(env!("CARGO_BIN_EXE_fixture"), &[$($argument),*])
    };
}
