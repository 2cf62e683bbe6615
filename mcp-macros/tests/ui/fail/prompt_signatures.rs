use mcp_runtime::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Query {
    text: String,
}

/// Review a change.
#[prompt]
async fn of_struct(Args(query): Args<Query>) -> String {
    query.text
}

/// Review a change.
#[prompt]
async fn borrowed(diff: &str, (a, b): (u8, u8), _: String, kind: impl Into<String>) -> String {
    format!("{diff}{a}{b}{}", kind.into())
}

/// Review a change.
#[prompt]
async unsafe fn generic<T>(cx: Context, again: Context) -> impl Into<PromptResult> {
    PromptResult::new()
}

/// Review a change.
#[prompt]
#[tool]
async fn both(diff: String) -> String {
    diff
}

struct Reviews;

impl Reviews {
    /// Review a change.
    #[prompt]
    async fn review(&self) -> String {
        String::new()
    }
}

fn main() {
    let _ = prompts![of_struct, borrowed, generic, both];
}
