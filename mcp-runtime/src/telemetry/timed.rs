//! A store whose answers are timed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::numbers::store_took;
use crate::protocol::payload::Ending;
use crate::task::store::{
    Claimed, Created, Epoch, Event, Expired, JournalEntry, Lease, NewTask, Partial, Partials, Place,
    Principal, Record, Report, StoreFuture, TaskId, TaskStore, WorkerId,
};

/// Does as the store in it, and takes the time of what is waited for.
pub(super) struct Timed(pub(super) Arc<dyn TaskStore>);

/// Asks the store, which may do all that it does before it gives the future.
fn timed<'a, T: Send + 'a>(
    operation: &'static str,
    ask: impl FnOnce() -> StoreFuture<'a, T>,
) -> StoreFuture<'a, T> {
    let begun = Instant::now();
    let answer = ask();
    Box::pin(async move {
        let answer = answer.await;
        store_took(operation, begun.elapsed());
        answer
    })
}

impl TaskStore for Timed {
    fn create(&self, task: NewTask) -> StoreFuture<'_, Created> {
        timed("create", || self.0.create(task))
    }

    fn get(&self, id: TaskId) -> StoreFuture<'_, Option<Record>> {
        timed("get", || self.0.get(id))
    }

    fn ending(&self, id: TaskId) -> StoreFuture<'_, Option<Arc<Ending>>> {
        timed("ending", || self.0.ending(id))
    }

    fn apply(&self, id: TaskId, event: Event) -> StoreFuture<'_, Record> {
        timed("apply", || self.0.apply(id, event))
    }

    fn report(&self, id: TaskId, epoch: Epoch, report: Report) {
        self.0.report(id, epoch, report);
    }

    fn partial(&self, id: TaskId, epoch: Epoch, partial: Partial) {
        self.0.partial(id, epoch, partial);
    }

    fn partials(&self, id: TaskId, from: u32) -> StoreFuture<'_, Partials> {
        timed("partials", || self.0.partials(id, from))
    }

    fn remember(&self, id: TaskId, epoch: Epoch, entry: JournalEntry) -> StoreFuture<'_, ()> {
        timed("remember", || self.0.remember(id, epoch, entry))
    }

    fn children(&self, parent: TaskId) -> StoreFuture<'_, Vec<Record>> {
        timed("children", || self.0.children(parent))
    }

    fn list(
        &self,
        principal: &Principal,
        after: Option<Place>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Record>> {
        timed("list", || self.0.list(principal, after, limit))
    }

    fn expire(&self, limit: usize) -> StoreFuture<'_, Expired> {
        timed("expire", || self.0.expire(limit))
    }

    fn claim(&self, lease: Lease, only: Option<TaskId>, limit: usize) -> StoreFuture<'_, Vec<Claimed>> {
        timed("claim", || self.0.claim(lease, only, limit))
    }

    fn heartbeat(&self, lease: Lease) -> StoreFuture<'_, Vec<TaskId>> {
        timed("heartbeat", || self.0.heartbeat(lease))
    }

    fn retire(&self, worker: WorkerId) -> StoreFuture<'_, ()> {
        timed("retire", || self.0.retire(worker))
    }

    fn forgotten(&self, span: Duration, limit: usize) -> StoreFuture<'_, Vec<TaskId>> {
        timed("forgotten", || self.0.forgotten(span, limit))
    }

    fn changes(&self) -> StoreFuture<'_, Vec<TaskId>> {
        // It waits for others, so its time says nothing.
        self.0.changes()
    }

    fn is_durable(&self) -> bool {
        self.0.is_durable()
    }
}
