use mcp_runtime::prelude::*;

/// Review a change.
#[prompt(read_only, mime_type = "text/plain", ttl = "1h", detach, tilte = "Review", list = "all", blocking)]
async fn review(
    #[arg(header = "Diff", optional, complete)] diff: String,
    #[arg(complete = "rust")] language: String,
    #[arg(complete(rust))] framework: String,
    #[arg(title = "The topic", whatever)] topic: String,
    #[arg] other: String,
) -> String {
    diff + &language + &framework + &topic + &other
}

/// Review a change.
#[prompt(name = " ")]
fn nameless() -> String {
    String::new()
}

#[prompt]
async fn undescribed() -> String {
    String::new()
}

///
#[prompt]
async fn hardly_described() -> String {
    String::new()
}

#[prompt("Review")]
struct Review;

fn main() {
    let _ = prompts![review, nameless, undescribed, hardly_described];
}
