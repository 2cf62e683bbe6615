//! What is declared says of itself and does when a client asks, through a server and a client of it.

mod prompts;
mod resources;
mod tools;
