//! How an engine stops: it takes nothing new, lets what runs go on for a while, hands back what may run elsewhere, and
//! ends the rest.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Engine;
use crate::background::Background;
use crate::protocol::ProtocolError;
use crate::protocol::payload::Ending;
use crate::task::context::Context;
use crate::task::identity::{Epoch, TaskId};
use crate::task::record::Event;
use crate::task::store::StoreError;
use crate::telemetry;

/// How long a store may take to note what is stopped, each of the two times that it is asked to. What it does not note
/// goes on elsewhere when the lease of this process lapses, if it is of those that go on elsewhere.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far an engine is with stopping.
#[derive(Default)]
pub(super) struct Stopping {
    phase: AtomicU8,
    /// Until when what runs may go on; `None` if as long as it likes.
    until: OnceLock<Option<Instant>>,
    /// Tasks that ended meanwhile, and whose end nobody has seen, where it is gone with the process.
    unseen: Mutex<HashSet<TaskId>>,
}

/// Nothing new is begun.
const DRAINING: u8 = 1;
/// What runs is stopped.
const STOPPED: u8 = 2;
/// Nothing runs any more.
const OVER: u8 = 3;

impl Stopping {
    fn is_at(&self, phase: u8) -> bool {
        self.phase.load(Ordering::SeqCst) >= phase
    }

    fn reach(&self, phase: u8) {
        self.phase.fetch_max(phase, Ordering::SeqCst);
    }

    fn unseen(&self) -> MutexGuard<'_, HashSet<TaskId>> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Whether nothing new should be begun.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_at(DRAINING)
    }

    /// Whether nothing may run any more. Who asks under the lock of a task's shard, and enters it there, is seen by who
    /// stops what runs.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopping.is_at(STOPPED)
    }

    /// Whether nothing changes any more.
    pub(super) fn is_over(&self) -> bool {
        self.stopping.is_at(OVER)
    }

    /// Takes note that a task ends, whose end somebody should see.
    pub(super) fn note_end(&self, id: TaskId) {
        // A store that outlives the process shows it later.
        if self.is_stopping() && !self.store.is_durable() {
            self.stopping.unseen().insert(id);
        }
    }

    /// Takes note that somebody looks at the end of a task, or that nobody needs to.
    pub(super) fn note_seen(&self, id: TaskId) {
        if self.is_stopping() && self.stopping.unseen().remove(&id) {
            self.idle.notify_waiters();
        }
    }

    /// Begins nothing new, and waits until what runs has ended, but no longer than this, counted from the first time that
    /// this is called; and no longer than until what runs is stopped. Cancel safe.
    ///
    /// What waits for its client is not waited for if it outlives the process. If clients are `served` meanwhile, and tasks
    /// are gone with the process, ends are waited for until somebody has seen them.
    pub(crate) async fn drain(&self, limit: Duration, served: bool) {
        self.stopping.reach(DRAINING);
        let until = *self.stopping.until.get_or_init(|| Instant::now().checked_add(limit));
        let drained = async {
            loop {
                let woken = self.idle.notified();
                if self.is_stopped() || (self.unfinished() == 0 && !(served && self.is_unseen())) {
                    return;
                }
                woken.await;
            }
        };
        match until {
            None => drained.await,
            Some(until) => {
                if tokio::time::timeout_at(until, drained).await.is_err() {
                    tracing::warn!(tasks = self.unfinished(), "tasks did not end in time");
                }
            }
        }
    }

    /// How many tasks are to be waited for.
    fn unfinished(&self) -> usize {
        let running = self.live.iter().flat_map(|shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values().map(|live| live.cx.clone()).collect::<Vec<Context>>()
        });
        let outlives = self.store.is_durable();
        running.filter(|cx| !(outlives && cx.is_asking())).count()
    }

    fn is_unseen(&self) -> bool {
        !self.stopping.unseen().is_empty()
    }

    /// Stops everything that runs, and records that: functions that clean up have the grace period, others are dropped.
    ///
    /// If tasks outlive the process, those that may run again are handed back, for whoever runs next, and those that wait
    /// for their client go on waiting. The rest has failed. Jobs elsewhere go on if their tasks outlive the process, and are
    /// stopped if not. A store that does not answer is not waited for.
    pub(crate) async fn shut_down(self: &Arc<Self>) {
        self.stopping.reach(STOPPED);
        self.idle.notify_waiters();
        self.stop_all(&HashSet::new()).await;
        if !self.store.is_durable() {
            self.stop_jobs().await;
        }
        if tokio::time::timeout(PATIENCE, self.retire()).await.is_err() {
            tracing::warn!("the store does not answer: whoever takes over waits until the lease lapses");
        }
        self.stopping.reach(OVER);
        // Whoever waits for a task that goes on elsewhere waits here no longer.
        for id in self.awaited() {
            self.watchers.changed(&id);
        }
    }

    /// The same for tasks whose end nobody waits for.
    pub(crate) async fn shut_down_unawaited(self: &Arc<Self>) {
        self.stopping.reach(DRAINING);
        self.stop_all(&self.awaited()).await;
    }

    /// The tasks whose end somebody waits for.
    fn awaited(&self) -> HashSet<TaskId> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn stop_all<'a>(
        self: &'a Arc<Self>,
        spared: &'a HashSet<TaskId>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            // What is handed back must not be taken up again by the one who hands it back.
            self.stop_keepers();
            let meant = self.live_tasks(spared);
            // Before the functions hear of anything: what they come to when they are stopped is not how the task ends.
            let left = if self.store.is_durable() { self.hand_back_all(&meant).await } else { meant.clone() };
            let mut cleans_up = false;
            let mut aborts = Vec::with_capacity(meant.len());
            for (id, epoch, _) in &meant {
                let live = self.live(*id);
                let Some(live) = live.get(id).filter(|live| live.epoch == *epoch) else { continue };
                if live.cx.is_cooperative() {
                    cleans_up = true;
                    live.cx.cancel();
                } else {
                    live.drop_run();
                }
                aborts.extend(live.abort.clone());
            }
            if cleans_up {
                // Whoever has not ended by then is dropped with the rest.
                let _ = tokio::time::timeout(self.settings.cancel_grace, self.all_ended(spared)).await;
            }
            for abort in aborts {
                abort.abort();
            }
            let mut ending = JoinSet::new();
            for (id, epoch, _) in left {
                let engine = Arc::clone(self);
                let end: Background = Box::pin(async move {
                    // Refused where the function came to an end of its own.
                    let error = ProtocolError::internal(
                        "the server stopped before the task was done; call the tool again",
                    );
                    let ending = Arc::new(Ending::Error(error));
                    if let Err(error) = engine.try_to_end(id, epoch, &ending).await {
                        tracing::error!(task = %id, %error, "the end of a task could not be recorded");
                    }
                });
                ending.spawn(end);
            }
            if tokio::time::timeout(PATIENCE, ending.join_all()).await.is_err() {
                tracing::error!("the store does not answer: the end of tasks could not be recorded");
            }
        })
    }

    /// Hands back what may run elsewhere, and gives the rest, which is to be ended. What the store could not be told of is
    /// not among that: it is dealt with by whoever finds it.
    async fn hand_back_all(self: &Arc<Self>, tasks: &[(TaskId, Epoch, bool)]) -> Vec<(TaskId, Epoch, bool)> {
        let left = Arc::new(Mutex::new(Vec::new()));
        let mut handing_back = JoinSet::new();
        for (id, epoch, may_rerun) in tasks.iter().copied() {
            let (engine, left) = (Arc::clone(self), Arc::clone(&left));
            let hand_back: Background = Box::pin(async move {
                match engine.hand_back(id, epoch, may_rerun).await {
                    Ok(true) => {}
                    Ok(false) => {
                        left.lock().unwrap_or_else(PoisonError::into_inner).push((id, epoch, may_rerun));
                    }
                    Err(error) => tracing::error!(task = %id, %error, "a task could not be handed back"),
                }
            });
            handing_back.spawn(hand_back);
        }
        let all_handed_back = async { while handing_back.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, all_handed_back).await.is_err() {
            let tasks = handing_back.len();
            tracing::error!(tasks, "the store does not answer: tasks could not be handed back");
        }
        std::mem::take(&mut left.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leaves a task to whoever runs next, if it may run again, or waits for its client. Whether there is nothing more to
    /// do with it.
    pub(super) async fn hand_back(
        &self,
        id: TaskId,
        epoch: Epoch,
        may_rerun: bool,
    ) -> Result<bool, StoreError> {
        if !(may_rerun || self.waits_for_client(id).await?) {
            return Ok(false);
        }
        match self.store.apply(id, Event::Release(epoch)).await {
            Ok(record) => telemetry::handed_back(&record),
            // It has ended, or somebody else has it.
            Err(StoreError::Refused(_) | StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Waits until no task runs any more but, perhaps, these.
    pub(crate) async fn all_ended(&self, spared: &HashSet<TaskId>) {
        loop {
            let ended = self.idle.notified();
            if self.live_tasks(spared).is_empty() {
                return;
            }
            ended.await;
        }
    }
}
