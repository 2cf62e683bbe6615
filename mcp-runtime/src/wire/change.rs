//! What a client may be told of the server's offers, whichever wire it is of.

use std::sync::Arc;

use super::modern::write_subscription;
use crate::protocol::jsonrpc::{self, RequestId};
use crate::protocol::payload::write_entry;

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources, or of resource templates.
    Resources,
    /// What the resource of this URI holds.
    Resource(Arc<str>),
}

impl Change {
    fn method(&self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resources => "notifications/resources/list_changed",
            Self::Resource(_) => "notifications/resources/updated",
        }
    }
}

/// Writes the notification; on the modern wire it names the subscription.
pub(crate) fn write_change(out: &mut Vec<u8>, change: &Change, subscription: Option<&RequestId>) {
    jsonrpc::begin_notification(out, change.method());
    out.push(b'{');
    if let Some(subscription) = subscription {
        out.extend_from_slice(br#""_meta":{"#);
        write_subscription(out, subscription);
        out.push(b'}');
    }
    if let Change::Resource(uri) = change {
        write_entry(out, "uri", uri);
    }
    out.push(b'}');
    jsonrpc::end(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(change: &Change, subscription: Option<&RequestId>) -> Value {
        let mut out = Vec::new();
        write_change(&mut out, change, subscription);
        serde_json::from_slice(&out).expect("JSON")
    }

    #[test]
    fn a_change_is_told_in_each_wires_words() {
        assert_eq!(
            written(&Change::Tools, None),
            json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {}})
        );
        assert_eq!(
            written(&Change::Resource("test://a".into()), Some(&RequestId::Number(4)))["params"],
            json!({"_meta": {"io.modelcontextprotocol/subscriptionId": 4}, "uri": "test://a"})
        );
    }
}
