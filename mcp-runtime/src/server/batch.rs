//! JSON-RPC batches, which only MCP 2025-03-26 has: several messages in one, answered as one.

use serde_json::value::RawValue;

use super::connection::{Connection, Later, Taken, flatten};
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc;

/// The messages of one batch at most.
const LARGEST: usize = 256;

impl Connection {
    /// Takes something that begins like a batch.
    pub(super) fn take_batch(&self, text: &str) {
        if !self.has_batches() {
            return match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                Ok(_) => self.refuse_batch("a batch is not a message: only MCP 2025-03-26 has batches"),
                Err(_) => self.receive_one(text),
            };
        }
        match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(messages) if messages.is_empty() => self.refuse_batch("an empty batch asks for nothing"),
            Ok(messages) if messages.len() > LARGEST => {
                self.refuse_batch(&format!("a batch has at most {LARGEST} messages"));
            }
            Ok(messages) => self.take_messages(&messages),
            Err(_) => self.receive_one(text),
        }
    }

    fn refuse_batch(&self, message: &str) {
        let mut out = Vec::new();
        jsonrpc::write_error(&mut out, None, &ProtocolError::invalid_request(message.to_owned()));
        self.outbox().push(&out);
    }

    fn take_messages(&self, messages: &[&RawValue]) {
        let Some(me) = self.me() else { return };
        let mut answers = Vec::new();
        let mut flying = Vec::new();
        for message in messages {
            let mut out = Vec::new();
            match self.take(message.get(), &mut out) {
                Taken::Answered if !out.is_empty() => answers.push(out),
                Taken::Answered | Taken::Silent => {}
                Taken::Later(Later { id, dialect, kind, answer }) => {
                    self.flights().launch(id.clone(), kind, |number| {
                        let task = self.runtime().spawn(answer);
                        let abort = task.abort_handle();
                        flying.push((id, number, dialect, task));
                        abort
                    });
                }
            }
        }
        self.runtime().spawn(async move {
            let mut landing = 0;
            for (id, number, dialect, task) in flying {
                // What was cancelled is left out of the answer, and so is what the runtime dropped.
                let answer = task.await;
                if !me.flights().commit(&id, number) {
                    continue;
                }
                landing += 1;
                if let Ok(outcome) = answer {
                    let mut out = Vec::new();
                    me.write(&mut out, &id, &dialect, flatten(outcome));
                    if !out.is_empty() {
                        answers.push(out);
                    }
                }
            }
            if !answers.is_empty() {
                me.outbox().push(&[&b"["[..], &answers.join(&b","[..]), b"]"].concat());
                me.outbox().flush();
            }
            for _ in 0..landing {
                me.flights().land();
            }
        });
    }
}
