//! The stateless protocol, 2026-07-28, and its tasks extension.

use serde_json::json;

use super::complete::complete;
use super::headers::{Field, Headers, check_name, check_plain};
use super::{
    Beside, List, Offer, Offered, Op, Outcome, Wish, beside, call, method_not_found, millis, no_ending,
    responses, task_id,
};
use crate::input::InputRequest;
use crate::protocol::ProtocolError;
use crate::protocol::capabilities::ClientCapabilities;
use crate::protocol::jsonrpc::{self, RequestId, write_json};
use crate::protocol::names::{self, meta};
use crate::protocol::params::{Params, SubscriptionFilter};
use crate::protocol::payload::{Ending, write_entry};
use crate::protocol::time::Timestamp;
use crate::task::{Record, RequestKind, Status};

/// What a request asks for, judged in the order of the specification: `_meta`, version, method, capability, parameters.
/// Where there are `headers`, they must say what the body says.
pub(crate) fn judge<'a>(
    offered: Offered,
    method: &str,
    params: Params<'a>,
    headers: Option<&dyn Headers>,
) -> Result<Op<'a>, ProtocolError> {
    let meta = params.meta.as_ref();
    let version = meta.and_then(|meta| meta.protocol_version.as_deref());
    let capabilities = meta.and_then(|meta| meta.client_capabilities);
    let (Some(version), Some(capabilities)) = (version, capabilities) else {
        let missing = if version.is_none() { meta::PROTOCOL_VERSION } else { meta::CLIENT_CAPABILITIES };
        return Err(ProtocolError::invalid_params(format!(
            "`_meta` needs \"{missing}\"; a client of an earlier revision opens with `initialize`"
        )));
    };
    if let Some(headers) = headers {
        check_plain(headers, Field::Version, version)?;
    }
    if version != names::MODERN {
        return Err(unsupported_version(version));
    }
    // Whether the method exists is said before anything about what it names.
    let same_name = match headers {
        Some(headers) => {
            check_plain(headers, Field::Method, method)?;
            check_name(headers, method, &params)
        }
        None => Ok(()),
    };
    match op(offered, capabilities, method, params) {
        Err(error) if error.code() == ProtocolError::METHOD_NOT_FOUND => Err(error),
        op => same_name.and(op),
    }
}

fn op<'a>(
    offered: Offered,
    capabilities: ClientCapabilities,
    method: &str,
    params: Params<'a>,
) -> Result<Op<'a>, ProtocolError> {
    let declared = capabilities.tasks_extension();
    let has_tasks = offered.has(Offer::ToolTasks);
    // The extension knows tasks of tools alone.
    let wish = if declared { Wish::Either } else { Wish::Unaware };
    let listed = |list| Ok(Op::List { list, cursor: params.cursor.clone() });
    match method {
        "server/discover" => Ok(Op::Discover),
        "tools/list" if offered.has(Offer::Tools) => listed(List::Tools),
        "tools/call" if offered.has(Offer::Tools) => call(RequestKind::CallTool, params, wish, capabilities),
        "prompts/list" if offered.has(Offer::Prompts) => listed(List::Prompts),
        "prompts/get" if offered.has(Offer::Prompts) => {
            call(RequestKind::GetPrompt, params, Wish::Unaware, capabilities)
        }
        "resources/list" if offered.has(Offer::Resources) => listed(List::Resources),
        "resources/templates/list" if offered.has(Offer::Resources) => listed(List::ResourceTemplates),
        "resources/read" if offered.has(Offer::Resources) => {
            call(RequestKind::ReadResource, params, Wish::Unaware, capabilities)
        }
        "completion/complete" if offered.has(Offer::Completions) => complete(params),
        #[cfg(feature = "skills")]
        "skills/list" if offered.has(Offer::Skills) => listed(List::Skills),
        #[cfg(feature = "skills")]
        "skills/get" if offered.has(Offer::Skills) => Ok(Op::GetSkill { uri: super::uri(params)? }),
        #[cfg(feature = "skills")]
        "resources/directory/read" if offered.has(Offer::Skills) => {
            let cursor = params.cursor.clone();
            Ok(Op::ReadDirectory { uri: super::uri(params)?, cursor })
        }
        "tasks/get" | "tasks/update" | "tasks/cancel" if !has_tasks => {
            Err(method_not_found(method, names::MODERN))
        }
        "tasks/get" | "tasks/update" | "tasks/cancel" if !declared => Err(missing_tasks_extension()),
        "tasks/get" => Ok(Op::GetTask(task_id(&params)?, beside::cursor(&params)?)),
        "tasks/update" => {
            let task = task_id(&params)?;
            Ok(Op::UpdateTask(task, responses(params.input_responses)?))
        }
        "tasks/cancel" => task_id(&params).map(Op::CancelTask),
        "subscriptions/listen" => {
            let Some(filter) = params.notifications else {
                return Err(ProtocolError::invalid_params("`notifications` is required: what to listen to"));
            };
            if has_tasks && filter.task_ids.is_some() && !declared {
                return Err(missing_tasks_extension());
            }
            Ok(Op::Listen { filter: honoured(filter, offered) })
        }
        _ => Err(method_not_found(method, names::MODERN)),
    }
}

/// As much of a filter as a server that offers this can ever have anything to say on.
fn honoured(filter: SubscriptionFilter, offered: Offered) -> SubscriptionFilter {
    let changes = |offer| offered.has(Offer::Changes) && offered.has(offer);
    SubscriptionFilter {
        tools_list_changed: filter.tools_list_changed && changes(Offer::Tools),
        prompts_list_changed: filter.prompts_list_changed && changes(Offer::Prompts),
        resources_list_changed: filter.resources_list_changed && changes(Offer::Resources),
        resource_subscriptions: filter.resource_subscriptions.filter(|_| changes(Offer::Resources)),
        task_ids: filter.task_ids.filter(|_| offered.has(Offer::ToolTasks)),
    }
}

fn unsupported_version(requested: &str) -> ProtocolError {
    ProtocolError::new(ProtocolError::UNSUPPORTED_VERSION, "Unsupported protocol version")
        .with_data(json!({ "supported": names::SUPPORTED, "requested": requested }))
}

/// The answer to a client that did not declare the tasks extension and needs it.
pub(crate) fn missing_tasks_extension() -> ProtocolError {
    ProtocolError::new(ProtocolError::MISSING_CLIENT_CAPABILITY, "Missing required client capability")
        .with_data(json!({ "requiredCapabilities": { "extensions": { (names::TASKS_EXTENSION): {} } } }))
}

/// Writes a response. `server` is the `_meta` entry that names the server.
pub(crate) fn write(out: &mut Vec<u8>, id: &RequestId, outcome: &Outcome, now: Timestamp, server: &str) {
    jsonrpc::begin_response(out, id);
    out.extend_from_slice(br#"{"resultType":""#);
    out.extend_from_slice(match outcome {
        Outcome::Created(..) => b"task",
        Outcome::InputRequired(..) => b"input_required",
        _ => &b"complete"[..],
    });
    out.push(b'"');
    let (payload, mut task_meta) = (outcome.payload(), None);
    if let Some(payload) = payload {
        out.push(b',');
        payload.write_members(out, false);
        payload.write_cache_hint(out);
    }
    match outcome {
        Outcome::InputRequired(requests, state) => {
            write_requests(out, requests.iter().map(|(key, request)| (&**key, &**request)));
            if let Some(state) = state {
                write_entry(out, "requestState", state);
            }
        }
        Outcome::Created(record, _) => write_state(out, record, now),
        Outcome::Task(record, ending, beside) => {
            write_state(out, record, now);
            write_ending(out, record, ending.as_deref());
            task_meta = Some((record, beside));
        }
        // The acknowledgements are empty: what became of the task is for `tasks/get` to say.
        Outcome::Empty
        | Outcome::Cancelled(_)
        | Outcome::Result(_)
        | Outcome::Kept(_)
        | Outcome::Prepared(_)
        | Outcome::TaskResult(..)
        | Outcome::Tasks(..) => {}
    }
    out.extend_from_slice(br#","_meta":{"#);
    let written = payload.is_some_and(|payload| payload.write_meta_entries(out))
        || task_meta.is_some_and(|(record, beside)| beside.write(out, record, status));
    if written {
        out.push(b',');
    }
    out.extend_from_slice(server.as_bytes());
    out.extend_from_slice(b"}}");
    jsonrpc::end(out);
}

/// Writes `notifications/subscriptions/acknowledged`: the part of the filter that is honoured.
pub(crate) fn write_acknowledged(out: &mut Vec<u8>, subscription: &RequestId, filter: &SubscriptionFilter) {
    jsonrpc::begin_notification(out, "notifications/subscriptions/acknowledged");
    out.extend_from_slice(br#"{"_meta":{"#);
    write_subscription(out, subscription);
    out.push(b'}');
    write_entry(out, "notifications", filter);
    out.push(b'}');
    jsonrpc::end(out);
}

/// Writes `notifications/tasks`: the full state, as `tasks/get` would give it.
pub(crate) fn write_status(
    out: &mut Vec<u8>,
    subscription: &RequestId,
    record: &Record,
    ending: Option<&Ending>,
    beside: &Beside,
    now: Timestamp,
) {
    jsonrpc::begin_notification(out, "notifications/tasks");
    out.extend_from_slice(br#"{"_meta":{"#);
    write_subscription(out, subscription);
    let start = out.len();
    out.push(b',');
    if !beside.write(out, record, status) {
        out.truncate(start);
    }
    out.push(b'}');
    write_state(out, record, now);
    write_ending(out, record, ending);
    out.push(b'}');
    jsonrpc::end(out);
}

/// The end of a subscription from the server's side: the notification that the specification asks for, and the answer
/// to the request that opened it, which goes last, because it may end the channel.
pub(crate) fn closed(subscription: &RequestId, server: &str) -> [Vec<u8>; 2] {
    let (mut answer, mut notification) = (Vec::new(), Vec::new());
    jsonrpc::begin_response(&mut answer, subscription);
    answer.extend_from_slice(br#"{"resultType":"complete","_meta":{"#);
    write_subscription(&mut answer, subscription);
    answer.push(b',');
    answer.extend_from_slice(server.as_bytes());
    answer.extend_from_slice(b"}}");
    jsonrpc::end(&mut answer);
    jsonrpc::begin_notification(&mut notification, "notifications/cancelled");
    notification.extend_from_slice(br#"{"_meta":{"#);
    write_subscription(&mut notification, subscription);
    notification.push(b'}');
    write_entry(&mut notification, "requestId", subscription);
    write_entry(&mut notification, "reason", "the server is shutting down");
    notification.push(b'}');
    jsonrpc::end(&mut notification);
    [notification, answer]
}

pub(super) fn write_subscription(out: &mut Vec<u8>, subscription: &RequestId) {
    write_json(out, meta::SUBSCRIPTION_ID);
    out.push(b':');
    write_json(out, subscription);
}

/// Where a task stands in this dialect.
fn status(record: &Record) -> Status {
    record.status
}

/// Writes the members of a `Task`, with a comma before each.
fn write_state(out: &mut Vec<u8>, record: &Record, now: Timestamp) {
    write_entry(out, "taskId", &record.id);
    write_entry(out, "status", &record.status);
    if let Some(message) = &record.message {
        write_entry(out, "statusMessage", message);
    }
    write_entry(out, "createdAt", &record.created_at);
    write_entry(out, "lastUpdatedAt", &record.updated_at);
    write_entry(out, "ttlMs", &millis(record.ttl_from_creation(now)));
    if let Some(poll) = millis(record.poll) {
        write_entry(out, "pollIntervalMs", &poll);
    }
}

/// Writes `,"inputRequests":{…}`.
fn write_requests<'a>(out: &mut Vec<u8>, requests: impl Iterator<Item = (&'a str, &'a InputRequest)>) {
    out.extend_from_slice(br#","inputRequests":{"#);
    for (key, request) in requests {
        write_entry(out, key, request);
    }
    out.push(b'}');
}

fn write_ending(out: &mut Vec<u8>, record: &Record, ending: Option<&Ending>) {
    match (record.status, ending) {
        (Status::Completed, Some(Ending::Result(payload))) => {
            out.extend_from_slice(br#","result":{"resultType":"complete","#);
            payload.write_members(out, false);
            if payload.meta.is_some() {
                out.extend_from_slice(br#","_meta":{"#);
                payload.write_meta_entries(out);
                out.push(b'}');
            }
            out.push(b'}');
        }
        (Status::Failed, Some(Ending::Error(error))) => write_entry(out, "error", &*error.in_words(true)),
        // An ending that does not fit its status can only be a store's fault; the client is not left without one.
        (Status::Completed | Status::Failed, _) => write_entry(out, "error", &no_ending(record)),
        (Status::InputRequired, _) => {
            let open = record.open_questions();
            write_requests(out, open.map(|question| (&*question.key, &*question.request)));
        }
        (Status::Working | Status::Cancelled, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jsonrpc::{Message, read};

    fn code(method: &str, params: &serde_json::Value) -> i64 {
        let text = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let Ok(Message::Request { method, params, .. }) = read(&text) else { panic!("a request: {text}") };
        let offered = Offered::default().with(Offer::Tools, true).with(Offer::ToolTasks, true);
        judge(offered, &method, params, None).map_or_else(|error| error.code(), |_| 0)
    }

    fn with_meta(version: &str, tasks: bool) -> serde_json::Value {
        let extensions = if tasks { json!({"io.modelcontextprotocol/tasks": {}}) } else { json!({}) };
        json!({"_meta": {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {"extensions": extensions}
        }})
    }

    #[test]
    fn a_request_is_judged_in_the_order_of_the_specification() {
        assert_eq!(code("nonsense", &json!({})), -32602, "no `_meta`, before the method");
        let version_only = json!({"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}});
        assert_eq!(code("tools/list", &version_only), -32602);
        assert_eq!(code("nonsense", &with_meta("v999.0.0", false)), -32022, "the version, before the method");
        for removed in
            ["initialize", "ping", "tasks/result", "tasks/list", "logging/setLevel", "unknown/method"]
        {
            assert_eq!(code(removed, &with_meta("2026-07-28", true)), -32601, "{removed}");
        }
        assert_eq!(
            code("tasks/get", &with_meta("2026-07-28", false)),
            -32021,
            "the capability, before the task"
        );
        assert_eq!(code("tasks/get", &with_meta("2026-07-28", true)), -32602);
        assert_eq!(code("server/discover", &with_meta("2026-07-28", false)), 0);
    }
}
