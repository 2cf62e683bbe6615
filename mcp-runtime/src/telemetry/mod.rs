//! What those who operate a server see of it: spans and events of calls and tasks, for whatever listens to `tracing`, and
//! their numbers, for whatever records `metrics`.

#[cfg(feature = "metrics")]
mod numbers;
#[cfg(not(feature = "metrics"))]
#[path = "no_numbers.rs"]
mod numbers;
mod span;
#[cfg(feature = "metrics")]
mod timed;

use std::sync::Arc;

pub(crate) use self::numbers::{CallWatch, One, RunWatch, describe};
pub(crate) use self::span::Span;
use crate::task::store::TaskStore;
use crate::task::{Record, TaskId};

/// The target of what is told of tasks.
const TASK: &str = "mcp_runtime::task";

/// The target of what is told of calls.
const CALL: &str = "mcp_runtime::call";

/// The store, whose answers are timed where anybody wants to know.
pub(crate) fn timed(store: Arc<dyn TaskStore>) -> Arc<dyn TaskStore> {
    #[cfg(feature = "metrics")]
    let store = Arc::new(timed::Timed(store));
    store
}

/// A task was recorded.
pub(crate) fn created(record: &Record) {
    numbers::created(record);
    tracing::debug!(
        target: TASK, task = %record.id, tool = %record.target, principal = record.principal.as_str(),
        "task created"
    );
}

/// A function of the author's begins to run. A task is what this span is of, if it is one.
pub(crate) fn begun() {
    tracing::debug!(target: CALL, "run begun");
}

/// A task asks its client something.
pub(crate) fn asked(id: TaskId, key: &str) {
    tracing::debug!(target: TASK, task = %id, key, "task asks its client");
}

/// A client answered so many questions of a task.
pub(crate) fn answered(id: TaskId, answers: usize) {
    tracing::debug!(target: TASK, task = %id, answers, "the client answered a task");
}

/// A task is run again, or ended, that another run left behind.
pub(crate) fn taken_up(record: &Record, is_rerun: bool) {
    numbers::recovered(record, is_rerun);
    let (id, attempts) = (record.id, record.attempts);
    tracing::info!(target: TASK, task = %id, tool = %record.target, attempts, is_rerun, "task taken up again");
}

/// A task was handed back, for whoever runs next.
pub(crate) fn handed_back(record: &Record) {
    numbers::handed_back(record);
    tracing::info!(target: TASK, task = %record.id, tool = %record.target, "task handed back");
}

/// A task was left to a job elsewhere.
pub(crate) fn left_to_job(record: &Record) {
    let job = record.job.as_ref().map_or("", |job| job.handle.get());
    tracing::debug!(target: TASK, task = %record.id, tool = %record.target, job, "task left to a job");
}

/// A task has ended, in whatever way.
pub(crate) fn ended(record: &Record) {
    numbers::ended(record);
    let (id, status, tool_failed) = (record.id, record.status, record.tool_failed);
    tracing::debug!(target: TASK, task = %id, tool = %record.target, %status, tool_failed, "task ended");
}

/// Something was refused because a limit is reached.
pub(crate) fn refused(limit: &'static str) {
    numbers::refused(limit);
    tracing::debug!(target: CALL, limit, "a limit is reached");
}

/// So many tasks were removed because their time was up.
pub(crate) fn expired(removed: usize) {
    if removed > 0 {
        numbers::expired(removed);
        tracing::debug!(target: TASK, removed, "expired tasks removed");
    }
}
