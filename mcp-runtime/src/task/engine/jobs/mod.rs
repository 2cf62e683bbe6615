//! Jobs elsewhere that tasks stand for: asked how far they are when somebody wants to know, and stopped with their tasks.
//!
//! A task that was handed over has no run and no worker. The store lets its job be asked at most once in a poll interval,
//! whoever wants to, in whatever process; here, whoever wants to know while it is asked waits for the same answer.

mod asking;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use self::asking::{answered, ask_again_and_again};
use super::{Engine, FIRST_PAUSE, LONGEST_PAUSE, TaskLink};
use crate::background::{self, Background};
use crate::protocol::ProtocolError;
use crate::protocol::payload::Ending;
use crate::task::identity::{Epoch, TaskId};
use crate::task::panic::{guarded, panic_message};
use crate::task::record::{Event, Record, Refusal, Report, Status};
use crate::task::store::StoreError;
use crate::telemetry;

/// How long a job may take to say how far it is.
const LONGEST_POLL: Duration = Duration::from_secs(30);

/// How long somebody who asks for a task waits for what its job says. After that the state is told as it was.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a job that nobody asks is left alone. What ends it then is that it says so.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// How often a job is told to stop before it is left to itself.
const STOPS: u32 = 5;

/// Knows the jobs that tasks stand for.
pub(crate) trait KnowJobs: Send + Sync {
    /// The job of a task, or how the task ends because there is no way to it any more.
    fn job(&self, record: &Record) -> Result<Arc<dyn AskJob>, Ending>;
}

/// A job elsewhere.
pub(crate) trait AskJob: Send + Sync {
    fn poll(self: Arc<Self>) -> Asked<JobState>;
    fn cancel(self: Arc<Self>) -> Asked<()>;
}

/// What a job answers, or why it could not be asked.
pub(crate) type Asked<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;

/// How far a job is.
pub(crate) enum JobState {
    Working(Report),
    Over(Ending),
}

/// What an engine knows of jobs.
#[derive(Default)]
pub(super) struct Desk {
    known: OnceLock<Weak<dyn KnowJobs>>,
    /// What looks after them, where there are any.
    keeps: OnceLock<&'static dyn KeepJobs>,
    /// The jobs that are being asked at this moment. Whoever waits for one sees its channel close.
    asked: Mutex<HashMap<TaskId, watch::Receiver<()>>>,
    /// The jobs that somebody follows: how many do, and what asks again and again for them.
    followed: Mutex<HashMap<TaskId, (usize, AbortHandle)>>,
    /// What asks the jobs that nobody else asks.
    reminder: OnceLock<AbortHandle>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.reminder.get().into_iter().for_each(AbortHandle::abort);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody who follows a task that stands for a job. As long as this is there, the job is asked once in a poll interval.
#[derive(Debug)]
pub(crate) struct Following {
    engine: Weak<Engine>,
    id: TaskId,
}

impl Drop for Following {
    fn drop(&mut self) {
        let Some(engine) = self.engine.upgrade() else { return };
        let mut followed = lock(&engine.desk.followed);
        if let Entry::Occupied(mut entry) = followed.entry(self.id) {
            entry.get_mut().0 -= 1;
            if entry.get().0 == 0 {
                entry.remove().1.abort();
            }
        }
    }
}

impl TaskLink {
    /// Leaves the task to a job: this run has no more to say in it. Seen through, whatever becomes of the run; a job whose
    /// task was cancelled meanwhile is stopped.
    pub(crate) async fn hand_over(&self, handle: Arc<RawValue>, job: Arc<dyn AskJob>) {
        let Some(engine) = self.engine.upgrade() else { return };
        let (id, epoch) = (self.id, self.epoch);
        // An error would be a panic, of which there is none in there.
        let handed_over = async move { engine.hand_over(id, epoch, handle, job).await };
        let _ = background::see_through(handed_over).await;
    }
}

impl Engine {
    /// Says who knows the jobs. Whether that was not said before.
    pub(crate) fn know_jobs(&self, known: Weak<dyn KnowJobs>) -> bool {
        self.desk.known.set(known).is_ok()
    }

    /// Begins to look after jobs.
    pub(crate) fn keep_jobs(self: &Arc<Self>) {
        // What was kept from an earlier process may be jobs already; what is not kept is told of when it is handed over.
        if self.desk.keeps.set(&Keeping).is_ok() && self.store.is_durable() {
            self.remember_jobs();
        }
    }

    /// The record as it is when its job, if it has one, was asked how far it is; or as it was, if that takes too long.
    pub(crate) async fn refreshed(self: &Arc<Self>, record: Record) -> Result<Record, StoreError> {
        if !is_at_work_elsewhere(&record) {
            return Ok(record);
        }
        if let Some(keeps) = self.desk.keeps.get() {
            return keeps.refreshed(self, record).await;
        }
        self.lose_job(&record).await;
        self.get(record.id, &record.principal).await
    }

    /// Has a job asked from now on, as long as what this gives is there. `None` if the task stands for no job.
    pub(crate) fn follow_job(self: &Arc<Self>, record: &Record) -> Option<Following> {
        if !is_at_work_elsewhere(record) {
            return None;
        }
        let Some(keeps) = self.desk.keeps.get() else {
            let (engine, record) = (Arc::clone(self), record.clone());
            background::spawn(async move { engine.lose_job(&record).await });
            return None;
        };
        keeps.follow(self, record);
        Some(Following { engine: Arc::downgrade(self), id: record.id })
    }

    /// Ends the task of a job that cannot be asked, because no tool here begins jobs.
    async fn lose_job(self: &Arc<Self>, record: &Record) {
        let Some(known) = self.desk.known.get().and_then(Weak::upgrade) else { return };
        if let Err(ending) = known.job(record)
            && let Err(error) = self.try_to_end(record.id, record.epoch, &Arc::new(ending)).await
        {
            tracing::error!(task = %record.id, %error, "the end of a job could not be recorded");
        }
    }

    /// Stops the job of a task that was cancelled, if it stands for one.
    pub(super) fn stop_job(&self, record: &Record) {
        if record.status != Status::Cancelled || record.job.is_none() {
            return;
        }
        let known = self.desk.known.get().and_then(Weak::upgrade);
        match (self.desk.keeps.get(), known.map(|known| known.job(record))) {
            (Some(keeps), Some(Ok(job))) => keeps.stop(record.id, job),
            _ => {
                tracing::warn!(task = %record.id, "there is no way to the job of a cancelled task; it goes on");
            }
        }
    }

    /// Ends the tasks that stand for jobs, and stops these, within the time that functions have to clean up: for a store
    /// that goes with the process, and with it everything that is known of them.
    pub(super) async fn stop_jobs(self: &Arc<Self>) {
        if let Some(keeps) = self.desk.keeps.get() {
            keeps.stop_all(self).await;
        }
    }

    /// Begins to ask the jobs that nobody else asks, once: so that a task of which nobody wants to know any more ends all the
    /// same, and expires.
    fn remember_jobs(self: &Arc<Self>) {
        self.desk.reminder.get_or_init(|| {
            let engine = Arc::downgrade(self);
            background::spawn(async move {
                loop {
                    tokio::time::sleep(FORGOTTEN / 2).await;
                    let Some(engine) = engine.upgrade() else { return };
                    engine.ask_forgotten().await;
                }
            })
        });
    }

    async fn hand_over(
        self: &Arc<Self>,
        id: TaskId,
        epoch: Epoch,
        handle: Arc<RawValue>,
        job: Arc<dyn AskJob>,
    ) {
        // The tool may be one that was added while the server runs.
        self.keep_jobs();
        let mut pause = FIRST_PAUSE;
        loop {
            match self.store.apply(id, Event::Hand(epoch, Arc::clone(&handle))).await {
                Ok(record) => {
                    telemetry::left_to_job(&record);
                    self.remember_jobs();
                    return self.watchers.changed(&id);
                }
                Err(StoreError::Refused(Refusal::Terminal(_)) | StoreError::NotFound) => {
                    return stop(Some(id), job);
                }
                Err(StoreError::Refused(_)) if self.has_job(id, &handle).await => {
                    // It was recorded, and only the store's answer was lost.
                    return self.watchers.changed(&id);
                }
                // The run that took over may stand for the same job.
                Err(StoreError::Refused(refusal)) => {
                    tracing::warn!(task = %id, job = handle.get(), %refusal, "a task could not be left to its job");
                    return;
                }
                Err(error) => {
                    // Nobody else knows of the job. Its handle is kept here until the store takes it.
                    tracing::error!(task = %id, %error, "the job of a task could not be recorded; it is tried again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn has_job(&self, id: TaskId, handle: &RawValue) -> bool {
        let record = self.store.get(id).await.ok().flatten();
        record.and_then(|record| record.job).is_some_and(|job| job.handle.get() == handle.get())
    }

    /// Whether a job is asked because somebody follows its task.
    #[cfg(test)]
    pub(crate) fn follows_job(&self, id: TaskId) -> bool {
        lock(&self.desk.followed).contains_key(&id)
    }

    async fn stop_all_jobs(self: &Arc<Self>) {
        // Without it, there never was a job.
        if self.desk.reminder.get().is_none() {
            return;
        }
        let Ok(ids) = self.store.forgotten(Duration::ZERO, usize::MAX).await else { return };
        let mut stopping = JoinSet::new();
        for id in ids {
            let engine = Arc::clone(self);
            let stop: Background = Box::pin(async move { engine.stop_job_now(id).await });
            stopping.spawn(stop);
        }
        let limit = self.settings.cancel_grace;
        if tokio::time::timeout(limit, stopping.join_all()).await.is_err() {
            tracing::warn!("jobs could not be stopped within {limit:?}");
        }
    }

    async fn stop_job_now(self: &Arc<Self>, id: TaskId) {
        let Ok(Some(record)) = self.store.get(id).await else { return };
        let job = self.desk.known.get().and_then(Weak::upgrade).and_then(|known| known.job(&record).ok());
        let error =
            ProtocolError::internal("the server stopped before the job was done; call the tool again");
        self.end_job(&record, Ending::Error(error)).await;
        if let Some(job) = job
            && let Err(error) = job.cancel().await
        {
            tracing::warn!(task = %id, error, "a job could not be stopped");
        }
    }
}

/// How jobs are looked after. It is reached by the tools that begin jobs alone, and not there where no tool does.
trait KeepJobs: Send + Sync {
    fn refreshed<'a>(
        &self,
        engine: &'a Arc<Engine>,
        record: Record,
    ) -> Pin<Box<dyn Future<Output = Result<Record, StoreError>> + Send + 'a>>;

    fn follow(&self, engine: &Arc<Engine>, record: &Record);

    fn stop(&self, id: TaskId, job: Arc<dyn AskJob>);

    fn stop_all<'a>(&self, engine: &'a Arc<Engine>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

struct Keeping;

impl KeepJobs for Keeping {
    fn refreshed<'a>(
        &self,
        engine: &'a Arc<Engine>,
        record: Record,
    ) -> Pin<Box<dyn Future<Output = Result<Record, StoreError>> + Send + 'a>> {
        Box::pin(async move {
            let Some(asked) = engine.ask_job(&record) else { return Ok(record) };
            let _ = tokio::time::timeout(PATIENCE, answered(asked)).await;
            engine.get(record.id, &record.principal).await
        })
    }

    fn follow(&self, engine: &Arc<Engine>, record: &Record) {
        let id = record.id;
        let mut followed = lock(&engine.desk.followed);
        let (count, _) = followed.entry(id).or_insert_with(|| {
            let engine = Arc::downgrade(engine);
            (0, background::spawn(ask_again_and_again(engine, id)))
        });
        *count += 1;
    }

    fn stop(&self, id: TaskId, job: Arc<dyn AskJob>) {
        stop(Some(id), job);
    }

    fn stop_all<'a>(&self, engine: &'a Arc<Engine>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(engine.stop_all_jobs())
    }
}

fn is_at_work_elsewhere(record: &Record) -> bool {
    record.job.is_some() && !record.status.is_terminal()
}

/// Stops a job, of a task or of a call, in the background, and tries again if that fails.
pub(crate) fn stop(task: Option<TaskId>, job: Arc<dyn AskJob>) {
    let task = task.map(tracing::field::display);
    background::spawn(async move {
        let mut pause = Duration::from_secs(1);
        for attempt in 1..=STOPS {
            let error = match tokio::time::timeout(LONGEST_POLL, guarded(Arc::clone(&job).cancel())).await {
                Ok(Ok(Ok(()))) => return,
                Ok(Ok(Err(error))) => error,
                Ok(Err(panic)) => {
                    return tracing::error!(task, panic = panic_message(&*panic), "stopping a job panicked");
                }
                Err(_) => format!("no answer came within {LONGEST_POLL:?}"),
            };
            tracing::warn!(task, attempt, error, "a job could not be stopped");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    });
}
