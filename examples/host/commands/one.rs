//! `follow`, `result`, `cancel` and `answer`: commands about tasks that are named.

use std::sync::Arc;

use mcp_runtime::client::{Error, TaskState};
use serde_json::json;

use crate::connecting::Host;
use crate::event::{About, Event};
use crate::failure::{Failure, LEFT};
use crate::following::follow;
use crate::interrupts::Interrupts;
use crate::job::{Call, Job, remember};
use crate::memory::{Entry, GONE, Memory};
use crate::place::Place;
use crate::screen::text::one_line;

/// A task that the command line names.
#[derive(Debug)]
pub(super) struct Named {
    id: String,
    /// What is remembered of it.
    pub(super) entry: Option<Entry>,
}

impl Named {
    /// The tasks of these ids, which are all at one server.
    pub(super) fn all(ids: &[String], place: Option<&Place>, memory: &Memory) -> Result<Vec<Self>, Failure> {
        let mut tasks: Vec<Self> = Vec::new();
        for id in ids {
            let entry = memory.find(id, place)?;
            if entry.is_none() && place.is_none() {
                return Err(Failure::Usage(format!(
                    "no task `{id}` is remembered in {}; say where its server is, by --stdio or --http",
                    memory.file().display()
                )));
            }
            let id = entry.as_ref().map_or(id.as_str(), Entry::id).to_owned();
            if tasks.iter().all(|task| task.id != id) {
                tasks.push(Self { id, entry });
            }
        }
        let server = |task: &Self| task.entry.as_ref().map(|entry| entry.server.clone());
        match tasks.iter().find(|task| place.is_none() && server(task) != server(&tasks[0])) {
            Some(other) => Err(Failure::Usage(format!(
                "tasks {} and {} are at different servers; say their commands one after the other",
                tasks[0].id, other.id
            ))),
            None => Ok(tasks),
        }
    }

    fn tool(&self) -> Option<String> {
        self.entry.as_ref().map(|entry| entry.tool.clone())
    }
}

/// What is to be followed: tasks, and calls that are sent again since nobody knows their tasks.
pub(super) fn jobs(tasks: &[Named]) -> Vec<Job> {
    let job = |(number, named): (usize, &Named)| match &named.entry {
        Some(entry) if entry.task.is_none() => {
            let task = entry.as_task.then_some(true);
            Job::call(number, Call { entry: entry.clone(), task, is_noted: true })
        }
        _ => Job::resume(number, &named.id, named.tool()),
    };
    tasks.iter().enumerate().map(job).collect()
}

/// The id of the one task, which must have been made.
fn id_of(tasks: &[Named]) -> Result<&str, Failure> {
    match tasks {
        [Named { id, entry }] if entry.as_ref().is_none_or(|entry| entry.task.is_some()) => Ok(id),
        [Named { id, .. }, ..] => Err(Failure::Usage(format!(
            "`{id}` is a call that was never answered; `follow` sends it again, which gives its task"
        ))),
        [] => Err(Failure::Usage("no task is named".to_owned())),
    }
}

/// Notes it where the server does not know a task.
fn noted<T>(host: &Host, id: &str, done: Result<T, Error>) -> Result<T, Failure> {
    if matches!(done, Err(Error::TaskExpired { .. })) {
        host.remembering(host.memory.seen(&host.place, id, GONE, None));
    }
    Ok(done?)
}

/// Prints the result of a task that is over.
pub(super) async fn result(host: &Arc<Host>, tasks: &[Named]) -> Result<u8, Failure> {
    let id = id_of(tasks)?;
    let status = noted(host, id, host.client.get_task_status(id).await)?;
    remember(host, id, status.state, status.message.as_deref());
    if !status.state.is_over() {
        return Err(Failure::NotOver { id: id.to_owned(), state: status.state });
    }
    Ok(follow(host, jobs(tasks)).await)
}

/// Asks the server to cancel tasks, and says where they stand then. Gives the highest exit code.
pub(super) async fn cancel(host: &Arc<Host>, tasks: &[Named]) -> Result<u8, Failure> {
    let mut code = 0;
    for (number, task) in tasks.iter().enumerate() {
        let cancelled = match id_of(std::slice::from_ref(task)) {
            Ok(id) => cancel_one(host, id).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = cancelled {
            code = code.max(failure.code());
            let (code, kind, message) = (failure.code(), failure.kind(), failure.to_string());
            let event = Event::Failed { code, kind, message };
            let tool = task.tool();
            host.screen.tell(&About { call: number, tool: tool.as_deref(), task: Some(&task.id), event });
        }
    }
    Ok(code)
}

async fn cancel_one(host: &Host, id: &str) -> Result<(), Failure> {
    noted(host, id, host.client.cancel_task(id).await)?;
    let status = noted(host, id, host.client.get_task_status(id).await)?;
    remember(host, id, status.state, status.message.as_deref());
    if status.state.is_over() && status.state != TaskState::Cancelled {
        return Err(Failure::Over { id: id.to_owned(), state: status.state });
    }
    let sentence = match status.state {
        TaskState::Cancelled => format!("task {id} is cancelled"),
        state => format!("the server was asked to cancel task {id}, and took note; it is {state} yet"),
    };
    let members = json!({ "task": id, "state": status.state.as_str(), "message": status.message });
    host.screen.say("cancelled", members, &sentence);
    Ok(())
}

/// Answers what a task waits for. What it does with the answers is not waited for.
pub(super) async fn answer(host: &Arc<Host>, tasks: &[Named]) -> Result<u8, Failure> {
    let id = id_of(tasks)?;
    let mut task = noted(host, id, host.client.resume(id).await)?;
    if task.status().state != TaskState::InputRequired {
        let state = task.status().state;
        return Err(Failure::Usage(format!("task {id} is {state}: it waits for no answer")));
    }
    let mut interrupts = Interrupts::listen();
    let answered = async {
        while let Some(status) = task.next().await {
            let status = status?;
            if status.state != TaskState::InputRequired {
                return Ok(status);
            }
        }
        Ok(task.status().clone())
    };
    let status = tokio::select! {
        status = answered => noted(host, id, status)?,
        _ = interrupts.next() => {
            host.screen.urgent(&format!("Task {id} still waits. To come back:\n  {}", host.come_back("answer", &[id])));
            return Ok(LEFT);
        }
    };
    remember(host, id, status.state, status.message.as_deref());
    let told =
        status.message.as_deref().map_or_else(String::new, |message| format!(": {}", one_line(message)));
    let members = json!({ "task": id, "state": status.state.as_str(), "message": status.message });
    host.screen.say("answered", members, &format!("task {id} is {} now{told}", status.state));
    Ok(0)
}
