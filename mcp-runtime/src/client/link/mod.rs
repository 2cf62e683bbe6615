//! The ways to a server: a child process, HTTP, and this process. Each moves messages, and knows nothing of what they say.

pub(super) mod http;
pub(super) mod in_process;
mod pending;
pub(super) mod process;

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;

use crate::protocol::ProtocolError;

pub(super) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a request came to: its result, or the error that the server answered with.
pub(super) type Outcome = Result<Value, ProtocolError>;

/// A message to the server.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// The id, if it is a request.
    pub(super) id: Option<i64>,
    pub(super) text: String,
    /// What is repeated beside the message, where there are headers.
    pub(super) headers: Vec<(Cow<'static, str>, String)>,
}

impl Outgoing {
    /// A notification, or an answer.
    pub(super) fn aside(message: &Value) -> Self {
        Self { id: None, text: message.to_string(), headers: Vec::new() }
    }
}

/// Why there was no answer.
#[derive(Clone, Debug)]
pub(super) enum Broken {
    /// The server was not reached: it knows nothing of the request.
    Unsent(String),
    /// The server may have had the request.
    Lost(String),
    /// There was no answer in this time.
    Late(Duration),
    /// The server does not know the session any more.
    NoSession,
    /// Not the server's end, but something in the way of HTTP said no.
    Status { code: u16, message: String },
    /// The server cannot prove that it is who the address says.
    #[cfg_attr(not(feature = "client-tls"), allow(dead_code))]
    Untrusted(String),
    /// It cannot be sent at all.
    Invalid(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent(what) | Self::Lost(what) | Self::Untrusted(what) | Self::Invalid(what) => {
                f.write_str(what)
            }
            Self::Late(limit) => write!(f, "no answer within {limit:?}"),
            Self::NoSession => f.write_str("the session has ended"),
            Self::Status { code, message } => write!(f, "{code} {message}"),
        }
    }
}

/// A way to a server, for as long as it lasts.
pub(super) trait Link: Send + Sync + 'static {
    /// Sends a request and waits for its answer. What else the server says meanwhile goes to the [`Peer`].
    ///
    /// Dropping the future gives the request up.
    ///
    /// [`Peer`]: super::peer::Peer
    fn exchange(&self, request: Outgoing) -> BoxFuture<'_, Result<Outcome, Broken>>;

    /// Sends what is not answered.
    fn send(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Broken>>;

    /// Whether giving a request up says so to the server by itself.
    fn hears_of_drops(&self) -> bool {
        false
    }

    /// Whether it repeats things in headers.
    fn has_headers(&self) -> bool {
        false
    }

    /// Whether it still leads anywhere.
    fn is_open(&self) -> bool {
        true
    }

    /// The handshake settled this revision, which opens with `initialize`.
    fn settled(&self, version: &str) {
        let _ = version;
    }

    /// Opens what a revision with sessions has for what belongs to no request, if that is something of its own.
    fn listen(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Waits until it leads nowhere any more, as far as that is told by itself.
    fn closed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// Ends it, and waits until it has.
    fn close(&self) -> BoxFuture<'_, ()>;
}
