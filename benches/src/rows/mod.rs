//! What is measured: each row's work, its bar, and its peers.

mod built;
mod durable;
mod http;
mod soak;
mod stdio;

use crate::driver::{Connection, Request, Wire};
use crate::live::{get, task_id};
use crate::measure::{self, Counts, Work};
use crate::rounds::Rounds;
use crate::servers::{Over, Peer, Servers, Tools};
use crate::table::{Row, Verdict, cell};
use crate::{Result, said};

pub(crate) struct Bench {
    pub(crate) servers: Servers,
    /// Fewer rounds and smaller numbers, to see that all runs.
    pub(crate) quick: bool,
}

type Group = (&'static [&'static str], fn(&Bench) -> Vec<Row>);

/// All rows in the order of the table; those of one group share their measurements.
pub(crate) const GROUPS: &[Group] = &[
    (&["call", "call-of-100"], stdio::call),
    (&["list"], stdio::list),
    (&["syscalls"], stdio::syscalls),
    (&["window"], stdio::window),
    (&["echo"], stdio::echo),
    (&["task"], stdio::task),
    (&["live-get", "live-create", "live-memory"], stdio::live),
    (&["durable-create", "durable-fsync", "durable-get"], durable::tasks),
    (&["report"], durable::report),
    (&["large-get", "large-task"], durable::large),
    (&["http-call", "http-call-of-100"], http::call),
    (&["http-list"], http::list),
    (&["http-echo"], http::echo),
    (&["http-window"], http::window),
    (&["http-task"], http::task),
    (&["http-latency", "http-latency-sse"], http::latency),
    (&["soak-listen", "soak-session", "soak-answer"], soak::soak),
    (&["check"], built::check),
    (&["crates"], built::crates),
    (&["binary"], built::binary),
];

impl Bench {
    fn choose<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    fn counts(&self, short: u32, long: u32) -> Counts {
        self.choose(Counts { short, long }, Counts { short: short / 5, long: long / 5 })
    }

    fn open(&self, peer: Peer, tools: Tools, over: Over, wire: Wire) -> Result<Connection> {
        let launch = self.servers.launch(peer, tools, over)?;
        Connection::open(launch.command(), &launch.door, wire)
    }

    fn instructions(
        &self,
        peer: Peer,
        tools: Tools,
        over: Over,
        counts: Counts,
        work: Work<'_>,
    ) -> Option<f64> {
        worst(peer, over, |wire| {
            eprintln!("  {}, {wire:?}", peer.name());
            measure::instructions(&self.servers.launch(peer, tools, over)?, wire, counts, work)
        })
    }
}

/// Ours on the wire where it does worse; a peer on the one that its documentation starts with, which over HTTP is the
/// stateless one.
fn worst(peer: Peer, over: Over, measure: impl Fn(Wire) -> Result<f64>) -> Option<f64> {
    let wires = match (peer, over) {
        (Peer::Ours, _) => &[Wire::Legacy, Wire::Modern][..],
        (Peer::Rmcp | Peer::RmcpTuned, Over::Http) => &[Wire::Modern],
        _ => &[Wire::Legacy],
    };
    let values: Result<Vec<f64>> = wires.iter().map(|wire| measure(*wire)).collect();
    said(peer.name(), values)?.into_iter().reduce(f64::max)
}

/// A row that every peer has, and whose value is the same on each run.
fn exact(
    name: &'static str,
    bar: &'static str,
    limit: f64,
    bare: Peer,
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
        bare: cell(of(bare), &write),
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

/// 64 KiB of text.
fn long_text() -> String {
    let mut text = "The quick brown fox jumps over the lazy dog. ".repeat(1457);
    text.truncate(65536);
    text
}

/// Asks for the text back, `n` times.
fn echoes(text: &str) -> impl Fn(&mut Connection, u32) -> Result<()> {
    let echo = Request::call("echo", &format!(r#"{{"text":"{text}"}}"#));
    move |connection, n| {
        if !connection.ask(&echo)?.contains(text) {
            return Err("the echo is not what was sent".into());
        }
        connection.repeat(&echo, n)
    }
}

/// Asks for the list of a hundred tools, `n` times.
fn listings(connection: &mut Connection, n: u32) -> Result<()> {
    let list = Request::new("tools/list", "");
    let listed = connection.ask(&list)?.matches(r#""inputSchema""#).count();
    if listed != 100 {
        return Err(format!("{listed} tools were listed, not 100").into());
    }
    connection.repeat(&list, n)
}

/// Creates a task and polls it until it is done, `n` times.
fn lives(connection: &mut Connection, n: u32) -> Result<()> {
    let finish = Request::call("finish", "{}");
    for _ in 0..n {
        let get = get(&task_id(connection.ask(&finish)?)?);
        while !connection.ask(&get)?.contains(r#""status":"completed""#) {}
    }
    Ok(())
}
