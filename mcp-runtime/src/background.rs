//! What goes on by itself, beside what was asked for.
//!
//! Tokio's machinery is compiled anew for each type of future that is spawned, once for each of its schedulers. Here it is
//! one type for all but the tasks themselves, of which there are many.

use std::pin::Pin;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// What can be spawned.
pub(crate) type Background = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Begins something on the runtime of whoever calls.
pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    begin(&Handle::current(), Box::pin(work))
}

/// Begins something on this runtime.
pub(crate) fn spawn_on(runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    begin(runtime, Box::pin(work))
}

/// Begins something that is seen through, whatever becomes of who waits for it. They are told that the channel is closed
/// if it panics.
pub(crate) fn see_through<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> oneshot::Receiver<T> {
    see_through_on(&Handle::current(), work).0
}

/// The same on this runtime, unless it is aborted.
pub(crate) fn see_through_on<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> (oneshot::Receiver<T>, AbortHandle) {
    let (tell, told) = oneshot::channel();
    let abort = spawn_on(runtime, async move {
        // Nobody may be waiting any more.
        let _ = tell.send(work.await);
    });
    (told, abort)
}

fn begin(runtime: &Handle, work: Background) -> AbortHandle {
    runtime.spawn(work).abort_handle()
}
