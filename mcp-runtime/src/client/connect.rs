//! Where a server is, who answers what it asks, and the first contact.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Client;
use super::connection::{Connection, Fault, Place};
use super::error::Error;
use super::handlers::{Conversation, Form, Handlers, ModelAnswer, Page};
use super::link::Broken;
#[cfg(feature = "client-tls")]
use super::link::http::Tls;
use super::link::http::{Address, Host, Pool, Token};
use super::link::process::{OnStderr, Program};
use super::peer::{OnLog, Peer};
use super::receiver::Receiver;
use super::settings::{Revisions, Settings};
use crate::input::{Elicited, Root};
use crate::protocol::{ProtocolError, digest};
use crate::server::{Service, Tasks};
use crate::task::Principal;

/// How often the first contact is tried that breaks off.
const TRIES: usize = 4;

/// A client that is not connected yet, from [`Client::http`], [`Client::process`] or [`Client::in_process`].
///
/// ```no_run
/// use mcp_runtime::client::{Client, Error, Form};
/// use mcp_runtime::Elicited;
/// use serde_json::{Value, json};
///
/// async fn ask_user(form: Form) -> Elicited<Value> {
///     println!("{}", form.message);
///     Elicited::Accepted(json!({ "sure": true }))
/// }
///
/// # async fn f() -> Result<(), Error> {
/// let client = Client::http("http://127.0.0.1:8080/mcp").elicitation(ask_user).connect().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a client does nothing until it is connected"]
pub struct Connect {
    target: Target,
    headers: Vec<(String, String)>,
    token: Token,
    #[cfg(feature = "client-tls")]
    roots: Vec<Vec<u8>>,
    handlers: Handlers,
    on_log: Option<OnLog>,
    tasks: Option<Tasks>,
    on_stderr: Option<OnStderr>,
    settings: Settings,
}

enum Target {
    Url(String),
    Program(Box<std::process::Command>),
    Service(Service),
}

impl Target {
    /// The server that is here, as one of several whose tasks are in one place. What its address or its arguments say may be
    /// secret, so it is not told.
    fn principal(&self) -> Principal {
        let place = match self {
            Self::Url(url) => url.clone(),
            Self::Program(command) => format!("{command:?}"),
            Self::Service(_) => "in this process".to_owned(),
        };
        Principal::new(format!("server-{}", digest(&place)))
    }
}

impl Connect {
    pub(super) fn to_url(url: String) -> Self {
        Self::to(Target::Url(url))
    }

    pub(super) fn to_program(command: std::process::Command) -> Self {
        Self::to(Target::Program(Box::new(command)))
    }

    pub(super) fn to_service(service: Service) -> Self {
        Self::to(Target::Service(service))
    }

    fn to(target: Target) -> Self {
        Self {
            target,
            headers: Vec::new(),
            token: Token::None,
            #[cfg(feature = "client-tls")]
            roots: Vec::new(),
            handlers: Handlers::default(),
            on_log: None,
            tasks: None,
            on_stderr: None,
            settings: Settings::default(),
        }
    }

    /// What the program is called, to servers. Default: the name of its file.
    pub fn named(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.settings.info = json!({ "name": name.into(), "version": version.into() });
        self
    }

    /// Has people fill in forms (`elicitation` in form mode). What they leave out is filled in with the form's defaults.
    pub fn elicitation<F, A>(mut self, ask: F) -> Self
    where
        F: Fn(Form) -> A + Send + Sync + 'static,
        A: Future<Output = Elicited<Value>> + Send + 'static,
    {
        self.handlers.form = Some(Arc::new(move |form| Box::pin(ask(form))));
        self
    }

    /// Sends people to pages (`elicitation` in URL mode). Show the whole URL, and ask before going there.
    pub fn elicitation_url<F, A>(mut self, ask: F) -> Self
    where
        F: Fn(Page) -> A + Send + Sync + 'static,
        A: Future<Output = Elicited<()>> + Send + 'static,
    {
        self.handlers.page = Some(Arc::new(move |page| Box::pin(ask(page))));
        self
    }

    /// Puts conversations before a model (`sampling`). A person should be able to say no.
    pub fn sampling<F, A>(mut self, ask: F) -> Self
    where
        F: Fn(Conversation) -> A + Send + Sync + 'static,
        A: Future<Output = Result<ModelAnswer, ProtocolError>> + Send + 'static,
    {
        self.handlers.model = Some(Arc::new(move |conversation| Box::pin(ask(conversation))));
        self
    }

    /// Tells where the program works (`roots`).
    pub fn roots(mut self, roots: impl IntoIterator<Item = Root>) -> Self {
        self.handlers.roots = Some(roots.into_iter().collect());
        self
    }

    /// Hears what the server logs: the parameters of `notifications/message`.
    pub fn on_log(mut self, on_log: impl Fn(Value) + Send + Sync + 'static) -> Self {
        self.on_log = Some(Arc::new(on_log));
        self
    }

    /// Offers servers that what they ask of a model or of people is a task of this client's, which they poll, fetch and cancel,
    /// and find again after a connection was lost. Default: no.
    ///
    /// Only the core tasks of 2025-11-25 know this; servers of other revisions ask as ever. The tasks are run and kept like a
    /// server's: with [`Tasks::sqlite`], they outlive this program, and what was being asked when it ended is asked again. Clients
    /// of several servers may share a file; a server should have one of its own.
    ///
    /// ```no_run
    /// use mcp_runtime::Tasks;
    /// use mcp_runtime::client::{Client, Conversation, Error, ModelAnswer};
    ///
    /// # async fn f() -> Result<(), Error> {
    /// let ask_model = async |asked: Conversation| Ok(ModelAnswer::text("a model", format!("{} messages", asked.messages.len())));
    /// let client = Client::http("http://127.0.0.1:8080/mcp").sampling(ask_model).tasks(Tasks::memory()).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn tasks(mut self, tasks: Tasks) -> Self {
        self.tasks = Some(tasks);
        self
    }

    /// Hears what a child process writes to its standard error, a line at a time and without its end; it does not go where
    /// the command says then. For programs that draw on the terminal themselves.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), mcp_runtime::client::Error> {
    /// use std::process::Command;
    /// use mcp_runtime::client::Client;
    ///
    /// let connect = Client::process(Command::new("counter"));
    /// let client = connect.on_stderr(|line| eprintln!("counter: {line}")).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_stderr(mut self, on_stderr: impl Fn(String) + Send + Sync + 'static) -> Self {
        self.on_stderr = Some(Arc::new(on_stderr));
        self
    }

    /// A bearer token, sent with every request over HTTP.
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.token = Token::Fixed(token.into());
        self
    }

    /// Who gives bearer tokens. It is asked for one before the first request, and again, with the token, if the server does
    /// not take it (401).
    pub fn bearer_from<F, A>(mut self, provider: F) -> Self
    where
        F: Fn(Option<String>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<String, String>> + Send + 'static,
    {
        self.token = Token::Provided(Arc::new(move |refused| Box::pin(provider(refused))));
        self
    }

    /// A header of every request over HTTP.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Certificates, in PEM, by which a server at an `https` address may prove who it is, beside those that the machine
    /// trusts: of an authority of one's own, or of the server itself.
    #[cfg(feature = "client-tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Which revisions of the protocol to speak. Default: whichever the server does, the newest first.
    pub fn revisions(mut self, revisions: Revisions) -> Self {
        self.settings.revisions = revisions;
        self
    }

    /// How long a request may take that is no call, before it is sent again. Default: 30 s.
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.settings.request_timeout = limit;
        self
    }

    /// For how long a server is tried again that cannot be reached, request by request. Default: 60 s.
    pub fn persistence(mut self, limit: Duration) -> Self {
        self.settings.persistence = limit;
        self
    }

    /// How long a server may say nothing when it is asked by which revision to speak to it; a legacy server may not answer at
    /// all. Default: 5 s.
    pub fn probe_timeout(mut self, limit: Duration) -> Self {
        self.settings.probe_timeout = limit;
        self
    }

    /// How often a task is polled whose server does not say. Default: 1 s.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.settings.poll_interval = interval;
        self
    }

    /// The largest message that is read, in bytes. Default: 64 MiB.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.settings.max_message_size = bytes;
        self
    }

    /// Makes the first contact: finds out by which revision the server is spoken to, and opens a session if that has some.
    ///
    /// Must be called within a Tokio runtime that has I/O and time enabled.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if what was set makes no sense, or [`tasks`](Self::tasks) cannot be kept; [`Error::Lost`] or
    /// [`Error::TimedOut`] if there is no such server; [`Error::Unsupported`] if there is no revision that both know;
    /// [`Error::Untrusted`] if it cannot prove who it is; [`Error::Refused`] or [`Error::Status`] if the server does not want
    /// this client.
    pub async fn connect(mut self) -> Result<Client, Error> {
        self.settings.capabilities = self.handlers.capabilities();
        let limit = self.settings.max_message_size;
        let receiver = self
            .tasks
            .take()
            .map(|tasks| Receiver::new(tasks, &self.handlers, self.target.principal(), limit));
        let receiver = receiver.transpose()?;
        self.settings.tasks = receiver.as_ref().and_then(Receiver::capability);
        let place = match self.target {
            Target::Url(url) => {
                let address = Address::new(&url, &self.headers, self.token)?;
                #[cfg(feature = "client-tls")]
                let pool = if address.is_secure() {
                    Pool::secure(Tls::trusting(self.roots).await?)
                } else {
                    Pool::default()
                };
                #[cfg(not(feature = "client-tls"))]
                let pool = Pool::default();
                Place::Host(Arc::new(Host::new(address, pool, limit)))
            }
            Target::Program(command) => Place::Program(Program::new(*command, self.on_stderr)),
            Target::Service(service) => Place::InProcess(service),
        };
        let peer = Arc::new(Peer::new(self.handlers, self.on_log, receiver));
        let client = Client::new(Connection::new(place, self.settings, peer));
        // A server that is not there is none, but one that was reached may be reached again.
        for _ in 1..TRIES {
            match client.connection().session().await {
                Err(Fault::Broken(Broken::Lost(what))) => {
                    tracing::debug!(what, "the first contact broke off");
                }
                settled => return settled.map(|_| client).map_err(Error::from),
            }
        }
        client.session().await?;
        Ok(client)
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { handlers, settings, token, .. } = self;
        f.debug_struct("Connect")
            .field("handlers", handlers)
            .field("settings", settings)
            .field("token", token)
            .finish_non_exhaustive()
    }
}
