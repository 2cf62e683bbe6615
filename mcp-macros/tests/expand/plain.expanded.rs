/// Look something up.
#[allow(
    clippy::fn_params_excessive_bools,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unused_async
)]
pub async fn look_up(query: String, limit: Option<u32>, archived: bool) -> String {
    format!("{query} {limit:?} {archived}")
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
///Look something up.
pub struct look_up {
    ///What to look for.
    pub query: String,
    ///How many answers at most.
    pub limit: Option<u32>,
    ///Whether to look in the archive too.
    pub archived: bool,
}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    #[automatically_derived]
    impl __rt::ToolFunction for look_up {
        fn definition() -> __rt::ToolDefinition {
            let definition = __rt::ToolDefinition::new("look_up", "Look something up.")
                .parameter(
                    <String as __rt::Argument>::spec("query", "What to look for."),
                )
                .parameter(
                    <Option<
                        u32,
                    > as __rt::Argument>::spec("limit", "How many answers at most."),
                )
                .parameter(
                    <bool as __rt::Argument>::spec(
                        "archived",
                        "Whether to look in the archive too.",
                    ),
                )
                .returns(__rt::Kind::<String>::NEW.ok().schema());
            definition
        }
        fn call(
            call: __rt::ToolCall<'_>,
            _: __rt::Context,
        ) -> __rt::Result<__rt::ToolFuture, __rt::InvalidArguments> {
            let mut fields = call.arguments.fields(&["query", "limit", "archived"]);
            let argument_0 = <String as __rt::Argument>::take(&mut fields, 0usize);
            let argument_1 = <Option<u32> as __rt::Argument>::take(&mut fields, 1usize);
            let argument_2 = <bool as __rt::Argument>::take(&mut fields, 2usize);
            let (
                __rt::Some(argument_0),
                __rt::Some(argument_1),
                __rt::Some(argument_2),
                true,
            ) = (argument_0, argument_1, argument_2, fields.are_right()) else {
                return __rt::Err(fields.refuse());
            };
            __rt::Ok(
                __rt::run(
                    move || look_up(argument_0, argument_1, argument_2),
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
        #[automatically_derived] impl __rt::Callable < (String, (Option < u32 >, (bool,
        ()))), String > for look_up { const NAME : __rt::Name = "look_up"; const
        ARGUMENTS : __rt::Names = & [("query", false), ("limit", true), ("archived",
        false)]; fn given(self) -> (String, (Option < u32 >, (bool, ()))) { (self.query,
        (self.limit, (self.archived, ()))) } }
    }
};
