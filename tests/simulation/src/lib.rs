//! The deployment in small.
//!
//! [`World`] runs several edges, each standing for a location of the network, before one vault. Between them
//! stand a [`Kv`] that is as stale, slow and strict as the platform's, and a [`Wire`] to the vault that can be
//! cut; another one leads from the vault's registries to the feed. All of them live on one [`Clock`] that runs faster than the real one, so that minutes pass in seconds, and days are skipped.
//!
//! Times are simulated ones wherever nothing else is said.
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
