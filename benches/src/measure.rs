//! The instruments: instructions from callgrind, system calls from perf or strace, CPU time and memory from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::driver::{Connection, Wire};
use crate::servers::Launch;

/// What is done on a connection, so and so many times.
pub(crate) type Work<'a> = &'a dyn Fn(&mut Connection, u32) -> Result<()>;

/// How many times the work is done in the short run and in the long one. What one time costs is the slope between the
/// two, so that start-up, the handshake and the end cancel out.
#[derive(Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) short: u32,
    pub(crate) long: u32,
}

impl Counts {
    fn slope(self, total: impl Fn(u32) -> Result<u64>) -> Result<f64> {
        let (short, long) = (total(self.short)?, total(self.long)?);
        Ok((long as f64 - short as f64) / f64::from(self.long - self.short))
    }
}

/// Instructions that the server executes for one piece of work, in all its threads, the kernel's not counted.
pub(crate) fn instructions(launch: &Launch, wire: Wire, counts: Counts, work: Work<'_>) -> Result<f64> {
    require("valgrind", "--version")?;
    counts.slope(|count| {
        let report = report_path("callgrind");
        let out = format!("--callgrind-out-file={report}");
        run(launch, &["valgrind", "--tool=callgrind", &out], wire, count, work)?;
        let text = take(report)?;
        let totals =
            text.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("callgrind gave no totals")?;
        Ok(totals.trim().parse()?)
    })
}

/// System calls that the server makes for one piece of work.
///
/// perf counts them without holding the server up. strace stops it at each one, so that threads sleep and are woken more
/// often than they would be; it stands in where the kernel keeps its tracepoints to itself.
pub(crate) fn system_calls(launch: &Launch, wire: Wire, counts: Counts, work: Work<'_>) -> Result<f64> {
    const PERF: [&str; 5] = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter"];
    if succeeds(&[&PERF[..], &["true"]].concat()) {
        return counts.slope(|count| {
            let report = report_path("perf");
            let watcher = [&PERF[..], &["-o", &report]].concat();
            run(launch, &watcher, wire, count, work)?;
            let text = take(report)?;
            let line = text.lines().find(|line| line.contains("sys_enter")).ok_or("perf gave no count")?;
            Ok(line.split(',').next().unwrap_or_default().parse()?)
        });
    }
    eprintln!("perf cannot count system calls here: strace does, and slows the server down");
    require("strace", "-V")?;
    counts.slope(|count| {
        let report = report_path("strace");
        run(launch, &["strace", "-f", "-c", "-o", &report], wire, count, work)?;
        let text = take(report)?;
        let total = text.lines().rfind(|line| line.ends_with(" total")).ok_or("strace gave no total")?;
        Ok(total.split_whitespace().nth(3).ok_or("strace's total has no count")?.parse()?)
    })
}

/// How often a process waits for the disk, for one piece of work: `run` does so many under a watcher.
pub(crate) fn syncs(count: u32, run: impl Fn(&[&str], u32) -> Result<()>) -> Result<f64> {
    require("strace", "-V")?;
    let counts = Counts { short: count / 5, long: count };
    counts.slope(|count| {
        let report = report_path("strace");
        run(&["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", &report], count)?;
        let text = take(report)?;
        let calls = text.lines().filter(|line| line.ends_with("sync"));
        calls
            .map(|line| Ok(line.split_whitespace().nth(3).ok_or("a line without a count")?.parse::<u64>()?))
            .sum()
    })
}

fn run(launch: &Launch, watcher: &[&str], wire: Wire, count: u32, work: Work<'_>) -> Result<()> {
    let mut connection = Connection::open(launch.under(watcher), &launch.door, wire)?;
    work(&mut connection, count)?;
    connection.close()
}

fn require(tool: &str, version: &str) -> Result<()> {
    if succeeds(&[tool, version]) {
        Ok(())
    } else {
        Err(format!("skipped: {tool} is not installed (apt-get install {tool})").into())
    }
}

fn succeeds(command: &[&str]) -> bool {
    let mut program = Command::new(command[0]);
    program.args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null());
    program.status().is_ok_and(|status| status.success())
}

fn report_path(tool: &str) -> String {
    let file = format!("benches-{}.{tool}", std::process::id());
    std::env::temp_dir().join(file).display().to_string()
}

fn take(report: String) -> Result<String> {
    let text = fs::read_to_string(&report)?;
    fs::remove_file(report)?;
    Ok(text)
}

/// The CPU time of a process up to now, user and system, by thread.
pub(crate) struct Cpu(HashMap<String, u64>);

impl Cpu {
    /// The scheduler's own nanoseconds: `/proc/<pid>/stat` counts in hundredths of a second, too coarse for a short run.
    pub(crate) fn of(connection: &Connection) -> Result<Self> {
        // A runtime's threads look around for a moment before they sleep; that belongs to the work that woke them.
        std::thread::sleep(Duration::from_millis(3));
        let mut threads = HashMap::new();
        for thread in fs::read_dir(format!("/proc/{}/task", connection.pid()))? {
            let thread = thread?;
            let schedstat = fs::read_to_string(thread.path().join("schedstat"))?;
            let nanoseconds = schedstat.split(' ').next().ok_or("an empty schedstat")?.parse()?;
            threads.insert(thread.file_name().to_string_lossy().into_owned(), nanoseconds);
        }
        Ok(Self(threads))
    }

    /// Microseconds between `earlier` and this.
    pub(crate) fn since(&self, earlier: &Self) -> f64 {
        let spent = |(thread, now): (&String, &u64)| now.saturating_sub(*earlier.0.get(thread).unwrap_or(&0));
        self.0.iter().map(spent).sum::<u64>() as f64 / 1e3
    }
}

/// Microseconds of the server's CPU for one piece of work, on a connection that is already open.
pub(crate) fn cpu(connection: &mut Connection, count: u32, work: Work<'_>) -> Result<f64> {
    let before = Cpu::of(connection)?;
    work(connection, count)?;
    Ok(Cpu::of(connection)?.since(&before) / f64::from(count))
}

/// Bytes of memory that are resident for the server.
pub(crate) fn resident(connection: &Connection) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", connection.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0)
}

/// Seconds of CPU, user and system, of all children of this program that have ended and were waited for.
pub(crate) fn cpu_of_children() -> Result<f64> {
    // Hundredths of a second, which is what the kernel counts in here on every common configuration.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name in parentheses may hold spaces; what follows it starts with field 3.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let (user, system): (f64, f64) = (fields[13].parse()?, fields[14].parse()?);
    Ok((user + system) / TICKS)
}
