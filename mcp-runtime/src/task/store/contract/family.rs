//! Tasks that are parts of others.

use std::time::Duration;

use super::super::{
    Event, Lease, NewTask, Parent, Principal, Quota, Record, Refusal, StoreError, TaskId, TaskStore, WorkerId,
};
use super::{ManualClock, create, ending, get, new_task};

/// A part of a task.
fn part_of(parent: &Record) -> NewTask {
    let root = parent.root().unwrap_or(parent.id);
    let parent = Parent { id: parent.id, epoch: parent.epoch, root };
    NewTask { parent: Some(parent), ..new_task("a part") }
}

async fn children<S: TaskStore>(store: &S, id: TaskId) -> Vec<TaskId> {
    store.children(id).await.expect("no failure").iter().map(|record| record.id).collect()
}

async fn count<S: TaskStore>(store: &S, id: TaskId) -> u32 {
    get(store, id).await.and_then(|record| record.family).map_or(0, |family| family.children)
}

pub(super) async fn a_child_belongs_to_its_parent<S: TaskStore>(store: &S, clock: &ManualClock) {
    let parent = create(store, new_task("a")).await;
    assert!(children(store, parent.id).await.is_empty());
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(create(store, part_of(&parent)).await);
        clock.advance(Duration::from_millis(1));
    }
    let first = &made[0];
    assert_eq!((first.parent(), first.root()), (Some(parent.id), Some(parent.id)));
    let adopted = get(store, parent.id).await.expect("it is there");
    assert_eq!(adopted.family.as_ref().map(|family| family.children), Some(3), "its parent counts it");
    assert!(adopted.rev > parent.rev, "and is seen to have changed");
    let grandchild = create(store, part_of(first)).await;
    assert_eq!((grandchild.parent(), grandchild.root()), (Some(first.id), Some(parent.id)));
    let ids: Vec<TaskId> = made.iter().map(|record| record.id).collect();
    assert_eq!(children(store, parent.id).await, ids, "the oldest first, and no grandchildren");
    assert_eq!(children(store, first.id).await, [grandchild.id]);
    let listed = store.list(&Principal::local(), None, 100).await.expect("no failure");
    assert_eq!(
        listed.iter().map(|record| record.id).collect::<Vec<_>>(),
        [parent.id],
        "parts are not listed"
    );

    let lease = Lease { worker: WorkerId::random(), span: Duration::from_secs(15) };
    let claimed = store.claim(lease, None, 100).await.expect("no failure");
    let claimed: Vec<TaskId> = claimed.iter().map(|claimed| claimed.record.id).collect();
    assert_eq!(claimed, [parent.id], "who takes over a task sees to its parts");
    let claimed = store.claim(lease, Some(first.id), 1).await.expect("no failure");
    assert_eq!(claimed.len(), 1, "one by one");
}

pub(super) async fn who_may_not_write_adopts_nobody<S: TaskStore>(store: &S) {
    let parent = create(store, new_task("a")).await;
    let one = Quota { running: 2, running_for_principal: 2, kept: 2, kept_for_principal: 2 };
    let keyed = |parent: &Record| NewTask { key: Some("key".into()), quota: one, ..part_of(parent) };
    let now = store.apply(parent.id, Event::Claim(WorkerId::random())).await.expect("it is claimed");
    let orphan = keyed(&parent);
    let stale = store.create(orphan.clone()).await;
    assert!(matches!(stale, Err(StoreError::Refused(Refusal::Stale))), "the old run is shut out");
    assert!(get(store, orphan.id).await.is_none(), "nothing was made");
    assert!(children(store, parent.id).await.is_empty() && count(store, parent.id).await == 0);
    let child = store.create(keyed(&now)).await.expect("no place and no key was taken");
    assert!(!child.existing);
    let full = store.create(NewTask { key: None, ..keyed(&now) }).await;
    assert!(matches!(full, Err(StoreError::Limit(..))), "a part counts as any task does");
    assert_eq!(count(store, parent.id).await, 1, "what was not made was not adopted");
    store.apply(parent.id, Event::End(now.epoch, ending("over"))).await.expect("it ends");
    let late = store.create(part_of(&now)).await;
    assert!(matches!(late, Err(StoreError::Refused(Refusal::Terminal(_)))), "who is over begins nothing");
    let nobody = Parent { id: TaskId::random(), epoch: now.epoch, root: parent.id };
    let nobodys = store.create(NewTask { parent: Some(nobody), ..new_task("a part") }).await;
    assert!(matches!(nobodys, Err(StoreError::NotFound)), "nor does who is not there");
}

pub(super) async fn the_key_of_a_part_is_its_parents<S: TaskStore>(store: &S) {
    let keyed = |task: NewTask| NewTask { key: Some("key".into()), ..task };
    let (one, other) = (create(store, new_task("a")).await, create(store, new_task("b")).await);
    let clients = create(store, keyed(new_task("a part"))).await;
    let child = store.create(keyed(part_of(&one))).await.expect("created");
    assert!(!child.existing && child.record.id != clients.id, "it does not meet a client's");
    assert!(!store.create(keyed(part_of(&other))).await.expect("created").existing, "nor another parent's");
    let now = store.apply(one.id, Event::Claim(WorkerId::random())).await.expect("it is claimed");
    let again = store.create(keyed(part_of(&now))).await.expect("a repeated creation is no error");
    assert!(again.existing && again.record.id == child.record.id, "the next run finds it");
    assert_eq!(count(store, one.id).await, 1, "and adopts it once");
}

pub(super) async fn a_family_goes_with_its_root<S: TaskStore>(store: &S, clock: &ManualClock) {
    let quota = Quota { running: 4, running_for_principal: 4, kept: 4, kept_for_principal: 4 };
    let root = create(store, new_task("a")).await;
    let child = create(store, part_of(&root)).await;
    let grandchild = create(store, part_of(&child)).await;
    let at_work = create(store, part_of(&child)).await;
    for record in [&grandchild, &child] {
        store.apply(record.id, Event::End(record.epoch, ending("over"))).await.expect("it ends");
    }
    clock.advance(Duration::from_secs(3600));
    assert_eq!(store.expire(10).await.expect("no failure").removed, 0);
    assert!(get(store, grandchild.id).await.is_some(), "a part is kept as long as the whole");
    assert!(store.ending(grandchild.id).await.expect("no failure").is_some(), "with its result");
    store.apply(root.id, Event::End(root.epoch, ending("over"))).await.expect("it ends");
    clock.advance(root.ttl);
    for record in [&root, &child, &grandchild, &at_work] {
        assert!(get(store, record.id).await.is_none(), "removed or not, the whole family is gone");
        assert!(store.ending(record.id).await.expect("no failure").is_none());
    }
    assert!(children(store, root.id).await.is_empty());
    let expired = store.expire(10).await.expect("no failure");
    assert_eq!((expired.removed, expired.next), (1, None), "it is removed as one");
    for _ in 0..4 {
        create(store, NewTask { quota, ..new_task("a") }).await;
    }
}
