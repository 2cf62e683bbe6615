//! Where the example programs are, and what happens to a test that cannot run.

use std::io::Write;
use std::path::PathBuf;

/// The program of an example, if it was built: `cargo build -p examples --examples`.
pub fn example(name: &str) -> Option<PathBuf> {
    // A test runs from `<target>/<profile>/deps`; the examples of the same profile are in the folder beside it.
    let test = std::env::current_exe().expect("a test knows its own program");
    let profile = test.ancestors().nth(2).expect("a test lies in `<profile>/deps`");
    let program = profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Some(program);
    }
    skipped(&format!(
        "example `{name}`: {} is not built; run `cargo build -p examples --examples`",
        program.display()
    ));
    None
}

/// Says aloud that something is left out, past the test harness that keeps the output of tests that pass to itself.
///
/// # Panics
///
/// If nothing may be left out.
pub fn skipped(what: &str) {
    assert!(
        std::env::var_os("MCP_TESTS_REQUIRED").is_none_or(|value| value != "1"),
        "required, but missing: {what}"
    );
    // If even standard error is gone, there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}
