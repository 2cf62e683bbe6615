//! Standard input and output: one message a line, and nothing else on stdout.
//!
//! A thread of its own reads with plain blocking reads and hands each line to the endpoint, so that a call which needs
//! no waiting is read, run and answered without leaving that thread: two system calls. What is answered later goes
//! through a second thread that writes. Both write through one queue, so answers that are ready together leave in one
//! write, in order. A client that does not read its answers stops being read from, until it reads or is gone.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use super::{Acceptor, Arrival, Client, Endpoint, Outbox, Transport, Wires, sealed};
use crate::task::Principal;

/// Serves one client over standard input and output, until its end of input.
///
/// At the end of input, calls that are running have the server's grace period to finish; then everything ends, and
/// [`Server::serve`](crate::Server::serve) returns. Nothing else in the process may read stdin or write stdout.
///
/// ```no_run
/// use mcp_runtime::prelude::*;
///
/// /// Add two numbers.
/// #[tool]
/// async fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), ServerError> {
///     Server::new("counter", "1.0.0").tools(tools![add]).serve(stdio()).await
/// }
/// ```
pub fn stdio() -> Stdio {
    Stdio { input: None, output: None }
}

/// The transport that [`stdio`] gives.
#[derive(Debug)]
#[must_use = "a transport does nothing until it is served"]
pub struct Stdio {
    input: Option<File>,
    output: Option<File>,
}

impl Stdio {
    /// Reads and writes these files or pipes instead, which speak the same protocol: one message a line.
    pub fn with(input: impl Into<File>, output: impl Into<File>) -> Self {
        Self { input: Some(input.into()), output: Some(output.into()) }
    }
}

impl Transport for Stdio {}

impl sealed::Sealed for Stdio {
    #[allow(private_interfaces)]
    fn serve(
        self: Box<Self>,
        acceptor: Arc<dyn Acceptor>,
    ) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> {
        Box::pin(async move {
            // Private handles: no buffer and no lock of the standard library's in between.
            let input = self.input.map_or_else(standard_input, Ok)?;
            let output = self.output.map_or_else(standard_output, Ok)?;
            run(input, output, &*acceptor).await
        })
    }
}

#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(unix)]
fn standard_output() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn standard_output() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdout().as_handle().try_clone_to_owned().map(File::from)
}

async fn run(input: File, output: File, acceptor: &dyn Acceptor) -> io::Result<()> {
    let outbox = Arc::new(Output::new(output));
    let channel: Arc<dyn Outbox> = Arc::<Output>::clone(&outbox);
    let home = Some(Arc::clone(&channel));
    let endpoint = acceptor.connect(Client { home, principal: Principal::local(), wires: Wires::Any });
    // Each thread says how it ended. The reader ends with the input; either ends when the client closed the output.
    let (ended, mut ends) = mpsc::unbounded_channel();
    spawn("mcp-stdout", &ended, {
        let outbox = Arc::clone(&outbox);
        move || outbox.write_until_closed()
    })?;
    spawn("mcp-stdin", &ended, {
        let (endpoint, outbox) = (Arc::clone(&endpoint), Arc::clone(&outbox));
        let limit = acceptor.max_message_size();
        move || Lines::new(input, limit).read_all(&*endpoint, &outbox, &channel)
    })?;
    drop(ended);
    let outcome = ends.recv().await.unwrap_or_else(|| Err(io::Error::other("the threads of stdio panicked")));
    acceptor.leave(endpoint).await;
    outbox.close();
    let outcome = match outcome {
        // The rest is still to be written. A client that reads no more must not keep the process alive.
        Ok(()) => tokio::time::timeout(LAST_WRITE, ends.recv()).await.ok().flatten().unwrap_or(Ok(())),
        Err(error) => Err(error),
    };
    match outcome {
        // A client that closed its end has what it wanted.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Starts a thread that says how it ended.
fn spawn(
    name: &str,
    ended: &mpsc::UnboundedSender<io::Result<()>>,
    work: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> io::Result<()> {
    let ended = ended.clone();
    // If nobody serves any more, there is nobody to tell.
    let work = move || drop(ended.send(work()));
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// How long a client may take, at the end, to read what is still to be written.
const LAST_WRITE: Duration = Duration::from_millis(500);

/// The lines of an input, each at most `limit` bytes long; of a longer one only the beginning is kept.
struct Lines<R> {
    input: R,
    limit: usize,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    skipping: bool,
}

const CHUNK: usize = 64 * 1024;

impl<R: Read> Lines<R> {
    fn new(input: R, limit: usize) -> Self {
        Self { input, limit, buffer: vec![0; CHUNK], start: 0, end: 0, skipping: false }
    }

    /// Hands every line to the endpoint, and sends what was answered whenever there is nothing more to take.
    fn read_all(
        mut self,
        endpoint: &dyn Endpoint,
        outbox: &Output,
        channel: &Arc<dyn Outbox>,
    ) -> io::Result<()> {
        let mut searched = 0;
        loop {
            while let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start + searched..self.end]) {
                let line_end = self.start + searched + at;
                if !std::mem::take(&mut self.skipping) {
                    self.deliver(endpoint, channel, line_end);
                }
                self.start = line_end + 1;
                searched = 0;
            }
            searched = self.end - self.start;
            outbox.write_queued()?;
            if self.skipping {
                (self.start, self.end, searched) = (0, 0, 0);
            } else if searched > self.limit {
                let kept = &self.buffer[self.start..self.end];
                let beginning = String::from_utf8_lossy(&kept[..kept.len().min(CHUNK)]);
                endpoint.refuse_oversized(&beginning, self.limit, outbox);
                (self.start, self.end, searched) = (0, 0, 0);
                self.skipping = true;
                outbox.write_queued()?;
            }
            if self.fill()? == 0 {
                // A last line needs no line end.
                if !self.skipping && searched > 0 {
                    self.deliver(endpoint, channel, self.end);
                    outbox.write_queued()?;
                }
                return Ok(());
            }
        }
    }

    /// Hands over the line from the start of the window to here, or what is wrong with it.
    fn deliver(&self, endpoint: &dyn Endpoint, channel: &Arc<dyn Outbox>, line_end: usize) {
        let line = &self.buffer[self.start..line_end];
        if line.len() > self.limit {
            let beginning = String::from_utf8_lossy(&line[..line.len().min(CHUNK)]);
            return endpoint.refuse_oversized(&beginning, self.limit, &**channel);
        }
        match std::str::from_utf8(line.trim_ascii()) {
            Ok("") => {}
            Ok(text) => {
                endpoint.receive(text, Arrival { channel, headers: None });
            }
            Err(_) => endpoint.refuse_not_utf8(&**channel),
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        } else if self.end == 0 && self.buffer.len() > 16 * CHUNK {
            // One large message is no reason to keep that much for good.
            self.buffer = vec![0; CHUNK];
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Queued bytes above which progress is left out.
const CONGESTED: usize = 1024 * 1024;

/// The queue in front of stdout.
struct Output {
    queue: Mutex<Queue>,
    /// Tells the writing thread that there is something, or that there will be nothing more.
    filled: Condvar,
    file: Mutex<File>,
    congested: AtomicBool,
    drained: Notify,
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    closed: bool,
}

impl Output {
    fn new(file: File) -> Self {
        Self {
            queue: Mutex::default(),
            filled: Condvar::new(),
            file: Mutex::new(file),
            congested: AtomicBool::new(false),
            drained: Notify::new(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.queue().closed = true;
        self.filled.notify_all();
    }

    /// Writes everything that is queued. Blocks as long as the client does not read.
    fn write_queued(&self) -> io::Result<()> {
        // The file is locked first, so that what was queued first is written first, whoever writes.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = std::mem::take(&mut self.queue().bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        file.write_all(&bytes)?;
        drop(file);
        if self.congested.swap(false, Ordering::AcqRel) {
            self.drained.notify_waiters();
        }
        // The buffer goes back, so that a steady exchange allocates nothing.
        bytes.clear();
        let mut queue = self.queue();
        if queue.bytes.capacity() == 0 && bytes.capacity() <= CONGESTED {
            queue.bytes = bytes;
        }
        Ok(())
    }

    fn write_until_closed(&self) -> io::Result<()> {
        loop {
            let mut queue = self.queue();
            while queue.bytes.is_empty() && !queue.closed {
                queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            let last = queue.closed;
            drop(queue);
            self.write_queued()?;
            if last {
                return Ok(());
            }
        }
    }
}

impl Outbox for Output {
    fn push(&self, message: &[u8]) {
        let mut queue = self.queue();
        queue.bytes.extend_from_slice(message);
        queue.bytes.push(b'\n');
        if queue.bytes.len() > CONGESTED {
            self.congested.store(true, Ordering::Release);
        }
    }

    fn flush(&self) {
        self.filled.notify_one();
    }

    fn is_open(&self) -> bool {
        !self.queue().closed
    }

    fn is_congested(&self) -> bool {
        self.congested.load(Ordering::Acquire)
    }

    fn drained(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            loop {
                let drained = self.drained.notified();
                if !self.is_congested() {
                    return;
                }
                drained.await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Received;

    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    impl Endpoint for Seen {
        fn receive(&self, message: &str, _: Arrival<'_>) -> Received {
            self.0.lock().expect("not poisoned").push(message.to_owned());
            Received::Silent
        }
        fn refuse_oversized(&self, beginning: &str, limit: usize, _: &dyn Outbox) {
            self.0.lock().expect("not poisoned").push(format!("over {limit}: {}", &beginning[..3]));
        }
        fn refuse_not_utf8(&self, _: &dyn Outbox) {
            self.0.lock().expect("not poisoned").push("not UTF-8".to_owned());
        }
        fn abandon(&self) {}
        fn come_home(&self) {}
        fn end_subscriptions(&self) {}
        fn drain(self: Arc<Self>, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(std::future::ready(()))
        }
        fn settle(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(std::future::ready(()))
        }
        fn finish(
            self: Arc<Self>,
            then: Pin<Box<dyn Future<Output = ()> + Send>>,
        ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            then
        }
    }

    /// Gives its bytes in pieces of the given size, as a pipe may.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lines(input: &[u8], piece: usize, limit: usize) -> Vec<String> {
        let seen = Seen::default();
        let sink = Arc::new(Output::new(tempfile()));
        let channel: Arc<dyn Outbox> = Arc::<Output>::clone(&sink);
        let lines = Lines::new(Pieces(input, piece), limit);
        lines.read_all(&seen, &sink, &channel).expect("reading goes well");
        seen.0.into_inner().expect("not poisoned")
    }

    fn tempfile() -> File {
        File::options()
            .write(true)
            .open(if cfg!(windows) { "NUL" } else { "/dev/null" })
            .expect("it is there")
    }

    #[test]
    fn lines_are_whole_however_they_arrive() {
        for piece in [1, 2, 7, 1000] {
            assert_eq!(lines(b"one\n\r\ntwo\r\n  \nthree", piece, 100), ["one", "two", "three"]);
        }
    }

    #[test]
    fn a_line_over_the_limit_is_refused_once_and_the_next_one_is_read() {
        assert_eq!(
            lines(&[&b"x".repeat(2000)[..], b"\nnext\n"].concat(), 65_536, 1000),
            ["over 1000: xxx", "next"]
        );
        let long = [&b"x".repeat(200_000)[..], b"\nnext\n"].concat();
        assert_eq!(lines(&long, 4096, 1000), ["over 1000: xxx", "next"]);
        assert_eq!(lines(&b"x".repeat(2000), 4096, 1000), ["over 1000: xxx"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_and_the_next_line_is_read() {
        assert_eq!(lines(b"\xff\xfe\nnext\n", 100, 100), ["not UTF-8", "next"]);
    }

    #[test]
    fn a_large_line_within_the_limit_arrives() {
        let large = [&b"y".repeat(300_000)[..], b"\n"].concat();
        assert_eq!(lines(&large, 65_536, 1_000_000)[0].len(), 300_000);
    }
}
