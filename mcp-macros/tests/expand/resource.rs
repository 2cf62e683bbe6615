/// Who made it.
#[resource("about://author", mime_type = "text/markdown", audience = "user", priority = 0.2, cache(public, ttl = "1h"))]
async fn author() -> &'static str {
    "**Ada**"
}

/// One memory.
#[resource("memory://{id}/{+part}", name = "memory", timeout = "1s", blocking)]
fn memory(
    /// Which one.
    #[arg(complete = Memory::ids)]
    id: u64,
    part: String,
    graph: State<Graph>,
) -> Result<Option<Memory>, GraphError> {
    graph.part(id, &part)
}
