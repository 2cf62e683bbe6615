//! What an embedding did.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::counted;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Embedded {
    /// How many memories got a vector.
    pub(crate) got_vector: usize,
    /// How many there are in all.
    pub(crate) memories: usize,
    /// How many still have none: what was brought back or changed in the meantime.
    pub(crate) without_vector: usize,
}

impl fmt::Display for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { got_vector, memories, without_vector } = self;
        let got = counted(*got_vector, "memory", "memories");
        write!(f, "{got} got a vector; of {memories}, {without_vector} have no vector.")
    }
}
