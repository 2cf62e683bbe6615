use mcp_runtime::prelude::*;

/// Find memories.
#[tool]
fn plain(query: String) -> String {
    query
}

/// Find memories.
#[tool(blocking)]
async fn both(query: String) -> String {
    query
}

/// Find memories.
#[tool]
async unsafe fn dangerous(query: String) -> String {
    query
}

/// Find memories.
#[tool]
const fn fixed() -> u32 {
    5
}

/// Find memories.
#[tool]
extern "C" fn foreign(limit: u32) -> u32 {
    limit
}

/// Find memories.
#[tool]
unsafe extern "C" fn variadic(limit: u32, _: ...) -> u32 {
    limit
}

/// Find memories.
#[tool]
async fn generic<T: Send>(query: T) -> String {
    drop(query);
    String::new()
}

/// Find memories.
#[tool]
async fn with_impl(query: impl Into<String> + Send) -> String {
    query.into()
}

/// Find memories.
#[tool]
async fn gives_impl(query: String) -> impl Serialize {
    query
}

/// Find memories.
#[tool]
async fn gives_impl_within(query: String) -> Result<impl Serialize, String> {
    Ok(query)
}

/// Find memories.
#[tool]
fn gives_future(query: String) -> impl Future<Output = String> {
    async move { query }
}

/// Find memories.
#[tool]
struct NoFunction;

trait Find {
    /// Find memories.
    #[tool]
    async fn find(query: String) -> String;
}

fn main() {
    let _ = tools![
        plain, both, dangerous, fixed, foreign, variadic, generic, with_impl, gives_impl, gives_impl_within,
        gives_future
    ];
}
