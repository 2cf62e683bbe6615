//! One call or task of this run, from its beginning to its result.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcp_runtime::client::{Begun, CallResult, Error, Progress, TaskHandle, TaskState, TaskStatus};
use serde_json::json;

use crate::connecting::Host;
use crate::content;
use crate::event::{About, Event, Numbers, Status};
use crate::failure::{Failure, TOOL_FAILED};
use crate::memory::{Entry, GONE};

/// What is called or followed, and how far it is.
#[derive(Debug)]
pub(crate) struct Job {
    /// Its number in this run.
    number: usize,
    tool: Option<String>,
    begin: Begin,
    stage: Mutex<Stage>,
}

/// How a job begins.
#[derive(Debug)]
enum Begin {
    Call(Box<Call>),
    Resume(String),
}

/// A call that is to be sent.
#[derive(Debug)]
pub(crate) struct Call {
    /// What is remembered of it.
    pub(crate) entry: Entry,
    /// Whether it is to be a task; as the server likes if nothing is said.
    pub(crate) task: Option<bool>,
    /// Whether it may become a task that is worth remembering.
    pub(crate) is_noted: bool,
}

/// How far a job is.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Nothing was sent, nor noted.
    New,
    /// The server has not said what it makes of the call.
    Sent,
    /// It is this task.
    Task(Arc<str>),
    Over,
}

impl Job {
    pub(crate) fn call(number: usize, call: Call) -> Self {
        let tool = Some(call.entry.tool.clone());
        Self { number, tool, begin: Begin::Call(Box::new(call)), stage: Mutex::new(Stage::New) }
    }

    /// A task whose id is known. `tool` is what it runs, if that is remembered.
    pub(crate) fn resume(number: usize, id: &str, tool: Option<String>) -> Self {
        Self { number, tool, begin: Begin::Resume(id.to_owned()), stage: Mutex::new(Stage::Task(id.into())) }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_stage(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// By what the call is known to the server, if it may be a task there of which nobody has heard yet.
    pub(crate) fn key(&self) -> Option<&str> {
        match &self.begin {
            Begin::Call(call) if call.is_noted => Some(&call.entry.key),
            _ => None,
        }
    }

    pub(crate) fn tell(&self, host: &Host, event: Event<'_>) {
        let stage = self.stage();
        let id = match (&stage, &self.begin) {
            (Stage::Task(id), _) => Some(&**id),
            (_, Begin::Resume(id)) => Some(id.as_str()),
            _ => None,
        };
        host.screen.tell(&About { call: self.number, tool: self.tool.as_deref(), task: id, event });
    }

    /// Sends the call, and leaves the task to itself if it is one.
    pub(crate) async fn detach(&self, host: &Arc<Host>) -> u8 {
        let begun = match &self.begin {
            Begin::Call(call) => self.begin(host, call).await,
            Begin::Resume(_) => return 0,
        };
        match begun {
            Ok(Begun::Task(task)) => {
                let command = host.come_back("follow", &[task.id()]);
                self.tell(host, Event::Left { command: &command });
                0
            }
            Ok(Begun::Done(result)) => self.finish(host, Ok(result)),
            Err(error) => self.finish(host, Err(error)),
        }
    }

    /// Goes on to the end, shows what it comes to, and gives the exit code of that.
    ///
    /// Dropping the future leaves a task as it is, and gives up a call that is none.
    pub(crate) async fn run(self: Arc<Self>, host: Arc<Host>) -> u8 {
        let result = match &self.begin {
            Begin::Call(call) => match self.begin(&host, call).await {
                Ok(Begun::Done(result)) => Ok(result),
                Ok(Begun::Task(task)) => self.follow(&host, *task).await,
                Err(error) => Err(error),
            },
            Begin::Resume(id) => match host.client.resume(id).await {
                Ok(task) => {
                    self.tell(&host, Event::Task);
                    self.follow(&host, task).await
                }
                Err(error) => Err(error),
            },
        };
        self.finish(&host, result)
    }

    /// Sends the call. What is noted before is what a crash cannot take.
    async fn begin(&self, host: &Arc<Host>, call: &Call) -> Result<Begun, Error> {
        let Call { entry, task, is_noted } = call;
        if *is_noted {
            host.remembering(host.memory.note(entry.clone()));
        }
        self.set_stage(Stage::Sent);
        self.tell(host, Event::Calling { key: &entry.key, arguments: &entry.arguments });
        let mut sending =
            host.client.call_tool(&*entry.tool, entry.arguments.clone()).idempotency_key(&*entry.key);
        if let Some(task) = task {
            sending = sending.create_task(*task);
        }
        if let Some(ttl) = entry.ttl_ms {
            sending = sending.ttl(Duration::from_millis(ttl));
        }
        let (number, tool, screen) = (self.number, self.tool.clone(), Arc::clone(&host.screen));
        let sending = sending.on_progress(move |Progress { done, total, message, .. }| {
            let event = Event::Progress { progress: Numbers { done, total }, message: message.as_deref() };
            screen.tell(&About { call: number, tool: tool.as_deref(), task: None, event });
        });
        let begun = sending.begin().await;
        match &begun {
            Ok(Begun::Task(task)) => {
                self.set_stage(Stage::Task(task.id().into()));
                host.remembering(host.memory.made(&host.place, &entry.key, task.id()));
                self.tell(host, Event::Task);
            }
            // There is a task perhaps, of which the answer was lost.
            Err(Error::Lost(_) | Error::TimedOut(_)) => {}
            Ok(Begun::Done(_)) | Err(_) if *is_noted => {
                let is_it = |known: &Entry| known.key == entry.key && known.server == entry.server;
                host.remembering(host.memory.keep(|known| !is_it(known) || known.task.is_some()));
            }
            Ok(Begun::Done(_)) | Err(_) => {}
        }
        begun
    }

    async fn follow(&self, host: &Host, mut task: TaskHandle) -> Result<CallResult, Error> {
        let mut told = None;
        let mut tell = |status: &TaskStatus| {
            self.tell(host, Event::Status(Status::of(status)));
            for value in &status.partials {
                self.tell(host, Event::Partial { value });
            }
            if told.replace(status.state) != Some(status.state) {
                remember(host, &status.id, status.state, status.message.as_deref());
            }
        };
        tell(task.status());
        while let Some(status) = task.next().await {
            tell(&status?);
        }
        task.result().await
    }

    /// Shows what it came to.
    fn finish(&self, host: &Host, result: Result<CallResult, Error>) -> u8 {
        let code = match result {
            Ok(result) => self.show(host, result).unwrap_or_else(|failure| self.fail(host, &failure)),
            Err(error) => self.explain(host, error),
        };
        self.set_stage(Stage::Over);
        code
    }

    fn show(&self, host: &Host, result: CallResult) -> Result<u8, Failure> {
        let is_error = result.is_error();
        let tool = self.tool.as_deref().unwrap_or("result");
        let folder = host.manner.save.as_deref();
        let shown = |folder: Option<&Path>| {
            content::shown(result.content(), result.structured_content(), tool, folder)
        };
        let (shown, failure) = match shown(folder) {
            Ok(shown) => (shown, None),
            // The result is shown, even if its files cannot be written.
            Err(failure) => (shown(None)?, Some(failure)),
        };
        let (text, files) = shown;
        self.tell(host, Event::Result { is_error, result: &result.into_json() });
        if host.screen.is_json() {
            for file in files {
                host.screen.say("saved", json!({ "call": self.number, "file": file }), "");
            }
        } else {
            host.screen.out(&text);
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(if is_error { TOOL_FAILED } else { 0 }),
        }
    }

    fn fail(&self, host: &Host, failure: &Failure) -> u8 {
        let (code, kind) = (failure.code(), failure.kind());
        self.tell(host, Event::Failed { code, kind, message: failure.to_string() });
        code
    }

    /// Says why there is no result, and by which command there may be one yet.
    fn explain(&self, host: &Host, error: Error) -> u8 {
        let stage = self.stage();
        let command = match (&error, &stage, self.key()) {
            (Error::Lost(_) | Error::TimedOut(_), Stage::Task(id), _) => {
                Some(host.come_back("follow", &[id]))
            }
            (Error::Lost(_) | Error::TimedOut(_), Stage::Sent, Some(key)) => {
                Some(host.come_back("follow", &[key]))
            }
            (Error::Unanswered { .. }, Stage::Task(id), _) => Some(host.come_back("answer", &[id])),
            (Error::TaskExpired { .. }, Stage::Task(id), _) => {
                host.remembering(host.memory.seen(&host.place, id, GONE, None));
                None
            }
            _ => None,
        };
        let code = self.fail(host, &Failure::Client(error));
        if let Some(command) = command {
            self.tell(host, Event::Left { command: &command });
        }
        code
    }

    /// By what one comes back to it, if there is something to come back to.
    pub(crate) fn handle(&self) -> Option<Arc<str>> {
        match (self.stage(), self.key()) {
            (Stage::Task(id), _) => Some(id),
            (Stage::Sent, Some(key)) => Some(key.into()),
            (Stage::New | Stage::Sent | Stage::Over, _) => None,
        }
    }
}

/// Keeps where a task stands.
pub(crate) fn remember(host: &Host, id: &str, state: TaskState, message: Option<&str>) {
    host.remembering(host.memory.seen(&host.place, id, state.as_str(), message));
}
