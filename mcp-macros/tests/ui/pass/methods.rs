//! Methods as tools, whose state is the type that they are methods of.

#![deny(warnings)]

use std::sync::Arc;

use mcp_runtime::prelude::*;

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    text: String,
}

#[derive(Default)]
pub struct Graph<T = Memory> {
    memories: Vec<T>,
}

/// The memories.
#[tool]
impl Graph<Memory> {
    const LIMIT: u32 = 5;

    /// Nothing of a tool.
    pub fn new() -> Self {
        Self { memories: Vec::new() }
    }

    /// Find memories.
    #[tool(read_only)]
    pub async fn find(
        &self,
        /// What to look for.
        query: String,
        /// How many.
        #[arg(default = Self::LIMIT)]
        limit: u32,
        #[arg(default = Self::new().memories.len() as u32)] skip: u32,
        cx: Context,
    ) -> Result<Vec<Memory>, String> {
        drop(cx);
        let found = self.memories.iter().filter(|memory| memory.text.contains(&query));
        Ok(found.skip(skip as usize).take(limit as usize).cloned().collect())
    }

    /// Import memories.
    #[tool(task)]
    async fn import(self: Arc<Self>, memories: Vec<Memory>, count: State<u32>) -> usize {
        tokio::spawn(async move { self.memories.len() + memories.len() + *count as usize }).await.unwrap_or_default()
    }

    /// Import memories.
    #[tool(blocking)]
    fn import_slowly(self: std::sync::Arc<Self>, Args(memory): Args<Memory>) -> String {
        memory.text
    }

    /// Count memories.
    #[tool(blocking)]
    pub(crate) fn count(&self) -> usize {
        self.memories.len()
    }

    /// Say what this is.
    #[tool(name = "about")]
    async fn r#type() -> &'static str {
        "memories"
    }

    /// Exists only in some programs.
    #[cfg(any())]
    #[tool]
    async fn never(&self, missing: Missing) -> Missing {
        missing
    }

    /// Exists in others.
    #[tool]
    #[cfg(not(any()))]
    async fn always(&self) -> Option<Memory> {
        self.memories.first().cloned()
    }
}

#[tool(list = "admin_tools")]
impl Graph {
    /// Forget everything.
    #[mcp_runtime::tool(destructive)]
    pub(crate) async fn forget(&self) {}
}

mod inner {
    use mcp_runtime::prelude::*;

    pub(crate) struct Log;

    #[tool(list = "r#type")]
    impl Log {
        /// Write a line.
        #[tool]
        pub(crate) async fn write(&self, line: String) {
            drop(line);
        }
    }
}

#[tool]
impl self::inner::Log {
    /// Read a line.
    #[tool]
    async fn read(&self) -> String {
        String::new()
    }
}

fn main() {
    assert_eq!(Graph::tools().len(), 6);
    assert_eq!(Graph::admin_tools().len(), 1);
    assert_eq!(inner::Log::r#type().len() + inner::Log::tools().len(), 2);
}
