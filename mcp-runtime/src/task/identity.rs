//! Who and which: the names of tasks, of those who ask for them, of those who run them, and of each run.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// The name of a task: 122 random bits from the system's generator, derived from nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(Uuid);

impl TaskId {
    /// A new id.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id of these bytes, for stores.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Its bytes, for stores.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Bits that differ between ids, for hash tables. Ids are random, so any eight bytes do.
    pub(crate) fn bits(self) -> u64 {
        self.0.as_u64_pair().1
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error of reading a [`TaskId`] from something that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATaskId;

impl fmt::Display for NotATaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of a task")
    }
}

impl std::error::Error for NotATaskId {}

impl FromStr for TaskId {
    type Err = NotATaskId;
    fn from_str(text: &str) -> Result<Self, NotATaskId> {
        let id = Uuid::try_parse(text).map_err(|_| NotATaskId)?;
        // One spelling names a task: the one that was given out.
        let is_ours = id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text;
        if is_ours { Ok(Self(id)) } else { Err(NotATaskId) }
    }
}

impl Serialize for TaskId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

/// Who asks. Tasks belong to a principal, and nobody else learns that they exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    const ANONYMOUS: &str = "anonymous";

    /// An identity that was authenticated.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Whoever started this process: the one client of a stdio server.
    pub fn local() -> Self {
        Self::new("local")
    }

    /// Nobody in particular: who came over a network, and was not asked for an identity. All of them are one, so that a
    /// task is protected by nothing but its id, which cannot be guessed.
    pub fn anonymous() -> Self {
        Self::new(Self::ANONYMOUS)
    }

    /// Whether this is [`anonymous`](Self::anonymous).
    pub fn is_anonymous(&self) -> bool {
        &*self.0 == Self::ANONYMOUS
    }

    /// The identity's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A process that runs tasks, under a name that no other process ever has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(NonZeroU64);

impl WorkerId {
    /// A new name: 63 random bits, so that it fits whatever integers a store has.
    pub fn random() -> Self {
        let bits = Uuid::new_v4().as_u64_pair().0 >> 1;
        Self(NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN))
    }

    /// The worker of this number, for stores; `None` is nobody.
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// Its number, for stores: less than 2^63 and never zero.
    pub fn number(self) -> u64 {
        self.0.get()
    }
}

/// Which run of a task is meant. Each claim raises it, and what an earlier run still says is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch of a task that was never taken over.
    pub const FIRST: Self = Self(1);

    /// The epoch of this number, for stores.
    pub fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number, for stores.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The epoch after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_spelling_that_was_given_out_names_a_task() {
        let id = TaskId::random();
        assert_eq!(id.to_string().parse::<TaskId>().ok(), Some(id));
        for other in
            [id.to_string().to_uppercase() + "", format!("{{{id}}}"), id.0.simple().to_string(), "x".into()]
        {
            if other != id.to_string() {
                assert!(other.parse::<TaskId>().is_err(), "{other}");
            }
        }
    }
}
