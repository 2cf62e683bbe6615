//! A client of any MCP server, which follows tasks.
//!
//! It speaks to a child process over its standard input and output, to a server over HTTP, and to one in the same process;
//! finds out by which revision of the protocol, and is the same for all of them:
//!
//! ```no_run
//! use std::time::Duration;
//! use mcp_runtime::client::{Client, Error};
//! use serde_json::json;
//!
//! # async fn f() -> Result<(), Error> {
//! let client = Client::http("http://127.0.0.1:8080/mcp").connect().await?;
//!
//! // The result, whatever the server does underneath: answer at once, ask first, or make a task of it.
//! let sum = client.call_tool("add", json!({ "a": 1, "b": 2 })).await?;
//! println!("{}", sum.text()); // With the crate of the tools at hand: client.call(add { a: 1, b: 2 }), which gives an i64.
//!
//! // A task, followed from here, or from another run of the program that has kept its id.
//! let call = client.call_tool("analyze_dataset", json!({ "dataset": "large_file.csv" }));
//! let mut task = call.create_task(true).ttl(Duration::from_secs(3600)).send().await?;
//! while let Some(status) = task.next().await {
//!     println!("{}", status?); // working, parsed 3 of 9 files, poll again in 5s
//! }
//! let result = client.get_task_result(task.id()).await?;
//! # let _ = result;
//! # Ok(())
//! # }
//! ```
//!
//! # What it does by itself
//!
//! - It probes the server's era once ([`Connect::revisions`]), and says what each revision wants to hear: `_meta` and headers,
//!   arguments that a tool wants in headers, sessions and their streams.
//! - What the server asks is answered by handlers ([`Connect::elicitation`] and the others), alike whether it comes as a
//!   request, as `input_required`, or with a task. What has no handler is not declared, so a server does not ask it.
//! - A connection that breaks is opened again, a process that ended is started again, and a session that was forgotten is begun
//!   again. What may be sent twice then is ([`Connect::persistence`]): everything but calls of tools that neither ask for a
//!   task nor say that they may be repeated. Every call carries a key by which a server knows it again, so that one which was
//!   sent twice makes one task.
//! - [Changes](Client::listen) of the server's lists and resources are heard of, over connections that come and go.
//! - Lists are put together from their pages, and [tools](Client::list_tools) are kept for as long as the server says.

mod ask;
mod backoff;
mod call;
mod connect;
mod connection;
mod era;
mod error;
mod form;
mod handlers;
mod link;
mod listen;
mod offers;
mod peer;
mod receiver;
mod result;
mod settings;
mod task;
mod tools;
mod typed;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub use self::call::{Begun, CallTool};
pub use self::connect::Connect;
use self::connection::{Connection, Session};
pub use self::error::Error;
pub use self::handlers::{Conversation, Form, ModelAnswer, Page};
pub use self::listen::{Change, Changes};
pub use self::peer::Progress;
pub use self::result::CallResult;
pub use self::settings::Revisions;
use self::settings::Settings;
use self::task::answers::Answers;
pub use self::task::{ChildTask, TaskHandle, TaskState, TaskStatus};
pub use self::tools::ToolInfo;
use self::tools::Tools;
pub use self::typed::{Answer, Callable, Sendable};
#[doc(hidden)]
pub use self::typed::{Name, Names};
use crate::server::Service;

/// A client of one server. A clone is the same client.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    connection: Connection,
    tools: Tools,
    answers: Answers,
}

impl Client {
    /// A client of a server at this address: `http://host:port/path`, or `https://host/path` with the feature `client-tls`.
    ///
    /// Over `https` those are trusted whom the machine trusts, and who has a certificate that was
    /// given by `Connect::root_certificate`.
    pub fn http(url: impl Into<String>) -> Connect {
        Connect::to_url(url.into())
    }

    /// A client of a server that is started as a child process, and started again if it ends. Its standard error goes where the
    /// command says.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), mcp_runtime::client::Error> {
    /// use std::process::Command;
    /// use mcp_runtime::client::Client;
    ///
    /// let mut command = Command::new("counter");
    /// command.arg("--quiet");
    /// let client = Client::process(command).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn process(command: std::process::Command) -> Connect {
        Connect::to_program(command)
    }

    /// A client of a server in the same process, from [`Server::build`](crate::Server::build).
    pub fn in_process(service: &Service) -> Connect {
        Connect::to_service(service.clone())
    }

    fn new(connection: Connection) -> Self {
        Self(Arc::new(Inner { connection, tools: Tools::default(), answers: Answers::default() }))
    }

    /// The revision of the protocol by which the server is spoken to.
    pub async fn protocol_version(&self) -> Result<String, Error> {
        Ok(self.session().await?.era.version().to_owned())
    }

    /// What the server says of itself: `name`, `version` and the like. `null` if it says nothing.
    pub async fn server_info(&self) -> Result<Value, Error> {
        Ok(self.session().await?.server.info.clone())
    }

    /// What the server offers, as the specification writes it.
    pub async fn server_capabilities(&self) -> Result<Value, Error> {
        Ok(self.session().await?.server.capabilities.clone())
    }

    /// How the server says that it is to be used.
    pub async fn instructions(&self) -> Result<Option<String>, Error> {
        Ok(self.session().await?.server.instructions.clone())
    }

    /// Ends the session, and the process if there is one, and waits until they have ended. Tasks go on, if the server does.
    ///
    /// Dropping the last clone does the same without waiting.
    pub async fn close(self) {
        self.connection().close().await;
        // What others still hold goes on, and opens another session when it needs one.
        let peer = Arc::into_inner(self.0).map(|last| Arc::clone(&last.connection.peer));
        if let Some(receiver) = peer.as_ref().and_then(|peer| peer.receiver.as_ref()) {
            receiver.stop().await;
        }
    }

    fn connection(&self) -> &Connection {
        &self.0.connection
    }

    fn settings(&self) -> &Settings {
        &self.connection().settings
    }

    fn tools(&self) -> &Tools {
        &self.0.tools
    }

    fn answers(&self) -> &Answers {
        &self.0.answers
    }

    async fn session(&self) -> Result<Arc<Session>, Error> {
        self.connection().session().await.map_err(Error::from)
    }

    async fn is_modern(&self) -> Result<bool, Error> {
        Ok(match self.connection().known_era() {
            Some(era) => era.is_modern(),
            None => self.session().await?.era.is_modern(),
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("era", &self.connection().known_era()).finish_non_exhaustive()
    }
}
