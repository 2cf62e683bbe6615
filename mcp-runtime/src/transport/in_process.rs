//! A client in the same process: messages as text through a channel, on the same way as every other transport from
//! the frame on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, mpsc};

use super::Outbox;

/// Queued messages above which progress is left out.
const CONGESTED: usize = 1024;

/// The way from the server to a client in the same process.
pub(crate) struct ChannelOutbox {
    messages: mpsc::UnboundedSender<String>,
    queued: Arc<Queued>,
}

/// What comes out at the client's end.
pub(crate) struct Inbox {
    messages: mpsc::UnboundedReceiver<String>,
    queued: Arc<Queued>,
}

#[derive(Default)]
struct Queued {
    count: AtomicUsize,
    drained: Notify,
}

/// Both ends of a channel. It holds what is not yet read, as a pipe would; what may be left out is, when it is long.
pub(crate) fn channel() -> (ChannelOutbox, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let queued = Arc::new(Queued::default());
    (ChannelOutbox { messages: sender, queued: Arc::clone(&queued) }, Inbox { messages: receiver, queued })
}

impl Inbox {
    /// The next message; `None` once the server's end is gone. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let message = self.messages.recv().await?;
        if self.queued.count.fetch_sub(1, Ordering::AcqRel) == CONGESTED {
            self.queued.drained.notify_waiters();
        }
        Some(message)
    }
}

impl Outbox for ChannelOutbox {
    fn push(&self, message: &[u8]) {
        self.queued.count.fetch_add(1, Ordering::AcqRel);
        // A client that is gone reads nothing more.
        let _ = self.messages.send(String::from_utf8_lossy(message).into_owned());
    }

    fn flush(&self) {}

    fn is_open(&self) -> bool {
        !self.messages.is_closed()
    }

    fn is_congested(&self) -> bool {
        self.queued.count.load(Ordering::Acquire) >= CONGESTED && !self.messages.is_closed()
    }

    fn drained(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            loop {
                let drained = self.queued.drained.notified();
                if !self.is_congested() {
                    return;
                }
                drained.await;
            }
        })
    }
}
