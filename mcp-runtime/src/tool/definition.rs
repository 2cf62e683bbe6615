//! What `tools/list` says of a tool, and what its arguments are checked against.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::job::{AnyJobs, Job, Jobs};
use super::mirror::{self, Mirrored};
use super::output::{Kind, OutputSchema};
use super::parameter::{Parameter, ParameterSpec};
use super::schema;
use super::state::{Asks, StateKey};
use super::validate::{self, Patterns, Problem};
use crate::protocol::payload;

/// What a tool says of itself. `#[tool]` writes it; see [`Tool`](crate::Tool) for writing one by hand.
#[derive(Debug)]
#[must_use]
pub struct ToolDefinition {
    pub(crate) name: Cow<'static, str>,
    pub(crate) title: Option<Cow<'static, str>>,
    pub(crate) description: Cow<'static, str>,
    pub(crate) annotations: ToolAnnotations,
    pub(crate) icons: Vec<Icon>,
    pub(crate) task: TaskPolicy,
    pub(crate) states: Vec<StateKey>,
    input: InputSource,
    output: Option<Value>,
    jobs: Option<Arc<dyn AnyJobs>>,
}

#[derive(Debug)]
enum InputSource {
    Parameters(Vec<ParameterSpec>),
    Whole(Value),
}

/// How a tool behaves, as far as it says. Every one is a hint, which clients may ignore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ToolAnnotations {
    /// It changes nothing.
    #[serde(rename = "readOnlyHint", skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// What it changes may be lost.
    #[serde(rename = "destructiveHint", skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    /// Calling it twice with the same arguments does no more than calling it once.
    #[serde(rename = "idempotentHint", skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// It deals with things outside of this server, such as the web.
    #[serde(rename = "openWorldHint", skip_serializing_if = "Option::is_none")]
    pub open_world: Option<bool>,
}

/// A picture for a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Icon {
    /// An `https:` or `data:` URI.
    pub src: Cow<'static, str>,
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<Cow<'static, str>>,
    /// Its sizes, for example `48x48`, or `any`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<Cow<'static, str>>,
}

impl Icon {
    /// An icon at this address.
    pub fn new(src: impl Into<Cow<'static, str>>) -> Self {
        Self { src: src.into(), mime_type: None, sizes: Vec::new() }
    }
}

/// Whether a tool runs as a task, and within which bounds. What is `None` is the server's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskPolicy {
    /// Whether calls may, must or must not be tasks.
    pub support: TaskSupport,
    /// How long a task is kept once it is over.
    pub ttl: Option<Duration>,
    /// How often a client should ask.
    pub poll: Option<Duration>,
    /// How long a run may take, as a task or not.
    pub timeout: Option<Duration>,
    /// How many tasks of this tool may run at once; others wait their turn.
    pub concurrency: Option<usize>,
    /// Whether it begins as a call even where the server may choose, and becomes a task when it says so:
    /// [`Context::detach`](crate::Context::detach).
    pub begins_as_call: bool,
    /// Where the server may choose (on the tasks extension), a call is answered by its result if that is there within
    /// this time, and becomes a task if not. It says nothing where the client decides, nor where tasks are required.
    pub after: Option<Duration>,
    /// How often a task is run again whose run was cut off, because the server died or lost its hold on it. It goes on
    /// with its journal: [steps](crate::Context::step) that were recorded are not done again. 0 is never; without a
    /// number, a tool that is idempotent is run again, and any other is not.
    pub retries: Option<u32>,
}

/// Whether calls of a tool may, must or must not be tasks (`execution.taskSupport`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskSupport {
    /// Always an ordinary call.
    #[default]
    Forbidden,
    /// A task where the client can take one, an ordinary call where it cannot.
    Optional,
    /// Only as a task.
    Required,
}

impl ToolDefinition {
    /// A tool without parameters that gives text.
    pub fn new(name: impl Into<Cow<'static, str>>, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: description.into(),
            annotations: ToolAnnotations::default(),
            icons: Vec::new(),
            task: TaskPolicy::default(),
            states: Vec::new(),
            input: InputSource::Parameters(Vec::new()),
            output: None,
            jobs: None,
        }
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// How the tool behaves.
    pub fn annotations(mut self, annotations: ToolAnnotations) -> Self {
        self.annotations = annotations;
        self
    }

    /// A picture.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Whether the tool runs as a task.
    pub fn task(mut self, policy: TaskPolicy) -> Self {
        self.task = policy;
        self
    }

    /// A type that the tool asks for; building the server fails if it holds none.
    pub fn state<T: Send + Sync + 'static>(self) -> Self {
        self.asks(StateKey::of::<T>())
    }

    /// Declares the next parameter.
    pub fn parameter(mut self, parameter: ParameterSpec) -> Self {
        match &mut self.input {
            InputSource::Parameters(parameters) => parameters.push(parameter),
            InputSource::Whole(_) => self.input = InputSource::Parameters(vec![parameter]),
        }
        self
    }

    /// Takes `T` as the whole arguments object.
    pub fn arguments<T: Parameter>(mut self) -> Self {
        let mut schema = schema::generator(false).root_schema_for::<T>().to_value();
        schema::tidy(&mut schema, true);
        schema::without_title(&mut schema);
        self.input = InputSource::Whole(schema);
        self
    }

    /// Declares the whole arguments object by a schema, which is listed as it is and enforced.
    pub fn input_schema(mut self, schema: Value) -> Self {
        self.input = InputSource::Whole(schema);
        self
    }

    /// Declares what the structured content looks like.
    pub fn returns(mut self, output: OutputSchema) -> Self {
        self.output = output.schema;
        self.states.extend(output.jobs.as_ref().map(|jobs| jobs.state()));
        self.jobs = output.jobs;
        self
    }

    /// Declares that the tool begins a job at this service, which is to give the result: what
    /// [`ToolResult::job`](crate::ToolResult::job) makes of a [`Job`](crate::Job). The structured content is that of the
    /// job, and building the server fails if it does not hold the service.
    pub fn job<S: Jobs>(self) -> Self {
        self.returns(Kind::<Job<S>>::NEW.schema())
    }

    /// Declares what the structured content looks like, by a schema.
    pub fn output_schema(mut self, schema: Value) -> Self {
        self.output = Some(schema);
        self
    }

    /// Everything that a server needs to know, made once. The errors say what is wrong with the definition.
    pub(crate) fn describe(self) -> (Described, Vec<String>) {
        let mut errors = Vec::new();
        check_name(&self.name, &mut errors);
        if self.description.trim().is_empty() {
            errors.push("it has no description".to_owned());
        }
        if self.task.concurrency == Some(0) {
            errors.push("its `concurrency` is 0, so none of its tasks could ever run".to_owned());
        }
        let input = match self.input {
            InputSource::Parameters(parameters) => Input::of_parameters(parameters, &mut errors),
            InputSource::Whole(schema) => Input::of_whole(schema, &mut errors),
        };
        let described = Described {
            name: self.name.into(),
            title: self.title,
            description: self.description,
            annotations: self.annotations,
            icons: self.icons,
            task: self.task,
            states: self.states,
            input,
            output: self.output,
            jobs: self.jobs,
        };
        (described, errors)
    }
}

impl Asks for ToolDefinition {
    fn asks(mut self, key: StateKey) -> Self {
        self.states.push(key);
        self
    }
}

/// The names that the specification allows: 1 to 128 of `A-Z a-z 0-9 _ - .`
fn check_name(name: &str, errors: &mut Vec<String>) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > 128 {
        errors.push(format!("its name has {} characters; allowed are 1 to 128", name.len()));
    } else if let Some(wrong) = name.chars().find(|c| !allowed(*c)) {
        errors.push(format!("its name has {wrong:?}; allowed are letters, digits, `_`, `-` and `.`"));
    }
}

/// A tool as a server knows it.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) name: Box<str>,
    pub(crate) title: Option<Cow<'static, str>>,
    pub(crate) description: Cow<'static, str>,
    pub(crate) annotations: ToolAnnotations,
    pub(crate) icons: Vec<Icon>,
    pub(crate) task: TaskPolicy,
    pub(crate) states: Vec<StateKey>,
    pub(crate) input: Input,
    pub(crate) output: Option<Value>,
    pub(crate) jobs: Option<Arc<dyn AnyJobs>>,
}

impl Described {
    /// Whether structured content can be something else than an object, going by its schema.
    pub(crate) fn wraps_output(&self) -> bool {
        let is_object = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("object");
        self.output.as_ref().is_some_and(|schema| !is_object(schema))
    }
}

/// The input schema: as text for `tools/list`, with its properties in the order in which they were declared, and as
/// values for checking.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) json: Box<RawValue>,
    root: Value,
    parameters: Vec<(Value, bool)>,
    patterns: Patterns,
    mirrored: Box<[Mirrored]>,
}

impl Input {
    pub(crate) fn of_parameters(specs: Vec<ParameterSpec>, errors: &mut Vec<String>) -> Self {
        let mut generator = schema::generator(false);
        let mut names = Vec::new();
        let mut required = Vec::new();
        let mut parameters = Vec::new();
        for spec in specs {
            let mut schema = (spec.schema)(&mut generator).to_value();
            schema::tidy(&mut schema, true);
            schema::without_title(&mut schema);
            names.push(spec.name.clone());
            if !spec.optional {
                required.push(spec.name.clone());
            }
            declare(&mut schema, spec);
            let checked = !schema::is_enforced_by_type(&schema);
            parameters.push((schema, checked));
        }
        let mut definitions = generator.take_definitions(true);
        definitions.values_mut().for_each(|definition| schema::tidy(definition, true));
        let json = write_object(&names, &parameters, &required, &definitions);
        Self::new(json, parameters, errors)
    }

    fn of_whole(schema: Value, errors: &mut Vec<String>) -> Self {
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            errors.push(
                "its arguments must be an object: their schema needs `\"type\": \"object\"`".to_owned(),
            );
        }
        let json = payload::encode(&schema).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self::new(json, Vec::new(), errors)
    }

    fn new(json: Box<RawValue>, parameters: Vec<(Value, bool)>, errors: &mut Vec<String>) -> Self {
        let root: Value = serde_json::from_str(json.get()).unwrap_or_default();
        unenforceable(&root, &root, errors);
        let patterns = Patterns::compile(&root).unwrap_or_else(|error| {
            errors.push(error);
            Patterns::default()
        });
        let mirrored = mirror::mirrored(&root, errors);
        Self { json, root, parameters, patterns, mirrored }
    }

    /// The arguments that a client repeats in headers.
    pub(crate) fn mirrored(&self) -> &[Mirrored] {
        &self.mirrored
    }

    /// The schema of one parameter.
    pub(crate) fn parameter(&self, index: usize) -> &Value {
        self.parameters.get(index).map_or(&Value::Null, |(schema, _)| schema)
    }

    /// Whether that schema says more than the parameter's type enforces.
    pub(crate) fn checks(&self, index: usize) -> bool {
        self.parameters.get(index).is_none_or(|(_, checked)| *checked)
    }

    /// The schema of the arguments object.
    pub(crate) fn whole(&self) -> &Value {
        &self.root
    }

    /// Everything that is wrong with a value.
    pub(crate) fn validate(&self, schema: &Value, value: &Value, path: &str) -> Vec<Problem> {
        validate::validate(&self.root, &self.patterns, schema, value, path)
    }
}

/// Finds what a schema says that is not enforced: better an error now than a promise that is not kept.
fn unenforceable(root: &Value, schema: &Value, errors: &mut Vec<String>) {
    const UNKNOWN: [&str; 4] =
        ["unevaluatedProperties", "unevaluatedItems", "dependentSchemas", "$dynamicRef"];
    match schema {
        Value::Array(schemas) => schemas.iter().for_each(|schema| unenforceable(root, schema, errors)),
        Value::Object(map) => {
            for keyword in UNKNOWN.iter().filter(|keyword| map.contains_key(**keyword)) {
                errors.push(format!(
                    "its schema has `{keyword}`, which is not enforced here: say it in another way"
                ));
            }
            if let Some(Value::String(dialect)) = map.get("$schema")
                && !dialect.contains("draft/2020-12")
            {
                errors.push(format!("its schema is of the dialect {dialect}; only 2020-12 is enforced here"));
            }
            if let Some(Value::String(reference)) = map.get("$ref")
                && reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)).is_none()
            {
                errors.push(format!("its schema refers to `{reference}`, which is not in it"));
            }
            let is_schema = |key: &str| !matches!(key, "default" | "const" | "enum" | "examples");
            for (_, schema) in map.iter().filter(|(key, _)| is_schema(key)) {
                unenforceable(root, schema, errors);
            }
        }
        _ => {}
    }
}

/// Adds to the schema of a parameter's type what the parameter itself declares.
fn declare(schema: &mut Value, spec: ParameterSpec) {
    if spec.optional {
        schema::without_null(schema);
    }
    if !schema.is_object() {
        *schema = json!({});
    }
    let Some(map) = schema.as_object_mut() else { return };
    if let Some(title) = spec.title {
        map.insert("title".to_owned(), title.into());
    }
    if !spec.description.is_empty() {
        // What an enum says of its values is worth keeping beside what the parameter says of itself.
        let values = map.get("description").and_then(Value::as_str).filter(|_| map.contains_key("enum"));
        let description = values.map(|values| format!("{}\n{values}", spec.description));
        map.insert(
            "description".to_owned(),
            description.map_or_else(|| spec.description.into_owned().into(), Value::from),
        );
    }
    if let Some(default) = spec.default {
        map.insert("default".to_owned(), default);
    }
    let numbers =
        [("minimum", spec.minimum), ("maximum", spec.maximum), ("exclusiveMaximum", spec.exclusive_maximum)];
    for (key, bound) in numbers {
        if let Some(bound) = bound {
            map.insert(key.to_owned(), bound.into());
        }
    }
    let number = |key: &str| map.get(key).and_then(Value::as_f64);
    if number("exclusiveMaximum").zip(number("maximum")).is_some_and(|(below, most)| below <= most) {
        map.remove("maximum");
    }
    let (low, high) = match map.get("type").and_then(Value::as_str) {
        Some("array") => ("minItems", "maxItems"),
        Some("object") => ("minProperties", "maxProperties"),
        _ => ("minLength", "maxLength"),
    };
    for (key, length) in [(low, spec.min_length), (high, spec.max_length)] {
        if let Some(length) = length {
            map.insert(key.to_owned(), length.into());
        }
    }
    if let Some(header) = spec.header {
        map.insert("x-mcp-header".to_owned(), header.into());
    }
}

fn write_object(
    names: &[Cow<'static, str>],
    parameters: &[(Value, bool)],
    required: &[Cow<'static, str>],
    definitions: &Map<String, Value>,
) -> Box<RawValue> {
    let members: Vec<String> = names
        .iter()
        .zip(parameters)
        .map(|(name, (schema, _))| format!("{}:{schema}", Value::from(&**name)))
        .collect();
    let mut parts = vec![r#""type":"object""#.to_owned()];
    if !members.is_empty() {
        parts.push(format!(r#""properties":{{{}}}"#, members.join(",")));
    }
    if !required.is_empty() {
        parts.push(format!(r#""required":{}"#, Value::from(required)));
    }
    parts.push(r#""additionalProperties":false"#.to_owned());
    if !definitions.is_empty() {
        parts.push(format!(r#""$defs":{}"#, Value::from(definitions.clone())));
    }
    RawValue::from_string(format!("{{{}}}", parts.join(","))).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
