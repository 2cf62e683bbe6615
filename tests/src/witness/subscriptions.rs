//! Subscriptions: acknowledged before anything else, about the tasks that were agreed on, and silent after their end.

use std::collections::HashMap;

use serde_json::Value;

use super::{Checked, wrong};
use crate::names;

/// The subscriptions of a connection, by the id of the request that opened each.
#[derive(Debug, Default)]
pub(super) struct Subscriptions(HashMap<String, Subscription>);

#[derive(Debug, Default)]
struct Subscription {
    wanted: Vec<Value>,
    agreed: Option<Vec<Value>>,
    over: bool,
    /// Whether the server itself said that it ends.
    closed: bool,
}

fn list(tasks: &Value) -> Vec<Value> {
    tasks.as_array().cloned().unwrap_or_default()
}

impl Subscriptions {
    pub(super) fn add(&mut self, id: &str, tasks: &Value) {
        self.0.insert(id.to_owned(), Subscription { wanted: list(tasks), ..Subscription::default() });
    }

    /// It was refused, or cancelled by the client, and the server knows.
    pub(super) fn ends(&mut self, id: &str) {
        if let Some(subscription) = self.0.get_mut(id) {
            subscription.over = true;
        }
    }

    /// Judges the answer with which the server ends a subscription.
    pub(super) fn closes(&mut self, id: &Value, result: &Value) -> Checked {
        if result["_meta"][names::SUBSCRIPTION_ID] != *id {
            return wrong("the end of a subscription names it in `_meta`");
        }
        let subscription = self.open(id)?;
        (subscription.over, subscription.closed) = (true, true);
        Ok(())
    }

    /// Judges `notifications/cancelled`: a server ends its own subscriptions by it, and nothing else.
    pub(super) fn cancelled(&mut self, params: &Value) -> Checked {
        match self.0.get_mut(&params["requestId"].to_string()) {
            Some(subscription) if subscription.closed || !subscription.over => {
                (subscription.over, subscription.closed) = (true, false);
                Ok(())
            }
            _ => wrong("a server cancels nothing but its own subscriptions"),
        }
    }

    /// Judges `notifications/subscriptions/acknowledged`.
    pub(super) fn acknowledged(&mut self, params: &Value) -> Checked {
        let subscription = self.open(&params["_meta"][names::SUBSCRIPTION_ID])?;
        if subscription.agreed.is_some() {
            return wrong("this subscription was acknowledged already");
        }
        let agreed = list(&params["notifications"]["taskIds"]);
        if let Some(more) = agreed.iter().find(|task| !subscription.wanted.contains(task)) {
            return wrong(format!("nobody wanted to hear of {more}"));
        }
        subscription.agreed = Some(agreed);
        Ok(())
    }

    /// Judges `notifications/tasks`; gives the subscription that it is of.
    pub(super) fn told(&mut self, params: &Value) -> Result<String, String> {
        let id = &params["_meta"][names::SUBSCRIPTION_ID];
        let agreed = &self.open(id)?.agreed;
        match agreed {
            None => Err("this subscription was not acknowledged yet".to_owned()),
            Some(agreed) if !agreed.contains(&params["taskId"]) => {
                Err("this subscription does not cover the task".to_owned())
            }
            Some(_) => Ok(id.to_string()),
        }
    }

    fn open(&mut self, id: &Value) -> Result<&mut Subscription, String> {
        match self.0.get_mut(&id.to_string()) {
            None => Err(format!("there is no subscription {id}")),
            Some(subscription) if subscription.over => Err(format!("subscription {id} has ended")),
            Some(subscription) => Ok(subscription),
        }
    }
}
