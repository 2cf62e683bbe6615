//! A server that is ready: serves clients, and stops.

use std::pin::Pin;
use std::sync::Arc;

use super::Shared;
use super::connection::Connection;
use super::error::ServerError;
use super::handle::ServerHandle;
use super::settings::Tasks;
use crate::background;
use crate::testing::TestClient;
use crate::transport::{Acceptor, Client, Endpoint, Transport};

/// A server that is ready to serve any number of clients. A clone is the same server.
#[derive(Clone, Debug)]
pub struct Service(pub(super) Arc<Shared>);

impl Service {
    /// Changes what the server offers while it runs.
    pub fn handle(&self) -> ServerHandle {
        (*self.0.states.get::<ServerHandle>()).clone()
    }

    /// Serves one more client, until its transport ends. Tasks go on, and other clients can ask for them.
    ///
    /// Must be called within a Tokio runtime that has its time enabled.
    pub async fn serve(&self, transport: impl Transport + 'static) -> Result<(), ServerError> {
        self.0.open();
        Box::new(transport).serve(Arc::new(self.clone())).await.map_err(ServerError::Transport)
    }

    /// This server over Streamable HTTP.
    #[cfg(feature = "http")]
    pub fn http(&self) -> crate::Http {
        self.0.open();
        crate::Http::new(Arc::new(self.clone()))
    }

    /// Stops: [drains](Self::drain), and then [stops](Self::stop) what still runs.
    ///
    /// While tasks come to their end, clients should still be able to look at them. So where the server is served over
    /// HTTP, this is part of what [`Http::serve`](crate::Http::serve) waits for, or done before the app stops serving:
    ///
    /// ```no_run
    /// # #[cfg(feature = "http")]
    /// # async fn run(server: mcp_runtime::Server, asked_to_stop: impl Future<Output = ()>) -> Result<(), Box<dyn std::error::Error>> {
    /// let service = server.build()?;
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    /// let stopping = async {
    ///     asked_to_stop.await;
    ///     service.shut_down().await;
    /// };
    /// service.http().serve(listener, stopping).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shut_down(&self) {
        self.drain().await;
        self.stop().await;
    }

    /// Begins nothing new, and waits until the tasks that run have ended, at most for as long as [`Tasks::drain`] says,
    /// counted from when this is first called.
    ///
    /// From now on calls are refused by an error that says so (-31030; over HTTP with status 503), and new sessions, too;
    /// everything else is answered. Tasks that wait for their client are not waited for if they outlive the process, and
    /// otherwise results are waited for until somebody has seen them. Cancel safe; [`stop`](Self::stop) ends it.
    pub async fn drain(&self) {
        let limit = self.0.tasks.drain.unwrap_or(Tasks::DRAIN);
        self.0.engine.drain(limit, true).await;
    }

    /// Stops everything that runs: functions that clean up have the grace period of [`Tasks::cancel_grace`], others are
    /// dropped. What was stopped is recorded as failed; if tasks outlive the process, those that may run again are handed
    /// back for whoever runs next, and those that wait for their client go on waiting. A store that does not answer is not
    /// waited for longer than some seconds.
    pub async fn stop(&self) {
        self.0.engine.shut_down().await;
    }

    /// Begins to take up tasks that an earlier process left behind, before anybody asks for them.
    #[cfg(feature = "client")]
    pub(crate) fn begin(&self) {
        self.0.open();
    }

    /// A client in the same process. Must be called within a Tokio runtime that has its time enabled.
    pub fn test_client(&self) -> TestClient {
        TestClient::new(self)
    }
}

impl Acceptor for Service {
    fn connect(&self, client: Client) -> Arc<dyn Endpoint> {
        // A service that was made before there was a runtime opens with its first client.
        self.0.open();
        Connection::open(Arc::clone(&self.0), client)
    }

    fn max_message_size(&self) -> usize {
        self.0.limits.max_message_size
    }

    fn end(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // Tasks are for others, too.
        Box::pin(std::future::ready(()))
    }

    fn leave(&self, endpoint: Arc<dyn Endpoint>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        endpoint.finish(self.end())
    }
}

/// A server with one client, which ends with it.
pub(super) struct Alone(pub(super) Service);

impl Acceptor for Alone {
    fn connect(&self, client: Client) -> Arc<dyn Endpoint> {
        self.0.connect(client)
    }

    fn max_message_size(&self) -> usize {
        self.0.max_message_size()
    }

    fn end(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let service = self.0.clone();
        Box::pin(async move { service.stop().await })
    }

    fn leave(&self, endpoint: Arc<dyn Endpoint>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let service = self.0.clone();
        Box::pin(async move {
            // What nobody waits for begins to clean up at once; what somebody waits for has as long as a call has.
            let engine = Arc::clone(&service.0.engine);
            let limit = service.0.tasks.drain.unwrap_or_default();
            let unawaited = background::see_through(async move {
                engine.drain(limit, false).await;
                engine.shut_down_unawaited().await;
            });
            let end = Alone(service).end();
            let rest = async move {
                // A panic in there was a tool's own, and was told already.
                let _ = unawaited.await;
                end.await;
            };
            endpoint.finish(Box::pin(rest)).await;
        })
    }
}
