//! Who waits for which task, or for what else: hints that something changed, never lost, never queued twice.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::identity::TaskId;

/// What can be watched: a task, for one.
pub(crate) trait Watched: Clone + Eq + Hash {}

impl<K: Clone + Eq + Hash> Watched for K {}

/// The things that somebody watches. A change to any other one costs one atomic read if nobody watches anything.
#[derive(Debug)]
pub(crate) struct Watchers<K = TaskId> {
    by_key: Mutex<HashMap<K, Vec<Arc<Watcher<K>>>>>,
    watched: AtomicUsize,
    /// Woken when something begins to be watched and nothing was.
    begun: Arc<Notify>,
}

impl<K> Default for Watchers<K> {
    fn default() -> Self {
        Self { by_key: Mutex::default(), watched: AtomicUsize::new(0), begun: Arc::default() }
    }
}

#[derive(Debug)]
struct Watcher<K> {
    dirty: Mutex<HashSet<K>>,
    wake: Notify,
}

/// Waits for changes of some things; watching ends when it is dropped.
///
/// It carries no state: who is woken looks the thing up, and so sees the newest state, however many changes there were.
#[derive(Debug)]
pub(crate) struct Watch<K: Watched = TaskId> {
    watchers: Arc<Watchers<K>>,
    watcher: Arc<Watcher<K>>,
    watched: Mutex<HashSet<K>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Watched> Watchers<K> {
    /// Tells whoever watches this that it changed.
    pub(crate) fn changed(&self, key: &K) {
        if self.watched.load(Ordering::Acquire) == 0 {
            return;
        }
        let watchers = lock(&self.by_key).get(key).cloned().unwrap_or_default();
        for watcher in watchers {
            watcher.touch(key.clone());
        }
    }

    /// Whether anything is watched.
    pub(crate) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Acquire) > 0
    }

    /// Woken when something begins to be watched and nothing was.
    pub(crate) fn begun(&self) -> &Arc<Notify> {
        &self.begun
    }

    /// Everything that is watched.
    pub(crate) fn watched(&self) -> Vec<K> {
        if self.is_watched() { lock(&self.by_key).keys().cloned().collect() } else { Vec::new() }
    }

    /// Begins to watch. What happens to something after it was added is seen.
    pub(crate) fn watch(self: &Arc<Self>) -> Watch<K> {
        let watcher = Arc::new(Watcher { dirty: Mutex::default(), wake: Notify::new() });
        Watch { watchers: Arc::clone(self), watcher, watched: Mutex::default() }
    }
}

impl<K: Watched> Watcher<K> {
    fn touch(&self, key: K) {
        lock(&self.dirty).insert(key);
        self.wake.notify_one();
    }
}

impl<K: Watched> Watch<K> {
    /// Watches one more thing, which counts as changed once, so that nothing is missed between looking and watching.
    pub(crate) fn add(&self, key: K) {
        if self.add_unchanged(key.clone()) {
            self.watcher.touch(key);
        }
    }

    /// Watches one more thing, for who did not look at it before; whether it was not watched yet.
    pub(crate) fn add_unchanged(&self, key: K) -> bool {
        let is_new = lock(&self.watched).insert(key.clone());
        if is_new {
            lock(&self.watchers.by_key).entry(key).or_default().push(Arc::clone(&self.watcher));
            if self.watchers.watched.fetch_add(1, Ordering::AcqRel) == 0 {
                self.watchers.begun.notify_one();
            }
        }
        is_new
    }

    /// Counts something as changed, for who could not look at it.
    pub(crate) fn touch(&self, key: K) {
        self.watcher.touch(key);
    }

    /// Counts everything that is watched as changed.
    pub(crate) fn look_again(&self) {
        let watched: Vec<K> = lock(&self.watched).iter().cloned().collect();
        for key in watched {
            self.watcher.touch(key);
        }
    }

    /// Watches one thing less.
    pub(crate) fn remove(&self, key: &K) {
        if lock(&self.watched).remove(key) {
            self.forget(key);
        }
    }

    /// Whether this is watched.
    pub(crate) fn watches(&self, key: &K) -> bool {
        lock(&self.watched).contains(key)
    }

    /// How many things are watched.
    pub(crate) fn len(&self) -> usize {
        lock(&self.watched).len()
    }

    /// What changed since this was last asked.
    pub(crate) fn take_changed(&self) -> HashSet<K> {
        let mut dirty = std::mem::take(&mut *lock(&self.watcher.dirty));
        // A hint may have been on its way when its thing was removed.
        let watched = lock(&self.watched);
        dirty.retain(|key| watched.contains(key));
        dirty
    }

    fn forget(&self, key: &K) {
        let mut by_key = lock(&self.watchers.by_key);
        if let Some(watchers) = by_key.get_mut(key) {
            watchers.retain(|watcher| !Arc::ptr_eq(watcher, &self.watcher));
            if watchers.is_empty() {
                by_key.remove(key);
            }
        }
        self.watchers.watched.fetch_sub(1, Ordering::AcqRel);
    }

    /// The things that changed since this was last asked; waits until there is one. Cancel safe.
    pub(crate) async fn changed(&self) -> HashSet<K> {
        loop {
            let dirty = self.take_changed();
            if !dirty.is_empty() {
                return dirty;
            }
            self.watcher.wake.notified().await;
        }
    }
}

impl<K: Watched> Drop for Watch<K> {
    fn drop(&mut self) {
        for key in std::mem::take(&mut *lock(&self.watched)) {
            self.forget(&key);
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
        assert_eq!(watch.changed().await, HashSet::from([a]), "what begins to be watched is looked at");
        watchers.changed(&b);
        watchers.changed(&a);
        watchers.changed(&a);
        assert_eq!(watch.changed().await, HashSet::from([a]));
        watchers.changed(&a);
        watch.remove(&a);
        watchers.changed(&a);
        watch.add(b);
        watchers.changed(&b);
        assert_eq!(watch.changed().await, HashSet::from([b]));
    }

    #[test]
    fn nothing_is_kept_of_a_watch_that_is_gone() {
        let watchers = Arc::new(Watchers::default());
        let watch = watchers.watch();
        watch.add(TaskId::random());
        drop(watch);
        assert!(lock(&watchers.by_key).is_empty());
        assert_eq!(watchers.watched.load(Ordering::Acquire), 0);
    }
}
