//! Rows of a server over Streamable HTTP: the same work as on the standard streams, on sockets that are kept open.

use std::time::Instant;

use super::{Bench, add, against, echoes, exact, listings, lives, long_text, microseconds};
use crate::driver::{Connection, Request, Wire};
use crate::measure::{self, Work};
use crate::rounds::interleave;
use crate::servers::{Over, Peer, Tools};
use crate::table::{Row, Verdict, cell, count};
use crate::{Result, said};

const HTTP: Over = Over::Http;

/// Instructions a `tools/call` of two integers, on a small server and on one with a hundred tools.
pub(super) fn call(bench: &Bench) -> Vec<Row> {
    let add = add();
    let work: Work<'_> = &|connection, n| connection.repeat(&add, n);
    let counts = bench.counts(200, 1200);
    let few = |peer| bench.instructions(peer, Tools::Plain, HTTP, counts, work);
    let hundred = |peer| bench.instructions(peer, Tools::Hundred, HTTP, counts, work);
    vec![
        exact("http-call", "<= 70,000 instructions", 70_000.0, Peer::BareAxum, count, few),
        exact("http-call-of-100", "<= 70,000 instructions", 70_000.0, Peer::BareAxum, count, hundred),
    ]
}

/// Instructions a `tools/list` of a hundred tools.
pub(super) fn list(bench: &Bench) -> Vec<Row> {
    let of = |peer| bench.instructions(peer, Tools::Hundred, HTTP, bench.counts(50, 250), &listings);
    vec![exact("http-list", "<= 90,000 instructions", 90_000.0, Peer::BareAxum, count, of)]
}

/// Instructions an echo of 64 KiB.
pub(super) fn echo(bench: &Bench) -> Vec<Row> {
    let text = long_text();
    let work = echoes(&text);
    let of = |peer| bench.instructions(peer, Tools::Plain, HTTP, bench.counts(25, 125), &work);
    vec![exact("http-echo", "<= 1,500,000 instructions", 1.5e6, Peer::BareAxum, count, of)]
}

/// CPU a request, on sixteen sockets.
pub(super) fn window(bench: &Bench) -> Vec<Row> {
    let add = add();
    let peers = [
        (Peer::Ours, Wire::Legacy),
        (Peer::Ours, Wire::Modern),
        (Peer::Rmcp, Wire::Modern),
        (Peer::RmcpTuned, Wire::Modern),
        (Peer::BareAxum, Wire::Legacy),
    ];
    let connections = peers.map(|(peer, wire)| said(peer.name(), bench.open(peer, Tools::Plain, HTTP, wire)));
    let requests = bench.choose(3_000, 500);
    let [legacy, modern, rmcp, tuned, bare] = interleave(connections, bench.choose(15, 3), |connection| {
        measure::cpu(connection, requests, &|connection, n| connection.stream(n, 16, &add).map(drop))
    });
    let ours = if modern.median() > legacy.median() { modern } else { legacy };
    // The bar has two halves; the verdict is about the one that is nearer to being missed.
    let nearer = [(&rmcp, 0.25), (&tuned, 0.5)].map(|(peer, bar)| ours.ratio(peer).map(|ratio| ratio / bar));
    let nearer =
        nearer.into_iter().collect::<Option<Vec<f64>>>().and_then(|both| both.into_iter().reduce(f64::max));
    let of_tuned = cell(ours.ratio(&tuned), |ratio| format!("; {ratio:.2} of tuned"));
    vec![Row {
        ours: format!("{}{of_tuned}", against(&ours, &rmcp, microseconds)),
        verdict: Verdict::at_most(1.0, nearer),
        rmcp: cell(rmcp.median(), microseconds),
        rmcp_tuned: against(&tuned, &rmcp, microseconds),
        bare: against(&bare, &rmcp, microseconds),
        ..Row::new("http-window", "<= 0.25 of rmcp's CPU, 0.5 of tuned")
    }]
}

/// CPU of a task from its creation to the poll that finds it done, from an empty server to the thousandth.
pub(super) fn task(bench: &Bench) -> Vec<Row> {
    let peers = [Peer::Ours, Peer::Rmcp, Peer::RmcpTuned].map(Some);
    let [ours, rmcp, tuned] = interleave(peers, bench.choose(7, 2), |peer| {
        let mut connection = bench.open(*peer, Tools::Tasks, HTTP, Wire::Modern)?;
        measure::cpu(&mut connection, bench.choose(1_000, 200), &lives)
    });
    vec![Row {
        ours: against(&ours, &rmcp, microseconds),
        verdict: Verdict::at_most(0.35, ours.ratio(&rmcp)),
        rmcp: cell(rmcp.median(), microseconds),
        rmcp_tuned: against(&tuned, &rmcp, microseconds),
        ..Row::new("http-task", "<= 0.35 of rmcp's CPU")
    }]
}

/// How long a call takes by the clock, one socket and one call at a time: a plain answer, and one with progress before it.
pub(super) fn latency(bench: &Bench) -> Vec<Row> {
    let plain =
        clock(bench, "http-latency", &add(), [Peer::Ours, Peer::Rmcp, Peer::RmcpTuned, Peer::BareAxum]);
    let tell = Request::call("tell", "{}").with_progress();
    let streamed = clock(bench, "http-latency-sse", &tell, [Peer::Ours, Peer::Rmcp, Peer::RmcpTuned]);
    vec![plain, streamed]
}

fn clock<const N: usize>(bench: &Bench, name: &'static str, request: &Request, peers: [Peer; N]) -> Row {
    let mut row = Row::new(name, "median < 1 ms");
    for peer in peers {
        let wires = match peer {
            Peer::Ours => &[Wire::Legacy, Wire::Modern][..],
            Peer::BareAxum => &[Wire::Legacy],
            _ => &[Wire::Modern],
        };
        let medians: Result<Vec<f64>> = wires
            .iter()
            .map(|wire| {
                median(&mut bench.open(peer, Tools::Plain, HTTP, *wire)?, request, bench.choose(500, 100))
            })
            .collect();
        let worst = said(peer.name(), medians).and_then(|medians| medians.into_iter().reduce(f64::max));
        let shown = cell(worst, microseconds);
        match peer {
            Peer::Ours => (row.ours, row.verdict) = (shown, Verdict::at_most(1_000.0, worst)),
            Peer::Rmcp => row.rmcp = shown,
            Peer::RmcpTuned => row.rmcp_tuned = shown,
            _ => row.bare = shown,
        }
    }
    row
}

/// The median, in microseconds, of that many calls after as many that are not counted.
fn median(connection: &mut Connection, request: &Request, calls: u32) -> Result<f64> {
    connection.repeat(request, calls)?;
    let times: Result<Vec<f64>> = (0..calls)
        .map(|_| {
            let start = Instant::now();
            connection.ask(request)?;
            Ok(start.elapsed().as_secs_f64() * 1e6)
        })
        .collect();
    let mut times = times?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
