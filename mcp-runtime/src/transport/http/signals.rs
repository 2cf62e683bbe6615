//! When the process is asked to stop.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

/// Hears of every time that the process is asked to stop: by ctrl-c, or by SIGTERM.
///
/// From when it is made on, none is missed, whether or not anybody waits for it; and the process does not end by itself.
pub(crate) struct Signals {
    #[cfg(unix)]
    kinds: [tokio::signal::unix::Signal; 2],
    #[cfg(windows)]
    kinds: [tokio::signal::windows::CtrlC; 1],
}

impl Signals {
    /// Begins to listen. Must be called within a Tokio runtime that has I/O enabled.
    pub(crate) fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { kinds: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
        }
        #[cfg(windows)]
        {
            Ok(Self { kinds: [tokio::signal::windows::ctrl_c()?] })
        }
    }

    /// Ends when the process is asked to stop, once more than this has told of. Cancel safe.
    pub(crate) async fn asked(&mut self) {
        poll_fn(|cx| self.poll_asked(cx)).await;
    }

    /// Waits for something, but no longer than until the process is asked to stop once more.
    pub(crate) async fn unless_asked(&mut self, something: impl Future<Output = ()>) {
        let mut something = pin!(something);
        poll_fn(|cx| match something.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => self.poll_asked(cx),
        })
        .await;
    }

    fn poll_asked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut asked = Poll::Pending;
        for kind in &mut self.kinds {
            if kind.poll_recv(cx).is_ready() {
                asked = Poll::Ready(());
            }
        }
        asked
    }
}
