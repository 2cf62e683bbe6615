//! Takes up tasks that another run left behind, and makes sure that nobody takes those that are run here.
//!
//! All of this is for stores that outlive the process. A worker has one lease for all of its tasks. Whoever finds tasks
//! whose worker has none takes them over, by a claim that shuts the earlier run out; and a worker finds out by its
//! heartbeat that it has lost a task.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::drive::{Start, Starting};
use super::{Engine, Live, TaskLink, Work};
use crate::background;
use crate::protocol::ProtocolError;
use crate::protocol::payload::Ending;
use crate::task::context::Context;
use crate::task::identity::{TaskId, WorkerId};
use crate::task::journal::{Journal, Kept};
use crate::task::record::{Event, Record};
use crate::task::scope::Scope;
use crate::task::store::{Claimed, Lease, StoreError};
use crate::telemetry::{self, Span};

/// How many tasks are claimed at a time.
const CLAIM_BATCH: usize = 64;

/// The longest time between two runs of a task.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Knows how to go on with a task that another run left behind.
pub(crate) trait Revive: Send + Sync {
    /// Where the next run is, if that matters and no other run calls it.
    fn scope(&self, record: &Record) -> Option<Scope>;

    /// The work of the next run, or how the task ends because there may be none. `was_waiting`: the run before was not cut
    /// off, but waited for the client.
    fn revive(&self, task: &Claimed, was_waiting: bool, cx: &Context) -> Result<Revived, Ending>;
}

/// The next run of a task.
pub(crate) struct Revived {
    pub(crate) work: Work,
    /// Whether it may be followed by another.
    pub(crate) may_rerun: bool,
}

/// A task that is being taken, until it is entered: so that it is not handed back as one that nobody runs.
pub(super) struct Taking {
    engine: Arc<Engine>,
    id: TaskId,
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.engine.taking().remove(&self.id);
    }
}

impl Engine {
    /// Who runs the tasks of this engine.
    pub(crate) fn worker(&self) -> WorkerId {
        self.worker
    }

    fn lease(&self) -> Lease {
        Lease { worker: self.worker, span: self.settings.lease }
    }

    /// Begins to take up what was left behind, and to hold what is run here; once. Nothing is done for a store that does
    /// not outlive the process.
    pub(crate) fn open(self: &Arc<Self>, reviver: Weak<dyn Revive>) {
        if !self.store.is_durable() || self.reviver.set(reviver).is_err() {
            return;
        }
        self.start_sweeper();
        let engine = Arc::downgrade(self);
        let keeper = background::spawn(async move {
            let mut was_away = false;
            while let Some(engine) = engine.upgrade() {
                let lease = engine.settings.lease;
                engine.hold().await;
                if !was_away {
                    engine.take_over().await;
                }
                drop(engine);
                let slept = SystemTime::now();
                tokio::time::sleep(lease / 3).await;
                // The machine was asleep, or its clock was set: then the leases of the living have lapsed, too, and they have
                // a round to renew them.
                was_away = !was_away && slept.elapsed().is_ok_and(|span| span > lease);
            }
        });
        let (engine, store, busy) = (Arc::downgrade(self), Arc::clone(&self.store), Arc::clone(&self.busy));
        let listener = background::spawn(async move {
            loop {
                let became_busy = busy.notified();
                match engine.upgrade() {
                    // Nobody would hear of changes, so nobody looks for them.
                    Some(engine) if !engine.is_busy() => {
                        drop(engine);
                        became_busy.await;
                        continue;
                    }
                    Some(_) => {}
                    None => return,
                }
                let changed = store.changes().await;
                let Some(engine) = engine.upgrade() else { return };
                match changed {
                    Ok(changed) => engine.hear_of(changed).await,
                    Err(error) => {
                        tracing::warn!(%error, "changes by other processes are not seen");
                        drop(engine);
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        });
        let _ = self.keepers.set([keeper, listener]);
    }

    fn is_busy(&self) -> bool {
        self.watchers.is_watched() || !self.live_tasks(&HashSet::new()).is_empty()
    }

    /// Ends what [`open`](Self::open) began.
    pub(super) fn stop_keepers(&self) {
        self.keepers.get().into_iter().flatten().for_each(AbortHandle::abort);
    }

    /// Gives the lease back, so that nobody needs to wait until it lapses.
    pub(super) async fn retire(&self) {
        if !self.store.is_durable() {
            return;
        }
        *self.leased_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Err(error) = self.store.retire(self.worker).await {
            tracing::warn!(%error, "the lease could not be given back; whoever takes over waits until it lapses");
        }
    }

    /// Takes note that the store failed, perhaps after it had done what it was to do.
    pub(super) fn suspect(&self, error: &StoreError) {
        if matches!(error, StoreError::Failed(..)) {
            self.is_suspect.store(true, Ordering::Release);
        }
    }

    /// Holds what is run here, and takes up what nobody holds.
    #[cfg(test)]
    pub(crate) async fn make_round(self: &Arc<Self>) {
        self.hold().await;
        self.take_over().await;
    }

    /// Holds what is run here, and looks at what others run that somebody here waits for.
    async fn hold(self: &Arc<Self>) {
        let running: Vec<TaskId> = self.live_tasks(&HashSet::new()).into_iter().map(|(id, ..)| id).collect();
        let is_suspect = self.is_suspect.swap(false, Ordering::AcqRel);
        if !running.is_empty() || is_suspect {
            match self.beat().await {
                Ok(held) => self.compare(running, held).await,
                Err(error) => {
                    self.is_suspect.store(true, Ordering::Release);
                    tracing::warn!(%error, "the lease on running tasks could not be renewed");
                }
            }
        }
        // Hints of changes may be lost; so what others run, and somebody here waits for, is looked at now and then.
        for id in self.watchers.watched() {
            if !self.live(id).contains_key(&id) {
                self.watchers.changed(&id);
            }
        }
    }

    /// Takes up what nobody holds.
    async fn take_over(self: &Arc<Self>) {
        while !self.is_stopping() {
            let claimed = self.store.claim(self.lease(), None, CLAIM_BATCH).await;
            match claimed.inspect_err(|error| self.suspect(error)) {
                Ok(claimed) => {
                    let is_all = claimed.len() < CLAIM_BATCH;
                    for task in claimed {
                        self.take_up(task, None, None).await;
                    }
                    if is_all {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "tasks that were left behind could not be taken up");
                    return;
                }
            }
        }
    }

    /// Compares what runs here with what the store says that it should.
    async fn compare(&self, running: Vec<TaskId>, held: Vec<TaskId>) {
        // Who is about to run is registered before it is recorded. So what is recorded and not registered is over by now,
        // or was recorded by a store that failed to say so, and is nobody's.
        // What is being taken is looked for first: once it is not, it is registered.
        let is_at_hand = |id: &TaskId| self.taking().contains(id) || self.live(*id).contains_key(id);
        for id in held.iter().copied().filter(|id| !is_at_hand(id)) {
            let released = match self.store.get(id).await {
                Ok(Some(record)) if !record.status.is_terminal() && record.worker == Some(self.worker) => {
                    self.store.apply(id, Event::Release(record.epoch)).await.map(drop)
                }
                looked_up => looked_up.map(drop),
            };
            if let Err(error) = released {
                tracing::warn!(task = %id, %error, "a task that nobody runs could not be handed back");
                self.suspect(&error);
            }
        }
        // What was created meanwhile is not among them yet, so each is looked up before it is believed.
        let held: HashSet<TaskId> = held.into_iter().collect();
        self.hear_of(running.into_iter().filter(|id| !held.contains(id)).collect()).await;
    }

    async fn beat(&self) -> Result<Vec<TaskId>, StoreError> {
        let begun = Instant::now();
        let held = self.store.heartbeat(self.lease()).await?;
        // Counted from before it was asked for: it lapses in the store no sooner.
        *self.leased_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun + self.settings.lease);
        Ok(held)
    }

    /// Makes sure that what is created now is not taken for something left behind.
    pub(super) async fn ensure_lease(&self) -> Result<(), StoreError> {
        let leased_until = *self.leased_until.lock().unwrap_or_else(PoisonError::into_inner);
        let margin = self.settings.lease / 2;
        if self.store.is_durable() && leased_until.is_none_or(|until| until < Instant::now() + margin) {
            self.beat().await?;
        }
        Ok(())
    }

    /// Takes over one task that waits for its client, unless somebody living holds it.
    pub(super) async fn claim_waiting(
        self: &Arc<Self>,
        id: TaskId,
    ) -> Result<Option<(Claimed, Taking)>, StoreError> {
        if !self.store.is_durable() || self.is_stopped() {
            return Ok(None);
        }
        if !self.taking().insert(id) {
            return Ok(None);
        }
        let taking = Taking { engine: Arc::clone(self), id };
        if self.live(id).contains_key(&id) {
            return Ok(None);
        }
        let claimed = self.store.claim(self.lease(), Some(id), 1).await;
        let claimed = claimed.inspect_err(|error| self.suspect(error))?.pop();
        Ok(claimed.map(|claimed| (claimed, taking)))
    }

    fn taking(&self) -> MutexGuard<'_, HashSet<TaskId>> {
        self.taking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at tasks that others may have changed: tells whoever watches them, and the run, if it is here.
    async fn hear_of(&self, changed: Vec<TaskId>) {
        for id in changed {
            self.watchers.changed(&id);
            if !self.live(id).contains_key(&id) {
                continue;
            }
            match self.store.get(id).await {
                Ok(record) => self.hear(id, record),
                Err(error) => tracing::warn!(task = %id, %error, "a task could not be looked up"),
            }
        }
    }

    /// Tells the run of a task, if it is here, how the task stands, and whoever watches it that it may have changed.
    pub(super) fn hear(&self, id: TaskId, record: Option<Record>) {
        self.watchers.changed(&id);
        let Some(epoch) = self.live(id).get(&id).map(|live| live.epoch) else { return };
        match record {
            Some(record) if record.status.is_terminal() => self.stop(id),
            Some(record) if record.epoch == epoch => self.deliver(&record),
            _ => self.lose(id),
        }
    }

    /// Drops a run that was replaced by another, or whose task is not there any more.
    fn lose(&self, id: TaskId) {
        tracing::warn!(task = %id, "the task was taken over by another worker");
        if let Some(live) = self.live(id).get(&id) {
            live.drop_run();
        }
    }

    /// Goes on with a task that was claimed: with one whose run was not cut off but `waited` for answers to these questions,
    /// and with one that another run calls, which is at the place in `scope`.
    pub(super) fn take_up<'a>(
        self: &'a Arc<Self>,
        task: Claimed,
        waited: Option<Vec<Arc<str>>>,
        scope: Option<Scope>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            let (id, epoch, attempts) = (task.record.id, task.record.epoch, task.record.attempts);
            let Some(reviver) = self.reviver.get().and_then(Weak::upgrade) else {
                // The server is going down; whoever comes next finds the task as it is.
                return;
            };
            let revived = self.revive(&*reviver, &task, waited, scope);
            telemetry::taken_up(&task.record, revived.is_ok());
            match revived {
                Ok((cx, Revived { work, may_rerun })) => {
                    let span = Span::of_task(&task.record, cx.trace());
                    let Some(registered) = self.enter(id, Live { cx, epoch, may_rerun, abort: None }) else {
                        // The server went down meanwhile.
                        if let Err(error) = self.hand_back(id, epoch, true).await {
                            tracing::warn!(task = %id, %error, "a task could not be handed back");
                        }
                        return;
                    };
                    let work = after(backoff(attempts), work);
                    drop(Start(Some(Starting { registered, span, work, runtime: Handle::current() })));
                }
                Err(ending) => {
                    let ending = Arc::new(self.bounded(ending));
                    if let Err(error) = self.try_to_end(id, epoch, &ending).await {
                        // It is nobody's, so the next round comes to the same; and the others do not wait for that.
                        tracing::error!(task = %id, %error, "the end of a task could not be recorded; it is tried again");
                        self.suspect(&error);
                    }
                }
            }
        })
    }

    fn revive(
        self: &Arc<Self>,
        reviver: &dyn Revive,
        task: &Claimed,
        waited: Option<Vec<Arc<str>>>,
        scope: Option<Scope>,
    ) -> Result<(Context, Revived), Ending> {
        let record = &task.record;
        let link = TaskLink { engine: Arc::downgrade(self), id: record.id, epoch: record.epoch };
        let cx = Context::new(record.principal.clone(), task.origin.clone(), Some(link), None);
        let cx = cx.at(scope.or_else(|| reviver.scope(record)));
        let questions = record.questions.as_deref().map_or(&[][..], Vec::as_slice);
        let kept = Kept::of_entries(task.journal.clone(), questions).map_err(|error| {
            let what =
                format!("what the task remembers cannot be read ({error}); call `{}` again", record.target);
            Ending::Error(ProtocolError::internal(what))
        })?;
        let was_waiting = waited.is_some();
        let mut journal = Journal::resume(kept, HashMap::new());
        journal.has_waited_for(waited.unwrap_or_default());
        cx.resume(journal);
        let revived = reviver.revive(task, was_waiting, &cx)?;
        Ok((cx, revived))
    }
}

/// How long to wait before a run, after so many were cut off: a task that takes its server down with it must not do so
/// all the time.
fn backoff(attempts: u32) -> Duration {
    match attempts {
        0 | 1 => Duration::ZERO,
        more => Duration::from_secs(1 << (more - 2).min(6)).min(LONGEST_BACKOFF),
    }
}

fn after(pause: Duration, work: Work) -> Work {
    if pause.is_zero() {
        return work;
    }
    Box::pin(async move {
        tokio::time::sleep(pause).await;
        work.await
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_run_after_another_was_cut_off_begins_at_once_and_later_ones_wait_longer_each_time() {
        let seconds: Vec<u64> = [0, 1, 2, 3, 4, 50].map(|attempts| backoff(attempts).as_secs()).to_vec();
        assert_eq!(seconds, [0, 0, 1, 2, 4, 60]);
    }
}
