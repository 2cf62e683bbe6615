//! The server as a process that dies after so many lines.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use tests::wait_for_exit;

/// A server, until it is killed.
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// How many lines it may still say; as many as it likes if there is no number.
    lines_left: Option<usize>,
}

impl Server {
    pub(crate) fn start(folder: &Path, lines: Option<usize>) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_survivor"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Self { stdin: child.stdin.take(), child, stdout, lines_left: lines }
    }

    /// Whether it is not to be killed.
    pub(crate) fn is_final(&self) -> bool {
        self.lines_left.is_none()
    }

    /// Sends a message; a server that is dead does not get it.
    pub(crate) fn send(&mut self, message: &Value) {
        if let Some(stdin) = &mut self.stdin {
            let sent = stdin.write_all(format!("{message}\n").as_bytes());
            assert!(sent.is_ok() || self.lines_left == Some(0), "the server died by itself");
        }
    }

    /// The next message. Where the server has said enough, it is killed; what it had said by then is still read.
    pub(crate) fn next(&mut self) -> Option<Value> {
        if self.lines_left == Some(0) && self.stdin.is_some() {
            // Its input ends after that, or it would begin to stop in good order.
            self.child.kill().expect("it can be killed");
            self.stdin = None;
        }
        let mut line = Vec::new();
        let read = self.stdout.read_until(b'\n', &mut line).expect("it can be read");
        if read == 0 {
            assert_eq!(self.lines_left, Some(0), "the server ended by itself");
            wait_for_exit(&mut self.child);
            return None;
        }
        if let Some(left) = &mut self.lines_left {
            *left = left.saturating_sub(1);
        }
        match serde_json::from_slice(&line) {
            Ok(message) => Some(message),
            // The last line of one that was killed may be cut.
            Err(_) if self.lines_left == Some(0) => None,
            Err(error) => panic!("a line is no JSON: {error}: {}", String::from_utf8_lossy(&line)),
        }
    }

    /// Ends the server as its host would.
    pub(crate) fn close(mut self) {
        self.stdin = None;
        let status = wait_for_exit(&mut self.child);
        assert!(status.success(), "the server ended with {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that is gone already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
