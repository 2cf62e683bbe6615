//! The server: what its author says of it, and what is made of that.

mod batch;
mod call;
mod callee;
mod catalogue;
mod connection;
mod flights;
mod info;
mod outlet;
mod plain;
mod questions;
mod request_state;
mod run;
mod settings;
mod subscription;
mod tasks;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use self::catalogue::Catalogue;
use self::connection::Connection;
use self::info::{Info, Introductions};
use self::request_state::Seal;
pub use self::settings::{Limits, Tasks};
use crate::task::{Engine, EngineSettings};
use crate::testing::TestClient;
use crate::tool::{States, Tool};
use crate::transport::{Acceptor, Client, Endpoint, Transport};

/// A server of tools, as its author describes it.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// /// Add two numbers.
/// #[tool]
/// async fn add(
///     /// The first term.
///     a: i64,
///     /// The second term.
///     b: i64,
/// ) -> i64 {
///     a + b
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = Server::new("calculator", env!("CARGO_PKG_VERSION")).tools(tools![add]);
/// let mut client = server.test_client()?;
/// let result = client.call_tool("add", serde_json::json!({ "a": 1, "b": 2 })).await?;
/// assert_eq!(result["content"][0]["text"], "3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "a server does nothing until it is served"]
pub struct Server {
    info: Info,
    tools: Vec<Arc<dyn Tool>>,
    states: States,
    tasks: Tasks,
    limits: Limits,
    request_state_key: Option<[u8; 32]>,
    request_state_ttl: Duration,
    errors: Vec<String>,
}

impl Server {
    /// A server of this name and version: the author's program, as clients are told.
    pub fn new(name: impl Into<Cow<'static, str>>, version: impl Into<Cow<'static, str>>) -> Self {
        Self {
            info: Info { name: name.into(), title: None, version: version.into(), instructions: None },
            tools: Vec::new(),
            states: States::default(),
            tasks: Tasks::default(),
            limits: Limits::default(),
            request_state_key: None,
            request_state_ttl: Duration::from_secs(3600),
            errors: Vec::new(),
        }
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.info.title = Some(title.into());
        self
    }

    /// What a model should know to use this server well.
    pub fn instructions(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.info.instructions = Some(text.into());
        self
    }

    /// Holds a value for tools that ask for it as [`State<T>`](crate::State). One of each type.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        if self.states.insert(value) {
            let name = std::any::type_name::<T>();
            self.errors.push(format!("two values of the type `{name}` were given to `.state(..)`"));
        }
        self
    }

    /// Offers these tools: a list by [`tools!`](crate::tools!), or the `tools()` of a type. May be called repeatedly.
    pub fn tools(mut self, tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Offers one tool that was written by hand.
    pub fn tool(mut self, tool: impl Tool) -> Self {
        self.tools.push(Arc::new(tool));
        self
    }

    /// How tasks are run and kept. Default: [`Tasks::memory`].
    pub fn tasks(mut self, tasks: Tasks) -> Self {
        self.tasks = tasks;
        self
    }

    /// What is accepted at most.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The key that seals what a call of the modern wire remembers while its client is asked, and keeps (`requestState`,
    /// SEP-2322). Servers that stand in for each other share one. Default: a random key of this process's own.
    pub fn request_state_key(mut self, key: [u8; 32]) -> Self {
        self.request_state_key = Some(key);
        self
    }

    /// How long a client may take to answer before what the call remembered is refused. Default: one hour.
    pub fn request_state_ttl(mut self, ttl: Duration) -> Self {
        self.request_state_ttl = ttl;
        self
    }

    /// Checks everything that only the whole server can show, and makes it ready to serve.
    ///
    /// The error lists all that is wrong: two tools of one name, an invalid name, a `State` that was not given, a
    /// schema that cannot be enforced.
    pub fn build(mut self) -> Result<Service, BuildError> {
        let page_size = self.limits.page_size.max(1);
        let (catalogue, errors) = Catalogue::new(self.tools, &self.states, &self.info, page_size);
        self.errors.extend(errors);
        let seal = match Seal::new(self.request_state_key, self.request_state_ttl) {
            Ok(seal) if self.errors.is_empty() => seal,
            sealed => {
                self.errors.extend(sealed.err());
                return Err(BuildError(self.errors));
            }
        };
        let settings = EngineSettings {
            cancel_grace: self.tasks.cancel_grace,
            max_result_size: self.limits.max_result_size,
        };
        let engine = Engine::new(Arc::clone(&self.tasks.store), settings);
        let introductions = self.info.introductions(catalogue.has_tasks());
        let (states, tasks, limits) = (self.states, self.tasks, self.limits);
        Ok(Service(Arc::new(Shared { catalogue, introductions, states, engine, seal, tasks, limits })))
    }

    /// Serves one client until its transport ends, and ends with it: what still runs is stopped.
    ///
    /// To serve several clients, [`build`](Self::build) the server first. Must be called within a Tokio runtime that has
    /// its time enabled, as `#[tokio::main]` has. Dropping the future leaves tasks running; end the transport instead.
    pub async fn serve(self, transport: impl Transport + 'static) -> Result<(), ServerError> {
        let alone = Alone(self.build()?);
        Box::new(transport).serve(Arc::new(alone)).await.map_err(ServerError::Transport)
    }

    /// A client in the same process, for tests of your tools through the protocol.
    ///
    /// Must be called within a Tokio runtime that has its time enabled.
    pub fn test_client(self) -> Result<TestClient, BuildError> {
        Ok(self.build()?.test_client())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("info", &self.info).finish_non_exhaustive()
    }
}

/// A server that is ready to serve any number of clients. A clone is the same server.
#[derive(Clone, Debug)]
pub struct Service(Arc<Shared>);

/// What all clients of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    catalogue: Catalogue,
    introductions: Introductions,
    states: States,
    engine: Arc<Engine>,
    seal: Seal,
    tasks: Tasks,
    limits: Limits,
}

impl Service {
    /// Serves one more client, until its transport ends. Tasks go on, and other clients can ask for them.
    ///
    /// Must be called within a Tokio runtime that has its time enabled.
    pub async fn serve(&self, transport: impl Transport + 'static) -> Result<(), ServerError> {
        Box::new(transport).serve(Arc::new(self.clone())).await.map_err(ServerError::Transport)
    }

    /// Stops everything that still runs: functions that clean up have the grace period of
    /// [`Tasks::cancel_grace`], others are dropped. What was stopped is recorded as failed.
    pub async fn shut_down(&self) {
        self.0.engine.shut_down().await;
    }

    /// A client in the same process. Must be called within a Tokio runtime that has its time enabled.
    pub fn test_client(&self) -> TestClient {
        TestClient::new(self)
    }
}

impl Acceptor for Service {
    fn connect(&self, client: Client) -> Arc<dyn Endpoint> {
        Connection::open(Arc::clone(&self.0), client)
    }

    fn max_message_size(&self) -> usize {
        self.0.limits.max_message_size
    }

    fn leave(&self, endpoint: Arc<dyn Endpoint>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        endpoint.finish(Box::pin(std::future::ready(())))
    }
}

/// A server with one client, which ends with it.
struct Alone(Service);

impl Acceptor for Alone {
    fn connect(&self, client: Client) -> Arc<dyn Endpoint> {
        self.0.connect(client)
    }

    fn max_message_size(&self) -> usize {
        self.0.max_message_size()
    }

    fn leave(&self, endpoint: Arc<dyn Endpoint>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let service = self.0.clone();
        Box::pin(async move {
            // What nobody waits for begins to clean up at once; what somebody waits for has as long as a call has.
            let engine = Arc::clone(&service.0.engine);
            let unawaited = tokio::spawn(async move { engine.shut_down_unawaited().await });
            let rest = async move {
                // A panic in there was a tool's own, and was told already.
                let _ = unawaited.await;
                service.shut_down().await;
            };
            endpoint.finish(Box::pin(rest)).await;
        })
    }
}

/// What is wrong with a server as it was described: everything, not just the first thing.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError(Vec<String>);

impl BuildError {
    /// Each thing that is wrong, in a sentence.
    pub fn errors(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "the server cannot be built: {one}"),
            several => {
                f.write_str("the server cannot be built:")?;
                several.iter().try_for_each(|error| write!(f, "\n- {error}"))
            }
        }
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}

/// Why a server could not be served, or stopped.
///
/// Its `Debug` form is its sentence, since that is what a `main` that returns it prints.
#[non_exhaustive]
pub enum ServerError {
    /// It could not be built.
    Build(BuildError),
    /// The transport failed.
    Transport(io::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(f),
            Self::Transport(error) => write!(f, "the transport failed: {error}"),
        }
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Build(error) => Some(error),
            Self::Transport(error) => Some(error),
        }
    }
}

impl From<BuildError> for ServerError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

#[cfg(test)]
mod input_tests;
#[cfg(test)]
mod tests;
