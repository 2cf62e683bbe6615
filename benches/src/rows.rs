//! What is measured: each row's work, its bar, and its peers.

use crate::driver::{Connection, Request, Wire};
use crate::generated::Generated;
use crate::live::{Live, get, task_id};
use crate::measure::{self, Counts, Work};
use crate::rounds::{Rounds, interleave};
use crate::servers::{Peer, Servers, Tools};
use crate::table::{Row, Verdict, cell, count};
use crate::{Result, said};

pub(crate) struct Bench {
    pub(crate) servers: Servers,
    /// Fewer rounds and smaller numbers, to see that all runs.
    pub(crate) quick: bool,
}

type Group = (&'static [&'static str], fn(&Bench) -> Vec<Row>);

/// All rows in the order of the table; those of one group share their measurements.
pub(crate) const GROUPS: &[Group] = &[
    (&["call", "call-of-100"], call),
    (&["list"], list),
    (&["syscalls"], syscalls),
    (&["window"], window),
    (&["echo"], echo),
    (&["task"], task),
    (&["live-get", "live-create", "live-memory"], live),
    (&["check"], check),
    (&["crates"], crates),
    (&["binary"], binary),
];

/// Instructions a `tools/call` of two integers, on a small server and on one with a hundred tools.
fn call(bench: &Bench) -> Vec<Row> {
    let add = add();
    let work: Work<'_> = &|connection, n| connection.repeat(&add, n);
    let counts = bench.counts(200, 1200);
    let few = |peer| bench.instructions(peer, Tools::Plain, counts, work);
    let hundred = |peer| bench.instructions(peer, Tools::Hundred, counts, work);

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
fn list(bench: &Bench) -> Vec<Row> {
    let list = Request::new("tools/list", "");
    let work: Work<'_> = &|connection, n| {
        let listed = connection.ask(&list)?.matches(r#""inputSchema""#).count();
        if listed != 100 {
            return Err(format!("{listed} tools were listed, not 100").into());
        }
        connection.repeat(&list, n)
    };
    let of = |peer| bench.instructions(peer, Tools::Hundred, bench.counts(50, 250), work);
    vec![exact("list", "<= 115,000 instructions", 115_000.0, count, of)]
}

/// Instructions an echo of 64 KiB.
fn echo(bench: &Bench) -> Vec<Row> {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(1457);
    let text = &text[..65536];
    let echo = Request::call("echo", &format!(r#"{{"text":"{text}"}}"#));
    let work: Work<'_> = &|connection, n| {
        if !connection.ask(&echo)?.contains(text) {
            return Err("the echo is not what was sent".into());
        }
        connection.repeat(&echo, n)
    };
    let of = |peer| bench.instructions(peer, Tools::Plain, bench.counts(25, 125), work);
    vec![exact("echo", "<= 1,600,000 instructions", 1.6e6, count, of)]
}

/// System calls a request, one in flight.
fn syscalls(bench: &Bench) -> Vec<Row> {
    let add = add();
    let work: Work<'_> = &|connection, n| connection.repeat(&add, n);
    let counts = bench.counts(200, 1200);
    let of = |peer| {
        worst(peer, |wire| {
            eprintln!("  {}, {wire:?}", peer.name());
            measure::system_calls(&bench.servers.launch(peer, Tools::Plain)?, wire, counts, work)
        })
    };
    let one = |value: f64| format!("{value:.1}");
    // Half a tenth is what a timer of the runtime adds that fires once in a while; it is no fifth call.
    let row = exact("syscalls", "<= 4 a request", 4.05, one, of);
    vec![Row { bare: format!("{} (sync {})", row.bare, cell(of(Peer::BareSync), one)), ..row }]
}

/// CPU a request, with sixteen in flight.
fn window(bench: &Bench) -> Vec<Row> {
    let add = add();
    let peers = [
        (Peer::Ours, Wire::Legacy),
        (Peer::Ours, Wire::Modern),
        (Peer::Rmcp, Wire::Legacy),
        (Peer::RmcpTuned, Wire::Legacy),
        (Peer::BareTokio, Wire::Legacy),
    ];
    let connections = peers.map(|(peer, wire)| said(peer.name(), bench.open(peer, Tools::Plain, wire)));
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
fn task(bench: &Bench) -> Vec<Row> {
    let finish = Request::call("finish", "{}");
    let life: Work<'_> = &|connection, n| {
        for _ in 0..n {
            let get = get(&task_id(connection.ask(&finish)?)?);
            while !connection.ask(&get)?.contains(r#""status":"completed""#) {}
        }
        Ok(())
    };
    let peers = [Peer::Ours, Peer::Rmcp, Peer::RmcpTuned].map(Some);
    let [ours, rmcp, tuned] = interleave(peers, bench.choose(7, 2), |peer| {
        measure::cpu(&mut bench.open(*peer, Tools::Tasks, Wire::Modern)?, bench.choose(1_000, 200), life)
    });
    vec![Row {
        ours: against(&ours, &rmcp, microseconds),
        rmcp: cell(rmcp.median(), microseconds),
        rmcp_tuned: against(&tuned, &rmcp, microseconds),
        ..Row::new("task", "(of rmcp's CPU)")
    }]
}

/// What a poll and a creation cost with many live tasks against few, and the memory of one.
fn live(bench: &Bench) -> Vec<Row> {
    let [ours, rmcp] = [Peer::Ours, Peer::Rmcp].map(|peer| {
        let start = |tasks| {
            eprintln!("  {tasks} tasks on {}", peer.name());
            Live::start(bench.open(peer, Tools::Tasks, Wire::Modern)?, tasks)
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

/// CPU of `cargo check` on a crate of two hundred tools.
fn check(bench: &Bench) -> Vec<Row> {
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
fn crates(_: &Bench) -> Vec<Row> {
    vec![counter("crates", "<= 45", 45.0, count, Generated::packages)]
}

/// Size of the counter's release binary.
fn binary(_: &Bench) -> Vec<Row> {
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

impl Bench {
    fn choose<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    fn counts(&self, short: u32, long: u32) -> Counts {
        self.choose(Counts { short, long }, Counts { short: short / 5, long: long / 5 })
    }

    fn open(&self, peer: Peer, tools: Tools, wire: Wire) -> Result<Connection> {
        Connection::open(self.servers.launch(peer, tools)?.command(), wire)
    }

    fn instructions(&self, peer: Peer, tools: Tools, counts: Counts, work: Work<'_>) -> Option<f64> {
        worst(peer, |wire| {
            eprintln!("  {}, {wire:?}", peer.name());
            measure::instructions(&self.servers.launch(peer, tools)?, wire, counts, work)
        })
    }
}

/// Ours on the wire where it does worse; a peer on the one that its documentation starts with.
fn worst(peer: Peer, measure: impl Fn(Wire) -> Result<f64>) -> Option<f64> {
    let wires = if peer == Peer::Ours { &[Wire::Legacy, Wire::Modern][..] } else { &[Wire::Legacy] };
    let values: Result<Vec<f64>> = wires.iter().map(|wire| measure(*wire)).collect();
    said(peer.name(), values)?.into_iter().reduce(f64::max)
}

/// A row that every peer has, and whose value is the same on each run.
fn exact(
    name: &'static str,
    bar: &'static str,
    limit: f64,
    write: impl Fn(f64) -> String,
    of: impl Fn(Peer) -> Option<f64>,
) -> Row {
    let ours = of(Peer::Ours);
    Row {
        ours: cell(ours, &write),
        verdict: Verdict::at_most(limit, ours),
        exact: true,
        rmcp: cell(of(Peer::Rmcp), &write),
        rmcp_tuned: cell(of(Peer::RmcpTuned), &write),
        bare: cell(of(Peer::BareTokio), &write),
        ..Row::new(name, bar)
    }
}

/// The ratio, with the value itself behind it.
fn against(one: &Rounds, other: &Rounds, write: impl Fn(f64) -> String) -> String {
    match (one.median(), one.ratio(other)) {
        (Some(value), Some(ratio)) => format!("{ratio:.2} ({})", write(value)),
        (value, _) => cell(value, write),
    }
}

fn microseconds(value: f64) -> String {
    format!("{value:.1} us")
}

fn add() -> Request {
    Request::call("add", r#"{"a":40,"b":2}"#)
}
