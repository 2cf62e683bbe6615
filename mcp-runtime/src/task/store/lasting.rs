//! A store that outlives those who use it, for tests of what they leave behind.

use std::sync::Arc;

use super::{
    Claimed, Created, Ending, Epoch, Event, Expired, JournalEntry, Lease, Memory, NewTask, Partial, Partials,
    Place, Principal, Record, Report, StoreFuture, TaskId, TaskStore, WorkerId,
};

/// Records in memory that several servers share. A clone is the same store.
#[derive(Clone, Debug)]
pub(crate) struct Lasting(pub(crate) Arc<Memory>);

impl TaskStore for Lasting {
    fn create(&self, task: NewTask) -> StoreFuture<'_, Created> {
        self.0.create(task)
    }

    fn get(&self, id: TaskId) -> StoreFuture<'_, Option<Record>> {
        self.0.get(id)
    }

    fn ending(&self, id: TaskId) -> StoreFuture<'_, Option<Arc<Ending>>> {
        self.0.ending(id)
    }

    fn apply(&self, id: TaskId, event: Event) -> StoreFuture<'_, Record> {
        self.0.apply(id, event)
    }

    fn report(&self, id: TaskId, epoch: Epoch, report: Report) {
        self.0.report(id, epoch, report);
    }

    fn partial(&self, id: TaskId, epoch: Epoch, partial: Partial) {
        self.0.partial(id, epoch, partial);
    }

    fn partials(&self, id: TaskId, from: u32) -> StoreFuture<'_, Partials> {
        self.0.partials(id, from)
    }

    fn remember(&self, id: TaskId, epoch: Epoch, entry: JournalEntry) -> StoreFuture<'_, ()> {
        self.0.remember(id, epoch, entry)
    }

    fn children(&self, parent: TaskId) -> StoreFuture<'_, Vec<Record>> {
        self.0.children(parent)
    }

    fn list(
        &self,
        principal: &Principal,
        after: Option<Place>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Record>> {
        self.0.list(principal, after, limit)
    }

    fn expire(&self, limit: usize) -> StoreFuture<'_, Expired> {
        self.0.expire(limit)
    }

    fn claim(&self, lease: Lease, only: Option<TaskId>, limit: usize) -> StoreFuture<'_, Vec<Claimed>> {
        self.0.claim(lease, only, limit)
    }

    fn heartbeat(&self, lease: Lease) -> StoreFuture<'_, Vec<TaskId>> {
        self.0.heartbeat(lease)
    }

    fn retire(&self, worker: WorkerId) -> StoreFuture<'_, ()> {
        self.0.retire(worker)
    }

    fn is_durable(&self) -> bool {
        true
    }
}
