//! The attributes of mcp-runtime.

mod attr;
mod diagnostics;
mod doc;
mod expand;
mod model;
mod signature;

use proc_macro::TokenStream;

/// Declares a tool.
#[proc_macro_attribute]
pub fn tool(words: TokenStream, item: TokenStream) -> TokenStream {
    expand::tool(words.into(), item.into()).into()
}
