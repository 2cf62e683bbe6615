//! `list` and `forget`: the tasks that are remembered, and those that the server lists.

use std::collections::HashSet;
use std::time::SystemTime;

use console::style;
use mcp_runtime::client::{Error, TaskStatus};
use serde_json::json;

use crate::connecting::Host;
use crate::event::aside;
use crate::failure::Failure;
use crate::memory::{Entry, GONE, Memory};
use crate::place::Place;
use crate::screen::Screen;
use crate::screen::text::{cut, one_line, table};

/// The code of a method that a server does not have.
const NO_SUCH_METHOD: i64 = -32601;

/// A task as a list has it.
struct Row<'a> {
    id: &'a str,
    entry: Option<&'a Entry>,
    /// Where it stands: its state and what the server says of it.
    state: &'a str,
    message: Option<&'a str>,
    since: &'a str,
}

/// The tasks of one server, with their present states.
pub(super) async fn list(host: &Host) -> Result<u8, Failure> {
    let mut entries = host.memory.entries()?;
    entries.retain(|entry| entry.server == host.place);
    for entry in &mut entries {
        let Some(id) = entry.task.clone() else { continue };
        let (state, message) = match host.client.get_task_status(&id).await {
            Ok(status) => (status.state.as_str(), status.message),
            Err(Error::TaskExpired { .. }) => (GONE, None),
            Err(error) => return Err(error.into()),
        };
        host.remembering(host.memory.seen(&host.place, &id, state, message.as_deref()));
        entry.state = Some(state.to_owned());
        entry.message = message;
    }
    let others = others(host, &entries).await?;
    let known = entries.iter().map(Row::of);
    let others = others.iter().map(|status| Row {
        id: &status.id,
        entry: None,
        state: status.state.as_str(),
        message: status.message.as_deref(),
        since: &status.created_at,
    });
    show(&host.screen, &known.chain(others).collect::<Vec<_>>());
    if entries.iter().any(|entry| entry.state.as_deref() == Some(GONE)) {
        let sentence = "The server does not know those that are gone any more; `forget --gone` forgets them.";
        host.screen.mention("note", json!({ "text": sentence }), sentence);
    }
    Ok(0)
}

/// The tasks that the server lists by itself and that are not remembered here.
async fn others(host: &Host, entries: &[Entry]) -> Result<Vec<TaskStatus>, Failure> {
    let known: HashSet<&str> = entries.iter().filter_map(|entry| entry.task.as_deref()).collect();
    match host.client.list_tasks().await {
        Ok(tasks) => Ok(tasks.into_iter().filter(|task| !known.contains(&*task.id)).collect()),
        // Few servers list tasks.
        Err(Error::Unsupported(_)) => Ok(Vec::new()),
        Err(Error::Refused(error)) if error.code() == NO_SUCH_METHOD => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// All that is remembered, of all servers, as it was heard of last.
pub(super) fn remembered(memory: &Memory, screen: &Screen) -> Result<u8, Failure> {
    let entries = memory.entries()?;
    let mut servers: Vec<&Place> = Vec::new();
    for entry in &entries {
        if !servers.contains(&&entry.server) {
            servers.push(&entry.server);
        }
    }
    for server in servers {
        if !screen.is_json() {
            let folder = match server {
                Place::Program { folder, .. } => format!("  in {}", folder.display()),
                Place::Url { .. } => String::new(),
            };
            screen.out(&format!("{}{}", style(one_line(&server.to_string())).bold(), style(folder).dim()));
        }
        show(
            screen,
            &entries.iter().filter(|entry| entry.server == *server).map(Row::of).collect::<Vec<_>>(),
        );
    }
    let sentence = if entries.is_empty() {
        "Nothing is remembered."
    } else {
        "So it was when it was heard of last; with --stdio or --http the server is asked."
    };
    screen.mention("note", json!({ "text": sentence }), sentence);
    Ok(0)
}

/// Forgets what is named, or all that is gone.
pub(super) fn forget(
    memory: &Memory,
    place: Option<&Place>,
    screen: &Screen,
    ids: &[String],
    gone: bool,
) -> Result<u8, Failure> {
    let mut keys = HashSet::new();
    for id in ids {
        let entry = memory.find(id, place)?;
        let entry = entry.ok_or_else(|| {
            Failure::Usage(format!("no task `{id}` is remembered in {}", memory.file().display()))
        })?;
        keys.insert((entry.key, entry.server));
    }
    let is_meant = |entry: &Entry| place.is_none_or(|place| entry.server == *place);
    let is_gone = |entry: &Entry| gone && entry.state.as_deref() == Some(GONE) && is_meant(entry);
    let is_named = |entry: &Entry| keys.contains(&(entry.key.clone(), entry.server.clone()));
    let count = memory.keep(|entry| !is_gone(entry) && !is_named(entry))?;
    screen.say("forgotten", json!({ "count": count }), &format!("{count} forgotten"));
    Ok(0)
}

impl<'a> Row<'a> {
    fn of(entry: &'a Entry) -> Self {
        let state = match (&entry.state, &entry.task) {
            (Some(state), _) => state,
            (None, Some(_)) => "unknown",
            (None, None) => "not answered",
        };
        Self {
            id: entry.id(),
            entry: Some(entry),
            state,
            message: entry.message.as_deref(),
            since: &entry.sent,
        }
    }
}

fn show(screen: &Screen, rows: &[Row<'_>]) {
    if screen.is_json() {
        for Row { id, entry, state, message, since } in rows {
            let mut members = json!({ "id": id, "state": state, "message": message, "since": since });
            if let Some(Entry { key, server, tool, arguments, .. }) = entry {
                members["remembered"] =
                    json!({ "key": key, "server": server, "tool": tool, "arguments": arguments });
            }
            screen.out(&aside("listed", members).to_string());
        }
        return;
    }
    let row = |row: &Row<'_>| {
        let tool = row.entry.map_or_else(String::new, |entry| one_line(&entry.tool));
        let state = match row.state {
            "completed" => style(row.state).green(),
            "failed" | GONE => style(row.state).red(),
            "input_required" | "not answered" => style(row.state).yellow(),
            "cancelled" => style(row.state).dim(),
            _ => style(row.state).cyan(),
        };
        let about = match (row.message, row.entry) {
            (Some(message), _) => one_line(message),
            (None, Some(entry)) => one_line(&entry.arguments.to_string()),
            (None, None) => String::new(),
        };
        [one_line(row.id), style(tool).bold().to_string(), state.to_string(), age(row.since), about]
    };
    for line in table(&rows.iter().map(row).collect::<Vec<_>>()) {
        screen.out(&cut(&line, screen.width()));
    }
}

/// How long ago a time was, in its greatest unit.
fn age(since: &str) -> String {
    let Ok(since) = humantime::parse_rfc3339_weak(since) else { return String::new() };
    let seconds = SystemTime::now().duration_since(since).unwrap_or_default().as_secs();
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3600 => format!("{}min ago", seconds / 60),
        3600..86400 => format!("{}h ago", seconds / 3600),
        _ => format!("{}d ago", seconds / 86400),
    }
}
