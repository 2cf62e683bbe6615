//! What compiles, and what the compiler says of what does not, to the letter.
//!
//! `TRYBUILD=overwrite cargo test -p mcp-macros --test ui` writes the messages anew; read them as their author would.

#[test]
fn declarations() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
