//! Who waits for which task: hints that something changed, never lost, never queued twice.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::record::TaskId;

/// The tasks that somebody watches. A change to any other task costs one atomic read.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    by_task: Mutex<HashMap<TaskId, Vec<Arc<Watcher>>>>,
    watched: AtomicUsize,
}

#[derive(Debug, Default)]
struct Watcher {
    dirty: Mutex<BTreeSet<TaskId>>,
    wake: Notify,
}

/// Waits for changes of some tasks; watching ends when it is dropped.
///
/// It carries no state: who is woken looks the task up, and so sees the newest state, however many changes there were.
#[derive(Debug)]
pub(crate) struct Watch {
    watchers: Arc<Watchers>,
    watcher: Arc<Watcher>,
    tasks: Mutex<HashSet<TaskId>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watchers {
    /// Tells whoever watches this task that it changed.
    pub(crate) fn changed(&self, id: TaskId) {
        if self.watched.load(Ordering::Acquire) == 0 {
            return;
        }
        let watchers = lock(&self.by_task).get(&id).cloned().unwrap_or_default();
        for watcher in watchers {
            watcher.touch(id);
        }
    }

    /// Begins to watch. What happens to a task after it was added is seen.
    pub(crate) fn watch(self: &Arc<Self>) -> Watch {
        Watch { watchers: Arc::clone(self), watcher: Arc::default(), tasks: Mutex::default() }
    }
}

impl Watcher {
    fn touch(&self, id: TaskId) {
        lock(&self.dirty).insert(id);
        self.wake.notify_one();
    }
}

impl Watch {
    /// Watches one more task, which counts as changed once, so that nothing is missed between looking and watching.
    pub(crate) fn add(&self, id: TaskId) {
        if lock(&self.tasks).insert(id) {
            lock(&self.watchers.by_task).entry(id).or_default().push(Arc::clone(&self.watcher));
            self.watchers.watched.fetch_add(1, Ordering::AcqRel);
            self.watcher.touch(id);
        }
    }

    /// Watches one task less.
    pub(crate) fn remove(&self, id: TaskId) {
        if lock(&self.tasks).remove(&id) {
            self.forget(id);
        }
    }

    fn take_dirty(&self) -> BTreeSet<TaskId> {
        let mut dirty = std::mem::take(&mut *lock(&self.watcher.dirty));
        // A hint may have been on its way when its task was removed.
        let tasks = lock(&self.tasks);
        dirty.retain(|id| tasks.contains(id));
        dirty
    }

    fn forget(&self, id: TaskId) {
        let mut by_task = lock(&self.watchers.by_task);
        if let Some(watchers) = by_task.get_mut(&id) {
            watchers.retain(|watcher| !Arc::ptr_eq(watcher, &self.watcher));
            if watchers.is_empty() {
                by_task.remove(&id);
            }
        }
        self.watchers.watched.fetch_sub(1, Ordering::AcqRel);
    }

    /// The tasks that changed since this was last asked; waits until there is one. Cancel safe.
    pub(crate) async fn changed(&self) -> BTreeSet<TaskId> {
        loop {
            let dirty = self.take_dirty();
            if !dirty.is_empty() {
                return dirty;
            }
            self.watcher.wake.notified().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for id in std::mem::take(&mut *lock(&self.tasks)) {
            self.forget(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_watcher_sees_each_changed_task_once_and_no_other() {
        let watchers = Arc::new(Watchers::default());
        let (a, b) = (TaskId::random(), TaskId::random());
        let watch = watchers.watch();
        watch.add(a);
        assert_eq!(watch.changed().await, BTreeSet::from([a]), "what begins to be watched is looked at");
        watchers.changed(b);
        watchers.changed(a);
        watchers.changed(a);
        assert_eq!(watch.changed().await, BTreeSet::from([a]));
        watchers.changed(a);
        watch.remove(a);
        watchers.changed(a);
        watch.add(b);
        watchers.changed(b);
        assert_eq!(watch.changed().await, BTreeSet::from([b]));
    }

    #[test]
    fn nothing_is_kept_of_a_watch_that_is_gone() {
        let watchers = Arc::new(Watchers::default());
        let watch = watchers.watch();
        watch.add(TaskId::random());
        drop(watch);
        assert!(lock(&watchers.by_task).is_empty());
        assert_eq!(watchers.watched.load(Ordering::Acquire), 0);
    }
}
