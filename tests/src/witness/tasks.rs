//! The states of tasks, in the order in which they were told.

use std::collections::HashMap;

use serde_json::Value;

use super::{Checked, wrong};

/// By which way a state was told. Each way must be in order. Between two of them there is no order, and the dialects
/// have different words for the same end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    LegacyAnswers,
    ModernAnswers,
    Core,
    Subscription(String),
}

/// The tasks of a connection.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// The method that became each task, and the name of what it called.
    asked: HashMap<String, (String, Value)>,
    told: HashMap<(Source, String), Value>,
}

fn is_terminal(task: &Value) -> bool {
    matches!(task["status"].as_str(), Some("completed" | "failed" | "cancelled"))
}

impl Tasks {
    /// A request of this method, for what has this name, became this task.
    pub(super) fn made(&mut self, task: &Value, method: &str, name: &Value) {
        self.asked.insert(task["taskId"].to_string(), (method.to_owned(), name.clone()));
    }

    /// The method that became a task; none for a task that was not made here.
    pub(super) fn method(&self, task: &Value) -> Option<&str> {
        self.asked.get(&task.to_string()).map(|(method, _)| method.as_str())
    }

    /// Whether the client of core tasks was told of a task: when it made it, or asked for its state.
    pub(super) fn is_known(&self, task: &Value) -> bool {
        self.method(task).is_some() || self.told.contains_key(&(Source::LegacyAnswers, task.to_string()))
    }

    /// The tool that a task runs; `null` for a task that was not made here, or runs something else.
    pub(super) fn tool(&self, task: &Value) -> &Value {
        match self.asked.get(&task.to_string()) {
            Some((method, name)) if method == "tools/call" => name,
            _ => &Value::Null,
        }
    }

    /// Judges the state of a task, and says whether it has ended.
    pub(super) fn saw(&mut self, source: Source, task: &Value, ttl: &str) -> Result<bool, String> {
        for moment in ["createdAt", "lastUpdatedAt"] {
            if !is_iso_8601(task[moment].as_str().unwrap_or_default()) {
                wrong(format!("`{moment}` is no point in time: {}", task[moment]))?;
            }
        }
        if task["lastUpdatedAt"].as_str() < task["createdAt"].as_str() {
            wrong("it was updated before it was created")?;
        }
        if task[ttl].as_u64() == Some(0) {
            wrong(format!("`{ttl}` is nothing or positive"))?;
        }
        let key = (source, task["taskId"].to_string());
        if let Some(before) = self.told.get(&key) {
            follows(before, task)?;
        }
        self.told.insert(key, task.clone());
        Ok(is_terminal(task))
    }
}

fn follows(before: &Value, task: &Value) -> Checked {
    if is_terminal(before) && before["status"] != task["status"] {
        return wrong(format!("the task had ended as {}", before["status"]));
    }
    if before["createdAt"] != task["createdAt"] {
        return wrong(format!("the task was created at {} before", before["createdAt"]));
    }
    if task["lastUpdatedAt"].as_str() < before["lastUpdatedAt"].as_str() {
        return wrong(format!("the task was updated at {} before", before["lastUpdatedAt"]));
    }
    Ok(())
}

/// Whether this is a point in time in UTC: `2025-11-25T10:30:00Z`, with or without a fraction.
fn is_iso_8601(text: &str) -> bool {
    let Some((seconds, rest)) = text.split_at_checked(19) else { return false };
    let pattern = "dddd-dd-ddTdd:dd:dd";
    let fits =
        seconds.chars().zip(pattern.chars()).all(|(c, p)| if p == 'd' { c.is_ascii_digit() } else { c == p });
    let fraction = rest.strip_suffix('Z').map(|rest| rest.strip_prefix('.').unwrap_or(rest));
    fits && fraction.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
}
