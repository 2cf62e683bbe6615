#[tool(list = "graph_tools")]
#[prompt]
impl Graph {
    /// Forget a memory.
    #[tool(destructive)]
    async fn forget(&self, id: u64) {
        self.remove(id)
    }

    /// Tell what is known of a topic.
    #[prompt]
    pub async fn tell(&self, topic: String) -> String {
        self.summary(&topic)
    }

    /// One memory.
    #[resource("memory://{id}")]
    async fn memory(self: Arc<Self>, id: u64) -> Option<Memory> {
        self.get(id)
    }
}
