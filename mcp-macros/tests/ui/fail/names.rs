use mcp_runtime::prelude::*;

/// Find memories.
#[tool(name = "find memories")]
async fn find() -> String {
    String::new()
}

/// Find memories.
#[tool(name = "")]
async fn find_again() -> String {
    String::new()
}

/// Measure a thing.
#[tool]
async fn größe() -> String {
    String::new()
}

/// Measure a thing.
#[tool(name = "this_name_is_longer_than_a_name_can_be_in_the_protocol_which_allows_one_hundred_and_twenty_eight_characters_and_this_one_has_more")]
async fn long() -> String {
    String::new()
}

fn main() {
    let _ = tools![find, find_again, größe, long];
}
