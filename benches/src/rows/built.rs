//! Rows of what is built: how long it takes, what it brings along, how large it is.

use super::{Bench, against};
use crate::generated::Generated;
use crate::rounds::interleave;
use crate::servers::Peer;
use crate::table::{Row, Verdict, cell, count};
use crate::{Result, said};

/// CPU of `cargo check` on a crate of two hundred tools.
pub(super) fn check(bench: &Bench) -> Vec<Row> {
    let tools = bench.choose(200, 20);
    let crates = [Peer::Ours, Peer::Rmcp].map(|peer| said(peer.name(), Generated::wide(peer, tools)));
    let [ours, rmcp] = interleave(crates, bench.choose(5, 1), |generated| generated.check());
    let seconds = |value: f64| format!("{value:.2} s");
    vec![Row {
        ours: against(&ours, &rmcp, seconds),
        verdict: Verdict::at_most(0.9, ours.ratio(&rmcp)),
        rmcp: cell(rmcp.median(), seconds),
        ..Row::new("check", "<= 0.9 of rmcp's CPU")
    }]
}

/// Crates that the counter brings along.
pub(super) fn crates(_: &Bench) -> Vec<Row> {
    vec![counter("crates", "<= 45", 45.0, count, Generated::packages)]
}

/// Size of the counter's release binary.
pub(super) fn binary(_: &Bench) -> Vec<Row> {
    let megabytes = |bytes: f64| format!("{:.2} MB", bytes / 1e6);
    vec![counter("binary", "<= 2.5 MB", 2.5e6, megabytes, Generated::binary)]
}

fn counter(
    name: &'static str,
    bar: &'static str,
    limit: f64,
    write: impl Fn(f64) -> String,
    measure: fn(&Generated) -> Result<f64>,
) -> Row {
    let of = |peer: Peer| said(peer.name(), Generated::counter(peer).and_then(|counter| measure(&counter)));
    let ours = of(Peer::Ours);
    Row {
        ours: cell(ours, &write),
        verdict: Verdict::at_most(limit, ours),
        exact: true,
        rmcp: cell(of(Peer::Rmcp), &write),
        ..Row::new(name, bar)
    }
}
