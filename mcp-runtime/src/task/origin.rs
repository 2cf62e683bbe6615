//! Where a task comes from: what a later run must know of the request that made it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::input::{Capability, ClientCapabilities};
pub use crate::protocol::trace::TraceContext;

/// Where a task comes from. To a store it is a text: [`to_json`](Self::to_json), [`from_json`](Self::from_json).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// What its client can do.
    pub(crate) client: ClientCapabilities,
    /// The trace that the request belongs to.
    pub(crate) trace: Option<Arc<TraceContext>>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    client: Vec<Capability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<Arc<TraceContext>>,
}

/// Of a client, and of no trace.
impl From<ClientCapabilities> for Origin {
    fn from(client: ClientCapabilities) -> Self {
        Self { client, trace: None }
    }
}

impl Origin {
    /// Whether a later run needs to know nothing of it.
    pub(crate) fn is_plain(&self) -> bool {
        !self.client.can_be_asked() && self.trace.is_none()
    }

    /// The origin as a store keeps it: JSON, of a form that is this crate's own.
    pub fn to_json(&self) -> String {
        let client = Capability::ALL.into_iter().filter(|capability| self.client.has(*capability)).collect();
        let stored = Stored { client, trace: self.trace.clone() };
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) gave.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        let Stored { client, trace } = serde_json::from_str(json)?;
        Ok(Self { client: client.into_iter().collect(), trace })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_survives_being_stored() {
        let trace = TraceContext { traceparent: Some("00-a-b-01".into()), ..TraceContext::default() };
        for client in [Vec::new(), vec![Capability::Sampling, Capability::Elicitation]] {
            let origin =
                Origin { client: client.into_iter().collect(), trace: Some(Arc::new(trace.clone())) };
            assert_eq!(Origin::from_json(&origin.to_json()).expect("as it was written"), origin);
        }
    }
}
