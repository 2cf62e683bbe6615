//! The channel of one request, or of a session: what is said on it, until a client has read it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll, Waker};

use bytes::Bytes;
use tokio::sync::Notify;

use super::event;
use crate::transport::{Failure, Outbox};

/// Bytes that are waiting to be read above which progress is left out.
const CONGESTED: usize = 256 * 1024;

/// Bytes that were read and are kept for a client that lost its connection.
const KEPT: usize = 64 * 1024;

/// What is said on behalf of one request, or of a session's own.
///
/// It begins undecided: an answer with nothing before it may go out as one JSON body. Whatever else is said first makes
/// it a stream of events. One reader at a time gets what is said, the one that came last; when it goes, the one before it
/// goes on.
pub(super) struct Stream {
    form: Form,
    state: Mutex<State>,
    drained: Notify,
}

/// What a stream is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// Whether the client takes a stream of events, and not only one answer.
    pub(super) takes_events: bool,
    /// The number that its event ids begin with, if the client may come back for what it missed.
    pub(super) number: Option<u64>,
    /// Whether the client knows an event that says nothing, by which it can come back before anything was said; with the
    /// time after which it should, in milliseconds.
    pub(super) retry: Option<u32>,
}

/// The number of a session's own channel.
pub(super) const HOME: u64 = 0;

impl Form {
    fn is_home(&self) -> bool {
        self.number == Some(HOME)
    }
}

struct State {
    log: Log,
    answer: Option<Answer>,
    is_stream: bool,
    /// Nothing more is said.
    is_over: bool,
    /// Who reads is sent away, and comes back.
    is_suspended: bool,
    readers: Vec<Attached>,
    last_reader: u32,
}

/// An answer that had nothing before it.
pub(super) struct Answer {
    pub(super) message: Vec<u8>,
    pub(super) failure: Option<Failure>,
}

struct Attached {
    number: u32,
    waker: Option<Waker>,
}

/// How a stream begins.
pub(super) enum Beginning {
    /// It is this one answer.
    Answer(Answer),
    /// It is a stream of events.
    Events,
    /// It ended without a word.
    Nothing,
}

impl Stream {
    /// The channel of a request, with its first reader.
    pub(super) fn open(form: Form) -> (Arc<Self>, Reader) {
        let stream = Arc::new(Self::new(form));
        let reader = Self::attach(&stream, None);
        (stream, reader)
    }

    /// The channel of a session. It is a stream from the beginning, and has no reader yet.
    pub(super) fn home() -> Arc<Self> {
        Arc::new(Self::new(Form { takes_events: true, number: Some(HOME), retry: None }))
    }

    fn new(form: Form) -> Self {
        let state = State {
            log: Log::default(),
            answer: None,
            is_stream: form.is_home(),
            is_over: false,
            is_suspended: false,
            readers: Vec::new(),
            last_reader: 0,
        };
        Self { form, state: Mutex::new(state), drained: Notify::const_new() }
    }

    /// A new reader, which goes on after the event with the given number, if there is one given.
    pub(super) fn attach(stream: &Arc<Self>, after: Option<u64>) -> Reader {
        let mut state = stream.state();
        state.last_reader = state.last_reader.wrapping_add(1);
        let number = state.last_reader;
        state.readers.push(Attached { number, waker: None });
        state.is_suspended = false;
        if let Some(after) = after {
            state.log.seek(after);
        }
        drop(state);
        Reader { stream: Arc::clone(stream), number }
    }

    /// The number that its event ids begin with.
    pub(super) fn number(&self) -> Option<u64> {
        self.form.number
    }

    /// How many bytes are kept although everything was said and nobody reads it; `None` as long as that is not so.
    pub(super) fn left(&self) -> Option<usize> {
        let state = self.state();
        (state.is_over && state.readers.is_empty()).then(|| state.log.sent_bytes + state.log.unsent_bytes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn detach(&self, number: u32) {
        let mut state = self.state();
        state.readers.retain(|reader| reader.number != number);
        // What nobody will ask for again holds up nobody.
        let is_free = self.form.number.is_none() && state.readers.is_empty();
        if is_free {
            state.log = Log::default();
        }
        state.wake();
        drop(state);
        if is_free {
            self.drained.notify_waiters();
        }
    }
}

impl State {
    /// Makes it a stream, if it is not one yet.
    fn begin_stream(&mut self, form: &Form) {
        if self.is_stream {
            return;
        }
        self.is_stream = true;
        if let (Some(number), Some(retry)) = (form.number, form.retry) {
            let event = event::prime(number, self.log.next(), retry);
            self.log.append(event);
        }
        if let Some(answer) = self.answer.take() {
            self.say(form, &answer.message);
        }
    }

    fn say(&mut self, form: &Form, message: &[u8]) {
        let id = form.number.map(|number| (number, self.log.next()));
        self.log.append(event::message(id, message));
        // Nobody may ever read a session's own channel again, so it forgets instead of being waited for.
        if form.is_home() && self.readers.is_empty() && self.log.unsent_bytes > CONGESTED {
            self.log.forget_unsent(KEPT);
        }
    }

    /// Wakes the reader that is to read.
    fn wake(&mut self) {
        if let Some(waker) = self.readers.last_mut().and_then(|reader| reader.waker.take()) {
            waker.wake();
        }
    }

    fn wake_all(&mut self) {
        for reader in &mut self.readers {
            if let Some(waker) = reader.waker.take() {
                waker.wake();
            }
        }
    }

    fn wait(&mut self, reader: u32, cx: &task::Context<'_>) {
        if let Some(reader) = self.readers.iter_mut().find(|attached| attached.number == reader) {
            match &mut reader.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
    }
}

impl Outbox for Stream {
    fn push(&self, message: &[u8]) {
        if !self.form.takes_events {
            return;
        }
        let mut state = self.state();
        // Who never listened misses nothing, and who comes back hears all of it.
        let comes_back = self.form.number.is_some() && state.last_reader > 0;
        if !state.is_over && (comes_back || !state.readers.is_empty()) {
            state.begin_stream(&self.form);
            state.say(&self.form, message);
        }
    }

    fn respond(&self, message: Vec<u8>, failure: Option<Failure>) {
        let mut state = self.state();
        if state.is_over {
            return;
        }
        state.is_over = true;
        if state.is_stream {
            state.say(&self.form, &message);
        } else {
            state.answer = Some(Answer { message, failure });
        }
    }

    fn close(&self) {
        let mut state = self.state();
        state.is_over = true;
        state.wake_all();
        drop(state);
        self.drained.notify_waiters();
    }

    fn suspend(&self) {
        if self.form.retry.is_none() || !self.form.takes_events {
            return;
        }
        let mut state = self.state();
        if !state.is_over {
            state.begin_stream(&self.form);
            state.is_suspended = true;
            state.wake_all();
        }
    }

    fn is_open(&self) -> bool {
        let state = self.state();
        let comes_back = self.form.number.is_some() && !self.form.is_home();
        self.form.takes_events && !state.is_over && (comes_back || !state.readers.is_empty())
    }

    fn is_read(&self) -> bool {
        !self.state().readers.is_empty()
    }

    fn flush(&self) {
        let mut state = self.state();
        if state.is_over { state.wake_all() } else { state.wake() }
    }

    fn is_congested(&self) -> bool {
        let state = self.state();
        state.log.unsent_bytes > CONGESTED && !state.is_over
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

/// Who reads a stream. It stops when this is dropped.
pub(super) struct Reader {
    stream: Arc<Stream>,
    number: u32,
}

impl Reader {
    pub(super) fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Waits until it is known how the stream begins.
    pub(super) fn poll_beginning(&self, cx: &task::Context<'_>) -> Poll<Beginning> {
        let mut state = self.stream.state();
        if state.is_stream {
            return Poll::Ready(Beginning::Events);
        }
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(Beginning::Answer(answer));
        }
        if state.is_over {
            return Poll::Ready(Beginning::Nothing);
        }
        state.wait(self.number, cx);
        Poll::Pending
    }

    /// How the stream begins, if that is known already.
    pub(super) fn beginning(&self) -> Option<Beginning> {
        match self.poll_beginning(&task::Context::from_waker(Waker::noop())) {
            Poll::Ready(beginning) => Some(beginning),
            Poll::Pending => None,
        }
    }

    /// Makes it a stream of events, whatever it would have become.
    pub(super) fn begin_stream(&self) {
        self.stream.state().begin_stream(&self.stream.form);
    }

    /// Everything that was said since the last time, as text for an event stream; `None` at the end.
    pub(super) fn poll_events(&self, cx: &task::Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.stream.state();
        let is_mine = state.readers.last().is_some_and(|last| last.number == self.number);
        if is_mine && let Some(events) = state.log.take_unsent() {
            // The newest event is kept, however large: it may be the answer, and may not arrive.
            let keeps = self.stream.form.number.is_some();
            let (bytes, newest) = if keeps { (KEPT, 1) } else { (0, 0) };
            state.log.forget_sent(bytes, newest);
            drop(state);
            self.stream.drained.notify_waiters();
            return Poll::Ready(Some(events));
        }
        if state.is_over || state.is_suspended {
            return Poll::Ready(None);
        }
        state.wait(self.number, cx);
        Poll::Pending
    }

    /// All of it as text for an event stream, if there is nothing more to come.
    pub(super) fn take_whole(&self) -> Option<Bytes> {
        let mut state = self.stream.state();
        if state.is_over || state.is_suspended {
            let events = state.log.take_unsent();
            return Some(events.unwrap_or_default());
        }
        None
    }

    /// Whether there is nothing more to come, for this reader.
    pub(super) fn is_at_end(&self) -> bool {
        let state = self.stream.state();
        (state.is_over || state.is_suspended) && state.log.is_sent()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stream.detach(self.number);
    }
}

/// The events of a stream: those that were sent and may be asked for again, then those that were not sent.
#[derive(Default)]
struct Log {
    events: VecDeque<Bytes>,
    /// The number of the first of them.
    first: u64,
    /// How many of them were sent.
    sent: usize,
    sent_bytes: usize,
    unsent_bytes: usize,
}

impl Log {
    /// The number of the next event.
    fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    fn is_sent(&self) -> bool {
        self.sent == self.events.len()
    }

    fn append(&mut self, event: Vec<u8>) {
        self.unsent_bytes += event.len();
        self.events.push_back(event.into());
    }

    fn take_unsent(&mut self) -> Option<Bytes> {
        let unsent = match self.events.len() - self.sent {
            0 => return None,
            1 => self.events.back().cloned(),
            _ => {
                let mut all = Vec::with_capacity(self.unsent_bytes);
                self.events.range(self.sent..).for_each(|event| all.extend_from_slice(event));
                Some(all.into())
            }
        };
        self.sent = self.events.len();
        self.sent_bytes += std::mem::take(&mut self.unsent_bytes);
        unsent
    }

    /// Goes on after the event with this number, or as near to it as is still there.
    fn seek(&mut self, after: u64) {
        let sent = after.saturating_add(1).saturating_sub(self.first);
        self.sent = usize::try_from(sent).unwrap_or(usize::MAX).min(self.events.len());
        self.sent_bytes = self.events.range(..self.sent).map(Bytes::len).sum();
        self.unsent_bytes = self.events.range(self.sent..).map(Bytes::len).sum();
    }

    /// Forgets the oldest of what was sent, so that this many bytes are left at most, or only this many events.
    fn forget_sent(&mut self, bytes: usize, events: usize) {
        while self.sent > 0 && self.sent_bytes > bytes && self.events.len() > events {
            let Some(event) = self.events.pop_front() else { return };
            self.sent_bytes -= event.len();
            self.sent -= 1;
            self.first += 1;
        }
    }

    /// Forgets the oldest of everything, so that this many bytes are left at most.
    fn forget_unsent(&mut self, keep: usize) {
        self.forget_sent(0, 0);
        // The newest one is kept, however large.
        while self.unsent_bytes > keep && self.events.len() > 1 {
            let Some(event) = self.events.pop_front() else { return };
            self.unsent_bytes -= event.len();
            self.first += 1;
        }
    }
}
