use mcp_runtime::prelude::*;

struct Graph;

#[tool]
impl Graph {
    /// Find memories.
    #[tool]
    async fn find(&self) -> String {
        String::new()
    }

    /// Find memories.
    #[prompt(name = "find")]
    async fn find_by_prompt(&self) -> String {
        String::new()
    }

    /// One memory.
    #[resource("memory://{id}")]
    #[cfg(any())]
    async fn memory(&self, id: u64) -> Option<u64> {
        Some(id)
    }

    /// All memories.
    #[resource("memory://all")]
    async fn all(&self) -> String {
        String::new()
    }
}

struct Notes;

#[resource(list = "pages")]
#[prompt(list = "questions")]
#[tool]
impl Notes {
    /// Keep a note.
    #[tool]
    async fn keep(&self) {}

    /// Ask for a note.
    #[prompt]
    async fn ask(&self) -> &'static str {
        "Which note?"
    }

    /// All notes.
    #[resource("note://all")]
    async fn all(&self) -> Vec<String> {
        Vec::new()
    }
}

fn main() {
    let _ = (Graph::tools(), Graph::prompts(), Graph::resources());
    let _ = (Notes::tools(), Notes::questions(), Notes::pages());
}
