//! What there is to tell while the program runs: the lines of `--json`, and what people are shown.

use mcp_runtime::client::{ChildTask, TaskStatus};
use serde::Serialize;
use serde_json::{Value, json};

/// Something that happened to one of the calls or tasks of this run.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    /// A call is sent, under this key.
    Calling { key: &'a str, arguments: &'a Value },
    /// The server made a task of it, or is asked for one that it made before.
    Task,
    /// Where the task stands.
    Status(Status<'a>),
    /// How far a call is that is no task.
    Progress { progress: Numbers, message: Option<&'a str> },
    /// Something that it has found so far.
    Partial { value: &'a Value },
    /// It is over, and has a result.
    Result { is_error: bool, result: &'a Value },
    /// It did not come to a result.
    Failed { code: u8, kind: &'static str, message: String },
    /// It was left to itself, and this command comes back to it.
    Left { command: &'a str },
}

/// A task's state.
#[derive(Debug, Serialize)]
pub(crate) struct Status<'a> {
    pub(crate) state: &'static str,
    pub(crate) message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<Numbers>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) children: Vec<Child<'a>>,
}

/// A part of a task.
#[derive(Debug, Serialize)]
pub(crate) struct Child<'a> {
    pub(crate) id: &'a str,
    pub(crate) tool: &'a str,
    #[serde(flatten)]
    pub(crate) status: Status<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Numbers {
    pub(crate) done: f64,
    pub(crate) total: Option<f64>,
}

impl Numbers {
    fn of(progress: (f64, Option<f64>)) -> Self {
        Self { done: progress.0, total: progress.1 }
    }

    /// The part that is done, from 0 to 1, if that is known.
    pub(crate) fn part(self) -> Option<f64> {
        let total = self.total.filter(|total| *total > 0.0)?;
        Some((self.done / total).clamp(0.0, 1.0))
    }
}

impl<'a> Status<'a> {
    pub(crate) fn of(status: &'a TaskStatus) -> Self {
        Self {
            state: status.state.as_str(),
            message: status.message.as_deref(),
            progress: status.progress.map(Numbers::of),
            children: status.children.iter().map(Child::of).collect(),
        }
    }
}

impl<'a> Child<'a> {
    fn of(child: &'a ChildTask) -> Self {
        let status = Status {
            state: child.state.as_str(),
            message: child.message.as_deref(),
            progress: child.progress.map(Numbers::of),
            children: Vec::new(),
        };
        Self { id: &child.id, tool: &child.tool, status }
    }
}

/// An event with the call that it is about.
#[derive(Debug, Serialize)]
pub(crate) struct About<'a> {
    /// The number of the call in this run, from 0 on.
    pub(crate) call: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) event: Event<'a>,
}

/// Something that belongs to no call: its name, and what there is to say.
pub(crate) fn aside(name: &str, mut members: Value) -> Value {
    let mut event = json!({ "event": name });
    if let (Some(event), Some(members)) = (event.as_object_mut(), members.as_object_mut()) {
        event.append(members);
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_object() {
        let numbers = Numbers { done: 1.0, total: Some(4.0) };
        let status =
            Status { state: "working", message: None, progress: Some(numbers), children: Vec::new() };
        let about = About { call: 0, tool: Some("count"), task: Some("t"), event: Event::Status(status) };
        let expected = json!({
            "call": 0, "tool": "count", "task": "t", "event": "status", "state": "working", "message": null,
            "progress": { "done": 1.0, "total": 4.0 }
        });
        assert_eq!(serde_json::to_value(about).ok(), Some(expected));
        assert_eq!(aside("note", json!({ "text": "a" })), json!({ "event": "note", "text": "a" }));
        assert_eq!((numbers.part(), Numbers { done: 1.0, total: None }.part()), (Some(0.25), None));
        assert_eq!(Numbers { done: 1.0, total: Some(0.0) }.part(), None);
    }
}
