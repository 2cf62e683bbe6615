//! The protocol as data: JSON-RPC framing, names, versions, error codes and content. No I/O, no runtime.

pub(crate) mod cache;
pub(crate) mod capabilities;
pub mod content;
mod digest;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod jsonrpc;
pub(crate) mod log;
pub(crate) mod names;
pub(crate) mod params;
pub(crate) mod payload;
pub(crate) mod stored;
pub(crate) mod time;
pub(crate) mod trace;

pub(crate) use digest::digest;
pub use error::ProtocolError;
pub use jsonrpc::RequestId;
