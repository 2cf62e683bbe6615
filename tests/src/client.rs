//! A client of either wire, in raw messages.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::process::Process;
use crate::{MODERN, names};

/// As whom a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// A client that opened with `initialize`.
    Legacy,
    /// A client of the stateless revision.
    Modern,
    /// The same with the tasks extension.
    Tasks,
}

/// An error that a request was answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The JSON-RPC code.
    pub code: i64,
    /// What went wrong.
    pub message: String,
    /// Detail, `null` if there is none.
    pub data: Value,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}; {})", self.message, self.code, self.data)
    }
}

/// The text of a result's first item.
pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("the result has no text: {result}"))
}

impl Process {
    /// Opens a session of a revision, and speaks as its client from then on. Gives the answer to `initialize`.
    pub fn initialize(&mut self, version: &str) -> Value {
        self.wire = Wire::Legacy;
        let client = json!({ "name": "tests", "title": "The tests", "version": "0" });
        let capabilities = self.capabilities.clone();
        let params =
            json!({ "protocolVersion": version, "capabilities": capabilities, "clientInfo": client });
        let answer = self.ok("initialize", params);
        self.notify("notifications/initialized", json!({}));
        answer
    }

    /// Declares from now on that it can do this, beside what the wire says of tasks. On the legacy wire it counts from the
    /// next `initialize`.
    pub fn declare(&mut self, capabilities: Value) {
        self.capabilities = capabilities;
    }

    /// The same, for a client that is made in one expression.
    #[must_use]
    pub fn declaring(mut self, capabilities: Value) -> Self {
        self.declare(capabilities);
        self
    }

    /// Speaks so from now on.
    #[must_use]
    pub fn speaking(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// Speaks so from now on.
    pub fn speak(&mut self, wire: Wire) {
        self.wire = wire;
    }

    /// How it speaks.
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// An id that no request had so far.
    pub fn next_id(&mut self) -> Value {
        self.last_id += 1;
        self.last_id.into()
    }

    /// Sends a request with the next number as its id, which it gives.
    pub fn begin(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id();
        self.begin_as(id.clone(), method, params);
        id
    }

    /// Sends a request with an id of one's own. What the wire wants in `_meta` is added.
    pub fn begin_as(&mut self, id: Value, method: &str, mut params: Value) {
        let capabilities = match self.wire {
            Wire::Legacy => None,
            Wire::Modern => Some(self.capabilities.clone()),
            Wire::Tasks => {
                let mut capabilities = self.capabilities.clone();
                capabilities["extensions"] = json!({ (names::TASKS): {} });
                Some(capabilities)
            }
        };
        if let (Some(capabilities), Some(params)) = (capabilities, params.as_object_mut()) {
            let own = params.entry("_meta").or_insert_with(|| Map::new().into());
            let own = own.as_object_mut().expect("`_meta` is an object");
            own.insert(names::PROTOCOL_VERSION.to_owned(), MODERN.into());
            own.insert(names::CLIENT_INFO.to_owned(), json!({ "name": "tests", "version": "0" }));
            own.insert(names::CLIENT_CAPABILITIES.to_owned(), capabilities);
        }
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    }

    /// Waits for the answer to a request.
    pub fn answer(&mut self, id: &Value) -> Result<Value, Refusal> {
        let mut response = self.response(id);
        match response["error"].take() {
            Value::Null => Ok(response["result"].take()),
            mut error => Err(Refusal {
                code: error["code"].as_i64().expect("the schema asks for a code"),
                message: error["message"].as_str().expect("the schema asks for a message").to_owned(),
                data: error["data"].take(),
            }),
        }
    }

    /// Sends a request and waits for its answer.
    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, Refusal> {
        let id = self.begin(method, params);
        self.answer(&id)
    }

    /// Sends a request that must succeed; gives its result.
    pub fn ok(&mut self, method: &str, params: Value) -> Value {
        let shown = params.to_string();
        self.request(method, params).unwrap_or_else(|error| panic!("{method} {shown} was refused: {error}"))
    }

    /// Sends a request that must be refused.
    pub fn refused(&mut self, method: &str, params: Value) -> Refusal {
        let shown = params.to_string();
        match self.request(method, params) {
            Err(refusal) => refusal,
            Ok(result) => panic!("{method} {shown} was not refused: {result}"),
        }
    }

    /// Answers a request of the server's with a result.
    pub fn reply(&mut self, question: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }));
    }

    /// Answers a request of the server's with an error.
    pub fn reply_error(&mut self, question: &Value, code: i64, message: &str) {
        let error = json!({ "code": code, "message": message });
        self.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "error": error }));
    }

    /// Cancels a request.
    pub fn cancel(&mut self, id: &Value) {
        self.notify("notifications/cancelled", json!({ "requestId": id, "reason": "not needed any more" }));
    }

    /// Sends a call of a tool; gives its id.
    pub fn begin_call(&mut self, tool: &str, arguments: Value) -> Value {
        self.begin("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Calls a tool, which must give a result and no task.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.ok("tools/call", json!({ "name": tool, "arguments": arguments }));
        assert!(result.get("content").is_some(), "`{tool}` gave no result: {result}");
        result
    }

    /// Calls a tool as a task, which must be made. Gives the task in the words of the wire.
    pub fn task(&mut self, tool: &str, arguments: Value) -> Value {
        self.task_with(json!({ "name": tool, "arguments": arguments }))
    }

    /// The same with parameters of one's own.
    pub fn task_with(&mut self, mut params: Value) -> Value {
        if self.wire == Wire::Legacy {
            if params.get("task").is_none() {
                params["task"] = json!({});
            }
            let mut result = self.ok("tools/call", params);
            assert!(result.get("task").is_some(), "no task was made: {result}");
            return result["task"].take();
        }
        let result = self.ok("tools/call", params);
        assert_eq!(result["resultType"], "task", "no task was made: {result}");
        result
    }

    /// Asks for the state of a task.
    pub fn state(&mut self, task: &Value) -> Value {
        self.ok("tasks/get", json!({ "taskId": task["taskId"] }))
    }

    /// Waits until a task has ended, by being told of it and not by asking again and again. Gives its last state.
    pub fn ended(&mut self, task: &Value) -> Value {
        if self.wire == Wire::Legacy {
            // Blocks until the end; what it came to is for the caller to ask.
            let _ = self.request("tasks/result", json!({ "taskId": task["taskId"] }));
            return self.state(task);
        }
        let subscription = self.listen(std::slice::from_ref(task));
        self.notification_that(|notification| {
            let params = &notification["params"];
            let is_ours = params["_meta"][names::SUBSCRIPTION_ID] == subscription;
            is_ours && notification["method"] == "notifications/tasks" && params["status"] != "working"
        });
        self.cancel(&subscription);
        self.state(task)
    }

    /// Listens to tasks; gives the id of the subscription.
    pub fn listen(&mut self, tasks: &[Value]) -> Value {
        let ids: Vec<&Value> = tasks.iter().map(|task| &task["taskId"]).collect();
        self.begin("subscriptions/listen", json!({ "notifications": { "taskIds": ids } }))
    }

    /// Opens a gate of the fixture.
    pub fn open_gate(&mut self, gate: &str) {
        self.call("open", json!({ "gate": gate }));
    }

    /// Waits until a gate of the fixture is open.
    pub fn pass_gate(&mut self, gate: &str) {
        self.call("pass", json!({ "gate": gate }));
    }
}
