//! What a call says on its way, in a wire's words, over a client's channel.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::value::RawValue;

use super::questions::Questions;
use crate::input::{InputRequest, InputResponse};
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::RequestId;
use crate::protocol::log::LogLevel;
use crate::task::{Context, Outlet, Progress, TaskId};
use crate::transport::Outbox;
use crate::wire::{write_log, write_progress};

/// What a client of the legacy wire wants to hear, from when it says so with `logging/setLevel`.
#[derive(Debug)]
pub(super) struct Threshold(AtomicU8);

impl Default for Threshold {
    fn default() -> Self {
        Self(AtomicU8::new(LogLevel::Info as u8))
    }
}

impl Threshold {
    pub(super) fn set(&self, level: LogLevel) {
        self.0.store(level as u8, Ordering::Release);
    }
}

/// Which log messages a client wants to hear.
pub(super) enum Hears {
    /// What the session says.
    Session(Arc<Threshold>),
    /// What the request says; none if it says nothing.
    Request(Option<LogLevel>),
}

/// A call's way to its client.
pub(super) struct WireOutlet {
    pub(super) channel: Arc<dyn Outbox>,
    pub(super) token: Option<RequestId>,
    pub(super) related: Option<TaskId>,
    pub(super) hears: Hears,
    /// How large a partial result may be, in bytes.
    pub(super) max_partials_size: usize,
    /// Where the client can be asked by requests.
    pub(super) asking: Option<Asking>,
}

/// What a call asked by requests.
pub(super) struct Asking {
    questions: Arc<Questions>,
    asked: Mutex<Vec<(Arc<str>, i64)>>,
}

impl Asking {
    pub(super) fn new(questions: Arc<Questions>) -> Self {
        Self { questions, asked: Mutex::default() }
    }
}

impl Outlet for WireOutlet {
    fn progress(&self, progress: &Progress<'_>) {
        let Some(token) = &self.token else { return };
        if self.channel.is_congested() {
            return;
        }
        let mut message = Vec::with_capacity(160);
        write_progress(&mut message, token, progress, self.related);
        self.channel.push(&message);
        self.channel.flush();
    }

    fn max_partials_size(&self) -> Option<usize> {
        self.token.as_ref().map(|_| self.max_partials_size)
    }

    fn hears(&self, level: LogLevel) -> bool {
        match &self.hears {
            Hears::Session(threshold) => level as u8 >= threshold.0.load(Ordering::Acquire),
            Hears::Request(least) => least.is_some_and(|least| level >= least),
        }
    }

    fn log(&self, level: LogLevel, logger: Option<&str>, data: &RawValue) {
        if self.channel.is_congested() {
            return;
        }
        let mut message = Vec::with_capacity(160);
        write_log(&mut message, level, logger, data, self.related);
        self.channel.push(&message);
        self.channel.flush();
    }

    fn ask(&self, cx: &Context, key: &Arc<str>, request: &Arc<InputRequest>) -> bool {
        let Some(asking) = &self.asking else { return false };
        if !self.channel.is_open() {
            let message = "the client cannot be asked: it takes nothing but the answer to its request";
            cx.put_answer(key, Arc::new(InputResponse::Error(ProtocolError::internal(message))));
            return true;
        }
        let id = asking.questions.ask(cx, key, request, &*self.channel);
        asking.asked.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::clone(key), id));
        true
    }

    fn close_stream(&self) {
        self.channel.suspend();
    }

    fn withdraw(&self, key: &str) {
        let Some(asking) = &self.asking else { return };
        let mut asked = asking.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = asked.iter().position(|(asked, _)| **asked == *key) {
            let (_, id) = asked.swap_remove(at);
            drop(asked);
            asking.questions.withdraw(id, &*self.channel);
        }
    }
}
