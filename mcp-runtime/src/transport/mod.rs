//! How messages travel: between a transport, which moves text, and an endpoint, which understands it.

pub(crate) mod in_process;
pub(crate) mod stdio;

use std::pin::Pin;
use std::sync::Arc;

/// One client's end of the server, as a transport sees it.
pub(crate) trait Endpoint: Send + Sync + 'static {
    /// Takes one message and answers what can be answered at once, into the outbox. Never blocks on a client.
    fn receive(&self, message: &str);

    /// Answers a message that was too long to be read. `beginning` is as much of it as was kept.
    fn refuse_oversized(&self, beginning: &str, limit: usize);

    /// Answers bytes that are no text.
    fn refuse_not_utf8(&self);

    /// The client is gone: finishes what it asked for within the grace period, does what is to be done `then`, answers
    /// what that brought to an end, and drops the rest.
    fn finish(
        self: Arc<Self>,
        then: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Where messages to one client go.
pub(crate) trait Outbox: Send + Sync + 'static {
    /// Queues one message, without a line end. It goes out with the next [`flush`](Self::flush) at the latest.
    fn push(&self, message: &[u8]);

    /// Sends what is queued, from a thread that must not block.
    fn flush(&self);

    /// Whether so much is queued that what may be left out should be.
    fn is_congested(&self) -> bool;

    /// Waits until it is not congested. Cancel safe.
    fn drained(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Makes endpoints: the server, as a transport sees it.
pub(crate) trait Acceptor: Send + Sync + 'static {
    /// A new client, to be answered through this outbox. Called within a Tokio runtime.
    fn connect(&self, outbox: Arc<dyn Outbox>) -> Arc<dyn Endpoint>;

    /// The largest message that is read, in bytes.
    fn max_message_size(&self) -> usize;

    /// A client leaves: finishes what it asked for, and whatever else is to be done then.
    fn leave(&self, endpoint: Arc<dyn Endpoint>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A way to reach clients, for [`Server::serve`](crate::Server::serve): [`stdio`](crate::stdio()).
///
/// Sealed: what it moves between is this crate's own.
pub trait Transport: sealed::Sealed + Send {}

pub(crate) mod sealed {
    use super::{Acceptor, Arc, Pin};

    #[allow(unnameable_types)]
    pub trait Sealed {
        #[doc(hidden)]
        #[allow(private_interfaces)]
        fn serve(
            self: Box<Self>,
            acceptor: Arc<dyn Acceptor>,
        ) -> Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>;
    }
}
