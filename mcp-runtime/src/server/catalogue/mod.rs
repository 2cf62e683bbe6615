//! What a server offers, found by name, and the answers to the lists, written once.
//!
//! A catalogue never changes; what is added to a server makes another one.

#[cfg(feature = "client")]
mod handlers;
mod listing;
mod named;
mod prompts;
mod resources;
#[cfg(feature = "skills")]
mod skills;
mod tools;

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "client")]
pub(crate) use self::handlers::{Answering, Handler};
pub(crate) use self::listing::Audience;
use self::listing::Writing;
use self::named::Named;
use self::prompts::PromptEntry;
use self::resources::Resources;
use self::tools::ToolEntry;
use super::callee::Callee;
use super::info::Info;
use crate::prompt::{DescribedArgument, Prompt};
use crate::protocol::ProtocolError;
use crate::resource::Resource;
use crate::task::RequestKind;
use crate::tool::{AnyJobs, States};
use crate::tool::{StateKey, TaskPolicy, TaskSupport, Tool};
use crate::wire::{Call, List, Offer, Offered};

/// Everything that a server offers.
#[derive(Clone)]
pub(crate) struct Catalogue {
    tools: Arc<Named<ToolEntry>>,
    prompts: Arc<Named<PromptEntry>>,
    resources: Arc<Resources>,
    #[cfg(feature = "skills")]
    skills: Arc<skills::Skills>,
    #[cfg(feature = "client")]
    handlers: Arc<[Arc<Handler>]>,
}

/// What is offered, or offered in addition, as the author gave it.
#[derive(Default)]
pub(crate) struct Offers {
    pub(crate) tools: Vec<Arc<dyn Tool>>,
    pub(crate) prompts: Vec<Arc<dyn Prompt>>,
    pub(crate) resources: Vec<Arc<dyn Resource>>,
    /// Who answers what a server asks its client.
    #[cfg(feature = "client")]
    pub(crate) handlers: Vec<Arc<Handler>>,
}

/// What is needed to check what is offered and to write the lists.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) states: &'a States,
    pub(crate) info: &'a Info,
    pub(crate) page_size: usize,
    /// Whether the lists may change while the server runs.
    pub(crate) changes: bool,
}

impl Catalogue {
    /// Nothing.
    pub(crate) fn empty(setting: Setting<'_>) -> Self {
        let writing = Writing::new(setting);
        Self {
            tools: Arc::new(Named::new(Vec::new(), writing)),
            prompts: Arc::new(Named::new(Vec::new(), writing)),
            resources: Arc::new(Resources::new(Vec::new(), writing)),
            #[cfg(feature = "skills")]
            skills: Arc::new(skills::Skills::new(&[], writing)),
            #[cfg(feature = "client")]
            handlers: Arc::default(),
        }
    }

    /// The same with more. Everything is checked, and all that is wrong is found, not just the first thing.
    pub(crate) fn with(&self, offers: Offers, setting: Setting<'_>) -> (Self, Vec<String>) {
        let (mut errors, writing) = (Vec::new(), Writing::new(setting));
        let Offers { tools, prompts, resources, .. } = offers;
        let mut check = |(noun, name, states): (&str, &str, &[StateKey]), wrong: Vec<String>| {
            errors.extend(wrong.into_iter().map(|wrong| format!("{noun} `{name}`: {wrong}")));
            for key in states.iter().filter(|key| !setting.states.holds(key)) {
                let wanted = key.type_name();
                errors.push(format!(
                    "{noun} `{name}` asks for `State<{wanted}>`, which the server was not given: add `.state(..)` with \
                     one"
                ));
            }
        };
        let tools: Vec<_> = tools.into_iter().map(|tool| ToolEntry::new(tool, &mut check)).collect();
        let prompts: Vec<_> =
            prompts.into_iter().map(|prompt| PromptEntry::new(prompt, &mut check)).collect();
        let resources: Vec<_> = resources
            .into_iter()
            .map(|resource| resources::ResourceEntry::new(resource, &mut check))
            .collect();
        let mut catalogue = self.clone();
        #[cfg(feature = "client")]
        {
            catalogue.handlers = self.handlers.iter().cloned().chain(offers.handlers).collect();
        }
        catalogue.tools = self.tools.with(tools, writing, &mut errors);
        catalogue.prompts = self.prompts.with(prompts, writing, &mut errors);
        catalogue.resources = self.resources.with(resources, writing, &mut errors);
        (catalogue, errors)
    }

    /// The same without the tool of this name, if there is one.
    pub(crate) fn without_tool(&self, name: &str, setting: Setting<'_>) -> Option<Self> {
        let tools = self.tools.without(name, Writing::new(setting))?;
        Some(Self { tools, ..self.clone() })
    }

    /// The same without the prompt of this name, if there is one.
    pub(crate) fn without_prompt(&self, name: &str, setting: Setting<'_>) -> Option<Self> {
        let prompts = self.prompts.without(name, Writing::new(setting))?;
        Some(Self { prompts, ..self.clone() })
    }

    /// The same without the resource of this URI or template, if there is one.
    pub(crate) fn without_resource(&self, uri: &str, setting: Setting<'_>) -> Option<Self> {
        let resources = self.resources.without(uri, Writing::new(setting))?;
        Some(Self { resources, ..self.clone() })
    }

    /// The same with these skills, whose files are among the resources already.
    #[cfg(feature = "skills")]
    pub(crate) fn with_skills(&self, skills: &[crate::skill::DescribedSkill], setting: Setting<'_>) -> Self {
        let skills = Arc::new(skills::Skills::new(skills, Writing::new(setting)));
        Self { skills, ..self.clone() }
    }

    /// The answer to `skills/get`.
    #[cfg(feature = "skills")]
    pub(crate) fn skill(&self, uri: &str) -> Result<Arc<[u8]>, ProtocolError> {
        self.skills.get(uri)
    }

    /// The answer to `resources/directory/read`.
    #[cfg(feature = "skills")]
    pub(crate) fn directory(
        &self,
        uri: &str,
        audience: Audience,
        cursor: Option<&str>,
    ) -> Result<Arc<[u8]>, ProtocolError> {
        self.skills.directory(uri, audience, cursor)
    }

    /// What is in here, as the handshake announces it.
    pub(crate) fn offered(&self) -> Offered {
        let can_be_task = |task: TaskPolicy| task.support != TaskSupport::Forbidden;
        let mut offered = Offered::default();
        for tool in self.tools.iter() {
            offered =
                offered.with(Offer::Tools, true).with(Offer::ToolTasks, can_be_task(tool.traits().task));
        }
        for prompt in self.prompts.iter() {
            offered = offered
                .with(Offer::Prompts, true)
                .with(Offer::PromptTasks, can_be_task(prompt.traits().task))
                .with(Offer::Completions, prompt.arguments().iter().any(DescribedArgument::has_suggestions));
        }
        for resource in self.resources.iter() {
            offered = offered
                .with(Offer::Resources, true)
                .with(Offer::ResourceTasks, can_be_task(resource.traits().task))
                .with(
                    Offer::Completions,
                    resource.variables().iter().any(DescribedArgument::has_suggestions),
                );
        }
        #[cfg(feature = "client")]
        for handler in self.handlers.iter() {
            offered = offered.with(handler.offer(), true);
        }
        offered
    }

    /// What a request calls.
    pub(crate) fn find(&self, call: &Call<'_>) -> Result<Arc<dyn Callee>, ProtocolError> {
        self.named(call.kind, &call.name)
    }

    /// The jobs that a tool may begin, if one may.
    pub(crate) fn jobs(&self) -> Option<Arc<dyn AnyJobs>> {
        self.tools.iter().find_map(|tool| Some(Arc::clone(tool.jobs()?.kind)))
    }

    /// What is called by this name; of a resource, by its URI.
    pub(crate) fn named(&self, kind: RequestKind, name: &str) -> Result<Arc<dyn Callee>, ProtocolError> {
        let found: Option<Arc<dyn Callee>> = match kind {
            RequestKind::CallTool => self.tools.get(name).map(|tool| Arc::clone(tool) as _),
            RequestKind::GetPrompt => self.prompts.get(name).map(|prompt| Arc::clone(prompt) as _),
            RequestKind::ReadResource => self.resources.find(name).map(|resource| Arc::clone(resource) as _),
            RequestKind::CreateMessage | RequestKind::Elicit => self.handler(kind),
        };
        found.ok_or_else(|| match kind {
            RequestKind::CallTool => unknown("tool", name),
            RequestKind::GetPrompt => unknown("prompt", name),
            RequestKind::ReadResource => ProtocolError::resource_not_found(name),
            RequestKind::CreateMessage | RequestKind::Elicit => {
                ProtocolError::method_not_found(format!("nobody here answers `{kind}`"))
            }
        })
    }

    /// Who answers what a server asks its client.
    #[cfg(feature = "client")]
    fn handler(&self, kind: RequestKind) -> Option<Arc<dyn Callee>> {
        let handler = self.handlers.iter().find(|handler| handler.kind() == kind)?;
        Some(Arc::clone(handler) as _)
    }

    /// A server is asked nothing of this kind.
    #[cfg(not(feature = "client"))]
    #[allow(clippy::unused_self, reason = "a client has somebody here")]
    fn handler(&self, _: RequestKind) -> Option<Arc<dyn Callee>> {
        None
    }

    /// Whether a resource of this URI can be read.
    pub(crate) fn has_resource(&self, uri: &str) -> bool {
        self.resources.find(uri).is_some()
    }

    /// The arguments of a prompt.
    pub(crate) fn arguments_of_prompt(&self, name: &str) -> Result<Arc<[DescribedArgument]>, ProtocolError> {
        let prompt = self.prompts.get(name).ok_or_else(|| unknown("prompt", name))?;
        Ok(Arc::clone(prompt.arguments()))
    }

    /// The variables of a resource, which is named by its URI or template, or by a URI that the template matches.
    pub(crate) fn variables_of_resource(&self, uri: &str) -> Result<Arc<[DescribedArgument]>, ProtocolError> {
        let resource = self.resources.get(uri).ok_or_else(|| unknown("resource", uri))?;
        Ok(Arc::clone(resource.variables()))
    }

    /// The page of a list that a cursor leads to, ready to be sent.
    pub(crate) fn page(
        &self,
        list: List,
        audience: Audience,
        cursor: Option<&str>,
    ) -> Result<Arc<[u8]>, ProtocolError> {
        let pages = match list {
            List::Tools => self.tools.pages(),
            List::Prompts => self.prompts.pages(),
            List::Resources => self.resources.pages(),
            List::ResourceTemplates => self.resources.template_pages(),
            #[cfg(feature = "skills")]
            List::Skills => self.skills.pages(),
        };
        pages.get(audience, cursor)
    }
}

/// Takes note of what is wrong with something: its noun, its name, the state that it asks for, and what its definition
/// says of its own mistakes.
type Check<'c> = dyn FnMut((&str, &str, &[StateKey]), Vec<String>) + 'c;

fn unknown(noun: &str, name: &str) -> ProtocolError {
    ProtocolError::invalid_params(format!("Unknown {noun}: {}", shortened(name)))
}

/// A name as an error repeats it: nobody needs a megabyte of it.
pub(crate) fn shortened(name: &str) -> String {
    const LONGEST: usize = 128;
    if name.chars().count() <= LONGEST {
        name.to_owned()
    } else {
        name.chars().take(LONGEST).chain(['…']).collect()
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tools = self.tools.iter().map(|tool| &tool.traits().name);
        let prompts = self.prompts.iter().map(|prompt| &prompt.traits().name);
        let resources = self.resources.iter().map(|resource| &resource.traits().name);
        f.debug_list().entries(tools.chain(prompts).chain(resources)).finish()
    }
}
