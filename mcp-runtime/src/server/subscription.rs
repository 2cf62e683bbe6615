//! Tells a client what becomes of tasks: coalesced, never reordered, and always the last state.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Shared;
use crate::protocol::jsonrpc::RequestId;
use crate::protocol::time::Timestamp;
use crate::task::{Principal, TaskId, Watch};
use crate::transport::Outbox;
use crate::wire::{legacy, modern};

/// The shortest time between two rounds of notifications; what changes more often is seen less often.
const ROUND: Duration = Duration::from_millis(50);

/// Follows some tasks for one client.
pub(super) struct Feed {
    watch: Watch,
    /// The revision of each task that the client has seen.
    seen: Mutex<HashMap<TaskId, u64>>,
    voice: Voice,
}

/// In which words a client is told.
#[derive(Clone, Debug)]
pub(super) enum Voice {
    /// `notifications/tasks/status`.
    Core,
    /// `notifications/tasks` on the subscription with this id.
    Subscription(RequestId),
}

impl Feed {
    pub(super) fn new(shared: &Shared, voice: Voice) -> Self {
        Self { watch: shared.engine.watch(), seen: Mutex::default(), voice }
    }

    /// Follows one more task. `seen` is the revision that the client knows already, if it knows any.
    pub(super) fn add(&self, id: TaskId, seen: Option<u64>) {
        if let Some(rev) = seen {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id, rev);
        }
        self.watch.add(id);
    }

    /// Runs until it is dropped.
    pub(super) async fn run(&self, shared: &Shared, principal: &Principal, outbox: &dyn Outbox) {
        loop {
            for id in self.watch.changed().await {
                outbox.drained().await;
                self.tell(id, shared, principal, outbox).await;
            }
            outbox.flush();
            tokio::time::sleep(ROUND).await;
        }
    }

    async fn tell(&self, id: TaskId, shared: &Shared, principal: &Principal, outbox: &dyn Outbox) {
        let Ok(record) = shared.engine.get(id, principal).await else { return self.forget(id) };
        let is_over = record.status.is_terminal();
        let before = self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id, record.rev);
        if before != Some(record.rev) {
            let mut message = Vec::with_capacity(320);
            match &self.voice {
                Voice::Core => legacy::write_status(&mut message, &record, Timestamp::now()),
                Voice::Subscription(subscription) => {
                    let ending = if is_over { shared.engine.ending(id).await.ok().flatten() } else { None };
                    modern::write_status(
                        &mut message,
                        subscription,
                        &record,
                        ending.as_deref(),
                        Timestamp::now(),
                    );
                }
            }
            outbox.push(&message);
        }
        if is_over {
            self.forget(id);
        }
    }

    fn forget(&self, id: TaskId) {
        self.watch.remove(id);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}
