//! What comes of a tool that leaves its work to a job elsewhere: as a task, which the job is from then on, and as a call,
//! which waits for it.

use std::sync::Arc;
use std::time::Duration;

use super::ToolFuture;
use super::job::{AnyJob, JobStatus, OpenJob};
use super::output::{ToolError, ToolResult, ending};
use crate::protocol::ProtocolError;
use crate::task::store::Report;
use crate::task::{AskJob, Asked, Context, JobState, stop};

/// What a tool gives; if that is a job, what the job gives.
pub(super) async fn left_to_job(
    work: ToolFuture,
    open: OpenJob,
    wraps: bool,
    interval: Duration,
    cx: Context,
) -> Result<ToolResult, ToolError> {
    let mut result = work.await?;
    let Some(handle) = result.take_job() else { return Ok(result) };
    let unopened = |error| ProtocolError::internal(format!("the job that the tool began is lost: {error}"));
    let job = open(&handle).map_err(|error| ToolError::Protocol(unopened(error)))?;
    let mut begun = Begun(Some(Known { job: Arc::clone(&job), wraps }));
    while !cx.was_cancelled() {
        // A call may become a task at any time.
        if let Some(task) = cx.link()
            && let Some(known) = begun.0.take()
        {
            task.hand_over(Arc::from(handle), Arc::new(known)).await;
            // The task is not this run's any more, so whatever comes of the run is refused.
            return Ok(ToolResult::empty());
        }
        match Arc::clone(&job).poll().await {
            Ok(JobStatus::Working { progress, message }) => {
                if let Some((done, total)) = progress {
                    cx.progress(done, total, message.unwrap_or_default());
                }
            }
            Ok(JobStatus::Done(outcome)) => {
                begun.0 = None;
                return outcome;
            }
            Ok(JobStatus::Failed(what)) => {
                begun.0 = None;
                return Ok(ToolResult::error(what));
            }
            Err(error) => tracing::warn!(error, "a job could not be asked how far it is"),
        }
        tokio::time::sleep(interval).await;
    }
    Err(ToolError::message("the call was cancelled"))
}

/// A job that was begun for a call, and is stopped with it.
struct Begun(Option<Known>);

impl Drop for Begun {
    fn drop(&mut self) {
        // Where there is no runtime any more, there is nothing to stop it with.
        if let (Some(known), Ok(_)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            stop(None, Arc::new(known));
        }
    }
}

/// A job, in the words of the engine.
pub(super) struct Known {
    pub(super) job: Arc<dyn AnyJob>,
    /// Whether what it gives is wrapped on the legacy wires.
    pub(super) wraps: bool,
}

impl AskJob for Known {
    fn poll(self: Arc<Self>) -> Asked<JobState> {
        Box::pin(async move {
            Ok(match Arc::clone(&self.job).poll().await? {
                JobStatus::Working { progress, message } => {
                    JobState::Working(Report { progress, message: message.map(Into::into) })
                }
                JobStatus::Done(outcome) => JobState::Over(ending(outcome, self.wraps)),
                JobStatus::Failed(what) => JobState::Over(ending(Ok(ToolResult::error(what)), self.wraps)),
            })
        })
    }

    fn cancel(self: Arc<Self>) -> Asked<()> {
        Arc::clone(&self.job).cancel()
    }
}
