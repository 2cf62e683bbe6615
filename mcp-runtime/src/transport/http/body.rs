//! Bodies: how a request's is read, and what an answer's is.

use std::convert::Infallible;
use std::fmt;
use std::pin::{Pin, pin};
use std::task::{self, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::event;
use super::exchange::Exchange;

/// The beginning of a body that is too large of which an id may be read.
const BEGINNING: usize = 64 * 1024;

/// What came of reading a body.
pub(super) enum Read {
    Whole(Bytes),
    /// It is larger than allowed; this is how it begins.
    TooLarge(Bytes),
    TooSlow,
    Broken(String),
}

/// Reads a body of at most `limit` bytes that keeps nobody waiting longer than `patience`.
pub(super) async fn read<B>(body: B, limit: usize, patience: Duration) -> Read
where
    B: Body,
    B::Error: fmt::Display,
{
    tokio::time::timeout(patience, read_all(body, limit)).await.unwrap_or(Read::TooSlow)
}

async fn read_all<B>(body: B, limit: usize) -> Read
where
    B: Body,
    B::Error: fmt::Display,
{
    let mut body = pin!(body);
    let announced = body.size_hint().lower();
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let mut data = match frame.map(Frame::into_data) {
            Ok(Ok(data)) => data,
            // Trailers say nothing here.
            Ok(Err(_)) => continue,
            Err(error) => return Read::Broken(error.to_string()),
        };
        let length = first.len() + whole.len() + data.remaining();
        if length > limit || announced > limit as u64 {
            let mut beginning = if whole.is_empty() { BytesMut::from(&first[..]) } else { whole };
            let more = BEGINNING.saturating_sub(beginning.len()).min(data.remaining());
            beginning.extend_from_slice(&data.copy_to_bytes(more));
            beginning.truncate(BEGINNING);
            return Read::TooLarge(beginning.freeze());
        }
        if first.is_empty() && whole.is_empty() {
            // Most bodies are one piece, which is taken as it is.
            first = data.copy_to_bytes(data.remaining());
            if body.is_end_stream() {
                break;
            }
        } else {
            if whole.is_empty() {
                whole.reserve(usize::try_from(announced).unwrap_or(limit).min(limit).max(length));
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.put(data);
        }
    }
    Read::Whole(if whole.is_empty() { first } else { whole.freeze() })
}

/// The body of an answer: nothing, one message, or a stream of events.
pub struct HttpBody(Content);

enum Content {
    Whole(Bytes),
    Events(Box<Events>),
}

/// A stream of events, with a comment whenever there was none for a while.
struct Events {
    exchange: Exchange,
    keep_alive: Pin<Box<Sleep>>,
    interval: Duration,
}

impl HttpBody {
    pub(super) fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Content::Whole(bytes.into()))
    }

    pub(super) fn events(exchange: Exchange, interval: Duration) -> Self {
        let keep_alive = Box::pin(tokio::time::sleep(interval));
        Self(Content::Events(Box::new(Events { exchange, keep_alive, interval })))
    }
}

impl Events {
    fn poll_next(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<Bytes>> {
        let events = match self.exchange.reader().poll_events(cx) {
            Poll::Ready(Some(events)) => events,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                ready!(self.keep_alive.as_mut().poll(cx));
                Bytes::from_static(event::KEEP_ALIVE)
            }
        };
        // Without a next moment there is no comment either.
        match Instant::now().checked_add(self.interval) {
            Some(next) => self.keep_alive.as_mut().reset(next),
            None => self.keep_alive.set(tokio::time::sleep(self.interval)),
        }
        Poll::Ready(Some(events))
    }
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = match &self.0 {
            Content::Whole(_) => "one message",
            Content::Events(_) => "events",
        };
        f.debug_tuple("HttpBody").field(&content).finish()
    }
}

impl Body for HttpBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Events(events) => {
                events.poll_next(cx).map(|next| next.map(|text| Ok(Frame::data(text))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Events(events) => events.exchange.reader().is_at_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Events(_) => SizeHint::default(),
        }
    }
}
