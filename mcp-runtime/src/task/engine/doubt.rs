//! What becomes of a task when the store failed to say whether it did what it was asked: it is looked at again until the
//! store says how it stands.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::drive::{Registered, Start, Starting};
use super::{Engine, FIRST_PAUSE, LONGEST_PAUSE, Work};
use crate::background;
use crate::task::identity::TaskId;
use crate::task::origin::TraceContext;
use crate::task::record::Record;
use crate::telemetry::{self, Span};

impl Engine {
    /// Finds out, in the background, whether a task was recorded after all.
    ///
    /// If it was, it runs if it `may_run`: whoever asks again under its key finds it at work. Otherwise nobody will ever
    /// ask for it, and it is cancelled.
    pub(super) fn doubt_creation(
        self: &Arc<Self>,
        registered: Registered,
        work: Work,
        trace: Option<Arc<TraceContext>>,
        may_run: bool,
    ) {
        let engine = Arc::clone(self);
        background::spawn(async move {
            let id = registered.id;
            let Some(record) = engine.find(id).await.filter(|record| !record.status.is_terminal()) else {
                return;
            };
            telemetry::created(&record);
            if may_run {
                let span = Span::of_task(&record, trace.as_deref());
                drop(Start(Some(Starting { registered, span, work, runtime: Handle::current() })));
            } else {
                engine.give_up(id).await;
            }
        });
    }

    /// Finds out, in the background, what became of a change, and tells whoever must know of it.
    pub(super) fn doubt_change(self: &Arc<Self>, id: TaskId) {
        let engine = Arc::clone(self);
        background::spawn(async move {
            let record = engine.find(id).await;
            engine.hear(id, record);
        });
    }

    /// The record of a task, however long it takes until the store gives it.
    async fn find(&self, id: TaskId) -> Option<Record> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.store.get(id).await {
                Ok(record) => return record,
                Err(error) => tracing::warn!(task = %id, %error, "a task could not be looked up"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
