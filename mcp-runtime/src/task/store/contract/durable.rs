//! What is found again when a store is closed and opened anew.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::super::{
    Bounds, Event, JournalEntry, Lease, NewTask, Parent, Partial, Place, Principal, Quota, Record, Refusal,
    Report, Status, StoreError, TaskId, TaskStore, WorkerId,
};
use super::{ManualClock, answer, create, ending, get, new_task, question};

/// Opens the same store again and again.
pub(super) struct Reopen<O> {
    pub(super) open: O,
    pub(super) clock: ManualClock,
}

impl<S, F, O> Reopen<O>
where
    S: TaskStore,
    F: Future<Output = S>,
    O: FnMut(ManualClock) -> F,
{
    async fn open(&mut self) -> S {
        let store = (self.open)(self.clock.clone()).await;
        assert!(store.is_durable(), "a store that is opened again says that it is durable");
        store
    }

    /// Closes the store, and opens it again.
    async fn again(&mut self, store: S) -> S {
        drop(store);
        self.open().await
    }

    pub(super) async fn everything_is_found_again(&mut self) {
        let store = self.open().await;
        let made = make_one_of_each(&store).await;
        let before = picture(&store, &made).await;
        let store = self.again(store).await;
        assert_eq!(picture(&store, &made).await, before, "every task is as it was");
        let store = self.again(store).await;
        assert_eq!(picture(&store, &made).await, before, "however often it is opened");
        keys_and_limits_are_known(&store, &made).await;
        self.leases_and_epochs_are_kept(store, &made).await;
        let store = self.open().await;
        self.clock.advance(Duration::from_secs(3600));
        let store = self.again(store).await;
        what_has_expired_goes(&store, &made).await;
    }

    async fn leases_and_epochs_are_kept(&mut self, store: S, made: &[TaskId]) {
        let holder = Lease { worker: WorkerId::random(), span: Duration::from_secs(15) };
        let other = Lease { worker: WorkerId::random(), ..holder };
        let task = create(&store, NewTask { worker: Some(holder.worker), ..new_task("held") }).await;
        for (key, value) in [("b", "1"), ("a", "2")] {
            store.remember(task.id, task.epoch, entry(key, value)).await.expect("it is remembered");
        }
        store.heartbeat(holder).await.expect("no failure");
        let claimed = store.claim(other, None, 100).await.expect("no failure");
        assert!(claimed.iter().all(|claimed| claimed.record.id != task.id), "its worker has a lease");
        // A store that knows that nobody else is left may take the lease for void. That it lapses, everyone knows.
        let store = self.again(store).await;
        self.clock.advance(holder.span);
        let claimed = store.claim(other, None, 100).await.expect("no failure");
        let found =
            claimed.into_iter().find(|claimed| claimed.record.id == task.id).expect("its lease lapsed");
        assert_eq!((found.record.attempts, found.record.worker), (1, Some(other.worker)));
        assert_eq!(found.arguments.get(), new_task("held").arguments.get());
        let journal: Vec<(&str, &str)> =
            found.journal.iter().map(|entry| (&*entry.key, entry.value.get())).collect();
        assert_eq!(journal, [("b", "1"), ("a", "2")]);
        let store = self.again(store).await;
        let old = store.apply(task.id, Event::End(task.epoch, ending("old"))).await;
        assert!(matches!(old, Err(StoreError::Refused(Refusal::Stale))), "who was shut out stays out");
        let known = store.remember(task.id, found.record.epoch, entry("a", "3")).await;
        assert!(matches!(known, Err(StoreError::Refused(Refusal::Remembered))), "what is remembered stays");
        store.apply(task.id, Event::End(found.record.epoch, ending("new"))).await.expect("it ends");
        // All the others end, too, so that they expire.
        for id in made {
            if get(&store, *id).await.is_some_and(|record| !record.status.is_terminal()) {
                store.apply(*id, Event::Cancel).await.expect("it is cancelled");
            }
        }
    }
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

fn entry(key: &str, value: &str) -> JournalEntry {
    JournalEntry { key: key.into(), value: raw(value) }
}

fn keyed(text: &str) -> NewTask {
    NewTask { key: Some("key".into()), ..new_task(text) }
}

/// Tasks in every state that there is. The first has a key.
async fn make_one_of_each<S: TaskStore>(store: &S) -> Vec<TaskId> {
    let task = create(store, NewTask { worker: Some(WorkerId::random()), ..keyed("keyed") }).await;
    let report = Report { progress: Some((0.1 + 0.2, Some(3.0))), message: Some("half".into()) };
    store.report(task.id, task.epoch, report);
    for index in 0..4 {
        let value = Arc::from(raw(&format!("{{\"hit\":{index}}}")));
        store.partial(task.id, task.epoch, Partial { index, value, keep: Bounds { count: 3, bytes: 1000 } });
    }
    store.remember(task.id, task.epoch, entry("step", "[1]")).await.expect("it is remembered");
    let parent = Parent { id: task.id, epoch: task.epoch, root: task.id };
    let child = create(store, NewTask { parent: Some(parent), ..keyed("a part") }).await;

    let asks = create(store, new_task("asks")).await;
    for key in ["b", "a", "c"] {
        store.apply(asks.id, Event::Ask(asks.epoch, question(key))).await.expect("it asks");
    }
    store.apply(asks.id, Event::Answer(vec![("a".into(), answer("yes"))])).await.expect("it is answered");
    store.apply(asks.id, Event::Withdraw(asks.epoch, "b".into())).await.expect("it is taken back");

    let job = create(store, new_task("job")).await;
    let handle = Arc::from(raw(r#"{"job":"7"}"#));
    store.apply(job.id, Event::Hand(job.epoch, handle)).await.expect("it is handed over");
    store.apply(job.id, Event::Poll).await.expect("it is asked");

    let released = create(store, new_task("released")).await;
    store.apply(released.id, Event::Release(released.epoch)).await.expect("it is handed back");
    let over = create(store, new_task("over")).await;
    store.apply(over.id, Event::End(over.epoch, ending("an end\nof \u{1f389}"))).await.expect("it ends");
    let cancelled = create(store, new_task("cancelled")).await;
    store.apply(cancelled.id, Event::Cancel).await.expect("it is cancelled");
    let other = NewTask { principal: Principal::new("somebody else"), ..new_task("other") };
    let other = create(store, other).await;
    [task, child, asks, job, released, over, cancelled, other].map(|record| record.id).to_vec()
}

/// All that can be seen of these tasks, as text.
async fn picture<S: TaskStore>(store: &S, made: &[TaskId]) -> Vec<String> {
    let mut seen = Vec::new();
    for id in made {
        let record = get(store, *id).await.expect("it is there");
        let ending = store.ending(*id).await.expect("no failure").map(|ending| ending.to_bytes());
        let partials = store.partials(*id, 0).await.expect("no failure");
        let partials: (u32, Vec<&str>) =
            (partials.first, partials.values.iter().map(|value| value.get()).collect());
        let children = ids(store.children(*id).await.expect("no failure"));
        // Its own line for each, so that a difference is found.
        seen.extend([text(&record), text(&ending), text(&partials), text(&children)]);
    }
    for principal in [Principal::local(), Principal::new("somebody else")] {
        let all = store.list(&principal, None, 100).await.expect("no failure");
        let after = all.first().map(|first| Place(first.created_at, first.id));
        seen.push(text(&ids(all)));
        seen.push(text(&ids(store.list(&principal, after, 2).await.expect("no failure"))));
    }
    seen
}

fn text(value: &impl Debug) -> String {
    format!("{value:?}")
}

fn ids(records: Vec<Record>) -> Vec<TaskId> {
    records.into_iter().map(|record| record.id).collect()
}

async fn keys_and_limits_are_known<S: TaskStore>(store: &S, made: &[TaskId]) {
    let again = store.create(keyed("keyed")).await.expect("a repeated creation is no error");
    assert!(again.existing && again.record.id == made[0], "a key is known");
    let other = store.create(keyed("other arguments")).await;
    assert!(matches!(other, Err(StoreError::KeyConflict)), "with its arguments");
    let (mut running, mut kept) = (0, 0);
    for id in made {
        let record = get(store, *id).await.expect("it is there");
        running += usize::from(!record.status.is_terminal());
        kept += usize::from(record.principal == Principal::local());
    }
    let roomy = new_task("a").quota;
    for (quota, limit) in [
        (Quota { running, ..roomy }, "max_running_tasks"),
        (Quota { running_for_principal: running - 1, ..roomy }, "max_running_tasks_per_principal"),
        (Quota { kept: made.len(), ..roomy }, "max_tasks"),
        (Quota { kept_for_principal: kept, ..roomy }, "max_tasks_per_principal"),
    ] {
        let full = store.create(NewTask { quota, ..new_task("one more") }).await;
        assert!(
            matches!(full, Err(StoreError::Limit(name, _)) if name == limit),
            "what counts is counted: {limit}"
        );
    }
}

async fn what_has_expired_goes<S: TaskStore>(store: &S, made: &[TaskId]) {
    for id in made {
        assert!(get(store, *id).await.is_none(), "its time was up while nobody looked");
    }
    let expired = store.expire(100).await.expect("no failure");
    // All but the child, which goes with its parent, and with the one that was held.
    assert_eq!((expired.removed, expired.next), (made.len(), None));
    let new = store.create(keyed("other arguments")).await.expect("a key lives as long as its task");
    assert!(!new.existing && new.record.status == Status::Working);
}
