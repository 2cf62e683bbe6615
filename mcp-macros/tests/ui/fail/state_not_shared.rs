use std::cell::Cell;

use mcp_runtime::prelude::*;

struct Counter(Cell<u64>);

/// Count one up.
#[tool]
async fn increment(counter: State<Counter>) -> u64 {
    counter.0.set(counter.0.get() + 1);
    counter.0.get()
}

#[tool]
impl Counter {
    /// Count one up.
    #[tool(blocking)]
    fn increment(&self) -> u64 {
        self.0.get()
    }

    /// Count one down.
    #[tool(blocking)]
    fn decrement(&self) -> u64 {
        self.0.get()
    }
}

fn main() {
    let _ = Counter::tools();
    let _ = tools![increment];
}
