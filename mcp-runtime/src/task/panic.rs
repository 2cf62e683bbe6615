//! Panics of tools: caught where a tool is polled, told to the log in full and to clients without what they said.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::protocol::ProtocolError;

/// What a client hears of a panic. What the panic said is for the log.
pub(crate) fn panicked() -> ProtocolError {
    ProtocolError::internal("the tool stopped unexpectedly (it panicked); the server's log has the details")
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// Turns a panic of a future into its output.
pub(crate) fn guarded<F: Future + Unpin>(future: F) -> Guarded<F> {
    Guarded(future)
}

/// See [`guarded`].
pub(crate) struct Guarded<F>(F);

impl<F: Future + Unpin> Future for Guarded<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.0).poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
