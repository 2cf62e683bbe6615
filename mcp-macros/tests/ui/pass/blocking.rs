//! Functions that block their thread.

use mcp_runtime::prelude::*;

/// Count words.
#[tool(blocking)]
fn count(text: String) -> usize {
    text.split_whitespace().count()
}

/// Count words, for as long as it takes.
#[tool(blocking, task(ttl = "1h"), read_only)]
fn count_all(texts: Vec<String>, limit: State<usize>, cx: Context) -> Result<usize, std::io::Error> {
    let _ = cx;
    Ok(texts.len().min(*limit))
}

fn main() {
    let _ = tools![count, count_all];
}
