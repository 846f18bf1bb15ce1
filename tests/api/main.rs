//! What callers see over HTTP: each test is a rule, in a file named as the address that it is about.
//!
//! They share one deployment, which the command that people use starts. Every test makes the keys that it needs. A test
//! that stops a deployment, or needs a workspace for itself, starts one of its own.
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
mod edge;
mod keys;
mod secrecy;
mod state;
mod stores;
