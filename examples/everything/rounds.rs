//! Calls that end with questions and are called again with the answers (`input_required`), as the modern wire asks.
//!
//! Nothing here says so: the same code waits for its answers on the wires where it can. On the modern wire it runs again
//! from its beginning with all answers that there are so far, so what it does before a question it may do again.

use std::sync::atomic::{AtomicU32, Ordering};

use mcp_runtime::prelude::*;

use crate::forms::{Agreed, Coloured, Named};

/// Ask for a name.
#[tool(name = "test_input_required_result_elicitation")]
pub(crate) async fn elicitation(cx: Context) -> Result<String, ToolError> {
    let name = ask_name(&cx, "user_name").await?;
    Ok(format!("Hello, {name}!"))
}

/// Ask the client's model something.
#[tool(name = "test_input_required_result_sampling")]
pub(crate) async fn sampling(cx: Context) -> Result<String, ToolError> {
    let question = Sampling::prompt("What is the capital of France?").max_tokens(100);
    let answer = cx.sample(question).key("capital_question").await?;
    Ok(format!("The model says: {}", answer.text()))
}

/// Ask for the places that the client works in.
#[tool(name = "test_input_required_result_list_roots")]
pub(crate) async fn list_roots(cx: Context) -> Result<String, ToolError> {
    let roots = cx.roots().key("client_roots").await?;
    let uris: Vec<String> = roots.into_iter().map(|root| root.uri).collect();
    Ok(format!("The client works in: {}", uris.join(", ")))
}

/// How many cases were opened: what must be counted once, however often a call runs.
#[derive(Default)]
pub(crate) struct Cases(AtomicU32);

impl Cases {
    /// The number of a new case.
    fn open(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Remember something from one round to the next.
///
/// A step runs once. What it gave travels with the client, sealed, and is there in the next round.
#[tool(name = "test_input_required_result_request_state")]
pub(crate) async fn request_state(cases: State<Cases>, cx: Context) -> Result<String, ToolError> {
    let case = cx.step("open a case", || async { cases.open() }).await?;
    Ok(if agreed(&cx).await? { format!("state-ok: case {case}") } else { format!("case {case} is closed") })
}

/// Do the same, for a client that changes what it was given to keep: that is refused, and this does not run.
#[tool(name = "test_input_required_result_tampered_state")]
pub(crate) async fn tampered_state(cases: State<Cases>, cx: Context) -> Result<String, ToolError> {
    request_state(cases, cx).await
}

/// Ask a person, a model and the client at once.
#[tool(name = "test_input_required_result_multiple_inputs")]
pub(crate) async fn multiple_inputs(cases: State<Cases>, cx: Context) -> Result<String, ToolError> {
    let case = cx.step("open a case", || async { cases.open() }).await?;
    let greeting = Sampling::prompt("Write a short greeting.").max_tokens(50);
    let (name, greeting, roots) = tokio::join!(
        ask_name(&cx, "user_name"),
        cx.sample(greeting).key("greeting"),
        cx.roots().key("client_roots"),
    );
    Ok(format!("Case {case}: {} {} ({} roots)", greeting?.text(), name?, roots?.len()))
}

/// Ask one thing, and then another that depends on it.
#[tool(name = "test_input_required_result_multi_round")]
pub(crate) async fn multi_round(cases: State<Cases>, cx: Context) -> Result<String, ToolError> {
    let case = cx.step("open a case", || async { cases.open() }).await?;
    let name = ask_name(&cx, "step1").await?;
    let colour = cx.elicit::<Coloured>(format!("{name}, what is your favorite color?")).key("step2").await?;
    Ok(match colour {
        Elicited::Accepted(Coloured { color }) => format!("Case {case}: {name} likes {color}."),
        _ => format!("Case {case}: {name} likes no color."),
    })
}

/// Ask whoever there is: a person if the client shows forms, its model if it has one.
#[tool(name = "test_input_required_result_capabilities")]
pub(crate) async fn capabilities(cx: Context) -> Result<String, ToolError> {
    if cx.client().elicitation() {
        return ask_name(&cx, "user_name").await;
    }
    Ok(cx.sample(Sampling::prompt("Invent a name.").max_tokens(20)).key("invented_name").await?.text())
}

async fn ask_name(cx: &Context, key: &str) -> Result<String, ToolError> {
    match cx.elicit::<Named>("What is your name?").key(key).await? {
        Elicited::Accepted(Named { name }) => Ok(name),
        Elicited::Declined | Elicited::Cancelled => Err(ToolError::message("nobody told a name")),
    }
}

async fn agreed(cx: &Context) -> Result<bool, ToolError> {
    let answer = cx.elicit::<Agreed>("Please confirm").key("confirm").await?;
    Ok(answer.accepted().is_some_and(|Agreed { ok }| ok))
}
