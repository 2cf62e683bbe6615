//! Progress tokens: of which request or task, whether it still goes on, and how far it was.

use std::collections::HashMap;

use serde_json::Value;

use super::{Checked, wrong};
use crate::names;

/// The tokens of a connection.
#[derive(Debug, Default)]
pub(super) struct Tokens(HashMap<String, Token>);

#[derive(Debug)]
struct Token {
    request: String,
    task: Option<Value>,
    last: Option<f64>,
    over: bool,
}

impl Tokens {
    /// A request named this token.
    pub(super) fn add(&mut self, token: &Value, request: &str) {
        let token = token.to_string();
        self.0.insert(token, Token { request: request.to_owned(), task: None, last: None, over: false });
    }

    /// The request has ended.
    pub(super) fn ends(&mut self, request: &str) {
        let of_request = self.0.values_mut().filter(|token| token.request == request && token.task.is_none());
        of_request.for_each(|token| token.over = true);
    }

    /// The request became a task, for which its token stays valid.
    pub(super) fn go_on_in(&mut self, request: &str, task: &Value) {
        let of_request = self.0.values_mut().filter(|token| token.request == request);
        of_request.for_each(|token| token.task = Some(task.clone()));
    }

    /// The task has ended.
    pub(super) fn ends_with_task(&mut self, task: &Value) {
        let of_task = self.0.values_mut().filter(|token| token.task.as_ref() == Some(task));
        of_task.for_each(|token| token.over = true);
    }

    /// Judges the parameters of `notifications/progress`.
    pub(super) fn progress(&mut self, params: &Value) -> Checked {
        let Some(token) = self.0.get_mut(&params["progressToken"].to_string()) else {
            return wrong("no request named this token");
        };
        if token.over {
            return wrong("what this token belongs to has ended");
        }
        let progress = params["progress"].as_f64();
        if token.last.is_some() && progress <= token.last {
            return wrong(format!("progress must increase, and was {:?} before", token.last));
        }
        token.last = progress;
        match (&token.task, params["_meta"].get(names::RELATED_TASK)) {
            (Some(task), Some(related)) if related["taskId"] == *task => Ok(()),
            (None, None) => Ok(()),
            (Some(_), _) => wrong("progress of a task names the task in `_meta`"),
            (None, Some(_)) => wrong("the request became no task"),
        }
    }
}
