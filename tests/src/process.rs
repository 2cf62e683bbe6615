//! A server as a process: lines in, lines out, and never a wait without an end.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Wire;
use crate::witness::Witness;

/// How long anything may take before it counts as hanging. No test measures time by it.
const DEADLINE: Duration = Duration::from_secs(60);

/// How many messages are told of when something went wrong.
const TOLD: usize = 30;

/// How much of each of them.
const TOLD_BYTES: usize = 600;

/// A server on standard input and output. Everything that it says passes the [`Witness`].
///
/// Dropping it ends the input, reads what is left, and checks that the process then ends well.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<Vec<u8>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    witness: Witness,
    pub(crate) wire: Wire,
    /// What the client declares that it can do, beside tasks.
    pub(crate) capabilities: Value,
    pub(crate) last_id: i64,
    answers: HashMap<String, Value>,
    notifications: VecDeque<Value>,
    questions: VecDeque<Value>,
    last_messages: VecDeque<String>,
}

/// What a server still said after its input had ended.
#[derive(Debug)]
pub struct Remains {
    /// The messages that nobody had waited for before.
    pub messages: Vec<Value>,
    /// All that was written to standard error.
    pub stderr: String,
}

impl Process {
    /// Starts a program.
    pub fn start(program: impl AsRef<OsStr>, arguments: &[&str]) -> Self {
        let mut child = Command::new(program.as_ref())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.as_ref().display()));
        let (sender, stdout) = channel();
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let reader = std::thread::spawn(move || {
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                // Whoever waited for it may have given up.
                let _ = sender.send(std::mem::take(&mut line));
            }
        });
        let stderr = Arc::new(Mutex::new(String::new()));
        let mut errors = child.stderr.take().expect("stderr is a pipe");
        let collector = std::thread::spawn({
            let stderr = Arc::clone(&stderr);
            move || {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = errors.read(&mut chunk) {
                    let text = String::from_utf8_lossy(&chunk[..count]);
                    stderr.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            stdout,
            stderr,
            readers: vec![reader, collector],
            witness: Witness::default(),
            wire: Wire::Modern,
            capabilities: json!({}),
            last_id: 0,
            answers: HashMap::new(),
            notifications: VecDeque::new(),
            questions: VecDeque::new(),
            last_messages: VecDeque::new(),
        }
    }

    /// Sends a message.
    pub fn send(&mut self, message: &Value) {
        self.witness.sent(message);
        self.write(format!("{message}\n").as_bytes());
    }

    /// Sends a message in a spelling of one's own.
    pub fn send_spelled(&mut self, spelling: &str) {
        let message = serde_json::from_str(spelling).expect("the spelling of a message is JSON");
        self.witness.sent(&message);
        self.write(format!("{spelling}\n").as_bytes());
    }

    /// Sends a line as it is, which need not be a message.
    pub fn send_text(&mut self, line: &str) {
        self.send_bytes(format!("{line}\n").as_bytes());
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.witness.sent_unseen();
        self.write(bytes);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.note('>', &String::from_utf8_lossy(&bytes[..bytes.len().min(TOLD_BYTES)]));
        let stdin = self.stdin.as_mut().expect("the input has not ended");
        if let Err(error) = stdin.write_all(bytes).and_then(|()| stdin.flush()) {
            panic!("the server does not take what is sent: {error}\n{}", self.told());
        }
    }

    /// Ends the server's input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The next message of any kind, whether or not somebody waits for it. `None` once the server has closed its end.
    pub fn next_message(&mut self) -> Option<Value> {
        let line = match self.stdout.recv_timeout(DEADLINE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => panic!("no message came within {DEADLINE:?}\n{}", self.told()),
        };
        self.note('<', &String::from_utf8_lossy(&line[..line.len().min(TOLD_BYTES)]));
        let message: Value = match serde_json::from_slice(&line) {
            Ok(message) => message,
            Err(error) => panic!("stdout holds a line that is no JSON: {error}\n{}", self.told()),
        };
        if let Err(wrong) = self.witness.received(&message) {
            panic!("the server said what it must not say: {wrong}\nin {message}\n{}", self.told());
        }
        Some(message)
    }

    /// Waits for the response to a request, as it is.
    pub fn response(&mut self, id: &Value) -> Value {
        loop {
            if let Some(response) = self.answers.remove(&id.to_string()) {
                return response;
            }
            let Some(message) = self.next_message() else {
                panic!("the server ended without answering request {id}\n{}", self.told());
            };
            self.keep(message);
        }
    }

    /// Waits for the next notification.
    pub fn notification(&mut self) -> Value {
        self.notification_that(|_| true)
    }

    /// Waits for the next notification of a certain kind; others are kept.
    pub fn notification_that(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(at) = self.notifications.iter().position(&fits) {
                return self.notifications.remove(at).expect("it was just found");
            }
            let Some(message) = self.next_message() else {
                panic!("the server ended without a notification\n{}", self.told());
            };
            self.keep(message);
        }
    }

    /// Waits for the next request of the server's.
    pub fn question(&mut self) -> Value {
        loop {
            if let Some(question) = self.questions.pop_front() {
                return question;
            }
            let Some(message) = self.next_message() else {
                panic!("the server ended without asking anything\n{}", self.told());
            };
            self.keep(message);
        }
    }

    /// The requests of the server's that came so far and that nobody waited for, which are then forgotten.
    pub fn other_questions(&mut self) -> Vec<Value> {
        self.questions.drain(..).collect()
    }

    /// The notifications that came so far, which are then forgotten.
    pub fn notifications(&mut self) -> Vec<Value> {
        self.notifications.drain(..).collect()
    }

    /// The responses that came so far and that nobody waited for, which are then forgotten.
    pub fn other_responses(&mut self) -> Vec<Value> {
        self.answers.drain().map(|(_, response)| response).collect()
    }

    fn keep(&mut self, message: Value) {
        match message {
            Value::Array(batch) => batch.into_iter().for_each(|message| self.keep(message)),
            message if message.get("method").is_some() && message.get("id").is_some() => {
                self.questions.push_back(message);
            }
            message if message.get("method").is_some() => self.notifications.push_back(message),
            message => {
                let id = message.get("id").unwrap_or(&Value::Null).to_string();
                self.answers.insert(id, message);
            }
        }
    }

    /// Ends the input, reads what is left, and checks that the process ends with success.
    pub fn close(mut self) -> Remains {
        self.finish()
    }

    /// Kills the process, which has no chance to do anything about it.
    pub fn kill(mut self) {
        self.child.kill().expect("a process can be killed");
        self.child.wait().expect("a child can be waited for");
        for reader in self.readers.drain(..) {
            reader.join().expect("reading a pipe does not panic");
        }
    }

    fn finish(&mut self) -> Remains {
        self.end_input();
        let mut messages: Vec<Value> = self.notifications.drain(..).chain(self.questions.drain(..)).collect();
        messages.extend(self.answers.drain().map(|(_, response)| response));
        messages.extend(std::iter::from_fn(|| self.next_message()));
        let status = wait_for_exit(&mut self.child);
        for reader in self.readers.drain(..) {
            reader.join().expect("reading a pipe does not panic");
        }
        assert!(status.success(), "the server ended with {status}\n{}", self.told());
        Remains {
            messages,
            stderr: std::mem::take(&mut self.stderr.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    fn note(&mut self, direction: char, text: &str) {
        self.last_messages.push_back(format!("{direction} {}", text.trim_end()));
        if self.last_messages.len() > TOLD {
            self.last_messages.pop_front();
        }
    }

    /// What a person needs to know of a test that failed.
    fn told(&self) -> String {
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let messages: Vec<&str> = self.last_messages.iter().map(String::as_str).collect();
        format!("last messages:\n{}\nstderr:\n{stderr}", messages.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nothing more to learn; a process that is gone already cannot be killed.
            let _ = self.child.kill();
            let _ = self.child.wait();
        } else if !self.readers.is_empty() {
            self.finish();
        }
    }
}

/// Waits for a process to end.
///
/// # Panics
///
/// If it does not.
pub fn wait_for_exit(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => return status,
            None if start.elapsed() > DEADLINE => {
                let _ = child.kill();
                panic!("the process did not end within {DEADLINE:?}");
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}
