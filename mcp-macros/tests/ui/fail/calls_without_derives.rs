use mcp_runtime::client::Client;
use mcp_runtime::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Query;

#[derive(Serialize, JsonSchema)]
struct Memory;

type Fallible<T> = Result<T, std::io::Error>;

/// Find memories.
#[tool]
async fn find(query: Query) -> String {
    let Query = query;
    String::new()
}

/// Find memories.
#[tool]
async fn find_by(Args(query): Args<Query>) -> String {
    let Query = query;
    String::new()
}

/// Give all memories.
#[tool]
async fn all() -> Result<Vec<Memory>, ToolError> {
    Ok(vec![Memory])
}

/// Give as many.
#[tool]
async fn hidden() -> Fallible<String> {
    Ok(String::new())
}

async fn call(client: Client) -> Result<(), mcp_runtime::client::Error> {
    client.call(find { query: Query }).await?;
    client.call(find_by { args: Query }).await?;
    client.call(all {}).await?;
    client.call(hidden {}).await?;
    Ok(())
}

fn main() {
    let _ = call;
    let _ = tools![find, find_by, all, hidden];
}
