//! Between JSON and meaning: what a request asks for, and how an outcome is written, for each family of revisions.
//!
//! Everything here is pure. A wire peels a request down to an [`Op`]; the server carries it out and gets an [`Outcome`];
//! the wire that the request came by writes that back.

mod beside;
mod change;
mod complete;
pub(crate) mod headers;
pub(crate) mod legacy;
pub(crate) mod modern;
mod offered;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

pub(crate) use self::beside::Beside;
pub(crate) use self::change::{Change, write_change};
pub(crate) use self::complete::{Complete, Reference};
pub(crate) use self::offered::{Offer, Offered};
use crate::input::{ClientCapabilities, InputRequest};
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::{self, RequestId, write_json};
use crate::protocol::log::LogLevel;
use crate::protocol::names::meta;
use crate::protocol::params::{Meta, Params, Str, SubscriptionFilter};
use crate::protocol::payload::{Ending, Payload, write_entry};
use crate::protocol::time::Timestamp;
use crate::protocol::trace::TraceContext;
use crate::task::store::Place;
use crate::task::{Progress, Record, RequestKind, Start, Status, TaskId};

/// The longest idempotency key, in bytes.
const LONGEST_KEY: usize = 256;

/// The longest URI that somebody may subscribe to, in bytes.
pub(crate) const LONGEST_URI: usize = 8192;

/// What a request asks for.
#[derive(Debug)]
pub(crate) enum Op<'a> {
    Discover,
    Initialize(legacy::Session),
    Ping,
    List {
        list: List,
        cursor: Option<Str<'a>>,
    },
    Call(Call<'a>),
    /// With the number from which on partial results are wanted.
    GetTask(TaskId, Option<u32>),
    /// The same.
    TaskResult(TaskId, Option<u32>),
    ListTasks {
        after: Option<Place>,
    },
    CancelTask(TaskId),
    UpdateTask(TaskId, Responses),
    Listen {
        filter: SubscriptionFilter,
    },
    Complete(Complete<'a>),
    SetLogLevel(LogLevel),
    #[cfg(feature = "skills")]
    GetSkill {
        uri: Str<'a>,
    },
    #[cfg(feature = "skills")]
    ReadDirectory {
        uri: Str<'a>,
        cursor: Option<Str<'a>>,
    },
    Subscribe {
        uri: Str<'a>,
    },
    Unsubscribe {
        uri: Str<'a>,
    },
}

/// What can be listed, in pages that were written before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Tools,
    Prompts,
    Resources,
    ResourceTemplates,
    #[cfg(feature = "skills")]
    Skills,
}

/// A request that an author's function answers: `tools/call`, `prompts/get` or `resources/read`.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) kind: RequestKind,
    /// The name of the tool or prompt, or the URI of the resource.
    pub(crate) name: Str<'a>,
    pub(crate) arguments: Option<&'a RawValue>,
    pub(crate) progress_token: Option<RequestId>,
    pub(crate) wish: Wish,
    pub(crate) key: Option<Box<str>>,
    /// What the host calls this use of the tool: a key for servers that take it for one.
    pub(crate) tool_use: Option<Str<'a>>,
    pub(crate) client: ClientCapabilities,
    /// From which level on the request wants log messages; only the modern wire says that here.
    pub(crate) log_level: Option<LogLevel>,
    /// The trace that the request belongs to.
    pub(crate) trace: Option<Arc<TraceContext>>,
    /// The answers to what an earlier round asked, an object.
    pub(crate) responses: Option<&'a RawValue>,
    /// What an earlier round remembered.
    pub(crate) state: Option<Str<'a>>,
}

impl Call<'_> {
    /// Takes what the host calls this use of the tool for a key, where the request names none. One that could be no key is
    /// none: the host never said that it was.
    pub(crate) fn take_tool_use_for_key(&mut self) {
        let tool_use = self.tool_use.as_deref().filter(|id| (1..=LONGEST_KEY).contains(&id.len()));
        if self.key.is_none() {
            self.key = tool_use.map(Box::from);
        }
    }
}

/// The results of `inputResponses`, by the keys of their questions.
pub(crate) type Responses = HashMap<String, Box<RawValue>>;

/// What the client says on whether the call should be a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It does not know tasks.
    Unaware,
    /// It takes a task or a result, as the server likes (the extension).
    Either,
    /// It asks for a task, to be kept this many milliseconds (core tasks).
    Task { ttl: Option<u64> },
    /// It knows tasks and asks for none (core tasks).
    Plain,
}

/// What came of a request, in no wire's words.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A result that was written when the server was built.
    Prepared(Arc<[u8]>),
    /// Nothing to say.
    Empty,
    /// The result of the request itself.
    Result(Payload),
    /// The result of the request, as it was kept. An error is none.
    Kept(Arc<Ending>),
    /// The call needs answers before it can go on, and what it remembers until then.
    InputRequired(Vec<(Arc<str>, Arc<InputRequest>)>, Option<String>),
    /// The request became a task, which runs once this is dropped.
    Created(Record, #[allow(dead_code, reason = "kept for its drop")] Start),
    /// The state of a task.
    Task(Record, Option<Arc<Ending>>, Beside),
    /// What the request of a task came to, as the answer to `tasks/result`.
    TaskResult(Record, Option<Arc<Ending>>, Beside),
    /// A page of tasks, and where the next one begins.
    Tasks(Vec<Record>, Option<Place>),
    /// A task was cancelled.
    Cancelled(Record),
}

impl Outcome {
    /// The result of the request itself, if it is one.
    fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Result(payload) => Some(payload),
            Self::Kept(ending) => match &**ending {
                Ending::Result(payload) => Some(payload),
                Ending::Error(_) => None,
            },
            _ => None,
        }
    }
}

/// The wire that a request came by.
#[derive(Clone, Debug)]
pub(crate) enum Dialect {
    Legacy(legacy::Version),
    /// With the `_meta` that names the server in each result, written once.
    Modern(Arc<str>),
}

impl Dialect {
    /// Writes a whole response.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        id: &RequestId,
        outcome: &Result<Outcome, ProtocolError>,
        now: Timestamp,
    ) {
        match outcome {
            Err(error) => {
                let is_modern = matches!(self, Self::Modern(_));
                jsonrpc::write_error(out, Some(id), &error.in_words(is_modern));
            }
            Ok(Outcome::Prepared(result)) => {
                // A buffer that grows by what comes after a large result is copied for it.
                out.reserve(result.len() + 128);
                jsonrpc::begin_response(out, id);
                out.extend_from_slice(result);
                jsonrpc::end(out);
            }
            Ok(outcome) => match self {
                Self::Legacy(_) => legacy::write(out, id, outcome, now),
                Self::Modern(server) => modern::write(out, id, outcome, now, server),
            },
        }
    }
}

/// Writes `notifications/progress`. In a task of the core dialect it names the task.
pub(crate) fn write_progress(
    out: &mut Vec<u8>,
    token: &RequestId,
    progress: &Progress<'_>,
    related: Option<TaskId>,
) {
    jsonrpc::begin_notification(out, "notifications/progress");
    out.extend_from_slice(br#"{"progressToken":"#);
    write_json(out, token);
    write_numbers(out, progress.done, progress.total);
    if !progress.message.is_empty() {
        write_entry(out, "message", progress.message);
    }
    match progress.partial {
        // Of a task, they are part of its state.
        Some((index, value)) => {
            out.extend_from_slice(br#","_meta":{"#);
            beside::write_partials(out, std::iter::once(value), index, index.saturating_add(1));
            out.push(b'}');
        }
        None => write_meta_of(out, related),
    }
    out.push(b'}');
    jsonrpc::end(out);
}

/// Writes `notifications/message`. In a task of the core dialect it names the task.
pub(crate) fn write_log(
    out: &mut Vec<u8>,
    level: LogLevel,
    logger: Option<&str>,
    data: &RawValue,
    related: Option<TaskId>,
) {
    jsonrpc::begin_notification(out, "notifications/message");
    out.push(b'{');
    write_entry(out, "level", &level);
    if let Some(logger) = logger {
        write_entry(out, "logger", logger);
    }
    write_entry(out, "data", data);
    write_meta_of(out, related);
    out.push(b'}');
    jsonrpc::end(out);
}

fn write_numbers(out: &mut Vec<u8>, done: f64, total: Option<f64>) {
    write_entry(out, "progress", &Plain(done));
    if let Some(total) = total {
        write_entry(out, "total", &Plain(total));
    }
}

/// A number without a fraction where it has none; JSON has no infinities, so they are the largest numbers there are.
struct Plain(f64);

impl serde::Serialize for Plain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = if self.0.is_nan() { 0.0 } else { self.0.clamp(f64::MIN, f64::MAX) };
        if number.fract() == 0.0 && number.abs() < 1e15 {
            serializer.serialize_i64(number as i64)
        } else {
            serializer.serialize_f64(number)
        }
    }
}

/// Writes the `_meta` that names the task which something is said for, if it is said for one.
fn write_meta_of(out: &mut Vec<u8>, related: Option<TaskId>) {
    let Some(task) = related else { return };
    if !matches!(out.last(), Some(b'{')) {
        out.push(b',');
    }
    out.extend_from_slice(br#""_meta":{"#);
    write_related(out, task);
    out.push(b'}');
}

fn write_related(out: &mut Vec<u8>, task: TaskId) {
    write_json(out, meta::RELATED_TASK);
    out.extend_from_slice(br#":{"taskId":"#);
    write_json(out, &task);
    out.push(b'}');
}

fn method_not_found(method: &str, revision: &str) -> ProtocolError {
    ProtocolError::method_not_found(format!("this server has no method `{method}` in MCP {revision}"))
}

/// Reads `params.taskId`. An id that was never given out is as unknown as any other.
fn task_id(params: &Params<'_>) -> Result<TaskId, ProtocolError> {
    let id = params.task_id.as_ref().ok_or_else(|| ProtocolError::invalid_params("`taskId` is required"))?;
    id.parse().map_err(|_| unknown_task())
}

/// The answer for a task that does not exist, has expired, or is somebody else's: the three cannot be told apart.
pub(crate) fn unknown_task() -> ProtocolError {
    ProtocolError::invalid_params("Failed to retrieve task: Task not found")
}

/// Reads what both wires take of a request that calls something.
fn call(
    kind: RequestKind,
    params: Params<'_>,
    wish: Wish,
    client: ClientCapabilities,
) -> Result<Op<'_>, ProtocolError> {
    let key = idempotency_key(&params)?;
    let (name, missing) = match kind {
        RequestKind::CallTool => (params.name, "`name` is required: which tool to call"),
        RequestKind::GetPrompt => (params.name, "`name` is required: which prompt to get"),
        RequestKind::ReadResource => (params.uri, "`uri` is required: which resource to read"),
        // There is one of each.
        RequestKind::CreateMessage | RequestKind::Elicit => (Some(Str(kind.method().into())), ""),
    };
    let name = name.ok_or_else(|| ProtocolError::invalid_params(missing))?;
    let Meta { progress_token, log_level, tool_use_id, traceparent, tracestate, baggage, .. } =
        params.meta.unwrap_or_default();
    let trace = TraceContext::read(traceparent, tracestate, baggage).map(Arc::new);
    let Params { arguments, input_responses: responses, request_state: state, .. } = params;
    Ok(Op::Call(Call {
        kind,
        name,
        arguments,
        progress_token,
        wish,
        key,
        tool_use: tool_use_id,
        client,
        log_level,
        trace,
        responses,
        state,
    }))
}

/// Reads `inputResponses`.
pub(crate) fn responses(raw: Option<&RawValue>) -> Result<Responses, ProtocolError> {
    let Some(raw) = raw else { return Ok(Responses::new()) };
    serde_json::from_str(raw.get())
        .map_err(|_| ProtocolError::invalid_params("`inputResponses` must be an object of responses by key"))
}

/// Reads the URI of a resource that somebody wants to hear of.
fn uri(params: Params<'_>) -> Result<Str<'_>, ProtocolError> {
    let uri = params.uri.ok_or_else(|| ProtocolError::invalid_params("`uri` is required"))?;
    if uri.len() > LONGEST_URI {
        let message = format!("`uri` has {} bytes; allowed are {LONGEST_URI}", uri.len());
        return Err(ProtocolError::invalid_params(message));
    }
    Ok(uri)
}

/// The first idempotency key that the request names, in the documented order.
fn idempotency_key(params: &Params<'_>) -> Result<Option<Box<str>>, ProtocolError> {
    let meta = params.meta.as_ref();
    let key = params
        .idempotency_key
        .as_ref()
        .or_else(|| meta?.idempotency_key.as_ref())
        .or_else(|| meta?.own_idempotency_key.as_ref())
        .or_else(|| meta?.proposed_task.as_ref()?.task_id.as_ref());
    match key {
        Some(key) if key.is_empty() || key.len() > LONGEST_KEY => Err(ProtocolError::invalid_params(
            format!("the idempotency key has {} bytes; allowed are 1 to {LONGEST_KEY}", key.len()),
        )),
        key => Ok(key.map(|key| Box::from(&**key))),
    }
}

fn write_place(place: Place) -> String {
    format!("{:x}_{}", place.0.as_millis(), place.1)
}

fn read_place(cursor: &str) -> Result<Place, ProtocolError> {
    let place = cursor.split_once('_').and_then(|(millis, id)| {
        Some(Place(Timestamp::from_millis(u64::from_str_radix(millis, 16).ok()?), id.parse().ok()?))
    });
    place.ok_or_else(bad_cursor)
}

/// The answer for a cursor that this server did not give.
pub(crate) fn bad_cursor() -> ProtocolError {
    ProtocolError::invalid_params("`cursor` is not one that this server gave")
}

/// What stands for the ending of a task that has none: it was cancelled, or expired while it was asked for.
fn no_ending(record: &Record) -> ProtocolError {
    let message = match (record.status, &record.message) {
        (Status::Cancelled, Some(message)) => Cow::Owned(String::from(&**message)),
        _ => Cow::Borrowed("the result of the task is not there any more"),
    };
    ProtocolError::internal(message).with_data(
        serde_json::json!({ "taskId": record.id.to_string(), "status": record.status.to_string() }),
    )
}

/// A span in milliseconds; `None` if it is longer than a number of JavaScript can tell, which counts as for ever.
fn millis(span: Duration) -> Option<u64> {
    const LARGEST: u64 = (1 << 53) - 1;
    u64::try_from(span.as_millis()).ok().filter(|millis| *millis <= LARGEST)
}
