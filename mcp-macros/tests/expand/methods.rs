#[tool]
impl Graph {
    const LIMIT: u32 = 5;

    /// Find memories.
    #[tool(read_only)]
    pub async fn find(
        &self,
        /// What to look for.
        query: String,
        #[arg(default = Self::LIMIT)] limit: u32,
    ) -> Result<Vec<Memory>, Self::Error> {
        self.search(&query, limit).await
    }

    /// Import memories.
    #[tool(task)]
    async fn import(self: Arc<Self>, memories: Vec<Memory>) {
        self.add(memories).await
    }

    fn search(&self, query: &str, limit: u32) -> Search {
        Search::new(query, limit)
    }
}
