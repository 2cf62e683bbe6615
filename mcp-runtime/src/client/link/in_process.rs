//! A server in the same process: messages as text, on the same way as every other transport from the frame on.

use std::sync::{Arc, Weak};

use tokio::task::AbortHandle;

use super::pending::Pending;
use super::{BoxFuture, Broken, Link, Outcome, Outgoing};
use crate::client::peer::Peer;
use crate::server::Service;
use crate::task::Principal;
use crate::transport::in_process::channel;
use crate::transport::{Acceptor, Arrival, Client, Endpoint, Outbox, Wires};

pub(in crate::client) struct InProcess {
    endpoint: Arc<dyn Endpoint>,
    channel: Arc<dyn Outbox>,
    pending: Pending,
    reading: AbortHandle,
}

impl InProcess {
    /// Connects to a server. Must be called within a Tokio runtime.
    pub(in crate::client) fn open(service: &Service, peer: Arc<Peer>) -> Arc<dyn Link> {
        let (outbox, mut inbox) = channel();
        let channel: Arc<dyn Outbox> = Arc::new(outbox);
        let home = Some(Arc::clone(&channel));
        let client = Client { home, principal: Principal::local(), wires: Wires::Any };
        let endpoint = service.connect(client);
        Arc::new_cyclic(|link: &Weak<Self>| {
            let link = Weak::clone(link);
            let reading = tokio::spawn(async move {
                while let Some(message) = inbox.next().await {
                    let Some(link) = link.upgrade() else { return };
                    let dynamic: Arc<dyn Link> = Arc::<Self>::clone(&link);
                    peer.hear(&message, &dynamic, |id, outcome| link.pending.settle(id, outcome));
                }
            });
            let reading = reading.abort_handle();
            Self { endpoint, channel, pending: Pending::default(), reading }
        })
    }

    fn hand_over(&self, message: &Outgoing) {
        self.endpoint.receive(&message.text, Arrival { channel: &self.channel, headers: None });
    }
}

impl Link for InProcess {
    fn exchange(&self, request: Outgoing) -> BoxFuture<'_, Result<Outcome, Broken>> {
        Box::pin(async move {
            let waiting = self.pending.wait(request.id.unwrap_or_default())?;
            self.hand_over(&request);
            waiting.answer().await
        })
    }

    fn send(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Broken>> {
        self.hand_over(&message);
        Box::pin(std::future::ready(Ok(())))
    }

    fn is_open(&self) -> bool {
        self.pending.is_open()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.pending.break_off("the client was closed");
        self.reading.abort();
        Arc::clone(&self.endpoint).finish(Box::pin(std::future::ready(())))
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.reading.abort();
        // Subscriptions of a client that is gone are for nobody.
        if let (true, Ok(runtime)) = (self.pending.is_open(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(Arc::clone(&self.endpoint).finish(Box::pin(std::future::ready(()))));
        }
    }
}
