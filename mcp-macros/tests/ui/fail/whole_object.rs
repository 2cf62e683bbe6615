use mcp_runtime::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Query {
    text: String,
}

/// Find memories.
#[tool]
async fn beside(Args(query): Args<Query>, limit: u32) -> String {
    format!("{} {limit}", query.text)
}

/// Find memories.
#[tool]
async fn twice(one: Args<Query>, two: Args<Query>) -> String {
    format!("{} {}", one.0.text, two.0.text)
}

/// Find memories.
#[tool]
async fn without_type(query: Args) -> String {
    String::new()
}

struct Unreadable;

/// Find memories.
#[tool]
async fn unreadable(query: Args<Unreadable>) -> String {
    drop(query);
    String::new()
}

fn main() {
    let _ = tools![beside, twice, without_type, unreadable];
}
