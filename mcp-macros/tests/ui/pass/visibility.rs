//! A tool is as visible as its function, and is found by the same path.

use mcp_runtime::prelude::*;

mod memory {
    use mcp_runtime::prelude::*;

    /// Find memories.
    #[tool]
    pub(crate) async fn find() {}

    /// Find memories.
    #[tool]
    pub(super) async fn find_again() {}

    pub mod inner {
        use mcp_runtime::prelude::*;

        /// Find memories.
        #[tool]
        pub async fn find() {}

        pub(crate) fn all() -> Vec<std::sync::Arc<dyn Tool>> {
            tools![find, super::find, self::find, crate::memory::find]
        }
    }

    pub use inner::find as find_within;
}

use memory::find_within as renamed;

fn main() {
    let _ = tools![memory::find, memory::find_again, memory::inner::find, memory::find_within, renamed];
    let _ = memory::inner::all();
}
