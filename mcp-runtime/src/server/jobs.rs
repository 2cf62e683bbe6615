//! Tools that leave their work to jobs elsewhere: how they run, and how their jobs are found again.

use std::sync::Arc;

use super::Shared;
use super::callee::Callee;
use super::run::{Run, Work};
use crate::protocol::ProtocolError;
use crate::protocol::payload::Ending;
use crate::task::{AskJob, Context, KnowJobs, Record};
use crate::telemetry::RunWatch;

impl Shared {
    /// A run of something that was called; of a tool that begins a job, with what becomes of that.
    pub(super) fn run(&self, callee: &dyn Callee, work: Work, cx: &Context) -> Run {
        let work = match (work, callee.jobs()) {
            (Work::Tool(work, wraps), Some(jobs)) => {
                let interval = callee.traits().task.poll.unwrap_or(self.tasks.poll);
                Work::Tool(jobs.kind.left(&self.states, work, wraps, interval, cx.clone()), wraps)
            }
            (work, _) => work,
        };
        Run::new(work, cx.clone(), RunWatch::new(&callee.traits().name), self.timeout(callee))
    }
}

impl KnowJobs for Shared {
    fn job(&self, record: &Record) -> Result<Arc<dyn AskJob>, Ending> {
        let lost = |why: &str| {
            let message = format!("the job of `{}` is lost: {why}", record.target);
            Ending::Error(ProtocolError::internal(message))
        };
        let handle = record.job.as_ref().map(|job| &job.handle).ok_or_else(|| lost("it has no handle"))?;
        let callee = self
            .catalogue()
            .named(record.kind, &record.target)
            .map_err(|_| lost("the server does not offer this tool any more"))?;
        let jobs = callee.jobs().ok_or_else(|| lost("this tool begins no jobs any more"))?;
        jobs.kind.known(&self.states, handle, jobs.wraps).map_err(|error| lost(&error))
    }
}
