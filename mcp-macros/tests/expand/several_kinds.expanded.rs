impl Graph {
    /// Forget a memory.
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::unused_async
    )]
    async fn forget(&self, id: u64) {
        self.remove(id)
    }
    /// Tell what is known of a topic.
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::unused_async
    )]
    pub async fn tell(&self, topic: String) -> String {
        self.summary(&topic)
    }
    /// One memory.
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::unused_async
    )]
    async fn memory(self: Arc<Self>, id: u64) -> Option<Memory> {
        self.get(id)
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
    struct __Tool_forget {}
    const _: () = {
        #[automatically_derived]
        impl __rt::ToolFunction for __Tool_forget {
            fn definition() -> __rt::ToolDefinition {
                let definition = __rt::ToolDefinition::new("forget", "Forget a memory.")
                    .annotations(__rt::ToolAnnotations {
                        destructive: __rt::Some(true),
                        ..__rt::Default::default()
                    })
                    .parameter(<u64 as __rt::Argument>::spec("id", ""))
                    .returns(__rt::Kind::<()>::NEW.ok().schema());
                let definition = <Graph as __rt::Shared>::declare(definition);
                definition
            }
            fn call(
                call: __rt::ToolCall<'_>,
                _: __rt::Context,
            ) -> __rt::Result<__rt::ToolFuture, __rt::InvalidArguments> {
                let mut fields = call.arguments.fields(&["id"]);
                let argument_0 = <u64 as __rt::Argument>::take(&mut fields, 0usize);
                let (__rt::Some(argument_0), true) = (argument_0, fields.are_right())
                else {
                    return __rt::Err(fields.refuse());
                };
                let this = <Graph as __rt::Shared>::find(call.states);
                __rt::Ok(
                    __rt::run(
                        move || async move { __Self::forget(&this, argument_0).await },
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
    struct __Prompt_tell {}
    const _: () = {
        #[automatically_derived]
        impl __rt::Prompt for __Prompt_tell {
            fn definition(&self) -> __rt::PromptDefinition {
                let definition = __rt::PromptDefinition::new(
                        "tell",
                        "Tell what is known of a topic.",
                    )
                    .parameter(<String as __rt::Argument>::spec("topic", ""));
                let definition = <Graph as __rt::Shared>::declare(definition);
                definition
            }
            fn get(
                &self,
                call: __rt::PromptCall<'_>,
                _: __rt::Context,
            ) -> __rt::Result<__rt::PromptFuture, __rt::InvalidArguments> {
                let mut fields = call.arguments.fields(&["topic"]);
                let argument_0 = <String as __rt::Argument>::take(&mut fields, 0usize);
                let (__rt::Some(argument_0), true) = (argument_0, fields.are_right())
                else {
                    return __rt::Err(fields.refuse());
                };
                let this = <Graph as __rt::Shared>::find(call.states);
                __rt::Ok(
                    __rt::run(
                        move || async move { __Self::tell(&this, argument_0).await },
                        |result| {
                            let kind = __rt::Kind::<String>::NEW;
                            match kind.split(result) {
                                __rt::Ok(value) => <_ as __rt::PromptOutput>::convert(value),
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
    struct __Resource_memory {}
    const _: () = {
        #[automatically_derived]
        impl __rt::Resource for __Resource_memory {
            fn definition(&self) -> __rt::ResourceDefinition {
                let definition = __rt::ResourceDefinition::new("memory://{id}", "memory")
                    .description("One memory.")
                    .parameter(<u64 as __rt::Argument>::spec("id", ""));
                let definition = <Graph as __rt::Shared>::declare(definition);
                definition
            }
            fn read(
                &self,
                call: __rt::ResourceCall<'_>,
                _: __rt::Context,
            ) -> __rt::Result<__rt::ResourceFuture, __rt::InvalidArguments> {
                let mut fields = call.arguments.fields(&["id"]);
                let argument_0 = <u64 as __rt::Argument>::take(&mut fields, 0usize);
                let (__rt::Some(argument_0), true) = (argument_0, fields.are_right())
                else {
                    return __rt::Err(fields.refuse());
                };
                let this = <Graph as __rt::Shared>::find(call.states);
                __rt::Ok(
                    __rt::run(
                        move || __Self::memory(this.into_inner(), argument_0),
                        |result| {
                            let kind = __rt::Kind::<Option<Memory>>::NEW;
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
    impl Graph {
        /// The tools among the methods of this type, for a server's list.
        fn graph_tools() -> __rt::Vec<__rt::Arc<dyn __rt::Tool>> {
            let mut all: __rt::Vec<__rt::Arc<dyn __rt::Tool>> = __rt::Vec::new();
            all.push(<__Tool_forget as __rt::ToolFunction>::tool());
            all
        }
        /// The prompts among the methods of this type, for a server's list.
        pub fn prompts() -> __rt::Vec<__rt::Arc<dyn __rt::Prompt>> {
            let mut all: __rt::Vec<__rt::Arc<dyn __rt::Prompt>> = __rt::Vec::new();
            all.push(__rt::Arc::new(__Prompt_tell {}));
            all
        }
        /// The resources among the methods of this type, for a server's list.
        fn resources() -> __rt::Vec<__rt::Arc<dyn __rt::Resource>> {
            let mut all: __rt::Vec<__rt::Arc<dyn __rt::Resource>> = __rt::Vec::new();
            all.push(__rt::Arc::new(__Resource_memory {}));
            all
        }
    }
};
