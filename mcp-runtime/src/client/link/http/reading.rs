//! Reading the bodies of answers.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Deserialize;

use super::events::{Event, Events};
use crate::protocol::ProtocolError;

/// How long a stream may take to end after its answer, for its connection to be used again.
const DRAIN: Duration = Duration::from_secs(1);

/// A body on its way.
pub(super) struct Body {
    incoming: Incoming,
    limit: usize,
    events: Events,
    ready: VecDeque<Event>,
}

/// What came next.
pub(super) enum Read {
    Event(Event),
    /// It is over, or broke off.
    End,
    TooLarge,
}

impl Body {
    pub(super) fn new(incoming: Incoming, limit: usize) -> Self {
        Self { incoming, limit, events: Events::default(), ready: VecDeque::new() }
    }

    /// The next piece; none at the end.
    async fn piece(&mut self) -> Option<Result<Bytes, String>> {
        loop {
            match self.incoming.frame().await? {
                Ok(frame) => {
                    if let Ok(piece) = frame.into_data() {
                        return Some(Ok(piece));
                    }
                }
                Err(error) => return Some(Err(error.to_string())),
            }
        }
    }

    /// The next event of a stream.
    pub(super) async fn event(&mut self) -> Read {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Read::Event(event);
            }
            match self.piece().await {
                None => return Read::End,
                Some(Err(error)) => {
                    tracing::debug!(error, "a stream broke off");
                    return Read::End;
                }
                Some(Ok(piece)) => match self.events.push(&piece, self.limit) {
                    Ok(events) => self.ready.extend(events),
                    Err(_) => return Read::TooLarge,
                },
            }
        }
    }

    /// Everything.
    pub(super) async fn whole(mut self) -> Result<Vec<u8>, String> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await {
            let piece = piece?;
            if whole.len() + piece.remaining() > self.limit {
                return Err(format!("the server sent a message of more than {} bytes", self.limit));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// Reads what is left, and says whether that was soon and well.
    pub(super) async fn drained(&mut self) -> bool {
        let rest = async {
            while let Some(piece) = self.piece().await {
                if piece.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(DRAIN, rest).await.unwrap_or(false)
    }
}

/// The JSON-RPC error that a body is, if it is one.
pub(super) fn error(text: &str) -> Option<ProtocolError> {
    #[derive(Deserialize)]
    struct Refusal {
        error: ProtocolError,
    }
    serde_json::from_str::<Refusal>(text).ok().map(|refusal| refusal.error)
}
