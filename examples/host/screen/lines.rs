//! What happens to a call, in lines for people.

use std::collections::HashMap;

use console::style;

use super::text::{cut, one_line, short};
use crate::event::{About, Event, Numbers, Status};

/// What was said last, so that nothing is said twice.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Of each call, and of each part of a task by its id.
    last: HashMap<(usize, String), String>,
}

impl Lines {
    /// The line for an event, if it needs one. `is_drawn` is that a bar shows how far it is.
    pub(super) fn of(&mut self, about: &About<'_>, is_drawn: bool, width: usize) -> Option<String> {
        let name = one_line(about.tool.or(about.task).unwrap_or_default());
        let styled = |text: &str| style(text.to_owned()).for_stderr();
        let line = match &about.event {
            Event::Calling { .. } => return None,
            Event::Task => {
                let id = about.task.unwrap_or_default();
                format!("{} {}", styled(&name).bold(), styled(&format!("is task {id}")).dim())
            }
            Event::Status(_) | Event::Progress { .. } if is_drawn => return None,
            Event::Status(status) => {
                let mut lines = Vec::new();
                lines.extend(self.news(about.call, "", &name, status));
                for child in &status.children {
                    let name = format!("  {}", one_line(child.tool));
                    lines.extend(self.news(about.call, child.id, &name, &child.status));
                }
                return Some(lines.join("\n")).filter(|lines| !lines.is_empty());
            }
            Event::Progress { progress, message } => {
                let told = message.map_or_else(String::new, one_line);
                format!("{name}: {}", joined(&[numbers(*progress), told]))
            }
            Event::Partial { value } => {
                let line = format!("{name} found: {}", short(value));
                cut(&line, width)
            }
            Event::Result { is_error: true, .. } => {
                format!(
                    "{} {}",
                    styled("✗").red().bold(),
                    styled(&format!("{name} says that it failed")).bold()
                )
            }
            Event::Result { .. } => {
                format!("{} {}", styled("✓").green().bold(), styled(&name).bold())
            }
            Event::Failed { message, .. } => {
                format!(
                    "{} {}: {}",
                    styled("✗").red().bold(),
                    styled(&name).bold(),
                    super::text::clean(message)
                )
            }
            Event::Left { command } => format!("  {}", styled(command).cyan()),
        };
        Some(line)
    }

    /// A line about a task, if it says something that was not said.
    fn news(&mut self, call: usize, id: &str, name: &str, status: &Status<'_>) -> Option<String> {
        let told = joined(&[
            status.state.replace("input_required", "waits for an answer"),
            status.progress.map_or_else(String::new, numbers),
            status.message.map_or_else(String::new, one_line),
        ]);
        let line = format!("{name}: {told}");
        let last = self.last.insert((call, id.to_owned()), line.clone());
        (last.as_ref() != Some(&line)).then_some(line)
    }
}

fn numbers(numbers: Numbers) -> String {
    match numbers.total {
        Some(total) => format!("{}/{total}", numbers.done),
        None => numbers.done.to_string(),
    }
}

/// What there is to say, with commas.
fn joined(parts: &[String]) -> String {
    let said: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(message: Option<&'static str>, done: f64) -> About<'static> {
        let progress = Some(Numbers { done, total: Some(9.0) });
        let status = Status { state: "working", message, progress, children: Vec::new() };
        About { call: 0, tool: Some("parse"), task: Some("t"), event: Event::Status(status) }
    }

    #[test]
    fn a_status_is_a_line_and_is_said_once() {
        let mut lines = Lines::default();
        let mut of = |about: &About<'_>| lines.of(about, false, 80);
        assert_eq!(of(&status(Some("half\nway"), 3.0)).as_deref(), Some("parse: working, 3/9, half way"));
        assert_eq!(of(&status(Some("half way"), 3.0)), None);
        assert_eq!(of(&status(None, 3.5)).as_deref(), Some("parse: working, 3.5/9"));
        assert_eq!(Lines::default().of(&status(None, 1.0), true, 80), None, "a bar shows it");
    }

    #[test]
    fn what_was_found_is_cut_where_the_line_ends() {
        let value = serde_json::json!({ "title": "a long one" });
        let about =
            About { call: 0, tool: Some("find"), task: None, event: Event::Partial { value: &value } };
        let mut lines = Lines::default();
        assert_eq!(lines.of(&about, true, 20).as_deref(), Some("find found: {\"title…"));
        assert_eq!(lines.of(&about, true, 80).as_deref(), Some("find found: {\"title\":\"a long one\"}"));
    }
}
