//! What a client said that it can do.

use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::params::object;

/// What the client of a call declared, as far as a server may make use of it.
///
/// A capability that was not declared is never used: asking for it is an error before anything is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is declared on its own")]
pub struct ClientCapabilities {
    form: bool,
    url: bool,
    sampling: bool,
    sampling_tools: bool,
    sampling_context: bool,
    roots: bool,
    tasks: bool,
    elicitation_tasks: bool,
    sampling_tasks: bool,
}

impl ClientCapabilities {
    /// Whether it shows forms: [`Context::elicit`](crate::Context::elicit).
    pub fn elicitation(&self) -> bool {
        self.form
    }

    /// Whether it sends people to a web page: [`Context::elicit_url`](crate::Context::elicit_url).
    pub fn elicitation_url(&self) -> bool {
        self.url
    }

    /// Whether it asks its model: [`Context::sample`](crate::Context::sample).
    pub fn sampling(&self) -> bool {
        self.sampling
    }

    /// Whether its model may be given tools while sampling.
    pub fn sampling_tools(&self) -> bool {
        self.sampling_tools
    }

    /// Whether it may put the context of other servers before its model while sampling.
    pub fn sampling_context(&self) -> bool {
        self.sampling_context
    }

    /// Whether it tells its roots: [`Context::roots`](crate::Context::roots).
    pub fn roots(&self) -> bool {
        self.roots
    }

    /// Whether it takes tasks by the extension of the modern wire.
    pub(crate) fn tasks_extension(self) -> bool {
        self.tasks
    }

    /// Whether `elicitation/create` may be a task of its own (2025-11-25).
    pub(crate) fn elicitation_tasks(self) -> bool {
        self.elicitation_tasks
    }

    /// Whether `sampling/createMessage` may be a task of its own (2025-11-25).
    pub(crate) fn sampling_tasks(self) -> bool {
        self.sampling_tasks
    }

    /// Whether there is anything that a server may ask of it.
    pub(crate) fn can_be_asked(self) -> bool {
        self.form || self.url || self.sampling || self.roots
    }

    /// As much of it as a revision has: forms came with 2025-06-18; pages, the tools of models and tasks with 2025-11-25.
    pub(crate) fn in_revision(self, revision: &str) -> Self {
        // Revisions are dates, so the later one is the greater one.
        let (has_forms, has_pages) = (revision >= "2025-06-18", revision >= "2025-11-25");
        Self {
            form: has_forms && (self.form || self.url && !has_pages),
            url: has_pages && self.url,
            sampling_tools: has_pages && self.sampling_tools,
            sampling_context: if has_pages { self.sampling_context } else { self.sampling },
            elicitation_tasks: has_pages && self.elicitation_tasks,
            sampling_tasks: has_pages && self.sampling_tasks,
            ..self
        }
    }

    /// Whether it declared this one.
    pub fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Elicitation => self.form,
            Capability::ElicitationUrl => self.url,
            Capability::Sampling => self.sampling,
            Capability::SamplingTools => self.sampling_tools,
            Capability::SamplingContext => self.sampling_context,
            Capability::Roots => self.roots,
        }
    }
}

/// Something that a client can do for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// Forms for people to fill in.
    Elicitation,
    /// Web pages for people to visit.
    ElicitationUrl,
    /// Its model.
    Sampling,
    /// Its model, with tools.
    SamplingTools,
    /// Its model, with the context of other servers.
    SamplingContext,
    /// Its roots.
    Roots,
}

impl FromIterator<Capability> for ClientCapabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        capabilities.into_iter().fold(Self::default(), |mut client, capability| {
            match capability {
                Capability::Elicitation => client.form = true,
                Capability::ElicitationUrl => client.url = true,
                Capability::Sampling => client.sampling = true,
                Capability::SamplingTools => client.sampling_tools = true,
                Capability::SamplingContext => client.sampling_context = true,
                Capability::Roots => client.roots = true,
            }
            client
        })
    }
}

impl Capability {
    /// All that there are.
    pub(crate) const ALL: [Self; 6] = [
        Self::Elicitation,
        Self::ElicitationUrl,
        Self::Sampling,
        Self::SamplingTools,
        Self::SamplingContext,
        Self::Roots,
    ];

    /// The capability as a client declares it.
    pub(crate) fn declaration(self) -> Value {
        match self {
            Self::Elicitation => json!({ "elicitation": {} }),
            Self::ElicitationUrl => json!({ "elicitation": { "url": {} } }),
            Self::Sampling => json!({ "sampling": {} }),
            Self::SamplingTools => json!({ "sampling": { "tools": {} } }),
            Self::SamplingContext => json!({ "sampling": { "context": {} } }),
            Self::Roots => json!({ "roots": {} }),
        }
    }

    /// Its name as the specification writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Elicitation => "elicitation",
            Self::ElicitationUrl => "elicitation.url",
            Self::Sampling => "sampling",
            Self::SamplingTools => "sampling.tools",
            Self::SamplingContext => "sampling.context",
            Self::Roots => "roots",
        }
    }
}

/// A capability that was declared: any object counts, `null` and a missing member do not.
#[derive(Clone, Copy, Debug, Default)]
struct Declared(bool);

impl<'de> Deserialize<'de> for Declared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<IgnoredAny>::deserialize(deserializer).map(|declared| Self(declared.is_some()))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    #[serde(deserialize_with = "object")]
    elicitation: Option<Elicitation>,
    #[serde(deserialize_with = "object")]
    sampling: Option<Sampling>,
    roots: Declared,
    #[serde(deserialize_with = "object")]
    tasks: Option<Tasks>,
    #[serde(deserialize_with = "object")]
    extensions: Option<Extensions>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tasks {
    #[serde(deserialize_with = "object")]
    requests: Option<Requests>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Requests {
    #[serde(deserialize_with = "object")]
    elicitation: Option<Verbs>,
    #[serde(deserialize_with = "object")]
    sampling: Option<Verbs>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Verbs {
    create: Declared,
    create_message: Declared,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Elicitation {
    form: Declared,
    url: Declared,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sampling {
    tools: Declared,
    context: Declared,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Extensions {
    #[serde(rename = "io.modelcontextprotocol/tasks")]
    tasks: Declared,
}

impl<'de> Deserialize<'de> for ClientCapabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Members { elicitation, sampling, roots, tasks, extensions } = Members::deserialize(deserializer)?;
        let requests = tasks.and_then(|tasks| tasks.requests).unwrap_or_default();
        let tasks = extensions.is_some_and(|extensions| extensions.tasks.0);
        let (form, url) = match elicitation {
            None => (false, false),
            // "An empty capabilities object is equivalent to declaring support for `form` mode only."
            Some(modes) => (modes.form.0 || !modes.url.0, modes.url.0),
        };
        let of_sampling =
            |of: fn(&Sampling) -> Declared| sampling.as_ref().is_some_and(|sampling| of(sampling).0);
        Ok(Self {
            form,
            url,
            sampling: sampling.is_some(),
            sampling_tools: of_sampling(|sampling| sampling.tools),
            sampling_context: of_sampling(|sampling| sampling.context),
            roots: roots.0,
            tasks,
            elicitation_tasks: requests.elicitation.is_some_and(|verbs| verbs.create.0),
            sampling_tasks: requests.sampling.is_some_and(|verbs| verbs.create_message.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> ClientCapabilities {
        serde_json::from_str(text).expect("capabilities")
    }

    #[test]
    fn elicitation_without_a_mode_is_forms() {
        assert!(declared(r#"{"elicitation":{}}"#).elicitation());
        assert!(!declared(r#"{"elicitation":{}}"#).elicitation_url());
        assert!(!declared(r#"{"elicitation":{"url":{}}}"#).elicitation());
        assert!(!declared(r#"{"elicitation":null}"#).elicitation());
    }

    #[test]
    fn a_client_can_do_what_its_revision_has() {
        let all = declared(
            r#"{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{},"context":{}},"roots":{}}"#,
        );
        assert_eq!(all.in_revision("2025-11-25"), all);
        let middle = all.in_revision("2025-06-18");
        assert!(middle.elicitation() && !middle.elicitation_url() && !middle.sampling_tools());
        assert!(declared(r#"{"elicitation":{"url":{}}}"#).in_revision("2025-06-18").elicitation());
        let early = all.in_revision("2025-03-26");
        assert!(!early.elicitation() && early.roots() && early.sampling());
        // Before there was a capability for it, nobody could declare it, and everybody had it.
        assert!(declared(r#"{"sampling":{}}"#).in_revision("2024-11-05").sampling_context());
    }

    #[test]
    fn what_may_be_a_task_of_the_clients_is_declared_request_by_request() {
        let client = declared(r#"{"tasks":{"cancel":{},"requests":{"sampling":{"createMessage":{}}}}}"#);
        assert!(client.sampling_tasks() && !client.elicitation_tasks() && !client.tasks_extension());
        assert!(client.in_revision("2025-11-25").sampling_tasks());
        assert!(!client.in_revision("2025-06-18").sampling_tasks());
        let client = declared(r#"{"tasks":{"requests":{"elicitation":{"create":{}},"sampling":{}}}}"#);
        assert!(client.elicitation_tasks() && !client.sampling_tasks());
    }

    #[test]
    fn members_that_are_not_known_are_ignored() {
        let client =
            declared(r#"{"roots":{"listChanged":true},"experimental":{"x":{}},"sampling":{"tools":{}}}"#);
        assert!(client.roots() && client.sampling() && client.sampling_tools());
        assert!(!client.sampling_context() && !client.tasks_extension());
    }
}
