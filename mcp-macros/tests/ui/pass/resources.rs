use mcp_runtime::prelude::*;

#[derive(Serialize)]
struct Memory {
    id: u64,
}

struct Graph;

fn ids(typed: Completion) -> [String; 1] {
    [format!("{}1", typed.value())]
}

/// Everything at once.
#[resource(
    "memory://{id}/{+path}.txt",
    name = "memory",
    title = "A memory",
    mime_type = "text/plain",
    audience = ["user", "assistant"],
    priority = 0.5,
    cache(public, ttl = "1h"),
    icon(src = "https://example.org/icon.png", sizes = "any"),
    task = "optional",
    timeout = "1min"
)]
pub async fn everything(
    /// Which one.
    #[arg(complete = ids, range(1..))]
    id: u64,
    #[arg(rename = "path", length(1..=100))] part: String,
    graph: State<Graph>,
    cx: Context,
) -> Result<Option<Memory>, std::fmt::Error> {
    drop((part, graph, cx));
    Ok(Some(Memory { id }))
}

/// Text.
#[resource("test://text")]
async fn text() -> &'static str {
    "text"
}

/// Bytes.
#[resource("test://bytes", mime_type = "image/png", cache = "1min", priority = 1, audience = "user",)]
async fn bytes() -> Vec<u8> {
    Vec::new()
}

/// Bytes of a file.
#[resource("test://file/{name}", blocking)]
fn file(name: String) -> std::io::Result<Vec<u8>> {
    std::fs::read(name)
}

/// A whole result.
#[resource("test://whole")]
async fn whole() -> ResourceResult {
    ResourceResult::text("text")
}

/// JSON.
#[resource("test://json/{a}")]
async fn json(a: bool) -> Option<Vec<bool>> {
    Some(vec![a])
}

#[resource(list = "all_resources")]
impl Graph {
    /// One memory.
    #[resource("memory://{id}")]
    async fn memory(&self, id: u64) -> Option<Memory> {
        Some(Memory { id })
    }

    /// All memories.
    #[resource("memory://all")]
    async fn all(&self) -> String {
        String::new()
    }
}

macro_rules! declared {
    ($name:ident, $uri:literal) => {
        /// By a macro.
        #[resource($uri)]
        async fn $name(id: String) -> String {
            id
        }
    };
}

declared!(by_macro, "macro://{id}");

fn main() {
    let resources = resources![everything, text, bytes, file, whole, json, by_macro];
    let _ = (resources, Graph::all_resources());
}
