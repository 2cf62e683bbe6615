//! How messages travel: between a transport, which moves text, and an endpoint, which understands it.

#[cfg(feature = "http")]
pub(crate) mod http;
pub(crate) mod in_process;
pub(crate) mod stdio;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::protocol::ProtocolError;
use crate::task::Principal;
use crate::wire::headers::Headers;
use crate::wire::legacy::Version;

/// One client's end of the server, as a transport sees it.
pub(crate) trait Endpoint: Send + Sync + 'static {
    /// Takes one message and answers what can be answered at once, into its channel. Never blocks on a client.
    fn receive(&self, message: &str, arrival: Arrival<'_>) -> Received;

    /// Answers a message that was too long to be read. `beginning` is as much of it as was kept.
    fn refuse_oversized(&self, beginning: &str, limit: usize, channel: &dyn Outbox);

    /// Answers bytes that are no text.
    fn refuse_not_utf8(&self, channel: &dyn Outbox);

    /// Nobody waits for what was asked any more: cancels all of it that can be cancelled.
    fn abandon(&self);

    /// Somebody reads again what belongs to no request: says there what was waiting for that.
    fn come_home(&self);

    /// Ends every subscription, as one whose server goes away.
    fn end_subscriptions(&self);

    /// Waits until everything was answered that was asked for, but no longer than this.
    fn drain(self: Arc<Self>, limit: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Answers what has come to an end just now, drops the rest, and says nothing more.
    fn settle(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// The client is gone: finishes what it asked for within the grace period, does what is to be done `then`, and
    /// settles.
    fn finish(
        self: Arc<Self>,
        then: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// How a message came.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    /// Where everything goes that is said on behalf of it: its answer, and what comes before that.
    pub(crate) channel: &'a Arc<dyn Outbox>,
    /// The headers that it came with, where there are such things.
    pub(crate) headers: Option<&'a dyn Headers>,
}

/// That an answer is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The JSON-RPC code.
    pub(crate) code: i64,
    /// Whether the request was understood and begun, and not refused for what it is.
    pub(crate) was_begun: bool,
}

impl Failure {
    pub(crate) fn refused(error: &ProtocolError) -> Self {
        Self { code: error.code(), was_begun: false }
    }

    pub(crate) fn begun(error: &ProtocolError) -> Self {
        Self { code: error.code(), was_begun: true }
    }
}

/// What a transport has to know of a message that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// Nothing will be said to it: it was a notification, or an answer.
    Silent,
    /// Its channel has the answer, or will have it.
    Answered,
}

/// Where messages to a client go: all of them, or those on behalf of one request.
pub(crate) trait Outbox: Send + Sync + 'static {
    /// Queues one message, without a line end. It goes out with the next [`flush`](Self::flush) at the latest.
    fn push(&self, message: &[u8]);

    /// Queues the answer that ends a request, and says whether it is an error. It needs a flush, too.
    fn respond(&self, message: Vec<u8>, failure: Option<Failure>) {
        let _ = failure;
        self.push(&message);
    }

    /// Nothing more is said on behalf of the request that this is for: it was cancelled. What serves several goes on.
    fn close(&self) {}

    /// Sends away who reads what is said on behalf of a request, to come back for the rest of it. Does nothing where that
    /// cannot be.
    fn suspend(&self) {}

    /// Whether what is pushed reaches somebody, now or later.
    fn is_open(&self) -> bool;

    /// Whether somebody reads it at this moment.
    fn is_read(&self) -> bool {
        self.is_open()
    }

    /// Sends what is queued, from a thread that must not block.
    fn flush(&self);

    /// Whether so much is queued that what may be left out should be.
    fn is_congested(&self) -> bool;

    /// Waits until it is not congested. Cancel safe.
    fn drained(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Makes endpoints: the server, as a transport sees it.
pub(crate) trait Acceptor: Send + Sync + 'static {
    /// A new client. Its `home` is where messages go that belong to no request. Called within a Tokio runtime.
    fn connect(&self, client: Client) -> Arc<dyn Endpoint>;

    /// The largest message that is read, in bytes.
    fn max_message_size(&self) -> usize;

    /// The last client has left: stops what is to be stopped with it.
    fn end(&self) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// A client leaves: finishes what it asked for, and whatever else is to be done then.
    fn leave(&self, endpoint: Arc<dyn Endpoint>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A client, as the transport knows it before its first message.
pub(crate) struct Client {
    /// Where messages go that belong to no request, if there is such a place.
    pub(crate) home: Option<Arc<dyn Outbox>>,
    pub(crate) principal: Principal,
    pub(crate) wires: Wires,
}

/// What tells of which wire a client's messages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wires {
    /// Each message says it, or the handshake did.
    Any,
    /// They are of a revision that opens with `initialize`: the one given, or the one that the handshake will settle.
    Legacy(Option<Version>),
    /// They are of the stateless protocol.
    Modern,
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
