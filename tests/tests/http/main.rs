//! Streamable HTTP: in this process, where time can be stopped and a client can be anybody, and over real sockets.

mod answers;
mod asking;
mod ending;
mod eras;
mod finding;
mod inside;
mod judging;
mod listening;
mod origins;
mod raw;
mod resuming;
mod sessions;
mod sockets;
mod stopping;
mod tools;
