//! Rows of tasks that are kept in a file, and of what must not cost more for it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Bench, microseconds};
use crate::driver::{Connection, Request, Wire};
use crate::live::{get, task_id};
use crate::measure::{self, Counts};
use crate::rounds::interleave;
use crate::servers::{Launch, Over, Peer, Tools};
use crate::table::{Row, Verdict, cell, count};
use crate::{Result, said};

/// A directory for one server's file, which is gone with this.
struct Directory(PathBuf);

impl Directory {
    fn new(of: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("benches-{}-{of}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn launch(bench: &Bench, directory: &Directory) -> Result<Launch> {
    let file = directory.0.join("tasks.db");
    Ok(bench.servers.launch(Peer::OursDurable, Tools::Tasks, Over::Pipes)?.with(file.display().to_string()))
}

fn open(bench: &Bench, directory: &Directory) -> Result<Connection> {
    let launch = launch(bench, directory)?;
    Connection::open(launch.command(), &launch.door, Wire::Modern)
}

/// As many creations in flight as there are callers.
const CALLERS: u32 = 64;

/// Creations that are on the disk when they are answered, and polls.
pub(super) fn tasks(bench: &Bench) -> Vec<Row> {
    let wait = Request::call("wait", "{}");
    let tasks = bench.choose(6_400, 640);
    let costs = said("durable", costs(bench, &wait, tasks));
    let syncs = said("durable", syncs(bench, &wait, tasks));
    let memory = said("ours", memory_polls(bench, &wait));
    let polls = costs.as_ref().map(|costs| costs.poll);
    vec![
        Row {
            ours: cell(costs.as_ref().map(|costs| costs.create), microseconds),
            verdict: Verdict::at_most(40.0, costs.as_ref().map(|costs| costs.create)),
            ..Row::new("durable-create", "<= 40 us of CPU")
        },
        Row {
            ours: cell(syncs, |syncs| format!("1 for {:.0}", 1.0 / syncs)),
            verdict: Verdict::at_most(1.0 / 16.0, syncs),
            ..Row::new("durable-fsync", "<= 1 for 16 creations")
        },
        Row {
            ours: cell(polls, |polls| {
                let of_memory = cell(memory, |memory| count(1e6 / memory));
                format!("{} a second ({of_memory} from memory)", count(1e6 / polls))
            }),
            verdict: Verdict::at_most(1e6 / 20_000.0, polls),
            ..Row::new("durable-get", ">= 20,000 a second")
        },
    ]
}

/// Microseconds.
struct Costs {
    /// Of CPU.
    create: f64,
    /// On the wall.
    poll: f64,
}

fn costs(bench: &Bench, wait: &Request, tasks: u32) -> Result<Costs> {
    let directory = Directory::new("costs")?;
    let mut connection = open(bench, &directory)?;
    connection.stream(CALLERS, CALLERS, wait)?;
    let create = measure::cpu(&mut connection, tasks, &|connection, tasks| {
        connection.stream(tasks, CALLERS, wait).map(drop)
    })?;
    let poll = polls(bench, &mut connection, wait)?;
    Ok(Costs { create, poll })
}

fn memory_polls(bench: &Bench, wait: &Request) -> Result<f64> {
    let mut connection = bench.open(Peer::Ours, Tools::Tasks, Over::Pipes, Wire::Modern)?;
    polls(bench, &mut connection, wait)
}

/// Microseconds on the wall for a poll, with sixteen in flight; the best of some rounds, since nothing makes it faster
/// than it is.
fn polls(bench: &Bench, connection: &mut Connection, wait: &Request) -> Result<f64> {
    let get = get(&task_id(connection.ask(wait)?)?);
    let polls = bench.choose(20_000, 2_000);
    let mut best = f64::INFINITY;
    for _ in 0..bench.choose(7, 3) {
        let start = Instant::now();
        connection.stream(polls, 16, &get)?;
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(polls));
    }
    Ok(best)
}

/// How often a creation waits for the disk.
fn syncs(bench: &Bench, wait: &Request, tasks: u32) -> Result<f64> {
    measure::syncs(tasks, |watcher, tasks| {
        let directory = Directory::new("syncs")?;
        let launch = launch(bench, &directory)?;
        let mut connection = Connection::open(launch.under(watcher), &launch.door, Wire::Modern)?;
        connection.stream(tasks, CALLERS, wait)?;
        connection.close()
    })
}

/// A tool that says after each of a million steps how far it is, against one that never does.
pub(super) fn report(bench: &Bench) -> Vec<Row> {
    let steps = bench.choose(1_000_000, 200_000);
    let directory = said("durable", Directory::new("report"));
    let open_durable = || open(bench, directory.as_ref().ok_or("there is no directory")?);
    let mut memory = said("ours", bench.open(Peer::Ours, Tools::Tasks, Over::Pipes, Wire::Modern));
    let mut durable = said("durable", open_durable());
    let growth = |connection: &mut Option<Connection>| {
        let mut connection = connection.take()?;
        let [silent, reporting] = interleave([Some(false), Some(true)], bench.choose(5, 2), |reports| {
            measure::cpu(&mut connection, steps, &|connection, steps| work(connection, steps, *reports))
        });
        reporting.ratio(&silent).zip(reporting.median().zip(silent.median()))
    };
    let (memory, durable) = (growth(&mut memory), growth(&mut durable));
    let write = |(ratio, (reporting, silent)): (f64, (f64, f64))| {
        format!("{:+.1} % ({:.0} ns each)", (ratio - 1.0) * 100.0, (reporting - silent) * 1e3)
    };
    let worst = memory.zip(durable).map(|(memory, durable)| memory.0.max(durable.0));
    vec![Row {
        ours: format!("{}; in a file {}", cell(memory, write), cell(durable, write)),
        verdict: Verdict::at_most(1.05, worst),
        ..Row::new("report", "a million cost <= 5 %")
    }]
}

/// Works until it is done.
fn work(connection: &mut Connection, steps: u32, reports: bool) -> Result<()> {
    let work = Request::call("work", &format!(r#"{{"steps":{steps},"reports":{reports}}}"#));
    follow(connection, &work).map(drop)
}

/// Calls a tool, and asks for its task now and then until it is done. Gives how it is asked for.
fn follow(connection: &mut Connection, call: &Request) -> Result<Request> {
    let get = get(&task_id(connection.ask(call)?)?);
    while !connection.ask(&get)?.contains(r#""status":"completed""#) {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(get)
}

/// Bytes of the text in a large result.
const LARGE: f64 = 5.0 * 1024.0 * 1024.0;

/// A result of 5 MiB that is read from the file and sent; and its whole way, from the function to the client.
pub(super) fn large(bench: &Bench) -> Vec<Row> {
    let counts = bench.choose(Counts { short: 2, long: 12 }, Counts { short: 1, long: 5 });
    let large = Request::call("large", "{}");
    let done = |connection: &mut Connection| follow(connection, &large);
    let measure = |work: measure::Work<'_>| {
        let directory = Directory::new("large")?;
        let launch = launch(bench, &directory)?;
        let instructions = measure::instructions(&launch, Wire::Modern, counts, work)?;
        Ok(instructions / LARGE)
    };
    let sent = said(
        "durable",
        measure(&|connection, n| {
            let get = done(connection)?;
            connection.repeat(&get, n)
        }),
    );
    let whole =
        said("durable", measure(&|connection, n| (0..n).try_for_each(|_| done(connection).map(drop))));
    let write = |value: f64| format!("{value:.2} a byte");
    vec![
        Row {
            ours: cell(sent, write),
            verdict: Verdict::at_most(2.0, sent),
            exact: true,
            ..Row::new("large-get", "<= 2 instructions a byte")
        },
        Row { ours: cell(whole, write), ..Row::new("large-task", "(instructions a byte)") },
    ]
}
