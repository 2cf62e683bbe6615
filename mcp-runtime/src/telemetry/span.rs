//! The spans of calls and tasks, within which the functions of authors run.

use tracing::field::{Empty, display};
use tracing::span::Entered;

use super::{CALL, TASK};
use crate::protocol::trace::TraceContext;
use crate::task::{Principal, Record, RequestKind};

/// A span, if anybody listens. There is one for each task at work, so it is small where nobody does.
#[derive(Debug, Default)]
pub(crate) struct Span(Option<Box<tracing::Span>>);

impl Span {
    /// The span of a run of a task. It is a root of its own, for the task outlives what made it; that is what it follows
    /// from.
    pub(crate) fn of_task(record: &Record, trace: Option<&TraceContext>) -> Self {
        let span = tracing::info_span!(
            target: TASK,
            parent: None,
            "task",
            id = %record.id,
            method = record.kind.method(),
            tool = %record.target,
            principal = record.principal.as_str(),
            attempt = u64::from(record.attempts) + 1,
            parent = Empty,
            traceparent = Empty,
        );
        if !span.is_disabled() {
            span.follows_from(tracing::Span::current());
            if let Some(parent) = record.parent() {
                span.record("parent", display(parent));
            }
        }
        Self::traced(span, trace)
    }

    /// The span of an ordinary call.
    pub(crate) fn of_call(
        kind: RequestKind,
        name: &str,
        principal: &Principal,
        trace: Option<&TraceContext>,
    ) -> Self {
        let span = tracing::info_span!(
            target: CALL,
            "call",
            method = kind.method(),
            tool = name,
            principal = principal.as_str(),
            traceparent = Empty,
        );
        Self::traced(span, trace)
    }

    fn traced(span: tracing::Span, trace: Option<&TraceContext>) -> Self {
        if span.is_disabled() {
            return Self(None);
        }
        if let Some(traceparent) = trace.and_then(|trace| trace.traceparent.as_deref()) {
            span.record("traceparent", traceparent);
        }
        Self(Some(Box::new(span)))
    }

    /// What happens from now on, until this is dropped, happens within the span.
    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        self.0.as_deref().map(tracing::Span::enter)
    }
}
