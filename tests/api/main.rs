#![doc = include_str!("README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect fails"
)]

mod client;
mod console;
mod deployment;
mod dev;
mod docs;
mod edge;
mod errors;
mod front;
mod keys;
mod logs;
mod processes;
mod secrecy;
mod state;
mod stores;
mod upstream;
