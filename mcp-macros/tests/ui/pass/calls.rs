//! A tool is called by its type, with the types of its function, whatever else these types can do.

#![deny(warnings, missing_docs, unused_qualifications, unreachable_pub)]
#![deny(clippy::all, clippy::pedantic)]

use mcp_runtime::client::{Client, Error};
use mcp_runtime::prelude::*;

/// What is found.
#[derive(Serialize, Deserialize, JsonSchema)]
#[allow(missing_debug_implementations)]
pub struct Memory {
    /// What was said.
    pub text: String,
}

/// How to look.
#[derive(Serialize, Deserialize, JsonSchema)]
#[allow(missing_debug_implementations)]
pub struct Query {
    /// What to look for.
    pub text: String,
}

#[derive(Deserialize, JsonSchema)]
struct OnlyRead;

#[derive(Serialize, JsonSchema)]
struct OnlyWritten;

pub(crate) mod tools {
    //! Those of a library.

    use super::{Memory, Query};
    use mcp_runtime::prelude::*;

    /// Find memories.
    #[tool(task)]
    pub(crate) async fn find(
        /// What to look for.
        query: String,
        #[arg(rename = "maxDepth", default = 1)] depth: u32,
        r#in: Option<String>,
        state: State<u32>,
        cx: Context,
    ) -> Result<Vec<Memory>, ToolError> {
        drop((depth, r#in, state, cx));
        Ok(vec![Memory { text: query }])
    }

    /// Find memories.
    #[tool]
    pub(crate) async fn find_all(Args(query): Args<Query>) -> Worded<String> {
        Worded(query.text)
    }

    /// Say what is going on.
    #[tool(blocking)]
    pub(crate) fn motd() -> std::io::Result<&'static str> {
        Ok("nothing")
    }
}

/// Types that only a server has need nothing more.
#[tool]
async fn serve(given: OnlyRead) -> OnlyWritten {
    let OnlyRead = given;
    OnlyWritten
}

async fn call(client: &Client) -> Result<(), Error> {
    use tools::{find, find_all, motd};
    let found: Vec<Memory> = client.call(find { query: "a".to_owned(), depth: None, r#in: None }).await?;
    let text: String = client.call(find_all { args: Query { text: found[0].text.clone() } }).await?;
    let same: String = client.call(motd {}).idempotency_key(text).await?;
    let task = client.call(find { query: same, depth: Some(1), r#in: Some("b".to_owned()) }).send().await?;
    let found: Vec<Memory> = client.resume(task.id()).await?.of::<find, _, _>().result().await?;
    drop(found);
    Ok(())
}

fn main() {
    let _ = call;
    let _ = tools![tools::find, tools::find_all, tools::motd, serve];
}
