//! Work that takes its time: a task for clients that can follow one, and an ordinary call for the others.

use std::time::Duration;

use mcp_runtime::prelude::*;

use crate::forms::{Confirmed, Details, Named};

/// Say hello, at once and never as a task.
#[tool(read_only)]
pub(crate) async fn greet(
    /// Whom to greet.
    name: String,
) -> String {
    format!("Hello, {name}!")
}

/// Compute for a while.
#[tool(task(poll = "200ms"), read_only)]
pub(crate) async fn slow_compute(
    /// For how long.
    #[arg(range(0.0..=3600.0))]
    seconds: f64,
    /// What the result is called.
    label: Option<String>,
    cx: Context,
) -> String {
    let (steps, mut done) = (20, 0);
    let step = Duration::from_secs_f64(seconds / f64::from(steps));
    while done < steps {
        tokio::time::sleep(step).await;
        done += 1;
        cx.progress(done, steps, format!("{done} of {steps}"));
    }
    format!("{} took {seconds} s.", label.as_deref().unwrap_or("The computation"))
}

/// Work in vain: a result that says that the tool failed is a result, and its task is completed.
#[tool(task = "required")]
pub(crate) async fn failing_job() -> Result<String, &'static str> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Err("The job failed, as it always does")
}

/// Break down: an error of the protocol is no result, and its task has failed.
#[tool(task)]
pub(crate) async fn protocol_error_job() -> Result<String, ProtocolError> {
    tokio::time::sleep(Duration::from_millis(100)).await;
    Err(ProtocolError::internal("The job broke down, as it always does"))
}

/// Delete a file, if a person says so.
///
/// A task that waits for somebody says so, and costs nothing meanwhile.
#[tool(task, destructive)]
pub(crate) async fn confirm_delete(
    /// Its name.
    filename: String,
    cx: Context,
) -> Result<String, ToolError> {
    let answer = cx.elicit::<Confirmed>(format!("Delete {filename}?")).key("confirm").await?;
    Ok(match answer {
        Elicited::Accepted(Confirmed { confirm: true }) => format!("{filename} is deleted."),
        _ => format!("{filename} stays."),
    })
}

/// Ask two people at once, and wait for both.
#[tool(task)]
pub(crate) async fn multi_input(cx: Context) -> Result<String, ToolError> {
    let ask = |who: &'static str| cx.elicit::<Details>(format!("The details of the {who}, please")).key(who);
    let (first, second) = tokio::join!(ask("first"), ask("second"));
    let name = |details: Elicited<Details>| {
        details
            .accepted()
            .filter(|details| details.confirm != Some(false))
            .and_then(|details| details.name)
            .unwrap_or_else(|| "nobody".to_owned())
    };
    Ok(format!("{} and {}", name(first?), name(second?)))
}

/// Ask first, and go on in the background.
///
/// It begins as a call, which can ask before there is a task, and becomes one where it says so.
#[tool(task(detach))]
pub(crate) async fn test_tool_with_task(cx: Context) -> Result<String, ToolError> {
    let asked = cx.elicit::<Named>("Whose report is it?").key("user_name").await?;
    let Elicited::Accepted(Named { name }) = asked else {
        return Ok("There is nobody to report to.".to_owned());
    };
    cx.detach().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(format!("The report for {name} is done."))
}

/// A prompt that takes a while to write: a task for clients of the revisions that know such tasks (2025-11-25).
#[prompt(task)]
pub(crate) async fn test_slow_prompt(cx: Context) -> &'static str {
    tokio::time::sleep(Duration::from_millis(100)).await;
    cx.message("nearly written");
    "This took a while to write."
}

/// A report that takes a while to write: a task for the same clients.
#[resource("test://slow-report", mime_type = "text/plain", task)]
pub(crate) async fn test_slow_report() -> &'static str {
    tokio::time::sleep(Duration::from_millis(100)).await;
    "This took a while to gather."
}
