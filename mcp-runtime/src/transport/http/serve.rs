//! A server of its own: HTTP/1.1 on a socket, for those who have no app to mount it in.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::origin::Hosts;
use super::socket::Socket;
use super::{Http, answer};

/// How long a client may take, at the end, to read what is still to be written.
const LAST_WRITE: Duration = Duration::from_millis(500);

/// How long a connection may be open without a request, or with half of one.
const IDLE_CONNECTION: Duration = Duration::from_secs(75);

/// How long to wait when no connection can be accepted: the process has too many open, most likely.
const CANNOT_ACCEPT: Duration = Duration::from_millis(50);

impl Http {
    /// Serves HTTP/1.1 on a listener, at every path, until `shutdown` ends; then [shuts down](Self::shut_down).
    ///
    /// Unless [hosts](Self::allowed_hosts) were named, a listener on a loopback address answers to this machine's names
    /// alone, and any other listener to every name. Must be called within a Tokio runtime that has I/O and time enabled.
    /// Dropping the future drops every connection.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        self.serve_at(None, listener, shutdown).await
    }

    /// The same, at one path.
    pub(crate) async fn serve_at(
        self,
        path: Option<&'static str>,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let http = self.bound_to(listener.local_addr()?);
        let (stop, stopping) = watch::channel(());
        let places = Arc::new(Semaphore::new(http.settings.connections.clamp(1, Semaphore::MAX_PERMITS)));
        // With this, they are dropped.
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let mut accepting = pin!(accept(&listener, &places));
            let accepted = poll_fn(|cx| match shutdown.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => {
                    // Nothing is kept of those that have ended.
                    while let Poll::Ready(Some(_)) = connections.poll_join_next(cx) {}
                    accepting.as_mut().poll(cx).map(Some)
                }
            });
            let Some((socket, place)) = accepted.await else { break };
            let serving = http.clone().serve_connection(path, socket, stopping.clone());
            connections.spawn(async move {
                serving.await;
                drop(place);
            });
        }
        drop((listener, stopping));
        let _ = stop.send(());
        http.shut_down().await;
        // The last answers are on their way; who does not read them is not waited for.
        let written = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_WRITE, written).await;
        Ok(())
    }

    fn bound_to(self, address: SocketAddr) -> Self {
        if self.settings.hosts_were_set || address.ip().is_loopback() {
            return self;
        }
        self.set(|settings| settings.allowed.hosts = Hosts::Any)
    }

    async fn serve_connection(
        self,
        path: Option<&'static str>,
        socket: TcpStream,
        mut stopping: watch::Receiver<()>,
    ) {
        // Answers are small and somebody waits for them.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let socket = Socket::new(socket, self.settings.write_timeout);
        let service = service_fn(move |request: Request<Incoming>| {
            let http = self.clone();
            async move {
                Ok::<_, Infallible>(match path {
                    Some(path) if request.uri().path() != path => {
                        answer::refuse(StatusCode::NOT_FOUND, format!("the endpoint is {path}"))
                    }
                    _ => http.answer(request).await,
                })
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_CONNECTION)
            .serve_connection(TokioIo::new(socket), service);
        let mut connection = pin!(connection);
        let mut stop = pin!(async move {
            // It fails when the sender is gone, which is the end, too.
            let _ = stopping.changed().await;
        });
        let mut is_stopping = false;
        let outcome = poll_fn(|cx| {
            if !is_stopping && stop.as_mut().poll(cx).is_ready() {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            connection.as_mut().poll(cx)
        })
        .await;
        if let Err(error) = outcome {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Waits for a place for a connection, and then for a connection.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there will be a place.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((socket, _)) => return (socket, place),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(CANNOT_ACCEPT).await;
            }
        }
    }
}

/// Whether only the connection that was to be accepted is concerned.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
