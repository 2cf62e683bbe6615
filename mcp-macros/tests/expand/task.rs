/// Find memories related to a question, following relationships.
#[tool(task(after = "500ms", ttl = "1h", concurrency = 8, retries = 3), read_only, timeout = "5min", title = "Recall")]
async fn recall_memories(
    /// What to look for.
    query: String,
    /// How many relationships to follow from each hit.
    #[arg(default = 1, range(0..=5), rename = "maxDepth")]
    max_depth: u32,
    #[arg(default = "all", length(1..))] scope: String,
    graph: State<Graph>,
    cx: Context,
) -> Result<Vec<Memory>, GraphError> {
    walk(graph, query, max_depth, scope, cx).await
}
