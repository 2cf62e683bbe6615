//! Subscriptions: acknowledged before anything else, about what was agreed on, and silent after their end.

use std::collections::HashMap;

use serde_json::Value;

use super::{Checked, wrong};
use crate::names;

/// The subscriptions of a connection, by the id of the request that opened each.
#[derive(Debug, Default)]
pub(super) struct Subscriptions(HashMap<String, Subscription>);

#[derive(Debug, Default)]
struct Subscription {
    wanted: Value,
    agreed: Option<Value>,
    over: bool,
    /// By what the server itself said last that it ends.
    ended_by: Option<End>,
}

/// How a server says that a subscription ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Answer,
    Notification,
}

impl Subscription {
    /// The answer "identifies which subscription it closes", so it comes last: a notification may only go before it.
    fn end_by(&mut self, end: End) -> Checked {
        let before = self.ended_by.replace(end);
        if self.over && (before, end) != (Some(End::Notification), End::Answer) {
            return wrong(format!("the subscription had ended before this {end:?}"));
        }
        self.over = true;
        Ok(())
    }
}

/// The lists that a filter may name, and the notification that tells of each.
const LISTS: [(&str, &str); 3] = [
    ("toolsListChanged", "notifications/tools/list_changed"),
    ("promptsListChanged", "notifications/prompts/list_changed"),
    ("resourcesListChanged", "notifications/resources/list_changed"),
];

/// What a filter has under a name: nothing is as good as an empty list.
fn list<'a>(filter: &'a Value, name: &str) -> &'a [Value] {
    filter[name].as_array().map_or(&[], Vec::as_slice)
}

impl Subscriptions {
    pub(super) fn add(&mut self, id: &str, filter: &Value) {
        self.0.insert(id.to_owned(), Subscription { wanted: filter.clone(), ..Subscription::default() });
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
        match self.0.get_mut(&id.to_string()) {
            Some(subscription) => subscription.end_by(End::Answer),
            None => wrong(format!("there is no subscription {id}")),
        }
    }

    /// Judges `notifications/cancelled`: a server ends its own subscriptions by it, and nothing else.
    pub(super) fn cancelled(&mut self, params: &Value) -> Checked {
        match self.0.get_mut(&params["requestId"].to_string()) {
            Some(subscription) => subscription.end_by(End::Notification),
            None => wrong("a server cancels nothing but its own subscriptions"),
        }
    }

    /// Judges `notifications/subscriptions/acknowledged`.
    pub(super) fn acknowledged(&mut self, params: &Value) -> Checked {
        let subscription = self.open(&params["_meta"][names::SUBSCRIPTION_ID])?;
        if subscription.agreed.is_some() {
            return wrong("this subscription was acknowledged already");
        }
        let agreed = &params["notifications"];
        for name in ["taskIds", "resourceSubscriptions"] {
            let wanted = list(&subscription.wanted, name);
            if let Some(more) = list(agreed, name).iter().find(|more| !wanted.contains(more)) {
                return wrong(format!("nobody wanted to hear of {more}"));
            }
        }
        for (name, _) in LISTS {
            match agreed.get(name) {
                None => {}
                Some(Value::Bool(true)) if subscription.wanted[name] == true => {}
                Some(other) => return wrong(format!("nobody asked for `{name}`, or not so: {other}")),
            }
        }
        subscription.agreed = Some(agreed.clone());
        Ok(())
    }

    /// Judges `notifications/tasks`; gives the subscription that it is of.
    pub(super) fn told(&mut self, params: &Value) -> Result<String, String> {
        let (id, agreed) = self.agreed(params)?;
        if list(&agreed, "taskIds").contains(&params["taskId"]) {
            Ok(id)
        } else {
            Err("this subscription does not cover the task".to_owned())
        }
    }

    /// Judges a notification of a change.
    pub(super) fn changed(&mut self, method: &str, params: &Value) -> Checked {
        let (_, agreed) = self.agreed(params)?;
        let covers = match LISTS.iter().find(|(_, notification)| *notification == method) {
            Some((name, _)) => agreed[name] == true,
            None => list(&agreed, "resourceSubscriptions").contains(&params["uri"]),
        };
        if covers { Ok(()) } else { wrong(format!("this subscription does not cover {method} {params}")) }
    }

    /// The subscription that a notification is of, and what was agreed on.
    fn agreed(&mut self, params: &Value) -> Result<(String, Value), String> {
        let id = &params["_meta"][names::SUBSCRIPTION_ID];
        match &self.open(id)?.agreed {
            None => Err("this subscription was not acknowledged yet".to_owned()),
            Some(agreed) => Ok((id.to_string(), agreed.clone())),
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
