//! A request and its answer, as long as somebody is there to read it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::session::Visit;
use super::stream::Reader;
use crate::transport::Endpoint;

/// Who reads a stream, and what it means when it stops.
pub(super) struct Exchange {
    reader: Reader,
    _party: Party,
}

/// With whom an exchange is. Each of them does something when it is dropped.
#[allow(dead_code, reason = "kept for their drop")]
pub(super) enum Party {
    /// A request that stands alone.
    Alone(Registered),
    /// A session, which has heard of its client again when this is over.
    Session(Visit),
}

impl Exchange {
    pub(super) fn new(reader: Reader, party: Party) -> Self {
        Self { reader, _party: party }
    }

    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }
}

/// The requests that stand alone and are not answered yet.
#[derive(Default)]
pub(super) struct Open {
    endpoints: Mutex<HashMap<u64, Arc<dyn Endpoint>>>,
    last: AtomicU64,
}

impl Open {
    /// Enters a request. If it `ends_with_its_reader`, it is cancelled when its reader goes.
    pub(super) fn register(
        self: &Arc<Self>,
        endpoint: Arc<dyn Endpoint>,
        ends_with_its_reader: bool,
    ) -> Registered {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        self.endpoints().insert(number, Arc::clone(&endpoint));
        Registered { open: Arc::clone(self), number, endpoint, ends_with_its_reader }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<dyn Endpoint>> {
        self.endpoints().values().cloned().collect()
    }

    fn endpoints(&self) -> MutexGuard<'_, HashMap<u64, Arc<dyn Endpoint>>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was entered, until this is dropped.
pub(super) struct Registered {
    open: Arc<Open>,
    number: u64,
    endpoint: Arc<dyn Endpoint>,
    ends_with_its_reader: bool,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.open.endpoints().remove(&self.number);
        if self.ends_with_its_reader {
            // What was answered already is not touched by this.
            self.endpoint.abandon();
        }
    }
}
