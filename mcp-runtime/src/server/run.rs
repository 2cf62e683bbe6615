//! One run of a tool, from checked arguments to an encoded ending.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use super::catalogue::Entry;
use crate::protocol::ProtocolError;
use crate::protocol::payload::{Ending, Payload};
use crate::task::{Context, panic_message, panicked};
use crate::tool::{Arguments, States, ToolCall, ToolError, ToolFuture, ToolResult};
use crate::wire::{CallTool, Outcome};

/// A tool at work.
///
/// However it ends, its context learns of it: by being over, or, if this is dropped before that, by being cancelled. So
/// a thread that the tool left behind can find out that nobody waits for it any more.
pub(super) struct Run {
    work: ToolFuture,
    cx: Context,
    wraps: bool,
    is_over: bool,
}

/// What became of the wish to run a tool.
pub(super) enum Begin {
    /// It can run.
    Run(Run),
    /// Its arguments are wrong: the result that says so.
    Refused(Payload),
}

impl Run {
    /// Takes the arguments. Nothing of the tool's runs yet but what reads them.
    pub(super) fn begin(
        entry: &Entry,
        call: &CallTool<'_>,
        states: &States,
        cx: Context,
        timeout: Option<Duration>,
    ) -> Result<Begin, ProtocolError> {
        let wraps = entry.described.wraps_output();
        let arguments = Arguments::new(call.arguments, &entry.described.input);
        let begin = || entry.tool.call(ToolCall { arguments, states }, cx.clone());
        let work = match catch_unwind(AssertUnwindSafe(begin)) {
            Ok(Ok(work)) => work,
            Ok(Err(invalid)) => {
                // A model can mend its call, so this is a result for it to read and no protocol error (SEP-1303).
                let refusal = ToolResult::error(invalid.to_string()).into_payload(wraps);
                return Ok(Begin::Refused(refusal.unwrap_or_default()));
            }
            Err(panic) => {
                tracing::error!(tool = %entry.name, panic = panic_message(&*panic), "a tool panicked");
                return Err(panicked());
            }
        };
        let work = match timeout {
            Some(limit) => within(limit, work, cx.clone()),
            None => work,
        };
        Ok(Begin::Run(Self { work, cx, wraps, is_over: false }))
    }
}

/// The same work, but no longer than this.
fn within(limit: Duration, work: ToolFuture, cx: Context) -> ToolFuture {
    Box::pin(async move {
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            cx.cancel();
            Err(ToolError::message(format_args!("The tool did not finish within {limit:?}.")))
        })
    })
}

impl Future for Run {
    type Output = Ending;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Ending> {
        let outcome = task::ready!(self.work.as_mut().poll(cx));
        self.is_over = true;
        self.cx.close();
        Poll::Ready(ending(outcome, self.wraps))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.is_over {
            self.cx.cancel();
        }
    }
}

/// How a run ended, encoded for whoever asks.
fn ending(outcome: Result<ToolResult, ToolError>, wraps: bool) -> Ending {
    let result = match outcome {
        Ok(result) => result,
        Err(ToolError::Result(result)) => *result,
        Err(ToolError::Protocol(error)) => return Ending::Error(error),
    };
    match result.into_payload(wraps) {
        Ok(payload) => Ending::Result(payload),
        Err(error) => {
            Ending::Error(ProtocolError::internal(format!("the result could not be encoded: {error}")))
        }
    }
}

/// A run that is an ordinary call, which takes note of how long it keeps its thread.
pub(super) struct PlainCall {
    run: Run,
    entry: Arc<Entry>,
    has_begun: bool,
}

impl PlainCall {
    pub(super) fn new(run: Run, entry: Arc<Entry>) -> Self {
        Self { run, entry, has_begun: false }
    }
}

impl Future for PlainCall {
    type Output = Result<Outcome, ProtocolError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let began = (!mem::replace(&mut self.has_begun, true)).then(Instant::now);
        let polled = Pin::new(&mut self.run).poll(cx);
        if let Some(began) = began {
            self.entry.pace.note(began.elapsed());
        }
        polled.map(|ending| match ending {
            Ending::Result(payload) => Ok(Outcome::Result(payload)),
            Ending::Error(error) => Err(error),
        })
    }
}
