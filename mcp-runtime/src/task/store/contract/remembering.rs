//! What a run remembers, and what it gives before its end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::super::{
    Bounds, Event, JournalEntry, Lease, Partial, Partials, Refusal, StoreError, TaskId, TaskStore, WorkerId,
};
use super::{ManualClock, create, ending, get, new_task};

fn entry(key: &str, value: u32) -> JournalEntry {
    JournalEntry { key: key.into(), value: RawValue::from_string(value.to_string()).expect("JSON") }
}

async fn journal<S: TaskStore>(store: &S, id: TaskId) -> Vec<String> {
    let lease = Lease { worker: WorkerId::random(), span: Duration::from_secs(1) };
    let mut claimed = store.claim(lease, Some(id), 1).await.expect("no failure");
    store.retire(lease.worker).await.expect("no failure");
    let journal = claimed.pop().expect("nobody holds it").journal;
    journal.iter().map(|entry| format!("{} {}", entry.key, entry.value)).collect()
}

pub(super) async fn a_journal_is_written_once_and_in_order<S: TaskStore>(store: &S) {
    let task = create(store, new_task("a")).await;
    let other = create(store, new_task("a")).await;
    for (key, value) in [("c", 1), ("a", 2), ("b", 3)] {
        store.remember(task.id, task.epoch, entry(key, value)).await.expect("it is remembered");
    }
    store.remember(other.id, other.epoch, entry("a", 9)).await.expect("each task has a journal of its own");
    let twice = store.remember(task.id, task.epoch, entry("a", 4)).await;
    assert!(matches!(twice, Err(StoreError::Refused(Refusal::Remembered))), "what is remembered stays");
    assert_eq!(journal(store, task.id).await, ["c 1", "a 2", "b 3"]);
    let stale = store.remember(task.id, task.epoch, entry("d", 5)).await;
    assert!(matches!(stale, Err(StoreError::Refused(Refusal::Stale))), "the old run is shut out");
    let now = get(store, task.id).await.expect("it is there");
    store.remember(task.id, now.epoch, entry("d", 6)).await.expect("the new run goes on");
    assert_eq!(journal(store, task.id).await, ["c 1", "a 2", "b 3", "d 6"], "and nothing was lost");
    let now = get(store, task.id).await.expect("it is there");
    store.apply(task.id, Event::Cancel).await.expect("cancelled");
    let late = store.remember(task.id, now.epoch, entry("e", 7)).await;
    assert!(matches!(late, Err(StoreError::Refused(Refusal::Terminal(_)))), "who is over remembers nothing");
    let nobody = store.remember(TaskId::random(), task.epoch, entry("a", 1)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)), "nor does who is not there");
}

fn partial(index: u32, value: &str, count: usize, bytes: usize) -> Partial {
    let value = Arc::from(RawValue::from_string(value.to_owned()).expect("JSON"));
    Partial { index, value, keep: Bounds { count, bytes } }
}

async fn partials<S: TaskStore>(store: &S, id: TaskId, from: u32) -> Partials {
    store.partials(id, from).await.expect("no failure")
}

fn texts(partials: &Partials) -> Vec<&str> {
    partials.values.iter().map(|value| value.get()).collect()
}

pub(super) async fn partial_results_are_kept_in_order<S: TaskStore>(store: &S, clock: &ManualClock) {
    let task = create(store, new_task("a")).await;
    assert!(partials(store, task.id, 0).await.values.is_empty(), "there are none yet");
    for index in 0..5 {
        store.partial(task.id, task.epoch, partial(index, &index.to_string(), 3, 1000));
    }
    let kept = partials(store, task.id, 0).await;
    assert_eq!((texts(&kept), kept.first), (vec!["2", "3", "4"], 2), "the newest are kept");
    let rest = partials(store, task.id, 4).await;
    assert_eq!((texts(&rest), rest.first, rest.next()), (vec!["4"], 4, 5), "a reader goes on where it was");
    let none = partials(store, task.id, 5).await;
    assert_eq!((texts(&none), none.next()), (vec![], 5), "and waits for the next");
    let found = get(store, task.id).await.expect("it is there");
    assert_eq!(found.partials, 5, "the record counts them");
    assert!(found.rev > task.rev, "and is seen to have changed");

    let again = store.apply(task.id, Event::Claim(WorkerId::random())).await.expect("it is claimed");
    store.partial(task.id, task.epoch, partial(5, "\"late\"", 3, 1000));
    for index in 0..5 {
        store.partial(task.id, again.epoch, partial(index, &index.to_string(), 3, 1000));
    }
    let kept = partials(store, task.id, 0).await;
    assert_eq!(texts(&kept), ["2", "3", "4"], "an old run adds nothing, and a new one nothing twice");
    let unchanged = get(store, task.id).await.expect("it is there");
    assert_eq!((unchanged.rev, unchanged.partials), (again.rev, 5));
    store.partial(task.id, again.epoch, partial(5, "\"12345678\"", 3, 11));
    let kept = partials(store, task.id, 0).await;
    assert_eq!((texts(&kept), kept.first), (vec!["4", "\"12345678\""], 4), "bytes are bounded, too");

    let ended = store.apply(task.id, Event::End(again.epoch, ending("over"))).await.expect("it ends");
    store.partial(task.id, again.epoch, partial(6, "6", 3, 1000));
    let kept = partials(store, task.id, 0).await;
    assert_eq!((kept.values.len(), kept.next()), (2, 6), "they are kept with the task, and no more come");
    assert_eq!(get(store, task.id).await.map(|record| record.rev), Some(ended.rev));
    clock.advance(ended.ttl);
    assert!(partials(store, task.id, 0).await.values.is_empty(), "they go with the task");
    assert!(partials(store, TaskId::random(), 0).await.values.is_empty());
}
