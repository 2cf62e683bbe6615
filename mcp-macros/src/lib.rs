//! The attributes of mcp-runtime.
use proc_macro::TokenStream;

/// Placeholder.
#[proc_macro_attribute]
pub fn tool(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
