::core::compile_error! {
    "unknown word `tasks`: did you mean `task`?"
}
::core::compile_error! {
    "a model chooses tools by what they say of themselves: describe `find` in a doc comment (`/// ..`), or by `description = \"..\"`"
}
::core::compile_error! {
    "a tool owns its arguments: write `String`"
}
::core::compile_error! {
    "`State` needs the type that was given to the server: write `State<Graph>`"
}
#[allow(
    clippy::fn_params_excessive_bools,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unused_async
)]
pub(crate) async fn find(
    query: &str,
    graph: ::core::compile_error! {
        "`State` needs the type that was given to the server: write `State<Graph>`"
    },
) -> String {
    graph.find(query)
}
#[allow(
    non_camel_case_types,
    non_snake_case,
    missing_debug_implementations,
    missing_copy_implementations,
    missing_docs,
    dead_code,
    deprecated,
    private_interfaces,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]
pub(crate) struct find {}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    #[automatically_derived]
    impl __rt::ToolFunction for find {
        fn definition() -> __rt::ToolDefinition {
            ::core::unreachable!()
        }
        fn call(
            _: __rt::ToolCall<'_>,
            _: __rt::Context,
        ) -> __rt::Result<__rt::ToolFuture, __rt::InvalidArguments> {
            ::core::unreachable!()
        }
    }
};
::core::compile_error! {
    "calls run side by side and share `self`: take `&self`, and keep what changes in a `Mutex` or an atomic"
}
::core::compile_error! {
    "a model chooses tools by what they say of themselves: describe `find` in a doc comment (`/// ..`), or by `description = \"..\"`"
}
impl Graph {
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::unused_async
    )]
    async fn find(&mut self) {}
}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    impl Graph {
        /// The tools among the methods of this type, for a server's list.
        fn tools() -> __rt::Vec<__rt::Arc<dyn __rt::Tool>> {
            ::core::unreachable!()
        }
    }
};
