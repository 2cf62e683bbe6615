//! The numbers of calls and tasks, for whatever is installed as the recorder of the `metrics` facade.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{SharedString, Unit, counter, gauge, histogram};

use crate::protocol::payload::Ending;
use crate::task::{Record, RequestKind, Status};

const TASKS_CREATED: &str = "mcp_tasks_created_total";
const TASKS_ENDED: &str = "mcp_tasks_ended_total";
const TASKS_RECOVERED: &str = "mcp_tasks_recovered_total";
const TASKS_HANDED_BACK: &str = "mcp_tasks_handed_back_total";
const TASKS_EXPIRED: &str = "mcp_tasks_expired_total";
const TASKS_RUNNING: &str = "mcp_tasks_running";
const TASK_DURATION: &str = "mcp_task_duration_seconds";
const TASK_WAIT: &str = "mcp_task_wait_seconds";
const TASK_RUN: &str = "mcp_task_run_seconds";
const QUESTIONS_OPEN: &str = "mcp_questions_open";
const CALLS: &str = "mcp_calls_total";
const CALL_DURATION: &str = "mcp_call_duration_seconds";
const REFUSED: &str = "mcp_refused_total";
const STORE_DURATION: &str = "mcp_store_duration_seconds";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Every number, of what kind it is, and what it says.
const ALL: [(&str, Kind, &str); 14] = [
    (TASKS_CREATED, Kind::Counter, "Tasks that were created."),
    (TASKS_ENDED, Kind::Counter, "Tasks that ended."),
    (TASKS_RECOVERED, Kind::Counter, "Tasks that were taken up after another run had left them."),
    (
        TASKS_HANDED_BACK,
        Kind::Counter,
        "Tasks that were left to whoever runs next, by a server that stopped.",
    ),
    (TASKS_EXPIRED, Kind::Counter, "Tasks that were removed because their time was up."),
    (TASKS_RUNNING, Kind::Gauge, "Tasks that this process runs, or that wait for a place to run here."),
    (TASK_DURATION, Kind::Histogram, "From the creation of a task to its end."),
    (TASK_WAIT, Kind::Histogram, "How long a run of a task waited for its place."),
    (TASK_RUN, Kind::Histogram, "How long a run of a task took once it had begun."),
    (QUESTIONS_OPEN, Kind::Gauge, "Questions that functions wait for, in calls and in tasks."),
    (CALLS, Kind::Counter, "Calls that were no tasks from their beginning."),
    (CALL_DURATION, Kind::Histogram, "How long a call took."),
    (REFUSED, Kind::Counter, "What was refused because a limit is reached."),
    (STORE_DURATION, Kind::Histogram, "How long the store took to answer."),
];

/// Says what the numbers are.
pub(crate) fn describe() {
    for (name, kind, text) in ALL {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, text),
            Kind::Gauge => metrics::describe_gauge!(name, text),
            Kind::Histogram => metrics::describe_histogram!(name, Unit::Seconds, text),
        }
    }
}

/// What stands for what was called. There are as many URIs as somebody can think of, so they are not told apart.
fn tool(record: &Record) -> SharedString {
    match record.kind {
        RequestKind::ReadResource => SharedString::const_str(RequestKind::ReadResource.method()),
        _ => Arc::clone(&record.target).into(),
    }
}

pub(super) fn created(record: &Record) {
    counter!(TASKS_CREATED, "tool" => tool(record)).increment(1);
}

pub(super) fn ended(record: &Record) {
    let status = match record.status {
        Status::Completed if record.tool_failed => "tool_failed",
        Status::Completed => "completed",
        Status::Cancelled => "cancelled",
        _ => "failed",
    };
    counter!(TASKS_ENDED, "tool" => tool(record), "status" => status).increment(1);
    if let Some(at) = record.ended_at {
        let duration = at.since(record.created_at);
        histogram!(TASK_DURATION, "tool" => tool(record), "status" => status).record(duration);
    }
}

pub(super) fn recovered(record: &Record, is_rerun: bool) {
    let outcome = if is_rerun { "run_again" } else { "ended" };
    counter!(TASKS_RECOVERED, "tool" => tool(record), "outcome" => outcome).increment(1);
}

pub(super) fn handed_back(record: &Record) {
    counter!(TASKS_HANDED_BACK, "tool" => tool(record)).increment(1);
}

pub(super) fn expired(removed: usize) {
    counter!(TASKS_EXPIRED).increment(removed as u64);
}

pub(super) fn refused(limit: &'static str) {
    counter!(REFUSED, "limit" => limit).increment(1);
}

pub(super) fn store_took(operation: &'static str, time: Duration) {
    histogram!(STORE_DURATION, "operation" => operation).record(time);
}

/// One more in a gauge, until this is dropped.
#[derive(Debug)]
pub(crate) struct One(&'static str);

impl One {
    /// A task that runs here.
    pub(crate) fn running_task() -> Self {
        Self::more(TASKS_RUNNING)
    }

    /// A question that somebody waits for.
    pub(crate) fn open_question() -> Self {
        Self::more(QUESTIONS_OPEN)
    }

    fn more(name: &'static str) -> Self {
        gauge!(name).increment(1);
        Self(name)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1);
    }
}

/// Takes the time of a run.
#[derive(Debug)]
pub(crate) struct RunWatch {
    tool: Arc<str>,
    since: Instant,
}

impl RunWatch {
    pub(crate) fn new(tool: &Arc<str>) -> Self {
        Self { tool: Arc::clone(tool), since: Instant::now() }
    }

    pub(crate) fn begin(&mut self, is_task: bool) {
        let now = Instant::now();
        if is_task {
            histogram!(TASK_WAIT, "tool" => Arc::clone(&self.tool)).record(now - self.since);
        }
        self.since = now;
    }

    pub(crate) fn end(&self, is_task: bool) {
        if is_task {
            histogram!(TASK_RUN, "tool" => Arc::clone(&self.tool)).record(self.since.elapsed());
        }
    }
}

/// Takes the time of a call, and counts it in the end.
#[derive(Debug)]
pub(crate) struct CallWatch {
    tool: Arc<str>,
    since: Instant,
    status: &'static str,
}

impl CallWatch {
    pub(crate) fn new(tool: &Arc<str>) -> Self {
        // What is dropped before it says something else was cancelled.
        Self { tool: Arc::clone(tool), since: Instant::now(), status: "cancelled" }
    }

    pub(crate) fn ended(&mut self, ending: &Ending) {
        self.status = match ending {
            Ending::Result(payload) if payload.is_error() => "tool_failed",
            Ending::Result(_) => "completed",
            Ending::Error(_) => "failed",
        };
    }

    /// It ended because it asked, or wanted to and could not.
    pub(crate) fn interrupted(&mut self, has_asked: bool) {
        self.status = if has_asked { "input_required" } else { "failed" };
    }

    pub(crate) fn became_task(&mut self) {
        self.status = "task";
    }
}

impl Drop for CallWatch {
    fn drop(&mut self) {
        let Self { tool, since, status } = self;
        counter!(CALLS, "tool" => Arc::clone(tool), "status" => *status).increment(1);
        histogram!(CALL_DURATION, "tool" => Arc::clone(tool), "status" => *status).record(since.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_says_what_recorders_are_told() {
        let page = include_str!("../../docs/operations.md");
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `mcp_")).collect();
        assert_eq!(rows.len(), ALL.len(), "{rows:#?}");
        for ((name, kind, text), row) in ALL.into_iter().zip(rows) {
            let kind = format!("{kind:?}").to_lowercase();
            assert!(row.starts_with(&format!("| `{name}` | {kind} |")), "{row}");
            assert!(row.ends_with(&format!(" {text} |")), "{row}");
        }
    }
}
