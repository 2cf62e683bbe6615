use mcp_runtime::prelude::*;

struct Unreadable;
struct Unsayable;
struct Silent;

/// Take what cannot be read.
#[prompt]
async fn takes(what: Unreadable) -> String {
    drop(what);
    String::new()
}

/// Give what cannot be said.
#[prompt]
async fn gives() -> Unsayable {
    Unsayable
}

/// Give what cannot be said, perhaps.
#[prompt]
async fn gives_perhaps() -> Result<Unsayable, String> {
    Ok(Unsayable)
}

/// Fail without words.
#[prompt]
async fn fails() -> Result<String, Silent> {
    Err(Silent)
}

fn main() {
    let _ = prompts![takes, gives, gives_perhaps, fails];
}
