//! What runs say of themselves and nobody waits for: reports and partial results, until they are in the file.
//!
//! They come as fast as a tool likes, and are written a few times a second. Reports are merged meanwhile; whoever reads
//! a task sees what was said of it, written or not.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::memory::IdHasher;
use super::super::{Epoch, Event, Partial, Partials, Record, Report, TaskId, Timestamp};
use super::rows::Kept;

/// What was said of all tasks and is not in the file.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    shards: [Mutex<Shard>; 16],
    /// How often something left for the file.
    writes: AtomicU64,
}

type Shard = HashMap<TaskId, Vec<Said>, BuildHasherDefault<IdHasher>>;

/// What a run said in a while.
#[derive(Clone, Debug)]
pub(super) struct Said {
    epoch: Epoch,
    /// The number of the last thing said. Numbers grow, and the row of the task has the last one that is in it: so what
    /// was written a moment ago, and is still here, is not taken for something new.
    pub(super) last: i64,
    at: Timestamp,
    /// Whether it is being written: then nothing more is put to it.
    is_leaving: bool,
    /// How many reports were merged into the one.
    reports: u64,
    report: Report,
    partials: Vec<Partial>,
}

/// Numbers what is said, in this process. Another process has another epoch.
static NUMBERS: AtomicI64 = AtomicI64::new(1);

/// More partial results than this do not wait.
const MANY: usize = 1000;

impl Unwritten {
    fn shard(&self, id: TaskId) -> MutexGuard<'_, Shard> {
        let shard = &self.shards[(id.bits() >> 32) as usize % self.shards.len()];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a report.
    pub(super) fn report(&self, id: TaskId, epoch: Epoch, report: Report, at: Timestamp) {
        let mut shard = self.shard(id);
        let said = current(&mut shard, id, epoch, at);
        said.reports += 1;
        said.merge(report);
    }

    /// Takes in a partial result. Whether there are so many that they must be written soon.
    pub(super) fn partial(&self, id: TaskId, epoch: Epoch, partial: Partial, at: Timestamp) -> bool {
        let mut shard = self.shard(id);
        let said = current(&mut shard, id, epoch, at);
        said.partials.push(partial);
        said.partials.len() >= MANY
    }

    /// What was said of a task and may not be in the file. Look before you read the file.
    pub(super) fn of(&self, id: TaskId) -> Vec<Said> {
        self.shard(id).get(&id).cloned().unwrap_or_default()
    }

    /// What was said of a task, to be written.
    pub(super) fn take(&self, id: TaskId) -> Vec<Said> {
        let mut shard = self.shard(id);
        let Some(all) = shard.get_mut(&id) else { return Vec::new() };
        for said in all.iter_mut() {
            said.is_leaving = true;
        }
        all.clone()
    }

    /// The tasks of which something was said.
    pub(super) fn tasks(&self) -> Vec<TaskId> {
        let mut tasks = Vec::new();
        for shard in &self.shards {
            tasks.extend(shard.lock().unwrap_or_else(PoisonError::into_inner).keys());
        }
        tasks
    }

    /// A number that grows whenever something is not here any more.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// What was said of a task up to this number is in the file.
    pub(super) fn forget(&self, id: TaskId, last: i64) {
        self.writes.fetch_add(1, Ordering::SeqCst);
        let mut shard = self.shard(id);
        if let Some(all) = shard.get_mut(&id) {
            all.retain(|said| said.last > last);
            if all.is_empty() {
                shard.remove(&id);
            }
        }
    }

    /// What was taken of a task was not written.
    pub(super) fn restore(&self, id: TaskId) {
        let mut shard = self.shard(id);
        let Some(all) = shard.get_mut(&id) else { return };
        for mut said in std::mem::take(all) {
            said.is_leaving = false;
            match all.last_mut() {
                Some(before) if before.epoch == said.epoch => before.follow(said),
                _ => all.push(said),
            }
        }
    }
}

/// What is being said of the task, with the next thing counted.
fn current(shard: &mut Shard, id: TaskId, epoch: Epoch, at: Timestamp) -> &mut Said {
    let all = shard.entry(id).or_default();
    let last = NUMBERS.fetch_add(1, Ordering::Relaxed);
    if all.last().is_none_or(|said| said.epoch != epoch || said.is_leaving) {
        let report = Report::default();
        all.push(Said { epoch, last, at, is_leaving: false, reports: 0, report, partials: Vec::new() });
    }
    let newest = all.len() - 1;
    let said = &mut all[newest];
    (said.last, said.at) = (last, said.at.max(at));
    said
}

impl Said {
    fn merge(&mut self, report: Report) {
        if report.progress.is_some() {
            self.report.progress = report.progress;
        }
        if report.message.is_some() {
            self.report.message = report.message;
        }
    }

    /// Puts what was said after this behind it.
    fn follow(&mut self, mut later: Self) {
        (self.last, self.at) = (later.last, self.at.max(later.at));
        self.reports += later.reports;
        self.merge(later.report);
        self.partials.append(&mut later.partials);
    }

    /// Whether it goes into the record, and is not there.
    pub(super) fn is_new_to(&self, kept: &Kept) -> bool {
        self.epoch == kept.record.epoch && kept.said < self.last && !kept.record.status.is_terminal()
    }

    /// Whether the partial results that are kept must be known before these can be counted: a run that does again what an
    /// earlier one did gives the same again.
    pub(super) fn needs_partials(&self, record: &Record) -> bool {
        self.partials.iter().any(|partial| partial.index < record.partials)
    }

    pub(super) fn has_partials(&self) -> bool {
        !self.partials.is_empty()
    }

    /// Puts it into the record, and into the partial results if they are given.
    pub(super) fn put(&self, kept: &mut Kept, mut partials: Option<&mut Partials>) {
        if !self.is_new_to(kept) {
            return;
        }
        let record = &mut kept.record;
        // Merged or not, each report counts. None is refused: the record is of this epoch, and at work.
        if self.reports > 0 && record.apply(&Event::Report(self.epoch, self.report.clone()), self.at).is_ok()
        {
            record.rev += self.reports - 1;
        }
        for partial in &self.partials {
            if partials.as_mut().is_none_or(|partials| partials.add(partial)) {
                let _ = record.apply(&Event::Partial(self.epoch), self.at);
            }
        }
        kept.said = self.last;
    }
}
