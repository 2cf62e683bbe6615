//! What every store must do, as a test that anybody can run against their own.
//!
//! ```
//! use mcp_runtime::store::{Memory, contract};
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! contract::check(|clock| async move { Memory::with_clock(clock) }).await;
//! # });
//! ```

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::value::RawValue;

use super::{
    Clock, Ending, Epoch, Event, InputResponse, NewTask, Origin, Place, Principal, Question, Quota, Record,
    Refusal, Report, RequestKind, Status, StoreError, TaskId, TaskStore, Timestamp, WorkerId,
};
use crate::protocol::ProtocolError;

/// A clock that stands still until it is told to go on.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1_764_066_600_000)))
    }
}

impl ManualClock {
    /// Lets time pass.
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A task for tests, kept for a minute, with arguments that hold `text`.
///
/// # Panics
///
/// Never: the arguments are JSON.
pub fn new_task(text: &str) -> NewTask {
    let arguments = serde_json::value::to_raw_value(&serde_json::json!({ "text": text }));
    NewTask {
        id: TaskId::random(),
        principal: Principal::local(),
        kind: RequestKind::CallTool,
        target: "tool".into(),
        arguments: arguments.unwrap_or_else(|_| RawValue::NULL.to_owned()),
        key: None,
        ttl: Duration::from_secs(60),
        poll: Duration::from_secs(1),
        quota: Quota {
            running: 10_000,
            running_for_principal: 10_000,
            kept: 10_000,
            kept_for_principal: 10_000,
        },
        worker: None,
        parent: None,
        origin: Origin::default(),
        journal: Vec::new(),
    }
}

/// Runs the contract. `open` gives a new, empty store that goes by the given clock.
///
/// # Panics
///
/// If the store breaks the contract, saying where.
pub async fn check<S, F, O>(mut open: O)
where
    S: TaskStore,
    F: Future<Output = S>,
    O: FnMut(ManualClock) -> F,
{
    let clock = ManualClock::default();
    what_was_created_is_there(&open(clock.clone()).await).await;
    a_key_makes_one_task(&open(clock.clone()).await).await;
    limits_are_kept(&open(clock.clone()).await, &clock).await;
    an_old_run_never_writes(&open(clock.clone()).await).await;
    an_end_is_final(&open(clock.clone()).await).await;
    reports_change_only_what_they_say(&open(clock.clone()).await).await;
    questions_and_answers_are_kept(&open(clock.clone()).await).await;
    a_question_is_answered_once(Arc::new(open(clock.clone()).await)).await;
    expiry_waits_for_the_end(&open(clock.clone()).await, &clock).await;
    a_listing_misses_nothing(&open(clock.clone()).await, &clock).await;
    races_have_one_winner(Arc::new(open(clock).await)).await;
}

async fn create<S: TaskStore>(store: &S, task: NewTask) -> Record {
    store.create(task).await.expect("a task is created").record
}

async fn get<S: TaskStore>(store: &S, id: TaskId) -> Option<Record> {
    store.get(id).await.expect("a look-up does not fail")
}

fn ending(text: &str) -> Arc<Ending> {
    Arc::new(Ending::Error(ProtocolError::internal(text.to_owned())))
}

async fn what_was_created_is_there<S: TaskStore>(store: &S) {
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

async fn a_key_makes_one_task<S: TaskStore>(store: &S) {
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

async fn limits_are_kept<S: TaskStore>(store: &S, clock: &ManualClock) {
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

async fn an_old_run_never_writes<S: TaskStore>(store: &S) {
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

async fn an_end_is_final<S: TaskStore>(store: &S) {
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

async fn reports_change_only_what_they_say<S: TaskStore>(store: &S) {
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

fn question(key: &str) -> Question {
    let request = r#"{"method":"roots/list","params":{}}"#;
    Question::new(key, Arc::new(serde_json::from_str(request).expect("a request")))
}

fn answer(text: &str) -> Arc<InputResponse> {
    Arc::new(InputResponse::Error(ProtocolError::internal(text.to_owned())))
}

/// The keys of what is open, and how many answers there are.
fn asked(record: &Record) -> (Vec<String>, usize) {
    let all = record.questions.as_ref().map_or(0, |questions| questions.len());
    let open: Vec<String> = record.open_questions().map(|question| question.key.to_string()).collect();
    let answered = all - open.len();
    (open, answered)
}

async fn questions_and_answers_are_kept<S: TaskStore>(store: &S) {
    let task = create(store, new_task("a")).await;
    for key in ["b", "a"] {
        store.apply(task.id, Event::Ask(task.epoch, question(key))).await.expect("it asks");
    }
    let again = store.apply(task.id, Event::Ask(task.epoch, question("a"))).await;
    assert!(matches!(again, Err(StoreError::Refused(Refusal::NotAsked))), "a key is one question");
    let found = get(store, task.id).await.expect("it is there");
    assert_eq!(found.status, Status::InputRequired);
    assert_eq!(
        asked(&found),
        (vec!["b".to_owned(), "a".to_owned()], 0),
        "in the order in which they were asked"
    );
    let partly = Event::Answer(vec![("a".into(), answer("first")), ("nobody's".into(), answer("lost"))]);
    let found = store.apply(task.id, partly).await.expect("one of them is open");
    assert_eq!((found.status, asked(&found)), (Status::InputRequired, (vec!["b".to_owned()], 1)));
    let late = store.apply(task.id, Event::Answer(vec![("a".into(), answer("second"))])).await;
    assert!(matches!(late, Err(StoreError::Refused(Refusal::NotAsked))), "an answer counts once");
    let claimed = store.apply(task.id, Event::Claim(WorkerId::random())).await.expect("it can be taken over");
    let stale = store.apply(task.id, Event::Withdraw(task.epoch, "b".into())).await;
    assert!(matches!(stale, Err(StoreError::Refused(Refusal::Stale))), "an old run takes nothing back");
    let found = get(store, task.id).await.expect("it is there");
    assert_eq!((found.status, asked(&found).1), (Status::InputRequired, 1), "who takes it over finds both");
    let first =
        found.questions.iter().flat_map(|questions| questions.iter()).find(|asked| &*asked.key == "a");
    let first = first.and_then(|question| question.answer.clone()).expect("its answer is kept");
    assert!(matches!(&*first, InputResponse::Error(error) if error.message() == "first"), "as it was");
    let found = store.apply(task.id, Event::Withdraw(claimed.epoch, "b".into())).await.expect("it is open");
    assert_eq!((found.status, asked(&found)), (Status::Working, (Vec::new(), 1)));
    store.apply(task.id, Event::Ask(claimed.epoch, question("c"))).await.expect("it asks again");
    let ended = store.apply(task.id, Event::Cancel).await.expect("it is cancelled");
    assert!(ended.questions.is_none(), "who is over asks nothing");
}

async fn a_question_is_answered_once<S: TaskStore>(store: Arc<S>) {
    for round in 0..20 {
        let task = create(&*store, new_task(&format!("round {round}"))).await;
        store.apply(task.id, Event::Ask(task.epoch, question("a"))).await.expect("it asks");
        let racers: Vec<_> = (0..4)
            .map(|racer| {
                let (store, event) =
                    (Arc::clone(&store), Event::Answer(vec![("a".into(), answer(&racer.to_string()))]));
                tokio::spawn(async move { store.apply(task.id, event).await.is_ok() })
            })
            .collect();
        let mut accepted = 0;
        for racer in racers {
            accepted += usize::from(racer.await.expect("no panic"));
        }
        assert_eq!(accepted, 1, "one of several answers counts");
    }
}

async fn expiry_waits_for_the_end<S: TaskStore>(store: &S, clock: &ManualClock) {
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

async fn a_listing_misses_nothing<S: TaskStore>(store: &S, clock: &ManualClock) {
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

async fn races_have_one_winner<S: TaskStore>(store: Arc<S>) {
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
