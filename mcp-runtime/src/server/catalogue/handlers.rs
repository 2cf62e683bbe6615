//! Who answers what a server asks its client, where that may be a task: a model, or somebody at a form.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::protocol::ProtocolError;
use crate::protocol::payload::{Ending, Payload};
use crate::server::callee::{Callee, Traits};
use crate::server::run::{Begin, Work};
use crate::task::{Context, RequestKind};
use crate::tool::{States, TaskPolicy, TaskSupport};
use crate::wire::{Call, Offer};

/// Gives the result of a request, by its parameters.
pub(crate) type Answering =
    Arc<dyn Fn(Value) -> Pin<Box<dyn Future<Output = Result<Value, ProtocolError>> + Send>> + Send + Sync>;

/// Who answers one kind of request.
pub(crate) struct Handler {
    kind: RequestKind,
    answering: Answering,
    traits: Traits,
}

impl Handler {
    /// A handler of `sampling/createMessage` or `elicitation/create`. Asked again after a crash, it is asked again: nothing
    /// was answered yet.
    pub(crate) fn new(kind: RequestKind, answering: Answering) -> Self {
        let task = TaskPolicy { support: TaskSupport::Optional, ..TaskPolicy::default() };
        Self { kind, answering, traits: Traits::new(kind.method().into(), task, true) }
    }

    pub(super) fn kind(&self) -> RequestKind {
        self.kind
    }

    /// What it is among what is offered.
    pub(super) fn offer(&self) -> Offer {
        match self.kind {
            RequestKind::CreateMessage => Offer::MessageTasks,
            _ => Offer::ElicitationTasks,
        }
    }
}

impl Callee for Handler {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn begin(&self, call: &Call<'_>, _: &States, _: &Context) -> Result<Begin, ProtocolError> {
        let params = match call.arguments {
            Some(arguments) => serde_json::from_str(arguments.get())
                .map_err(|error| ProtocolError::invalid_params(format!("invalid params: {error}")))?,
            None => Value::Object(Map::new()),
        };
        let answer = (self.answering)(params);
        Ok(Begin::Work(Work::Other(Box::pin(async move {
            Ending::encoded(answer.await.map(|result| Payload::of_members(&result, &Map::new(), None)))
        }))))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handler").field(&self.kind).finish()
    }
}
