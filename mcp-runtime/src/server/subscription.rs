//! Tells a client what becomes of tasks: coalesced, never reordered, and always the last state.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use super::Shared;
use super::changes::Changes;
use super::connection::Connection;
use super::flights::{Kind, Number};
use super::questions::Questions;
use crate::background;
use crate::limit;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::{self, RequestId};
use crate::protocol::params::SubscriptionFilter;
use crate::protocol::time::Timestamp;
use crate::task::store::StoreError;
use crate::task::{Following, Partials, Principal, Record, TaskId, Watch};
use crate::transport::{Failure, Outbox};
use crate::wire::{Beside, legacy, modern};

/// The shortest time between two rounds of notifications; what changes more often is seen less often.
const ROUND: Duration = Duration::from_millis(50);

/// The time after which a store that failed is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows some tasks for one client.
pub(super) struct Feed {
    watch: Watch,
    /// The jobs that are asked because the client follows their tasks.
    following: Mutex<HashMap<TaskId, Following>>,
    /// What the client has seen of each task.
    seen: Mutex<HashMap<TaskId, Seen>>,
    voice: Voice,
}

/// What a client has seen of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// The revision; none has this number that nothing was seen of.
    rev: u64,
    /// The revisions of the tasks that it is made of, together.
    children: u64,
    /// From which number on it has not seen partial results.
    cursor: u32,
    /// Whether it is asked what the task wants to know.
    is_asked: bool,
}

impl Seen {
    fn of(record: &Record) -> Self {
        Self { rev: record.rev, ..Self::default() }
    }
}

/// Queues a message for the client, unless it does not want to hear it any more; whether it did.
pub(super) type Say<'a> = dyn Fn(&[u8]) -> bool + Send + Sync + 'a;

/// In which words a client is told.
pub(super) enum Voice {
    /// `notifications/tasks/status`, and requests for what the tasks want to know.
    Core(Arc<Questions>, Arc<dyn Outbox>),
    /// `notifications/tasks` on the subscription with this id.
    Subscription(RequestId),
}

impl Feed {
    pub(super) fn new(shared: &Shared, voice: Voice) -> Self {
        Self { watch: shared.engine.watch(), seen: Mutex::default(), following: Mutex::default(), voice }
    }

    /// Follows one more task.
    pub(super) fn add(&self, id: TaskId) {
        self.watch.add(id);
    }

    /// Follows a task that its client made, and was told of in this state.
    pub(super) fn add_made(&self, record: &Record) {
        self.seen().entry(record.id).or_insert_with(|| Seen::of(record)).is_asked = true;
        self.watch.add(record.id);
    }

    /// Follows a task that its client looked at, and is to be told of in this state by `tell`; unless it is over, or followed
    /// already, or so many are. What it wants to know is asked where somebody waits for its result.
    pub(super) fn add_seen(&self, record: &Record, most: usize, tell: impl FnOnce()) {
        if record.status.is_terminal() || self.watch.watches(&record.id) || self.watch.len() >= most {
            return;
        }
        tell();
        self.seen().entry(record.id).or_insert_with(|| Seen::of(record));
        self.watch.add(record.id);
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<TaskId, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs until it is dropped.
    pub(super) async fn run(
        &self,
        shared: &Shared,
        principal: &Principal,
        outbox: &dyn Outbox,
        say: &Say<'_>,
    ) {
        loop {
            let mut pause = ROUND;
            for id in self.watch.changed().await {
                if outbox.is_congested() {
                    // What congests it may be this very feed's, which nobody has sent yet.
                    outbox.flush();
                    outbox.drained().await;
                }
                match self.tell(id, shared, principal, say).await {
                    Ok(()) => {}
                    Err(StoreError::NotFound) => self.forget(id),
                    Err(error) => {
                        tracing::warn!(task = %id, %error, "a task could not be looked up; it is tried again");
                        self.watch.touch(id);
                        pause = PAUSE;
                    }
                }
            }
            outbox.flush();
            tokio::time::sleep(pause).await;
        }
    }

    async fn tell(
        &self,
        id: TaskId,
        shared: &Shared,
        principal: &Principal,
        say: &Say<'_>,
    ) -> Result<(), StoreError> {
        let engine = &shared.engine;
        let record = engine.get(id, principal).await?;
        let is_over = record.status.is_terminal();
        if let Voice::Core(questions, home) = &self.voice
            && !home.is_open()
        {
            // It is told when somebody reads it, as it is then. Nobody may ever do, so no more than so many wait for that.
            if is_over {
                questions.ask_for_task(&record, home);
                if self.watch.len() > shared.limits.max_tasks_per_subscription {
                    self.forget(id);
                }
            }
            return Ok(());
        }
        let seen = self.seen().get(&id).copied().unwrap_or_default();
        let family = engine.children(&record).await?;
        let children =
            family.iter().flatten().fold(0_u64, |children, child| children.wrapping_add(child.rev));
        if (seen.rev, seen.children) != (record.rev, children) {
            // After the record: of what is over, this is all that there will be.
            let partials = engine.partials(&record, seen.cursor).await?;
            let cursor = partials.as_ref().map_or(seen.cursor, Partials::next);
            let partials = partials.filter(|partials| !partials.values.is_empty());
            let beside = Beside { partials, children: family };
            let mut message = Vec::with_capacity(320);
            match &self.voice {
                Voice::Core(..) => legacy::write_status(&mut message, &record, &beside, Timestamp::now()),
                Voice::Subscription(subscription) => {
                    let ending = if is_over { engine.ending(id).await? } else { None };
                    let (ending, now) = (ending.as_deref(), Timestamp::now());
                    modern::write_status(&mut message, subscription, &record, ending, &beside, now);
                }
            }
            if !say(&message) {
                return Ok(());
            }
            self.seen().insert(id, Seen { rev: record.rev, children, cursor, ..seen });
        }
        if let Voice::Core(questions, home) = &self.voice
            && (is_over || seen.is_asked)
        {
            questions.ask_for_task(&record, home);
        }
        if is_over {
            self.forget(id);
        } else if matches!(self.voice, Voice::Subscription(_)) {
            self.follow_job(&record, shared);
        }
        Ok(())
    }

    /// Has the job asked that a task stands for, as long as the client follows the task.
    fn follow_job(&self, record: &Record, shared: &Shared) {
        if record.job.is_none() {
            return;
        }
        let mut following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Vacant(entry) = following.entry(record.id)
            && let Some(job) = shared.engine.follow_job(record)
        {
            entry.insert(job);
        }
    }

    /// Looks at every task again.
    pub(super) fn look_again(&self) {
        self.watch.look_again();
    }

    fn forget(&self, id: TaskId) {
        self.watch.remove(&id);
        self.following.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.seen().remove(&id);
    }
}

impl Connection {
    /// Opens a subscription: says what is honoured, then the state of each task, then every change.
    pub(super) fn listen(&self, id: RequestId, filter: SubscriptionFilter, channel: &Arc<dyn Outbox>) {
        let Some(me) = self.me() else { return };
        let own = Arc::clone(channel);
        self.flights().launch(id.clone(), Kind::Subscription, channel, |number| {
            let serving = async move { me.serve_subscription(id, number, filter, &*own).await };
            background::spawn_on(self.runtime(), serving)
        });
    }

    async fn serve_subscription(
        &self,
        id: RequestId,
        number: Number,
        mut filter: SubscriptionFilter,
        channel: &dyn Outbox,
    ) {
        let mut out = Vec::new();
        if let Err(error) = self.admit_filter(&filter) {
            jsonrpc::write_error(&mut out, Some(&id), &error);
            if self.flights().commit(&id, number) {
                channel.respond(out, Some(Failure::begun(&error)));
                channel.flush();
                self.flights().land();
            }
            return;
        }
        let feed = Feed::new(self.shared(), Voice::Subscription(id.clone()));
        let mut agreed = Vec::new();
        for name in filter.task_ids.iter().flatten() {
            // What the caller may not see is left out, like what is not there.
            if let Ok(task) = name.parse()
                && self.shared().engine.get(task, self.principal()).await.is_ok()
            {
                agreed.push((name.clone(), task));
            }
        }
        if let Some(task_ids) = &mut filter.task_ids {
            *task_ids = agreed.iter().map(|(name, _)| name.clone()).collect();
        }
        let changes = Changes::new(self.shared(), Some(id.clone()));
        changes.follow(&mut filter, self.shared());
        modern::write_acknowledged(&mut out, &id, &filter);
        let say = |message: &[u8]| self.flights().say(&id, number, || channel.push(message));
        say(&out);
        channel.flush();
        for (_, task) in &agreed {
            feed.add(*task);
        }
        let feed = feed.run(self.shared(), self.principal(), channel, &say);
        both(feed, changes.run(channel, &say)).await;
    }

    fn admit_filter(&self, filter: &SubscriptionFilter) -> Result<(), ProtocolError> {
        let limits = &self.shared().limits;
        let lengths = [
            (&filter.task_ids, "max_tasks_per_subscription", limits.max_tasks_per_subscription),
            (&filter.resource_subscriptions, "max_resource_subscriptions", limits.max_resource_subscriptions),
        ];
        for (wanted, name, most) in lengths {
            if wanted.as_ref().is_some_and(|wanted| wanted.len() > most) {
                return Err(limit::reached(name, most, ""));
            }
        }
        Ok(())
    }
}

/// Runs two futures side by side until both have ended.
async fn both(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    let (mut one_ended, mut other_ended) = (false, false);
    std::future::poll_fn(|cx| {
        one_ended = one_ended || one.as_mut().poll(cx).is_ready();
        other_ended = other_ended || other.as_mut().poll(cx).is_ready();
        if one_ended && other_ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
