use mcp_runtime::prelude::*;

struct Memory {
    text: String,
}

#[derive(Serialize)]
struct OnlyWritten {
    text: String,
}

/// Find a memory.
#[tool]
async fn find() -> Memory {
    Memory { text: String::new() }
}

/// Find memories.
#[tool]
async fn find_all() -> Result<Vec<Memory>, std::io::Error> {
    Ok(Vec::new())
}

/// Find memories.
#[tool]
async fn find_written() -> OnlyWritten {
    OnlyWritten { text: String::new() }
}

fn main() {
    let _ = tools![find, find_all, find_written];
}
