//! A server as a child process: one message a line, over its standard input and output.

use std::fmt;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};

use super::pending::Pending;
use super::{BoxFuture, Broken, Link, Outcome, Outgoing};
use crate::client::peer::Peer;

/// How long a server may take to end when its input has ended, before it is killed.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Messages that wait to be written; who sends more waits as well.
const QUEUE: usize = 64;

/// The longest line of its standard error that is told in one piece, in bytes.
const LONGEST_ERROR: u64 = 64 * 1024;

/// Who hears what a server writes to its standard error, a line at a time.
pub(in crate::client) type OnStderr = Arc<dyn Fn(String) + Send + Sync>;

/// How a server is started, as often as that is needed.
#[derive(Clone)]
pub(in crate::client) struct Program {
    command: Arc<Mutex<Command>>,
    on_stderr: Option<OnStderr>,
}

impl Program {
    pub(in crate::client) fn new(command: std::process::Command, on_stderr: Option<OnStderr>) -> Self {
        let mut command = Command::from(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        if on_stderr.is_some() {
            command.stderr(Stdio::piped());
        }
        Self { command: Arc::new(Mutex::new(command)), on_stderr }
    }

    fn command(&self) -> MutexGuard<'_, Command> {
        self.command.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> io::Result<Child> {
        let mut child = self.command().spawn()?;
        if let (Some(on_stderr), Some(stderr)) = (&self.on_stderr, child.stderr.take()) {
            tokio::spawn(tell(stderr, Arc::clone(on_stderr)));
        }
        Ok(child)
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.command().as_std().get_program().display())
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.command()).finish()
    }
}

pub(in crate::client) struct Process {
    /// What is to be written; none once the input has ended.
    input: Mutex<Option<mpsc::Sender<String>>>,
    pending: Pending,
    ended: watch::Receiver<bool>,
}

impl Process {
    /// Starts the server. Must be called within a Tokio runtime that has its I/O and time enabled.
    pub(in crate::client) fn open(
        program: &Program,
        peer: Arc<Peer>,
        limit: usize,
    ) -> io::Result<Arc<dyn Link>> {
        let mut child = program.start()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the process has no pipes"));
        };
        let (input, lines) = mpsc::channel(QUEUE);
        let (end, ended) = watch::channel(false);
        Ok(Arc::new_cyclic(|link: &Weak<Self>| {
            let writing = tokio::spawn(write(stdin, lines));
            let link = Weak::clone(link);
            tokio::spawn(async move {
                let mut read = std::pin::pin!(read(stdout, limit, link.clone(), peer));
                let why = tokio::select! {
                    why = &mut read => why,
                    // Its input has ended, so its output will, unless the process hangs.
                    _ = writing => match tokio::time::timeout(LAST_WORDS, read).await {
                        Ok(why) => why,
                        Err(_) => "the server did not end with its input".to_owned(),
                    },
                };
                if let Some(link) = link.upgrade() {
                    link.pending.break_off(why);
                    link.end_input();
                }
                if tokio::time::timeout(LAST_WORDS, child.wait()).await.is_err() {
                    // It is killed, too, when it is dropped; here somebody may wait for it.
                    if let Err(error) = child.kill().await {
                        tracing::warn!(%error, "the server's process cannot be killed");
                    }
                }
                let _ = end.send(true);
            });
            Self { input: Mutex::new(Some(input)), pending: Pending::default(), ended }
        }))
    }

    fn end_input(&self) {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    async fn write(&self, message: Outgoing) -> Result<(), Broken> {
        let input = self.input.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(input) = input else { return Err(Broken::Unsent(self.pending.why())) };
        input.send(message.text).await.map_err(|_| Broken::Unsent("the server's input is closed".to_owned()))
    }
}

impl Link for Process {
    fn exchange(&self, request: Outgoing) -> BoxFuture<'_, Result<Outcome, Broken>> {
        Box::pin(async move {
            let waiting = self.pending.wait(request.id.unwrap_or_default())?;
            self.write(request).await?;
            waiting.answer().await
        })
    }

    fn send(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Broken>> {
        Box::pin(self.write(message))
    }

    fn is_open(&self) -> bool {
        self.pending.is_open()
    }

    fn closed(&self) -> BoxFuture<'_, ()> {
        let mut ended = self.ended.clone();
        Box::pin(async move {
            // It fails when the task that says so is gone, which is the end, too.
            let _ = ended.wait_for(|ended| *ended).await;
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.end_input();
        self.closed()
    }
}

/// Writes lines, until nobody has any more. Then the server's input ends.
async fn write(mut stdin: ChildStdin, mut lines: mpsc::Receiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        if let Err(error) = stdin.write_all(line.as_bytes()).await {
            tracing::debug!(%error, "the server does not read any more");
            return;
        }
    }
}

/// Reads lines to the end, and says why that was it.
async fn read(stdout: ChildStdout, limit: usize, link: Weak<Process>, peer: Arc<Peer>) -> String {
    let mut lines = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut next = (&mut lines).take(limit as u64 + 1);
        match next.read_until(b'\n', &mut line).await {
            Ok(0) => return "the server's process has ended".to_owned(),
            Ok(_) if line.len() > limit => {
                return format!("the server sent a message of more than {limit} bytes");
            }
            Ok(_) => {}
            Err(error) => return format!("the server's output cannot be read: {error}"),
        }
        let Some(link) = link.upgrade() else { return "the client was dropped".to_owned() };
        let dynamic: Arc<dyn Link> = Arc::<Process>::clone(&link);
        match std::str::from_utf8(&line) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => peer.hear(text, &dynamic, |id, outcome| link.pending.settle(id, outcome)),
            Err(error) => tracing::warn!(%error, "the server sent a line that is no text"),
        }
    }
}

/// Tells the lines of a server's standard error, to its end. What is no text is told as well as it can be.
async fn tell(stderr: ChildStderr, on_stderr: OnStderr) {
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut lines).take(LONGEST_ERROR).read_until(b'\n', &mut line).await {
        on_stderr(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
}
