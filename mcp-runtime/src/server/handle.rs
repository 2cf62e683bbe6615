//! A server as the functions that it runs see it: what it offers may change while it runs.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use super::catalogue::{Catalogue, Offers, Setting};
use super::{BuildError, Shared};
use crate::prompt::Prompt;
use crate::resource::Resource;
use crate::tool::Tool;
use crate::wire::{Change, Offer};

/// Changes what a server offers while it runs, and says so to its clients.
///
/// [`Service::handle`](crate::Service::handle) gives it, and a function gets it as `State<ServerHandle>`. It may be cloned
/// and kept; it does not keep the server alive.
///
/// ```
/// use mcp_runtime::prelude::*;
/// use mcp_runtime::ServerHandle;
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
/// /// Take the calculator away.
/// #[tool]
/// async fn retire(server: State<ServerHandle>) -> bool {
///     server.remove_tool("add")
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let service = Server::new("calculator", "1.0.0").tools(tools![add, retire]).announces_changes().build()?;
/// let mut client = service.test_client();
/// client.call_tool("retire", serde_json::json!({})).await?;
/// assert_eq!(client.request("tools/list", serde_json::json!({})).await?["tools"].as_array().unwrap().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// Whoever is to hear of a change does so within 50 ms, and of many at once as of one: clients of the legacy revisions
/// unasked, others by `subscriptions/listen`. All of that needs [`Server::announces_changes`](crate::Server::announces_changes).
///
/// What a client may ask for at all is told once, in the handshake. So a server must offer at least an empty list of
/// whatever is to be added later, for example by `.prompts([])`; a task or a completion can only be added where there was
/// one before.
#[derive(Clone, Default)]
pub struct ServerHandle(Arc<OnceLock<Weak<Shared>>>);

impl ServerHandle {
    /// The handle of this server, from now on.
    pub(super) fn attach(&self, shared: &Arc<Shared>) {
        // It is made with the server, and attached nowhere else.
        let _ = self.0.set(Arc::downgrade(shared));
    }

    fn shared(&self) -> Option<Arc<Shared>> {
        self.0.get()?.upgrade()
    }

    /// Offers one more tool, which is a value of its own; functions are offered by [`add_tools`](Self::add_tools), with
    /// `tools![..]`. The error is what building the server would have said; then nothing has changed.
    pub fn add_tool(&self, tool: impl Tool) -> Result<(), BuildError> {
        self.add_tools([Arc::new(tool) as Arc<dyn Tool>])
    }

    /// Offers more tools: all of them or, if anything is wrong, none.
    pub fn add_tools(&self, tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Result<(), BuildError> {
        self.add(Offers { tools: tools.into_iter().collect(), ..Offers::default() }, Change::Tools)
    }

    /// Offers one more prompt. The error is what building the server would have said; then nothing has changed.
    pub fn add_prompt(&self, prompt: impl Prompt) -> Result<(), BuildError> {
        self.add_prompts([Arc::new(prompt) as Arc<dyn Prompt>])
    }

    /// Offers more prompts: all of them or, if anything is wrong, none.
    pub fn add_prompts(&self, prompts: impl IntoIterator<Item = Arc<dyn Prompt>>) -> Result<(), BuildError> {
        self.add(Offers { prompts: prompts.into_iter().collect(), ..Offers::default() }, Change::Prompts)
    }

    /// Offers one more resource or template. The error is what building the server would have said; then nothing has
    /// changed.
    pub fn add_resource(&self, resource: impl Resource) -> Result<(), BuildError> {
        self.add_resources([Arc::new(resource) as Arc<dyn Resource>])
    }

    /// Offers more resources: all of them or, if anything is wrong, none.
    pub fn add_resources(
        &self,
        resources: impl IntoIterator<Item = Arc<dyn Resource>>,
    ) -> Result<(), BuildError> {
        self.add(
            Offers { resources: resources.into_iter().collect(), ..Offers::default() },
            Change::Resources,
        )
    }

    /// Offers a tool no more; whether there was one of this name. Calls of it that run go on.
    pub fn remove_tool(&self, name: &str) -> bool {
        self.remove(Change::Tools, |catalogue, setting| catalogue.without_tool(name, setting))
    }

    /// Offers a prompt no more; whether there was one of this name.
    pub fn remove_prompt(&self, name: &str) -> bool {
        self.remove(Change::Prompts, |catalogue, setting| catalogue.without_prompt(name, setting))
    }

    /// Offers a resource or a template no more; whether there was one of this URI or template.
    pub fn remove_resource(&self, uri: &str) -> bool {
        self.remove(Change::Resources, |catalogue, setting| catalogue.without_resource(uri, setting))
    }

    /// Tells whoever subscribed to this URI that the resource holds something else now.
    pub fn resource_updated(&self, uri: impl Into<Arc<str>>) {
        if let Some(shared) = self.shared() {
            shared.announce(&Change::Resource(uri.into()));
        }
    }

    fn add(&self, offers: Offers, change: Change) -> Result<(), BuildError> {
        let Some(shared) = self.shared() else { return Ok(()) };
        shared.change(|catalogue, setting| {
            let (changed, mut errors) = catalogue.with(offers, setting);
            errors.extend(changed.offered().beyond(shared.offered).map(|word| {
                format!("the server was built without {word}, and what clients may ask for is told once: build it with some")
            }));
            if errors.is_empty() { Ok(changed) } else { Err(BuildError(errors)) }
        })?;
        shared.announce(&change);
        Ok(())
    }

    fn remove(
        &self,
        change: Change,
        remove: impl FnOnce(&Catalogue, Setting<'_>) -> Option<Catalogue>,
    ) -> bool {
        let Some(shared) = self.shared() else { return false };
        let is_removed = shared.change(|catalogue, setting| remove(catalogue, setting).ok_or(())).is_ok();
        if is_removed {
            shared.announce(&change);
        }
        is_removed
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerHandle")
    }
}

impl Shared {
    /// Says to whoever wants to hear of it that something changed.
    fn announce(&self, change: &Change) {
        if self.offered.has(Offer::Changes) {
            self.changes.changed(change);
        } else {
            tracing::debug!(
                ?change,
                "nobody is told of a change: the server was built without `announces_changes`"
            );
        }
    }
}
