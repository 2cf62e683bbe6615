//! What a function calls: the tools of the same server, for the same client.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Shared;
use super::run::{Begin, begin};
use crate::protocol::params::Str;
use crate::task::{Context, KnowTools, Prepared, RequestKind, TaskId, Unprepared};
use crate::wire::{Call, Wish};

impl KnowTools for Shared {
    fn prepare(&self, tool: &str, arguments: &RawValue, cx: &Context) -> Result<Prepared, Unprepared> {
        let call = Call {
            kind: RequestKind::CallTool,
            name: Str(Cow::Borrowed(tool)),
            arguments: Some(arguments),
            progress_token: None,
            wish: Wish::Plain,
            key: None,
            tool_use: None,
            client: *cx.client(),
            log_level: None,
            trace: cx.origin().trace.clone(),
            responses: None,
            state: None,
        };
        let callee = self.catalogue().find(&call).map_err(|_| Unprepared::NoSuchTool)?;
        let work = match begin(&*callee, &call, &self.states, cx).map_err(Unprepared::Error)? {
            Begin::Refused(refusal) => return Err(Unprepared::Refused(refusal)),
            Begin::Work(work) => Box::pin(self.run(&*callee, work, cx)),
        };
        Ok(Prepared {
            work,
            task: self.new_task(TaskId::random(), &*callee, &call, None, cx.principal()),
            places: callee.traits().places.clone(),
            may_rerun: callee.traits().retries > 0,
        })
    }
}
