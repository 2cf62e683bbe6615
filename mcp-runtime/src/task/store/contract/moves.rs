//! What clients, workers and time may do to a store, chosen by a few numbers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::super::{
    Bounds, Epoch, Event, JournalEntry, Lease, NewTask, Parent, Partial, Principal, Quota, Record, Report,
    TaskId, WorkerId,
};
use super::{answer, ending, new_task, question};

/// The numbers that choose one thing to do. All of them zero is the simplest there is.
pub(super) type Numbers = [u8; 8];

/// One thing to do.
#[derive(Clone, Debug)]
pub(super) enum Move {
    Create(Box<NewTask>),
    Apply(TaskId, Event),
    /// Some events for one task at the same time.
    Race(TaskId, Vec<Event>),
    Report(TaskId, Epoch, Report),
    /// Its number is that of the run's next one.
    Partial(TaskId, Epoch, Partial),
    Remember(TaskId, Epoch, JournalEntry),
    Get(TaskId),
    Partials(TaskId, u32),
    Children(TaskId),
    /// After the task, if there is one.
    List(Principal, Option<TaskId>, usize),
    Expire(usize),
    Claim(Lease, Option<TaskId>, usize),
    Heartbeat(Lease),
    Retire(WorkerId),
    Forgotten(Duration),
    Wait(Duration),
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Create(new) = self else { return write!(f, "{self:?}") };
        let NewTask { id, principal, target, arguments, key, worker, parent, quota, journal, .. } = &**new;
        write!(f, "Create({id} {} {target} {arguments} {key:?}", principal.as_str())?;
        write!(f, " {worker:?} {parent:?} {quota:?} {journal:?})")
    }
}

/// What a choice knows of what was done so far.
pub(super) struct Known<'a> {
    /// The tasks that were made, in order, as they are or last were.
    pub(super) made: &'a [Record],
    /// Whether limits may be small.
    pub(super) may_be_tight: bool,
}

const PRINCIPALS: [&str; 3] = ["ada", "bob", "eve"];
const KEYS: [&str; 3] = ["a", "b", "c"];

fn worker(number: u8) -> WorkerId {
    WorkerId::new(u64::from(number % 3) + 1).expect("not zero")
}

fn lease(number: u8) -> Lease {
    Lease { worker: worker(number), span: Duration::from_secs(15) }
}

fn raw(number: u8) -> Box<RawValue> {
    RawValue::from_string(u32::from(number % 3).to_string()).expect("JSON")
}

fn pick(values: [&'static str; 3], number: u8) -> &'static str {
    values[usize::from(number) % 3]
}

impl Known<'_> {
    /// What these numbers stand for. A task that is named is, mostly, one that was made lately.
    pub(super) fn choose(&self, numbers: Numbers) -> Move {
        let [what, which, a, b, c, d, ..] = numbers;
        if self.made.is_empty() {
            return Move::Create(Box::new(self.new_task(a, b, c, d)));
        }
        let at = self.made.len() - 1 - usize::from(which) % self.made.len();
        let task = &self.made[at];
        let id = task.id;
        // One in eight comes from an earlier run.
        let epoch = if d % 8 == 7 { Epoch::new(task.epoch.number().saturating_sub(1)) } else { task.epoch };
        match what % 32 {
            0..6 => Move::Create(Box::new(self.new_task(a, b, c, d))),
            6..8 => {
                let root = task.root().unwrap_or(id);
                let mut new = self.new_task(a, b, c, d);
                new.parent = Some(Parent { id, epoch, root });
                new.principal = task.principal.clone();
                Move::Create(Box::new(new))
            }
            8..15 => Move::Apply(id, event(epoch, a, b)),
            15..17 => Move::Race(
                id,
                [a, b, c][..2 + usize::from(d % 2)].iter().map(|x| event(epoch, *x, d)).collect(),
            ),
            17 => Move::Report(id, epoch, report(a, b)),
            18..20 => {
                let keep = Bounds { count: usize::from(c % 4), bytes: usize::from(d % 8) };
                let value = Arc::from(raw(b));
                Move::Partial(id, epoch, Partial { index: 0, value, keep })
            }
            20..22 => {
                let entry = JournalEntry { key: pick(KEYS, a).into(), value: raw(b) };
                Move::Remember(id, epoch, entry)
            }
            22 => Move::Get(id),
            23 => Move::Partials(id, u32::from(a % 8)),
            24 => Move::Children(id),
            25 => {
                let after = (a % 2 == 1).then_some(id);
                Move::List(Principal::new(pick(PRINCIPALS, b)), after, 1 + usize::from(c % 4))
            }
            26 => Move::Expire(1 + usize::from(a % 4)),
            27 => Move::Claim(lease(a), None, 1 + usize::from(b % 4)),
            28 => Move::Claim(lease(a), Some(id), 1),
            29 => Move::Heartbeat(lease(a)),
            30 if b.is_multiple_of(2) => Move::Retire(worker(a)),
            30 => Move::Forgotten(Duration::from_secs(u64::from(a % 60))),
            _ => {
                Move::Wait(Duration::from_millis([1, 999, 1000, 15_000, 30_000, 60_000][usize::from(a) % 6]))
            }
        }
    }

    fn new_task(&self, a: u8, b: u8, c: u8, d: u8) -> NewTask {
        let number = self.made.len() as u128 + 1;
        // Ids are the same each time, and in another order than the tasks.
        let bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let hex = format!("{bits:032x}");
        let id = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        let mut new = new_task(pick(KEYS, a / 4));
        new.id = id.parse().expect("the form of an id");
        new.principal = Principal::new(pick(PRINCIPALS, b));
        new.target = pick(["tool", "other", "tool"], c).into();
        new.key = (!a.is_multiple_of(4)).then(|| pick(KEYS, a % 4).into());
        new.worker = (!(b / 4).is_multiple_of(4)).then(|| worker(b / 4));
        if self.may_be_tight && d % 4 == 3 {
            let most = |x: u8| 2 + usize::from(x % 8);
            new.quota = Quota {
                running: most(d / 4),
                running_for_principal: most(c),
                kept: 2 + most(a),
                kept_for_principal: most(b),
            };
        }
        if c % 5 == 4 {
            new.journal = vec![JournalEntry { key: "begin".into(), value: raw(c) }];
        }
        new
    }
}

fn report(a: u8, b: u8) -> Report {
    Report {
        message: (!a.is_multiple_of(3)).then(|| pick(KEYS, a).into()),
        progress: (!b.is_multiple_of(3)).then(|| (f64::from(b), b.is_multiple_of(2).then_some(255.0))),
    }
}

fn event(epoch: Epoch, a: u8, b: u8) -> Event {
    match a % 12 {
        0 => Event::Report(epoch, report(b, a)),
        1 | 2 => Event::Ask(epoch, question(pick(KEYS, b))),
        3 if b.is_multiple_of(2) => Event::Withdraw(epoch, pick(KEYS, b).into()),
        3 => Event::Entrust(pick(KEYS, b).into(), pick(KEYS, a).into()),
        4 | 5 => {
            let keys = KEYS.iter().enumerate().filter(|(bit, _)| b & (1 << bit) != 0);
            Event::Answer(keys.map(|(_, key)| ((*key).into(), answer(&b.to_string()))).collect())
        }
        6 | 7 => Event::End(epoch, ending(&b.to_string())),
        8 => Event::Cancel,
        9 => Event::Release(epoch),
        10 if b.is_multiple_of(2) => Event::Hand(epoch, Arc::from(raw(b))),
        10 => Event::Claim(worker(b)),
        _ => Event::Poll,
    }
}
