//! What a tool can give.

use std::borrow::Cow;
use std::sync::Arc;

use mcp_runtime::prelude::*;

#[derive(Serialize, JsonSchema)]
struct Memory {
    text: String,
}

enum Failure {
    NotFound,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not found")
    }
}

macro_rules! tools_that_give {
    ($($name:ident: $type:ty = $value:expr;)*) => {
        $(
            /// Find memories.
            #[tool]
            async fn $name() -> $type {
                $value
            }
        )*

        fn all() -> Vec<Arc<dyn Tool>> {
            tools![$($name),*]
        }
    };
}

tools_that_give! {
    nothing: () = ();
    text: String = String::new();
    literal: &'static str = "";
    cow: Cow<'static, str> = Cow::Borrowed("");
    shared: Arc<str> = "".into();
    boxed: Box<str> = "".into();
    truth: bool = true;
    letter: char = 'a';
    whole: i64 = 1;
    small: u8 = 1;
    large: u128 = 1;
    float: f32 = 1.0;
    content: Content = Content::text("");
    contents: Vec<Content> = Vec::new();
    full: ToolResult = ToolResult::text("");
    structured: Memory = Memory { text: String::new() };
    list: Vec<Memory> = Vec::new();
    maybe: Option<Memory> = None;
    json: serde_json::Value = serde_json::Value::Null;
    display: Result<Memory, Failure> = Err(Failure::NotFound);
    io: Result<(), std::io::Error> = Ok(());
    boxed_error: Result<u32, Box<dyn std::error::Error + Send + Sync>> = Ok(1);
    string_error: Result<u32, String> = Ok(1);
    literal_error: Result<u32, &'static str> = Ok(1);
    protocol: Result<Content, ProtocolError> = Ok(Content::text(""));
    own: Result<ToolResult, ToolError> = Ok(ToolResult::text(""));
    result_error: Result<String, ToolResult> = Ok(String::new());
    infallible: Result<String, std::convert::Infallible> = Ok(String::new());
}

/// Find memories.
#[tool]
async fn silent() {}

fn main() {
    let _ = all();
    let _ = tools![silent];
}
