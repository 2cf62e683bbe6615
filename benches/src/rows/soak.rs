//! Many clients that wait: what each takes of the server's memory, and whether it still answers others.

use std::process::Command;

use super::{Bench, add};
use crate::driver::{Connection, Stream, Wire};
use crate::measure::resident;
use crate::servers::{Over, Peer, Tools};
use crate::table::{Row, Verdict, cell};
use crate::{Result, said};

/// Streams of `subscriptions/listen`, and as many legacy sessions, each with its GET stream open, at once.
pub(super) fn soak(bench: &Bench) -> Vec<Row> {
    let count = bench.choose(5_000, 500);
    let [ours, rmcp] = [Peer::Ours, Peer::Rmcp].map(|peer| said(peer.name(), waiting(bench, peer, count)));
    let kibibytes = |value: f64| format!("{value:.1} KiB");
    let memory = |name, of: fn(&Waiting) -> Option<f64>| Row {
        ours: cell(ours.as_ref().and_then(of), kibibytes),
        verdict: Verdict::at_most(40.0, ours.as_ref().and_then(of)),
        rmcp: cell(rmcp.as_ref().and_then(of), kibibytes),
        ..Row::new(name, "<= 40 KiB each")
    };
    let answered = |waiting: &Option<Waiting>| {
        cell(waiting.as_ref(), |waiting| format!("{} of {count}", waiting.answered))
    };
    vec![
        memory("soak-listen", |waiting| waiting.listen),
        memory("soak-session", |waiting| waiting.session),
        Row {
            ours: answered(&ours),
            verdict: Verdict::at_most(0.0, ours.as_ref().map(|waiting| f64::from(count - waiting.answered))),
            rmcp: answered(&rmcp),
            ..Row::new("soak-answer", "every call among them")
        },
    ]
}

struct Waiting {
    /// KiB a stream, if the server has such streams.
    listen: Option<f64>,
    /// KiB a session with its stream.
    session: Option<f64>,
    /// Calls that were answered while all of them waited.
    answered: u32,
}

fn waiting(bench: &Bench, peer: Peer, count: u32) -> Result<Waiting> {
    eprintln!("  {count} streams and {count} sessions on {}", peer.name());
    // Both ends of each connection are a file, here and in the server, which inherits the limit.
    let files = format!("--nofile={}", 2 * count + 1_000);
    if !Command::new("prlimit").args(["--pid", &std::process::id().to_string(), &files]).status()?.success() {
        return Err(format!("the limit of open files cannot be raised: prlimit {files} was refused").into());
    }
    let mut connection = bench.open(peer, Tools::Plain, Over::Http, Wire::Modern)?;
    let add = add();
    connection.repeat(&add, 100)?;
    let (listeners, listen) = said(peer.name(), open(&mut connection, Wire::Modern, count)).unzip();
    let (sessions, session) = said(peer.name(), open(&mut connection, Wire::Legacy, count)).unzip();
    let answered = (0..count).take_while(|_| connection.ask(&add).is_ok()).count() as u32;
    drop((listeners, sessions));
    Ok(Waiting { listen, session, answered })
}

/// Opens streams that wait, and gives the KiB that each takes.
fn open(connection: &mut Connection, wire: Wire, count: u32) -> Result<(Vec<Stream>, f64)> {
    let before = resident(connection)?;
    let streams: Result<Vec<Stream>> = (0..count).map(|_| connection.idle_stream(wire)).collect();
    let bytes = resident(connection)? - before;
    Ok((streams?, bytes / 1024.0 / f64::from(count)))
}
