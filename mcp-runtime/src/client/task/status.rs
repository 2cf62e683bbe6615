//! Where a task stands, in one shape for both dialects.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::client::error::Error;
use crate::client::result::kind;
use crate::protocol::names::meta;

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It is worked on.
    Working,
    /// It waits for answers.
    InputRequired,
    /// It is over, and has a result; the tool may say in it that it failed.
    Completed,
    /// It is over, with an error. Servers of 2025-11-25 also say so of a tool that failed and gave a result.
    Failed,
    /// It is over, since somebody cancelled it.
    Cancelled,
}

impl TaskState {
    /// Whether it is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Its name, as the specification writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a task stands.
///
/// It is shown (`Display`) as a line for people: `working, parsed 3 of 9 files, poll again in 5s`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TaskStatus {
    /// The task's id.
    pub id: Arc<str>,
    /// What it is doing.
    pub state: TaskState,
    /// What the server says of it, for people.
    pub message: Option<String>,
    /// When it was created, in ISO 8601.
    pub created_at: String,
    /// When it last changed, in ISO 8601.
    pub updated_at: String,
    /// For how long from its creation it is kept; `None` if there is no end to that.
    pub ttl: Option<Duration>,
    /// How often the server wants to be asked.
    pub poll_interval: Option<Duration>,
    /// How much is done, and of how much if that is known; from servers that say it in numbers.
    pub progress: Option<(f64, Option<f64>)>,
    /// What the task has found since the last status that this reader got; from servers that give partial results.
    pub partials: Vec<Value>,
    /// The tasks that are parts of it, those at work first; from servers that tell of them.
    pub children: Vec<ChildTask>,
    /// What it wants to know, by key, on the tasks extension.
    pub questions: Map<String, Value>,
    /// The number of the first of the partial results.
    pub(super) first_partial: u64,
    /// How it ended, on the tasks extension.
    pub(super) ending: Option<Ending>,
}

/// A task that is a part of another, as the status of that one tells of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChildTask {
    /// Its id, by which it can be looked at like any other.
    #[serde(rename = "taskId")]
    pub id: Arc<str>,
    /// The tool that it runs.
    #[serde(default)]
    pub tool: String,
    /// What it is doing.
    #[serde(rename = "status")]
    pub state: TaskState,
    /// What the server says of it, for people.
    #[serde(default, rename = "statusMessage")]
    pub message: Option<String>,
    /// How much is done, and of how much if that is known.
    #[serde(default, deserialize_with = "pair")]
    pub progress: Option<(f64, Option<f64>)>,
}

/// How a task ended, as its state says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ending {
    Result(Value),
    Error(Value),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    #[serde(rename = "taskId")]
    id: Arc<str>,
    status: TaskState,
    #[serde(default)]
    status_message: Option<String>,
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    last_updated_at: String,
    #[serde(default, alias = "ttl")]
    ttl_ms: Option<f64>,
    #[serde(default, alias = "pollInterval")]
    poll_interval_ms: Option<f64>,
    #[serde(default)]
    input_requests: Map<String, Value>,
    #[serde(default)]
    result: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default, rename = "_meta")]
    meta: Map<String, Value>,
}

#[derive(Deserialize)]
struct Numbers {
    progress: f64,
    #[serde(default)]
    total: Option<f64>,
}

#[derive(Deserialize)]
struct Children {
    tasks: Vec<ChildTask>,
}

/// Progress in numbers as the pair that it is known by here.
fn pair<'de, D: Deserializer<'de>>(numbers: D) -> Result<Option<(f64, Option<f64>)>, D::Error> {
    Ok(Option::deserialize(numbers)?.map(|Numbers { progress, total }| (progress, total)))
}

#[derive(Deserialize)]
struct Partials {
    values: Vec<Value>,
    first: u64,
}

impl TaskStatus {
    /// Reads a task of either dialect.
    pub(in crate::client) fn read(task: Value) -> Result<Self, Error> {
        if !task.is_object() {
            return Err(Error::malformed(format_args!("a task is {}", kind(&task))));
        }
        let mut task: Task = serde_json::from_value(task)
            .map_err(|error| Error::malformed(format_args!("a task cannot be read: {error}")))?;
        let numbers = task.meta.remove(meta::PROGRESS).and_then(|json| serde_json::from_value(json).ok());
        let children = task.meta.remove(meta::CHILDREN).and_then(|json| serde_json::from_value(json).ok());
        let partials = task.meta.remove(meta::PARTIAL).and_then(|json| serde_json::from_value(json).ok());
        let Partials { values, first } = partials.unwrap_or(Partials { values: Vec::new(), first: 0 });
        Ok(Self {
            id: task.id,
            state: task.status,
            message: task.status_message,
            created_at: task.created_at,
            updated_at: task.last_updated_at,
            ttl: task.ttl_ms.and_then(millis),
            poll_interval: task.poll_interval_ms.and_then(millis),
            progress: numbers.map(|Numbers { progress, total }| (progress, total)),
            partials: values,
            children: children.map_or_else(Vec::new, |Children { tasks }| tasks),
            questions: task.input_requests,
            first_partial: first,
            ending: task.result.map(Ending::Result).or(task.error.map(Ending::Error)),
        })
    }

    /// Whether it says the same as another of the same task: then nothing has happened in between.
    pub(super) fn says_as_much_as(&self, other: &Self) -> bool {
        self.state == other.state
            && self.message == other.message
            && self.progress == other.progress
            && self.questions == other.questions
            && self.children == other.children
            && self.partials.is_empty()
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.state)?;
        if let Some(message) = &self.message {
            write!(f, ", {message}")?;
        }
        match self.poll_interval {
            Some(interval) if !self.state.is_over() => write!(f, ", poll again in {interval:?}"),
            _ => Ok(()),
        }
    }
}

/// A span in milliseconds, if it is one.
fn millis(millis: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(millis / 1000.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_dialects_have_one_shape() {
        let modern = json!({
            "resultType": "task", "taskId": "a", "status": "working", "statusMessage": "parsed 3 of 9 files",
            "createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:01Z",
            "ttlMs": 60000, "pollIntervalMs": 5000,
            "_meta": { "dev.mcp-runtime/progress": { "progress": 3, "total": 9 } }
        });
        let legacy = json!({
            "taskId": "a", "status": "working", "statusMessage": "parsed 3 of 9 files",
            "createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:01Z",
            "ttl": 60000, "pollInterval": 5000,
            "_meta": { "dev.mcp-runtime/progress": { "progress": 3, "total": 9 } }
        });
        let status = TaskStatus::read(modern).expect("a task");
        assert_eq!(Some(&status), TaskStatus::read(legacy).ok().as_ref());
        assert_eq!(status.to_string(), "working, parsed 3 of 9 files, poll again in 5s");
        assert_eq!((status.ttl, status.progress), (Some(Duration::from_secs(60)), Some((3.0, Some(9.0)))));
    }

    #[test]
    fn the_parts_of_a_task_are_told_of_and_their_steps_are_news() {
        let part = |done: u32| {
            let part = json!({ "taskId": "b", "tool": "pass_one", "status": "working", "progress": { "progress": done } });
            let children = json!({ "count": 1, "ended": 0, "tasks": [part] });
            let task = json!({ "taskId": "a", "status": "working", "_meta": { "dev.mcp-runtime/children": children } });
            TaskStatus::read(task).expect("a task")
        };
        let status = part(1);
        let [child] = status.children.as_slice() else { panic!("{status:?}") };
        assert_eq!((&*child.id, child.tool.as_str(), child.state), ("b", "pass_one", TaskState::Working));
        assert_eq!((child.progress, &child.message), (Some((1.0, None)), &None));
        assert!(status.says_as_much_as(&part(1)) && !status.says_as_much_as(&part(2)));
    }

    #[test]
    fn what_is_no_task_is_an_error_and_a_task_without_an_end_is_none() {
        assert!(TaskStatus::read(json!([])).is_err());
        assert!(TaskStatus::read(json!({ "taskId": "a" })).is_err());
        let task = json!({ "taskId": "a", "status": "cancelled", "ttlMs": null, "pollIntervalMs": -1 });
        let status = TaskStatus::read(task).expect("a task");
        assert_eq!((status.ttl, status.poll_interval, status.state.is_over()), (None, None, true));
    }
}
