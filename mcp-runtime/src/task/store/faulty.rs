//! A store that fails on purpose, over any other.
//!
//! A store can fail before it did anything, and after it did it all, when nobody hears of that; and it can be slow.
//! Whoever uses one must live with each of these.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::random::Random;
use super::{
    Claimed, Created, Ending, Epoch, Event, Expired, JournalEntry, Lease, NewTask, Partial, Partials, Place,
    Principal, Record, Report, StoreError, StoreFuture, TaskId, TaskStore, WorkerId,
};

/// A store that fails when it is told to.
///
/// ```
/// use mcp_runtime::store::{Fault, Faulty, Memory, Operation, TaskStore, contract};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (store, faults) = Faulty::new(Memory::new());
/// let task = contract::new_task("a");
///
/// // It did what it was asked, but its answer is lost.
/// faults.next(Operation::Create, Fault::After);
/// assert!(store.create(task.clone()).await.is_err());
/// assert!(store.get(task.id).await.unwrap().is_some());
/// # });
/// ```
#[derive(Debug)]
pub struct Faulty<S> {
    store: S,
    faults: Faults,
    is_durable: bool,
}

/// Says when a [`Faulty`] store fails. Clones are the same.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

/// What a store does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// [`TaskStore::create`].
    Create,
    /// [`TaskStore::get`].
    Get,
    /// [`TaskStore::ending`].
    Ending,
    /// [`TaskStore::apply`].
    Apply,
    /// [`TaskStore::partials`].
    Partials,
    /// [`TaskStore::remember`].
    Remember,
    /// [`TaskStore::children`].
    Children,
    /// [`TaskStore::list`].
    List,
    /// [`TaskStore::expire`].
    Expire,
    /// [`TaskStore::claim`].
    Claim,
    /// [`TaskStore::heartbeat`].
    Heartbeat,
    /// [`TaskStore::retire`].
    Retire,
    /// [`TaskStore::forgotten`].
    Forgotten,
}

/// How an operation goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It fails, and nothing has happened.
    Before,
    /// It has happened, but whoever asked is told that it failed.
    After,
    /// It begins after so long.
    Slow(Duration),
}

#[derive(Default)]
struct Plan {
    /// What is to go wrong once, in order.
    next: VecDeque<(Operation, Fault)>,
    /// What goes wrong each time.
    always: Vec<(Operation, Fault)>,
    /// What decides by chance, and of how many hundred operations it lets fail.
    chance: Option<(Random, u64)>,
    injected: usize,
}

impl Faults {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next operation of this kind goes wrong. Said several times, so do those that follow.
    pub fn next(&self, operation: Operation, fault: Fault) {
        self.plan().next.push_back((operation, fault));
    }

    /// Each operation of this kind goes wrong.
    pub fn always(&self, operation: Operation, fault: Fault) {
        self.plan().always.push((operation, fault));
    }

    /// So many of a hundred operations fail, before or after: the same for the same seed and the same operations.
    pub fn sometimes(&self, seed: u64, percent: u64) {
        self.plan().chance = Some((Random::new(seed), percent));
    }

    /// Nothing goes wrong from now on.
    pub fn stop(&self) {
        let mut plan = self.plan();
        plan.next.clear();
        plan.always.clear();
        plan.chance = None;
    }

    /// How often something went wrong.
    pub fn injected(&self) -> usize {
        self.plan().injected
    }

    fn choose(&self, operation: Operation) -> Option<Fault> {
        let mut plan = self.plan();
        let once = plan.next.iter().position(|(planned, _)| *planned == operation);
        let fault = once
            .and_then(|at| plan.next.remove(at))
            .or_else(|| plan.always.iter().find(|(planned, _)| *planned == operation).copied())
            .map(|(_, fault)| fault)
            .or_else(|| {
                let (random, percent) = plan.chance.as_mut()?;
                let fails = random.below(100) < *percent;
                let fault = if random.below(2) == 0 { Fault::Before } else { Fault::After };
                fails.then_some(fault)
            });
        plan.injected += usize::from(fault.is_some());
        fault
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("injected", &self.injected()).finish_non_exhaustive()
    }
}

impl<S: TaskStore> Faulty<S> {
    /// The store, and what says when it fails. It does not before it is told to.
    pub fn new(store: S) -> (Self, Faults) {
        let faults = Faults::default();
        let is_durable = store.is_durable();
        (Self { store, faults: faults.clone(), is_durable }, faults)
    }

    /// Says that tasks outlive the process: true of a store in memory, too, that several servers of a test share.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.is_durable = true;
        self
    }

    fn run<'a, T: Send + 'a>(
        &'a self,
        operation: Operation,
        does: impl FnOnce(&'a S) -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let fault = self.faults.choose(operation);
            match fault {
                Some(Fault::Before) => return Err(failed(operation)),
                Some(Fault::Slow(span)) => tokio::time::sleep(span).await,
                Some(Fault::After) | None => {}
            }
            let outcome = does(&self.store).await;
            if fault == Some(Fault::After) { Err(failed(operation)) } else { outcome }
        })
    }
}

fn failed(operation: Operation) -> StoreError {
    let doing = match operation {
        Operation::Create => "recording a task",
        Operation::Get => "looking a task up",
        Operation::Ending => "reading the end of a task",
        Operation::Apply => "changing a task",
        Operation::Partials => "reading partial results",
        Operation::Remember => "remembering a step",
        Operation::Children => "looking up the parts of a task",
        Operation::List => "listing tasks",
        Operation::Expire => "removing expired tasks",
        Operation::Claim => "taking over tasks",
        Operation::Heartbeat => "renewing a lease",
        Operation::Retire => "giving a lease back",
        Operation::Forgotten => "looking for jobs that nobody asks",
    };
    StoreError::Failed(doing, "a fault was injected".into())
}

impl<S: TaskStore> TaskStore for Faulty<S> {
    fn create(&self, task: NewTask) -> StoreFuture<'_, Created> {
        self.run(Operation::Create, |store| store.create(task))
    }

    fn get(&self, id: TaskId) -> StoreFuture<'_, Option<Record>> {
        self.run(Operation::Get, move |store| store.get(id))
    }

    fn ending(&self, id: TaskId) -> StoreFuture<'_, Option<Arc<Ending>>> {
        self.run(Operation::Ending, move |store| store.ending(id))
    }

    fn apply(&self, id: TaskId, event: Event) -> StoreFuture<'_, Record> {
        self.run(Operation::Apply, move |store| store.apply(id, event))
    }

    fn report(&self, id: TaskId, epoch: Epoch, report: Report) {
        self.store.report(id, epoch, report);
    }

    fn partial(&self, id: TaskId, epoch: Epoch, partial: Partial) {
        self.store.partial(id, epoch, partial);
    }

    fn partials(&self, id: TaskId, from: u32) -> StoreFuture<'_, Partials> {
        self.run(Operation::Partials, move |store| store.partials(id, from))
    }

    fn remember(&self, id: TaskId, epoch: Epoch, entry: JournalEntry) -> StoreFuture<'_, ()> {
        self.run(Operation::Remember, move |store| store.remember(id, epoch, entry))
    }

    fn children(&self, parent: TaskId) -> StoreFuture<'_, Vec<Record>> {
        self.run(Operation::Children, move |store| store.children(parent))
    }

    fn list(
        &self,
        principal: &Principal,
        after: Option<Place>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Record>> {
        let principal = principal.clone();
        self.run(Operation::List, move |store| {
            Box::pin(async move { store.list(&principal, after, limit).await })
        })
    }

    fn expire(&self, limit: usize) -> StoreFuture<'_, Expired> {
        self.run(Operation::Expire, move |store| store.expire(limit))
    }

    fn claim(&self, lease: Lease, only: Option<TaskId>, limit: usize) -> StoreFuture<'_, Vec<Claimed>> {
        self.run(Operation::Claim, move |store| store.claim(lease, only, limit))
    }

    fn heartbeat(&self, lease: Lease) -> StoreFuture<'_, Vec<TaskId>> {
        self.run(Operation::Heartbeat, move |store| store.heartbeat(lease))
    }

    fn retire(&self, worker: WorkerId) -> StoreFuture<'_, ()> {
        self.run(Operation::Retire, move |store| store.retire(worker))
    }

    fn forgotten(&self, span: Duration, limit: usize) -> StoreFuture<'_, Vec<TaskId>> {
        self.run(Operation::Forgotten, move |store| store.forgotten(span, limit))
    }

    fn changes(&self) -> StoreFuture<'_, Vec<TaskId>> {
        self.store.changes()
    }

    fn is_durable(&self) -> bool {
        self.is_durable
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Memory, contract};
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_that_is_not_told_to_fail_keeps_the_contract() {
        contract::check(|clock| async move { Faulty::new(Memory::with_clock(clock)).0 }).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_shared_is_found_again() {
        let mut shared = None;
        contract::check_durable(|clock| {
            let store = Arc::clone(shared.get_or_insert_with(|| Arc::new(Memory::with_clock(clock))));
            async move { Faulty::new(store).0.durable() }
        })
        .await;
    }

    #[tokio::test]
    async fn faults_come_when_they_are_told_to_and_are_counted() {
        let (store, faults) = Faulty::new(Memory::new());
        let task = contract::new_task("a");
        faults.next(Operation::Create, Fault::Before);
        assert!(matches!(store.create(task.clone()).await, Err(StoreError::Failed(..))));
        assert!(store.get(task.id).await.expect("nothing wrong").is_none(), "nothing has happened");
        faults.next(Operation::Create, Fault::After);
        assert!(store.create(task.clone()).await.is_err());
        assert!(store.get(task.id).await.expect("nothing wrong").is_some(), "it has happened");
        faults.always(Operation::Get, Fault::Before);
        for _ in 0..3 {
            assert!(store.get(task.id).await.is_err());
        }
        faults.stop();
        assert!(store.get(task.id).await.is_ok());
        assert_eq!(faults.injected(), 5);
    }
}
