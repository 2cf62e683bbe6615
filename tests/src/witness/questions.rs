//! What a server asks its client: only what the client declared that it can do, each thing once, and on the way that the
//! wire has for it.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Checked, check, wrong};
use crate::{MODERN, names};

/// The questions of a connection.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// What the client declared when it opened its session.
    declared: Value,
    /// What it declared in the call that became a task of the stateless revision.
    declared_for: HashMap<String, Value>,
    /// The ids of all requests of the server's.
    ids: HashSet<String>,
    /// Those that it took back.
    taken_back: HashSet<String>,
    /// Those that nobody has answered or taken back.
    open: HashMap<String, Open>,
    /// What tasks of the stateless revision asked under each key.
    keys: HashMap<(String, String), Value>,
    /// The tasks that have ended, as the client was told.
    over: HashSet<String>,
}

#[derive(Debug)]
struct Open {
    task: Value,
    params: Value,
}

/// The definition of a question, for each method that there is.
fn definition(method: &str) -> Option<&'static str> {
    Some(match method {
        "elicitation/create" => "ElicitRequest",
        "sampling/createMessage" => "CreateMessageRequest",
        "roots/list" => "ListRootsRequest",
        _ => return None,
    })
}

/// Judges whether a client that declares this may be asked that.
fn may_be_asked(declared: &Value, method: &str, params: &Value) -> Checked {
    let elicitation = &declared["elicitation"];
    let needed = match method {
        "elicitation/create" if params["mode"] == "url" => &elicitation["url"],
        // "For backwards compatibility, an empty capabilities object is equivalent to declaring support for `form`."
        "elicitation/create" if elicitation.as_object().is_some_and(Map::is_empty) => elicitation,
        "elicitation/create" => &elicitation["form"],
        "sampling/createMessage" if params.get("tools").or(params.get("toolChoice")).is_some() => {
            &declared["sampling"]["tools"]
        }
        "sampling/createMessage" if params.get("includeContext").is_some_and(|whose| whose != "none") => {
            &declared["sampling"]["context"]
        }
        "sampling/createMessage" => &declared["sampling"],
        _ => &declared["roots"],
    };
    if needed.is_object() {
        return Ok(());
    }
    wrong(format!("the client did not declare that it can be asked this: {method} {params}"))
}

impl Questions {
    /// A session was opened by a client that declares this.
    pub(super) fn opened(&mut self, declared: &Value) {
        self.declared = declared.clone();
    }

    /// A call of a client that declares this became this task of the stateless revision.
    pub(super) fn made(&mut self, task: &Value, declared: &Value) {
        self.declared_for.insert(task.to_string(), declared.clone());
    }

    /// The client was told that a task has ended.
    pub(super) fn ended(&mut self, task: &Value) {
        self.over.insert(task.to_string());
    }

    /// The client answered.
    pub(super) fn answered(&mut self, id: &Value) {
        self.open.remove(&id.to_string());
    }

    /// Judges a request of the server's, which only sessions know.
    pub(super) fn asked(&mut self, revision: &str, message: &Value) -> Checked {
        let (id, method, params) = (&message["id"], &message["method"], &message["params"]);
        let method = method.as_str().unwrap_or_default();
        let Some(definition) = definition(method) else {
            return wrong(format!("no server asks its client for {method:?}"));
        };
        check(revision, definition, message)?;
        if !self.ids.insert(id.to_string()) {
            return wrong(format!("there was a request {id} before"));
        }
        may_be_asked(&self.declared, method, params)?;
        let task = params["_meta"][names::RELATED_TASK]["taskId"].clone();
        if self.over.contains(&task.to_string()) {
            return wrong(format!("the task {task} has ended, and needs to know nothing"));
        }
        let mut params = params.clone();
        if let Some(params) = params.as_object_mut() {
            params.remove("elicitationId");
        }
        let same = |open: &Open| !open.task.is_null() && (&open.task, &open.params) == (&task, &params);
        if self.open.values().any(same) {
            return wrong(format!("the task {task} has asked this already"));
        }
        self.open.insert(id.to_string(), Open { task, params });
        Ok(())
    }

    /// Judges `notifications/cancelled`. One that was answered a moment ago may still be taken back.
    pub(super) fn takes_back(&mut self, id: &Value) -> Checked {
        let id = id.to_string();
        self.open.remove(&id);
        if !self.ids.contains(&id) {
            return wrong(format!("nobody was asked {id}"));
        }
        if self.taken_back.insert(id.clone()) { Ok(()) } else { wrong(format!("{id} was taken back before")) }
    }

    /// Judges `inputRequests` in an answer to a client that declares this.
    pub(super) fn listed(declared: &Value, requests: &Value) -> Checked {
        for (key, request) in requests.as_object().into_iter().flatten() {
            let method = request["method"].as_str().unwrap_or_default();
            let Some(definition) = definition(method) else {
                return wrong(format!("{method:?} under the key {key:?} is nothing that can be asked"));
            };
            check(MODERN, definition, request)?;
            may_be_asked(declared, method, &request["params"])?;
        }
        Ok(())
    }

    /// Judges the questions of a task of the stateless revision: "Each request key MUST be unique over the lifetime of a
    /// single task."
    pub(super) fn of_task(&mut self, task: &Value, requests: &Value) -> Checked {
        if let Some(declared) = self.declared_for.get(&task.to_string()) {
            Self::listed(declared, requests)?;
        }
        for (key, request) in requests.as_object().into_iter().flatten() {
            let before = self.keys.entry((task.to_string(), key.clone())).or_insert_with(|| request.clone());
            if before != request {
                return wrong(format!("the key {key:?} stood for {before} before"));
            }
        }
        Ok(())
    }
}
