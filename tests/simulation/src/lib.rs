//! Simulation of a deployment on one machine, with faults and fast time.
//!
//! [`World`] runs several edges, each in its own location, before one vault. A [`Kv`] between them
//! is as stale, slow and strict as the platform's. One [`Wire`] connects the edges to the vault,
//! another the vault's registries to the feed. Both can be cut. All processes run on one [`Clock`],
//! so that minutes pass in seconds, and days are skipped.
//!
//! Durations are simulated unless stated otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a simulation that meets what it does not expect fails"
)]

mod alarms;
mod clock;
mod fault;
mod kv;
mod latency;
mod load;
mod net;
mod twin;
mod wire;
mod world;

pub use clock::Clock;
pub use fault::Fault;
pub use kv::{Counts, Kv};
pub use latency::Latency;
pub use load::Load;
pub use net::Net;
pub use twin::Twin;
pub use wire::{Wire, kind_of};
pub use world::{Caller, Question, Settings, World};
