/// Find memories.
#[allow(
    clippy::fn_params_excessive_bools,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unused_async
)]
fn find(Args(query): Args<Query>) -> String {
    query.text
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
///Find memories.
struct find {
    args: Query,
}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    #[automatically_derived]
    impl __rt::ToolFunction for find {
        fn definition() -> __rt::ToolDefinition {
            let definition = __rt::ToolDefinition::new("find", "Find memories.")
                .returns(__rt::Kind::<String>::NEW.ok().schema());
            let definition = <Query as __rt::Argument>::declare(definition);
            definition
        }
        fn call(
            call: __rt::ToolCall<'_>,
            _: __rt::Context,
        ) -> __rt::Result<__rt::ToolFuture, __rt::InvalidArguments> {
            let whole = <Query as __rt::Argument>::whole(call.arguments)?;
            __rt::Ok(
                __rt::run(
                    move || __rt::blocking(move || find(whole)),
                    |result| {
                        let kind = __rt::Kind::<String>::NEW;
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
        #[automatically_derived] impl __rt::Callable < __rt::Args < Query >, String > for
        find { const NAME : __rt::Name = "find"; const ARGUMENTS : __rt::Names = & []; fn
        given(self) -> __rt::Args < Query > { __rt::Args(self.args) } }
    }
};
/// Forget everything.
#[cfg(unix)]
#[allow(
    clippy::fn_params_excessive_bools,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unused_async
)]
async fn forget() {}
#[cfg(unix)]
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
///Forget everything.
struct forget {}
#[cfg(unix)]
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    #[automatically_derived]
    impl __rt::ToolFunction for forget {
        fn definition() -> __rt::ToolDefinition {
            let definition = __rt::ToolDefinition::new("forget", "Forget everything.")
                .annotations(__rt::ToolAnnotations {
                    destructive: __rt::Some(true),
                    ..__rt::Default::default()
                })
                .returns(__rt::Kind::<()>::NEW.ok().schema());
            definition
        }
        fn call(
            call: __rt::ToolCall<'_>,
            _: __rt::Context,
        ) -> __rt::Result<__rt::ToolFuture, __rt::InvalidArguments> {
            call.arguments.fields(&[]).finish()?;
            __rt::Ok(
                __rt::run(
                    move || forget(),
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
    __rt::for_clients! {
        #[automatically_derived] impl __rt::Callable < (), () > for forget { const NAME :
        __rt::Name = "forget"; const ARGUMENTS : __rt::Names = & []; fn given(self) -> ()
        { () } }
    }
};
