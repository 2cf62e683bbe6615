impl Graph {
    const LIMIT: u32 = 5;
    /// Find memories.
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::unused_async
    )]
    pub async fn find(
        &self,
        query: String,
        limit: u32,
    ) -> Result<Vec<Memory>, Self::Error> {
        self.search(&query, limit).await
    }
    /// Import memories.
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::unused_async
    )]
    async fn import(self: Arc<Self>, memories: Vec<Memory>) {
        self.add(memories).await
    }
    fn search(&self, query: &str, limit: u32) -> Search {
        Search::new(query, limit)
    }
}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    type __Self = Graph;
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
    struct __Tool_find {}
    const _: () = {
        fn __default_1() -> u32 {
            __Self::LIMIT
        }
        #[automatically_derived]
        impl __rt::ToolFunction for __Tool_find {
            fn definition() -> __rt::ToolDefinition {
                let definition = __rt::ToolDefinition::new("find", "Find memories.")
                    .annotations(__rt::ToolAnnotations {
                        read_only: __rt::Some(true),
                        ..__rt::Default::default()
                    })
                    .parameter(
                        <String as __rt::Argument>::spec("query", "What to look for."),
                    )
                    .parameter(
                        <u32 as __rt::Shown>::default(
                            <u32 as __rt::Argument>::spec("limit", ""),
                            __default_1,
                        ),
                    )
                    .returns(
                        __rt::Kind::<Result<Vec<Memory>, __Self::Error>>::NEW
                            .ok()
                            .schema(),
                    );
                let definition = <Graph as __rt::Shared>::declare(definition);
                definition
            }
            fn call(
                call: __rt::ToolCall<'_>,
                _: __rt::Context,
            ) -> __rt::Result<__rt::ToolFuture, __rt::InvalidArguments> {
                let mut fields = call.arguments.fields(&["query", "limit"]);
                let argument_0 = <String as __rt::Argument>::take(&mut fields, 0usize);
                let argument_1 = <u32 as __rt::Argument>::take_or(
                    &mut fields,
                    1usize,
                    __default_1,
                );
                let (__rt::Some(argument_0), __rt::Some(argument_1), true) = (
                    argument_0,
                    argument_1,
                    fields.are_right(),
                ) else {
                    return __rt::Err(fields.refuse());
                };
                let this = <Graph as __rt::Shared>::find(call.states);
                __rt::Ok(
                    __rt::run(
                        move || async move {
                            __Self::find(&this, argument_0, argument_1).await
                        },
                        |result| {
                            let kind = __rt::Kind::<
                                Result<Vec<Memory>, __Self::Error>,
                            >::NEW;
                            let way = kind.ok().way();
                            match kind.split(result) {
                                __rt::Ok(value) => {
                                    <_ as __rt::ToolOutput<_>>::convert(way, value)
                                }
                                __rt::Err(error) => <_ as __rt::ToolFailure>::fail(error),
                            }
                        },
                    ),
                )
            }
        }
    };
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
    struct __Tool_import {}
    const _: () = {
        #[automatically_derived]
        impl __rt::ToolFunction for __Tool_import {
            fn definition() -> __rt::ToolDefinition {
                let definition = __rt::ToolDefinition::new("import", "Import memories.")
                    .task(__rt::TaskPolicy {
                        support: __rt::TaskSupport::Optional,
                        ..__rt::Default::default()
                    })
                    .parameter(<Vec<Memory> as __rt::Argument>::spec("memories", ""))
                    .returns(__rt::Kind::<()>::NEW.ok().schema());
                let definition = <Graph as __rt::Shared>::declare(definition);
                definition
            }
            fn call(
                call: __rt::ToolCall<'_>,
                _: __rt::Context,
            ) -> __rt::Result<__rt::ToolFuture, __rt::InvalidArguments> {
                let mut fields = call.arguments.fields(&["memories"]);
                let argument_0 = <Vec<
                    Memory,
                > as __rt::Argument>::take(&mut fields, 0usize);
                let (__rt::Some(argument_0), true) = (argument_0, fields.are_right())
                else {
                    return __rt::Err(fields.refuse());
                };
                let this = <Graph as __rt::Shared>::find(call.states);
                __rt::Ok(
                    __rt::run(
                        move || __Self::import(this.into_inner(), argument_0),
                        |result| {
                            let kind = __rt::Kind::<()>::NEW;
                            let way = kind.ok().way();
                            match kind.split(result) {
                                __rt::Ok(value) => {
                                    <_ as __rt::ToolOutput<_>>::convert(way, value)
                                }
                                __rt::Err(error) => <_ as __rt::ToolFailure>::fail(error),
                            }
                        },
                    ),
                )
            }
        }
    };
    impl Graph {
        /// The tools among the methods of this type, for a server's list.
        pub fn tools() -> __rt::Vec<__rt::Arc<dyn __rt::Tool>> {
            let mut all: __rt::Vec<__rt::Arc<dyn __rt::Tool>> = __rt::Vec::new();
            all.push(<__Tool_find as __rt::ToolFunction>::tool());
            all.push(<__Tool_import as __rt::ToolFunction>::tool());
            all
        }
    }
};
