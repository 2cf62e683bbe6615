//! Records in this process's memory: fast, and gone with it.
//!
//! A record lives in one of several maps, each behind a mutex of its own, so that a look-up meets no other. What spans
//! tasks (order, quotas, keys, expiry) is in one ledger, which only creation and ending touch. Whoever needs both locks
//! the ledger first.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{
    Change, Claimed, Created, Ending, Epoch, Event, Expired, JournalEntry, Lease, NewTask, Origin, Partial,
    Partials, Place, Principal, Record, Refusal, Report, RequestKind, StoreError, StoreFuture, TaskId,
    TaskStore, Timestamp, WorkerId,
};

/// What time it is, for a store.
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;
}

pub(super) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A store in memory.
pub struct Memory {
    clock: Box<dyn Clock>,
    shards: Box<[Mutex<Shard>]>,
    ledger: Mutex<Ledger>,
}

type Shard = HashMap<TaskId, Box<Slot>, BuildHasherDefault<IdHasher>>;

struct Slot {
    record: Record,
    arguments: Box<RawValue>,
    key: Option<Key>,
    ending: Option<Arc<Ending>>,
    beside: Option<Box<Beside>>,
}

/// What most tasks have nothing of.
#[derive(Default)]
struct Beside {
    origin: Origin,
    journal: Vec<JournalEntry>,
    partials: Partials,
}

/// Whose it is, for what, by which task if it is a child, and the key itself.
type Key = Arc<(Principal, RequestKind, Arc<str>, Option<TaskId>, Box<str>)>;

#[derive(Default)]
struct Ledger {
    running: usize,
    kept: usize,
    principals: HashMap<Principal, Account>,
    keys: HashMap<Key, TaskId>,
    expiring: BTreeSet<Place>,
    /// The children of each task that has any, in order.
    children: HashMap<TaskId, Vec<TaskId>>,
    leases: HashMap<WorkerId, Timestamp>,
}

#[derive(Default)]
struct Account {
    running: usize,
    /// Those that are no children.
    tasks: BTreeSet<Place>,
    children: usize,
}

impl Account {
    fn kept(&self) -> usize {
        self.tasks.len() + self.children
    }
}

/// Ids are random already: hashing them again adds nothing.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = self.0.rotate_left(5) ^ u64::from_le_bytes(word);
        }
    }
}

const SHARDS: usize = 16;

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// An empty store with a clock of your own, for tests in which time passes at will.
    pub fn with_clock(clock: impl Clock) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { clock: Box::new(clock), shards, ledger: Mutex::default() }
    }

    fn shard(&self, id: TaskId) -> MutexGuard<'_, Shard> {
        let index = (id.bits() >> 32) as usize % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create_now(&self, task: NewTask) -> Result<Created, StoreError> {
        let now = self.clock.now();
        let mut ledger = self.ledger();
        let parent = task.parent.map(|parent| parent.id);
        let key = task
            .key
            .clone()
            .map(|key| Arc::new((task.principal.clone(), task.kind, Arc::clone(&task.target), parent, key)));
        if let Some(id) = key.as_ref().and_then(|key| ledger.keys.get(key))
            && let Some(record) = self.look_up(*id, now)
        {
            let has_same = |slot: &Slot| same_json(&slot.arguments, &task.arguments);
            if !self.shard(*id).get(id).is_some_and(|slot| has_same(slot)) {
                return Err(StoreError::KeyConflict);
            }
            return Ok(Created { record, existing: true });
        }
        let quota = task.quota;
        let count = |ledger: &Ledger| {
            ledger.principals.get(&task.principal).map_or((0, 0), |account| (account.running, account.kept()))
        };
        let (mut running, mut kept) = count(&ledger);
        if running >= quota.running_for_principal
            || ledger.running >= quota.running
            || kept >= quota.kept_for_principal
            || ledger.kept >= quota.kept
        {
            // What has expired does not count, whether or not it was removed yet.
            self.expire_from(&mut ledger, usize::MAX, now);
            (running, kept) = count(&ledger);
        }
        for (name, count, most) in [
            ("max_running_tasks", ledger.running, quota.running),
            ("max_running_tasks_per_principal", running, quota.running_for_principal),
            ("max_tasks", ledger.kept, quota.kept),
            ("max_tasks_per_principal", kept, quota.kept_for_principal),
        ] {
            if count >= most {
                return Err(StoreError::Limit(name, most));
            }
        }
        // Nothing comes between looking and inserting: whoever creates holds the ledger.
        if self.shard(task.id).contains_key(&task.id) {
            return Err(StoreError::Failed("recording a task", "its id is taken".into()));
        }
        if let Some(parent) = task.parent {
            let mut shard = self.shard(parent.id);
            let slot = shard
                .get_mut(&parent.id)
                .filter(|slot| !slot.record.is_expired(now))
                .ok_or(StoreError::NotFound)?;
            slot.record.apply(&Event::Adopt(parent.epoch), now).map_err(StoreError::Refused)?;
            ledger.children.entry(parent.id).or_default().push(task.id);
        }
        let record = Record::new(&task, now);
        let is_remarkable = !task.journal.is_empty() || !task.origin.is_plain();
        let slot = Slot {
            record: record.clone(),
            arguments: task.arguments,
            key: key.clone(),
            ending: None,
            beside: is_remarkable.then(|| {
                Box::new(Beside { origin: task.origin, journal: task.journal, partials: Partials::default() })
            }),
        };
        self.shard(task.id).insert(task.id, Box::new(slot));
        ledger.running += 1;
        ledger.kept += 1;
        let account = ledger.principals.entry(task.principal).or_default();
        account.running += 1;
        if task.parent.is_some() {
            account.children += 1;
        } else {
            account.tasks.insert(Place(now, task.id));
        }
        if let Some(key) = key {
            ledger.keys.insert(key, task.id);
        }
        Ok(Created { record, existing: false })
    }

    fn apply_now(&self, id: TaskId, event: &Event) -> Result<Record, StoreError> {
        let now = self.clock.now();
        // Only what ends a task needs the ledger, and what needs it must lock it first.
        let ledger = matches!(event, Event::End(..) | Event::Cancel).then(|| self.ledger());
        let mut shard = self.shard(id);
        let slot =
            shard.get_mut(&id).filter(|slot| !slot.record.is_expired(now)).ok_or(StoreError::NotFound)?;
        let change = slot.record.apply(event, now).map_err(StoreError::Refused)?;
        if change == Change::Ended {
            if let Event::End(_, ending) = event {
                slot.ending = Some(Arc::clone(ending));
            }
            if let Some(mut ledger) = ledger {
                ledger.ended(&slot.record);
            }
        }
        Ok(slot.record.clone())
    }

    /// The record, if it is there. A child is there as long as its root.
    fn look_up(&self, id: TaskId, now: Timestamp) -> Option<Record> {
        let record = self.shard(id).get(&id).map(|slot| slot.record.clone())?;
        let is_there = match record.root() {
            Some(root) => self.shard(root).get(&root).is_some_and(|slot| !slot.record.is_expired(now)),
            None => !record.is_expired(now),
        };
        is_there.then_some(record)
    }

    fn partial_now(&self, id: TaskId, epoch: Epoch, partial: &Partial) {
        let now = self.clock.now();
        let mut shard = self.shard(id);
        let Some(slot) = shard.get_mut(&id) else { return };
        // Refused, it is of a run that is over; there already, it is of one that does again what was done.
        if slot.record.may_write(epoch).is_ok() && slot.beside.get_or_insert_default().partials.add(partial) {
            let _ = slot.record.apply(&Event::Partial(epoch), now);
        }
    }

    fn remember_now(&self, id: TaskId, epoch: Epoch, entry: JournalEntry) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut shard = self.shard(id);
        let slot =
            shard.get_mut(&id).filter(|slot| !slot.record.is_expired(now)).ok_or(StoreError::NotFound)?;
        slot.record.may_write(epoch).map_err(StoreError::Refused)?;
        let journal = &mut slot.beside.get_or_insert_default().journal;
        if journal.iter().any(|known| known.key == entry.key) {
            return Err(StoreError::Refused(Refusal::Remembered));
        }
        journal.push(entry);
        Ok(())
    }

    fn claim_now(&self, lease: Lease, only: Option<TaskId>, limit: usize) -> Vec<Claimed> {
        let (now, worker) = (self.clock.now(), lease.worker);
        let mut ledger = self.ledger();
        ledger.leases.retain(|_, until| *until > now);
        let is_alive = |holder| holder == worker || ledger.leases.contains_key(&holder);
        let mut free: Vec<Place> = match only {
            Some(id) => self
                .look_up(id, now)
                .filter(|record| !record.status.is_terminal() && !record.worker.is_some_and(is_alive))
                .map(|record| Place(record.created_at, id))
                .into_iter()
                .collect(),
            None => self.find(|record| record.is_orphan(is_alive)),
        };
        free.sort_unstable();
        let claim = |place: Place| {
            let mut shard = self.shard(place.1);
            let slot = shard.get_mut(&place.1)?;
            slot.record.apply(&Event::Claim(worker), now).ok()?;
            let beside = slot.beside.as_ref();
            Some(Claimed {
                record: slot.record.clone(),
                arguments: slot.arguments.clone(),
                origin: beside.map(|beside| beside.origin.clone()).unwrap_or_default(),
                journal: beside.map(|beside| beside.journal.clone()).unwrap_or_default(),
            })
        };
        let claimed: Vec<Claimed> = free.into_iter().take(limit).filter_map(claim).collect();
        if !claimed.is_empty() {
            ledger.leases.insert(worker, now.after(lease.span));
        }
        claimed
    }

    /// Where the tasks are of which this is true.
    fn find(&self, is_meant: impl Fn(&Record) -> bool) -> Vec<Place> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let records = shard.values().map(|slot| &slot.record).filter(|record| is_meant(record));
            found.extend(records.map(|record| Place(record.created_at, record.id)));
        }
        found
    }

    fn expire_from(&self, ledger: &mut Ledger, limit: usize, now: Timestamp) -> Expired {
        let mut removed = 0;
        while removed < limit
            && let Some(place) = ledger.expiring.first().copied()
            && place.0 <= now
        {
            ledger.expiring.remove(&place);
            let mut family = vec![place.1];
            while let Some(id) = family.pop() {
                let slot = self.shard(id).remove(&id);
                if let Some(slot) = slot {
                    ledger.forget(&slot);
                }
                family.extend(ledger.children.remove(&id).unwrap_or_default());
            }
            removed += 1;
        }
        Expired { removed, next: ledger.expiring.first().map(|place| place.0.since(now)) }
    }
}

impl Ledger {
    fn ended(&mut self, record: &Record) {
        self.no_longer_running(&record.principal);
        if let Some(at) = record.expires_at() {
            self.expiring.insert(Place(at, record.id));
        }
    }

    fn no_longer_running(&mut self, principal: &Principal) {
        self.running = self.running.saturating_sub(1);
        if let Some(account) = self.principals.get_mut(principal) {
            account.running = account.running.saturating_sub(1);
        }
    }

    fn forget(&mut self, slot: &Slot) {
        let record = &slot.record;
        self.kept = self.kept.saturating_sub(1);
        if !record.status.is_terminal() {
            // A part of a task that is over, which nobody ended.
            self.no_longer_running(&record.principal);
        }
        if let Entry::Occupied(mut account) = self.principals.entry(record.principal.clone()) {
            if record.parent().is_some() {
                account.get_mut().children -= 1;
            } else {
                account.get_mut().tasks.remove(&Place(record.created_at, record.id));
            }
            if account.get().kept() == 0 {
                account.remove();
            }
        }
        if let Some(key) = &slot.key
            && self.keys.get(key) == Some(&record.id)
        {
            self.keys.remove(key);
        }
    }
}

/// Whether two JSON texts say the same, whatever their spacing and order.
pub(super) fn same_json(a: &RawValue, b: &RawValue) -> bool {
    a.get() == b.get()
        || matches!(
            (serde_json::from_str::<Value>(a.get()), serde_json::from_str::<Value>(b.get())),
            (Ok(a), Ok(b)) if a == b
        )
}

impl TaskStore for Memory {
    fn create(&self, task: NewTask) -> StoreFuture<'_, Created> {
        Box::pin(std::future::ready(self.create_now(task)))
    }

    fn get(&self, id: TaskId) -> StoreFuture<'_, Option<Record>> {
        Box::pin(std::future::ready(Ok(self.look_up(id, self.clock.now()))))
    }

    fn ending(&self, id: TaskId) -> StoreFuture<'_, Option<Arc<Ending>>> {
        let is_there = self.look_up(id, self.clock.now()).is_some();
        let ending = self.shard(id).get(&id).filter(|_| is_there).and_then(|slot| slot.ending.clone());
        Box::pin(std::future::ready(Ok(ending)))
    }

    fn apply(&self, id: TaskId, event: Event) -> StoreFuture<'_, Record> {
        Box::pin(std::future::ready(self.apply_now(id, &event)))
    }

    fn report(&self, id: TaskId, epoch: Epoch, report: Report) {
        let now = self.clock.now();
        if let Some(slot) = self.shard(id).get_mut(&id) {
            // A refusal means that the run is over; nobody waits to hear of it.
            let _ = slot.record.apply(&Event::Report(epoch, report), now);
        }
    }

    fn list(
        &self,
        principal: &Principal,
        after: Option<Place>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Record>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let now = self.clock.now();
        let ledger = self.ledger();
        let places = ledger
            .principals
            .get(principal)
            .into_iter()
            .flat_map(|account| account.tasks.range((after.map_or(Unbounded, Excluded), Unbounded)));
        let records = places
            .filter_map(|place| self.shard(place.1).get(&place.1).map(|slot| slot.record.clone()))
            .filter(|record| !record.is_expired(now))
            .take(limit)
            .collect();
        Box::pin(std::future::ready(Ok(records)))
    }

    fn expire(&self, limit: usize) -> StoreFuture<'_, Expired> {
        let expired = self.expire_from(&mut self.ledger(), limit, self.clock.now());
        Box::pin(std::future::ready(Ok(expired)))
    }

    fn partial(&self, id: TaskId, epoch: Epoch, partial: Partial) {
        self.partial_now(id, epoch, &partial);
    }

    fn partials(&self, id: TaskId, from: u32) -> StoreFuture<'_, Partials> {
        let is_there = self.look_up(id, self.clock.now()).is_some();
        let shard = self.shard(id);
        let beside = shard.get(&id).filter(|_| is_there).and_then(|slot| slot.beside.as_ref());
        let partials = beside.map(|beside| beside.partials.from(from)).unwrap_or_default();
        Box::pin(std::future::ready(Ok(partials)))
    }

    fn remember(&self, id: TaskId, epoch: Epoch, entry: JournalEntry) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(self.remember_now(id, epoch, entry)))
    }

    fn children(&self, parent: TaskId) -> StoreFuture<'_, Vec<Record>> {
        let now = self.clock.now();
        let children = self.ledger().children.get(&parent).cloned().unwrap_or_default();
        let records = children.into_iter().filter_map(|id| self.look_up(id, now)).collect();
        Box::pin(std::future::ready(Ok(records)))
    }

    fn claim(&self, lease: Lease, only: Option<TaskId>, limit: usize) -> StoreFuture<'_, Vec<Claimed>> {
        Box::pin(std::future::ready(Ok(self.claim_now(lease, only, limit))))
    }

    fn heartbeat(&self, lease: Lease) -> StoreFuture<'_, Vec<TaskId>> {
        let until = self.clock.now().after(lease.span);
        self.ledger().leases.insert(lease.worker, until);
        let held = self.find(|record| record.worker == Some(lease.worker));
        Box::pin(std::future::ready(Ok(held.into_iter().map(|place| place.1).collect())))
    }

    fn retire(&self, worker: WorkerId) -> StoreFuture<'_, ()> {
        self.ledger().leases.remove(&worker);
        Box::pin(std::future::ready(Ok(())))
    }

    fn forgotten(&self, span: Duration, limit: usize) -> StoreFuture<'_, Vec<TaskId>> {
        let now = self.clock.now();
        let mut forgotten = self.find(|record| record.is_forgotten(span, now));
        forgotten.sort_unstable();
        let ids = forgotten.into_iter().take(limit).map(|place| place.1).collect();
        Box::pin(std::future::ready(Ok(ids)))
    }

    fn is_durable(&self) -> bool {
        false
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_memory_store_keeps_the_contract() {
        contract::check(|clock| async move { Memory::with_clock(clock) }).await;
    }

    #[tokio::test]
    async fn nothing_is_left_of_an_expired_task() {
        let clock = contract::ManualClock::default();
        let store = Memory::with_clock(clock.clone());
        let mut task = contract::new_task("a");
        task.key = Some("key".into());
        let id = store.create(task).await.expect("created").record.id;
        store.apply(id, Event::Cancel).await.expect("cancelled");
        clock.advance(std::time::Duration::from_secs(3600));
        assert_eq!(store.expire(10).await.expect("expired").removed, 1);
        let ledger = store.ledger();
        assert!(ledger.kept == 0 && ledger.principals.is_empty());
        assert!(ledger.keys.is_empty() && ledger.expiring.is_empty());
        assert!(store.shards.iter().all(|shard| shard.lock().expect("not poisoned").is_empty()));
    }
}
