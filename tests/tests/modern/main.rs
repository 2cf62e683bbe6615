//! The stateless revision, 2026-07-28, and its tasks extension.

mod asking;
mod asking_tasks;
mod both;
mod calling;
mod discovery;
mod logging;
mod offers;
mod partials;
mod skills;
mod subscriptions;
mod tasks;
mod tools;
mod within;

use serde_json::Value;
use tests::{Process, Wire, fixture};

/// The fixture, spoken to by a client that knows no tasks.
fn plain() -> Process {
    fixture!().speaking(Wire::Modern)
}

/// The fixture, spoken to by a client that knows tasks.
fn with_tasks() -> Process {
    fixture!().speaking(Wire::Tasks)
}

/// The parameter with which a task is meant.
fn id(task: &Value) -> Value {
    serde_json::json!({ "taskId": task["taskId"] })
}

/// What a result or notification says of a task, without what is said around it.
fn bare(mut task: Value) -> Value {
    let members = task.as_object_mut().expect("an object");
    members.remove("resultType");
    members.remove("_meta");
    task
}
