//! Tasks: their state machine, where they are kept, what runs them, and what a running function sees.

mod ask;
mod call;
mod context;
mod engine;
mod identity;
pub(crate) mod journal;
mod origin;
mod panic;
mod partial;
mod record;
mod scope;
pub mod store;
mod tell;
mod watch;

pub use ask::{StepError, TryStepError};
pub use call::{CallError, CallFailure, Called, Calling};
pub use context::{Cancelled, Context};
pub(crate) use engine::{
    AskJob, Asked, Engine, EngineSettings, Following, JobState, KnowJobs, KnowTools, NewRun, Prepared,
    Revive, Revived, Start, Unprepared, Work, stop,
};
pub use identity::{Principal, TaskId};
pub(crate) use panic::{Guarded, guarded, panic_message, panicked};
pub(crate) use partial::Partials;
#[cfg(test)]
pub(crate) use record::Event;
pub(crate) use record::{Record, RequestKind, Status};
pub(crate) use scope::Scope;
pub use tell::{Amount, Total};
pub(crate) use tell::{Outlet, Progress};
pub(crate) use watch::{Watch, Watchers};

#[cfg(test)]
pub(crate) mod tests_support {
    use super::record;
    use crate::protocol::time::Timestamp;

    /// A working task, created then.
    pub(crate) fn record(now: Timestamp) -> super::Record {
        record::tests::new(now.as_millis())
    }
}
