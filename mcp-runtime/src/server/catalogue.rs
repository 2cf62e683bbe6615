//! The tools of a server, and the answers to `tools/list`, written once.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::callee::{Callee, Traits};
use super::info::Info;
use super::run::{Begin, Work};
use crate::protocol::jsonrpc::write_json;
use crate::protocol::payload::{self, write_entry};
use crate::task::Context;
use crate::tool::{Arguments, Described, Icon, Of, TaskSupport, Tool, ToolAnnotations, ToolCall, ToolResult};
use crate::wire::{Call, Dialect, bad_cursor};
use crate::{ProtocolError, States};

/// One tool.
pub(crate) struct Entry {
    pub(crate) tool: Arc<dyn Tool>,
    pub(crate) described: Described,
    pub(crate) traits: Traits,
}

impl Callee for Entry {
    fn traits(&self) -> &Traits {
        &self.traits
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

/// All tools of a server.
pub(crate) struct Catalogue {
    tools: HashMap<Arc<str>, Arc<Entry>>,
    pages: [Vec<Arc<[u8]>>; 3],
    page_size: usize,
    has_tasks: bool,
}

/// To whom a list is shown.
#[derive(Clone, Copy)]
enum Audience {
    Legacy,
    LegacyWithTasks,
    Modern,
}

/// How long a client may take a list for fresh: it never changes while the server runs.
const LIST_TTL_MS: u64 = 300_000;

impl Catalogue {
    /// Checks every tool, and writes every page. All errors are found, not just the first.
    pub(crate) fn new(
        tools: Vec<Arc<dyn Tool>>,
        states: &States,
        info: &Info,
        page_size: usize,
    ) -> (Self, Vec<String>) {
        let mut errors = Vec::new();
        let mut entries: Vec<Arc<Entry>> = Vec::with_capacity(tools.len());
        let mut by_name = HashMap::new();
        for tool in tools {
            let (described, wrong) = tool.definition().describe();
            let name: Arc<str> = described.name.as_ref().into();
            errors.extend(wrong.into_iter().map(|wrong| format!("tool `{name}`: {wrong}")));
            for key in described.states.iter().filter(|key| !states.holds(key)) {
                let wanted = key.type_name();
                errors.push(format!(
                    "tool `{name}` asks for `State<{wanted}>`, which the server was not given: add `.state(..)` with one"
                ));
            }
            let traits = Traits::new(Arc::clone(&name), described.task);
            let entry = Arc::new(Entry { tool, described, traits });
            entries.push(Arc::clone(&entry));
            if by_name.insert(Arc::clone(&name), entry).is_some() {
                errors.push(format!("two tools are named `{name}`: give one of them another `name`"));
            }
        }
        let pages = [Audience::Legacy, Audience::LegacyWithTasks, Audience::Modern]
            .map(|audience| write_pages(&entries, audience, info, page_size));
        let has_tasks = entries.iter().any(|entry| entry.described.task.support != TaskSupport::Forbidden);
        (Self { tools: by_name, pages, page_size, has_tasks }, errors)
    }

    /// Whether any tool can be a task.
    pub(crate) fn has_tasks(&self) -> bool {
        self.has_tasks
    }

    /// What a request calls.
    pub(crate) fn find(&self, call: &Call<'_>) -> Result<Arc<dyn Callee>, ProtocolError> {
        let unknown = || ProtocolError::invalid_params(format!("Unknown tool: {}", shortened(&call.name)));
        let entry = self.tools.get(&*call.name).ok_or_else(unknown)?;
        Ok(Arc::clone(entry) as Arc<dyn Callee>)
    }

    /// The page that a cursor leads to, ready to be sent.
    pub(crate) fn page(&self, dialect: &Dialect, cursor: Option<&str>) -> Result<Arc<[u8]>, ProtocolError> {
        let audience = match dialect {
            Dialect::Modern(_) => Audience::Modern,
            Dialect::Legacy(version) if version.has_tasks() => Audience::LegacyWithTasks,
            Dialect::Legacy(_) => Audience::Legacy,
        };
        let index = match cursor {
            None => 0,
            Some(cursor) => read_cursor(cursor).ok_or_else(bad_cursor)? / self.page_size,
        };
        self.pages[audience as usize].get(index).cloned().ok_or_else(bad_cursor)
    }
}

/// A name as an error repeats it: nobody needs a megabyte of it.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 128;
    if name.chars().count() <= LONGEST {
        name.to_owned()
    } else {
        name.chars().take(LONGEST).chain(['…']).collect()
    }
}

fn write_cursor(next: usize) -> String {
    format!("tools_{next}")
}

fn read_cursor(cursor: &str) -> Option<usize> {
    let next = cursor.strip_prefix("tools_")?.parse().ok()?;
    (next > 0).then_some(next)
}

fn write_pages(entries: &[Arc<Entry>], audience: Audience, info: &Info, page_size: usize) -> Vec<Arc<[u8]>> {
    let chunks: Vec<&[Arc<Entry>]> =
        if entries.is_empty() { vec![&[]] } else { entries.chunks(page_size).collect() };
    let last = chunks.len() - 1;
    chunks
        .into_iter()
        .enumerate()
        .map(|(index, chunk)| {
            let mut out = br#"{"tools":["#.to_vec();
            for (index, entry) in chunk.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_json(&mut out, &Listed::new(&entry.described, audience));
            }
            out.push(b']');
            if index < last {
                write_entry(&mut out, "nextCursor", &write_cursor((index + 1) * page_size));
            }
            if matches!(audience, Audience::Modern) {
                info.write_modern_members(&mut out, LIST_TTL_MS);
            }
            out.push(b'}');
            out.into()
        })
        .collect()
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

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tools.keys()).finish()
    }
}
