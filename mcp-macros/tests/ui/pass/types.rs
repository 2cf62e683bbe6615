//! What arguments can be.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use mcp_runtime::prelude::*;

/// How to compare.
#[derive(Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Word by word.
    #[default]
    Exact,
    /// By meaning.
    Fuzzy,
}

#[derive(Deserialize, JsonSchema)]
struct Filter {
    /// Which tags.
    tags: Vec<String>,
    #[serde(default)]
    inner: Option<Box<Filter>>,
    mode: Mode,
}

#[derive(Deserialize, JsonSchema)]
struct Page<T> {
    items: Vec<T>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Source {
    File { path: PathBuf },
    Text { text: String },
}

/// Find memories.
#[tool]
async fn find(
    filter: Filter,
    filters: Option<Vec<Filter>>,
    #[arg(default = Mode::Exact)] mode: Mode,
    #[arg(default)] other: Mode,
    page: Page<u32>,
    source: Source,
    #[arg(length(1..))] map: HashMap<String, u32>,
    #[arg(length(..=3))] set: BTreeSet<String>,
    pair: (u32, String),
    fixed: [f32; 3],
    any: serde_json::Value,
    #[arg(range(1..=9))] number: std::num::NonZeroU8,
    nothing: (),
    text: std::borrow::Cow<'static, str>,
) -> u32 {
    let _ = (filter.tags, filter.inner.is_some(), filter.mode, filters, mode, other, page.items, map, set);
    let _ = (pair, fixed, any, number, nothing, text);
    match source {
        Source::File { path } => path.iter().count() as u32,
        Source::Text { text } => text.len() as u32,
    }
}

fn main() {
    let _ = tools![find];
}
