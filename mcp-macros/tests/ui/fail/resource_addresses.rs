use mcp_runtime::prelude::*;

/// No address.
#[resource]
async fn nowhere() -> String {
    String::new()
}

/// No address behind a name.
#[resource(uri = "memory://all", title = "All")]
async fn named() -> String {
    String::new()
}

/// No address before the words.
#[resource(title = "All", "memory://all")]
async fn late() -> String {
    String::new()
}

/// No scheme.
#[resource("static-text")]
async fn without_scheme() -> String {
    String::new()
}

/// Nothing but a scheme.
#[resource("memory:")]
async fn without_rest() -> String {
    String::new()
}

/// Braces.
#[resource("memory://{id")]
async fn open() -> String {
    String::new()
}

/// Operators.
#[resource("memory://{?id}/{}/{a,b}/{c:3}/{user-id}/{d}{e}/{f}/{f}/{+g}/{h*}")]
async fn operators(d: String, e: String, f: String, g: String, h: String) -> String {
    d + &e + &f + &g + &h
}

/// Not a literal.
#[resource(ADDRESS)]
async fn computed() -> String {
    String::new()
}

fn main() {
    let _ = resources![nowhere, named, late, without_scheme, without_rest, open, operators, computed];
}
