//! How a task goes on that another run left behind: the same callee, with the same arguments, for the same client.

use std::borrow::Cow;

use super::Shared;
use super::callee::Traits;
use super::run::{Begin, Turn, begin, in_turn};
use crate::protocol::ProtocolError;
use crate::protocol::params::Str;
use crate::protocol::payload::Ending;
use crate::task::store::Claimed;
use crate::task::{Context, Record, Revive, Revived, Scope};
use crate::wire::{Call, Wish};

impl Revive for Shared {
    fn scope(&self, record: &Record) -> Option<Scope> {
        self.catalogue().named(record.kind, &record.target).ok()?.traits().scope()
    }

    fn revive(&self, task: &Claimed, was_waiting: bool, cx: &Context) -> Result<Revived, Ending> {
        let record = &task.record;
        let call = Call {
            kind: record.kind,
            name: Str(Cow::Borrowed(&record.target)),
            arguments: Some(&task.arguments),
            progress_token: None,
            wish: Wish::Plain,
            key: None,
            tool_use: None,
            client: task.origin.client,
            log_level: None,
            trace: task.origin.trace.clone(),
            responses: None,
            state: None,
        };
        let callee = self.catalogue().find(&call).map_err(Ending::Error)?;
        let traits = callee.traits();
        if !was_waiting && record.attempts > 0 {
            may_rerun(traits, record).map_err(Ending::Error)?;
        }
        match begin(&*callee, &call, &self.states, cx).map_err(Ending::Error)? {
            Begin::Refused(refusal) => Err(Ending::Result(refusal)),
            Begin::Work(work) => {
                let run = self.run(&*callee, work, cx);
                let places = traits.places.as_ref().filter(|_| !cx.has_place_of(&traits.name));
                Ok(Revived { work: in_turn(run, Turn::in_line(places)), may_rerun: traits.retries > 0 })
            }
        }
    }
}

/// Whether a task whose run was cut off may run again.
fn may_rerun(traits: &Traits, record: &Record) -> Result<(), ProtocolError> {
    let Traits { name, retries, .. } = traits;
    let attempts = record.attempts;
    if attempts <= *retries {
        return Ok(());
    }
    let (message, reason) = if *retries == 0 {
        let message = format!(
            "the server stopped while the task was at work, and `{name}` is not declared safe to run again; what it had done \
             by then stays done; look at that, and call the tool again if it does no harm"
        );
        (message, "interrupted")
    } else {
        let message = format!(
            "the server stopped {attempts} times while the task was at work, and `{name}` is run again {retries} times at \
             most; call the tool again if it is not what stops the server"
        );
        (message, "retries_exhausted")
    };
    Err(ProtocolError::internal(message)
        .with_data(serde_json::json!({ "reason": reason, "attempts": attempts, "retries": retries })))
}
