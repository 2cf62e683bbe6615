/// Review a change.
#[allow(
    clippy::fn_params_excessive_bools,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unused_async
)]
async fn review(
    diff: String,
    strictness: u8,
    language: Option<String>,
    rules: State<Rules>,
) -> Result<Vec<PromptMessage>, ReviewError> {
    rules.review(diff, strictness, language).await
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
///Review a change.
struct review {}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic)]
const _: () = {
    use ::mcp_runtime::__private::{
        self as __rt, Jsonable as _, NotAResult as _, Present as _, Readable as _,
        Unfailing as _, Unreadable as _,
    };
    fn __default_1() -> u8 {
        3
    }
    #[automatically_derived]
    impl __rt::Prompt for review {
        fn definition(&self) -> __rt::PromptDefinition {
            let definition = __rt::PromptDefinition::new("review", "Review a change.")
                .title("Review")
                .parameter(<String as __rt::Argument>::spec("diff", "The change."))
                .parameter(
                    <u8 as __rt::Numeric>::range(
                            <u8 as __rt::Argument>::spec(
                                "strictness",
                                "How strict to be.",
                            ),
                        )
                        .minimum(1i64)
                        .maximum(5i64)
                        .title("Strictness")
                        .default(3i64),
                )
                .parameter(
                    <_ as __rt::Complete<
                        _,
                    >>::of_parameter(
                        languages,
                        <Option<String> as __rt::Argument>::spec("language", ""),
                    ),
                );
            let definition = <Rules as __rt::Shared>::declare(definition);
            definition
        }
        fn get(
            &self,
            call: __rt::PromptCall<'_>,
            _: __rt::Context,
        ) -> __rt::Result<__rt::PromptFuture, __rt::InvalidArguments> {
            let mut fields = call.arguments.fields(&["diff", "strictness", "language"]);
            let argument_0 = <String as __rt::Argument>::take(&mut fields, 0usize);
            let argument_1 = <u8 as __rt::Argument>::take_or(
                &mut fields,
                1usize,
                __default_1,
            );
            let argument_2 = <Option<
                String,
            > as __rt::Argument>::take(&mut fields, 2usize);
            let (
                __rt::Some(argument_0),
                __rt::Some(argument_1),
                __rt::Some(argument_2),
                true,
            ) = (argument_0, argument_1, argument_2, fields.are_right()) else {
                return __rt::Err(fields.refuse());
            };
            let state_3 = <Rules as __rt::Shared>::find(call.states);
            __rt::Ok(
                __rt::run(
                    move || review(argument_0, argument_1, argument_2, state_3),
                    |result| {
                        let kind = __rt::Kind::<
                            Result<Vec<PromptMessage>, ReviewError>,
                        >::NEW;
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
