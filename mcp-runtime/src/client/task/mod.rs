//! A task of the server's, followed: by what the server says of it by itself, and by polling.

pub(super) mod answers;
mod following;
mod status;

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use self::following::Following;
use self::status::Ending;
pub use self::status::{ChildTask, TaskState, TaskStatus};
use super::Client;
use super::ask::Ask;
use super::error::Error;
use super::result::{CallResult, Read};
use crate::protocol::ProtocolError;
use crate::protocol::names::meta;

/// A task of the server's.
///
/// It is a stream of statuses ([`next`](Self::next)), and gives the [result](Self::result) in the end. While it is followed,
/// what the task asks is answered by the client's handlers. Dropping it leaves the task as it is: whoever knows its id can
/// [resume](Client::resume) it.
pub struct TaskHandle<T = CallResult> {
    client: Client,
    status: TaskStatus,
    following: Option<Following>,
    /// The number of the first partial result that was not given.
    next_partial: u64,
    read: Read<T>,
}

impl TaskHandle {
    pub(super) fn new(client: Client, status: TaskStatus) -> Self {
        Self { client, status, following: None, next_partial: 0, read: Ok }
    }
}

impl<T> TaskHandle<T> {
    /// The same task, whose result is read in this way.
    pub(super) fn read_by<U>(self, read: Read<U>) -> TaskHandle<U> {
        let Self { client, status, following, next_partial, read: _ } = self;
        TaskHandle { client, status, following, next_partial, read }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The task's id, to be kept somewhere safe: with it, the task can be [resumed](Client::resume) after a crash.
    pub fn id(&self) -> &str {
        &self.status.id
    }

    /// Where the task stood when something was last heard of it.
    pub fn status(&self) -> &TaskStatus {
        &self.status
    }

    /// Waits until something happens, and gives the task's status then; `None` once it is over and that was said.
    ///
    /// The server is subscribed to where it offers that, and else polled at the interval that it wishes, or a little less
    /// often. Questions of the task's are answered by the client's handlers meanwhile.
    ///
    /// Cancel safe: what was not given is given by the next call.
    ///
    /// # Errors
    ///
    /// [`Error::TaskExpired`] if the server does not know the task any more; [`Error::Unanswered`] if it asks what nobody
    /// answers; [`Error::Lost`] and [`Error::TimedOut`] if the server cannot be reached, after which one may go on.
    pub async fn next(&mut self) -> Option<Result<TaskStatus, Error>> {
        if self.status.state.is_over() {
            return None;
        }
        let following = match &mut self.following {
            Some(following) => following,
            None => match Following::begin(&self.client, &self.status).await {
                Ok(following) => self.following.insert(following),
                Err(error) => return Some(Err(error)),
            },
        };
        match following.next(&self.status, &mut self.next_partial).await {
            Ok(status) => {
                self.status = status.clone();
                if status.state.is_over() {
                    self.following = None;
                    self.client.answers().forget(&status.id);
                }
                Some(Ok(status))
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Follows the task to its end, and gives what the call would have given. May be called as often as one likes.
    ///
    /// # Errors
    ///
    /// [`Error::TaskFailed`], [`Error::TaskCancelled`], or what [`next`](Self::next) fails with.
    pub async fn result(&mut self) -> Result<T, Error> {
        while let Some(status) = self.next().await {
            status?;
        }
        self.client.conclude(&self.status).await.and_then(self.read)
    }

    /// Asks the server to cancel the task. What becomes of it is told by [`next`](Self::next).
    pub async fn cancel(&self) -> Result<(), Error> {
        self.client.cancel_task(self.id()).await
    }

    /// Leaves the task to itself, and gives its id, by which it can be [resumed](Client::resume).
    pub fn detach(self) -> String {
        self.status.id.to_string()
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Client {
    /// Goes on with a task whose id was kept, for example by a run of the program that crashed.
    ///
    /// # Errors
    ///
    /// [`Error::TaskExpired`] if the server does not know it, or not any more.
    pub async fn resume(&self, id: &str) -> Result<TaskHandle, Error> {
        let status = self.get_task_status(id).await?;
        // What was found before is given by the first status.
        Ok(TaskHandle::new(self.clone(), TaskStatus { partials: Vec::new(), ..status }))
    }

    /// Where a task stands at this moment (`tasks/get`). What it asks is not answered by that.
    ///
    /// # Errors
    ///
    /// [`Error::TaskExpired`] if the server does not know it, or not any more.
    pub async fn get_task_status(&self, id: &str) -> Result<TaskStatus, Error> {
        self.task_status(id, None).await
    }

    async fn task_status(&self, id: &str, next_partial: Option<u64>) -> Result<TaskStatus, Error> {
        let mut ask = Ask::new("tasks/get", json!({ "taskId": id }), self.settings());
        if let Some(cursor) = next_partial {
            ask.set_meta(meta::PARTIAL, json!({ "cursor": cursor }));
        }
        let task = self.connection().request(&ask).await.map_err(|error| of_task(id, error))?;
        TaskStatus::read(task)
    }

    /// What the call would have given, once the task is over; as often as one likes. What the task asks is answered.
    ///
    /// # Errors
    ///
    /// Those of [`TaskHandle::result`].
    pub async fn get_task_result(&self, id: &str) -> Result<CallResult, Error> {
        self.resume(id).await?.result().await
    }

    /// Asks the server to cancel a task (`tasks/cancel`).
    pub async fn cancel_task(&self, id: &str) -> Result<(), Error> {
        let ask = Ask::new("tasks/cancel", json!({ "taskId": id }), self.settings());
        match self.connection().request(&ask).await {
            Ok(_) => Ok(()),
            Err(Error::Refused(error)) if error.code() == ProtocolError::INVALID_PARAMS => {
                // One that is over cannot be cancelled any more, which is another thing than that it is not there.
                self.get_task_status(id).await?;
                Err(Error::Refused(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Answers what a task asks (`tasks/update`): results of the requests in [`TaskStatus::questions`], by their keys. For
    /// programs that do not answer by handlers.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] on the revisions that open with `initialize`, whose tasks ask by requests.
    pub async fn update_task(&self, id: &str, responses: Value) -> Result<(), Error> {
        if !self.is_modern().await? {
            let message = "this revision of the protocol answers tasks by the client's handlers alone";
            return Err(Error::Unsupported(message.to_owned()));
        }
        let params = json!({ "taskId": id, "inputResponses": responses });
        let ask = Ask::new("tasks/update", params, self.settings());
        self.connection().request(&ask).await.map(drop).map_err(|error| of_task(id, error))
    }

    /// The tasks that the server keeps for this client (`tasks/list`), all pages of them.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] on the stateless protocol, whose servers do not list tasks: there, keep the ids.
    pub async fn list_tasks(&self) -> Result<Vec<TaskStatus>, Error> {
        if self.is_modern().await? {
            let message = "servers of this revision of the protocol do not list tasks: keep the ids of yours";
            return Err(Error::Unsupported(message.to_owned()));
        }
        let tasks = self.pages("tasks/list", "tasks").await?.items;
        tasks.into_iter().map(TaskStatus::read).collect()
    }

    /// What a task that is over came to.
    async fn conclude(&self, status: &TaskStatus) -> Result<CallResult, Error> {
        let id = || Arc::clone(&status.id);
        if status.state == TaskState::Cancelled {
            return Err(Error::TaskCancelled { id: id(), message: status.message.clone() });
        }
        if self.is_modern().await? {
            // What a call is answered with says where its task stands, and not what it came to.
            let ending = match &status.ending {
                Some(ending) => Some(ending.clone()),
                None => self.get_task_status(&status.id).await?.ending,
            };
            return match ending {
                Some(Ending::Result(result)) => CallResult::read(result),
                Some(Ending::Error(error)) => {
                    let error = serde_json::from_value(error);
                    let error = error.unwrap_or_else(|_| ProtocolError::internal("the task failed"));
                    Err(Error::TaskFailed { id: id(), error })
                }
                None => Err(Error::malformed(format_args!("a task that is {} has no result", status.state))),
            };
        }
        let ask = Ask::new("tasks/result", json!({ "taskId": &*status.id }), self.settings());
        match self.connection().request(&ask).await {
            Ok(result) => CallResult::read(result),
            Err(Error::Refused(error)) if status.state == TaskState::Failed => {
                Err(Error::TaskFailed { id: id(), error })
            }
            Err(error) => Err(of_task(&status.id, error)),
        }
    }
}

/// What an error says of a task: -32602 is that the server does not know it.
fn of_task(id: &str, error: Error) -> Error {
    match error {
        Error::Refused(error) if error.code() == ProtocolError::INVALID_PARAMS => {
            Error::TaskExpired { id: id.into() }
        }
        error => error,
    }
}
