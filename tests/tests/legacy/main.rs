//! The revisions that open with `initialize`, 2024-11-05 to 2025-11-25, and the core tasks of the last of them.

mod asking;
mod asking_tasks;
mod batches;
mod calling;
mod cancelling;
mod handshake;
mod listing;
mod logging;
mod offers;
mod pages;
mod partials;
mod tasks;
mod tools;

use serde_json::Value;
use tests::{LEGACY, Process, fixture};

/// Every revision that opens with `initialize`.
const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY];

/// The fixture with a session of the newest of these revisions.
fn opened() -> Process {
    session(fixture!())
}

/// A session of the newest of these revisions.
fn session(mut server: Process) -> Process {
    server.initialize(LEGACY);
    server
}

/// The parameter with which a task is meant.
fn id(task: &Value) -> Value {
    serde_json::json!({ "taskId": task["taskId"] })
}
