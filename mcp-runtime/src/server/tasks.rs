//! What a client asks of tasks that are there: their state, their results, their end.

use std::sync::Arc;

use super::Shared;
use super::questions::Asking;
use crate::input::InputResponse;
use crate::limit;
use crate::protocol::ProtocolError;
use crate::task::store::{Place, StoreError};
use crate::task::{Principal, TaskId};
use crate::wire::{Beside, Outcome, Responses, legacy, unknown_task};

/// How many tasks a page of `tasks/list` has.
const TASKS_PER_PAGE: usize = 100;

impl Shared {
    /// The state of a task, with the partial results from this number on.
    pub(super) async fn task(
        &self,
        id: TaskId,
        cursor: Option<u32>,
        principal: &Principal,
    ) -> Result<Outcome, ProtocolError> {
        let record = self.engine.get(id, principal).await.map_err(refused)?;
        let record = self.engine.refreshed(record).await.map_err(refused)?;
        let ending =
            if record.status.is_terminal() { self.engine.ending(id).await.map_err(refused)? } else { None };
        // After the record: of what is over, this is all that there will be.
        let partials = self.engine.partials(&record, cursor.unwrap_or_default()).await.map_err(refused)?;
        let children = self.engine.children(&record).await.map_err(refused)?;
        Ok(Outcome::Task(record, ending, Beside { partials, children }))
    }

    /// Waits for the end of a task. What it wants to know meanwhile is asked on the stream of this request, unless the
    /// client was asked already.
    pub(super) async fn task_result(
        &self,
        id: TaskId,
        cursor: Option<u32>,
        principal: &Principal,
        mut asking: Asking,
    ) -> Result<Outcome, ProtocolError> {
        let seen = |record: &_| asking.ask(record);
        let record = self.engine.ended(id, principal, seen).await.map_err(refused)?;
        if !record.status.is_terminal() {
            // It goes on elsewhere.
            return Err(ProtocolError::stopping());
        }
        let ending = self.engine.ending(id).await.map_err(refused)?;
        let partials = match cursor {
            Some(cursor) => self.engine.partials(&record, cursor).await.map_err(refused)?,
            // What it came to is all that was asked for.
            None => None,
        };
        Ok(Outcome::TaskResult(record, ending, Beside { partials, children: None }))
    }

    pub(super) async fn list_tasks(
        &self,
        principal: &Principal,
        after: Option<Place>,
    ) -> Result<Outcome, ProtocolError> {
        let mut tasks = self.engine.list(principal, after, TASKS_PER_PAGE + 1).await.map_err(refused)?;
        let more = tasks.len() > TASKS_PER_PAGE;
        tasks.truncate(TASKS_PER_PAGE);
        let next = tasks.last().filter(|_| more).map(|last| Place(last.created_at, last.id));
        Ok(Outcome::Tasks(tasks, next))
    }

    pub(super) async fn cancel_task(
        &self,
        id: TaskId,
        principal: &Principal,
        is_modern: bool,
    ) -> Result<Outcome, ProtocolError> {
        match self.engine.cancel(id, principal).await {
            Ok(record) => Ok(Outcome::Cancelled(record)),
            // The extension acknowledges a wish; the core dialect answers with the state that it brought about.
            Err(StoreError::Refused(_)) if is_modern => Ok(Outcome::Empty),
            Err(StoreError::Refused(_)) => {
                let record = self.engine.get(id, principal).await.map_err(refused)?;
                let status = legacy::status(&record);
                Err(ProtocolError::invalid_params(format!(
                    "Cannot cancel task: already in terminal status '{status}'"
                )))
            }
            Err(error) => Err(refused(error)),
        }
    }

    /// Gives a task the answers that came. Those under keys that are not outstanding are acknowledged and ignored. One that
    /// does not fit its question is refused, after the others were taken: a client that thinks that it has answered asks
    /// nobody again.
    pub(super) async fn update_task(
        &self,
        id: TaskId,
        principal: &Principal,
        responses: Responses,
    ) -> Result<Outcome, ProtocolError> {
        let answer = |(key, result): (String, _)| (key.into(), Arc::new(InputResponse::Result(result)));
        let answers = responses.into_iter().map(answer).collect();
        let unfit = self.engine.answer(id, principal, answers).await.map_err(refused)?;
        if unfit.is_empty() {
            return Ok(Outcome::Empty);
        }
        let unfit =
            unfit.iter().map(|unfit| format!("the answer to `{}` does not fit: {}", unfit.key, unfit.wrong));
        let unfit = unfit.collect::<Vec<_>>().join("; ");
        Err(ProtocolError::invalid_params(format!("{unfit}; what was asked is still open")))
    }
}

/// A store's answer in the protocol's words.
pub(super) fn refused(error: StoreError) -> ProtocolError {
    match error {
        StoreError::NotFound => unknown_task(),
        StoreError::Refused(_) | StoreError::KeyConflict => ProtocolError::invalid_params(error.to_string()),
        StoreError::Limit(name, value) => {
            let is_size = name.ends_with("_size");
            limit::reached(name, value, if is_size { "" } else { "try again when tasks have ended" })
        }
        StoreError::Failed(doing, ref source) => {
            tracing::error!(doing, error = %source, "the task store failed");
            ProtocolError::internal(format!("{doing} failed"))
        }
    }
}
