//! The one place that writes: bars and colours at a terminal, plain lines elsewhere, JSON for scripts.
//!
//! Results go to standard output, and everything else to standard error, so that results can be piped on.

mod bars;
mod lines;
mod margin;
pub(crate) mod text;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use self::bars::Bars;
use self::lines::Lines;
use crate::arguments::Manner;
use crate::event::{About, Event, aside};

#[derive(Debug)]
pub(crate) struct Screen {
    mode: Mode,
    is_quiet: bool,
    inner: Mutex<Inner>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Json,
    /// For a file, a pipe, or a terminal that only takes part of what is written.
    Lines,
    Bars,
}

#[derive(Debug)]
struct Inner {
    bars: Bars,
    lines: Lines,
    /// While somebody is asked something: what they were asked last. What else there is to write waits.
    held: Option<String>,
    waiting: Vec<(Stream, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

impl Screen {
    pub(crate) fn new(manner: &Manner) -> Self {
        let is_terminal = io::stdout().is_terminal() && io::stderr().is_terminal();
        let mode = match (manner.json, is_terminal) {
            (true, _) => Mode::Json,
            (false, true) => Mode::Bars,
            (false, false) => Mode::Lines,
        };
        let inner = Inner { bars: Bars::new(), lines: Lines::default(), held: None, waiting: Vec::new() };
        Self { mode, is_quiet: manner.quiet, inner: Mutex::new(inner) }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.mode == Mode::Json
    }

    /// How wide a line may be; there is no end to it but at a terminal.
    pub(crate) fn width(&self) -> usize {
        match self.mode {
            Mode::Bars => usize::from(console::Term::stdout().size().1).max(20),
            Mode::Json | Mode::Lines => usize::MAX,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what was asked for.
    pub(crate) fn out(&self, text: &str) {
        self.inner().write(Stream::Out, text);
    }

    /// Says something beside: a sentence for people, an event of this name for scripts.
    pub(crate) fn say(&self, name: &str, members: Value, sentence: &str) {
        match self.mode {
            Mode::Json => self.out(&aside(name, members).to_string()),
            Mode::Lines | Mode::Bars => self.inner().write(Stream::Err, sentence),
        }
    }

    /// Says something that may be left out.
    pub(crate) fn mention(&self, name: &str, members: Value, sentence: &str) {
        if self.is_json() || !self.is_quiet {
            self.say(name, members, sentence);
        }
    }

    /// Says something for people that cannot wait, even while they are asked something.
    pub(crate) fn urgent(&self, sentence: &str) {
        if self.is_json() {
            return self.say("note", json!({ "text": sentence }), sentence);
        }
        let mut inner = self.inner();
        match inner.held.clone() {
            Some(question) => {
                write(Stream::Err, &format!("\n{sentence}"));
                write_raw(&question);
            }
            None => inner.write(Stream::Err, sentence),
        }
    }

    /// Tells what happened to a call.
    pub(crate) fn tell(&self, about: &About<'_>) {
        if self.is_json() {
            // Texts, numbers and JSON are all that an event is made of, so this cannot fail.
            return self.out(&serde_json::to_string(about).unwrap_or_default());
        }
        let mut inner = self.inner();
        if self.mode == Mode::Bars && !self.is_quiet {
            inner.draw(about);
        }
        let width = self.width();
        let is_drawn = self.mode == Mode::Bars;
        let line = inner.lines.of(about, is_drawn, width);
        let is_needed = matches!(about.event, Event::Failed { .. } | Event::Left { .. });
        if let Some(line) = line.filter(|_| is_needed || !self.is_quiet) {
            inner.write(Stream::Err, &line);
        }
    }

    /// Keeps the screen for somebody who is asked something, until the guard is dropped.
    pub(crate) fn hold(&self) -> Held<'_> {
        let mut inner = self.inner();
        inner.bars.hide();
        inner.held = Some(String::new());
        Held(self)
    }

    /// Writes what still waits. Nothing is asked any more, and bars of what was left show how far it was.
    pub(crate) fn finish(&self) {
        let mut inner = self.inner();
        if inner.held.is_some() {
            write_raw("\n");
            inner.release();
        }
        if inner.bars.freeze() {
            write_raw("\n");
        }
    }
}

impl Inner {
    fn write(&mut self, stream: Stream, text: &str) {
        if self.held.is_some() {
            self.waiting.push((stream, text.to_owned()));
        } else {
            self.bars.suspend(|| write(stream, text));
        }
    }

    fn release(&mut self) {
        self.held = None;
        for (stream, text) in std::mem::take(&mut self.waiting) {
            write(stream, &text);
        }
        self.bars.show();
    }

    /// Moves the bars.
    fn draw(&mut self, about: &About<'_>) {
        let name = about.tool.or(about.task).unwrap_or_default();
        match &about.event {
            Event::Calling { .. } => self.bars.update(about.call, name, None, "called", &[]),
            Event::Task => self.bars.update(about.call, name, None, "", &[]),
            Event::Status(status) => {
                let message = status.message.unwrap_or(status.state);
                self.bars.update(about.call, name, status.progress, message, &status.children);
            }
            Event::Progress { progress, message } => {
                self.bars.update(about.call, name, Some(*progress), message.unwrap_or_default(), &[]);
            }
            Event::Partial { .. } => {}
            Event::Result { .. } | Event::Failed { .. } | Event::Left { .. } => self.bars.remove(about.call),
        }
    }
}

/// The screen, for somebody who is asked something.
#[derive(Debug)]
pub(crate) struct Held<'a>(&'a Screen);

impl Held<'_> {
    /// Writes a line, after which no question stands open.
    pub(crate) fn line(&self, text: &str) {
        self.question("");
        write(Stream::Err, text);
    }

    /// Writes a question, and stays on its line.
    pub(crate) fn question(&self, text: &str) {
        if let Some(held) = &mut self.0.inner().held {
            text.clone_into(held);
        }
        write_raw(text);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.inner().release();
    }
}

/// Writes lines. Whoever does not read any more misses nothing.
fn write(stream: Stream, text: &str) {
    let _ = match stream {
        Stream::Out => writeln!(io::stdout(), "{text}").and_then(|()| io::stdout().flush()),
        Stream::Err => writeln!(io::stderr(), "{text}"),
    };
}

fn write_raw(text: &str) {
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}
