//! A store that is obviously right: everything in one list, looked through from one end to the other each time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::{
    Epoch, Event, JournalEntry, Lease, NewTask, Partial, Place, Principal, Record, Refusal, Report,
    StoreError, TaskId, Timestamp, WorkerId,
};

#[derive(Clone, Debug, Default)]
pub(super) struct Reference {
    pub(super) now: u64,
    tasks: Vec<Task>,
    leases: BTreeMap<WorkerId, u64>,
}

#[derive(Clone, Debug)]
struct Task {
    record: Record,
    /// As it was created.
    new: NewTask,
    ending: Option<Vec<u8>>,
    journal: Vec<JournalEntry>,
    /// With their numbers.
    partials: Vec<(u32, String)>,
}

/// What a claim gives: the record, and what it remembers.
pub(super) type Taken = (Record, Vec<(String, String)>);

impl Reference {
    /// An empty one, at this time.
    pub(super) fn new(now: u64) -> Self {
        Self { now, ..Self::default() }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn place(&self, id: TaskId) -> Option<usize> {
        self.tasks.iter().position(|task| task.record.id == id)
    }

    fn find(&self, id: TaskId) -> Option<&Task> {
        self.tasks.iter().find(|task| task.record.id == id).filter(|task| self.is_there(task))
    }

    /// Whether a task is there: it or, if it is a part of another, the one above all has not expired.
    fn is_there(&self, task: &Task) -> bool {
        let root = task.record.root().unwrap_or(task.record.id);
        self.tasks.iter().any(|task| task.record.id == root && !task.record.is_expired(self.time()))
    }

    /// Whether it is neither there nor removed: a part of a task that has expired. What becomes of that is the store's.
    pub(super) fn is_in_limbo(&self, id: TaskId) -> bool {
        self.place(id)
            .is_some_and(|at| self.tasks[at].record.parent().is_some() && !self.is_there(&self.tasks[at]))
    }

    pub(super) fn get(&self, id: TaskId) -> Option<Record> {
        self.find(id).map(|task| task.record.clone())
    }

    pub(super) fn ending(&self, id: TaskId) -> Option<Vec<u8>> {
        self.find(id)?.ending.clone()
    }

    /// The record, and whether it was there; or all the reasons for which there may be none.
    pub(super) fn create(&mut self, new: &NewTask) -> Result<(Record, bool), Vec<StoreError>> {
        let parent = new.parent.map(|parent| parent.id);
        let same = self.tasks.iter().find(|task| {
            new.key.is_some()
                && task.new.key == new.key
                && task.record.principal == new.principal
                && task.record.kind == new.kind
                && task.record.target == new.target
                && task.record.parent() == parent
                && self.is_there(task)
        });
        if let Some(same) = same {
            return if same.new.arguments.get() == new.arguments.get() {
                Ok((same.record.clone(), true))
            } else {
                Err(vec![StoreError::KeyConflict])
            };
        }
        let mut refusals = Vec::new();
        let count = |is_meant: &dyn Fn(&Record) -> bool| {
            self.tasks.iter().filter(|task| self.is_there(task) && is_meant(&task.record)).count()
        };
        let is_own = |record: &Record| record.principal == new.principal;
        let runs = |record: &Record| !record.status.is_terminal();
        for (name, count, most) in [
            ("max_running_tasks", count(&runs), new.quota.running),
            (
                "max_running_tasks_per_principal",
                count(&|record| runs(record) && is_own(record)),
                new.quota.running_for_principal,
            ),
            ("max_tasks", count(&|_| true), new.quota.kept),
            ("max_tasks_per_principal", count(&is_own), new.quota.kept_for_principal),
        ] {
            if count >= most {
                refusals.push(StoreError::Limit(name, most));
            }
        }
        let (mut adopted, now) = (None, self.time());
        if let Some(parent) = new.parent {
            match self.find(parent.id).map(|task| task.record.clone()) {
                None => refusals.push(StoreError::NotFound),
                Some(mut record) => match record.apply(&Event::Adopt(parent.epoch), now) {
                    Ok(_) => adopted = Some(record),
                    Err(refusal) => refusals.push(StoreError::Refused(refusal)),
                },
            }
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        if let Some(adopted) = adopted
            && let Some(at) = self.place(adopted.id)
        {
            self.tasks[at].record = adopted;
        }
        let record = Record::new(new, now);
        self.tasks.push(Task {
            record: record.clone(),
            new: new.clone(),
            ending: None,
            journal: new.journal.clone(),
            partials: Vec::new(),
        });
        Ok((record, false))
    }

    pub(super) fn apply(&mut self, id: TaskId, event: &Event) -> Result<Record, StoreError> {
        let now = self.time();
        self.find(id).ok_or(StoreError::NotFound)?;
        let at = self.place(id).ok_or(StoreError::NotFound)?;
        let task = &mut self.tasks[at];
        task.record.apply(event, now).map_err(StoreError::Refused)?;
        if let Event::End(_, ending) = event {
            task.ending = Some(ending.to_bytes());
        }
        Ok(task.record.clone())
    }

    pub(super) fn report(&mut self, id: TaskId, epoch: Epoch, report: Report) {
        let _ = self.apply(id, &Event::Report(epoch, report));
    }

    pub(super) fn partial(&mut self, id: TaskId, epoch: Epoch, partial: &Partial) {
        let Some(at) = self.place(id) else { return };
        let task = &mut self.tasks[at];
        let first = task.record.partials - task.partials.len() as u32;
        let text = partial.value.get().to_owned();
        let is_known = partial.index < first || task.partials.contains(&(partial.index, text.clone()));
        if is_known || task.record.may_write(epoch).is_err() {
            return;
        }
        task.partials.push((task.record.partials, text));
        let _ = self.apply(id, &Event::Partial(epoch));
        let kept = &mut self.tasks[at].partials;
        let is_too_much = |kept: &[(u32, String)]| {
            kept.len() > partial.keep.count
                || kept.iter().map(|(_, text)| text.len()).sum::<usize>() > partial.keep.bytes
        };
        while is_too_much(kept) {
            kept.remove(0);
        }
    }

    /// The values from this number on.
    pub(super) fn partials(&self, id: TaskId, from: u32) -> Vec<String> {
        let all = self.find(id).map(|task| task.partials.as_slice()).unwrap_or_default();
        all.iter().filter(|(number, _)| *number >= from).map(|(_, text)| text.clone()).collect()
    }

    pub(super) fn remember(
        &mut self,
        id: TaskId,
        epoch: Epoch,
        entry: JournalEntry,
    ) -> Result<(), StoreError> {
        let found = self.find(id).ok_or(StoreError::NotFound)?;
        found.record.may_write(epoch).map_err(StoreError::Refused)?;
        if found.journal.iter().any(|known| known.key == entry.key) {
            return Err(StoreError::Refused(Refusal::Remembered));
        }
        let at = self.place(id).ok_or(StoreError::NotFound)?;
        self.tasks[at].journal.push(entry);
        Ok(())
    }

    pub(super) fn children(&self, parent: TaskId) -> Vec<Record> {
        let all =
            self.tasks.iter().filter(|task| task.record.parent() == Some(parent) && self.is_there(task));
        all.map(|task| task.record.clone()).collect()
    }

    pub(super) fn list(&self, principal: &Principal, after: Option<Place>, limit: usize) -> Vec<Record> {
        let is_meant = |record: &Record| record.principal == *principal && record.parent().is_none();
        let mut all: Vec<&Record> =
            self.tasks.iter().filter(|task| self.is_there(task)).map(|task| &task.record).collect();
        all.retain(|record| is_meant(record) && after.is_none_or(|after| place(record) > after));
        all.sort_by_key(|record| place(record));
        all.into_iter().take(limit).cloned().collect()
    }

    /// How many were removed, and how long until the next one goes.
    pub(super) fn expire(&mut self, limit: usize) -> (usize, Option<Duration>) {
        let now = self.time();
        let mut due: Vec<(Timestamp, TaskId)> = self
            .tasks
            .iter()
            .filter_map(|task| task.record.expires_at().map(|at| (at, task.record.id)))
            .collect();
        due.sort_unstable();
        let gone: Vec<TaskId> =
            due.iter().filter(|(at, _)| *at <= now).map(|(_, id)| *id).take(limit).collect();
        self.tasks.retain(|task| !gone.contains(&task.record.root().unwrap_or(task.record.id)));
        let next = due.iter().find(|(_, id)| !gone.contains(id)).map(|(at, _)| at.since(now));
        (gone.len(), next)
    }

    pub(super) fn claim(&mut self, lease: Lease, only: Option<TaskId>, limit: usize) -> Vec<Taken> {
        let (now, worker) = (self.now, lease.worker);
        let leases = self.leases.clone();
        let is_alive =
            |holder: WorkerId| holder == worker || leases.get(&holder).is_some_and(|until| *until > now);
        let mut free: Vec<Place> = self
            .tasks
            .iter()
            .filter(|task| self.is_there(task))
            .map(|task| &task.record)
            .filter(|record| match only {
                Some(id) => {
                    record.id == id && !record.status.is_terminal() && !record.worker.is_some_and(is_alive)
                }
                None => record.is_orphan(is_alive),
            })
            .map(place)
            .collect();
        free.sort_unstable();
        free.truncate(limit);
        let mut taken = Vec::new();
        for Place(_, id) in free {
            let Ok(record) = self.apply(id, &Event::Claim(worker)) else { continue };
            let journal = self.find(id).map(|task| task.journal.as_slice()).unwrap_or_default();
            let journal =
                journal.iter().map(|entry| (entry.key.to_string(), entry.value.to_string())).collect();
            taken.push((record, journal));
        }
        if !taken.is_empty() {
            self.lease(lease);
        }
        taken
    }

    fn lease(&mut self, lease: Lease) {
        self.leases.insert(lease.worker, self.now + lease.span.as_millis() as u64);
    }

    pub(super) fn heartbeat(&mut self, lease: Lease) -> BTreeSet<TaskId> {
        self.lease(lease);
        let held = self.tasks.iter().filter(|task| self.is_there(task)).map(|task| &task.record);
        held.filter(|record| record.worker == Some(lease.worker)).map(|record| record.id).collect()
    }

    pub(super) fn forgotten(&self, span: Duration) -> BTreeSet<TaskId> {
        let all = self.tasks.iter().filter(|task| self.is_there(task)).map(|task| &task.record);
        all.filter(|record| record.is_forgotten(span, self.time())).map(|record| record.id).collect()
    }

    pub(super) fn retire(&mut self, worker: WorkerId) {
        self.leases.remove(&worker);
    }

    /// Whether something that has expired was not removed.
    pub(super) fn has_expired(&self) -> bool {
        self.tasks.iter().any(|task| !self.is_there(task))
    }
}

fn place(record: &Record) -> Place {
    Place(record.created_at, record.id)
}
