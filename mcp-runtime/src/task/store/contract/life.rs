//! How a task begins, changes and ends.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::super::{
    Epoch, Event, NewTask, Principal, Quota, Refusal, Report, Status, StoreError, TaskId, TaskStore, WorkerId,
};
use super::{ManualClock, create, ending, get, new_task};
use crate::protocol::payload::Ending;

pub(super) async fn what_was_created_is_there<S: TaskStore>(store: &S) {
    let task = new_task("a");
    let created = create(store, task.clone()).await;
    let found = get(store, task.id).await.expect("it is there once create returned");
    assert_eq!((found.id, found.status, found.rev), (task.id, Status::Working, created.rev));
    assert_eq!((found.ttl, found.poll, &found.principal), (task.ttl, task.poll, &task.principal));
    assert!(get(store, TaskId::random()).await.is_none(), "an unknown id gives nothing");
    assert!(store.ending(task.id).await.expect("no failure").is_none(), "it has no ending yet");
    assert!(store.create(task).await.is_err(), "an id is used once");
    let missing = store.apply(TaskId::random(), Event::Cancel).await;
    assert!(matches!(missing, Err(StoreError::NotFound)), "an unknown id cannot change");
}

pub(super) async fn a_key_makes_one_task<S: TaskStore>(store: &S) {
    let keyed = |text: &str| NewTask { key: Some("key".into()), ..new_task(text) };
    let first = create(store, keyed("a")).await;
    let again = store.create(keyed("a")).await.expect("a repeated creation is no error");
    assert!(again.existing && again.record.id == first.id, "the same key gives the same task");
    assert!(
        matches!(store.create(keyed("b")).await, Err(StoreError::KeyConflict)),
        "other arguments are refused"
    );
    let other = NewTask { principal: Principal::new("somebody else"), ..keyed("b") };
    assert!(!store.create(other).await.expect("created").existing, "a key belongs to its principal");
    let other = NewTask { target: "another tool".into(), ..keyed("b") };
    assert!(!store.create(other).await.expect("created").existing, "a key belongs to its tool");
    store.apply(first.id, Event::End(first.epoch, ending("over"))).await.expect("it ends");
    let again = store.create(keyed("a")).await.expect("a repeated creation is no error");
    assert!(again.existing && again.record.status == Status::Failed, "an ended task is still the same task");
}

pub(super) async fn limits_are_kept<S: TaskStore>(store: &S, clock: &ManualClock) {
    let small = Quota { running: 3, running_for_principal: 2, kept: 5, kept_for_principal: 3 };
    let limited = |who: &str| NewTask { quota: small, principal: Principal::new(who), ..new_task("a") };
    let limit = |outcome: Result<_, StoreError>| match outcome {
        Err(StoreError::Limit(name, _)) => name,
        Err(error) => panic!("a limit was to be reached, not: {error}"),
        Ok(_) => "none",
    };
    let first = create(store, limited("a")).await;
    create(store, limited("a")).await;
    assert_eq!(limit(store.create(limited("a")).await), "max_running_tasks_per_principal");
    create(store, limited("b")).await;
    assert_eq!(limit(store.create(limited("b")).await), "max_running_tasks");
    store.apply(first.id, Event::Cancel).await.expect("cancelled");
    let third = create(store, limited("a")).await;
    store.apply(third.id, Event::Cancel).await.expect("cancelled");
    assert_eq!(limit(store.create(limited("a")).await), "max_tasks_per_principal");
    let fifth = create(store, limited("c")).await;
    store.apply(fifth.id, Event::Cancel).await.expect("cancelled");
    assert_eq!(limit(store.create(limited("d")).await), "max_tasks");
    clock.advance(Duration::from_secs(60));
    create(store, limited("a")).await;
}

pub(super) async fn an_old_run_never_writes<S: TaskStore>(store: &S) {
    let old = create(store, new_task("a")).await;
    let claim = Event::Claim(WorkerId::random());
    let new = store.apply(old.id, claim).await.expect("a working task can be claimed");
    assert!(new.epoch > old.epoch && new.rev > old.rev, "a claim raises epoch and rev");
    let stale = store.apply(old.id, Event::End(old.epoch, ending("old"))).await;
    assert!(matches!(stale, Err(StoreError::Refused(Refusal::Stale))), "the old run is shut out");
    store.report(old.id, old.epoch, Report { message: Some("old".into()), progress: None });
    assert_eq!(get(store, old.id).await.and_then(|record| record.message), None, "its reports too");
    store.apply(old.id, Event::End(new.epoch, ending("new"))).await.expect("the new run ends it");
}

pub(super) async fn an_end_is_final<S: TaskStore>(store: &S) {
    let task = create(store, new_task("a")).await;
    let ended = store.apply(task.id, Event::End(task.epoch, ending("first"))).await.expect("it ends");
    for event in [Event::Cancel, Event::Claim(WorkerId::random()), Event::End(task.epoch, ending("second"))] {
        let refused = store.apply(task.id, event).await;
        assert!(
            matches!(refused, Err(StoreError::Refused(Refusal::Terminal(Status::Failed)))),
            "terminal is final"
        );
    }
    let found = get(store, task.id).await.expect("it is kept");
    assert_eq!((found.rev, found.status), (ended.rev, Status::Failed), "a refusal changes nothing");
    let kept = store.ending(task.id).await.expect("no failure").expect("its ending is kept");
    assert!(matches!(&*kept, Ending::Error(error) if error.message() == "first"), "as it was");
    let task = create(store, new_task("b")).await;
    store.apply(task.id, Event::Cancel).await.expect("it is cancelled");
    assert!(store.ending(task.id).await.expect("no failure").is_none(), "a cancelled task has no ending");
}

pub(super) async fn reports_change_only_what_they_say<S: TaskStore>(store: &S) {
    let task = create(store, new_task("a")).await;
    store.report(
        task.id,
        task.epoch,
        Report { message: Some("half".into()), progress: Some((1.0, Some(2.0))) },
    );
    store.report(task.id, task.epoch, Report { message: None, progress: Some((2.0, Some(2.0))) });
    let found = get(store, task.id).await.expect("it is there");
    assert_eq!(found.message.as_deref(), Some("half"), "no message keeps the last one");
    assert_eq!(found.progress, Some((2.0, Some(2.0))), "the last report is seen");
    assert!(found.rev > task.rev, "a report raises rev");
}

pub(super) async fn races_have_one_winner<S: TaskStore>(store: Arc<S>) {
    let attempts = (0..16).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.create(NewTask { key: Some("key".into()), ..new_task("a") }).await })
    });
    let mut ids = HashSet::new();
    let mut made = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        let created = attempt.await.expect("no panic").expect("created");
        ids.insert(created.record.id);
        made += usize::from(!created.existing);
    }
    assert_eq!((ids.len(), made), (1, 1), "one key makes one task, whoever comes first");
    for _ in 0..50 {
        let task = create(&*store, new_task("b")).await;
        let events = [Event::Cancel, Event::End(Epoch::FIRST, ending("over")), Event::Cancel];
        let attempts = events.map(|event| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.apply(task.id, event).await })
        });
        let mut winners = Vec::new();
        for attempt in attempts {
            winners.extend(attempt.await.expect("no panic").ok());
        }
        assert_eq!(winners.len(), 1, "of cancelling and completing, one wins");
        let found = get(&*store, task.id).await.expect("it is kept");
        assert_eq!(found.status, winners[0].status, "and its outcome stays");
    }
}
