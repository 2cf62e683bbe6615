//! What `prompts/list` says of a prompt, what its arguments are checked against, and what is suggested for them.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::completion::Completer;
use crate::tool::{Asks, Icon, Input, ParameterSpec, StateKey, TaskPolicy};

/// What a prompt says of itself. `#[prompt]` writes it; see [`Prompt`](crate::Prompt) for writing one by hand.
#[derive(Debug)]
#[must_use]
pub struct PromptDefinition {
    name: Cow<'static, str>,
    title: Option<Cow<'static, str>>,
    description: Cow<'static, str>,
    icons: Vec<Icon>,
    task: TaskPolicy,
    states: Vec<StateKey>,
    parameters: Vec<ParameterSpec>,
}

impl PromptDefinition {
    /// A prompt without arguments.
    pub fn new(name: impl Into<Cow<'static, str>>, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: description.into(),
            icons: Vec::new(),
            task: TaskPolicy::default(),
            states: Vec::new(),
            parameters: Vec::new(),
        }
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// A picture.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Whether getting it can be a task. Only the core tasks of 2025-11-25 know that; others get the messages directly.
    pub fn task(mut self, policy: TaskPolicy) -> Self {
        self.task = policy;
        self
    }

    /// A type that the prompt asks for; building the server fails if it holds none.
    pub fn state<T: Send + Sync + 'static>(self) -> Self {
        self.asks(StateKey::of::<T>())
    }

    /// Declares the next argument.
    pub fn parameter(mut self, parameter: ParameterSpec) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Everything that a server needs to know, made once. The errors say what is wrong with the definition.
    pub(crate) fn describe(mut self) -> (DescribedPrompt, Vec<String>) {
        let mut errors = Vec::new();
        if self.name.is_empty() || self.name.chars().count() > 128 || self.name.chars().any(char::is_control)
        {
            errors
                .push("its name must have 1 to 128 characters, none of them a control character".to_owned());
        }
        if self.description.trim().is_empty() {
            errors.push("it has no description".to_owned());
        }
        if self.task.concurrency == Some(0) {
            errors.push("its `concurrency` is 0, so none of its tasks could ever run".to_owned());
        }
        let (arguments, input) = describe_arguments(self.parameters, &mut self.states, &mut errors);
        let described = DescribedPrompt {
            name: self.name.into(),
            title: self.title,
            description: self.description,
            icons: self.icons,
            task: self.task,
            states: self.states,
            arguments,
            input,
        };
        (described, errors)
    }
}

impl Asks for PromptDefinition {
    fn asks(mut self, key: StateKey) -> Self {
        self.states.push(key);
        self
    }
}

/// A prompt as a server knows it.
#[derive(Debug)]
pub(crate) struct DescribedPrompt {
    pub(crate) name: Box<str>,
    pub(crate) title: Option<Cow<'static, str>>,
    pub(crate) description: Cow<'static, str>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) task: TaskPolicy,
    pub(crate) states: Vec<StateKey>,
    pub(crate) arguments: Arc<[DescribedArgument]>,
    pub(crate) input: Input,
}

/// An argument of a prompt as `prompts/list` shows it, or a variable of a URI template.
#[derive(Debug, Serialize)]
pub(crate) struct DescribedArgument {
    pub(crate) name: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: Cow<'static, str>,
    required: bool,
    #[serde(skip)]
    pub(crate) suggestions: Suggestions,
}

impl DescribedArgument {
    /// Whether anything can be suggested for it.
    pub(crate) fn has_suggestions(&self) -> bool {
        !matches!(self.suggestions, Suggestions::None)
    }
}

/// Where suggestions for an argument come from.
#[derive(Debug)]
pub(crate) enum Suggestions {
    /// There are none.
    None,
    /// It can only be one of these.
    Choices(Vec<String>),
    /// The author's function.
    Function(Completer),
}

/// What is known of each argument, and what it is checked against.
pub(crate) fn describe_arguments(
    mut parameters: Vec<ParameterSpec>,
    states: &mut Vec<StateKey>,
    errors: &mut Vec<String>,
) -> (Arc<[DescribedArgument]>, Input) {
    for (index, parameter) in parameters.iter().enumerate() {
        if parameters[..index].iter().any(|other| other.name == parameter.name) {
            errors.push(format!("it has two arguments named `{}`", parameter.name));
        }
    }
    let mut arguments: Vec<DescribedArgument> = parameters
        .iter_mut()
        .map(|parameter| DescribedArgument {
            name: parameter.name.clone(),
            title: parameter.title.clone(),
            description: parameter.description.clone(),
            required: !parameter.optional,
            suggestions: parameter.completer.take().map_or(Suggestions::None, Suggestions::Function),
        })
        .collect();
    let input = Input::of_parameters(parameters, errors);
    for (index, argument) in arguments.iter_mut().enumerate() {
        match &argument.suggestions {
            Suggestions::Function(completer) => states.extend(&completer.states),
            _ => argument.suggestions = choices(input.parameter(index)),
        }
    }
    (arguments.into(), input)
}

/// The values that a schema lists.
fn choices(schema: &Value) -> Suggestions {
    if schema.get("type").and_then(Value::as_str) == Some("boolean") {
        return Suggestions::Choices(vec!["true".to_owned(), "false".to_owned()]);
    }
    match schema.get("enum").and_then(Value::as_array) {
        Some(values) => Suggestions::Choices(
            values
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect(),
        ),
        None => Suggestions::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::Deserialize;

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    #[serde(rename_all = "lowercase")]
    enum Tone {
        Formal,
        Casual,
    }

    fn prompt(parameter: ParameterSpec) -> (DescribedPrompt, Vec<String>) {
        PromptDefinition::new("greet", "Greets.").parameter(parameter).describe()
    }

    #[test]
    fn an_argument_is_listed_as_the_specification_has_it() {
        let (described, errors) =
            prompt(ParameterSpec::new::<Option<Tone>>("tone", "How.").title("Tone of voice"));
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(
            serde_json::to_value(&*described.arguments).expect("JSON"),
            serde_json::json!([{ "name": "tone", "title": "Tone of voice", "description": "How.", "required": false }])
        );
    }

    #[test]
    fn enums_and_booleans_suggest_their_values() {
        let of = |parameter| match &prompt(parameter).0.arguments[0].suggestions {
            Suggestions::Choices(values) => values.clone(),
            _ => Vec::new(),
        };
        assert_eq!(of(ParameterSpec::new::<Tone>("tone", "")), ["formal", "casual"]);
        assert_eq!(of(ParameterSpec::new::<Option<Tone>>("tone", "")), ["formal", "casual"]);
        assert_eq!(of(ParameterSpec::new::<bool>("loud", "")), ["true", "false"]);
        assert!(of(ParameterSpec::new::<String>("name", "")).is_empty());
    }

    #[test]
    fn what_is_wrong_with_a_prompt_is_told() {
        let definition = PromptDefinition::new("", " ")
            .parameter(ParameterSpec::new::<String>("a", ""))
            .parameter(ParameterSpec::new::<String>("a", ""));
        assert_eq!(definition.describe().1.len(), 3);
    }
}
