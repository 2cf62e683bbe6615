//! Jobs elsewhere that tasks stand for: asked how far they are when somebody wants to know, and stopped with their tasks.
//!
//! A task that was handed over has no run and no worker. The store lets its job be asked at most once in a poll interval,
//! whoever wants to, in whatever process; here, whoever wants to know while it is asked waits for the same answer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::{Engine, FIRST_PAUSE, LONGEST_PAUSE, TaskLink};
use crate::protocol::ProtocolError;
use crate::protocol::payload::Ending;
use crate::protocol::time::Timestamp;
use crate::task::identity::{Epoch, TaskId};
use crate::task::panic::{guarded, panic_message, panicked};
use crate::task::record::{Event, Record, Refusal, Report, Status};
use crate::task::store::StoreError;
use crate::telemetry;

/// How long a job may take to say how far it is.
const LONGEST_POLL: Duration = Duration::from_secs(30);

/// How long somebody who asks for a task waits for what its job says. After that the state is told as it was.
const PATIENCE: Duration = Duration::from_secs(1);

/// The shortest time between two questions to a job that somebody follows.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// How long a job that nobody asks is left alone. What ends it then is that it says so.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// How many of those are asked at a time.
const FORGOTTEN_BATCH: usize = 256;

/// How often a job is told to stop before it is left to itself.
const STOPS: u32 = 5;

/// How often an end is tried to be recorded while others ask the same job.
const ENDS: u32 = 8;

/// How the status message begins of a task whose job could not be asked.
const UNHEARD: &str = "How far the job is could not be asked: ";

/// Knows the jobs that tasks stand for.
pub(crate) trait KnowJobs: Send + Sync {
    /// Whether there may be any.
    fn has_jobs(&self) -> bool;

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

/// The mark of a job that is being asked, which goes when it was, however that ended.
struct Asking {
    engine: Arc<Engine>,
    id: TaskId,
    _closes: watch::Sender<()>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        lock(&self.engine.desk.asked).remove(&self.id);
    }
}

impl TaskLink {
    /// Leaves the task to a job: this run has no more to say in it. Seen through, whatever becomes of the run; a job whose
    /// task was cancelled meanwhile is stopped.
    pub(crate) async fn hand_over(&self, handle: Arc<RawValue>, job: Arc<dyn AskJob>) {
        let Some(engine) = self.engine.upgrade() else { return };
        let (id, epoch) = (self.id, self.epoch);
        // An error would be a panic, of which there is none in there.
        let _ = tokio::spawn(async move { engine.hand_over(id, epoch, handle, job).await }).await;
    }
}

impl Engine {
    /// Says who knows the jobs; once. From then on those are asked now and then that nobody else asks.
    pub(crate) fn know_jobs(self: &Arc<Self>, known: Weak<dyn KnowJobs>) {
        let has_jobs = known.upgrade().is_some_and(|known| known.has_jobs());
        // What was kept from an earlier process may be jobs already; what is not kept is told of when it is handed over.
        if self.desk.known.set(known).is_ok() && has_jobs && self.store.is_durable() {
            self.remember_jobs();
        }
    }

    /// Begins to ask the jobs that nobody else asks, once: so that a task of which nobody wants to know any more ends all the
    /// same, and expires.
    fn remember_jobs(self: &Arc<Self>) {
        self.desk.reminder.get_or_init(|| {
            let engine = Arc::downgrade(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(FORGOTTEN / 2).await;
                    let Some(engine) = engine.upgrade() else { return };
                    engine.ask_forgotten().await;
                }
            })
            .abort_handle()
        });
    }

    async fn ask_forgotten(self: &Arc<Self>) {
        let forgotten = match self.store.forgotten(FORGOTTEN, FORGOTTEN_BATCH).await {
            Ok(forgotten) => forgotten,
            Err(error) => return tracing::warn!(%error, "jobs that nobody asks could not be looked for"),
        };
        for id in forgotten {
            if let Ok(Some(record)) = self.store.get(id).await
                && let Some(asked) = self.ask_job(&record)
            {
                answered(asked).await;
            }
        }
    }

    async fn hand_over(
        self: &Arc<Self>,
        id: TaskId,
        epoch: Epoch,
        handle: Arc<RawValue>,
        job: Arc<dyn AskJob>,
    ) {
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

    /// The record as it is when its job, if it has one, was asked how far it is; or as it was, if that takes too long.
    pub(crate) async fn refreshed(self: &Arc<Self>, record: Record) -> Result<Record, StoreError> {
        let Some(asked) = self.ask_job(&record) else { return Ok(record) };
        let _ = tokio::time::timeout(PATIENCE, answered(asked)).await;
        self.get(record.id, &record.principal).await
    }

    /// Has a job asked from now on, as long as what this gives is there. `None` if the task stands for no job.
    pub(crate) fn follow_job(self: &Arc<Self>, record: &Record) -> Option<Following> {
        if !is_at_work_elsewhere(record) {
            return None;
        }
        let id = record.id;
        let mut followed = lock(&self.desk.followed);
        let (count, _) = followed.entry(id).or_insert_with(|| {
            let engine = Arc::downgrade(self);
            (0, tokio::spawn(ask_again_and_again(engine, id)).abort_handle())
        });
        *count += 1;
        Some(Following { engine: Arc::downgrade(self), id })
    }

    /// Whether a job is asked because somebody follows its task.
    #[cfg(test)]
    pub(crate) fn follows_job(&self, id: TaskId) -> bool {
        lock(&self.desk.followed).contains_key(&id)
    }

    /// Begins to ask a job, if it is time to. Gives what closes when it has answered, if somebody asks it.
    fn ask_job(self: &Arc<Self>, record: &Record) -> Option<watch::Receiver<()>> {
        if !is_at_work_elsewhere(record) {
            return None;
        }
        let id = record.id;
        let mut asked = lock(&self.desk.asked);
        if let Some(asked) = asked.get(&id) {
            return Some(asked.clone());
        }
        // The store would refuse it. It has the last word, but asking it is a transaction.
        let (now, last) = (Timestamp::now(), record.job.as_ref().and_then(|job| job.polled_at));
        if last.is_some_and(|last| last <= now && now.since(last) < record.poll) {
            return None;
        }
        let (closes, closed) = watch::channel(());
        asked.insert(id, closed.clone());
        drop(asked);
        let asking = Asking { engine: Arc::clone(self), id, _closes: closes };
        // Whoever wanted to know may go away meanwhile.
        tokio::spawn(async move { asking.engine.ask_job_now(id).await });
        Some(closed)
    }

    async fn ask_job_now(self: &Arc<Self>, id: TaskId) {
        let record = match self.store.apply(id, Event::Poll).await {
            Ok(record) => record,
            // Somebody else asked it just now, or it is over.
            Err(StoreError::Refused(_) | StoreError::NotFound) => return,
            Err(error) => return tracing::warn!(task = %id, %error, "a job could not be asked"),
        };
        let Some(known) = self.desk.known.get().and_then(Weak::upgrade) else { return };
        let job = match known.job(&record) {
            Ok(job) => job,
            Err(ending) => return self.end_job(&record, ending).await,
        };
        match tokio::time::timeout(LONGEST_POLL, guarded(job.poll())).await {
            Ok(Ok(Ok(JobState::Working(report)))) => self.report_of_job(&record, report).await,
            Ok(Ok(Ok(JobState::Over(ending)))) => self.end_job(&record, ending).await,
            Ok(Ok(Err(error))) => {
                tracing::warn!(task = %id, error, "a job could not be asked how far it is");
                self.report_of_job(&record, unheard(&error)).await;
            }
            Ok(Err(panic)) => {
                tracing::error!(task = %id, panic = panic_message(&*panic), "asking a job panicked");
                self.end_job(&record, Ending::Error(panicked())).await;
            }
            Err(_) => {
                tracing::warn!(task = %id, "a job did not say how far it is within {LONGEST_POLL:?}");
                let error = format!("no answer came within {LONGEST_POLL:?}");
                self.report_of_job(&record, unheard(&error)).await;
            }
        }
    }

    /// Records how far a job is, if that is anything new.
    async fn report_of_job(&self, record: &Record, mut report: Report) {
        let was_unheard = record.message.as_ref().is_some_and(|message| message.starts_with(UNHEARD));
        if report.message.is_none() && was_unheard {
            report.message = Some("The job is at work.".into());
        }
        let is_new = (report.progress.is_some() && report.progress != record.progress)
            || (report.message.is_some() && report.message != record.message);
        if !is_new {
            return;
        }
        match self.store.apply(record.id, Event::Report(record.epoch, report)).await {
            Ok(record) => self.watchers.changed(&record.id),
            Err(StoreError::Refused(_) | StoreError::NotFound) => {}
            Err(error) => {
                tracing::warn!(task = %record.id, %error, "the progress of a job could not be recorded");
            }
        }
    }

    /// Ends the task of a job that is over. If that cannot be recorded, the job is asked again another time.
    async fn end_job(self: &Arc<Self>, record: &Record, ending: Ending) {
        let ending = Arc::new(self.bounded(ending));
        let mut epoch = record.epoch;
        for _ in 0..ENDS {
            match self.store.apply(record.id, Event::End(epoch, Arc::clone(&ending))).await {
                Ok(record) => return self.ended_now(&record).await,
                // Somebody else has asked meanwhile. What is over is over, whoever hears it first.
                Err(StoreError::Refused(Refusal::Stale)) => match self.store.get(record.id).await {
                    Ok(Some(now)) => epoch = now.epoch,
                    _ => return,
                },
                Err(StoreError::Refused(_) | StoreError::NotFound) => return,
                Err(error) => {
                    tracing::error!(task = %record.id, %error, "the end of a job could not be recorded");
                    // It may have been recorded, and only the store's answer was lost.
                    return self.watchers.changed(&record.id);
                }
            }
        }
    }

    /// Ends the tasks that stand for jobs, and stops these, within the time that functions have to clean up: for a store
    /// that goes with the process, and with it everything that is known of them.
    pub(super) async fn stop_jobs(self: &Arc<Self>) {
        // Without it, there never was a job.
        if self.desk.reminder.get().is_none() {
            return;
        }
        let Ok(ids) = self.store.forgotten(Duration::ZERO, usize::MAX).await else { return };
        let mut stopping = JoinSet::new();
        for id in ids {
            let engine = Arc::clone(self);
            stopping.spawn(async move { engine.stop_job_now(id).await });
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

    /// Stops the job of a task that was cancelled, if it stands for one.
    pub(super) fn stop_job(&self, record: &Record) {
        if record.status != Status::Cancelled || record.job.is_none() {
            return;
        }
        match self.desk.known.get().and_then(Weak::upgrade).map(|known| known.job(record)) {
            Some(Ok(job)) => stop(Some(record.id), job),
            _ => {
                tracing::warn!(task = %record.id, "there is no way to the job of a cancelled task; it goes on");
            }
        }
    }
}

fn is_at_work_elsewhere(record: &Record) -> bool {
    record.job.is_some() && !record.status.is_terminal()
}

fn unheard(error: &str) -> Report {
    Report { progress: None, message: Some(format!("{UNHEARD}{error}").into()) }
}

/// Waits until a job has answered.
async fn answered(mut asked: watch::Receiver<()>) {
    // Nothing is ever sent; it closes.
    while asked.changed().await.is_ok() {}
}

/// Asks a job once in a poll interval, until its task is over.
async fn ask_again_and_again(engine: Weak<Engine>, id: TaskId) {
    loop {
        let Some(engine) = engine.upgrade() else { return };
        let pause = match engine.store.get(id).await {
            Ok(Some(record)) if is_at_work_elsewhere(&record) => {
                if let Some(asked) = engine.ask_job(&record) {
                    answered(asked).await;
                }
                record.poll.max(SHORTEST_INTERVAL)
            }
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(task = %id, %error, "a task could not be looked up");
                LONGEST_PAUSE
            }
        };
        drop(engine);
        tokio::time::sleep(pause).await;
    }
}

/// Stops a job, of a task or of a call, in the background, and tries again if that fails.
pub(crate) fn stop(task: Option<TaskId>, job: Arc<dyn AskJob>) {
    let task = task.map(tracing::field::display);
    tokio::spawn(async move {
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
