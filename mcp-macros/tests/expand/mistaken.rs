#[tool(tasks)]
pub(crate) async fn find(query: &str, graph: State) -> String {
    graph.find(query)
}

#[tool]
impl Graph {
    #[tool]
    async fn find(&mut self) {}
}
