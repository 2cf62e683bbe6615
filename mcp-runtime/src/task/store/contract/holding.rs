//! Who holds a task: leases, claims, hand-overs, and jobs elsewhere.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::super::{
    Event, JournalEntry, Lease, NewTask, Origin, Record, Refusal, Status, StoreError, TaskId, TaskStore,
    WorkerId,
};
use super::{ManualClock, answer, create, ending, get, new_task, question};

const SPAN: Duration = Duration::from_secs(15);

/// The last moment of it.
const ALMOST: Duration = Duration::from_millis(14_999);

fn lease(worker: WorkerId) -> Lease {
    Lease { worker, span: SPAN }
}

/// A task that this worker is about to run.
fn of(worker: WorkerId) -> NewTask {
    NewTask { worker: Some(worker), ..new_task("a") }
}

/// What a worker gets of what is left behind.
async fn claim<S: TaskStore>(store: &S, worker: WorkerId, limit: usize) -> Vec<Record> {
    let claimed = store.claim(lease(worker), None, limit).await.expect("no failure");
    claimed.into_iter().map(|claimed| claimed.record).collect()
}

/// What a worker gets if it wants this very task.
async fn claim_only<S: TaskStore>(store: &S, worker: WorkerId, id: TaskId) -> Option<Record> {
    store.claim(lease(worker), Some(id), 1).await.expect("no failure").pop().map(|claimed| claimed.record)
}

async fn beat<S: TaskStore>(store: &S, worker: WorkerId) -> HashSet<TaskId> {
    store.heartbeat(lease(worker)).await.expect("no failure").into_iter().collect()
}

pub(super) async fn a_living_worker_keeps_its_tasks<S: TaskStore>(store: &S, clock: &ManualClock) {
    let (one, other) = (WorkerId::random(), WorkerId::random());
    assert!(beat(store, one).await.is_empty(), "it holds nothing yet");
    let task = create(store, of(one)).await;
    assert_eq!(task.worker, Some(one));
    let asks = create(store, of(one)).await;
    store.apply(asks.id, Event::Ask(asks.epoch, question("a"))).await.expect("it asks");
    let over = create(store, of(one)).await;
    let over = store.apply(over.id, Event::End(over.epoch, ending("over"))).await.expect("it ends");
    assert_eq!(over.worker, None, "nobody holds what is over");
    clock.advance(ALMOST);
    assert!(claim(store, other, 10).await.is_empty(), "the lease has not lapsed");
    assert!(claim_only(store, other, task.id).await.is_none(), "not even by name");
    assert_eq!(beat(store, one).await, HashSet::from([task.id, asks.id]), "it holds what is not over");
    clock.advance(ALMOST);
    assert!(claim(store, other, 10).await.is_empty(), "a heartbeat counts from when it came");
    assert!(claim(store, one, 10).await.is_empty(), "nobody is given what it has");
    clock.advance(Duration::from_millis(1));
    assert!(claim(store, one, 10).await.is_empty(), "even if its lease has lapsed");
    let claimed = claim(store, other, 10).await;
    assert_eq!(claimed.len(), 1, "what waits for its client is left waiting");
    let found = &claimed[0];
    assert_eq!((found.id, found.worker, found.attempts), (task.id, Some(other), 1));
    assert!(found.epoch > task.epoch && found.rev > task.rev, "a claim raises epoch and rev");
    let stored = get(store, task.id).await.expect("it is there");
    assert_eq!((stored.worker, stored.epoch, stored.attempts), (found.worker, found.epoch, 1));
    let late = store.apply(task.id, Event::End(task.epoch, ending("late"))).await;
    assert!(matches!(late, Err(StoreError::Refused(Refusal::Stale))), "the one before is shut out");
    assert_eq!(beat(store, one).await, HashSet::from([asks.id]), "and hears of it");
}

pub(super) async fn a_claim_renews_the_lease<S: TaskStore>(store: &S, clock: &ManualClock) {
    let (one, other, third) = (WorkerId::random(), WorkerId::random(), WorkerId::random());
    let task = create(store, of(one)).await;
    assert_eq!(claim(store, other, 10).await.len(), 1, "who never had a lease holds nothing");
    clock.advance(ALMOST);
    assert!(claim(store, third, 10).await.is_empty(), "who claims has a lease");
    store.retire(other).await.expect("no failure");
    let claimed = claim(store, third, 10).await;
    assert_eq!(claimed.len(), 1, "a lease that was given back is over at once");
    assert_eq!((claimed[0].id, claimed[0].attempts), (task.id, 2), "each run that was cut off counts");
}

pub(super) async fn the_oldest_are_claimed_first<S: TaskStore>(store: &S, clock: &ManualClock) {
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(create(store, new_task("a")).await.id);
        clock.advance(Duration::from_millis(1));
    }
    let worker = WorkerId::random();
    let mut claimed = Vec::new();
    for most in [2, 2, 2, 2] {
        let batch = claim(store, worker, most).await;
        assert!(batch.len() <= most, "a limit is one");
        claimed.extend(batch.iter().map(|record| record.id));
    }
    assert_eq!(claimed, made);
}

pub(super) async fn a_claim_brings_what_is_needed_to_go_on<S: TaskStore>(store: &S) {
    let entry = |key: &str| JournalEntry { key: key.into(), value: raw(&format!("\"{key}\"")) };
    let mut task = NewTask { journal: vec![entry("z"), entry("a")], ..new_task("what to do") };
    task.origin = origin();
    let made = create(store, task.clone()).await;
    store.remember(made.id, made.epoch, entry("m")).await.expect("it is remembered");
    let mut claimed = store.claim(lease(WorkerId::random()), None, 10).await.expect("no failure");
    let claimed = claimed.pop().expect("nobody had it");
    assert_eq!(claimed.arguments.get(), task.arguments.get());
    assert_eq!(claimed.origin, task.origin);
    let journal: Vec<(&str, &str)> =
        claimed.journal.iter().map(|entry| (&*entry.key, entry.value.get())).collect();
    assert_eq!(
        journal,
        [("z", "\"z\""), ("a", "\"a\""), ("m", "\"m\"")],
        "in the order in which it was remembered"
    );
    assert_eq!(claimed.record.attempts, 0, "what nobody ran was not cut off");
}

/// An origin that says something.
fn origin() -> Origin {
    Origin::from_json(
        r#"{"client":[],"trace":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}"#,
    )
    .expect("as this crate writes it")
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

pub(super) async fn what_waits_for_its_client_is_claimed_by_name<S: TaskStore>(store: &S) {
    let (gone, worker) = (WorkerId::random(), WorkerId::random());
    let task = create(store, of(gone)).await;
    store.apply(task.id, Event::Ask(task.epoch, question("a"))).await.expect("it asks");
    assert!(claim(store, worker, 10).await.is_empty(), "it is in nobody's way");
    let claimed = claim_only(store, worker, task.id).await.expect("its worker is gone");
    assert_eq!((claimed.status, claimed.worker), (Status::InputRequired, Some(worker)));
    assert_eq!(claimed.attempts, 0, "who waited was not cut off in the middle of anything");
    assert_eq!(claimed.open_questions().count(), 1, "and still waits");
    assert!(claim_only(store, worker, task.id).await.is_none(), "it is not given twice");
    assert!(claim_only(store, WorkerId::random(), task.id).await.is_none(), "nor to somebody else");
    let answered = Event::Answer(vec![("a".into(), answer("yes"))]);
    store.apply(task.id, answered).await.expect("it is answered");
    store.retire(worker).await.expect("no failure");
    let claimed = claim(store, WorkerId::random(), 10).await;
    assert_eq!(claimed.len(), 1, "once it is answered it is at work, and somebody must do it");
    assert_eq!(claimed[0].attempts, 1);
    let answer = claimed[0].questions.iter().flat_map(|asked| asked.iter()).find(|asked| &*asked.key == "a");
    assert!(answer.is_some_and(|asked| asked.answer.is_some()), "its answer is there");
    let over = create(store, new_task("b")).await;
    store.apply(over.id, Event::Cancel).await.expect("cancelled");
    assert!(claim_only(store, worker, over.id).await.is_none(), "what is over is over");
    assert!(claim_only(store, worker, TaskId::random()).await.is_none(), "what is not there is not there");
}

pub(super) async fn of_many_who_claim_one_gets_it<S: TaskStore>(store: Arc<S>) {
    let mut made = HashSet::new();
    for _ in 0..40 {
        made.insert(create(&*store, new_task("a")).await.id);
    }
    let racers: Vec<_> = (0..8)
        .map(|_| {
            let (store, worker) = (Arc::clone(&store), WorkerId::random());
            tokio::spawn(async move {
                let mut got = Vec::new();
                loop {
                    let batch = claim(&*store, worker, 3).await;
                    if batch.is_empty() {
                        return got;
                    }
                    got.extend(batch.iter().map(|record| record.id));
                }
            })
        })
        .collect();
    let mut claimed = Vec::new();
    for racer in racers {
        claimed.extend(racer.await.expect("no panic"));
    }
    assert_eq!(claimed.len(), made.len(), "each is given once");
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), made, "and none is left");
}

pub(super) async fn what_is_handed_back_is_anybodys<S: TaskStore>(store: &S) {
    let (one, other) = (WorkerId::random(), WorkerId::random());
    beat(store, one).await;
    beat(store, other).await;
    let task = create(store, of(one)).await;
    let released = store.apply(task.id, Event::Release(task.epoch)).await.expect("it is its own");
    assert_eq!(released.worker, None);
    assert!(released.epoch > task.epoch, "who handed it back is shut out");
    let late = store.apply(task.id, Event::Release(task.epoch)).await;
    assert!(matches!(late, Err(StoreError::Refused(Refusal::Stale))), "it is handed back once");
    assert!(!beat(store, one).await.contains(&task.id), "nobody holds it");
    let claimed = claim(store, other, 10).await;
    assert_eq!(claimed.iter().map(|record| record.id).collect::<Vec<_>>(), [task.id]);
    assert_eq!(claimed[0].attempts, 0, "who hands back was not cut off");
    let task = create(store, of(one)).await;
    let released = store.apply(task.id, Event::Release(task.epoch)).await.expect("it is its own");
    let cancelled =
        store.apply(task.id, Event::Cancel).await.expect("nobody runs it, and it ends all the same");
    assert_eq!((released.status, cancelled.status), (Status::Working, Status::Cancelled));
    assert!(claim(store, other, 10).await.is_empty(), "what is over is nobody's business");
}

pub(super) async fn a_job_elsewhere_needs_nobody<S: TaskStore>(store: &S, clock: &ManualClock) {
    let worker = WorkerId::random();
    beat(store, worker).await;
    let task = create(store, of(worker)).await;
    let none = store.apply(task.id, Event::Poll).await;
    assert!(matches!(none, Err(StoreError::Refused(Refusal::NoJob))), "there is nothing to ask");
    let handle: Arc<RawValue> = Arc::from(raw(r#"{"job":7}"#));
    let handed = store.apply(task.id, Event::Hand(task.epoch, handle)).await.expect("it is its own");
    assert_eq!(handed.worker, None);
    let late = store.apply(task.id, Event::End(task.epoch, ending("late"))).await;
    assert!(matches!(late, Err(StoreError::Refused(Refusal::Stale))), "its run is over");
    let found = get(store, task.id).await.expect("it is there");
    assert_eq!(found.job.as_ref().map(|job| job.handle.get()), Some(r#"{"job":7}"#), "its handle is kept");
    assert!(!beat(store, worker).await.contains(&task.id), "it has no worker");
    clock.advance(SPAN);
    assert!(claim(store, WorkerId::random(), 10).await.is_empty(), "and wants none");

    let polled = store.apply(task.id, Event::Poll).await.expect("nobody asked before");
    assert!(polled.epoch > handed.epoch && polled.rev == handed.rev, "a poll is seen by nobody");
    let again = store.apply(task.id, Event::Poll).await;
    assert!(
        matches!(again, Err(StoreError::Refused(Refusal::TooSoon))),
        "it is asked once in a poll interval"
    );
    clock.advance(task.poll.saturating_sub(Duration::from_millis(1)));
    let again = store.apply(task.id, Event::Poll).await;
    assert!(matches!(again, Err(StoreError::Refused(Refusal::TooSoon))), "and not before that is over");
    clock.advance(Duration::from_millis(1));
    let next = store.apply(task.id, Event::Poll).await.expect("it is time");
    let slow = store.apply(task.id, Event::End(polled.epoch, ending("slow"))).await;
    assert!(matches!(slow, Err(StoreError::Refused(Refusal::Stale))), "an answer to an earlier poll is none");
    let ended = store.apply(task.id, Event::End(next.epoch, ending("over"))).await.expect("the last one may");
    assert_eq!(ended.status, Status::Failed);
}

pub(super) async fn a_job_that_nobody_asks_is_found<S: TaskStore>(store: &S, clock: &ManualClock) {
    let forgotten = async |limit| store.forgotten(SPAN, limit).await.expect("no failure");
    let handle: Arc<RawValue> = Arc::from(raw("7"));
    let mut jobs = Vec::new();
    for _ in 0..3 {
        let task = create(store, new_task("job")).await;
        store.apply(task.id, Event::Hand(task.epoch, Arc::clone(&handle))).await.expect("it is its own");
        jobs.push(task.id);
        clock.advance(Duration::from_millis(1));
    }
    create(store, new_task("no job")).await;
    assert!(forgotten(10).await.is_empty(), "it is not long that they were begun");
    clock.advance(SPAN);
    assert_eq!(forgotten(10).await, jobs, "the oldest first");
    assert_eq!(forgotten(2).await, jobs[..2], "and no more than are wanted");
    store.apply(jobs[0], Event::Poll).await.expect("nobody asked before");
    store.apply(jobs[1], Event::Cancel).await.expect("it works");
    assert_eq!(forgotten(10).await, jobs[2..], "one was asked, and one is over");
    clock.advance(SPAN);
    assert_eq!(forgotten(10).await, [jobs[0], jobs[2]]);
}
