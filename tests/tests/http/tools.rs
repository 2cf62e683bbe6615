//! The server that is tested: one tool for each thing that is looked at.

// A tool is async, whether it waits or not.
#![allow(clippy::unused_async)]

use std::collections::BTreeSet;

use mcp_runtime::prelude::*;
use mcp_runtime::{Limits, Service};
use serde_json::json;
use tokio::sync::watch;

/// Gates that a call waits at and a test opens, and the other way round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gates(watch::Sender<BTreeSet<String>>);

impl Gates {
    pub(crate) fn open(&self, gate: impl Into<String>) {
        self.0.send_modify(|open| {
            open.insert(gate.into());
        });
    }

    pub(crate) async fn passed(&self, gate: &str) {
        // The sender is here, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(|open| open.contains(gate)).await;
    }

    pub(crate) fn is_open(&self, gate: &str) -> bool {
        self.0.borrow().contains(gate)
    }
}

/// Opens a gate when it is dropped.
struct OpenOnDrop(State<Gates>, String);

impl Drop for OpenOnDrop {
    fn drop(&mut self) {
        self.0.open(std::mem::take(&mut self.1));
    }
}

/// Add two numbers.
#[tool(read_only)]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Give the text back.
#[tool]
async fn echo(text: String) -> String {
    text
}

/// Fail with an error of the protocol.
#[tool]
async fn refuse() -> Result<String, ProtocolError> {
    Err(ProtocolError::new(-32601, "not this"))
}

/// Report two steps of progress, and be done.
#[tool]
async fn tell(cx: Context) -> String {
    cx.progress(1, 2, "one");
    cx.progress(2, 2, "two");
    "told".to_owned()
}

/// Report one step of progress, and give a text of this many bytes.
#[tool]
async fn recite(bytes: usize, cx: Context) -> String {
    cx.progress(1, 2, "one");
    "x".repeat(bytes)
}

/// Wait until a gate is open, reporting progress before if there is somebody to hear it. Opens the gate `..-reached`
/// before, and `..-left` behind itself.
#[tool(task)]
async fn wait(gate: String, gates: State<Gates>, cx: Context) -> String {
    let _left = OpenOnDrop(gates.clone(), format!("{gate}-left"));
    cx.progress(1, 2, "waiting");
    gates.open(format!("{gate}-reached"));
    gates.passed(&gate).await;
    cx.progress(2, 2, "through");
    format!("passed {gate}")
}

/// Find two numbers, and wait for a gate between them, by a call of `wait`.
#[tool(task)]
async fn find(gate: String, cx: Context) -> Result<String, ToolError> {
    cx.partial(json!({ "number": 0 }));
    let waited = cx.call("wait", json!({ "gate": gate })).await?;
    cx.partial(json!({ "number": 1 }));
    Ok(waited.text())
}

/// Wait until a gate is open, reporting progress before, as a task if that takes a while.
#[tool(task(after = "500ms"))]
async fn wait_a_while(gate: String, gates: State<Gates>, cx: Context) -> String {
    cx.progress(1, 2, "waiting");
    gates.passed(&gate).await;
    format!("passed {gate}")
}

/// Wait until a gate is open, and say nothing.
#[tool]
async fn brood(gate: String, gates: State<Gates>) -> String {
    let _left = OpenOnDrop(gates.clone(), format!("{gate}-left"));
    gates.open(format!("{gate}-reached"));
    gates.passed(&gate).await;
    format!("passed {gate}")
}

/// Wait to be cancelled, then for the gate `..-clean`, then open the gate.
#[tool]
async fn tidy(gate: String, gates: State<Gates>, cx: Context) {
    gates.open(format!("{gate}-reached"));
    cx.cancelled().await;
    gates.passed(&format!("{gate}-clean")).await;
    gates.open(gate);
}

/// Send the client away to come back, and wait until a gate is open. Opens the gate `..-reached` in between.
#[tool]
async fn leave(gate: String, gates: State<Gates>, cx: Context) -> String {
    cx.close_stream();
    gates.open(format!("{gate}-reached"));
    gates.passed(&gate).await;
    format!("passed {gate}")
}

/// What a person says.
#[derive(Debug, Deserialize, JsonSchema)]
struct Confirmation {
    /// Whether it is so.
    sure: bool,
}

/// Ask before anything is done.
#[tool(task)]
async fn confirm(cx: Context) -> Result<&'static str, ToolError> {
    let sure = cx.elicit::<Confirmation>("Really?").await?.accepted().is_some_and(|said| said.sure);
    Ok(if sure { "confirmed" } else { "not confirmed" })
}

/// An address.
#[derive(Debug, Deserialize, JsonSchema)]
struct Address {
    /// The city.
    #[schemars(extend("x-mcp-header" = "City"))]
    city: String,
}

/// Take arguments that headers repeat.
#[tool]
async fn regional(
    #[arg(header = "Region")] region: Option<String>,
    #[arg(header = "Zone")] zone: Option<i64>,
    #[arg(header = "Dry-Run")] dry: Option<bool>,
    address: Option<Address>,
) -> String {
    format!("{region:?} {zone:?} {dry:?} {:?}", address.map(|address| address.city))
}

/// The server, and the gates of its tools.
pub(crate) fn server() -> (Service, Gates) {
    server_with(Limits::default())
}

pub(crate) fn server_with(limits: Limits) -> (Service, Gates) {
    let gates = Gates::default();
    let server = Server::new("tested", "1.0.0").state(gates.clone()).limits(limits).tools(tools![
        add,
        echo,
        refuse,
        tell,
        recite,
        wait,
        find,
        wait_a_while,
        brood,
        tidy,
        leave,
        confirm,
        regional
    ]);
    (server.build().expect("nothing is wrong with it"), gates)
}
