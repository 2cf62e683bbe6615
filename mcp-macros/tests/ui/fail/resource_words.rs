use mcp_runtime::prelude::*;

/// The logo.
#[resource(
    "brand://logo",
    mime_type = "png",
    audience = ["user", "model"],
    priority = 2,
    cache(public),
    read_only,
    size = 10
)]
async fn logo() -> Vec<u8> {
    Vec::new()
}

/// The logo.
#[resource("brand://logo", audience, priority = HIGH, cache(private, ttl = "long"), blocking)]
async fn other_logo() -> Vec<u8> {
    Vec::new()
}

/// The logo.
#[resource("brand://logo", cache = 3600, mime_type("image/png"))]
fn third_logo() -> Vec<u8> {
    Vec::new()
}

struct Unwritten;

/// What cannot be written.
#[resource("brand://unwritten")]
async fn unwritten() -> Unwritten {
    Unwritten
}

/// What cannot be written, if there is any.
#[resource("brand://unwritten/{id}")]
async fn unwritten_perhaps(id: Unwritten) -> Result<Option<Unwritten>, Unwritten> {
    Ok(Some(id))
}

fn main() {
    let _ = resources![logo, other_logo, third_logo, unwritten, unwritten_perhaps];
}
