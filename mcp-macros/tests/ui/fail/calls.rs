use mcp_runtime::client::Client;
use mcp_runtime::prelude::*;

/// Add two numbers.
#[tool]
async fn add(a: i64, #[arg(default = 1)] b: i64, cx: Context) -> i64 {
    drop(cx);
    a + b
}

async fn other(a: i64) -> i64 {
    a
}

mod private {
    use mcp_runtime::prelude::*;

    /// Add two numbers.
    #[tool]
    async fn add(a: i64) -> i64 {
        a
    }
}

async fn call(client: Client) -> Result<(), mcp_runtime::client::Error> {
    client.call(add { a: "1", b: Some(2) }).await?;
    client.call(add { a: 1, b: 2 }).await?;
    client.call(add { a: 1 }).await?;
    client.call(add { a: 1, b: None, c: 3 }).await?;
    let text: String = client.call(add { a: 1, b: None }).await?;
    drop(text);
    client.call(add).await?;
    client.call(other(1)).await?;
    client.call(private::add { a: 1 }).await?;
    Ok(())
}

fn main() {
    let _ = call;
}
