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
    person: Option<Person>,
}

/// Answers what the server asks: the request's method and parameters go in, the result comes out.
type Person = Box<dyn FnMut(&str, &Value) -> Value + Send>;

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
            person: None,
        }
    }

    /// From now on a client of the newest revision that knows no tasks.
    #[must_use]
    pub fn without_tasks(mut self) -> Self {
        let capabilities = if self.person.is_some() { askable() } else { json!({}) };
        self.wire = Wire::Modern { capabilities };
        self
    }

    /// Declares that it can be asked everything (forms, pages, its model, its roots), and answers by this function, which
    /// gets the method and the parameters of each request and gives the result. A function that gives `null` leaves the
    /// question open.
    ///
    /// ```
    /// use mcp_runtime::prelude::*;
    /// use serde_json::json;
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Name {
    ///     name: String,
    /// }
    ///
    /// /// Say hello to whoever is there.
    /// #[tool]
    /// async fn greet(cx: Context) -> Result<String, ToolError> {
    ///     Ok(match cx.elicit::<Name>("What is your name?").await? {
    ///         Elicited::Accepted(Name { name }) => format!("Hello, {name}!"),
    ///         _ => "Hello, whoever you are!".into(),
    ///     })
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = Server::new("greeter", "1.0.0").tools(tools![greet]);
    /// let mut client = server.test_client()?.answering(|method, params| {
    ///     assert_eq!((method, &params["message"]), ("elicitation/create", &json!("What is your name?")));
    ///     json!({ "action": "accept", "content": { "name": "Ada" } })
    /// });
    /// let result = client.call_tool("greet", json!({})).await?;
    /// assert_eq!(result["content"][0]["text"], "Hello, Ada!");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn answering(mut self, person: impl FnMut(&str, &Value) -> Value + Send + 'static) -> Self {
        self.person = Some(Box::new(person));
        if let Wire::Modern { capabilities } = &mut self.wire
            && let (Some(all), Value::Object(more)) = (capabilities.as_object_mut(), askable())
        {
            all.extend(more);
        }
        self
    }

    /// From now on a client of a revision that opens with `initialize`, which is sent.
    pub async fn legacy(mut self, version: &str) -> Result<Self, ErrorAnswer> {
        self.wire = Wire::Legacy;
        let client = json!({ "name": "test", "version": "0" });
        let capabilities = if self.person.is_some() { askable() } else { json!({}) };
        let params =
            json!({ "protocolVersion": version, "capabilities": capabilities, "clientInfo": client });
        self.request("initialize", params).await?;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        Ok(self)
    }

    /// Calls a tool: its result, or a task, as the client's revision has it. What the tool asks is answered if the client
    /// is [`answering`](Self::answering).
    pub async fn call_tool(&mut self, name: &str, arguments: Value) -> Result<Value, ErrorAnswer> {
        self.call("tools/call", json!({ "name": name, "arguments": arguments })).await
    }

    /// Sends a request that may be answered by what the server needs to know first, and goes on until it is answered, or
    /// until the server asks the very same again, since the answers did not fit.
    pub async fn call(&mut self, method: &str, params: Value) -> Result<Value, ErrorAnswer> {
        let mut result = self.request(method, params.clone()).await?;
        let mut asked = Value::Null;
        while result["resultType"] == "input_required" && result["inputRequests"] != asked {
            asked = result["inputRequests"].clone();
            let Some(responses) = self.respond(&asked) else { break };
            let mut params = params.clone();
            params["inputResponses"] = responses;
            if result["requestState"].is_string() {
                params["requestState"] = result["requestState"].take();
            }
            result = self.request(method, params).await?;
        }
        Ok(result)
    }

    /// The answers to a map of requests; `None` if there are none.
    fn respond(&mut self, requests: &Value) -> Option<Value> {
        let person = self.person.as_mut()?;
        let requests = requests.as_object()?.iter();
        let answers = requests.filter_map(|(key, request)| {
            let answer = person(request["method"].as_str()?, &request["params"]);
            (!answer.is_null()).then(|| (key.clone(), answer))
        });
        let answers: Map<String, Value> = answers.collect();
        (!answers.is_empty()).then_some(Value::Object(answers))
    }

    /// Waits until a task has ended, by `subscriptions/listen`, and gives its last state. What the task asks is answered if
    /// the client is [`answering`](Self::answering). For a client of the newest
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
            } else if let Some(responses) = self.respond(&message["params"]["inputRequests"]) {
                self.request("tasks/update", json!({ "taskId": task_id, "inputResponses": responses }))
                    .await?;
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
                if !self.answer_request(&message) {
                    self.notifications.push_back(message);
                }
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

    /// Answers a request of the server's, if there is somebody who does.
    fn answer_request(&mut self, message: &Value) -> bool {
        let (Some(person), Some(method)) = (&mut self.person, message["method"].as_str()) else {
            return false;
        };
        let Some(id) = message.get("id") else { return false };
        let result = person(method, &message["params"]);
        if !result.is_null() {
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string());
        }
        true
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
        self.endpoint.receive(message, Arrival { channel: &self.channel, headers: None });
    }

    /// The next message from the server, as it is. `None` once the server is gone.
    pub async fn next_message(&mut self) -> Option<Value> {
        let message = self.inbox.next().await?;
        Some(serde_json::from_str(&message).unwrap_or(Value::String(message)))
    }
}

/// All that a server may ask for.
fn askable() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": { "tools": {}, "context": {} }, "roots": {} })
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
