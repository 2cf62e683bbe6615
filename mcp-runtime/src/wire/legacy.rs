//! The revisions that open with `initialize`, 2024-11-05 to 2025-11-25, and the core tasks dialect of the last of them.

use std::time::Duration;

use uuid::Uuid;

use super::complete::complete;
use super::{
    Beside, List, Offer, Offered, Op, Outcome, Wish, beside, call, method_not_found, millis, no_ending,
    read_place, task_id, uri, write_place, write_related,
};
use crate::input::{ClientCapabilities, InputRequest};
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::{self, RequestId, write_json};
use crate::protocol::names::{self, meta};
use crate::protocol::params::Params;
use crate::protocol::payload::{Ending, Payload, write_entry};
use crate::protocol::time::Timestamp;
use crate::task::{Record, RequestKind, Status, TaskId};

/// A revision that opens with `initialize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version(&'static str);

impl Version {
    /// The revision that the server answers with: the one asked for if it is known, the newest otherwise.
    pub(crate) fn negotiate(requested: &str) -> Self {
        let known = names::LEGACY.into_iter().find(|version| *version == requested);
        Self(known.unwrap_or(names::LEGACY_WITH_TASKS))
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        names::LEGACY.into_iter().map(Self)
    }

    pub(crate) fn as_str(self) -> &'static str {
        self.0
    }

    /// Whether this revision has tasks.
    pub(crate) fn has_tasks(self) -> bool {
        self.0 == names::LEGACY_WITH_TASKS
    }

    /// Whether completions are a capability; before, they were simply there.
    pub(crate) fn names_completions(self) -> bool {
        self.0 != names::FIRST
    }

    /// Whether messages may come in batches.
    pub(crate) fn has_batches(self) -> bool {
        self.0 == names::LEGACY_WITH_BATCHES
    }
}

/// What `initialize` settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) version: Version,
    pub(crate) client: ClientCapabilities,
}

impl From<Version> for Session {
    /// A session with a client of which nothing is known.
    fn from(version: Version) -> Self {
        Self { version, client: ClientCapabilities::default() }
    }
}

/// What a request asks for, of a server that offers this.
pub(crate) fn judge<'a>(
    session: Session,
    offered: Offered,
    method: &str,
    params: Params<'a>,
) -> Result<Op<'a>, ProtocolError> {
    let Session { version, client } = session;
    // Where tasks were not announced, a request for one is an ordinary call.
    let wish = |tasks: Offer| match &params.task {
        _ if !(offered.has(tasks) && version.has_tasks()) => Wish::Unaware,
        Some(task) => Wish::Task { ttl: task.ttl },
        None => Wish::Plain,
    };
    let listed = |list| Ok(Op::List { list, cursor: params.cursor.clone() });
    match method {
        "ping" => Ok(Op::Ping),
        "logging/setLevel" => {
            let level = params.level.ok_or_else(|| ProtocolError::invalid_params("`level` is required"))?;
            level.parse().map(Op::SetLogLevel)
        }
        "tools/list" if offered.has(Offer::Tools) => listed(List::Tools),
        "tools/call" if offered.has(Offer::Tools) => {
            let wish = wish(Offer::ToolTasks);
            call(RequestKind::CallTool, params, wish, client)
        }
        "prompts/list" if offered.has(Offer::Prompts) => listed(List::Prompts),
        "prompts/get" if offered.has(Offer::Prompts) => {
            let wish = wish(Offer::PromptTasks);
            call(RequestKind::GetPrompt, params, wish, client)
        }
        "resources/list" if offered.has(Offer::Resources) => listed(List::Resources),
        "resources/templates/list" if offered.has(Offer::Resources) => listed(List::ResourceTemplates),
        "resources/read" if offered.has(Offer::Resources) => {
            let wish = wish(Offer::ResourceTasks);
            call(RequestKind::ReadResource, params, wish, client)
        }
        "resources/subscribe" if offered.has(Offer::Resources) && offered.has(Offer::Changes) => {
            Ok(Op::Subscribe { uri: uri(params)? })
        }
        "resources/unsubscribe" if offered.has(Offer::Resources) && offered.has(Offer::Changes) => {
            Ok(Op::Unsubscribe { uri: uri(params)? })
        }
        #[cfg(feature = "client")]
        "sampling/createMessage" if offered.has(Offer::MessageTasks) => {
            let wish = wish(Offer::MessageTasks);
            call(RequestKind::CreateMessage, params, wish, client)
        }
        #[cfg(feature = "client")]
        "elicitation/create" if offered.has(Offer::ElicitationTasks) => {
            let wish = wish(Offer::ElicitationTasks);
            call(RequestKind::Elicit, params, wish, client)
        }
        "completion/complete" if offered.has(Offer::Completions) => complete(params),
        "tasks/list" if offered.has(Offer::TaskList) && version.has_tasks() => {
            let after = params.cursor.map(|cursor| read_place(&cursor)).transpose()?;
            Ok(Op::ListTasks { after })
        }
        "tasks/get" | "tasks/result" | "tasks/cancel" if offered.has_tasks() && version.has_tasks() => {
            let id = task_id(&params)?;
            Ok(match method {
                "tasks/get" => Op::GetTask(id, beside::cursor(&params)?),
                "tasks/result" => Op::TaskResult(id, beside::cursor(&params)?),
                _ => Op::CancelTask(id),
            })
        }
        _ => Err(method_not_found(method, version.0)),
    }
}

/// Writes a response.
pub(crate) fn write(out: &mut Vec<u8>, id: &RequestId, outcome: &Outcome, now: Timestamp) {
    if let Outcome::TaskResult(record, ending, beside) = outcome {
        return write_task_result(out, id, record, ending.as_deref(), beside);
    }
    jsonrpc::begin_response(out, id);
    match outcome {
        // The server asks clients of this wire by requests, and never ends a call with what it needs.
        Outcome::InputRequired(..) | Outcome::Empty | Outcome::Prepared(_) | Outcome::TaskResult(..) => {
            out.extend_from_slice(b"{}");
        }
        Outcome::Result(_) | Outcome::Kept(_) => match outcome.payload() {
            Some(payload) => write_payload(out, payload, None, &Beside::default()),
            None => out.extend_from_slice(b"{}"),
        },
        Outcome::Created(record, _) => {
            out.extend_from_slice(br#"{"task":"#);
            write_task(out, record, &Beside::default(), now);
            out.extend_from_slice(br#","_meta":{"#);
            write_related(out, record.id);
            out.extend_from_slice(b"}}");
        }
        Outcome::Task(record, _, beside) => write_task(out, record, beside, now),
        Outcome::Cancelled(record) => write_task(out, record, &Beside::default(), now),
        Outcome::Tasks(records, next) => {
            out.extend_from_slice(br#"{"tasks":["#);
            for (index, record) in records.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_task(out, record, &Beside::default(), now);
            }
            out.push(b']');
            if let Some(next) = next {
                write_entry(out, "nextCursor", &write_place(*next));
            }
            out.push(b'}');
        }
    }
    jsonrpc::end(out);
}

/// What a request of a task's is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnBehalf<'a> {
    pub(crate) task: TaskId,
    /// The task that the client is to make of the request, if it is to make one.
    pub(crate) wanted: Option<Wanted<'a>>,
}

/// A task of the client's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// By what the client knows the request again, if it comes twice.
    pub(crate) key: &'a str,
    /// How long the client is to keep it, from its creation.
    pub(crate) ttl: Duration,
}

/// Writes a request of the server's to its client. One of a task's names the task, and one that sends somebody to a page
/// has an id for that, which no other page of the server's has.
pub(crate) fn write_request(
    out: &mut Vec<u8>,
    id: i64,
    request: &InputRequest,
    on_behalf: Option<OnBehalf<'_>>,
    page: Uuid,
) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write_json(out, &id);
    write_entry(out, "method", request.method.as_str());
    let params = request.params.get();
    let Some(members) = params.strip_prefix('{').and_then(|params| params.strip_suffix('}')) else {
        return jsonrpc::end(out);
    };
    out.extend_from_slice(br#","params":{"#);
    out.extend_from_slice(members.as_bytes());
    if request.is_for_a_page() {
        // The modern wire has none.
        write_entry(out, "elicitationId", &page.to_string());
    }
    if let Some(OnBehalf { task, wanted }) = on_behalf {
        if let Some(Wanted { ttl, .. }) = wanted {
            let task =
                millis(ttl).map_or_else(|| serde_json::json!({}), |ttl| serde_json::json!({ "ttl": ttl }));
            write_entry(out, "task", &task);
        }
        // A comma, unless there are no members before it.
        if !matches!(out.last(), Some(b'{')) {
            out.push(b',');
        }
        out.extend_from_slice(br#""_meta":{"#);
        write_related(out, task);
        if let Some(Wanted { key, .. }) = wanted {
            write_entry(out, meta::IDEMPOTENCY_KEY, key);
        }
        out.push(b'}');
    }
    out.push(b'}');
    jsonrpc::end(out);
}

/// Writes a request of the server's about a task of its client's: `tasks/get`, `tasks/result` or `tasks/cancel`.
pub(crate) fn write_task_request(out: &mut Vec<u8>, id: i64, method: &str, theirs: &str) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write_json(out, &id);
    write_entry(out, "method", method);
    out.extend_from_slice(br#","params":{"#);
    write_entry(out, "taskId", theirs);
    out.push(b'}');
    jsonrpc::end(out);
}

/// Writes `notifications/cancelled` for a request of the server's.
pub(crate) fn write_cancelled(out: &mut Vec<u8>, id: i64, reason: &str) {
    jsonrpc::begin_notification(out, "notifications/cancelled");
    out.push(b'{');
    write_entry(out, "requestId", &id);
    write_entry(out, "reason", reason);
    out.push(b'}');
    jsonrpc::end(out);
}

/// Writes `notifications/tasks/status`: the full state, as `tasks/get` would give it.
pub(crate) fn write_status(out: &mut Vec<u8>, record: &Record, beside: &Beside, now: Timestamp) {
    jsonrpc::begin_notification(out, "notifications/tasks/status");
    write_task(out, record, beside, now);
    jsonrpc::end(out);
}

fn write_task_result(
    out: &mut Vec<u8>,
    id: &RequestId,
    record: &Record,
    ending: Option<&Ending>,
    beside: &Beside,
) {
    match ending {
        Some(Ending::Result(payload)) => {
            jsonrpc::begin_response(out, id);
            write_payload(out, payload, Some(record.id), beside);
            jsonrpc::end(out);
        }
        Some(Ending::Error(error)) => jsonrpc::write_error(out, Some(id), &error.in_words(false)),
        None => jsonrpc::write_error(out, Some(id), &no_ending(record)),
    }
}

fn write_payload(out: &mut Vec<u8>, payload: &Payload, related: Option<TaskId>, beside: &Beside) {
    out.push(b'{');
    payload.write_members(out, true);
    if related.is_some() || payload.meta.is_some() {
        out.extend_from_slice(br#","_meta":{"#);
        let written = payload.write_meta_entries(out);
        if let Some(task) = related {
            if written {
                out.push(b',');
            }
            write_related(out, task);
            let end = out.len();
            out.push(b',');
            if !beside.write_with_result(out) {
                out.truncate(end);
            }
        }
        out.push(b'}');
    }
    out.push(b'}');
}

/// Where a task stands in this dialect: a tool that says that it failed makes a failed task, though it gave a result.
pub(crate) fn status(record: &Record) -> Status {
    if record.tool_failed { Status::Failed } else { record.status }
}

fn write_task(out: &mut Vec<u8>, record: &Record, beside: &Beside, now: Timestamp) {
    out.extend_from_slice(br#"{"taskId":"#);
    write_json(out, &record.id);
    write_entry(out, "status", &status(record));
    if let Some(message) = &record.message {
        write_entry(out, "statusMessage", message);
    }
    write_entry(out, "createdAt", &record.created_at);
    write_entry(out, "lastUpdatedAt", &record.updated_at);
    write_entry(out, "ttl", &millis(record.ttl_from_creation(now)));
    if let Some(poll) = millis(record.poll) {
        write_entry(out, "pollInterval", &poll);
    }
    let start = out.len();
    out.extend_from_slice(br#","_meta":{"#);
    if beside.write(out, record, status) {
        out.push(b'}');
    } else {
        out.truncate(start);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jsonrpc::{Message, read};
    use crate::task::{Event, Principal};

    fn judged(version: &str, text: &str) -> Result<String, i64> {
        let Ok(Message::Request { method, params, .. }) = read(text) else { panic!("a request") };
        let offered = Offered::default()
            .with(Offer::Tools, true)
            .with(Offer::ToolTasks, true)
            .with(Offer::TaskList, true);
        judge(Version::negotiate(version).into(), offered, &method, params)
            .map(|op| format!("{op:?}"))
            .map_err(|error| error.code())
    }

    #[test]
    fn an_unknown_revision_is_answered_with_the_newest_of_this_family() {
        assert_eq!(Version::negotiate("2025-06-18").as_str(), "2025-06-18");
        assert_eq!(Version::negotiate("2026-07-28").as_str(), "2025-11-25");
        assert_eq!(Version::negotiate("nonsense").as_str(), "2025-11-25");
    }

    #[test]
    fn tasks_exist_only_in_the_last_revision() {
        let call =
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","task":{"ttl":60000}}}"#;
        assert!(judged("2025-11-25", call).is_ok_and(|op| op.contains("Task { ttl: Some(60000) }")));
        assert!(judged("2025-06-18", call).is_ok_and(|op| op.contains("Unaware")));
        let list = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/list"}"#;
        assert!(judged("2025-11-25", list).is_ok());
        assert_eq!(judged("2025-06-18", list), Err(-32601));
        let update = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/update","params":{"taskId":"a"}}"#;
        assert_eq!(judged("2025-11-25", update), Err(-32601));
    }

    #[test]
    fn a_place_in_a_list_survives_the_way_through_a_cursor() {
        let place = crate::task::store::Place(Timestamp::from_millis(1_764_066_600_123), TaskId::random());
        assert_eq!(read_place(&write_place(place)).ok(), Some(place));
        assert!(["", "_", "x_y", "123"].iter().all(|cursor| read_place(cursor).is_err()));
    }

    #[test]
    fn a_task_has_the_members_of_its_schema_and_a_failed_tool_makes_it_failed() {
        let now = Timestamp::from_millis(1_764_066_600_000);
        let mut record = crate::task::tests_support::record(now);
        record.apply(&Event::Cancel, now).expect("it works");
        assert_eq!(record.principal, Principal::local());
        let mut out = Vec::new();
        write_task(&mut out, &record, &Beside::default(), now);
        let task: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(
            task,
            serde_json::json!({
                "taskId": record.id.to_string(), "status": "cancelled",
                "statusMessage": "The task was cancelled by request.",
                "createdAt": "2025-11-25T10:30:00.000Z", "lastUpdatedAt": "2025-11-25T10:30:00.000Z",
                "ttl": 60000, "pollInterval": 1000
            })
        );
    }
}
