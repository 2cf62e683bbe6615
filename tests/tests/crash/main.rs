//! A server with two hundred tasks at work is killed again and again, at moments chosen by chance.
//!
//! After each restart every task that a client was ever told of is there; what has ended has ended as it did; no step that
//! was recorded is done again; no key makes two tasks. In the end nothing is at work any more. `MCP_CRASH_SEED` repeats a
//! run, as far as the moments go, and `MCP_CRASH_ROUNDS` says how often the server dies.

mod client;
mod marks;
mod server;

use std::path::PathBuf;

use client::Client;
use marks::Marks;
use server::Server;

/// Tasks that are not over, while the server is up.
const AT_WORK: usize = 200;

/// A folder that is gone when the test is over, unless it failed.
struct Folder(PathBuf);

impl Folder {
    fn new(seed: u64) -> Self {
        let path = std::env::temp_dir().join(format!("mcp-crash-{}-{seed}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what is left is in {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// Numbers by chance, the same for the same seed (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("it is below a usize")
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is no number: {value}")))
}

#[test]
fn a_server_that_is_killed_loses_nothing_and_does_nothing_twice() {
    let seed = number("MCP_CRASH_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        u64::from(now.expect("it is later than 1970").subsec_nanos())
    });
    let rounds = number("MCP_CRASH_ROUNDS").unwrap_or(50);
    println!("MCP_CRASH_SEED={seed} MCP_CRASH_ROUNDS={rounds}");
    let (folder, mut random) = (Folder::new(seed), Random(seed));
    let mut client = Client::default();
    for round in 0..rounds {
        // Sometimes before everything was looked at again, and mostly in the middle of the work that follows.
        let lines = match random.below(10) {
            0 => random.below(200),
            _ => client.known() + random.below(400),
        };
        let mut server = Server::start(&folder.0, Some(lines));
        client.visit(&mut server, &mut random);
        client.is_cut_off();
        Marks::read(&folder.0).check();
        println!("round {round}: {client}");
    }
    let mut server = Server::start(&folder.0, None);
    client.finish(&mut server);
    let listed = client.list(&mut server);
    server.close();
    let marks = Marks::read(&folder.0);
    marks.check();
    client.check(&listed, &marks);
    println!("{client}\n{marks}");
}
