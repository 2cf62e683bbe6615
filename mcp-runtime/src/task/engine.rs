//! Runs tasks: records them, drives their futures in the background, ends them, and removes them when their time is up.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{self, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::context::Context;
use super::panic::{Guarded, guarded, panic_message, panicked};
use super::record::{Epoch, Event, Principal, Question, Record, Refusal, Report, TaskId};
use super::store::{NewTask, Place, StoreError, TaskStore};
use super::watch::{Watch, Watchers};
use crate::input::{InputError, InputResponse, check};
use crate::protocol::ProtocolError;
use crate::protocol::payload::Ending;

/// The numbers that an engine goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EngineSettings {
    /// How long a cancelled function that cleans up by itself may take to do so.
    pub(crate) cancel_grace: Duration,
    /// The largest ending that is kept, in bytes.
    pub(crate) max_result_size: usize,
}

/// Runs the tasks of one server.
pub(crate) struct Engine {
    store: Arc<dyn TaskStore>,
    settings: EngineSettings,
    live: Box<[Mutex<HashMap<TaskId, Live>>]>,
    watchers: Arc<Watchers>,
    /// The tasks whose end somebody waits for, and how many do.
    awaited: Mutex<HashMap<TaskId, usize>>,
    /// Woken when there may be something to expire sooner than was known.
    sweep: Arc<Notify>,
    sweeper: OnceLock<AbortHandle>,
    idle: Notify,
}

/// A task whose future is in this process.
struct Live {
    cx: Context,
    epoch: Epoch,
    /// `None` until it is started.
    abort: Option<AbortHandle>,
}

/// A task to be made and run.
pub(crate) struct NewRun {
    pub(crate) task: NewTask,
    pub(crate) cx: Context,
    pub(crate) work: Work,
}

/// An answer that does not fit its question.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) key: Arc<str>,
    /// What is wrong with it.
    pub(crate) wrong: String,
}

/// What a task's function comes to.
pub(crate) type Work = Pin<Box<dyn Future<Output = Ending> + Send>>;

/// A task that was recorded and is about to run.
///
/// It runs from when this is dropped: so whoever made it can tell its client of the task first, and it cannot be
/// forgotten.
#[derive(Debug)]
pub(crate) struct Start(Option<Starting>);

struct Starting {
    registered: Registered,
    epoch: Epoch,
    work: Work,
    runtime: Handle,
}

/// What a context holds of the task that it belongs to.
pub(crate) struct TaskLink {
    engine: Weak<Engine>,
    id: TaskId,
    epoch: Epoch,
}

const SHARDS: usize = 16;
const EXPIRE_BATCH: usize = 256;

impl TaskLink {
    pub(crate) fn id(&self) -> TaskId {
        self.id
    }

    pub(crate) fn report(&self, report: Report) {
        if let Some(engine) = self.engine.upgrade() {
            engine.store.report(self.id, self.epoch, report);
            engine.watchers.changed(&self.id);
        }
    }

    /// Asks the client. When this returns, everybody who looks at the task sees the question.
    pub(crate) async fn ask(&self, question: Question) -> Result<(), InputError> {
        let lost = |what: String| InputError::Lost(what);
        let Some(engine) = self.engine.upgrade() else {
            return Err(lost("the server has stopped".to_owned()));
        };
        match engine.store.apply(self.id, Event::Ask(self.epoch, question)).await {
            Ok(_) => engine.watchers.changed(&self.id),
            // An earlier run asked it; its answer may be there already.
            Err(StoreError::Refused(Refusal::NotAsked)) => {
                if let Ok(Some(record)) = engine.store.get(self.id).await {
                    engine.deliver(&record);
                }
            }
            Err(error) => return Err(lost(error.to_string())),
        }
        Ok(())
    }

    /// Cancels the task, in the background.
    pub(super) fn give_up(&self, runtime: &Handle) {
        if let Some(engine) = self.engine.upgrade() {
            let id = self.id;
            runtime.spawn(async move { engine.give_up(id).await });
        }
    }

    /// Takes a question back, in the background.
    pub(crate) fn withdraw(&self, key: Arc<str>) {
        let (Some(engine), Ok(runtime)) = (self.engine.upgrade(), Handle::try_current()) else { return };
        let (id, epoch) = (self.id, self.epoch);
        runtime.spawn(async move {
            // Refused if it was answered meanwhile, or the task is over.
            if engine.store.apply(id, Event::Withdraw(epoch, key)).await.is_ok() {
                engine.watchers.changed(&id);
            }
        });
    }
}

impl Engine {
    pub(crate) fn new(store: Arc<dyn TaskStore>, settings: EngineSettings) -> Arc<Self> {
        Arc::new(Self {
            store,
            settings,
            live: (0..SHARDS).map(|_| Mutex::default()).collect(),
            watchers: Arc::default(),
            awaited: Mutex::default(),
            sweep: Arc::default(),
            sweeper: OnceLock::new(),
            idle: Notify::new(),
        })
    }

    fn live(&self, id: TaskId) -> MutexGuard<'_, HashMap<TaskId, Live>> {
        let shard = (id.bits() >> 40) as usize % SHARDS;
        self.live[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The link for the context of a task that is about to be created.
    pub(crate) fn link(self: &Arc<Self>, id: TaskId) -> TaskLink {
        TaskLink { engine: Arc::downgrade(self), id, epoch: Epoch::FIRST }
    }

    /// Records a task, which starts when what this gives is dropped. When this returns, the task can be found. If the
    /// key was used before, the task of then comes back and the work is dropped unstarted.
    pub(crate) async fn create(self: &Arc<Self>, run: NewRun) -> Result<(Record, Start), StoreError> {
        let NewRun { task, cx, work } = run;
        let id = task.id;
        // Registered first: whoever cancels it from the moment on in which it can be found, finds it here.
        self.live(id).insert(id, Live { cx, epoch: Epoch::FIRST, abort: None });
        let registered = Registered { engine: Arc::clone(self), id };
        let created = self.store.create(task).await?;
        if created.existing {
            return Ok((created.record, Start(None)));
        }
        tracing::debug!(task = %id, tool = %created.record.target, "task created");
        let starting = Starting { registered, epoch: created.record.epoch, work, runtime: Handle::current() };
        Ok((created.record, Start(Some(starting))))
    }

    /// The record of a task, if it is this principal's.
    pub(crate) async fn get(&self, id: TaskId, principal: &Principal) -> Result<Record, StoreError> {
        match self.store.get(id).await? {
            Some(record) if record.principal == *principal => Ok(record),
            _ => Err(StoreError::NotFound),
        }
    }

    /// How a task ended.
    pub(crate) async fn ending(&self, id: TaskId) -> Result<Option<Arc<Ending>>, StoreError> {
        self.store.ending(id).await
    }

    /// Waits until a task has ended, and shows each state that it sees on the way. Cancel safe.
    pub(crate) async fn ended(
        &self,
        id: TaskId,
        principal: &Principal,
        mut seen: impl FnMut(&Record) + Send,
    ) -> Result<Record, StoreError> {
        let _awaited = Awaited::new(self, id);
        let watch = self.watchers.watch();
        watch.add(id);
        loop {
            let record = self.get(id, principal).await?;
            seen(&record);
            if record.status.is_terminal() {
                return Ok(record);
            }
            watch.changed().await;
        }
    }

    pub(crate) async fn list(
        &self,
        principal: &Principal,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.store.list(principal, after, limit).await
    }

    pub(crate) fn watch(&self) -> Watch {
        self.watchers.watch()
    }

    /// Gives a task the client's answers. Those that nobody asked for change nothing; those that do not fit their questions
    /// neither, and come back with what is wrong with them.
    pub(crate) async fn answer(
        &self,
        id: TaskId,
        principal: &Principal,
        mut answers: Vec<(Arc<str>, Arc<InputResponse>)>,
    ) -> Result<Vec<Unfit>, StoreError> {
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
        match self.store.apply(id, Event::Answer(answers)).await {
            Ok(record) => {
                self.deliver(&record);
                self.watchers.changed(&id);
                Ok(unfit)
            }
            Err(StoreError::Refused(_)) => Ok(unfit),
            Err(error) => Err(error),
        }
    }

    /// Tells the run, if it is in this process, which answers are there.
    fn deliver(&self, record: &Record) {
        let Some(cx) = self.live(record.id).get(&record.id).map(|live| live.cx.clone()) else { return };
        for question in record.questions.iter().flat_map(|questions| questions.iter()) {
            if let Some(answer) = &question.answer {
                cx.put_answer(&question.key, Arc::clone(answer));
            }
        }
    }

    /// Cancels a task: it is `cancelled` at once, whatever its function still does.
    pub(crate) async fn cancel(&self, id: TaskId, principal: &Principal) -> Result<Record, StoreError> {
        self.get(id, principal).await?;
        let record = self.store.apply(id, Event::Cancel).await?;
        self.stop(id);
        self.ended_now(&record);
        Ok(record)
    }

    /// Cancels a task of which nobody was told, because the call that it comes of was cancelled.
    async fn give_up(&self, id: TaskId) {
        match self.store.apply(id, Event::Cancel).await {
            Ok(record) => {
                self.stop(id);
                self.ended_now(&record);
            }
            // It has ended, in whatever way.
            Err(StoreError::Refused(_) | StoreError::NotFound) => {}
            Err(error) => tracing::error!(task = %id, %error, "the end of a task could not be recorded"),
        }
    }

    /// Stops the future of a task: drops it at its next await, or after the grace period if it cleans up by itself.
    fn stop(&self, id: TaskId) {
        let live = self.live(id);
        let Some(Live { cx, abort, .. }) = live.get(&id) else { return };
        let is_cooperative = cx.is_cooperative();
        if !is_cooperative {
            // First, or what wakes up to hear of it would run on.
            abort.iter().for_each(AbortHandle::abort);
        }
        cx.cancel();
        // What has not started yet sees that it was cancelled, and does not.
        let Some(abort) = abort.clone() else { return };
        if is_cooperative {
            let grace = self.settings.cancel_grace;
            tokio::spawn(async move {
                tokio::time::sleep(grace).await;
                abort.abort();
            });
        }
    }

    fn ended_now(&self, record: &Record) {
        tracing::debug!(task = %record.id, tool = %record.target, status = %record.status, "task ended");
        self.watchers.changed(&record.id);
        self.sweep.notify_one();
    }

    async fn end(&self, id: TaskId, epoch: Epoch, ending: Ending) {
        let size = ending.size();
        let ending = if size > self.settings.max_result_size {
            Ending::Error(ProtocolError::new(
                ProtocolError::LIMIT_REACHED,
                format!(
                    "the result has {size} bytes; the limit `max_result_size` is {}",
                    self.settings.max_result_size
                ),
            ))
        } else {
            ending
        };
        match self.store.apply(id, Event::End(epoch, Arc::new(ending))).await {
            Ok(record) => self.ended_now(&record),
            // It was cancelled first, or taken over: then what this run came to is not wanted.
            Err(StoreError::Refused(Refusal::Terminal(_) | Refusal::Stale) | StoreError::NotFound) => {}
            Err(error) => tracing::error!(task = %id, %error, "the end of a task could not be recorded"),
        }
    }

    /// Begins to remove expired tasks, once. Nothing runs while there is nothing to remove.
    pub(crate) fn start_sweeper(&self) {
        self.sweeper.get_or_init(|| {
            let (store, sweep) = (Arc::clone(&self.store), Arc::clone(&self.sweep));
            tokio::spawn(async move {
                loop {
                    let next = match store.expire(EXPIRE_BATCH).await {
                        Ok(expired) if expired.removed == EXPIRE_BATCH => Some(Duration::ZERO),
                        Ok(expired) => expired.next,
                        Err(error) => {
                            tracing::warn!(%error, "expired tasks could not be removed");
                            Some(Duration::from_secs(60))
                        }
                    };
                    if next != Some(Duration::ZERO) {
                        // What is due is invisible already; looking at most once a second costs nobody anything.
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    match next {
                        // Whichever comes first: what was known to be due, or something that may be due sooner.
                        Some(next) => drop(tokio::time::timeout(next, sweep.notified()).await),
                        None => sweep.notified().await,
                    }
                }
            })
            .abort_handle()
        });
    }

    /// Stops everything that runs, and records that: functions that clean up have the grace period, others are dropped.
    pub(crate) async fn shut_down(&self) {
        self.stop_all(|_| true).await;
    }

    /// The same for tasks whose end nobody waits for.
    pub(crate) async fn shut_down_unawaited(&self) {
        let awaited: HashSet<TaskId> =
            self.awaited.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        self.stop_all(|id| !awaited.contains(&id)).await;
    }

    async fn stop_all(&self, is_meant: impl Fn(TaskId) -> bool + Send + Sync) {
        let mut stopped = Vec::new();
        let mut cleans_up = false;
        for shard in &self.live {
            let live = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, live) in live.iter().filter(|(id, _)| is_meant(**id)) {
                if live.cx.is_cooperative() {
                    cleans_up = true;
                } else {
                    live.abort.iter().for_each(AbortHandle::abort);
                }
                live.cx.cancel();
                stopped.push((*id, live.epoch, live.abort.clone()));
            }
        }
        if cleans_up {
            // Whoever has not ended by then is dropped with the rest.
            let _ = tokio::time::timeout(self.settings.cancel_grace, self.all_ended(&is_meant)).await;
        }
        for (id, epoch, abort) in stopped {
            abort.iter().for_each(AbortHandle::abort);
            // Refused where the function came to an end of its own.
            let error = ProtocolError::internal("the server stopped before the task was done");
            self.end(id, epoch, Ending::Error(error)).await;
        }
    }

    /// Waits until none of these tasks runs any more.
    async fn all_ended(&self, is_meant: &(impl Fn(TaskId) -> bool + Sync)) {
        loop {
            let ended = self.idle.notified();
            let runs = |shard: &Mutex<HashMap<TaskId, Live>>| {
                shard.lock().unwrap_or_else(PoisonError::into_inner).keys().any(|id| is_meant(*id))
            };
            if !self.live.iter().any(runs) {
                return;
            }
            ended.await;
        }
    }
}

impl Start {
    /// Whether there is something to start: the task was not there before.
    pub(crate) fn is_new(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        let Some(Starting { registered, epoch, work, runtime }) = self.0.take() else { return };
        let (engine, id) = (Arc::clone(&registered.engine), registered.id);
        let is_cancelled = engine.live(id).get(&id).is_none_or(|live| live.cx.was_cancelled());
        if is_cancelled {
            // Whoever cancelled the task recorded that; whoever cancelled the call that it comes of did not.
            drop((registered, work));
            runtime.spawn(async move { engine.give_up(id).await });
            return;
        }
        // Not under the lock: a runtime that is going down drops the future here, and its entry with it.
        let drive = Drive { registered, epoch, stage: Stage::Working(guarded(work)) };
        let abort = runtime.spawn(drive).abort_handle();
        let is_cancelled = engine.live(id).get_mut(&id).is_some_and(|live| {
            live.abort = Some(abort);
            live.cx.was_cancelled()
        });
        if is_cancelled {
            // Whoever cancelled it meanwhile found nothing to stop.
            runtime.spawn(async move {
                engine.give_up(id).await;
                engine.stop(id);
            });
        }
    }
}

impl fmt::Debug for Starting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.registered.id.fmt(f)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(sweeper) = self.sweeper.get() {
            sweeper.abort();
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The entry of a running task, which goes when its future does, however that is.
struct Registered {
    engine: Arc<Engine>,
    id: TaskId,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let live = self.engine.live(self.id).remove(&self.id);
        // The context may be the last one, and dropping it may run code of the author's: not under the lock.
        drop(live);
        self.engine.idle.notify_waiters();
    }
}

/// Somebody who waits for the end of a task.
struct Awaited<'a> {
    engine: &'a Engine,
    id: TaskId,
}

impl<'a> Awaited<'a> {
    fn new(engine: &'a Engine, id: TaskId) -> Self {
        *engine.awaited.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default() += 1;
        Self { engine, id }
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        let mut awaited = self.engine.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = awaited.entry(self.id) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// Drives the work of one task to its end, and records that. Small, since there is one for every task that lives.
struct Drive {
    registered: Registered,
    epoch: Epoch,
    stage: Stage,
}

enum Stage {
    Working(Guarded<Work>),
    Ending(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl Future for Drive {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        loop {
            match &mut self.stage {
                Stage::Ending(recorded) => return recorded.as_mut().poll(cx),
                Stage::Working(work) => {
                    let ending = match task::ready!(Pin::new(work).poll(cx)) {
                        Ok(ending) => ending,
                        Err(panic) => {
                            tracing::error!(task = %self.registered.id, panic = panic_message(&*panic), "a tool panicked");
                            Ending::Error(panicked())
                        }
                    };
                    let (engine, id, epoch) =
                        (Arc::clone(&self.registered.engine), self.registered.id, self.epoch);
                    self.stage = Stage::Ending(Box::pin(async move { engine.end(id, epoch, ending).await }));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Status;
    use super::super::store::{Memory, contract};
    use super::*;
    use crate::input::ClientCapabilities;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn engine() -> Arc<Engine> {
        let settings = EngineSettings { cancel_grace: Duration::from_secs(5), max_result_size: 1000 };
        Engine::new(Arc::new(Memory::new()), settings)
    }

    fn context(engine: &Arc<Engine>, id: TaskId) -> Context {
        Context::new(Principal::local(), ClientCapabilities::default(), Some(engine.link(id)), None)
    }

    fn failed(text: &'static str) -> Ending {
        Ending::Error(ProtocolError::internal(text))
    }

    async fn start<F>(engine: &Arc<Engine>, work: impl FnOnce(Context) -> F) -> Record
    where
        F: Future<Output = Ending> + Send + 'static,
    {
        let task = contract::new_task("a");
        let cx = context(engine, task.id);
        let work = Box::pin(work(cx.clone()));
        engine.create(NewRun { task, cx, work }).await.expect("created").0
    }

    #[tokio::test]
    async fn a_task_runs_in_the_background_and_its_end_is_waited_for() {
        let engine = engine();
        let record = start(&engine, |cx| async move {
            cx.progress(1, 2, "half");
            failed("over")
        })
        .await;
        let ended = engine.ended(record.id, &Principal::local(), |_| ()).await.expect("it ends");
        assert_eq!((ended.status, ended.progress), (Status::Failed, Some((1.0, Some(2.0)))));
    }

    #[tokio::test]
    async fn a_panic_fails_the_task_without_telling_what_it_said() {
        let engine = engine();
        let record = start(&engine, |_| async { panic!("the password is 1234") }).await;
        let ended = engine.ended(record.id, &Principal::local(), |_| ()).await.expect("it ends");
        assert_eq!(ended.status, Status::Failed);
        assert!(!ended.message.expect("a message").contains("1234"));
    }

    struct SetOnDrop(Arc<AtomicBool>);

    impl Drop for SetOnDrop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn cancelling_drops_a_function_that_does_not_ask() {
        let engine = engine();
        let dropped = Arc::new(AtomicBool::new(false));
        let on_drop = SetOnDrop(Arc::clone(&dropped));
        let record = start(&engine, |_| async move {
            let _on_drop = on_drop;
            std::future::pending().await
        })
        .await;
        let cancelled = engine.cancel(record.id, &Principal::local()).await.expect("cancelled");
        assert_eq!(cancelled.status, Status::Cancelled);
        engine.all_ended(&|_| true).await;
        assert!(dropped.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_task_that_is_cancelled_before_it_started_never_runs() {
        let engine = engine();
        let task = contract::new_task("a");
        let cx = context(&engine, task.id);
        let work = Box::pin(async { panic!("it ran") });
        let (record, start) = engine.create(NewRun { task, cx, work }).await.expect("created");
        engine.cancel(record.id, &Principal::local()).await.expect("cancelled");
        drop(start);
        engine.all_ended(&|_| true).await;
        let kept = engine.get(record.id, &Principal::local()).await.expect("it is kept");
        assert_eq!(kept.status, Status::Cancelled);
    }

    #[tokio::test]
    async fn a_function_that_asks_may_clean_up_and_its_result_comes_too_late() {
        let engine = engine();
        let (cleaned, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let record = start(&engine, |cx| {
            let (cleaned, asked) = (Arc::clone(&cleaned), Arc::clone(&asked));
            async move {
                let cancelled = cx.cancelled();
                let mut cancelled = std::pin::pin!(cancelled);
                std::future::poll_fn(|task| {
                    let polled = cancelled.as_mut().poll(task);
                    asked.notify_one();
                    polled
                })
                .await;
                tokio::task::yield_now().await;
                cleaned.store(true, Ordering::SeqCst);
                failed("too late")
            }
        })
        .await;
        asked.notified().await;
        engine.cancel(record.id, &Principal::local()).await.expect("cancelled");
        engine.all_ended(&|_| true).await;
        assert!(cleaned.load(Ordering::SeqCst));
        let kept = engine.get(record.id, &Principal::local()).await.expect("it is kept");
        assert_eq!(kept.status, Status::Cancelled);
    }

    #[tokio::test]
    async fn a_task_of_somebody_else_is_not_there() {
        let engine = engine();
        let record = start(&engine, |_| std::future::pending()).await;
        let other = Principal::new("somebody else");
        assert!(matches!(engine.get(record.id, &other).await, Err(StoreError::NotFound)));
        assert!(matches!(engine.cancel(record.id, &other).await, Err(StoreError::NotFound)));
        assert!(
            engine.get(record.id, &Principal::local()).await.is_ok_and(|record| !record.status.is_terminal())
        );
    }

    #[tokio::test]
    async fn shutting_down_leaves_nothing_running() {
        let engine = engine();
        for _ in 0..10 {
            start(&engine, |_| std::future::pending()).await;
        }
        engine.shut_down().await;
        engine.all_ended(&|_| true).await;
    }
}
