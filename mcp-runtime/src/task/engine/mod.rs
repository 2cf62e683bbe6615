//! Runs tasks: records them, drives their futures in the background, ends them, and removes them when their time is up.

mod children;
mod doubt;
mod drive;
mod jobs;
mod link;
mod recovery;
mod stop;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub(crate) use self::children::{KnowTools, Prepared, Unprepared};
pub(crate) use self::drive::Start;
use self::drive::{Registered, Starting};
use self::jobs::Desk;
pub(crate) use self::jobs::{AskJob, Asked, Following, JobState, KnowJobs, stop};
pub(crate) use self::link::TaskLink;
pub(crate) use self::recovery::{Revive, Revived};
use self::stop::Stopping;
use super::context::Context;
use super::identity::{Epoch, Principal, TaskId, WorkerId};
use super::journal::JournalEntry;
use super::partial::{Bounds, Partials};
use super::record::{Event, Record, Refusal};
use super::store::{NewTask, Place, StoreError, TaskStore};
use super::watch::{Watch, Watchers};
use crate::background;
use crate::limit;
use crate::protocol::payload::Ending;
use crate::telemetry::{self, One, Span};

/// The numbers that an engine goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EngineSettings {
    /// How long a cancelled function that cleans up by itself may take to do so.
    pub(crate) cancel_grace: Duration,
    /// The largest ending that is kept, in bytes.
    pub(crate) max_result_size: usize,
    /// The largest arguments of a task, in bytes.
    pub(crate) max_arguments_size: usize,
    /// The most that a task may ask its client.
    pub(crate) max_questions: usize,
    /// The most that a run may remember, in bytes.
    pub(crate) max_journal_size: usize,
    /// How many partial results of a task are kept.
    pub(crate) partials: Bounds,
    /// How long a worker that is not heard of is taken for alive.
    pub(crate) lease: Duration,
}

/// Runs the tasks of one server.
pub(crate) struct Engine {
    store: Arc<dyn TaskStore>,
    worker: WorkerId,
    /// Until when nobody takes the tasks that run here; by this process's clock.
    leased_until: Mutex<Option<Instant>>,
    reviver: OnceLock<Weak<dyn Revive>>,
    tools: OnceLock<Weak<dyn KnowTools>>,
    keepers: OnceLock<[AbortHandle; 2]>,
    /// The tasks that were claimed by name, or are just being claimed, and are not entered yet.
    taking: Mutex<HashSet<TaskId>>,
    /// Whether the store may hold something for this worker that does not run: it failed after it had begun.
    is_suspect: AtomicBool,
    /// Woken when somebody may want to hear of changes.
    busy: Arc<Notify>,
    settings: EngineSettings,
    live: Box<[Mutex<HashMap<TaskId, Live>>]>,
    watchers: Arc<Watchers>,
    /// The tasks whose end somebody waits for, and how many do.
    awaited: Mutex<HashMap<TaskId, usize>>,
    /// Woken when there may be something to expire sooner than was known.
    sweep: Arc<Notify>,
    sweeper: OnceLock<AbortHandle>,
    idle: Notify,
    stopping: Stopping,
    desk: Desk,
}

/// A task whose future is in this process.
struct Live {
    cx: Context,
    epoch: Epoch,
    /// Whether another run may go on where this one is cut off.
    may_rerun: bool,
    /// `None` until it is started.
    abort: Option<AbortHandle>,
}

impl Live {
    /// Drops the run at its next await.
    fn drop_run(&self) {
        // It finds out why before it is dropped, wherever that happens: what it calls is not cancelled with it.
        self.cx.mark_cancelled();
        // Before anybody is woken, or what wakes up to hear of it would run on.
        self.abort.iter().for_each(AbortHandle::abort);
        self.cx.cancel();
    }
}

/// A task to be made and run.
pub(crate) struct NewRun {
    pub(crate) task: NewTask,
    pub(crate) cx: Context,
    pub(crate) work: Work,
    /// Whether another run may go on where this one is cut off.
    pub(crate) may_rerun: bool,
}

/// What a task's function comes to.
pub(crate) type Work = Pin<Box<dyn Future<Output = Ending> + Send>>;

const SHARDS: usize = 16;
const EXPIRE_BATCH: usize = 256;

/// How long to wait before the store is asked again to record an end; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Engine {
    pub(crate) fn new(store: Arc<dyn TaskStore>, settings: EngineSettings) -> Arc<Self> {
        let watchers = Arc::<Watchers>::default();
        Arc::new(Self {
            store: telemetry::timed(store),
            worker: WorkerId::random(),
            leased_until: Mutex::default(),
            reviver: OnceLock::new(),
            tools: OnceLock::new(),
            keepers: OnceLock::new(),
            taking: Mutex::default(),
            is_suspect: AtomicBool::new(false),
            busy: Arc::clone(watchers.begun()),
            settings,
            live: (0..SHARDS).map(|_| Mutex::default()).collect(),
            watchers,
            awaited: Mutex::default(),
            sweep: Arc::default(),
            sweeper: OnceLock::new(),
            idle: Notify::new(),
            stopping: Stopping::default(),
            desk: Desk::default(),
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
        let NewRun { task, cx, work, may_rerun } = run;
        let id = task.id;
        self.admit(&task)?;
        self.ensure_lease().await?;
        // Registered first: whoever cancels it from the moment on in which it can be found, finds it here.
        let live = Live { cx, epoch: Epoch::FIRST, may_rerun, abort: None };
        let Some(registered) = self.enter(id, live) else {
            return Err(StoreError::Failed("recording a task", "the server has stopped".into()));
        };
        let trace = task.origin.trace.clone();
        let has_key = task.key.is_some();
        let created = match self.store.create(task).await {
            Ok(created) => created,
            Err(error) => {
                self.suspect(&error);
                if let StoreError::Failed(..) = error {
                    // A call that was to become a task does not know of it, and cannot go on as one.
                    let is_task = self.live(id).get(&id).is_some_and(|live| live.cx.task_id().is_some());
                    self.doubt_creation(registered, work, trace, has_key && is_task);
                }
                return Err(error);
            }
        };
        if created.existing {
            return Ok((created.record, Start::begun()));
        }
        telemetry::created(&created.record);
        let span = Span::of_task(&created.record, trace.as_deref());
        let starting = Starting { registered, span, work, runtime: Handle::current() };
        Ok((created.record, Start(Some(starting))))
    }

    /// Enters what is about to run, unless nothing may run any more.
    fn enter(self: &Arc<Self>, id: TaskId, live: Live) -> Option<Registered> {
        let epoch = live.epoch;
        let mut entered = self.live(id);
        let before = if self.is_stopped() { Err(live) } else { Ok(entered.insert(id, live)) };
        // Not under the lock: it may be the last that holds something of the author's.
        drop(entered);
        self.busy.notify_one();
        before.is_ok().then(|| Registered {
            engine: Arc::clone(self),
            id,
            epoch,
            _counted: One::running_task(),
        })
    }

    /// Whether what would have to be stored of a task is within the limits.
    fn admit(&self, task: &NewTask) -> Result<(), StoreError> {
        let EngineSettings { max_arguments_size, max_journal_size, .. } = self.settings;
        let journal = task.journal.iter().map(JournalEntry::size).sum::<usize>();
        for (name, size, most) in [
            ("max_arguments_size", task.arguments.get().len(), max_arguments_size),
            ("max_journal_size", journal, max_journal_size),
        ] {
            if size > most {
                return Err(StoreError::Limit(name, most));
            }
        }
        Ok(())
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
        self.note_seen(id);
        self.store.ending(id).await
    }

    /// What the store keeps of the partial results of a task, from the one with this number on.
    pub(crate) async fn partials(&self, record: &Record, from: u32) -> Result<Option<Partials>, StoreError> {
        if record.partials == 0 {
            return Ok(None);
        }
        self.store.partials(record.id, from).await.map(Some)
    }

    /// The numbers that it goes by.
    pub(crate) fn settings(&self) -> &EngineSettings {
        &self.settings
    }

    /// Waits until a task has ended, and shows each state that it sees on the way; or until nothing changes any more,
    /// because the engine has stopped. Cancel safe.
    pub(crate) async fn ended(
        self: &Arc<Self>,
        id: TaskId,
        principal: &Principal,
        mut seen: impl FnMut(&Record) + Send,
    ) -> Result<Record, StoreError> {
        let mut has_ended = |record: &Record| {
            seen(record);
            record.status.is_terminal()
        };
        self.until(id, principal, &mut has_ended).await
    }

    /// Waits until a task is in such a state, or until nothing changes any more, because the engine has stopped. Cancel
    /// safe.
    pub(crate) async fn until(
        self: &Arc<Self>,
        id: TaskId,
        principal: &Principal,
        is_such: &mut (dyn FnMut(&Record) -> bool + Send),
    ) -> Result<Record, StoreError> {
        let _awaited = Awaited::new(self, id);
        let watch = self.watch();
        watch.add(id);
        let mut following = None;
        loop {
            let record = self.get(id, principal).await?;
            if is_such(&record) || self.is_over() {
                return Ok(record);
            }
            if following.is_none() {
                following = self.follow_job(&record);
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

    /// Cancels a task: it is `cancelled` at once, whatever its function still does.
    pub(crate) async fn cancel(
        self: &Arc<Self>,
        id: TaskId,
        principal: &Principal,
    ) -> Result<Record, StoreError> {
        self.get(id, principal).await?;
        match self.store.apply(id, Event::Cancel).await {
            Ok(record) => {
                self.stop(id);
                self.ended_now(&record).await;
                Ok(record)
            }
            Err(refused) => {
                // Whoever cancelled it before may not have come as far as stopping its job.
                if let (StoreError::Refused(_), Ok(record)) = (&refused, self.get(id, principal).await) {
                    self.stop_job(&record);
                }
                if let StoreError::Failed(..) = refused {
                    self.doubt_change(id);
                }
                Err(refused)
            }
        }
    }

    /// Cancels a task of which nobody was told, because the call that it comes of was cancelled.
    fn give_up<'a>(self: &'a Arc<Self>, id: TaskId) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            match self.store.apply(id, Event::Cancel).await {
                Ok(record) => {
                    self.stop(id);
                    self.ended_now(&record).await;
                }
                // It has ended, in whatever way.
                Err(StoreError::Refused(_) | StoreError::NotFound) => {}
                Err(error) => tracing::error!(task = %id, %error, "the end of a task could not be recorded"),
            }
        })
    }

    /// Stops the future of a task: drops it at its next await, or after the grace period if it cleans up by itself.
    fn stop(&self, id: TaskId) {
        let live = self.live(id);
        let Some(live @ Live { cx, abort, .. }) = live.get(&id) else { return };
        let is_cooperative = cx.is_cooperative();
        if is_cooperative {
            cx.cancel();
        } else {
            live.drop_run();
        }
        // What has not started yet sees that it was cancelled, and does not.
        let Some(abort) = abort.clone() else { return };
        if is_cooperative {
            let grace = self.settings.cancel_grace;
            background::spawn(async move {
                tokio::time::sleep(grace).await;
                abort.abort();
            });
        }
    }

    async fn ended_now(self: &Arc<Self>, record: &Record) {
        telemetry::ended(record);
        self.end_children(record).await;
        self.watchers.changed(&record.id);
        if let Some(parent) = record.parent() {
            self.watchers.changed(&parent);
        }
        self.sweep.notify_one();
        self.stop_job(record);
    }

    /// The ending, if it is not too large to be kept.
    fn bounded(&self, ending: Ending) -> Ending {
        let (size, most) = (ending.size(), self.settings.max_result_size);
        if size <= most {
            return ending;
        }
        Ending::Error(limit::too_large("the result", size, "max_result_size", most))
    }

    async fn end(self: &Arc<Self>, id: TaskId, epoch: Epoch, ending: Ending) {
        let ending = Arc::new(self.bounded(ending));
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.try_to_end(id, epoch, &ending).await {
            // Nobody else has what the run came to. It is kept here until the store takes it.
            tracing::error!(task = %id, %error, "the end of a task could not be recorded; it is tried again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_to_end(
        self: &Arc<Self>,
        id: TaskId,
        epoch: Epoch,
        ending: &Arc<Ending>,
    ) -> Result<(), StoreError> {
        // Before it can be seen.
        self.note_end(id);
        match self.store.apply(id, Event::End(epoch, Arc::clone(ending))).await {
            Ok(record) => {
                if record.parent().is_some() {
                    // Its parent looks at it, if anybody does.
                    self.note_seen(id);
                }
                self.ended_now(&record).await;
            }
            // It was cancelled first, or taken over: then what this run came to is not wanted.
            // Or it was recorded, and only the store's answer was lost: then nobody was told.
            Err(StoreError::Refused(Refusal::Terminal(_) | Refusal::Stale) | StoreError::NotFound) => {
                self.note_seen(id);
                self.watchers.changed(&id);
                self.sweep.notify_one();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Begins to remove expired tasks, once. Nothing runs while there is nothing to remove.
    pub(crate) fn start_sweeper(&self) {
        self.sweeper.get_or_init(|| {
            let (store, sweep) = (Arc::clone(&self.store), Arc::clone(&self.sweep));
            background::spawn(async move {
                loop {
                    let next = match store.expire(EXPIRE_BATCH).await {
                        Ok(expired) => {
                            telemetry::expired(expired.removed);
                            let is_all = expired.removed < EXPIRE_BATCH;
                            if is_all { expired.next } else { Some(Duration::ZERO) }
                        }
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
        });
    }

    /// The tasks that run here, but for these; and whether each may be run again.
    fn live_tasks(&self, spared: &HashSet<TaskId>) -> Vec<(TaskId, Epoch, bool)> {
        let mut tasks = Vec::new();
        for shard in &self.live {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let meant = shard.iter().filter(|(id, _)| !spared.contains(id));
            tasks.extend(meant.map(|(id, live)| (*id, live.epoch, live.may_rerun)));
        }
        tasks
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.sweeper
            .get()
            .into_iter()
            .chain(self.keepers.get().into_iter().flatten())
            .for_each(AbortHandle::abort);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("settings", &self.settings).finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use super::super::record::Status;
    use super::super::store::{Memory, contract};
    use super::*;
    use crate::input::ClientCapabilities;
    use crate::protocol::ProtocolError;
    use std::sync::atomic::Ordering;

    fn engine() -> Arc<Engine> {
        let settings = EngineSettings {
            cancel_grace: Duration::from_secs(5),
            max_result_size: 1000,
            max_arguments_size: 1000,
            max_questions: 10,
            max_journal_size: 1000,
            partials: Bounds { count: 10, bytes: 1000 },
            lease: Duration::from_secs(15),
        };
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
        engine.create(NewRun { task, cx, work, may_rerun: false }).await.expect("created").0
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
        engine.all_ended(&[].into()).await;
        assert!(dropped.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_task_that_is_cancelled_before_it_started_never_runs() {
        let engine = engine();
        let task = contract::new_task("a");
        let cx = context(&engine, task.id);
        let work = Box::pin(async { panic!("it ran") });
        let (record, start) =
            engine.create(NewRun { task, cx, work, may_rerun: false }).await.expect("created");
        engine.cancel(record.id, &Principal::local()).await.expect("cancelled");
        drop(start);
        engine.all_ended(&[].into()).await;
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
        engine.all_ended(&[].into()).await;
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
        engine.all_ended(&[].into()).await;
    }
}
