//! The server: what its author says of it, and what is made of that.

mod batch;
mod call;
mod callee;
mod catalogue;
mod changes;
mod complete;
mod connection;
mod entrusted;
mod error;
mod flights;
mod handle;
mod info;
mod jobs;
mod limits;
mod nested;
mod outlet;
mod plain;
mod questions;
mod request_state;
mod revive;
mod run;
mod service;
mod settings;
mod subscription;
mod tasks;
mod within;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

#[cfg(feature = "client")]
pub(crate) use self::catalogue::Answering;
#[cfg(feature = "client")]
use self::catalogue::Handler;
use self::catalogue::{Catalogue, Offers, Setting};
pub use self::error::{BuildError, ServerError};
pub use self::handle::ServerHandle;
use self::info::{Info, Introductions};
pub use self::limits::Limits;
use self::request_state::Seal;
use self::service::Alone;
pub use self::service::Service;
pub use self::settings::Tasks;
use crate::prompt::Prompt;
use crate::resource::Resource;
#[cfg(feature = "client")]
use crate::task::RequestKind;
use crate::task::{Engine, EngineSettings, KnowJobs, Watchers};
use crate::telemetry;
use crate::testing::TestClient;
use crate::tool::{States, Tool};
use crate::transport::Transport;
use crate::wire::{Change, Offer, Offered};

/// A server of tools, prompts and resources, as its author describes it.
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
    offers: Offers,
    #[cfg(feature = "skills")]
    skills: Vec<crate::skill::DescribedSkill>,
    /// What is offered even if there is none of it so far.
    offered: Offered,
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
            offers: Offers::default(),
            #[cfg(feature = "skills")]
            skills: Vec::new(),
            offered: Offered::default(),
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
        self.offers.tools.extend(tools);
        self.offering(Offer::Tools)
    }

    /// Offers one tool that was written by hand.
    pub fn tool(self, tool: impl Tool) -> Self {
        self.tools([Arc::new(tool) as Arc<dyn Tool>])
    }

    /// Offers these prompts: a list by [`prompts!`](crate::prompts!). May be called repeatedly.
    pub fn prompts(mut self, prompts: impl IntoIterator<Item = Arc<dyn Prompt>>) -> Self {
        self.offers.prompts.extend(prompts);
        self.offering(Offer::Prompts)
    }

    /// Offers one prompt that was written by hand.
    pub fn prompt(self, prompt: impl Prompt) -> Self {
        self.prompts([Arc::new(prompt) as Arc<dyn Prompt>])
    }

    /// Offers these resources and templates: a list by [`resources!`](crate::resources!). May be called repeatedly.
    pub fn resources(mut self, resources: impl IntoIterator<Item = Arc<dyn Resource>>) -> Self {
        self.offers.resources.extend(resources);
        self.offering(Offer::Resources)
    }

    /// Offers one resource or template that was written by hand.
    pub fn resource(self, resource: impl Resource) -> Self {
        self.resources([Arc::new(resource) as Arc<dyn Resource>])
    }

    /// Offers these skills, each file of which is a resource: one by one, or all of a directory by
    /// [`Skill::read_all`](crate::Skill::read_all). May be called repeatedly.
    #[cfg(feature = "skills")]
    pub fn skills(mut self, skills: impl IntoIterator<Item = crate::Skill>) -> Self {
        for skill in skills {
            let path = skill.path().to_owned();
            match skill.describe() {
                Ok(described) => self.skills.push(described),
                Err(wrong) => {
                    self.errors.extend(wrong.into_iter().map(|wrong| format!("skill `{path}`: {wrong}")));
                }
            }
        }
        self.offering(Offer::Skills).offering(Offer::Resources)
    }

    /// Tells clients when what is offered changes while the server runs (`listChanged`), and when a resource that they
    /// subscribed to does (`subscribe`): both by a [`ServerHandle`].
    pub fn announces_changes(self) -> Self {
        self.offering(Offer::Changes)
    }

    /// Answers what a server asks its client: then this is the client's side.
    #[cfg(feature = "client")]
    pub(crate) fn handler(mut self, kind: RequestKind, answering: Answering) -> Self {
        self.offers.handlers.push(Arc::new(Handler::new(kind, answering)));
        self
    }

    fn offering(mut self, offer: Offer) -> Self {
        self.offered = self.offered.with(offer, true);
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
    /// schema that cannot be enforced, a URI template that could only be guessed.
    pub fn build(mut self) -> Result<Service, BuildError> {
        let handle = ServerHandle::default();
        self.states.insert(handle.clone());
        #[cfg(feature = "skills")]
        self.offer_files_of_skills();
        let setting = Setting {
            states: &self.states,
            info: &self.info,
            page_size: self.limits.page_size.max(1),
            changes: self.offered.has(Offer::Changes),
        };
        let (catalogue, errors) = Catalogue::empty(setting).with(self.offers, setting);
        #[cfg(feature = "skills")]
        let catalogue = catalogue.with_skills(&self.skills, setting);
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
            max_arguments_size: self.limits.max_arguments_size,
            max_questions: self.limits.max_questions,
            max_journal_size: self.limits.max_journal_size,
            partials: self.limits.partials(),
            lease: self.tasks.lease,
        };
        // Last: no file is made for a server that cannot be.
        let store = self.tasks.open().map_err(|error| BuildError(vec![error]))?;
        let engine = Engine::new(store, settings);
        let offered = self.offered.and(catalogue.offered());
        let offered = offered.with(Offer::TaskList, offered.has_tasks());
        let shared = Arc::new(Shared {
            catalogue: RwLock::new(Arc::new(catalogue)),
            changing: Mutex::new(()),
            changes: Arc::default(),
            offered,
            introductions: self.info.introductions(offered),
            info: self.info,
            states: self.states,
            engine,
            seal,
            tasks: self.tasks,
            limits: self.limits,
        });
        telemetry::describe();
        handle.attach(&shared);
        let tools: Weak<Shared> = Arc::downgrade(&shared);
        shared.engine.know_tools(tools);
        Ok(Service(shared))
    }

    /// Offers each file of a skill as a resource: once, though a file of a skill within another is of both.
    #[cfg(feature = "skills")]
    fn offer_files_of_skills(&mut self) {
        let mut offered = std::collections::HashSet::new();
        let (manifests, others): (Vec<_>, Vec<_>) = self
            .skills
            .iter()
            .flat_map(|skill| skill.files.iter().map(|file| (file.uri == skill.uri, file)))
            .partition(|(is_manifest, _)| *is_manifest);
        for (is_manifest, file) in manifests.into_iter().chain(others) {
            if offered.insert(file.uri.as_str()) {
                self.offers.resources.push(Arc::new(file.clone()));
            } else if is_manifest {
                self.errors.push(format!("two skills are at `{}`: give one of them another path", file.uri));
            }
        }
    }

    /// Serves one client until its transport ends, and ends with it: what still runs is stopped.
    ///
    /// To serve several clients, [`build`](Self::build) the server first. Must be called within a Tokio runtime that has
    /// its time enabled, as `#[tokio::main]` has. Dropping the future leaves tasks running; end the transport instead.
    pub async fn serve(self, transport: impl Transport + 'static) -> Result<(), ServerError> {
        let alone = Alone(self.build()?);
        alone.0.0.open();
        Box::new(transport).serve(Arc::new(alone)).await.map_err(ServerError::Transport)
    }

    /// Serves Streamable HTTP on this address, at the path `/mcp`, until the process is asked to stop by ctrl-c or SIGTERM.
    ///
    /// Then it [shuts down](Service::shut_down), and clients can look at their tasks meanwhile; who asks a second time waits
    /// for no task. At the end streams end, and requests that are being answered are waited for. Clients are [anonymous](crate::Principal::anonymous). For anything else, [`build`](Self::build)
    /// the server and see [`Service::http`]. Must be called within a Tokio runtime that has I/O and time enabled.
    #[cfg(feature = "http")]
    pub async fn serve_http(
        self,
        address: impl tokio::net::ToSocketAddrs + fmt::Debug,
    ) -> Result<(), ServerError> {
        let named = format!("{address:?}");
        let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
            ServerError::Transport(std::io::Error::new(error.kind(), format!("{named}: {error}")))
        })?;
        self.serve_http_on(listener).await
    }

    /// The same, on a listener: for those who want to know its address, or have one already.
    #[cfg(feature = "http")]
    pub async fn serve_http_on(self, listener: tokio::net::TcpListener) -> Result<(), ServerError> {
        use crate::transport::http::{Http, Signals};
        let service = self.build()?;
        // Before anybody can know that there is a server to stop.
        let mut signals = Signals::listen().map_err(ServerError::Transport)?;
        service.0.open();
        let stopping = {
            let service = service.clone();
            async move {
                signals.asked().await;
                tracing::info!("asked to stop");
                signals.unless_asked(service.drain()).await;
                service.stop().await;
            }
        };
        let http = Http::new(Arc::new(Alone(service)));
        if let Ok(address) = listener.local_addr() {
            tracing::info!(%address, "listening");
        }
        http.serve_at(Some("/mcp"), listener, stopping).await.map_err(ServerError::Transport)
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

/// What all clients of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What is offered at the moment; replaced as a whole.
    catalogue: RwLock<Arc<Catalogue>>,
    /// Held by who makes another catalogue, which may take longer than anybody should wait for the one above.
    changing: Mutex<()>,
    /// Who wants to hear of changes.
    changes: Arc<Watchers<Change>>,
    /// What was announced to clients, which does not change.
    offered: Offered,
    info: Info,
    introductions: Introductions,
    states: States,
    engine: Arc<Engine>,
    seal: Seal,
    tasks: Tasks,
    limits: Limits,
}

impl Shared {
    /// What is offered at the moment.
    fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins to take up tasks that an earlier process left behind, once; as soon as there is a runtime to do it in.
    fn open(self: &Arc<Self>) {
        if tokio::runtime::Handle::try_current().is_ok() {
            let shared: Weak<Self> = Arc::downgrade(self);
            let is_first = self.engine.know_jobs(Weak::clone(&shared) as Weak<dyn KnowJobs>);
            if is_first && let Some(jobs) = self.catalogue().jobs() {
                jobs.keep(&self.engine);
            }
            self.engine.open(shared);
        }
    }

    /// Replaces what is offered by what is made of it.
    fn change<E>(&self, make: impl FnOnce(&Catalogue, Setting<'_>) -> Result<Catalogue, E>) -> Result<(), E> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let setting = Setting {
            states: &self.states,
            info: &self.info,
            page_size: self.limits.page_size.max(1),
            changes: self.offered.has(Offer::Changes),
        };
        let next = Arc::new(make(&self.catalogue(), setting)?);
        *self.catalogue.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}

#[cfg(test)]
mod ending_tests;
#[cfg(test)]
mod entrusted_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod input_tests;
#[cfg(test)]
mod jobs_tests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod nested_tests;
#[cfg(test)]
mod offers_tests;
#[cfg(test)]
mod push_tests;
#[cfg(test)]
mod recovery_tests;
#[cfg(test)]
mod rounds_tests;
#[cfg(all(test, feature = "sqlite"))]
mod sharing_tests;
#[cfg(test)]
mod spans_tests;
#[cfg(test)]
mod stop_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod within_tests;
