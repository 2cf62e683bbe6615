/// Find memories related to a question, following relationships.
#[allow(
    clippy::fn_params_excessive_bools,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unused_async
)]
async fn recall_memories(
    query: String,
    max_depth: u32,
    scope: String,
    graph: State<Graph>,
    cx: Context,
) -> Result<Vec<Memory>, GraphError> {
    walk(graph, query, max_depth, scope, cx).await
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
///Find memories related to a question, following relationships.
struct recall_memories {
    ///What to look for.
    query: String,
    ///How many relationships to follow from each hit.
    max_depth: ::mcp_runtime::__private::Option<u32>,
    scope: ::mcp_runtime::__private::Option<String>,
}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    fn __default_1() -> u32 {
        1
    }
    fn __default_2() -> String {
        <String as __rt::FromText>::from_text("all")
    }
    #[automatically_derived]
    impl __rt::ToolFunction for recall_memories {
        fn definition() -> __rt::ToolDefinition {
            let definition = __rt::ToolDefinition::new(
                    "recall_memories",
                    "Find memories related to a question, following relationships.",
                )
                .title("Recall")
                .annotations(__rt::ToolAnnotations {
                    read_only: __rt::Some(true),
                    ..__rt::Default::default()
                })
                .task(__rt::TaskPolicy {
                    support: __rt::TaskSupport::Optional,
                    after: __rt::Some(__rt::Duration::new(0u64, 500000000u32)),
                    ttl: __rt::Some(__rt::Duration::new(3600u64, 0u32)),
                    timeout: __rt::Some(__rt::Duration::new(300u64, 0u32)),
                    concurrency: __rt::Some(8usize),
                    retries: __rt::Some(3u32),
                    ..__rt::Default::default()
                })
                .parameter(
                    <String as __rt::Argument>::spec("query", "What to look for."),
                )
                .parameter(
                    <u32 as __rt::Numeric>::range(
                            <u32 as __rt::Argument>::spec(
                                "maxDepth",
                                "How many relationships to follow from each hit.",
                            ),
                        )
                        .minimum(0i64)
                        .maximum(5i64)
                        .default(1i64),
                )
                .parameter(
                    <String as __rt::Countable>::length(
                            <String as __rt::Argument>::spec("scope", ""),
                        )
                        .min_length(1u64)
                        .default("all"),
                )
                .returns(
                    __rt::Kind::<Result<Vec<Memory>, GraphError>>::NEW.ok().schema(),
                );
            let definition = <Graph as __rt::Shared>::declare(definition);
            definition
        }
        fn call(
            call: __rt::ToolCall<'_>,
            cx: __rt::Context,
        ) -> __rt::Result<__rt::ToolFuture, __rt::InvalidArguments> {
            let mut fields = call.arguments.fields(&["query", "maxDepth", "scope"]);
            let argument_0 = <String as __rt::Argument>::take(&mut fields, 0usize);
            let argument_1 = <u32 as __rt::Argument>::take_or(
                &mut fields,
                1usize,
                __default_1,
            );
            let argument_2 = <String as __rt::Argument>::take_or(
                &mut fields,
                2usize,
                __default_2,
            );
            let (
                __rt::Some(argument_0),
                __rt::Some(argument_1),
                __rt::Some(argument_2),
                true,
            ) = (argument_0, argument_1, argument_2, fields.are_right()) else {
                return __rt::Err(fields.refuse());
            };
            let state_3 = <Graph as __rt::Shared>::find(call.states);
            __rt::Ok(
                __rt::run(
                    move || recall_memories(
                        argument_0,
                        argument_1,
                        argument_2,
                        state_3,
                        cx,
                    ),
                    |result| {
                        let kind = __rt::Kind::<Result<Vec<Memory>, GraphError>>::NEW;
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
    __rt::for_clients! {
        #[automatically_derived] impl __rt::Callable < (String, (__rt::Option < u32 >,
        (__rt::Option < String >, ()))), Vec < Memory > > for recall_memories { const
        NAME : __rt::Name = "recall_memories"; const ARGUMENTS : __rt::Names = &
        [("query", false), ("maxDepth", true), ("scope", true)]; fn given(self) ->
        (String, (__rt::Option < u32 >, (__rt::Option < String >, ()))) { (self.query,
        (self.max_depth, (self.scope, ()))) } }
    }
};
