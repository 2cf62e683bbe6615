//! Holds every message of a server's against the specification, whatever the test at hand is about.
//!
//! It sees what both sides say, in order. Of the server's messages it checks the JSON schema of the revision that the
//! message is of, and the rules that no schema can say: who may be answered, when progress ends, in which order the
//! states of a task may follow each other, what a subscription carries, what a tool promised of its results.

mod logging;
mod progress;
mod questions;
mod subscriptions;
mod tasks;
#[cfg(test)]
mod tests;
mod tools;

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::names;
use crate::schemas::Schemas;
use crate::{LEGACY, MODERN};
use logging::Logging;
use progress::Tokens;
use questions::Questions;
use subscriptions::Subscriptions;
use tasks::{Source, Tasks};
use tools::Tools;

/// One connection, as it went so far.
#[derive(Debug, Default)]
pub struct Witness {
    /// Whether something was sent that is no message, or need not be one: then answers may come to anything.
    unseen: bool,
    /// Counts requests, so that it can be said which of two was sent first.
    sent: u64,
    /// The latest request, by that count, that was answered.
    answered: u64,
    /// The revision that `initialize` settled.
    session: Option<String>,
    server: Option<Value>,
    open: HashMap<String, Asked>,
    tokens: Tokens,
    tasks: Tasks,
    tools: Tools,
    subscriptions: Subscriptions,
    questions: Questions,
    logging: Logging,
}

/// A request that was not answered yet.
#[derive(Debug)]
struct Asked {
    place: u64,
    method: String,
    revision: String,
    params: Value,
    /// How many requests had been sent when the client cancelled it.
    cancelled: Option<u64>,
}

impl Asked {
    fn is_modern(&self) -> bool {
        self.revision == MODERN
    }
}

/// What a check says: what is wrong.
type Checked = Result<(), String>;

fn wrong(message: impl Into<String>) -> Checked {
    Err(message.into())
}

/// The codes that MCP defines, beside those of JSON-RPC.
const CODES: [i64; 9] = [-32700, -32600, -32601, -32602, -32603, -32002, -32020, -32021, -32022];

impl Witness {
    /// Takes note of what the client says.
    pub fn sent(&mut self, message: &Value) {
        if let Value::Array(batch) = message {
            return batch.iter().for_each(|message| self.sent(message));
        }
        let method = message["method"].as_str().unwrap_or_default();
        let params = &message["params"];
        if message.get("id").is_none() {
            if method == "notifications/cancelled" {
                self.cancelled(&params["requestId"]);
            }
            return;
        }
        if message.get("method").is_none() {
            return self.questions.answered(&message["id"]);
        }
        self.sent += 1;
        let is_modern = params["_meta"].get(names::PROTOCOL_VERSION).is_some() || method == "server/discover";
        let session = self.session.clone().unwrap_or_else(|| LEGACY.to_owned());
        let revision = if is_modern { MODERN.to_owned() } else { session };
        let id = message["id"].to_string();
        if let Some(token) = params["_meta"].get("progressToken") {
            self.tokens.add(token, &id);
        }
        if method == "subscriptions/listen" {
            self.subscriptions.add(&id, &params["notifications"]);
        }
        if method == "logging/setLevel" {
            self.logging.wishes(&id, &params["level"]);
        }
        let asked = Asked {
            place: self.sent,
            method: method.to_owned(),
            revision,
            params: params.clone(),
            cancelled: None,
        };
        self.open.insert(id, asked);
    }

    /// Takes note that something was sent that is not shown to the witness.
    pub fn sent_unseen(&mut self) {
        self.unseen = true;
    }

    fn cancelled(&mut self, id: &Value) {
        if let Some(asked) = self.open.get_mut(&id.to_string()) {
            asked.cancelled = Some(self.sent);
        }
    }

    /// Judges what the server says.
    pub fn received(&mut self, message: &Value) -> Checked {
        match message {
            Value::Array(batch) => self.batch(batch),
            _ if message.get("method").is_some() && message.get("id").is_some() => self.question(message),
            _ if message.get("method").is_some() => self.notification(message),
            _ => self.response(message),
        }
    }

    /// Judges a request of the server's.
    fn question(&mut self, message: &Value) -> Checked {
        let Some(revision) = self.session.clone() else {
            return wrong(format!("it is a request, which {MODERN} does not have"));
        };
        let task = &message["params"]["_meta"][names::RELATED_TASK]["taskId"];
        if !task.is_null() && self.tasks.method(task).is_none() {
            return wrong(format!("the client knows no task {task}"));
        }
        let calls = ["tools/call", "prompts/get", "resources/read"];
        let is_called = |asked: &Asked| !asked.is_modern() && calls.contains(&asked.method.as_str());
        if task.is_null() && !self.open.values().any(is_called) {
            return wrong("a server asks only on behalf of what its client asked for");
        }
        self.questions.asked(&revision, message)
    }

    fn batch(&mut self, batch: &[Value]) -> Checked {
        if self.session.as_deref() != Some("2025-03-26") {
            return wrong("it is a batch, which only 2025-03-26 has");
        }
        if batch.is_empty() {
            return wrong("it is a batch of nothing");
        }
        batch.iter().try_for_each(|message| self.received(message))
    }

    fn response(&mut self, message: &Value) -> Checked {
        let is_error = message.get("error").is_some();
        let Some(id) = message.get("id") else {
            // Of a request that could not be read. Only the newer schemas allow the id to be missing, and none `null`.
            check(LEGACY, "JSONRPCErrorResponse", message)?;
            return code(&message["error"]);
        };
        let Some(asked) = self.open.remove(&id.to_string()) else {
            if !self.unseen {
                return wrong(format!("nobody asked {id}, or not any more"));
            }
            check(LEGACY, if is_error { "JSONRPCErrorResponse" } else { "JSONRPCResultResponse" }, message)?;
            return if is_error { code(&message["error"]) } else { Ok(()) };
        };
        if asked.cancelled.is_some_and(|place| place < self.answered) {
            return wrong(format!("request {id} was cancelled, and the server knew"));
        }
        self.knows_what_came_before(asked.place);
        self.logging.answered(&id.to_string(), !is_error);
        if is_error {
            self.tokens.ends(&id.to_string());
            self.subscriptions.ends(&id.to_string());
            return error(&asked, message);
        }
        check(&asked.revision, "JSONRPCResultResponse", message)?;
        let result = &message["result"];
        if asked.is_modern() {
            self.modern_result(id, &asked, result)
        } else {
            self.legacy_result(id, &asked, result)
        }
    }

    /// Once a request is answered, the server knows of everything that was sent before it: what was cancelled by then
    /// must be silent from now on.
    fn knows_what_came_before(&mut self, place: u64) {
        self.answered = self.answered.max(place);
        let known =
            self.open.iter().filter(|(_, asked)| asked.cancelled.is_some_and(|at| at < self.answered));
        for (id, _) in known {
            self.tokens.ends(id);
            self.subscriptions.ends(id);
        }
    }

    fn legacy_result(&mut self, id: &Value, asked: &Asked, result: &Value) -> Checked {
        let revision = asked.revision.as_str();
        for stranger in ["resultType", "ttlMs", "cacheScope", "inputRequests", "requestState"] {
            if result.get(stranger).is_some() {
                return wrong(format!("`{stranger}` belongs to {MODERN}"));
            }
        }
        let is_task = result.get("task").is_some();
        if !is_task {
            self.tokens.ends(&id.to_string());
        }
        match asked.method.as_str() {
            "initialize" => {
                check(result["protocolVersion"].as_str().unwrap_or(revision), "InitializeResult", result)?;
                self.session = result["protocolVersion"].as_str().map(str::to_owned);
                self.questions.opened(&asked.params["capabilities"]);
                Ok(())
            }
            "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => {
                if *result == json!({}) { Ok(()) } else { wrong("it is answered with nothing") }
            }
            "tools/list" => {
                check(revision, "ListToolsResult", result)?;
                self.tools.listed(revision, result)
            }
            "tools/call" | "prompts/get" | "resources/read" if is_task => {
                check(revision, "CreateTaskResult", result)?;
                if asked.params.get("task").is_none() {
                    return wrong("the client asked for no task");
                }
                let task = &result["task"];
                self.tokens.go_on_in(&id.to_string(), &task["taskId"]);
                self.tasks.made(task, &asked.method, &asked.params["name"]);
                self.task(Source::LegacyAnswers, task, "ttl")
            }
            "tools/call" => {
                check(revision, "CallToolResult", result)?;
                self.tools.gave(revision, &asked.params["name"], result)
            }
            "tasks/get" => {
                check(revision, "GetTaskResult", result)?;
                self.task(Source::LegacyAnswers, result, "ttl")
            }
            "tasks/cancel" => {
                check(revision, "CancelTaskResult", result)?;
                if result["status"] != "cancelled" {
                    return wrong("a task is `cancelled` before its cancellation is answered");
                }
                self.task(Source::LegacyAnswers, result, "ttl")
            }
            "tasks/result" => {
                check(revision, "GetTaskPayloadResult", result)?;
                let task = &asked.params["taskId"];
                if let Some(definition) = self.tasks.method(task).and_then(listed) {
                    check(revision, definition, result)?;
                }
                if result["_meta"][names::RELATED_TASK]["taskId"] != *task {
                    return wrong("the result of a task names the task in `_meta`");
                }
                self.tokens.ends_with_task(task);
                self.tools.gave(revision, self.tasks.tool(task), result)
            }
            "tasks/list" => {
                check(revision, "ListTasksResult", result)?;
                let mut tasks = result["tasks"].as_array().into_iter().flatten();
                tasks.try_for_each(|task| self.task(Source::LegacyAnswers, task, "ttl"))
            }
            method => match listed(method) {
                Some(definition) => check(revision, definition, result),
                None => wrong(format!("no server of {revision} without that capability answers {method}")),
            },
        }
    }

    fn modern_result(&mut self, id: &Value, asked: &Asked, result: &Value) -> Checked {
        self.tokens.ends(&id.to_string());
        self.names_the_server(result)?;
        let kind = result["resultType"].as_str().unwrap_or_default();
        let declared = &asked.params["_meta"][names::CLIENT_CAPABILITIES];
        match (kind, asked.method.as_str()) {
            ("complete", _) | ("task", "tools/call") => {}
            ("input_required", "tools/call" | "prompts/get" | "resources/read") => {
                return input_required(declared, result);
            }
            (kind, method) => return wrong(format!("the answer to {method} is of the type {kind:?}")),
        }
        if result.get("requestState").is_some() {
            return wrong("what is complete has nothing to remember");
        }
        match asked.method.as_str() {
            "server/discover" => check(MODERN, "DiscoverResult", result),
            "tools/list" => {
                check(MODERN, "ListToolsResult", result)?;
                self.tools.listed(MODERN, result)
            }
            "tools/call" if kind == "task" => {
                check("ext-tasks", "CreateTaskResult", result)?;
                if declared["extensions"][names::TASKS].is_null() {
                    return wrong("the client did not say that it knows tasks");
                }
                for stranger in ["result", "error", "inputRequests", "content"] {
                    if result.get(stranger).is_some() {
                        return wrong(format!("a task that was just made has no `{stranger}`"));
                    }
                }
                self.tasks.made(result, &asked.method, &asked.params["name"]);
                self.questions.made(&result["taskId"], declared);
                self.task(Source::ModernAnswers, result, "ttlMs")
            }
            "tools/call" => {
                check(MODERN, "CallToolResult", result)?;
                self.tools.gave(MODERN, &asked.params["name"], result)
            }
            "tasks/get" => {
                check("ext-tasks", "GetTaskResult", result)?;
                self.modern_task(Source::ModernAnswers, result)
            }
            "tasks/update" => acknowledgement("UpdateTaskResult", result),
            "tasks/cancel" => acknowledgement("CancelTaskResult", result),
            // There is no schema of the skills extension.
            "skills/list" | "skills/get" => Ok(()),
            "resources/directory/read" => check(MODERN, "ListResourcesResult", result),
            "subscriptions/listen" => {
                check(MODERN, "SubscriptionsListenResult", result)?;
                self.subscriptions.closes(id, result)
            }
            method => match listed(method) {
                Some(definition) => check(MODERN, definition, result),
                None => wrong(format!("{MODERN} has no {method} that this server could answer")),
            },
        }
    }

    fn names_the_server(&mut self, result: &Value) -> Checked {
        let server = &result["_meta"][names::SERVER_INFO];
        if server.is_null() {
            return wrong("the result does not name the server in `_meta`");
        }
        match &self.server {
            Some(known) if known != server => wrong(format!("the server was {known} before")),
            _ => {
                self.server = Some(server.clone());
                Ok(())
            }
        }
    }

    fn notification(&mut self, message: &Value) -> Checked {
        check(LEGACY, "JSONRPCNotification", message)?;
        let params = &message["params"];
        match message["method"].as_str().unwrap_or_default() {
            "notifications/progress" => {
                check(LEGACY, "ProgressNotification", message)?;
                check(MODERN, "ProgressNotification", message)?;
                self.tokens.progress(params)
            }
            "notifications/tasks/status" => {
                check(LEGACY, "TaskStatusNotification", message)?;
                if params["_meta"].get(names::RELATED_TASK).is_some() {
                    return wrong("a status names its task by itself, not in `_meta`");
                }
                if !self.tasks.is_known(&params["taskId"]) {
                    return wrong(
                        "the client did not make this task nor ask for it, or was not told of it yet",
                    );
                }
                self.task(Source::Core, params, "ttl")
            }
            "notifications/subscriptions/acknowledged" => {
                check(MODERN, "SubscriptionsAcknowledgedNotification", message)?;
                check("ext-tasks", "TaskSubscriptionAcknowledgedNotifications", &params["notifications"])?;
                self.subscriptions.acknowledged(params)
            }
            "notifications/tasks" => {
                check("ext-tasks", "TaskStatusNotification", message)?;
                let subscription = self.subscriptions.told(params)?;
                self.modern_task(Source::Subscription(subscription), params)
            }
            "notifications/cancelled" if params["_meta"].get(names::SUBSCRIPTION_ID).is_some() => {
                check(MODERN, "CancelledNotification", message)?;
                self.subscriptions.cancelled(params)
            }
            "notifications/cancelled" => {
                check(LEGACY, "CancelledNotification", message)?;
                self.questions.takes_back(&params["requestId"])
            }
            "notifications/message" => {
                check(LEGACY, "LoggingMessageNotification", message)?;
                check(MODERN, "LoggingMessageNotification", message)?;
                let task = &params["_meta"][names::RELATED_TASK]["taskId"];
                if !task.is_null() && self.tasks.method(task).is_none() {
                    return wrong(format!("the client knows no task {task}"));
                }
                let wishes = self.open.values().map(|asked| &asked.params["_meta"][names::LOG_LEVEL]);
                self.logging.said(params, self.session.is_some(), wishes)
            }
            method => self.change(method, message),
        }
    }

    /// Judges what tells of a change of what the server offers: to a session unasked, otherwise on a subscription.
    fn change(&mut self, method: &str, message: &Value) -> Checked {
        let definition = match method {
            "notifications/tools/list_changed" => "ToolListChangedNotification",
            "notifications/prompts/list_changed" => "PromptListChangedNotification",
            "notifications/resources/list_changed" => "ResourceListChangedNotification",
            "notifications/resources/updated" => "ResourceUpdatedNotification",
            _ => return wrong(format!("nobody asked for {method}")),
        };
        let params = &message["params"];
        if params["_meta"].get(names::SUBSCRIPTION_ID).is_some() {
            check(MODERN, definition, message)?;
            return self.subscriptions.changed(method, params);
        }
        match self.session.clone() {
            Some(revision) => check(&revision, definition, message),
            None => wrong("there is neither a session nor a subscription to tell it to"),
        }
    }

    fn modern_task(&mut self, source: Source, task: &Value) -> Checked {
        for stranger in ["task", "ttl", "pollInterval", "requestState"] {
            if task.get(stranger).is_some() {
                return wrong(format!("`{stranger}` is no word of the tasks extension"));
            }
        }
        let status = task["status"].as_str().unwrap_or_default();
        for (member, belongs) in
            [("result", "completed"), ("error", "failed"), ("inputRequests", "input_required")]
        {
            if task.get(member).is_some() != (status == belongs) {
                return wrong(format!("`{member}` belongs to {belongs} tasks, and this one is {status}"));
            }
        }
        if let Some(result) = task.get("result") {
            check(MODERN, "CallToolResult", result)?;
            if result["_meta"].get(names::RELATED_TASK).is_some() {
                return wrong("an inlined result names no task");
            }
            self.tools.gave(MODERN, self.tasks.tool(&task["taskId"]), result)?;
        }
        if let Some(error) = task.get("error") {
            code(error)?;
        }
        self.questions.of_task(&task["taskId"], &task["inputRequests"])?;
        self.task(source, task, "ttlMs")
    }

    fn task(&mut self, source: Source, task: &Value, ttl: &str) -> Checked {
        if self.tasks.saw(source, task, ttl)? {
            self.tokens.ends_with_task(&task["taskId"]);
            self.questions.ended(&task["taskId"]);
        }
        Ok(())
    }
}

/// The definition of the result of a method, for those that need no more to be judged.
fn listed(method: &str) -> Option<&'static str> {
    Some(match method {
        "tools/call" => "CallToolResult",
        "prompts/list" => "ListPromptsResult",
        "prompts/get" => "GetPromptResult",
        "resources/list" => "ListResourcesResult",
        "resources/templates/list" => "ListResourceTemplatesResult",
        "resources/read" => "ReadResourceResult",
        "completion/complete" => "CompleteResult",
        _ => return None,
    })
}

/// Judges the end of a round: "Servers MUST include at least one of `inputRequests` or `requestState`."
fn input_required(declared: &Value, result: &Value) -> Checked {
    check(MODERN, "InputRequiredResult", result)?;
    if result.get("inputRequests").is_none() && result.get("requestState").is_none() {
        return wrong("it says neither what is needed nor what it remembers");
    }
    for stranger in ["content", "messages", "contents", "taskId", "ttlMs", "cacheScope"] {
        if result.get(stranger).is_some() {
            return wrong(format!("what needs input has no `{stranger}` yet"));
        }
    }
    Questions::listed(declared, &result["inputRequests"])
}

fn acknowledgement(definition: &str, result: &Value) -> Checked {
    check("ext-tasks", definition, result)?;
    let members = result.as_object().into_iter().flatten();
    match members.map(|(name, _)| name.as_str()).find(|name| !matches!(*name, "resultType" | "_meta")) {
        Some(stranger) => wrong(format!("an acknowledgement is empty, and this one has `{stranger}`")),
        None => Ok(()),
    }
}

fn error(asked: &Asked, message: &Value) -> Checked {
    check(&asked.revision, "JSONRPCErrorResponse", message)?;
    code(&message["error"])?;
    if !asked.is_modern() {
        return match message["error"]["code"].as_i64() {
            Some(-32022..=-32020) => wrong(format!("the code belongs to {MODERN}")),
            _ => Ok(()),
        };
    }
    let error = &message["error"];
    match error["code"].as_i64() {
        Some(-32002) => wrong(format!("the code belongs to revisions before {MODERN}")),
        Some(-32022) => check(MODERN, "UnsupportedProtocolVersionError", message),
        Some(-32021) => check(MODERN, "MissingRequiredClientCapabilityError", message),
        Some(-32700) => check(MODERN, "ParseError", error),
        Some(-32600) => check(MODERN, "InvalidRequestError", error),
        Some(-32601) => check(MODERN, "MethodNotFoundError", error),
        Some(-32602) => check(MODERN, "InvalidParamsError", error),
        Some(-32603) => check(MODERN, "InternalError", error),
        _ => Ok(()),
    }
}

fn code(error: &Value) -> Checked {
    match error["code"].as_i64() {
        Some(code) if CODES.contains(&code) || !(-32768..=-32000).contains(&code) => Ok(()),
        _ => wrong(format!("the error code {} is reserved, and defined by nobody", error["code"])),
    }
}

fn check(revision: &str, definition: &str, value: &Value) -> Checked {
    Schemas::get().map_or(Ok(()), |schemas| schemas.check(revision, definition, value))
}
