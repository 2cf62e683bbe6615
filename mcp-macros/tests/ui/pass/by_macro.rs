//! Tools that a macro writes, with parts that it was given.

use mcp_runtime::prelude::*;

macro_rules! lookup {
    ($(#[$meta:meta])* $vis:vis $name:ident($key:ident: $type:ty = $default:expr, $word:literal) $body:block) => {
        $(#[$meta])*
        #[tool(title = $word)]
        $vis async fn $name(
            #[arg(default = $default)] $key: $type,
            cx: $crate::Context,
            state: State<$type>,
        ) -> Result<$type, String> {
            let _ = (cx, state);
            $body
        }
    };
}

macro_rules! lookup_of_context {
    ($name:ident, $context:ty, $description:expr, $key:ident, $value:expr) => {
        #[tool(description = $description)]
        async fn $name($key: u32, cx: $context) -> u32 {
            drop(cx);
            $value
        }
    };
}

macro_rules! methods {
    ($type:ty { $($name:ident)* }) => {
        #[tool]
        impl $type {
            $(
                /// Find memories.
                #[tool]
                pub async fn $name(&self, query: Option<Self>) -> String {
                    let _ = query;
                    stringify!($name).to_owned()
                }
            )*
        }
    };
}

#[derive(Deserialize, JsonSchema)]
struct Graph;

methods!(Graph { one two });
lookup!(
    /// Find one.
    pub(crate) find(key: u32 = 1 + 1, "Find") { Ok(key) }
);
lookup_of_context!(numbers, Context, concat!("Find ", "numbers."), number, number + 1);

fn main() {
    let _ = Graph::tools();
    let _ = tools![numbers, find];
}
