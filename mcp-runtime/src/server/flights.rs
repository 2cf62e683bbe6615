//! The requests of one client that are being worked on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::background;
use crate::limit;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::RequestId;
use crate::task::Context;
use crate::transport::Outbox;

/// All requests that are being worked on, by the id that the client gave them.
#[derive(Default)]
pub(super) struct Flights {
    by_id: Mutex<HashMap<RequestId, Flight>>,
    /// Counts flights: a client may use an id again, and then it is another one.
    last: AtomicU64,
    /// Those that are being answered.
    landing: AtomicUsize,
    landed: Notify,
}

/// Which flight is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(u64);

/// A request that is being worked on.
pub(super) struct Flight {
    number: Number,
    pub(super) kind: Kind,
    /// Where everything goes that is said on behalf of it.
    pub(super) channel: Arc<dyn Outbox>,
    pub(super) abort: AbortHandle,
}

/// What a flight is for.
pub(super) enum Kind {
    /// A tool is running. It hears of its cancellation through its context.
    Call(Context),
    /// Something is looked up or waited for.
    Look,
    /// Something is being changed, such as a task being made: that is seen through, whatever the client does.
    Change,
    /// The client listens.
    Subscription,
}

impl Flights {
    fn by_id(&self) -> MutexGuard<'_, HashMap<RequestId, Flight>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is room for a request of this id.
    pub(super) fn admit(&self, id: &RequestId, most: usize) -> Result<(), ProtocolError> {
        let flights = self.by_id();
        if flights.len() >= most {
            return Err(limit::reached("max_requests_in_flight", most, "await some answers"));
        }
        if flights.contains_key(id) {
            let message = format!("a request with the id {id} is still being worked on");
            return Err(ProtocolError::invalid_request(message));
        }
        Ok(())
    }

    /// Enters a flight, which `launch` starts under the number that it gets.
    pub(super) fn launch(
        &self,
        id: RequestId,
        kind: Kind,
        channel: &Arc<dyn Outbox>,
        launch: impl FnOnce(Number) -> AbortHandle,
    ) {
        let number = Number(self.last.fetch_add(1, Ordering::Relaxed));
        // Locked while launching, so that it cannot land before it is entered.
        let mut flights = self.by_id();
        let abort = launch(number);
        flights.insert(id, Flight { number, kind, channel: Arc::clone(channel), abort });
    }

    /// Commits a flight to answering; whether it was still entered. One that was cancelled is not, and its answer is not
    /// wanted. From now on it cannot be cancelled, and its id is free: the client may have the answer at any moment.
    #[must_use = "who commits must land"]
    pub(super) fn commit(&self, id: &RequestId, number: Number) -> bool {
        let mut flights = self.by_id();
        let is_entered = flights.get(id).is_some_and(|flight| flight.number == number);
        if is_entered {
            // Counted before it leaves the table, so that whoever drains never sees neither.
            self.landing.fetch_add(1, Ordering::AcqRel);
            drop(flights.remove(id));
        }
        is_entered
    }

    /// Ends a flight that was committed, once its answer is on its way.
    pub(super) fn land(&self) {
        self.landing.fetch_sub(1, Ordering::AcqRel);
        self.landed.notify_waiters();
    }

    /// Says something on behalf of a flight, unless it was cancelled; whether it was said. Neither can come in between.
    pub(super) fn say(&self, id: &RequestId, number: Number, say: impl FnOnce()) -> bool {
        let flights = self.by_id();
        let is_entered = flights.get(id).is_some_and(|flight| flight.number == number);
        if is_entered {
            say();
        }
        is_entered
    }

    /// Cancels a flight, if it is one that can be. A tool that cleans up by itself has the grace period to do so.
    pub(super) fn cancel(&self, id: &RequestId, grace: Duration, runtime: &Handle) {
        let mut flights = self.by_id();
        if flights.get(id).is_none_or(|flight| matches!(flight.kind, Kind::Change)) {
            return;
        }
        let flight = flights.remove(id);
        drop(flights);
        self.landed.notify_waiters();
        if let Some(flight) = flight {
            flight.cancel(grace, runtime);
        }
    }

    /// Cancels every flight that can be.
    pub(super) fn cancel_all(&self, grace: Duration, runtime: &Handle) {
        let mut flights = self.by_id();
        let is_cancelled = |_: &RequestId, flight: &mut Flight| !matches!(flight.kind, Kind::Change);
        let cancelled: Vec<_> = flights.extract_if(is_cancelled).collect();
        drop(flights);
        self.landed.notify_waiters();
        for (_, flight) in cancelled {
            flight.cancel(grace, runtime);
        }
    }

    /// Takes out the subscriptions.
    pub(super) fn take_subscriptions(&self) -> Vec<(RequestId, Flight)> {
        self.by_id().extract_if(|_, flight| matches!(flight.kind, Kind::Subscription)).collect()
    }

    /// Takes out everything that is left.
    pub(super) fn take(&self) -> HashMap<RequestId, Flight> {
        std::mem::take(&mut *self.by_id())
    }

    /// How many answers are still to come. A subscription has none.
    pub(super) fn awaited(&self) -> usize {
        let flights = self.by_id();
        let working = flights.values().filter(|flight| !matches!(flight.kind, Kind::Subscription)).count();
        working + self.landing.load(Ordering::Acquire)
    }

    /// Waits until no answer is to come any more. Cancel safe.
    pub(super) async fn drain(&self) {
        loop {
            let landed = self.landed.notified();
            if self.awaited() == 0 {
                return;
            }
            landed.await;
        }
    }
}

impl Flight {
    fn cancel(self, grace: Duration, runtime: &Handle) {
        self.channel.close();
        let abort = self.abort;
        match self.kind {
            Kind::Call(cx) if cx.cancel_call(runtime) => {
                background::spawn_on(runtime, async move {
                    tokio::time::sleep(grace).await;
                    abort.abort();
                });
            }
            _ => abort.abort(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> Arc<dyn Outbox> {
        Arc::new(crate::transport::in_process::channel().0)
    }

    #[tokio::test]
    async fn an_id_that_is_used_again_is_another_flight() {
        let flights = Flights::default();
        let id = RequestId::Number(1);
        let mut numbers = Vec::new();
        for _ in 0..2 {
            flights.launch(id.clone(), Kind::Look, &channel(), |number| {
                numbers.push(number);
                tokio::spawn(std::future::pending::<()>()).abort_handle()
            });
            if numbers.len() == 1 {
                flights.cancel(&id, Duration::ZERO, &Handle::current());
            }
        }
        assert!(!flights.commit(&id, numbers[0]), "the first was cancelled");
        assert!(flights.commit(&id, numbers[1]), "the second is not the first");
        assert!(flights.admit(&id, 1).is_ok(), "its id is free");
        assert_eq!(flights.awaited(), 1, "but it has not landed");
        flights.land();
        assert_eq!(flights.awaited(), 0);
    }

    #[tokio::test]
    async fn what_is_being_changed_is_seen_through() {
        let flights = Flights::default();
        let id = RequestId::Number(1);
        flights.launch(id.clone(), Kind::Change, &channel(), |_| {
            tokio::spawn(std::future::pending::<()>()).abort_handle()
        });
        flights.cancel(&id, Duration::ZERO, &Handle::current());
        flights.cancel_all(Duration::ZERO, &Handle::current());
        assert_eq!(flights.awaited(), 1);
    }
}
