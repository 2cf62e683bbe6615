//! Asking a job how far it is, and recording what it says.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::super::{Engine, LONGEST_PAUSE};
use super::{FORGOTTEN, JobState, LONGEST_POLL, is_at_work_elsewhere, lock};
use crate::background;
use crate::protocol::payload::Ending;
use crate::protocol::time::Timestamp;
use crate::task::identity::TaskId;
use crate::task::panic::{guarded, panic_message, panicked};
use crate::task::record::{Event, Record, Refusal, Report};
use crate::task::store::StoreError;

/// How often an end is tried to be recorded while others ask the same job.
const ENDS: u32 = 8;

/// How the status message begins of a task whose job could not be asked.
const UNHEARD: &str = "How far the job is could not be asked: ";

/// How many jobs that nobody asks are asked at a time.
const FORGOTTEN_BATCH: usize = 256;

/// The shortest time between two questions to a job that somebody follows.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

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

impl Engine {
    /// Begins to ask a job, if it is time to. Gives what closes when it has answered, if somebody asks it.
    pub(super) fn ask_job(self: &Arc<Self>, record: &Record) -> Option<watch::Receiver<()>> {
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
        background::spawn(async move { asking.engine.ask_job_now(id).await });
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
    pub(super) async fn end_job(self: &Arc<Self>, record: &Record, ending: Ending) {
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

    pub(super) async fn ask_forgotten(self: &Arc<Self>) {
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
}

fn unheard(error: &str) -> Report {
    Report { progress: None, message: Some(format!("{UNHEARD}{error}").into()) }
}

/// Waits until a job has answered.
pub(super) async fn answered(mut asked: watch::Receiver<()>) {
    // Nothing is ever sent; it closes.
    while asked.changed().await.is_ok() {}
}

/// Asks a job once in a poll interval, until its task is over.
pub(super) async fn ask_again_and_again(engine: Weak<Engine>, id: TaskId) {
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
