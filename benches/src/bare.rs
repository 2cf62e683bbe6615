//! The least a server can do with serde: one typed parse of the line, one typed answer. No protocol beyond what the
//! rows ask for, and the legacy wire only: it is the floor that frameworks are held against.

use std::borrow::Cow;
use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::fillers::with_filler_names;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Add {
    a: i64,
    b: i64,
}

#[derive(Deserialize)]
struct Echo {
    text: String,
}

#[derive(Serialize)]
struct Answer<'a, R> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    result: R,
}

#[derive(Serialize)]
struct CallResult {
    content: [Text; 1],
}

#[derive(Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Initialized {
    #[serde(rename = "protocolVersion")]
    protocol_version: &'static str,
    capabilities: Capabilities,
    #[serde(rename = "serverInfo")]
    server_info: ServerInfo,
}

#[derive(Serialize)]
struct Capabilities {
    tools: Nothing,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct ServerInfo {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Listing<'a> {
    tools: &'a [Tool],
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    description: &'static str,
    #[serde(rename = "inputSchema")]
    input_schema: Schema,
}

#[derive(Serialize)]
struct Schema {
    r#type: &'static str,
    properties: std::collections::BTreeMap<&'static str, Property>,
    required: &'static [&'static str],
}

#[derive(Serialize)]
struct Property {
    r#type: &'static str,
    description: &'static str,
}

/// A server of `add` and `echo`, which lists a hundred tools.
pub(crate) struct Bare {
    tools: Vec<Tool>,
}

impl Bare {
    pub(crate) fn new() -> Self {
        macro_rules! fillers {
            ($($name:ident)*) => { vec![$(filler(stringify!($name))),*] };
        }
        let mut tools: Vec<Tool> = with_filler_names!(fillers);
        tools.push(tool(
            "add",
            "Add two integers.",
            [("a", "integer", "The first term."), ("b", "integer", "The second term.")],
            &["a", "b"],
        ));
        Self { tools }
    }

    /// Appends the answer to `line`, if it wants one.
    pub(crate) fn answer(&self, line: &[u8], out: &mut Vec<u8>) -> serde_json::Result<()> {
        let request: Request<'_> = serde_json::from_slice(line)?;
        let Some(id) = request.id else { return Ok(()) };
        match &*request.method {
            "initialize" => write(id, Initialized::default(), out),
            "tools/list" => write(id, Listing { tools: &self.tools }, out),
            _ => write(id, call(request.params)?, out),
        }
    }
}

fn call(params: Option<Params<'_>>) -> serde_json::Result<CallResult> {
    let (name, arguments) = params.and_then(|p| Some((p.name?, p.arguments?.get()))).unwrap_or_default();
    let text = match &*name {
        "add" => serde_json::from_str::<Add>(arguments).map(|Add { a, b }| (a + b).to_string())?,
        _ => serde_json::from_str::<Echo>(arguments)?.text,
    };
    Ok(CallResult { content: [Text { r#type: "text", text }] })
}

fn write(id: &RawValue, result: impl Serialize, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *out, &Answer { jsonrpc: "2.0", id, result })?;
    out.write_all(b"\n").map_err(serde_json::Error::io)
}

fn filler(name: &'static str) -> Tool {
    tool(
        name,
        "Look something up.",
        [
            ("query", "string", "What to look for."),
            ("limit", "integer", "How many answers at most."),
            ("archived", "boolean", "Whether to look in the archive too."),
        ],
        &["query", "archived"],
    )
}

fn tool<const N: usize>(
    name: &'static str,
    description: &'static str,
    properties: [(&'static str, &'static str, &'static str); N],
    required: &'static [&'static str],
) -> Tool {
    let properties = properties
        .into_iter()
        .map(|(name, r#type, description)| (name, Property { r#type, description }))
        .collect();
    Tool { name, description, input_schema: Schema { r#type: "object", properties, required } }
}

impl Default for Initialized {
    fn default() -> Self {
        Self {
            protocol_version: "2025-11-25",
            capabilities: Capabilities { tools: Nothing {} },
            server_info: ServerInfo { name: "bare", version: "0.0.0" },
        }
    }
}
