//! Connections to one server, which are used again.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
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
pub(in crate::client) struct Pool {
    kept: Mutex<Vec<(Instant, Sender)>>,
    /// How connections are made secure, where the address wants that.
    #[cfg(feature = "client-tls")]
    tls: Option<super::tls::Tls>,
}

/// The client's end of a connection.
pub(super) type Sender = SendRequest<Full<Bytes>>;

impl Pool {
    /// A pool of secure connections.
    #[cfg(feature = "client-tls")]
    pub(in crate::client) fn secure(tls: super::tls::Tls) -> Self {
        Self { tls: Some(tls), ..Self::default() }
    }

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
        let mut sender = self.connect(address).await?;
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
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !sender.is_closed() && kept.len() < KEPT {
            kept.push((Instant::now(), sender));
        }
    }

    /// The connection that was used last, if it is fresh.
    fn take(&self) -> Option<Sender> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, sender)| since.elapsed() < FRESH && !sender.is_closed());
        kept.pop().map(|(_, sender)| sender)
    }

    /// Opens a connection.
    async fn connect(&self, address: &Address) -> Result<Sender, Broken> {
        let opened = tokio::time::timeout(CONNECT, self.open(address)).await;
        opened.unwrap_or_else(|_| {
            Err(Broken::Unsent(format!("{}: no connection within {CONNECT:?}", address.authority)))
        })
    }

    async fn open(&self, address: &Address) -> Result<Sender, Broken> {
        let unsent = |error: io::Error| Broken::Unsent(format!("{}: {error}", address.authority));
        let socket = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(unsent)?;
        // Requests are small and somebody waits for the answer.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        #[cfg(feature = "client-tls")]
        if let Some(tls) = self.tls.as_ref().filter(|_| address.is_secure) {
            return handshake(address, tls.secure(address, socket).await?).await;
        }
        if address.is_secure {
            // An address is not made then, and a pool of it neither.
            return Err(Broken::Invalid("there is no TLS for an https address".to_owned()));
        }
        handshake(address, socket).await
    }
}

/// Begins to speak HTTP on a connection.
async fn handshake(
    address: &Address,
    socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Sender, Broken> {
    let (sender, connection) = http1::handshake(TokioIo::new(socket))
        .await
        .map_err(|error| Broken::Unsent(format!("{}: {error}", address.authority)))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
    Ok(sender)
}
