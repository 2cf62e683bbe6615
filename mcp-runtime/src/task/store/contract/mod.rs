//! What every store must do, as a test that anybody can run against their own: [`check`], [`check_by_chance`],
//! and for one that outlives the process [`check_durable`].
//!
//! ```
//! use mcp_runtime::store::{Memory, contract};
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! contract::check(|clock| async move { Memory::with_clock(clock) }).await;
//! # });
//! ```

mod asking;
mod chance;
mod durable;
mod family;
mod holding;
mod life;
mod moves;
mod reference;
mod remembering;
mod time;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::value::RawValue;

use super::random::Random;
use super::{
    Clock, Ending, InputResponse, NewTask, Origin, Principal, Question, Quota, Record, RequestKind, TaskId,
    TaskStore, Timestamp,
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

impl ManualClock {
    fn millis(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis())
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
    let clock = &clock;
    let mut new = || open(clock.clone());
    life::what_was_created_is_there(&new().await).await;
    life::a_key_makes_one_task(&new().await).await;
    life::limits_are_kept(&new().await, clock).await;
    life::an_old_run_never_writes(&new().await).await;
    life::an_end_is_final(&new().await).await;
    life::reports_change_only_what_they_say(&new().await).await;
    life::races_have_one_winner(Arc::new(new().await)).await;
    asking::questions_and_answers_are_kept(&new().await).await;
    asking::a_question_is_answered_once(Arc::new(new().await)).await;
    time::expiry_waits_for_the_end(&new().await, clock).await;
    time::a_listing_misses_nothing(&new().await, clock).await;
    holding::a_living_worker_keeps_its_tasks(&new().await, clock).await;
    holding::a_claim_renews_the_lease(&new().await, clock).await;
    holding::the_oldest_are_claimed_first(&new().await, clock).await;
    holding::a_claim_brings_what_is_needed_to_go_on(&new().await).await;
    holding::what_waits_for_its_client_is_claimed_by_name(&new().await).await;
    holding::of_many_who_claim_one_gets_it(Arc::new(new().await)).await;
    holding::what_is_handed_back_is_anybodys(&new().await).await;
    holding::a_job_elsewhere_needs_nobody(&new().await, clock).await;
    holding::a_job_that_nobody_asks_is_found(&new().await, clock).await;
    remembering::a_journal_is_written_once_and_in_order(&new().await).await;
    remembering::partial_results_are_kept_in_order(&new().await, clock).await;
    family::a_child_belongs_to_its_parent(&new().await, clock).await;
    family::who_may_not_write_adopts_nobody(&new().await).await;
    family::the_key_of_a_part_is_its_parents(&new().await).await;
    family::a_family_goes_with_its_root(&new().await, clock).await;
}

/// Runs what only a durable store can do: it is closed and opened again, and everything is as it was. `open` opens the
/// same store each time, empty at first, and goes by the given clock; what it gave before is dropped by then.
///
/// # Panics
///
/// If something is not found again, saying what.
pub async fn check_durable<S, F, O>(open: O)
where
    S: TaskStore,
    F: Future<Output = S>,
    O: FnMut(ManualClock) -> F,
{
    durable::Reopen { open, clock: ManualClock::default() }.everything_is_found_again().await;
}

/// Does many things by chance, and holds the answers against those of a store that is obviously right: a list. What is done
/// depends on the seed alone. `open` gives a new, empty store that goes by the given clock; each seed has one of its own.
///
/// # Panics
///
/// If the store does otherwise, with the seed and all that was done.
pub async fn check_by_chance<S, F, O>(mut open: O, seeds: std::ops::Range<u64>)
where
    S: TaskStore,
    F: Future<Output = S>,
    O: FnMut(ManualClock) -> F,
{
    for seed in seeds {
        let clock = ManualClock::default();
        let game = chance::Game::new(open(clock.clone()).await, clock);
        let mut random = Random::new(seed);
        let moves = (0..200).map(|_| random.next().to_le_bytes());
        if let Err(wrong) = game.play(moves).await {
            panic!("seed {seed}: {wrong}");
        }
    }
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

fn question(key: &str) -> Question {
    let request = r#"{"method":"roots/list","params":{}}"#;
    Question::new(key, Arc::new(serde_json::from_str(request).expect("a request")))
}

fn answer(text: &str) -> Arc<InputResponse> {
    Arc::new(InputResponse::Error(ProtocolError::internal(text.to_owned())))
}
