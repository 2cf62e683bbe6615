//! Records in this process's memory: fast, and gone with it.
//!
//! A record lives in one of several maps, each behind a mutex of its own, so that a look-up meets no other. What spans
//! tasks (order, quotas, keys, expiry) is in one ledger, which only creation and ending touch. Whoever needs both locks
//! the ledger first.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use serde_json::value::RawValue;

use super::{
    Change, Created, Ending, Epoch, Event, Expired, NewTask, Place, Principal, Record, Report, RequestKind,
    StoreError, StoreFuture, TaskId, TaskStore, Timestamp,
};

/// What time it is, for a store.
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;
}

struct SystemClock;

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
}

type Key = Arc<(Principal, RequestKind, Arc<str>, Box<str>)>;

#[derive(Default)]
struct Ledger {
    running: usize,
    principals: HashMap<Principal, Account>,
    keys: HashMap<Key, TaskId>,
    expiring: BTreeSet<Place>,
}

#[derive(Default)]
struct Account {
    running: usize,
    tasks: BTreeSet<Place>,
}

/// Ids are random already: hashing them again adds nothing.
#[derive(Default)]
struct IdHasher(u64);

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
        let key = task
            .key
            .clone()
            .map(|key| Arc::new((task.principal.clone(), task.kind, Arc::clone(&task.target), key)));
        if let Some(id) = key.as_ref().and_then(|key| ledger.keys.get(key)) {
            let shard = self.shard(*id);
            if let Some(slot) = shard.get(id).filter(|slot| !slot.record.is_expired(now)) {
                if !same_json(&slot.arguments, &task.arguments) {
                    return Err(StoreError::KeyConflict);
                }
                return Ok(Created { record: slot.record.clone(), existing: true });
            }
        }
        let quota = task.quota;
        let count = |ledger: &Ledger| {
            ledger
                .principals
                .get(&task.principal)
                .map_or((0, 0), |account| (account.running, account.tasks.len()))
        };
        let (running, mut kept) = count(&ledger);
        if kept >= quota.kept_for_principal {
            // What has expired does not count, whether or not it was removed yet.
            self.expire_from(&mut ledger, usize::MAX, now);
            kept = count(&ledger).1;
        }
        for (name, count, most) in [
            ("max_running_tasks", ledger.running, quota.running),
            ("max_running_tasks_per_principal", running, quota.running_for_principal),
            ("max_tasks_per_principal", kept, quota.kept_for_principal),
        ] {
            if count >= most {
                return Err(StoreError::Limit(name, most));
            }
        }
        let record = Record::new(&task, now);
        match self.shard(task.id).entry(task.id) {
            Entry::Occupied(_) => {
                return Err(StoreError::Failed("recording a task", "its id is taken".into()));
            }
            Entry::Vacant(place) => {
                let (record, key) = (record.clone(), key.clone());
                place.insert(Box::new(Slot { record, arguments: task.arguments, key, ending: None }));
            }
        }
        ledger.running += 1;
        let account = ledger.principals.entry(task.principal).or_default();
        account.running += 1;
        account.tasks.insert(Place(now, task.id));
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

    fn expire_from(&self, ledger: &mut Ledger, limit: usize, now: Timestamp) -> Expired {
        let mut removed = 0;
        while removed < limit
            && let Some(place) = ledger.expiring.first().copied()
            && place.0 <= now
        {
            ledger.expiring.remove(&place);
            if let Some(slot) = self.shard(place.1).remove(&place.1) {
                ledger.forget(&slot);
            }
            removed += 1;
        }
        Expired { removed, next: ledger.expiring.first().map(|place| place.0.since(now)) }
    }
}

impl Ledger {
    fn ended(&mut self, record: &Record) {
        self.running = self.running.saturating_sub(1);
        if let Some(account) = self.principals.get_mut(&record.principal) {
            account.running = account.running.saturating_sub(1);
        }
        if let Some(at) = record.expires_at() {
            self.expiring.insert(Place(at, record.id));
        }
    }

    fn forget(&mut self, slot: &Slot) {
        let record = &slot.record;
        if let Entry::Occupied(mut account) = self.principals.entry(record.principal.clone()) {
            account.get_mut().tasks.remove(&Place(record.created_at, record.id));
            if account.get().tasks.is_empty() {
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
fn same_json(a: &RawValue, b: &RawValue) -> bool {
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
        let record = self.shard(id).get(&id).map(|slot| slot.record.clone());
        Box::pin(std::future::ready(Ok(record.filter(|record| !record.is_expired(self.clock.now())))))
    }

    fn ending(&self, id: TaskId) -> StoreFuture<'_, Option<Arc<Ending>>> {
        let shard = self.shard(id);
        let slot = shard.get(&id).filter(|slot| !slot.record.is_expired(self.clock.now()));
        Box::pin(std::future::ready(Ok(slot.and_then(|slot| slot.ending.clone()))))
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
        assert!(ledger.principals.is_empty() && ledger.keys.is_empty() && ledger.expiring.is_empty());
        assert!(store.shards.iter().all(|shard| shard.lock().expect("not poisoned").is_empty()));
    }
}
