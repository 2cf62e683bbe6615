//! Log messages: to who wants to hear them, and nothing that matters less than that.

use serde_json::Value;

use super::{Checked, wrong};

/// The levels, from the least severe to the most.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// What a session wants to hear.
#[derive(Debug, Default)]
pub(super) struct Logging {
    /// The level that was settled last; before that, it is the server's choice.
    settled: Option<usize>,
    /// The levels that were asked for in requests that are not answered yet.
    pending: Vec<(String, usize)>,
}

fn rank(level: &Value) -> Option<usize> {
    LEVELS.iter().position(|known| level == known)
}

impl Logging {
    /// The client asks for a level.
    pub(super) fn wishes(&mut self, id: &str, level: &Value) {
        self.pending.extend(rank(level).map(|rank| (id.to_owned(), rank)));
    }

    /// The wish was granted, or refused.
    pub(super) fn answered(&mut self, id: &str, is_granted: bool) {
        if let Some(at) = self.pending.iter().position(|(pending, _)| pending == id) {
            let (_, level) = self.pending.remove(at);
            if is_granted {
                self.settled = Some(level);
            }
        }
    }

    /// Judges a message. `wishes` are the levels that open requests of the stateless revision ask for.
    pub(super) fn said<'a>(
        &self,
        params: &Value,
        has_session: bool,
        mut wishes: impl Iterator<Item = &'a Value>,
    ) -> Checked {
        let level = rank(&params["level"]);
        let of_session = has_session
            && (self.settled.is_none_or(|least| level >= Some(least))
                || self.pending.iter().any(|(_, least)| level >= Some(*least)));
        if of_session || wishes.any(|wish| rank(wish).is_some_and(|least| level >= Some(least))) {
            return Ok(());
        }
        wrong(format!("nobody asked for messages of the level {}", params["level"]))
    }
}
