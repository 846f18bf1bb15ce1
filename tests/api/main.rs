//! The edge and the console over HTTP. Each test is a rule, in a file named after its path.
//!
//! Tests share one deployment, started with `cargo xtask dev`. Each creates the keys it needs; a
//! test that stops its deployment, or needs an empty workspace, starts its own.
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
