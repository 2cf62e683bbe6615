//! One tool: how it is called, and how `tools/list` shows it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Check;
use super::listing::Audience;
use super::named::Entry;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::write_json;
use crate::protocol::payload;
use crate::server::callee::{Callee, Jobs, Traits};
use crate::server::run::{Begin, Work};
use crate::task::Context;
use crate::tool::States;
use crate::tool::{
    Arguments, Described, Icon, Mirrored, Of, TaskSupport, Tool, ToolAnnotations, ToolCall, ToolResult,
};
use crate::wire::Call;

/// One tool.
pub(crate) struct ToolEntry {
    tool: Arc<dyn Tool>,
    described: Described,
    traits: Traits,
}

impl ToolEntry {
    pub(super) fn new(tool: Arc<dyn Tool>, check: &mut Check<'_>) -> Self {
        let (described, wrong) = tool.definition().describe();
        check((Self::NOUN, &described.name, &described.states), wrong);
        let ToolAnnotations { read_only, idempotent, .. } = described.annotations;
        let is_harmless = read_only == Some(true) || idempotent == Some(true);
        let traits = Traits::new(described.name.as_ref().into(), described.task, is_harmless);
        Self { tool, described, traits }
    }
}

impl Callee for ToolEntry {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn mirrored(&self) -> &[Mirrored] {
        self.described.input.mirrored()
    }

    fn jobs(&self) -> Option<Jobs<'_>> {
        let kind = self.described.jobs.as_ref()?;
        Some(Jobs { kind, wraps: self.described.wraps_output() })
    }

    fn begin(&self, call: &Call<'_>, states: &States, cx: &Context) -> Result<Begin, ProtocolError> {
        let wraps = self.described.wraps_output();
        let arguments = Arguments::new(Of::Tool, call.arguments, &self.described.input);
        match self.tool.call(ToolCall { arguments, states }, cx.clone()) {
            Ok(work) => Ok(Begin::Work(Work::Tool(work, wraps))),
            // A model can mend its call, so this is a result for it to read and no protocol error (SEP-1303).
            Err(invalid) => {
                let refusal = ToolResult::error(invalid.to_string()).into_payload(wraps);
                Ok(Begin::Refused(refusal.unwrap_or_default()))
            }
        }
    }
}

impl Entry for ToolEntry {
    const NOUN: &'static str = "tool";
    const MEMBER: &'static str = "tools";

    fn write(&self, out: &mut Vec<u8>, audience: Audience) {
        write_json(out, &Listed::new(&self.described, audience));
    }
}

/// A tool as `tools/list` shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    description: &'a str,
    input_schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<ToolAnnotations>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<Execution>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    icons: &'a [Icon],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    task_support: TaskSupport,
}

impl<'a> Listed<'a> {
    fn new(tool: &'a Described, audience: Audience) -> Self {
        let output = tool.output.as_ref().map(|schema| match audience {
            Audience::Legacy | Audience::LegacyWithTasks if tool.wraps_output() => wrapped(schema),
            _ => schema.clone(),
        });
        let says_tasks =
            matches!(audience, Audience::LegacyWithTasks) && tool.task.support != TaskSupport::Forbidden;
        Self {
            name: &tool.name,
            title: tool.title.as_deref(),
            description: &tool.description,
            input_schema: &tool.input.json,
            output_schema: output.and_then(|schema| payload::encode(&schema).ok()),
            annotations: (tool.annotations != ToolAnnotations::default()).then_some(tool.annotations),
            execution: says_tasks.then_some(Execution { task_support: tool.task.support }),
            icons: &tool.icons,
        }
    }
}

/// The legacy wires take only objects as structured content; anything else is their `result`.
fn wrapped(schema: &Value) -> Value {
    let mut inner = schema.clone();
    refer_to_result(&mut inner);
    let definitions = inner.as_object_mut().and_then(|inner| inner.remove("$defs"));
    let mut outer = json!({"type": "object", "properties": {"result": inner}, "required": ["result"]});
    if let (Some(definitions), Some(outer)) = (definitions, outer.as_object_mut()) {
        outer.insert("$defs".to_owned(), definitions);
    }
    outer
}

/// A schema that referred to its own root finds itself one level further down.
fn refer_to_result(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(refer_to_result),
        Value::Object(map) => {
            if let Some(reference) = map.get_mut("$ref").filter(|reference| *reference == "#") {
                *reference = "#/properties/result".into();
            }
            map.values_mut().for_each(refer_to_result);
        }
        _ => {}
    }
}
