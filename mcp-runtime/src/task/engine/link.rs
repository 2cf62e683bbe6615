//! What a run and its client say to each other through the record: reports, questions and answers.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::runtime::Handle;

use super::{Engine, FIRST_PAUSE, LONGEST_PAUSE};
use crate::background;
use crate::input::{InputError, InputResponse, check};
use crate::task::identity::{Epoch, Principal, TaskId};
use crate::task::journal::JournalEntry;
use crate::task::partial::Partial;
use crate::task::record::{Event, Question, Record, Refusal, Report};
use crate::task::store::StoreError;
use crate::telemetry;

/// What a context holds of the task that it belongs to.
pub(crate) struct TaskLink {
    pub(super) engine: Weak<Engine>,
    pub(super) id: TaskId,
    pub(super) epoch: Epoch,
}

impl TaskLink {
    pub(crate) fn id(&self) -> TaskId {
        self.id
    }

    /// The run that this leads to.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What runs the task, if the server is still there.
    pub(crate) fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.upgrade()
    }

    /// Tells whoever watches the task that there is something to see.
    pub(crate) fn look_at(&self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.watchers.changed(&self.id);
        }
    }

    pub(crate) fn report(&self, report: Report) {
        if let Some(engine) = self.engine.upgrade() {
            engine.store.report(self.id, self.epoch, report);
            engine.watchers.changed(&self.id);
        }
    }

    /// How large the partial results of the task may be together, in bytes.
    pub(crate) fn max_partials_size(&self) -> usize {
        self.engine.upgrade().map_or(0, |engine| engine.settings.partials.bytes)
    }

    /// Keeps a partial result.
    pub(crate) fn partial(&self, index: u32, value: Arc<RawValue>) {
        let Some(engine) = self.engine.upgrade() else { return };
        let partial = Partial { index, value, keep: engine.settings.partials };
        engine.store.partial(self.id, self.epoch, partial);
        engine.watchers.changed(&self.id);
    }

    /// Asks the client. When this returns, everybody who looks at the task sees the question. `asked` is how many there
    /// are with this one, answered or not.
    pub(crate) async fn ask(&self, question: Question, asked: usize) -> Result<(), InputError> {
        let lost = |what: String| InputError::Lost(what);
        let Some(engine) = self.engine.upgrade() else {
            return Err(lost("the server has stopped".to_owned()));
        };
        let most = engine.settings.max_questions;
        if asked > most {
            return Err(InputError::Limit("max_questions", most));
        }
        let key = Arc::clone(&question.key);
        let mut pauses = PAUSES.into_iter();
        loop {
            match engine.store.apply(self.id, Event::Ask(self.epoch, question.clone())).await {
                Ok(_) => {
                    telemetry::asked(self.id, &key);
                    engine.watchers.changed(&self.id);
                    // Whoever waits until nothing runs waits for no client.
                    engine.idle.notify_waiters();
                    return Ok(());
                }
                // An earlier run asked it, or the store did not say that it was asked; its answer may be there already.
                Err(StoreError::Refused(Refusal::NotAsked)) => {
                    engine.watchers.changed(&self.id);
                    if let Ok(Some(record)) = engine.store.get(self.id).await {
                        engine.deliver(&record);
                    }
                    return Ok(());
                }
                Err(StoreError::Failed(doing, error)) => {
                    let Some(pause) = pauses.next() else {
                        return Err(lost(format!("{doing} failed: {error}")));
                    };
                    tracing::warn!(task = %self.id, doing, %error, "a question could not be asked; it is tried again");
                    tokio::time::sleep(pause).await;
                }
                Err(error) => return Err(lost(error.to_string())),
            }
        }
    }

    /// Keeps what the run must remember, durably once this returns. `size` is how much it remembers already.
    pub(crate) async fn remember(&self, entry: JournalEntry, size: usize) -> Result<(), StoreError> {
        let Some(engine) = self.engine.upgrade() else {
            return Err(StoreError::Failed("remembering a step", "the server has stopped".into()));
        };
        let most = engine.settings.max_journal_size;
        if size + entry.size() > most {
            telemetry::refused("max_journal_size");
            return Err(StoreError::Limit("max_journal_size", most));
        }
        let (mut pauses, mut is_retry) = (PAUSES.into_iter(), false);
        loop {
            match engine.store.remember(self.id, self.epoch, entry.clone()).await {
                Err(StoreError::Failed(doing, error)) => {
                    let Some(pause) = pauses.next() else { return Err(StoreError::Failed(doing, error)) };
                    tracing::warn!(task = %self.id, doing, %error, "a step could not be recorded; it is tried again");
                    tokio::time::sleep(pause).await;
                    is_retry = true;
                }
                // It was recorded before, and only the store's answer was lost.
                Err(StoreError::Refused(Refusal::Remembered)) if is_retry => return Ok(()),
                remembered => return remembered,
            }
        }
    }

    /// Cancels the task, in the background.
    pub(crate) fn give_up(&self, runtime: &Handle) {
        if let Some(engine) = self.engine.upgrade() {
            let id = self.id;
            background::spawn_on(runtime, async move { engine.give_up(id).await });
        }
    }

    /// Takes a question back, in the background.
    pub(crate) fn withdraw(&self, key: Arc<str>) {
        let (Some(engine), Ok(runtime)) = (self.engine.upgrade(), Handle::try_current()) else { return };
        let (id, epoch) = (self.id, self.epoch);
        background::spawn_on(&runtime, async move {
            // Refused if it was answered meanwhile, or the task is over.
            if engine.store.apply(id, Event::Withdraw(epoch, key)).await.is_ok() {
                engine.watchers.changed(&id);
            }
        });
    }
}

/// How long to wait before the store is asked again to record a step. What it cannot do by then is the run's to know.
pub(super) const PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1)];

/// An answer that does not fit its question.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) key: Arc<str>,
    /// What is wrong with it.
    pub(crate) wrong: String,
}

impl Engine {
    /// Gives a task the client's answers. Those that nobody asked for change nothing; those that do not fit their questions
    /// neither, and come back with what is wrong with them.
    pub(crate) fn answer<'a>(
        self: &'a Arc<Self>,
        id: TaskId,
        principal: &'a Principal,
        mut answers: Vec<(Arc<str>, Arc<InputResponse>)>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Unfit>, StoreError>> + Send + 'a>> {
        Box::pin(async move {
            let record = self.get(id, principal).await?;
            let mut unfit = Vec::new();
            answers.retain(|(key, answer)| {
                let Some(question) = record.open_questions().find(|question| question.key == *key) else {
                    return false;
                };
                let InputResponse::Result(result) = &**answer else { return true };
                match check(&question.request, result) {
                    Ok(()) => true,
                    Err(wrong) => {
                        unfit.push(Unfit { key: Arc::clone(key), wrong });
                        false
                    }
                }
            });
            if answers.is_empty() {
                return Ok(unfit);
            }
            // Nobody may be waiting any more: then the task goes on here. Claimed first, so that whoever finds the answer finds
            // somebody who works with it.
            let waiting = self.claim_waiting(id).await?;
            let count = answers.len();
            let answered = self.store.apply(id, Event::Answer(answers)).await;
            if let Ok(record) = &answered {
                telemetry::answered(id, count);
                self.deliver(record);
                self.watchers.changed(&id);
            }
            if let Some((mut task, _taking)) = waiting {
                let waited = task.record.open_questions().map(|question| Arc::clone(&question.key)).collect();
                if let Ok(record) = &answered {
                    task.record = record.clone();
                }
                self.take_up(task, Some(waited), None).await;
            }
            match answered {
                Ok(_) | Err(StoreError::Refused(_)) => Ok(unfit),
                Err(error) => {
                    self.doubt_change(id);
                    Err(error)
                }
            }
        })
    }

    /// The same for an answer that nobody could be asked for again: it is kept here until the store takes it.
    pub(crate) async fn deliver_answer(
        self: &Arc<Self>,
        id: TaskId,
        principal: &Principal,
        key: Arc<str>,
        answer: Arc<InputResponse>,
    ) -> Result<(), StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.answer(id, principal, vec![(Arc::clone(&key), Arc::clone(&answer))]).await {
                Err(StoreError::Failed(doing, error)) if !self.is_over() => {
                    tracing::warn!(task = %id, doing, %error, "an answer could not be recorded; it is tried again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                answered => return answered.map(drop),
            }
        }
    }

    /// Notes which task of the client's stands for a question that is open.
    pub(crate) async fn entrust(&self, id: TaskId, key: Arc<str>, theirs: Arc<str>) {
        match self.store.apply(id, Event::Entrust(key, theirs)).await {
            // It was answered meanwhile, or taken back.
            Ok(_) | Err(StoreError::Refused(_) | StoreError::NotFound) => {}
            // Then the client is asked again over another connection, if there is to be one.
            Err(error) => tracing::warn!(task = %id, %error, "a task of the client's could not be noted"),
        }
    }

    /// Tells the run, if it is in this process, which answers are there.
    pub(super) fn deliver(&self, record: &Record) {
        let Some(cx) = self.live(record.id).get(&record.id).map(|live| live.cx.clone()) else { return };
        for question in record.questions.iter().flat_map(|questions| questions.iter()) {
            if let Some(answer) = &question.answer {
                cx.put_answer(&question.key, Arc::clone(answer));
            }
        }
    }
}
