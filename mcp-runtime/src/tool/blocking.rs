//! Functions that block, on threads that may.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

/// Threads of this kind at most, as many as Tokio has for the same purpose; whoever comes later waits.
static PLACES: Semaphore = Semaphore::const_new(512);

/// Runs a function that blocks on a thread of its own.
///
/// Not on Tokio's, for a runtime that ends waits for its blocking threads: a call that blocks for hours would keep the
/// process alive for hours after its client has left. A thread of its own ends with the process.
///
/// # Panics
///
/// If the function does, or if the system gives no more threads.
pub async fn blocking<T: Send + 'static>(function: impl FnOnce() -> T + Send + 'static) -> T {
    // The semaphore is never closed.
    let place = PLACES.acquire().await.ok();
    let (done, outcome) = oneshot::channel();
    let runtime = Handle::current();
    let work = move || {
        let _runtime = runtime.enter();
        // If the call was dropped meanwhile, nobody wants to know.
        drop(done.send(catch_unwind(AssertUnwindSafe(function))));
        drop(place);
    };
    if let Err(error) = std::thread::Builder::new().name("mcp-blocking".to_owned()).spawn(work) {
        panic!("there is no thread for a blocking tool: {error}");
    }
    match outcome.await {
        Ok(Ok(value)) => value,
        Ok(Err(panic)) => resume_unwind(panic),
        // The thread always sends before it ends.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_value_or_the_panic_of_the_function_comes_back() {
        assert_eq!(blocking(|| 7).await, 7);
        let panicked = tokio::spawn(blocking(|| panic!("unlucky"))).await;
        assert!(panicked.is_err_and(|error| error.is_panic()));
    }

    #[tokio::test]
    async fn the_runtime_can_be_reached_from_the_thread() {
        let seven = blocking(|| Handle::current().block_on(async { 7 })).await;
        assert_eq!(seven, 7);
    }
}
