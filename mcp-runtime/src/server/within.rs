//! A call that is answered by its result if that is there within a time, and by a task if not: `task(after = "..")`.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::call::{Begun, Caller};
use super::callee::Callee;
use super::plain::Becoming;
use super::run::Turn;
use super::tasks::refused;
use crate::background;
use crate::protocol::ProtocolError;
use crate::protocol::payload::Ending;
use crate::task::{NewRun, Record, Start, Status};
use crate::wire::{Call, Outcome};

impl Shared {
    /// Begins a call that becomes a task if it is not done within this time.
    ///
    /// It runs as a call until then. Under a key it is a task from its begin, for whoever calls again must find it and not
    /// run it twice; and so is a call that cannot begin yet, because only some may run at once and they do.
    pub(super) fn call_within(
        self: &Arc<Self>,
        after: Duration,
        callee: &Arc<dyn Callee>,
        call: Call<'_>,
        caller: &Caller<'_>,
    ) -> Result<Begun, ProtocolError> {
        let has_key = call.key.is_some();
        let turn = if has_key { None } else { Turn::free(callee.traits().places.as_ref()) };
        // What an earlier round remembers is not begun anew, even if it is one more than may run at once.
        let goes_on = call.responses.is_some() || call.state.is_some();
        if turn.is_none() && (has_key || !goes_on) {
            return Ok(match self.new_run(callee, &call, None, caller)? {
                Ok(run) => Begun::Look(Box::pin(Arc::clone(self).answer_within(after, run))),
                Err(refusal) => Begun::Now(Outcome::Result(refusal)),
            });
        }
        let becoming = Becoming { turn: turn.unwrap_or(Turn::Now(None)), after: Some(after) };
        self.call_plainly(callee, call, caller, Some(becoming))
    }

    /// Makes a task, and answers with its result if it has one within this time, and with the task if not, or if it wants
    /// to know something before.
    async fn answer_within(self: Arc<Self>, after: Duration, run: NewRun) -> Result<Outcome, ProtocolError> {
        let engine = Arc::clone(&self.engine);
        // Seen through, whatever becomes of the request.
        let created = background::see_through(async move {
            let created = engine.create(run).await?;
            engine.start_sweeper();
            Ok(created)
        });
        let created = created.await.map_err(|error| {
            tracing::error!(%error, "a task could not be made");
            ProtocolError::internal("the task could not be made")
        })?;
        let (record, start) = created.map_err(refused)?;
        // Its run begins.
        drop(start);
        let (id, principal) = (record.id, record.principal);
        let mut is_settled = |record: &Record| record.status != Status::Working;
        let settled = self.engine.until(id, &principal, &mut is_settled);
        let record = match tokio::time::timeout(after, settled).await {
            Ok(record) => record,
            Err(_) => self.engine.get(id, &principal).await,
        }
        .map_err(refused)?;
        if record.status.is_terminal()
            && let Some(ending) = self.engine.ending(id).await.map_err(refused)?
        {
            return match &*ending {
                Ending::Result(_) => Ok(Outcome::Kept(ending)),
                Ending::Error(error) => Err(error.clone()),
            };
        }
        Ok(Outcome::Created(record, Start::begun()))
    }
}
