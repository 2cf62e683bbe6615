//! Lines that somebody types.
//!
//! A line that was begun to be read cannot be given up, so it is read on a thread of its own: nobody waits for that at the
//! end. The terminal does the editing, and Ctrl-C stays a signal.

use std::io;
use std::sync::mpsc;

use tokio::sync::{Mutex, oneshot};

/// Who waits for a line.
type Waiting = oneshot::Sender<Option<String>>;

#[derive(Debug)]
pub(super) struct Lines {
    requests: mpsc::Sender<Waiting>,
    /// A line that was asked for by somebody who did not wait for it.
    begun: Mutex<Option<oneshot::Receiver<Option<String>>>>,
}

impl Lines {
    /// Lines of standard input.
    pub(super) fn of_stdin() -> Self {
        let (requests, asked) = mpsc::channel::<Waiting>();
        std::thread::spawn(move || {
            while let Ok(waiting) = asked.recv() {
                let mut line = String::new();
                let read = io::stdin().read_line(&mut line);
                // Whoever asked may be gone.
                let _ = waiting.send(read.is_ok_and(|bytes| bytes > 0).then_some(line));
            }
        });
        Self { requests, begun: Mutex::new(None) }
    }

    /// The next line, without its end; `None` at the end of the input, which a terminal can have several times.
    ///
    /// Cancel safe: a line that nobody waited for is given to who asks next.
    pub(super) async fn next(&self) -> Option<String> {
        let mut begun = self.begun.lock().await;
        let line = if let Some(line) = begun.as_mut() {
            line
        } else {
            let (waiting, line) = oneshot::channel();
            self.requests.send(waiting).ok()?;
            begun.insert(line)
        };
        let line = line.await.ok().flatten();
        *begun = None;
        line.map(|line| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
