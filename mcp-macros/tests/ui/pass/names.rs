//! Raw identifiers, parameters that are changed, and names that generated code might have used itself.

#![deny(warnings)]

use mcp_runtime::prelude::*;

/// Find memories.
#[tool]
async fn r#match(r#type: String, mut r#in: Vec<String>) -> String {
    r#in.push(r#type);
    r#in.concat()
}

/// Find memories.
#[tool]
async fn call(
    mut fields: u32,
    call: u32,
    argument_0: u32,
    result: State<u32>,
    _unused: u32,
    value: u32,
    cx: Context,
) -> Result<u32, String> {
    fields += call + argument_0 + *result + value;
    drop(cx);
    Ok(fields)
}

/// Find memories.
#[tool]
async fn tool(_: Context, _: State<u32>) {}

fn main() {
    let _ = tools![r#match, call, tool];
}
