//! What the lists say of a resource or a template, and how its variables are read.

use std::borrow::Cow;
use std::sync::Arc;

use super::template::Template;
use crate::prompt::{DescribedArgument, describe_arguments};
use crate::protocol::cache::CacheHint;
use crate::protocol::content::Annotations;
use crate::tool::{Asks, Icon, Input, ParameterSpec, StateKey, TaskPolicy};

/// What a resource says of itself. `#[resource]` writes it; see [`Resource`](crate::Resource) for writing one by hand.
#[derive(Debug)]
#[must_use]
pub struct ResourceDefinition {
    uri: Cow<'static, str>,
    name: Cow<'static, str>,
    title: Option<Cow<'static, str>>,
    description: Option<Cow<'static, str>>,
    mime_type: Option<Cow<'static, str>>,
    size: Option<u64>,
    annotations: Option<Annotations>,
    icons: Vec<Icon>,
    task: TaskPolicy,
    states: Vec<StateKey>,
    cache: CacheHint,
    parameters: Vec<ParameterSpec>,
}

impl ResourceDefinition {
    /// A resource at this URI, or the resources of this URI template: `memory://{id}`.
    pub fn new(uri: impl Into<Cow<'static, str>>, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
            annotations: None,
            icons: Vec::new(),
            task: TaskPolicy::default(),
            states: Vec::new(),
            cache: CacheHint::default(),
            parameters: Vec::new(),
        }
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What it is.
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Its media type, of all resources that a template stands for. What is read is of this type unless it says otherwise.
    pub fn mime_type(mut self, mime_type: impl Into<Cow<'static, str>>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// How large it is, in bytes. Not for templates.
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Whom it is for, and how much it matters.
    pub fn annotations(mut self, annotations: Annotations) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// A picture.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Whether reading it can be a task. Only the core tasks of 2025-11-25 know that; others get the contents directly.
    pub fn task(mut self, policy: TaskPolicy) -> Self {
        self.task = policy;
        self
    }

    /// A type that the resource asks for; building the server fails if it holds none.
    pub fn state<T: Send + Sync + 'static>(self) -> Self {
        self.asks(StateKey::of::<T>())
    }

    /// For how long and for whom what is read is fresh. Default: private, and not at all.
    pub fn cache(mut self, hint: CacheHint) -> Self {
        self.cache = hint;
        self
    }

    /// Declares a variable of the template. One that is not declared is text.
    pub fn parameter(mut self, parameter: ParameterSpec) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Everything that a server needs to know, made once. The errors say what is wrong with the definition.
    pub(crate) fn describe(mut self) -> (DescribedResource, Vec<String>) {
        let mut errors = Vec::new();
        if !is_uri(&self.uri) {
            errors.push(
                "its URI is none: it begins with a scheme, as `memory:` does, and has no blanks".to_owned(),
            );
        }
        if self.name.trim().is_empty() {
            errors.push("it has no name".to_owned());
        }
        if self.task.concurrency == Some(0) {
            errors.push("its `concurrency` is 0, so none of its tasks could ever run".to_owned());
        }
        let template = if self.uri.contains(['{', '}']) {
            Template::parse(&self.uri).map_err(|error| errors.push(error)).ok()
        } else {
            None
        };
        let names: Vec<&str> = template.iter().flat_map(Template::names).collect();
        for parameter in self.parameters.iter().filter(|parameter| !names.contains(&&*parameter.name)) {
            errors.push(format!("it declares `{}`, which is not a variable of its URI", parameter.name));
        }
        let mut parameters = self.parameters;
        for name in names {
            if !parameters.iter().any(|parameter| parameter.name == name) {
                parameters.push(ParameterSpec::new::<String>(name.to_owned(), ""));
            }
        }
        let (variables, input) = describe_arguments(parameters, &mut self.states, &mut errors);
        let described = DescribedResource {
            uri: self.uri.into(),
            name: self.name,
            title: self.title,
            description: self.description,
            mime_type: self.mime_type,
            size: self.size,
            annotations: self.annotations,
            icons: self.icons,
            task: self.task,
            states: self.states,
            cache: self.cache,
            template,
            variables,
            input,
        };
        (described, errors)
    }
}

impl Asks for ResourceDefinition {
    fn asks(mut self, key: StateKey) -> Self {
        self.states.push(key);
        self
    }
}

/// Whether a text can be a URI, or a template of one: what stands before the first colon is a scheme, and there is
/// nothing that a URI cannot have.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut scheme = scheme.chars();
    scheme.next().is_some_and(|c| c.is_ascii_alphabetic())
        && scheme.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && !rest.is_empty()
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A resource or a template as a server knows it.
#[derive(Debug)]
pub(crate) struct DescribedResource {
    pub(crate) uri: Box<str>,
    pub(crate) name: Cow<'static, str>,
    pub(crate) title: Option<Cow<'static, str>>,
    pub(crate) description: Option<Cow<'static, str>>,
    pub(crate) mime_type: Option<Cow<'static, str>>,
    pub(crate) size: Option<u64>,
    pub(crate) annotations: Option<Annotations>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) task: TaskPolicy,
    pub(crate) states: Vec<StateKey>,
    pub(crate) cache: CacheHint,
    /// How URIs are matched; none for a resource at one URI.
    pub(crate) template: Option<Template>,
    pub(crate) variables: Arc<[DescribedArgument]>,
    pub(crate) input: Input,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(definition: ResourceDefinition) -> Vec<String> {
        definition.describe().1
    }

    #[test]
    fn a_variable_that_is_not_declared_is_text() {
        let (described, errors) = ResourceDefinition::new("memory://{id}/{part}", "memory")
            .parameter(ParameterSpec::new::<u32>("part", "Which part."))
            .describe();
        assert_eq!(errors, Vec::<String>::new());
        let names: Vec<_> = described.variables.iter().map(|variable| &*variable.name).collect();
        assert_eq!(names, ["part", "id"]);
    }

    #[test]
    fn what_is_wrong_with_a_resource_is_told() {
        assert_eq!(errors(ResourceDefinition::new("test://static-text", "text")), Vec::<String>::new());
        assert!(errors(ResourceDefinition::new("no uri", "text"))[0].contains("scheme"));
        assert!(errors(ResourceDefinition::new("a://b", " "))[0].contains("name"));
        assert!(errors(ResourceDefinition::new("a://{b", "b"))[0].contains("never closed"));
        let undeclared = ResourceDefinition::new("a://b", "b").parameter(ParameterSpec::new::<u32>("c", ""));
        assert!(errors(undeclared)[0].contains("`c`"));
    }
}
