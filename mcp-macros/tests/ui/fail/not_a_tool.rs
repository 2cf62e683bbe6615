use mcp_runtime::prelude::*;

/// Find memories.
async fn find() -> String {
    String::new()
}

mod memory {
    use mcp_runtime::prelude::*;

    /// Find memories.
    #[tool]
    async fn hidden() -> String {
        String::new()
    }
}

fn main() {
    let _ = tools![find, memory::hidden, memory::missing];
}
