/// Who made it.
#[allow(
    clippy::fn_params_excessive_bools,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unused_async
)]
async fn author() -> &'static str {
    "**Ada**"
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
///Who made it.
struct author {}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    #[automatically_derived]
    impl __rt::Resource for author {
        fn definition(&self) -> __rt::ResourceDefinition {
            let definition = __rt::ResourceDefinition::new("about://author", "author")
                .description("Who made it.")
                .mime_type("text/markdown")
                .annotations(__rt::Annotations {
                    audience: ::std::vec![__rt::Role::User],
                    priority: __rt::Some(0.2f64),
                    ..__rt::Default::default()
                })
                .cache(__rt::CacheHint::public(__rt::Duration::new(3600u64, 0u32)));
            definition
        }
        fn read(
            &self,
            call: __rt::ResourceCall<'_>,
            _: __rt::Context,
        ) -> __rt::Result<__rt::ResourceFuture, __rt::InvalidArguments> {
            call.arguments.fields(&[]).finish()?;
            __rt::Ok(
                __rt::run(
                    move || author(),
                    |result| {
                        let kind = __rt::Kind::<&'static str>::NEW;
                        let way = kind.ok().some().reading();
                        match kind.split(result) {
                            __rt::Ok(value) => {
                                match kind.ok().present(value) {
                                    __rt::Some(value) => {
                                        <_ as __rt::ResourceOutput<_>>::convert(way, value)
                                            .map(__rt::Some)
                                    }
                                    __rt::None => __rt::Ok(__rt::None),
                                }
                            }
                            __rt::Err(error) => {
                                __rt::Err(<_ as __rt::Failure>::fail(error))
                            }
                        }
                    },
                ),
            )
        }
    }
};
/// One memory.
#[allow(
    clippy::fn_params_excessive_bools,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unused_async
)]
fn memory(
    id: u64,
    part: String,
    graph: State<Graph>,
) -> Result<Option<Memory>, GraphError> {
    graph.part(id, &part)
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
///One memory.
struct memory {}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    #[automatically_derived]
    impl __rt::Resource for memory {
        fn definition(&self) -> __rt::ResourceDefinition {
            let definition = __rt::ResourceDefinition::new(
                    "memory://{id}/{+part}",
                    "memory",
                )
                .description("One memory.")
                .task(__rt::TaskPolicy {
                    timeout: __rt::Some(__rt::Duration::new(1u64, 0u32)),
                    ..__rt::Default::default()
                })
                .parameter(
                    <_ as __rt::Complete<
                        _,
                    >>::of_parameter(
                        Memory::ids,
                        <u64 as __rt::Argument>::spec("id", "Which one."),
                    ),
                )
                .parameter(<String as __rt::Argument>::spec("part", ""));
            let definition = <Graph as __rt::Shared>::declare(definition);
            definition
        }
        fn read(
            &self,
            call: __rt::ResourceCall<'_>,
            _: __rt::Context,
        ) -> __rt::Result<__rt::ResourceFuture, __rt::InvalidArguments> {
            let mut fields = call.arguments.fields(&["id", "part"]);
            let argument_0 = <u64 as __rt::Argument>::take(&mut fields, 0usize);
            let argument_1 = <String as __rt::Argument>::take(&mut fields, 1usize);
            let (__rt::Some(argument_0), __rt::Some(argument_1), true) = (
                argument_0,
                argument_1,
                fields.are_right(),
            ) else {
                return __rt::Err(fields.refuse());
            };
            let state_2 = <Graph as __rt::Shared>::find(call.states);
            __rt::Ok(
                __rt::run(
                    move || __rt::blocking(move || memory(
                        argument_0,
                        argument_1,
                        state_2,
                    )),
                    |result| {
                        let kind = __rt::Kind::<Result<Option<Memory>, GraphError>>::NEW;
                        let way = kind.ok().some().reading();
                        match kind.split(result) {
                            __rt::Ok(value) => {
                                match kind.ok().present(value) {
                                    __rt::Some(value) => {
                                        <_ as __rt::ResourceOutput<_>>::convert(way, value)
                                            .map(__rt::Some)
                                    }
                                    __rt::None => __rt::Ok(__rt::None),
                                }
                            }
                            __rt::Err(error) => {
                                __rt::Err(<_ as __rt::Failure>::fail(error))
                            }
                        }
                    },
                ),
            )
        }
    }
};
