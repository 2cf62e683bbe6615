//! Many things done by chance, each held against a store that is obviously right.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::sync::Arc;

use super::super::{Epoch, Event, Place, Record, StoreError, TaskId, TaskStore};
use super::ManualClock;
use super::moves::{Known, Move, Numbers};
use super::reference::Reference;

/// A store and what it is held against.
pub(super) struct Game<S> {
    store: Arc<S>,
    reference: Reference,
    clock: ManualClock,
    made: Vec<Record>,
    /// What was last seen of each task, and its `rev` then.
    seen: HashMap<TaskId, (u64, String)>,
    /// How many partial results each run gave.
    given: HashMap<(TaskId, Epoch), u32>,
    /// What was done so far, to be told if something goes wrong.
    done: Vec<Move>,
    /// Whether a store may have removed what has expired on its own account, to make room.
    made_room: bool,
}

impl<S: TaskStore> Game<S> {
    pub(super) fn new(store: S, clock: ManualClock) -> Self {
        let reference = Reference::new(clock.millis());
        Self {
            store: Arc::new(store),
            reference,
            clock,
            made: Vec::new(),
            seen: HashMap::new(),
            given: HashMap::new(),
            done: Vec::new(),
            made_room: false,
        }
    }

    /// Does what these numbers stand for, one after the other, and gives what the store did otherwise than it should.
    pub(super) async fn play(mut self, moves: impl IntoIterator<Item = Numbers>) -> Result<(), String> {
        for numbers in moves {
            // Tasks at work that are neither there nor removed count or do not, as the store likes.
            let known = Known { made: &self.made, may_be_tight: !self.reference.has_expired() };
            let mut chosen = known.choose(numbers);
            if let Move::Partial(id, epoch, partial) = &mut chosen {
                let given = self.given.entry((*id, *epoch)).or_default();
                partial.index = *given;
                *given += 1;
            }
            self.done.push(chosen.clone());
            if let Err(wrong) = self.make(chosen).await {
                return Err(self.tell(&wrong));
            }
        }
        for id in self.made.iter().map(|record| record.id).collect::<Vec<_>>() {
            let told = self.look(id).await;
            told.map_err(|wrong| self.tell(&wrong))?;
        }
        Ok(())
    }

    fn tell(&self, wrong: &str) -> String {
        let done: Vec<String> = self.done.iter().map(|done| format!("  {done}")).collect();
        format!("{wrong}\nafter these:\n{}", done.join("\n"))
    }

    async fn make(&mut self, chosen: Move) -> Result<(), String> {
        match chosen {
            Move::Create(new) => {
                if new.parent.is_some() {
                    // So that brothers have an order.
                    self.wait(std::time::Duration::from_millis(1));
                }
                if new.parent.is_some_and(|parent| self.reference.is_in_limbo(parent.id)) {
                    return Ok(());
                }
                self.made_room |= new.quota.kept < 100 || new.key.is_some() && self.reference.has_expired();
                let parent = new.parent.map(|parent| parent.id);
                let created = self.store.create((*new).clone()).await;
                let created = created.map(|created| (created.record, created.existing));
                match (created, self.reference.create(&new)) {
                    (Ok((record, existing)), Ok((expected, expected_existing))) => {
                        same("whether it was there", &existing, &expected_existing)?;
                        same("the record", &picture(&record), &picture(&expected))?;
                        if !existing {
                            self.made.push(record);
                        }
                    }
                    (Err(error), Err(reasons)) => {
                        let reasons: Vec<String> = reasons.iter().map(kind).collect();
                        if !reasons.contains(&kind(&error)) {
                            return Err(format!("it failed with {}, and not with {reasons:?}", kind(&error)));
                        }
                    }
                    (created, expected) => return Err(format!("{created:?}, and not {expected:?}")),
                }
                if let Some(parent) = parent {
                    self.look(parent).await?;
                }
                Ok(())
            }
            Move::Apply(id, event) => {
                if self.reference.is_in_limbo(id) {
                    return Ok(());
                }
                let applied = self.store.apply(id, event.clone()).await;
                same("what came of it", &outcome(&applied), &outcome(&self.reference.apply(id, &event)))?;
                self.look(id).await
            }
            Move::Race(id, events) => self.race(id, events).await,
            Move::Report(id, epoch, report) => {
                if !self.reference.is_in_limbo(id) {
                    self.store.report(id, epoch, report.clone());
                    self.reference.report(id, epoch, report);
                }
                self.look(id).await
            }
            Move::Partial(id, epoch, partial) => {
                if !self.reference.is_in_limbo(id) {
                    self.store.partial(id, epoch, partial.clone());
                    self.reference.partial(id, epoch, &partial);
                }
                self.look(id).await
            }
            Move::Remember(id, epoch, entry) => {
                if self.reference.is_in_limbo(id) {
                    return Ok(());
                }
                let remembered = self.store.remember(id, epoch, entry.clone()).await;
                let expected = self.reference.remember(id, epoch, entry);
                same("what came of it", &told(&remembered), &told(&expected))
            }
            Move::Get(id) => self.look(id).await,
            Move::Partials(id, from) => {
                let partials = self.store.partials(id, from).await.map_err(|error| error.to_string())?;
                let values: Vec<String> =
                    partials.values.iter().map(|value| value.get().to_owned()).collect();
                same("the partial results", &values, &self.reference.partials(id, from))
            }
            Move::Children(id) => {
                let children = self.store.children(id).await.map_err(|error| error.to_string())?;
                same("the parts", &pictures(&children), &pictures(&self.reference.children(id)))
            }
            Move::List(principal, after, limit) => {
                let after = after.and_then(|id| self.made.iter().find(|record| record.id == id));
                let after = after.map(|record| Place(record.created_at, record.id));
                let listed = self.store.list(&principal, after, limit).await;
                let listed = listed.map_err(|error| error.to_string())?;
                same(
                    "the list",
                    &pictures(&listed),
                    &pictures(&self.reference.list(&principal, after, limit)),
                )
            }
            Move::Expire(limit) => {
                let limit = if self.made_room { 10_000 } else { limit };
                let expired = self.store.expire(limit).await.map_err(|error| error.to_string())?;
                let (removed, next) = self.reference.expire(limit);
                if !std::mem::take(&mut self.made_room) {
                    same("how many were removed", &expired.removed, &removed)?;
                }
                same("when the next one expires", &expired.next, &next)
            }
            Move::Claim(lease, only, limit) => {
                if only.is_some_and(|id| self.reference.is_in_limbo(id)) {
                    return Ok(());
                }
                let claimed = self.store.claim(lease, only, limit).await;
                let claimed = claimed.map_err(|error| error.to_string())?;
                let texts = |(record, journal): (Record, Vec<(String, String)>)| {
                    format!("{} {journal:?}", picture(&record))
                };
                let claimed: Vec<String> = claimed
                    .into_iter()
                    .map(|claimed| {
                        let entry = |entry: super::super::JournalEntry| {
                            (entry.key.to_string(), entry.value.to_string())
                        };
                        texts((claimed.record, claimed.journal.into_iter().map(entry).collect()))
                    })
                    .collect();
                let expected: Vec<String> =
                    self.reference.claim(lease, only, limit).into_iter().map(texts).collect();
                same("what was claimed", &claimed, &expected)
            }
            Move::Heartbeat(lease) => {
                let held = self.store.heartbeat(lease).await.map_err(|error| error.to_string())?;
                let held = held.into_iter().filter(|id| !self.reference.is_in_limbo(*id)).collect();
                same("what is held", &held, &self.reference.heartbeat(lease))
            }
            Move::Retire(worker) => {
                self.reference.retire(worker);
                self.store.retire(worker).await.map_err(|error| error.to_string())
            }
            Move::Forgotten(span) => {
                let forgotten =
                    self.store.forgotten(span, 10_000).await.map_err(|error| error.to_string())?;
                // Of a job that was never asked, it depends on when its task changed, which may be said a bit later.
                let was_asked = |id: &TaskId| {
                    self.reference.get(*id).and_then(|record| record.job.as_ref()?.polled_at).is_some()
                };
                let forgotten: BTreeSet<TaskId> = forgotten.into_iter().filter(was_asked).collect();
                let expected = self.reference.forgotten(span).into_iter().filter(was_asked).collect();
                same("which jobs are forgotten", &forgotten, &expected)
            }
            Move::Wait(span) => {
                self.wait(span);
                Ok(())
            }
        }
    }

    fn wait(&mut self, span: std::time::Duration) {
        self.clock.advance(span);
        self.reference.now = self.clock.millis();
    }

    /// Applies events at the same time. What comes of them must be what comes of them in some order.
    async fn race(&mut self, id: TaskId, events: Vec<Event>) -> Result<(), String> {
        if self.reference.is_in_limbo(id) {
            return Ok(());
        }
        let racers: Vec<_> = events
            .iter()
            .map(|event| {
                let (store, event) = (Arc::clone(&self.store), event.clone());
                tokio::spawn(async move { outcome(&store.apply(id, event).await) })
            })
            .collect();
        let mut came_of = Vec::new();
        for racer in racers {
            came_of.push(racer.await.map_err(|error| error.to_string())?);
        }
        for order in orders(events.len()) {
            let mut reference = self.reference.clone();
            let mut expected = vec![String::new(); events.len()];
            for at in order {
                expected[at] = outcome(&reference.apply(id, &events[at]));
            }
            if expected == came_of {
                self.reference = reference;
                return self.look(id).await;
            }
        }
        Err(format!("what came of the race, {came_of:?}, comes of no order of them"))
    }

    /// Looks at a task, and compares all that is to be seen of it.
    async fn look(&mut self, id: TaskId) -> Result<(), String> {
        let record = self.store.get(id).await.map_err(|error| error.to_string())?;
        let expected = self.reference.get(id);
        same("the task", &record.as_ref().map(picture), &expected.as_ref().map(picture))?;
        let ending = self.store.ending(id).await.map_err(|error| error.to_string())?;
        same("its end", &ending.map(|ending| ending.to_bytes()), &self.reference.ending(id))?;
        let (Some(record), Some(expected)) = (record, expected) else { return Ok(()) };
        if record.updated_at < expected.updated_at || record.updated_at.as_millis() > self.clock.millis() {
            return Err(format!("it changed at {:?}, and not {:?}", expected.updated_at, record.updated_at));
        }
        let what = visible(&record);
        if let Some((rev, before)) = self.seen.get(&id) {
            if record.rev < *rev {
                return Err(format!("`rev` went back from {rev} to {}", record.rev));
            }
            if record.rev == *rev && what != *before {
                return Err(format!("`rev` is {rev} as before, but {before} is now {what}"));
            }
        }
        self.seen.insert(id, (record.rev, what));
        if let Some(made) = self.made.iter_mut().find(|made| made.id == id) {
            *made = record;
        }
        Ok(())
    }
}

fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}\n and not {expected:?}")) }
}

/// All of a record, but for what says how often and when it changed: what is said fast one after the other may be merged.
fn picture(record: &Record) -> String {
    let mut record = record.clone();
    record.rev = 0;
    record.updated_at = record.created_at;
    format!("{record:?}")
}

fn pictures(records: &[Record]) -> Vec<String> {
    records.iter().map(picture).collect()
}

/// What a client sees of a record.
fn visible(record: &Record) -> String {
    let Record { status, message, progress, questions, partials, family, .. } = record;
    format!("{status:?} {message:?} {progress:?} {questions:?} {partials} {family:?}")
}

fn outcome(applied: &Result<Record, StoreError>) -> String {
    match applied {
        Ok(record) => picture(record),
        Err(error) => kind(error),
    }
}

fn told(outcome: &Result<(), StoreError>) -> String {
    outcome.as_ref().map_or_else(kind, |()| "done".to_owned())
}

fn kind(error: &StoreError) -> String {
    format!("{error:?}")
}

/// All orders of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let insert = |order: Vec<usize>| {
        (0..count).map(move |at| {
            let mut order = order.clone();
            order.insert(at, count - 1);
            order
        })
    };
    orders(count - 1).into_iter().flat_map(insert).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::Memory;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_memory_store_does_what_the_reference_does(
            moves in prop::collection::vec(any::<Numbers>(), 0..150),
        ) {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
            let clock = ManualClock::default();
            let game = Game::new(Memory::with_clock(clock.clone()), clock);
            if let Err(wrong) = runtime.block_on(game.play(moves)) {
                return Err(TestCaseError::fail(wrong));
            }
        }
    }

    #[test]
    fn three_things_have_six_orders() {
        let mut orders = orders(3);
        orders.sort();
        orders.dedup();
        assert_eq!(orders.len(), 6);
    }
}
