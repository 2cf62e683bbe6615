use mcp_runtime::prelude::*;

struct Filter {
    tag: String,
}

/// Find memories.
#[tool]
async fn find(
    /// What to keep.
    filter: Filter,
    /// And which of these.
    filters: Vec<Filter>,
    page: Option<u32>,
) -> String {
    format!("{} {} {page:?}", filter.tag, filters.len())
}

#[derive(Deserialize)]
struct OnlyRead {
    tag: String,
}

/// Find memories.
#[tool]
async fn find_read(filter: OnlyRead) -> String {
    filter.tag
}

fn main() {
    let _ = tools![find, find_read];
}
