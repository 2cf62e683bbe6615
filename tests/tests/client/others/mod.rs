//! Servers that are not ours.

mod fastmcp;
mod rmcp;
mod typescript;

use std::io::{BufRead as _, BufReader, Read};
use std::process::Child;

/// A server in a process of its own. Dropping it kills it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, and need not be.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until a server says where it listens, and takes what it says from then on, so that its pipe never fills up.
fn wait_until_it_listens(name: &str, says: impl Read + Send + 'static, where_: &str) {
    let mut lines = BufReader::new(says).lines();
    let is_there = lines.any(|line| line.is_ok_and(|line| line.contains(where_)));
    assert!(is_there, "{name} does not say where it listens");
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
}
