//! Connections to one server, which are used again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::super::Broken;
use super::address::Address;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// After which time a connection is not used again, since the server may be about to close it: then nobody could say
/// whether a request still got through.
const FRESH: Duration = Duration::from_secs(15);

/// How many connections are kept.
const KEPT: usize = 16;

/// The connections that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<(Instant, Sender)>>);

/// The client's end of a connection.
pub(super) type Sender = SendRequest<Full<Bytes>>;

impl Pool {
    /// Sends a request, and gives the answer's head and the connection, which may be [given back](Self::put) once the body
    /// was read.
    pub(super) async fn send(
        &self,
        address: &Address,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Sender), Broken> {
        while let Some(mut sender) = self.take() {
            if sender.ready().await.is_err() {
                continue;
            }
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, sender)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(Broken::Lost(error.into_error().to_string())),
                },
            }
        }
        let mut sender = connect(address).await?;
        let sent = sender.try_send_request(request).await;
        match sent {
            Ok(response) => Ok((response, sender)),
            Err(mut error) => {
                let was_sent = error.take_message().is_none();
                let error = error.into_error().to_string();
                Err(if was_sent { Broken::Lost(error) } else { Broken::Unsent(error) })
            }
        }
    }

    /// Gives back a connection whose last body was read to its end.
    pub(super) fn put(&self, sender: Sender) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !sender.is_closed() && kept.len() < KEPT {
            kept.push((Instant::now(), sender));
        }
    }

    /// The connection that was used last, if it is fresh.
    fn take(&self) -> Option<Sender> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, sender)| since.elapsed() < FRESH && !sender.is_closed());
        kept.pop().map(|(_, sender)| sender)
    }
}

async fn connect(address: &Address) -> Result<Sender, Broken> {
    let unsent = |what: String| Broken::Unsent(format!("{}: {what}", address.authority));
    let socket = tokio::time::timeout(CONNECT, TcpStream::connect((address.host.as_str(), address.port)));
    let socket = match socket.await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return Err(unsent(error.to_string())),
        Err(_) => return Err(unsent(format!("no connection within {CONNECT:?}"))),
    };
    // Requests are small and somebody waits for the answer.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let (sender, connection) =
        http1::handshake(TokioIo::new(socket)).await.map_err(|error| unsent(error.to_string()))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
    Ok(sender)
}
