use mcp_runtime::prelude::*;

struct Graph;

#[tool(list = "everything")]
#[prompt(list = "everything")]
#[resource("memory://all")]
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

    /// Find memories.
    #[prompt(name = "find")]
    async fn find_again(&self) -> String {
        String::new()
    }

    /// All memories.
    #[resource("memory://all")]
    async fn all(&self) -> String {
        String::new()
    }

    /// All memories.
    #[resource("memory://all", name = "other")]
    async fn other(&mut self) -> String {
        String::new()
    }

    /// All memories.
    #[resource("memory://all")]
    #[tool]
    async fn third(&self) -> String {
        String::new()
    }
}

struct Notes;

#[prompt]
impl Notes {
    /// Keep a note.
    #[tool]
    async fn keep(&self) {}
}

struct Pages;

#[tool]
#[tool(list = "all_tools")]
impl Pages {
    /// Keep a page.
    #[tool]
    async fn keep(&self) {}
}

fn main() {}
