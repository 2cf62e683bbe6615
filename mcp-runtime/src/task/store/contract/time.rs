//! What time does to tasks, and in which order they are listed.

use std::collections::HashSet;
use std::time::Duration;

use super::super::{Event, NewTask, Place, Principal, StoreError, TaskId, TaskStore};
use super::{ManualClock, create, get, new_task};

pub(super) async fn expiry_waits_for_the_end<S: TaskStore>(store: &S, clock: &ManualClock) {
    let keyed = NewTask { key: Some("key".into()), ..new_task("a") };
    let (long, short) = (create(store, keyed.clone()).await, create(store, new_task("b")).await);
    store.apply(short.id, Event::Cancel).await.expect("cancelled");
    clock.advance(Duration::from_secs(59));
    assert!(get(store, short.id).await.is_some(), "it is kept for its TTL");
    let expired = store.expire(10).await.expect("no failure");
    assert_eq!(
        (expired.removed, expired.next),
        (0, Some(Duration::from_secs(1))),
        "the next expiry is known"
    );
    clock.advance(Duration::from_secs(1));
    assert!(get(store, short.id).await.is_none(), "an expired task is gone, removed or not");
    assert!(
        matches!(store.apply(short.id, Event::Cancel).await, Err(StoreError::NotFound)),
        "for changes too"
    );
    assert_eq!(store.expire(10).await.expect("no failure").removed, 1, "and then it is removed");
    clock.advance(Duration::from_secs(3600));
    assert!(get(store, long.id).await.is_some(), "a TTL never ends work that is going on");
    assert_eq!(store.expire(10).await.expect("no failure").next, None, "what works does not expire");
    store.apply(long.id, Event::Cancel).await.expect("cancelled");
    clock.advance(Duration::from_secs(60));
    let again = NewTask { id: TaskId::random(), ..keyed };
    assert!(!store.create(again).await.expect("created").existing, "a key lives as long as its task");
    for _ in 0..5 {
        let task = create(store, new_task("c")).await;
        store.apply(task.id, Event::Cancel).await.expect("cancelled");
    }
    clock.advance(Duration::from_secs(60));
    assert_eq!(store.expire(2).await.expect("no failure").removed, 2, "removal comes in bounded batches");
}

pub(super) async fn a_listing_misses_nothing<S: TaskStore>(store: &S, clock: &ManualClock) {
    let mut made = Vec::new();
    for index in 0..10 {
        made.push(create(store, new_task("a")).await.id);
        if index % 3 == 0 {
            clock.advance(Duration::from_millis(1));
        }
    }
    create(store, NewTask { principal: Principal::new("somebody else"), ..new_task("a") }).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(&Principal::local(), after, 3).await.expect("no failure");
        let Some(last) = page.last() else { break };
        after = Some(Place(last.created_at, last.id));
        seen.extend(page.iter().map(|record| record.id));
        if seen.len() == 3 {
            // What is created while somebody pages comes at the end, and moves nothing.
            clock.advance(Duration::from_millis(1));
            made.push(create(store, new_task("b")).await.id);
        }
    }
    let unique: HashSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "nothing is listed twice");
    assert_eq!(unique, made.iter().collect(), "everything of the principal is listed, and nothing else");
}
