use std::rc::Rc;

use mcp_runtime::prelude::*;

/// Count slowly.
#[tool]
async fn count(to: u32) -> u32 {
    let shared = Rc::new(to);
    tokio::task::yield_now().await;
    *shared
}

struct Counter;

#[tool]
impl Counter {
    /// Count slowly.
    #[tool]
    async fn count(&self, to: u32) -> u32 {
        let shared = Rc::new(to);
        tokio::task::yield_now().await;
        *shared
    }
}

fn main() {
    let _ = tools![count];
    let _ = Counter::tools();
}
