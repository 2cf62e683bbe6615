//! What requests and tasks cost on this framework, beside the same work on rmcp and on no framework.
//!
//! `cargo run --release -p benches [-- [--quick] [--check] [row ...]]`
//!
//! A full run takes ten minutes, most of them for rmcp's hundred thousand tasks; `--quick` takes two, with smaller numbers.
//!
//! Times are reported and never judged: `--check` fails only for a bar on something that can be counted (instructions,
//! system calls, crates, bytes), missed or not measured.

mod driver;
mod generated;
mod live;
mod measure;
mod rounds;
mod rows;
mod servers;
mod table;

use std::process::ExitCode;

use rows::{Bench, GROUPS};
use servers::Servers;
use table::Verdict;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The value, or the reason why there is none on standard error.
fn said<T>(what: &str, result: Result<T>) -> Option<T> {
    result.inspect_err(|error| eprintln!("{what}: {error}")).ok()
}

fn main() -> ExitCode {
    let (flags, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let known = || GROUPS.iter().flat_map(|(rows, _)| *rows);
    let strange = flags.iter().find(|flag| !["--quick", "--check"].contains(&flag.as_str()));
    if let Some(word) = strange.or_else(|| names.iter().find(|name| !known().any(|row| row == name))) {
        let rows: Vec<&str> = known().copied().collect();
        eprintln!("{word:?} is neither --quick nor --check nor a row: {}", rows.join(", "));
        return ExitCode::from(2);
    }
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let wanted = |row: &str| names.is_empty() || names.iter().any(|name| name == row);

    driver::watch();
    let Some(servers) = said("the servers", Servers::new()) else { return ExitCode::FAILURE };
    let bench = Bench { servers, quick: has("--quick") };
    let mut table = Vec::new();
    for (rows, measure) in GROUPS {
        if rows.iter().any(|row| wanted(row)) {
            eprintln!("measuring {}", rows.join(", "));
            table.extend(measure(&bench).into_iter().filter(|row| wanted(row.name)));
        }
    }
    table::print(&table);

    let met = |verdict| matches!(verdict, Verdict::Met | Verdict::NoBar);
    if has("--check") && table.iter().any(|row| row.exact && !met(row.verdict)) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
