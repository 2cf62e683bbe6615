//! What a client is set to, once for all its requests.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::protocol::names;

/// Which revisions a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revisions {
    /// The newest one that the server knows, which is found out.
    #[default]
    Any,
    /// The stateless protocol of 2026-07-28 alone.
    Modern,
    /// Those that open with `initialize` alone, from 2025-11-25 back.
    Legacy,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) revisions: Revisions,
    /// `clientInfo`.
    pub(super) info: Value,
    /// What the handlers can do.
    pub(super) capabilities: Map<String, Value>,
    /// What a server may ask for as a task, as the one revision declares it that knows this.
    pub(super) tasks: Option<Value>,
    /// How long a request that is no call may take.
    pub(super) request_timeout: Duration,
    /// For how long a server that cannot be reached is tried again.
    pub(super) persistence: Duration,
    /// How long a server may be silent when it is asked for its era.
    pub(super) probe_timeout: Duration,
    /// How often a task is polled whose server does not say.
    pub(super) poll_interval: Duration,
    /// The largest message that is read, in bytes.
    pub(super) max_message_size: usize,
    pub(super) cap_on_rounds: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            revisions: Revisions::default(),
            info: json!({ "name": program_name(), "version": "0" }),
            capabilities: Map::new(),
            tasks: None,
            request_timeout: Duration::from_secs(30),
            persistence: Duration::from_secs(60),
            probe_timeout: Duration::from_secs(5),
            poll_interval: Duration::from_secs(1),
            max_message_size: 64 * 1024 * 1024,
            cap_on_rounds: 64,
        }
    }
}

impl Settings {
    /// What is declared in the handshake of the revisions that have one.
    pub(super) fn legacy_capabilities(&self) -> Value {
        let mut all = self.capabilities.clone();
        if let Some(tasks) = &self.tasks {
            all.insert("tasks".to_owned(), tasks.clone());
        }
        all.into()
    }

    /// What is declared with each request of the stateless protocol.
    pub(super) fn modern_capabilities(&self, takes_tasks: bool) -> Value {
        let mut all = self.capabilities.clone();
        if takes_tasks {
            all.insert("extensions".to_owned(), json!({ (names::TASKS_EXTENSION): {} }));
        }
        all.into()
    }
}

/// The program is who asks, and not this library.
fn program_name() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_ref().and_then(|path| path.file_stem()).map(|name| name.to_string_lossy());
    name.map_or_else(|| "client".to_owned(), std::borrow::Cow::into_owned)
}
