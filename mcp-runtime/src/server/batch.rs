//! JSON-RPC batches, which only MCP 2025-03-26 has: several messages in one, answered as one.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::connection::{Connection, Later, Taken, flatten};
use crate::background;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc;
use crate::transport::{Arrival, Failure, Outbox, Received};

/// The messages of one batch at most.
const LARGEST: usize = 256;

impl Connection {
    /// Takes something that begins like a batch.
    pub(super) fn take_batch(&self, text: &str, arrival: Arrival<'_>) -> Received {
        let refuse = |message: &str| refuse(message, &**arrival.channel);
        if !self.has_batches() {
            return match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                Ok(_) => refuse("a batch is not a message: only MCP 2025-03-26 has batches"),
                Err(_) => self.receive_one(text, arrival),
            };
        }
        match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(messages) if messages.is_empty() => refuse("an empty batch asks for nothing"),
            Ok(messages) if messages.len() > LARGEST => {
                refuse(&format!("a batch has at most {LARGEST} messages"))
            }
            Ok(messages) => self.take_messages(&messages, arrival),
            Err(_) => self.receive_one(text, arrival),
        }
    }

    fn take_messages(&self, messages: &[&RawValue], arrival: Arrival<'_>) -> Received {
        let Some(me) = self.me() else { return Received::Silent };
        let mut answers = Vec::new();
        let mut flying = Vec::new();
        for message in messages {
            let mut out = Vec::new();
            match self.take(message.get(), arrival, &mut out) {
                Taken::Answered { .. } if !out.is_empty() => answers.push(out),
                Taken::Answered { .. } | Taken::Silent | Taken::Listening => {}
                Taken::Later(Later { id, dialect, kind, answer }) => {
                    self.flights().launch(id.clone(), kind, arrival.channel, |number| {
                        let (told, abort) = background::see_through_on(self.runtime(), answer);
                        flying.push((id, number, dialect, told));
                        abort
                    });
                }
            }
        }
        if answers.is_empty() && flying.is_empty() {
            return Received::Silent;
        }
        let channel = Arc::clone(arrival.channel);
        background::spawn_on(self.runtime(), async move {
            let mut landing = 0;
            for (id, number, dialect, told) in flying {
                // What was cancelled is left out of the answer, and so is what the runtime dropped.
                let answer = told.await;
                if !me.flights().commit(&id, number) {
                    continue;
                }
                landing += 1;
                if let Ok(outcome) = answer {
                    let mut out = Vec::new();
                    me.write(&mut out, &id, &dialect, flatten(outcome), &*channel);
                    if !out.is_empty() {
                        answers.push(out);
                    }
                }
            }
            if answers.is_empty() {
                channel.close();
            } else {
                channel.respond([&b"["[..], &answers.join(&b","[..]), b"]"].concat(), None);
                channel.flush();
            }
            for _ in 0..landing {
                me.flights().land();
            }
        });
        Received::Answered
    }
}

fn refuse(message: &str, channel: &dyn Outbox) -> Received {
    let error = ProtocolError::invalid_request(message.to_owned());
    let mut out = Vec::new();
    jsonrpc::write_error(&mut out, None, &error);
    channel.respond(out, Some(Failure::refused(&error)));
    Received::Answered
}
