//! The limits that are always on.

use crate::task::store::{Bounds, Quota};

/// What a server accepts at most. Every limit is always on; an error that comes of one is -31029 (a message that is too large:
/// -32600) and names it.
///
/// | limit | default | of what |
/// | --- | --- | --- |
/// | `max_message_size` | 4 MiB | a message |
/// | `max_requests_in_flight` | 1,024 | requests of one client that are being worked on |
/// | `max_running_tasks` | 10,000 | tasks at work, for everybody together |
/// | `max_running_tasks_per_principal` | 10,000 | tasks at work, for one principal |
/// | `max_tasks` | 1,000,000 | tasks at work or kept, for everybody together |
/// | `max_tasks_per_principal` | 100,000 | tasks at work or kept, for one principal |
/// | `max_arguments_size` | 4 MiB | the arguments of a call that is or may become a task |
/// | `max_result_size` | 16 MiB | the result of a task |
/// | `max_journal_size` | 4 MiB | what a task remembers of its steps |
/// | `max_questions` | 1,000 | questions that a task asks its client |
/// | `max_partials` | 256 | partial results of a task; the oldest go |
/// | `max_partials_size` | 256 KiB | the same, together |
/// | `max_request_state` | 1 MiB | what a call remembers while its client is asked (2026-07-28) |
/// | `max_tasks_per_subscription` | 1,024 | tasks of one subscription |
/// | `max_resource_subscriptions` | 1,024 | resources that one client hears of |
/// | `page_size` | 1,000 | items on a page of a list |
///
/// ```
/// use mcp_runtime::Limits;
///
/// let limits = Limits { max_running_tasks: 64, ..Limits::default() };
/// # let _ = limits;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message that is read, in bytes. Default: 4 MiB.
    pub max_message_size: usize,
    /// The largest result of a task that is kept, in bytes. Default: 16 MiB.
    pub max_result_size: usize,
    /// The largest arguments of a call that is or may become a task, in bytes: they are stored with it. Default: 4 MiB.
    pub max_arguments_size: usize,
    /// Questions that a task may ask its client ([`Context::elicit`](crate::Context::elicit)), all in all: they are stored
    /// with it. Default: 1,000.
    pub max_questions: usize,
    /// What a task may remember in its journal ([`Context::step`](crate::Context::step)), in bytes. Default: 4 MiB.
    pub max_journal_size: usize,
    /// How many partial results of a task are kept ([`Context::partial`](crate::Context::partial)): the newest. Default: 256.
    pub max_partials: usize,
    /// How large the partial results of a task that are kept may be together, in bytes; a single one that is larger is left
    /// out. Default: 256 KiB.
    pub max_partials_size: usize,
    /// What a call of the modern wire may remember between its rounds, in bytes as its client keeps it (`requestState`).
    /// Default: 1 MiB.
    pub max_request_state: usize,
    /// Requests of one client that are being worked on, calls and subscriptions together. Default: 1,024.
    pub max_requests_in_flight: usize,
    /// Tasks of one subscription. Default: 1,024.
    pub max_tasks_per_subscription: usize,
    /// Resources that one client, or one subscription of it, hears of. Default: 1,024.
    pub max_resource_subscriptions: usize,
    /// Tasks at work, for everybody together. Default: 10,000.
    pub max_running_tasks: usize,
    /// Tasks at work, for one principal. Default: 10,000: the one client of a stdio server may use all of it.
    pub max_running_tasks_per_principal: usize,
    /// Tasks kept, at work or over, for everybody together. Default: 1,000,000.
    pub max_tasks: usize,
    /// Tasks kept for one principal, at work or over. Default: 100,000.
    pub max_tasks_per_principal: usize,
    /// Items on a page of a list: of tools, prompts, resources or resource templates. Default: 1,000.
    pub page_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_size: 4 * 1024 * 1024,
            max_result_size: 16 * 1024 * 1024,
            max_arguments_size: 4 * 1024 * 1024,
            max_questions: 1000,
            max_journal_size: 4 * 1024 * 1024,
            max_partials: 256,
            max_partials_size: 256 * 1024,
            max_request_state: 1024 * 1024,
            max_requests_in_flight: 1024,
            max_tasks_per_subscription: 1024,
            max_resource_subscriptions: 1024,
            max_running_tasks: 10_000,
            max_running_tasks_per_principal: 10_000,
            max_tasks: 1_000_000,
            max_tasks_per_principal: 100_000,
            page_size: 1000,
        }
    }
}

impl Limits {
    pub(crate) fn partials(&self) -> Bounds {
        Bounds { count: self.max_partials, bytes: self.max_partials_size }
    }

    pub(crate) fn quota(&self) -> Quota {
        Quota {
            running: self.max_running_tasks,
            running_for_principal: self.max_running_tasks_per_principal,
            kept: self.max_tasks,
            kept_for_principal: self.max_tasks_per_principal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number as the tables write it.
    fn number(text: &str) -> Option<usize> {
        match text.split_once(' ') {
            Some((count, "MiB")) => Some(count.parse::<usize>().ok()? * 1024 * 1024),
            Some((count, "KiB")) => Some(count.parse::<usize>().ok()? * 1024),
            Some(_) => None,
            None => text.replace(',', "").parse().ok(),
        }
    }

    /// The limits in the tables of a text, sorted: their names and defaults.
    fn listed(text: &str, before: &str) -> Vec<(String, usize)> {
        let row = |line: &str| {
            let mut cells = line.trim_start().strip_prefix(before)?.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.strip_suffix('`')?;
            Some((name.to_owned(), number(cells.next()?)?))
        };
        let mut listed: Vec<_> = text.lines().filter_map(row).collect();
        listed.sort_unstable();
        listed
    }

    #[test]
    fn the_tables_say_what_the_defaults_are() {
        let told = format!("{:?}", Limits::default());
        let told = told.trim_start_matches("Limits { ").trim_end_matches(" }").split(", ");
        let mut limits: Vec<_> = told
            .map(|member| member.split_once(": ").expect("a member"))
            .map(|(name, value)| (name.to_owned(), value.parse().expect("a number")))
            .collect();
        limits.sort_unstable();
        assert_eq!(listed(include_str!("limits.rs"), "/// "), limits, "of the documentation");
        assert_eq!(listed(include_str!("../../../README.md"), ""), limits, "of the front page");
    }
}
