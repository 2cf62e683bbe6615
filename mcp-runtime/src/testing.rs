//! A client in the same process, for tests of your own tools through the protocol.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::protocol::names::{self, meta};
use crate::server::Service;
use crate::task::Principal;
use crate::transport::in_process::{Inbox, channel};
use crate::transport::{Acceptor, Arrival, Client, Endpoint, Outbox, Wires};

/// A client in the same process, which speaks to the server as any other does, from the frame on.
///
/// It begins as a client of the newest revision that knows tasks. What the server says beside answers is kept, for
/// [`notifications`](Self::notifications).
///
/// ```
/// use mcp_runtime::prelude::*;
/// use serde_json::json;
///
/// /// Say hello, after some thought.
/// #[tool(task)]
/// async fn greet(
///     /// Whom to greet.
///     name: String,
/// ) -> String {
///     format!("Hello, {name}!")
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = Server::new("greeter", "1.0.0").tools(tools![greet]).build()?;
///
/// // A client that knows tasks gets one, and follows it.
/// let mut client = server.test_client();
/// let task = client.call_tool("greet", json!({ "name": "Ada" })).await?;
/// assert_eq!(task["resultType"], "task");
/// let done = client.follow(task["taskId"].as_str().unwrap()).await?;
/// assert_eq!(done["result"]["content"][0]["text"], "Hello, Ada!");
///
/// // A client that does not gets the result.
/// let mut client = server.test_client().without_tasks();
/// let result = client.call_tool("greet", json!({ "name": "Ada" })).await?;
/// assert_eq!(result["content"][0]["text"], "Hello, Ada!");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct TestClient {
    endpoint: Arc<dyn Endpoint>,
    channel: Arc<dyn Outbox>,
    inbox: Inbox,
    wire: Wire,
    last_id: i64,
    notifications: VecDeque<Value>,
}

#[derive(Clone, Debug)]
enum Wire {
    Modern { capabilities: Value },
    Legacy,
}

/// An error that the server answered with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ErrorAnswer {
    /// The JSON-RPC code.
    pub code: i64,
    /// What went wrong.
    pub message: String,
    /// Detail, `null` if there is none.
    #[serde(default)]
    pub data: Value,
}

impl ErrorAnswer {
    fn gone() -> Self {
        Self { code: 0, message: "the server is gone".to_owned(), data: Value::Null }
    }
}

impl fmt::Display for ErrorAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for ErrorAnswer {}

impl TestClient {
    pub(crate) fn new(service: &Service) -> Self {
        let (outbox, inbox) = channel();
        let channel: Arc<dyn Outbox> = Arc::new(outbox);
        let home = Some(Arc::clone(&channel));
        let endpoint = service.connect(Client { home, principal: Principal::local(), wires: Wires::Any });
        let capabilities = json!({ "extensions": { (names::TASKS_EXTENSION): {} } });
        Self {
            endpoint,
            channel,
            inbox,
            wire: Wire::Modern { capabilities },
            last_id: 0,
            notifications: VecDeque::new(),
        }
    }

    /// From now on a client of the newest revision that knows no tasks.
    #[must_use]
    pub fn without_tasks(mut self) -> Self {
        self.wire = Wire::Modern { capabilities: json!({}) };
        self
    }

    /// From now on a client of a revision that opens with `initialize`, which is sent.
    pub async fn legacy(mut self, version: &str) -> Result<Self, ErrorAnswer> {
        self.wire = Wire::Legacy;
        let client = json!({ "name": "test", "version": "0" });
        let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
        self.request("initialize", params).await?;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        Ok(self)
    }

    /// Calls a tool: its result, or a task, as the client's revision has it.
    pub async fn call_tool(&mut self, name: &str, arguments: Value) -> Result<Value, ErrorAnswer> {
        self.request("tools/call", json!({ "name": name, "arguments": arguments })).await
    }

    /// Waits until a task has ended, by `subscriptions/listen`, and gives its last state. For a client of the newest
    /// revision that knows tasks; what else the server says meanwhile is kept.
    pub async fn follow(&mut self, task_id: &str) -> Result<Value, ErrorAnswer> {
        let is_over = |state: &Value| !matches!(state["status"].as_str(), Some("working" | "input_required"));
        let task = json!({ "taskId": task_id });
        // One that is not there is an error, and one that is over needs no subscription.
        let state = self.request("tasks/get", task.clone()).await?;
        if is_over(&state) {
            return Ok(state);
        }
        let id = self.begin("subscriptions/listen", json!({ "notifications": { "taskIds": [task_id] } }));
        loop {
            let Some(message) = self.next_message().await else { return Err(ErrorAnswer::gone()) };
            if message["params"]["_meta"][meta::SUBSCRIPTION_ID] != id {
                self.notifications.push_back(message);
            } else if message["method"] == "notifications/tasks" && is_over(&message["params"]) {
                break;
            }
        }
        let cancelled =
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
        self.send(&cancelled.to_string());
        self.request("tasks/get", task).await
    }

    /// Sends a request and waits for its answer. What the revision wants in `_meta` is added.
    pub async fn request(&mut self, method: &str, params: Value) -> Result<Value, ErrorAnswer> {
        let id = self.begin(method, params);
        self.answer(id).await
    }

    /// Sends a request without waiting for its answer; gives its id.
    pub fn begin(&mut self, method: &str, mut params: Value) -> i64 {
        self.last_id += 1;
        if let (Wire::Modern { capabilities }, Some(params)) = (&self.wire, params.as_object_mut()) {
            let own = params.entry("_meta").or_insert_with(|| Map::new().into());
            if let Some(own) = own.as_object_mut() {
                own.insert(meta::PROTOCOL_VERSION.to_owned(), names::MODERN.into());
                own.insert(meta::CLIENT_CAPABILITIES.to_owned(), capabilities.clone());
            }
        }
        let message = json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params });
        self.send(&message.to_string());
        self.last_id
    }

    /// Waits for the answer to a request that was begun.
    pub async fn answer(&mut self, id: i64) -> Result<Value, ErrorAnswer> {
        loop {
            let Some(mut message) = self.next_message().await else {
                return Err(ErrorAnswer {
                    code: 0,
                    message: "the server is gone".to_owned(),
                    data: Value::Null,
                });
            };
            if message.get("method").is_some() {
                self.notifications.push_back(message);
            } else if message["id"] == id {
                return match message["error"].take() {
                    Value::Null => Ok(message["result"].take()),
                    error => Err(serde_json::from_value(error.clone()).unwrap_or_else(|_| ErrorAnswer {
                        code: 0,
                        message: "the server's answer is no JSON-RPC error".to_owned(),
                        data: error,
                    })),
                };
            }
        }
    }

    /// The next notification, waited for if there is none. `None` once the server is gone.
    pub async fn notification(&mut self) -> Option<Value> {
        match self.notifications.pop_front() {
            Some(notification) => Some(notification),
            None => self.next_message().await,
        }
    }

    /// The notifications that came while answers were waited for, which are then forgotten.
    pub fn notifications(&mut self) -> Vec<Value> {
        self.notifications.drain(..).collect()
    }

    /// Sends a message as it is.
    pub fn send(&self, message: &str) {
        self.endpoint.receive(message, Arrival { channel: &self.channel });
    }

    /// The next message from the server, as it is. `None` once the server is gone.
    pub async fn next_message(&mut self) -> Option<Value> {
        let message = self.inbox.next().await?;
        Some(serde_json::from_str(&message).unwrap_or(Value::String(message)))
    }
}

impl Drop for TestClient {
    fn drop(&mut self) {
        // Subscriptions of a client that is gone are for nobody.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(Arc::clone(&self.endpoint).finish(Box::pin(std::future::ready(()))));
        }
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").field("wire", &self.wire).finish_non_exhaustive()
    }
}
