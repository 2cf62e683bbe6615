//! Rows of a server on its standard streams.

use super::{Bench, add, against, echoes, exact, listings, lives, long_text, microseconds, worst};
use crate::driver::Wire;
use crate::live::Live;
use crate::measure::{self, Work};
use crate::rounds::{Rounds, interleave};
use crate::said;
use crate::servers::{Over, Peer, Tools};
use crate::table::{Row, Verdict, cell, count};

const PIPES: Over = Over::Pipes;

/// Instructions a `tools/call` of two integers, on a small server and on one with a hundred tools.
pub(super) fn call(bench: &Bench) -> Vec<Row> {
    let add = add();
    let work: Work<'_> = &|connection, n| connection.repeat(&add, n);
    let counts = bench.counts(200, 1200);
    let few = |peer| bench.instructions(peer, Tools::Plain, PIPES, counts, work);
    let hundred = |peer| bench.instructions(peer, Tools::Hundred, PIPES, counts, work);

    let ours = few(Peer::Ours);
    let small = Row {
        ours: cell(ours, count),
        verdict: Verdict::at_most(40_000.0, ours),
        exact: true,
        rmcp: cell(few(Peer::Rmcp), count),
        rmcp_tuned: cell(few(Peer::RmcpTuned), count),
        bare: cell(few(Peer::BareTokio), count),
        ..Row::new("call", "<= 40,000 instructions")
    };
    let ours_of_hundred = hundred(Peer::Ours);
    let growth = ours.zip(ours_of_hundred).map(|(few, hundred)| hundred / few);
    let large = Row {
        ours: cell(ours_of_hundred.zip(growth), |(instructions, growth)| {
            format!("{} ({:+.1} %)", count(instructions), (growth - 1.0) * 100.0)
        }),
        verdict: Verdict::at_most(1.03, growth),
        exact: true,
        rmcp: cell(hundred(Peer::Rmcp), count),
        rmcp_tuned: cell(hundred(Peer::RmcpTuned), count),
        ..Row::new("call-of-100", "within 3 % of call")
    };
    vec![small, large]
}

/// Instructions a `tools/list` of a hundred tools.
pub(super) fn list(bench: &Bench) -> Vec<Row> {
    let of = |peer| bench.instructions(peer, Tools::Hundred, PIPES, bench.counts(50, 250), &listings);
    vec![exact("list", "<= 115,000 instructions", 115_000.0, Peer::BareTokio, count, of)]
}

/// Instructions an echo of 64 KiB.
pub(super) fn echo(bench: &Bench) -> Vec<Row> {
    let text = long_text();
    let work = echoes(&text);
    let of = |peer| bench.instructions(peer, Tools::Plain, PIPES, bench.counts(25, 125), &work);
    vec![exact("echo", "<= 1,600,000 instructions", 1.6e6, Peer::BareTokio, count, of)]
}

/// System calls a request, one in flight.
pub(super) fn syscalls(bench: &Bench) -> Vec<Row> {
    let add = add();
    let work: Work<'_> = &|connection, n| connection.repeat(&add, n);
    let counts = bench.counts(200, 1200);
    let of = |peer| {
        worst(peer, PIPES, |wire| {
            eprintln!("  {}, {wire:?}", peer.name());
            measure::system_calls(&bench.servers.launch(peer, Tools::Plain, PIPES)?, wire, counts, work)
        })
    };
    let one = |value: f64| format!("{value:.1}");
    // Half a tenth is what a timer of the runtime adds that fires once in a while; it is no fifth call.
    let row = exact("syscalls", "<= 4 a request", 4.05, Peer::BareTokio, one, of);
    vec![Row { bare: format!("{} (sync {})", row.bare, cell(of(Peer::BareSync), one)), ..row }]
}

/// CPU a request, with sixteen in flight.
pub(super) fn window(bench: &Bench) -> Vec<Row> {
    let add = add();
    let peers = [
        (Peer::Ours, Wire::Legacy),
        (Peer::Ours, Wire::Modern),
        (Peer::Rmcp, Wire::Legacy),
        (Peer::RmcpTuned, Wire::Legacy),
        (Peer::BareTokio, Wire::Legacy),
    ];
    let connections =
        peers.map(|(peer, wire)| said(peer.name(), bench.open(peer, Tools::Plain, PIPES, wire)));
    let requests = bench.choose(3_000, 500);
    let [legacy, modern, rmcp, tuned, bare] = interleave(connections, bench.choose(15, 3), |connection| {
        measure::cpu(connection, requests, &|connection, n| connection.stream(n, 16, &add).map(drop))
    });
    let ours = if modern.median() > legacy.median() { modern } else { legacy };
    vec![Row {
        ours: against(&ours, &rmcp, microseconds),
        verdict: Verdict::at_most(0.3, ours.ratio(&rmcp)),
        rmcp: cell(rmcp.median(), microseconds),
        rmcp_tuned: against(&tuned, &rmcp, microseconds),
        bare: against(&bare, &rmcp, microseconds),
        ..Row::new("window", "<= 0.3 of rmcp's CPU")
    }]
}

/// CPU of a task from its creation to the poll that finds it done, from an empty server to the thousandth.
pub(super) fn task(bench: &Bench) -> Vec<Row> {
    let peers = [Peer::Ours, Peer::Rmcp, Peer::RmcpTuned].map(Some);
    let [ours, rmcp, tuned] = interleave(peers, bench.choose(7, 2), |peer| {
        let mut connection = bench.open(*peer, Tools::Tasks, PIPES, Wire::Modern)?;
        measure::cpu(&mut connection, bench.choose(1_000, 200), &lives)
    });
    vec![Row {
        ours: against(&ours, &rmcp, microseconds),
        rmcp: cell(rmcp.median(), microseconds),
        rmcp_tuned: against(&tuned, &rmcp, microseconds),
        ..Row::new("task", "(of rmcp's CPU)")
    }]
}

/// What a poll and a creation cost with many live tasks against few, and the memory of one.
pub(super) fn live(bench: &Bench) -> Vec<Row> {
    let [ours, rmcp] = [Peer::Ours, Peer::Rmcp].map(|peer| {
        let start = |tasks| {
            eprintln!("  {tasks} tasks on {}", peer.name());
            Live::start(bench.open(peer, Tools::Tasks, PIPES, Wire::Modern)?, tasks)
        };
        let few = said(peer.name(), start(1_000))?;
        let many = said(peer.name(), start(bench.choose(100_000, 10_000)))?;
        let memory = said(peer.name(), many.memory(&few));
        let mut servers = [few, many];
        let polls = interleave(servers.each_mut().map(Some), bench.choose(7, 3), |live| live.poll(1_000));
        // Many short rounds: the few should stay few, and what is timed here is not CPU but the clock on the wall.
        let creations =
            interleave(servers.each_mut().map(Some), bench.choose(25, 5), |live| live.create(100));
        Some((polls, creations, memory))
    });
    let growth = |[few, many]: &[Rounds; 2]| many.ratio(few);
    let polls = |[few, many]: &[Rounds; 2]| {
        let values = format!("{} / {}", cell(few.median(), microseconds), cell(many.median(), microseconds));
        cell(many.ratio(few), |ratio| format!("{ratio:.2}x ({values})"))
    };
    let rate = |rounds: &Rounds| cell(rounds.median().map(|microseconds| 1e6 / microseconds), count);
    let creations = |[few, many]: &[Rounds; 2]| {
        cell(many.ratio(few), |ratio| format!("{ratio:.2}x ({} / {} a second)", rate(few), rate(many)))
    };
    let memory = |bytes| format!("{} B", count(bytes));
    let (ours, rmcp) = (ours.unwrap_or_default(), rmcp.unwrap_or_default());
    vec![
        Row {
            ours: polls(&ours.0),
            verdict: Verdict::at_most(1.3, growth(&ours.0)),
            rmcp: polls(&rmcp.0),
            ..Row::new("live-get", "<= 1.3x the CPU")
        },
        Row {
            ours: creations(&ours.1),
            verdict: Verdict::at_most(1.3, growth(&ours.1)),
            rmcp: creations(&rmcp.1),
            ..Row::new("live-create", "<= 1.3x the time")
        },
        Row {
            ours: cell(ours.2, memory),
            verdict: Verdict::at_most(1024.0, ours.2),
            rmcp: cell(rmcp.2, memory),
            ..Row::new("live-memory", "<= 1,024 B a task")
        },
    ]
}
