//! What a tool says while it runs: how far it is, and what it has to report.
//!
//! All of it goes through the [`Context`], never waits and never fails. Who does not want to hear of it does not.

use std::time::Duration;

use mcp_runtime::LogLevel;
use mcp_runtime::prelude::*;

/// How long each step takes.
const STEP: Duration = Duration::from_millis(50);

/// Report progress: none, half, all.
#[tool(read_only)]
pub(crate) async fn test_tool_with_progress(cx: Context) -> &'static str {
    cx.progress(0, 100, "Begun");
    for done in [50, 100] {
        tokio::time::sleep(STEP).await;
        cx.progress(done, 100, format!("{done} of 100"));
    }
    "Progress was reported."
}

/// Report what is going on, in three messages of the log.
///
/// A client says how much it wants to hear: by `logging/setLevel`, or in each request.
#[tool(read_only)]
pub(crate) async fn test_tool_with_logging(cx: Context) -> &'static str {
    cx.log(LogLevel::Info, "Tool execution started");
    tokio::time::sleep(STEP).await;
    cx.log(LogLevel::Info, "Tool processing data");
    tokio::time::sleep(STEP).await;
    cx.log(LogLevel::Info, "Tool execution completed");
    "Three messages were logged."
}

/// Report something in the log, for those who asked for it.
#[tool(read_only)]
pub(crate) async fn test_logging_tool(cx: Context) -> &'static str {
    cx.log(LogLevel::Info, "This is for clients that asked for it");
    "A message was logged, for those who asked."
}

/// Let the client come back for the result: an HTTP client's stream is closed before it is there.
///
/// That spares connections while a call is long and has nothing to say. Over other transports, and for clients that could
/// not come back, it changes nothing.
#[tool(read_only)]
pub(crate) async fn test_reconnection(cx: Context) -> &'static str {
    cx.close_stream();
    tokio::time::sleep(STEP).await;
    "This came after the stream was closed."
}
