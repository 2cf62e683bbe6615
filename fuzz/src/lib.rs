//! What is done with bytes that no client would send. Each target drives a whole server, in process and over its HTTP
//! service, and holds the answer against what must be true whatever was sent.
//!
//! Each input has sessions of its own, so that one input is nearly always all that it takes to see a failure again.

// Everything here panics when something is wrong: that is how a fuzzer is told.
#![allow(clippy::missing_panics_doc, clippy::must_use_candidate, unreachable_pub)]

mod frames;
mod headers;
mod resumption;
mod server;

pub use frames::frames;
pub use headers::headers;
pub use resumption::resumption;
